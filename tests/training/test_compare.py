"""``latentstar compare``: what scores say, side by side."""

from pathlib import Path
from typing import Any

import pytest

from training import compare
from training.compare import CompareConfig, comparison
from training.score_table import SCORE_FILE
from training.whole_files import write_json


def make_score(**changes: Any) -> dict[str, Any]:
    score: dict[str, Any] = {
        "dataset": {"folder": "data", "identity": "abc"},
        "split": "test",
        "games": 2,
        "commands": 70,
        "training": {"samples": 6000, "minutes": 0.5},
        "network": {
            "parameters": 4_321_000,
            "entity_encoder_flops": {"192": 9_000_000, "512": 25_240_000},
        },
        "action_type": {"top1": 0.6124, "top5": 0.9, "nll": 1.25},
        "delay": {"nll": 2.9, "median_abs": 3.0},
        "selected_units": {"iou": 0.7, "exact": 0.6},
        "target_unit": {"top1": None},
        "target_location": {"median_units": 9.96, "within_3": 0.1},
        "intervals": {
            "action_type": {"top1": [0.6, 0.625], "nll": [1.2, 1.3]},
            "target_unit": {"top1": None},
        },
    }
    return {**score, **changes}


def row(table: str, label: str) -> list[str]:
    (line,) = [line for line in table.splitlines() if line.startswith(f"| {label} |")]
    return [cell.strip() for cell in line.split("|")[2:-1]]


def test_numbers_stand_in_the_column_of_their_run():
    other = make_score(training={"samples": 90, "minutes": 1.5})
    table = comparison(["one", "two"], [make_score(), other])
    assert table.splitlines()[0] == "|  | one | two |"
    assert row(table, "parameters") == ["4.32 M"] * 2
    assert row(table, "entity encoder, FLOPs at 512 units") == ["25.2 M"] * 2
    assert row(table, "training samples") == ["6,000", "90"]
    assert row(table, "training samples a second") == ["200", "1"]
    assert row(table, "action type: top-1, %")[0] == "61.2 (60.0 to 62.5)"
    assert row(table, "action type: nats")[0] == "1.250 (1.200 to 1.300)"
    assert row(table, "target location: median error, world units")[0] == "10.0"


def test_what_was_not_measured_is_a_dash():
    untrained = make_score(training={"samples": 0, "minutes": 0.0})
    table = comparison(["one"], [untrained])
    assert row(table, "target unit: top-1, %") == ["-"]
    assert row(table, "training samples a second") == ["-"]


def test_a_run_without_a_score_is_refused(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="latentstar score RUN DATASET"):
        compare.run(CompareConfig(runs=(tmp_path,)))


@pytest.mark.parametrize(
    "changes",
    [
        {"commands": 71},
        {"split": "validation"},
        {"dataset": {"folder": "data", "identity": "another"}},
    ],
)
def test_scores_of_different_commands_are_refused(tmp_path: Path, changes: dict[str, Any]):
    for name, score in (("one", make_score()), ("two", make_score(**changes))):
        (tmp_path / name).mkdir()
        write_json(tmp_path / name / SCORE_FILE, score)
    config = CompareConfig(runs=(tmp_path / "one", tmp_path / "two"))
    with pytest.raises(ValueError, match="wanted the same dataset and split"):
        compare.run(config)


def test_a_damaged_score_is_refused(tmp_path: Path):
    (tmp_path / SCORE_FILE).write_text("{")
    with pytest.raises(ValueError, match=r"is damaged .* score the run again"):
        compare.run(CompareConfig(runs=(tmp_path,)))


def test_no_runs_are_refused():
    with pytest.raises(ValueError, match="at least one run"):
        compare.run(CompareConfig(runs=()))
