"""Metrics: what is written can be read, and lost work leaves no trace."""

import json
from pathlib import Path

import pytest

from training.metrics import MetricsWriter, read_metrics


def write(folder: Path, *steps: int, first_step: int = 0) -> None:
    with MetricsWriter(folder, first_step=first_step) as metrics:
        for step in steps:
            metrics.write(step, {"bc/loss/total": step / 2})


def test_a_line_holds_its_step_and_scalars(tmp_path: Path):
    write(tmp_path, 10)
    assert read_metrics(tmp_path) == [{"step": 10, "bc/loss/total": 5.0}]


def test_curves_are_written_for_tensorboard(tmp_path: Path):
    write(tmp_path, 10)
    assert list((tmp_path / "tensorboard").glob("events.out.tfevents.*"))


def test_going_on_removes_what_came_after_the_checkpoint(tmp_path: Path):
    write(tmp_path, 10, 20, 30)
    write(tmp_path, 25, first_step=20)
    assert [line["step"] for line in read_metrics(tmp_path)] == [10, 20, 25]


def test_what_a_full_disk_refuses_is_written_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    with MetricsWriter(tmp_path, first_step=0) as metrics:
        flush = metrics._file.flush

        def refuse() -> None:
            raise OSError(28, "No space left on device")

        metrics._file.flush = refuse
        metrics.write(10, {"bc/loss/total": 1.0})
        metrics._file.flush = flush
        metrics.write(20, {"bc/loss/total": 2.0})
    assert "step 10: could not write metrics" in caplog.text
    assert [line["step"] for line in read_metrics(tmp_path)] == [10, 20]


def test_a_line_torn_by_a_kill_is_left_out(tmp_path: Path):
    write(tmp_path, 10)
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({"step": 20})[:5])
    assert [line["step"] for line in read_metrics(tmp_path)] == [10]
    write(tmp_path, 20, first_step=10)
    assert [line["step"] for line in read_metrics(tmp_path)] == [10, 20]
