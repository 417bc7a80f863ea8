"""``latentstar score``: the whole way from a run and a dataset to its numbers."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from agent.checkpoint import TrainingState, save_checkpoint
from agent.run_checkpoints import Best, CheckpointChoice
from envs.interface import Knowledge
from envs.timeline import StepFlag
from policies.config import PolicyConfig
from policies.policy import Policy
from tests.builders import make_dataset, small_policy_config
from training import compare, score
from training.compare import CompareConfig
from training.config import ScoreConfig
from training.dataset import Split, open_game, read_dataset
from training.run_folder import write_best


def make_run(folder: Path, *steps: int, policy: PolicyConfig | None = None) -> Path:
    for step in steps:
        save_checkpoint(
            folder / "checkpoints",
            step=step,
            policy=Policy(small_policy_config() if policy is None else policy),
            knowledge=Knowledge.EVENTS,
            seed=0,
            training=TrainingState({}, {"dataset_identity": "another"}),
        )
    return folder


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a dataset, and a run that has been scored on it."""
    folder = tmp_path_factory.mktemp("score")
    make_dataset(folder / "data", num_games=12)
    make_run(folder / "run", 1, 2)
    score.run(ScoreConfig(run=folder / "run", dataset=folder / "data", bootstraps=50))
    return folder


def test_scored_runs_can_be_compared(scored: Path, capsys: pytest.CaptureFixture[str]):
    compare.run(CompareConfig(runs=(scored / "run", scored / "run")))
    found = json.loads((scored / "run" / "score.json").read_text())
    nats = [line for line in capsys.readouterr().out.splitlines() if "action type: nats" in line]
    assert nats[0].count(f"{found['action_type']['nll']:.3f}") == 2


def test_every_head_and_baseline_has_its_numbers(scored: Path):
    found = json.loads((scored / "run" / "score.json").read_text())
    assert {"top1", "top5", "nll"} <= found["action_type"].keys()
    assert found["selected_units"].keys() == {"iou", "exact", "shown"}
    assert found["target_unit"].keys() == {"top1", "shown"}
    assert found["target_location"].keys() == {"median_units", "within_3"}
    assert found["delay"].keys() == {"nll", "median_abs"}
    assert found["baseline"].keys() == {"most_frequent", "repeat_last", "bigram", "trigram"}
    for baseline in found["baseline"].values():
        assert baseline.keys() == {"top1", "nll"}
    low, high = found["intervals"]["action_type"]["top1"]
    assert low <= found["action_type"]["top1"] <= high
    assert found["by_race"].keys() == {"terran"}
    assert sum(part["commands"] for part in found["by_phase"].values()) == found["commands"]


def test_the_score_says_what_was_scored_by_what(scored: Path):
    found = json.loads((scored / "run" / "score.json").read_text())
    dataset = read_dataset(scored / "data")
    assert (found["games"], found["player_games"], found["split"]) == (2, 4, "test")
    assert found["checkpoint"]["step"] == 2
    assert len(found["checkpoint"]["digest"]) == 64
    assert found["dataset"]["identity"] == dataset.identity
    assert found["trained_on_this_dataset"] is False
    commands = sum(
        int((open_game(dataset.folder, game).step_flags & StepFlag.CLEAN != 0).sum())
        for game in dataset.of_split(Split.TEST)
    )
    assert found["commands"] == commands
    assert found["left_out"] == {"share": 0.0, "commands": commands, "unmapped": 0, "not_clean": 0}


def test_a_picture_is_drawn(scored: Path):
    assert (scored / "run" / "score.png").read_bytes().startswith(b"\x89PNG")


def test_a_sample_of_the_validation_games_can_be_scored(scored: Path):
    run = make_run(scored / "sampled", 1)
    config = ScoreConfig(
        run=run, dataset=scored / "data", split=Split.VALIDATION, max_games=1, bootstraps=5
    )
    score.run(config)
    found = json.loads((run / "score_validation_1_games.json").read_text())
    assert (found["player_games"], found["split"]) == (1, "validation")
    assert not (run / "score.json").exists()


def test_the_best_checkpoint_is_scored_unless_the_newest_is_asked_for(tmp_path: Path):
    run = make_run(tmp_path / "run", 1, 2)
    write_best(run, Best(1, 0.5))
    for choice, step in ((CheckpointChoice.BEST, 1), (CheckpointChoice.NEWEST, 2)):
        assert score.chosen_checkpoint(run, choice).step == step


def test_a_best_checkpoint_that_is_gone_is_told_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    run = make_run(tmp_path / "run", 1, 2)
    write_best(run, Best(5, 0.5))
    assert score.chosen_checkpoint(run, CheckpointChoice.BEST).step == 2
    assert "the newest is taken" in caplog.text


def test_what_is_left_out_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = make_dataset(tmp_path / "data")
    dataset = read_dataset(folder)
    timeline = open_game(folder, dataset.games[0])
    is_command = timeline.step_action_type != 0
    first, second = np.flatnonzero(is_command)[:2]
    flags = timeline.step_flags.copy()
    flags[first] = StepFlag.CLEAN  # no raw function does it
    flags[second] = StepFlag.MAPPED  # somebody unknown was selected
    monkeypatch.setattr(score, "open_game", lambda *game: timeline._replace(step_flags=flags))
    commands = score.game_commands(folder, dataset.games[0])
    assert commands.num_unmapped == 1
    assert len(commands.action_types) == is_command.sum() - 1
    assert commands.is_scored.sum() == is_command.sum() - 2


def test_a_missing_run_is_refused(scored: Path):
    with pytest.raises(FileNotFoundError, match="no such folder"):
        score.run(ScoreConfig(run=scored / "nowhere", dataset=scored / "data"))


def test_a_run_without_a_checkpoint_is_refused(scored: Path, tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="no checkpoint"):
        score.run(ScoreConfig(run=tmp_path, dataset=scored / "data"))
    assert list(tmp_path.iterdir()) == []


def test_a_policy_that_was_told_more_is_refused(scored: Path, tmp_path: Path):
    knowing = dataclasses.replace(small_policy_config(), knowledge=Knowledge.GAME)
    run = make_run(tmp_path / "run", 1, policy=knowing)
    with pytest.raises(ValueError, match="knowledge is game there and events here"):
        score.run(ScoreConfig(run=run, dataset=scored / "data"))
    assert not (run / "score.json").exists()
