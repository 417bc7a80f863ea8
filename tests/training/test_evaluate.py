"""Evaluations and recorded games, played for real on the engine, by a policy that knows nothing."""

import json
from pathlib import Path

import pytest
import torch

from agent.checkpoint import TrainingState, save_checkpoint
from envs.engine.rules_version import rules_hash
from envs.interface import Knowledge, Race
from envs.launch import in_process
from envs.replays.rerun import rerun_replay
from policies.policy import Policy
from tests.builders import small_policy_config
from training import evaluate, games
from training.cli import run as run_command_line
from training.evaluate import EvaluateConfig
from training.evaluation.settings import Level, PlayedRace
from training.games import GamesConfig

SHORT = 0.25  # minutes of game time


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    folder = tmp_path / "run"
    save_checkpoint(
        folder / "checkpoints",
        step=7,
        policy=Policy(small_policy_config()),
        knowledge=Knowledge.EVENTS,
        seed=0,
        training=TrainingState({}, {}),
    )
    return folder


def config(run_folder: Path, **changes: object) -> EvaluateConfig:
    settings: dict[str, object] = {
        "run": run_folder,
        "levels": (Level.VERY_EASY,),
        "races": (PlayedRace.ZERG,),
        "games": 3,
        "minutes": SHORT,
        "workers": 1,
        "keep_replays": True,
    }
    return EvaluateConfig(**(settings | changes))


def records(output: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (output / "games.jsonl").read_text().splitlines()]


def test_an_evaluation_leaves_numbers_table_plot_and_replays(run_folder: Path):
    evaluate.run(config(run_folder))
    output = run_folder / "evaluation"
    result = json.loads((output / "results.json").read_text())
    (row,) = result["rows"]
    told = ("level", "race", "games", "wins", "ties", "crashes", "win_rate", "undecided")
    assert [row[name] for name in told] == ["very_easy", "zerg", 3, 0, 0, 0, 0.0, 3]
    low, high = row["interval"]
    assert low == pytest.approx(0.0)
    assert high == pytest.approx(0.5615, abs=1e-3)  # Wilson's for none of three
    assert result["rules"] == rules_hash()
    assert result["checkpoint"]
    assert "very_easy" in (output / "results.md").read_text()
    assert (output / "results.png").stat().st_size > 10_000
    played = records(output)
    assert sorted({(r["opponent_race"], r["seat"]) for r in played}) == [
        ("protoss", 1),
        ("terran", 1),
        ("zerg", 1),
    ]
    replay = (output / "replays" / "very_easy-zerg-0000.SC2Replay").read_bytes()
    with in_process() as connection:
        (player,) = rerun_replay(connection, replay).players
    assert (player.race, player.opponent_race) == (Race.ZERG, Race.TERRAN)


def test_an_evaluation_goes_on_where_it_was(run_folder: Path):
    evaluate.run(config(run_folder, games=2))
    first = records(run_folder / "evaluation")
    evaluate.run(config(run_folder, games=3))
    assert records(run_folder / "evaluation")[:2] == first
    assert len(records(run_folder / "evaluation")) == 3


def test_the_same_games_side_by_side_go_the_same_way(run_folder: Path, tmp_path: Path):
    for name in ("one", "other"):
        evaluate.run(config(run_folder, games=2, output=tmp_path / name))
    one, other = (
        (tmp_path / name / "replays" / "very_easy-zerg-0001.SC2Replay").read_bytes()
        for name in ("one", "other")
    )
    assert one == other


def test_games_of_another_temperature_are_never_counted_in(
    run_folder: Path, capsys: pytest.CaptureFixture[str]
):
    evaluate.run(config(run_folder, games=1))
    words = [str(run_folder), "--levels", "very_easy", "--races", "zerg", "--games", "1"]
    assert run_command_line(["evaluate", *words, "--minutes", "0.25", "--temperature", "0.5"]) == 2
    assert "temperature is 1.0 in one and 0.5 in another" in capsys.readouterr().err


def test_an_evaluation_ends_when_it_is_settled(run_folder: Path):
    settings = config(
        run_folder, games=60, threshold=0.8, minutes=0.05, side_by_side=6, keep_replays=False
    )
    evaluate.run(settings)
    result = json.loads((run_folder / "evaluation" / "results.json").read_text())
    assert result["rows"][0]["games"] < 60
    assert result["rows"][0]["interval"][1] < 0.8


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--maps", "Nowhere"], "there is no 'Nowhere'"),
        (["--games", "0"], "games must be at least 1, got 0"),
        (["--temperature", "0"], "temperature must be positive, got 0"),
        (["--threshold", "2"], "threshold must be between 0 and 1, got 2"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_in_one_line(
    run_folder: Path, words: list[str], reason: str, capsys: pytest.CaptureFixture[str]
):
    assert run_command_line(["evaluate", str(run_folder), *words]) == 2
    assert reason in capsys.readouterr().err


def test_a_run_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert run_command_line(["evaluate", str(tmp_path / "none")]) == 2
    assert "no such folder" in capsys.readouterr().err


def test_games_of_a_script_become_replays(tmp_path: Path):
    settings = GamesConfig(
        out=tmp_path / "games", races=(PlayedRace.ZERG,), games=2, minutes=SHORT, workers=1
    )
    games.run(settings)
    games.run(settings)  # nothing is left to play
    replays = sorted((tmp_path / "games" / "replays").iterdir())
    names = ["very_hard-zerg-0000.SC2Replay", "very_hard-zerg-0001.SC2Replay"]
    assert [path.name for path in replays] == names
    with in_process() as connection:
        game = rerun_replay(connection, replays[1].read_bytes())
    assert game.quality.counts["commands"] >= 3
    assert len(records(tmp_path / "games")) == 2


def test_a_style_that_nobody_has_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    words = ["games", str(tmp_path / "out"), "--races", "zerg", "--style", "tickle"]
    assert run_command_line(words) == 2
    assert "tickle" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
