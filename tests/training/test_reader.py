"""Reading ahead: the same batches, in the same order, and every failure is told."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import torch

from tests.builders import make_dataset
from training.config import BatchConfig
from training.dataset import read_dataset
from training.reader import BackgroundReader
from training.refusal import is_refusal
from training.streams import Batch, Streams, streams_of_games

SIZE = BatchConfig(num_streams=2, unroll_steps=8, micro_batch_streams=1)


def streams(folder: Path) -> Streams:
    games = read_dataset(folder).games[:3]
    return streams_of_games(folder, games, SIZE, plane_size=8, seed=0, num_epochs=1)


def leaves(tree: object) -> list[torch.Tensor]:
    if isinstance(tree, torch.Tensor):
        return [tree]
    assert isinstance(tree, tuple)
    return [leaf for part in tree for leaf in leaves(part)]


def test_another_process_reads_the_same_batches(tmp_path: Path):
    folder = make_dataset(tmp_path / "data", num_games=2)
    with BackgroundReader(partial(streams, folder)) as reader:
        found = list(reader)
    expected = list(streams(folder))
    assert [batch.position for batch in found] == [batch.position for batch in expected]
    for a, b in zip(expected, found, strict=True):
        for left, right in zip(leaves(a.chunks), leaves(b.chunks), strict=True):
            assert left.dtype == right.dtype
            assert torch.equal(left, right)


def test_a_reader_may_be_left_in_the_middle(tmp_path: Path):
    folder = make_dataset(tmp_path / "data", num_games=2)
    with BackgroundReader(partial(streams, folder)) as reader:
        next(iter(reader))
    assert not reader._process.is_alive()


def test_ctrl_c_does_not_reach_the_reader_even_while_it_starts(tmp_path: Path):
    folder = make_dataset(tmp_path / "data", num_games=2)
    with BackgroundReader(partial(streams, folder)) as reader:
        os.kill(reader._process.pid, signal.SIGINT)
        assert len(list(reader)) == len(list(streams(folder)))


def broken() -> Streams:
    raise TypeError("no such thing")


def test_a_fault_in_reading_is_told_with_its_kind():
    with (
        BackgroundReader(broken) as reader,
        pytest.raises(RuntimeError, match="reading failed: TypeError: no such thing"),
    ):
        list(reader)


def test_a_damaged_game_is_refused_as_elsewhere(tmp_path: Path):
    folder = make_dataset(tmp_path / "data", num_games=2)
    for shard in (folder / "shards").iterdir():
        shard.write_bytes(b"torn")
    with (
        BackgroundReader(partial(streams, folder)) as reader,
        pytest.raises(ValueError, match="is damaged") as refused,
    ):
        list(reader)
    assert is_refusal(refused.value)


def test_a_reader_that_dies_is_noticed(tmp_path: Path):
    with BackgroundReader(partial(streams, tmp_path)) as reader:
        reader._process.kill()
        with pytest.raises(RuntimeError, match="the reading process ended"):
            list(reader)


KILLED_PROGRAM = """
import os, signal
from tests.training.test_reader import large_batches
from training.reader import BackgroundReader

if __name__ == "__main__":
    with BackgroundReader(large_batches) as reader:
        next(iter(reader))
        print(reader._process.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
"""


def large_batches() -> Iterator[Batch]:
    """Batches without end, each larger than a pipe has room for."""
    while True:
        yield Batch((torch.zeros(1_000_000),), None)


def test_a_reader_ends_with_the_program_that_started_it(tmp_path: Path):
    program = tmp_path / "killed.py"
    program.write_text(KILLED_PROGRAM)
    root = str(Path(__file__).parents[2])
    said = tmp_path / "said"
    with said.open("wb") as output:
        code = subprocess.call(
            [sys.executable, str(program)],
            env=os.environ | {"PYTHONPATH": root},
            stdout=output,
            stderr=output,
        )
    assert code == -signal.SIGKILL, said.read_text()
    reader = Path("/proc") / said.read_text().strip()
    deadline = time.monotonic() + 30
    while reader.exists() and "zombie" not in (reader / "status").read_text():
        assert time.monotonic() < deadline, "the reader is still there"
        time.sleep(0.1)
