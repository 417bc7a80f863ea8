"""Datasets: read whole, and refused with a reason."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from envs.interface import Knowledge, Race
from tests.builders import make_dataset
from training.dataset import Split, open_game, read_dataset, read_datasets, sample_of_games


def rewrite_index(folder: Path, row: int, **changes: Any) -> None:
    path = folder / "index.parquet"
    rows = pq.read_table(path).to_pylist()
    rows[row] |= changes
    pq.write_table(pa.Table.from_pylist(rows), path)


def test_a_dataset_says_what_it_holds(tmp_path: Path):
    dataset = read_dataset(make_dataset(tmp_path / "data", num_games=12))
    assert dataset.knowledge is Knowledge.EVENTS
    assert [len(dataset.of_split(split)) for split in Split] == [16, 4, 4]
    game = dataset.of_split(Split.TEST)[1]
    assert (game.game_id, game.row, game.race, game.num_steps) == ("game0001", 1, Race.TERRAN, 21)


def test_a_game_opens_as_its_player_saw_it(tmp_path: Path):
    dataset = read_dataset(make_dataset(tmp_path / "data"))
    first, second = (open_game(dataset.folder, game) for game in dataset.games[:2])
    assert first.num_steps == dataset.games[0].num_steps
    assert first.step_action_type.tolist() != second.step_action_type.tolist()


def test_no_game_is_in_two_splits(tmp_path: Path):
    dataset = read_dataset(make_dataset(tmp_path / "data", num_games=20))
    ids = [{game.game_id for game in dataset.of_split(split)} for split in Split]
    assert not ids[0] & ids[1]
    assert not ids[0] & ids[2]
    assert not ids[1] & ids[2]


def test_a_game_that_teaches_and_tests_is_refused(tmp_path: Path):
    folder = make_dataset(tmp_path / "data")
    rewrite_index(folder, 1, split="train")
    with pytest.raises(ValueError, match="game0000 is in more than one split"):
        read_dataset(folder)


def test_another_interface_is_refused(tmp_path: Path):
    folder = make_dataset(tmp_path / "data")
    (folder / "dataset.json").write_text(json.dumps({"interface_version": 99}))
    with pytest.raises(ValueError, match="interface_version is 99 there and 1 here"):
        read_dataset(folder)


@pytest.mark.parametrize("text", ["", "[]", '{"interface_version": 1}', "{"])
def test_a_broken_header_is_refused(tmp_path: Path, text: str):
    folder = make_dataset(tmp_path / "data")
    (folder / "dataset.json").write_text(text)
    with pytest.raises(ValueError, match=r"dataset\.json"):
        read_dataset(folder)


def test_a_missing_folder_is_refused(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="no such folder"):
        read_dataset(tmp_path / "nowhere")


def test_an_empty_folder_is_refused(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"not a dataset, it has no dataset.json"):
        read_dataset(tmp_path)


def test_an_index_that_is_no_table_is_refused(tmp_path: Path):
    folder = make_dataset(tmp_path / "data")
    (folder / "index.parquet").write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match=r"index\.parquet"):
        read_dataset(folder)


def test_an_index_with_a_damaged_page_is_refused(tmp_path: Path):
    folder = make_dataset(tmp_path / "data")
    path = folder / "index.parquet"
    content = bytearray(path.read_bytes())
    content[4:40] = bytes(36)  # the first page's header
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"index\.parquet"):
        read_dataset(folder)


def test_an_index_with_an_unknown_split_is_refused(tmp_path: Path):
    folder = make_dataset(tmp_path / "data")
    for row in (0, 1):
        rewrite_index(folder, row, split="dev")
    with pytest.raises(ValueError, match=r"index\.parquet.*dev"):
        read_dataset(folder)


def test_an_index_without_games_is_refused(tmp_path: Path):
    folder = make_dataset(tmp_path / "data")
    path = folder / "index.parquet"
    pq.write_table(pq.read_table(path).slice(0, 0), path)
    with pytest.raises(ValueError, match="no steps"):
        read_dataset(folder)


def test_a_split_that_is_needed_and_empty_is_refused(tmp_path: Path):
    dataset = read_dataset(make_dataset(tmp_path / "data", num_games=1))
    with pytest.raises(ValueError, match="no games in the train split"):
        dataset.of_needed_split(Split.TRAIN)


def test_the_identity_follows_the_content(tmp_path: Path):
    first = read_dataset(make_dataset(tmp_path / "one"))
    same = read_dataset(make_dataset(tmp_path / "two"))
    other = read_dataset(make_dataset(tmp_path / "three", num_steps=21))
    assert first.identity == same.identity
    assert first.identity != other.identity


def test_a_sample_is_the_same_each_time_and_in_order(tmp_path: Path):
    games = read_dataset(make_dataset(tmp_path / "data")).games
    sample = sample_of_games(games, 5, seed=1)
    assert sample == sample_of_games(games, 5, seed=1)
    assert list(sample) == sorted(sample, key=games.index)
    assert len(set(sample)) == 5
    assert sample_of_games(games, 99, seed=1) == games


def test_several_datasets_are_read_as_one(tmp_path: Path):
    first = make_dataset(tmp_path / "first")
    second = make_dataset(tmp_path / "second", seed=900)
    both = read_datasets((first, second))
    alone = [read_dataset(folder) for folder in (first, second)]
    assert len(both.games) == sum(len(dataset.games) for dataset in alone)
    assert both.identity not in {dataset.identity for dataset in alone}
    opened = [open_game(both.folder, game).step_action_type.tolist() for game in both.games]
    wanted = [
        open_game(dataset.folder, game).step_action_type.tolist()
        for dataset in alone
        for game in dataset.games
    ]
    assert opened == wanted


def test_datasets_of_unlike_knowledge_are_never_one(tmp_path: Path):
    first, second = make_dataset(tmp_path / "first"), make_dataset(tmp_path / "second")
    header = json.loads((second / "dataset.json").read_text())
    (second / "dataset.json").write_text(json.dumps(header | {"knowledge": "game"}))
    with pytest.raises(
        ValueError, match=r"must have the knowledge of .*first, events, it has game"
    ):
        read_datasets((first, second))
