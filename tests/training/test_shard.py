"""Games on disk: what is written is read, compactly, and nothing else is."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from envs.interface import INTERFACE_VERSION, Knowledge
from envs.replays.reconstruction import reconstruct
from envs.timeline import Timeline
from tests.builders import make_timeline
from tests.replay_writer import small_game
from training.shard import PlayerFacts, read_facts, read_timeline, write_shard

FACTS = (
    PlayerFacts(1, "Анна", 1, 5, "0:12 gets SCV", "900 1: gl hf"),
    PlayerFacts(2, "", None, None, "", "900 1: gl hf"),
)


def write(
    path: Path, timelines: tuple[Timeline, ...], facts: tuple[PlayerFacts, ...] = FACTS
) -> Path:
    write_shard(path, timelines, facts, {"map_name": "Tiny Île"}, Knowledge.EVENTS)
    return path


def assert_same(timeline: Timeline, other: Timeline) -> None:
    for name, value, back in zip(Timeline._fields, timeline, other, strict=True):
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(back, value, err_msg=name)
            assert back.dtype == value.dtype, name
        else:
            assert back == value, name


def test_a_game_is_read_as_it_was_written(tmp_path: Path):
    timelines = reconstruct(small_game().parts()).timelines
    path = write(tmp_path / "game.parquet", timelines)
    for row, timeline in enumerate(timelines):
        assert_same(timeline, read_timeline(path, row))


@pytest.mark.parametrize("seed", range(5))
def test_random_games_are_read_as_they_were_written(tmp_path: Path, seed: int):
    timelines = make_timeline(seed), make_timeline(seed + 100, num_steps=3, num_own=90)
    path = write(tmp_path / "game.parquet", timelines)
    for row, timeline in enumerate(timelines):
        assert_same(timeline, read_timeline(path, row))


def test_extreme_values_survive(tmp_path: Path):
    timeline = make_timeline(0, num_steps=3)
    timeline.change_row[:, 3] = 16383
    timeline.change_row[:, 7] = 2**31 - 1
    timeline.change_row[:, 5] = -(2**20)
    extreme = timeline._replace(
        step_loop=np.array([0, 10**6, 2**31 - 1], np.int32),
        unit_tags=np.array([2**50, 0, 1, 2, 3, 4, 5], np.int64),
        mmr=7000,
    )
    path = write(tmp_path / "game.parquet", (extreme, timeline))
    assert_same(extreme, read_timeline(path, 0))


def test_a_game_without_steps_is_kept(tmp_path: Path):
    empty = make_timeline(0)
    empty = empty._replace(
        **{
            name: value[:0]
            for name, value in empty._asdict().items()
            if isinstance(value, np.ndarray)
        }
    )
    path = write(tmp_path / "game.parquet", (empty, make_timeline(1)))
    assert_same(empty, read_timeline(path, 0))


def test_what_is_kept_beside_the_steps_is_read_apart(tmp_path: Path):
    path = write(tmp_path / "game.parquet", (make_timeline(0), make_timeline(1)))
    assert [read_facts(path, row) for row in (0, 1)] == list(FACTS)


def test_the_file_says_what_it_is(tmp_path: Path):
    path = write(tmp_path / "game.parquet", (make_timeline(0), make_timeline(1)))
    metadata = pq.ParquetFile(path).schema_arrow.metadata
    assert metadata[b"interface_version"] == str(INTERFACE_VERSION).encode()
    assert metadata[b"knowledge"] == b"events"
    assert json.loads(metadata[b"game"]) == {"map_name": "Tiny Île"}


@pytest.mark.parametrize("version", ["0", "99", "", None])
def test_another_version_of_the_interface_is_refused(tmp_path: Path, version: str | None):
    path = write(tmp_path / "game.parquet", (make_timeline(0), make_timeline(1)))
    metadata = {} if version is None else {"interface_version": version}
    pq.write_table(pq.read_table(path).replace_schema_metadata(metadata), path)
    with pytest.raises(ValueError, match="decode the replays again"):
        read_timeline(path, 0)


def test_a_shard_with_a_flipped_byte_is_read_or_refused(tmp_path: Path):
    path = write(tmp_path / "game.parquet", (make_timeline(0), make_timeline(1)))
    content = path.read_bytes()
    footer = int.from_bytes(content[-8:-4], "little")
    refused = []
    for place in range(4, len(content) - 8 - footer, 7):
        flipped = bytearray(content)
        flipped[place] ^= 0x55
        path.write_bytes(flipped)
        try:
            read_timeline(path, 0)
        except ValueError as error:
            refused.append(str(error))
    assert len(refused) > 100
    wanted = f"{path} is damaged"
    assert {text[: len(wanted)] for text in refused} == {wanted}


@pytest.mark.parametrize("num_bytes", [0, 4, 3000, -4])
def test_a_cut_shard_is_refused(tmp_path: Path, num_bytes: int):
    path = write(tmp_path / "game.parquet", (make_timeline(0), make_timeline(1)))
    path.write_bytes(path.read_bytes()[:num_bytes])
    with pytest.raises(ValueError, match=r"game\.parquet is damaged .* decode its replay again"):
        read_timeline(path, 0)


def test_a_missing_shard_is_called_missing(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"game\.parquet"):
        read_timeline(tmp_path / "game.parquet", 0)


def test_columns_are_the_narrowest_integers_that_hold_them(tmp_path: Path):
    timeline = make_timeline(0)
    narrow = timeline._replace(
        step_queued=np.full(20, -128, np.int8),
        step_target_x=np.full(20, 127, np.int16),
        step_target_y=np.full(20, 128, np.int16),
        selected=np.full(len(timeline.selected), 32767, np.int32),
        step_target_unit=np.full(20, 32768, np.int32),
        unit_tags=np.full(7, 2**31, np.int64),
    )
    path = write(tmp_path / "game.parquet", (narrow, narrow))
    schema = pq.ParquetFile(path).schema_arrow
    names = ["step_queued", "step_target_x", "step_target_y", "selected"]
    names += ["step_target_unit", "unit_tags"]
    elements = [schema.field(name).type.value_type for name in names]
    assert elements == [pa.int8(), pa.int8(), pa.int16(), pa.int16(), pa.int32(), pa.int64()]


def test_both_players_share_a_columns_type(tmp_path: Path):
    small, large = make_timeline(0), make_timeline(1)
    large = large._replace(step_target_x=np.full(20, 9999, np.int16))
    path = write(tmp_path / "game.parquet", (small, large))
    assert_same(small, read_timeline(path, 0))
    assert_same(large, read_timeline(path, 1))


def test_each_player_is_a_row_group_of_its_own(tmp_path: Path):
    path = write(tmp_path / "game.parquet", (make_timeline(0), make_timeline(1)))
    assert pq.ParquetFile(path).num_row_groups == 2


def test_nothing_is_pickled(tmp_path: Path):
    path = write(tmp_path / "game.parquet", (make_timeline(0), make_timeline(1)))
    for field in pq.ParquetFile(path).schema_arrow:
        plain = field.type.value_type if pa.types.is_list(field.type) else field.type
        assert pa.types.is_integer(plain) or pa.types.is_string(plain) or pa.types.is_null(plain)
    assert set(pq.ParquetFile(path).schema_arrow.metadata) == {
        b"interface_version",
        b"knowledge",
        b"game",
    }


def test_the_same_game_is_the_same_bytes(tmp_path: Path):
    timelines = make_timeline(0), make_timeline(1)
    first = write(tmp_path / "first.parquet", timelines)
    second = write(tmp_path / "second.parquet", timelines)
    assert first.read_bytes() == second.read_bytes()


def test_writing_leaves_the_file_alone_in_its_folder(tmp_path: Path):
    path = write(tmp_path / "game.parquet", (make_timeline(0), make_timeline(1)))
    assert list(tmp_path.iterdir()) == [path]
