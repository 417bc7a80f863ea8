"""The demo: what it refuses before it spends minutes."""

from pathlib import Path

import pytest

from tests.builders import make_dataset
from tests.replay_writer import small_game
from training import demo, preprocessing
from training.dataset import Split, read_dataset
from training.demo import DemoConfig, require_same_games, require_splits
from training.preprocessing import ReplaysConfig
from training.whole_files import write_json


def make_run(folder: Path, dataset_identity: str) -> Path:
    (folder / "checkpoints" / "step_5").mkdir(parents=True)
    write_json(folder / "config.json", {"dataset_identity": dataset_identity})
    return folder


def test_a_second_call_with_other_games_is_refused_with_what_to_do(tmp_path: Path):
    replays, out = tmp_path / "replays", tmp_path / "out"
    replays.mkdir()
    for seed in range(30):  # enough for some of each split
        small_game(random_seed=seed).write(replays / f"game{seed}.SC2Replay")
    preprocessing.run(ReplaysConfig(replays=replays, dataset=out / "dataset", workers=1))
    make_run(out / "run", "of other games")
    with pytest.raises(ValueError, match=r"other games.*give another --out, or remove"):
        demo.run(DemoConfig(replays=replays, out=out))


def test_the_same_games_go_on(tmp_path: Path):
    dataset = make_dataset(tmp_path / "dataset")
    require_same_games(dataset, make_run(tmp_path / "run", read_dataset(dataset).identity))


def test_a_run_whose_settings_are_damaged_is_refused(tmp_path: Path):
    run = make_run(tmp_path / "run", "")
    (run / "config.json").write_text("{")
    with pytest.raises(ValueError, match=r"config\.json"):
        require_same_games(make_dataset(tmp_path / "dataset"), run)


def test_too_few_games_are_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="1 games are too few: none of them is for train"):
        require_splits(make_dataset(tmp_path / "dataset", num_games=1), tuple(Split))
