"""Behavioural cloning, whole runs: gone on with bit for bit, stopped cleanly, refused in time."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch

import training.behaviour_cloning as cloning
from agent.checkpoint import newest_checkpoint, read_checkpoint
from agent.run_checkpoints import Best, read_best
from tests.builders import make_dataset, small_policy_config
from training.cloner import Cloner
from training.config import BehaviourCloningConfig, EntityEncoder, OptimizerConfig
from training.dataset import read_datasets
from training.metrics import read_metrics
from training.optimization import NonFiniteError
from training.reader import BackgroundReader
from training.streams import Streams

STEPS = 8 * 6  # six updates
TIMES = ("bc/steps_per_second", "bc/peak_memory_gib")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dataset(tmp_path_factory.mktemp("cloning") / "data")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the preset be smaller than tiny, and read in this process."""
    monkeypatch.setattr("training.config.preset", lambda name: small_policy_config())
    monkeypatch.setattr(cloning, "BackgroundReader", InThisProcess)


class InThisProcess(BackgroundReader):
    """Reads as the reading process does, without its start."""

    def __init__(self, make_streams: object) -> None:
        assert callable(make_streams)
        self.streams = make_streams()

    def __iter__(self) -> Iterable:
        return iter(self.streams)

    def __exit__(self, *error: object) -> None:
        assert isinstance(self.streams, Streams)


def config(dataset: Path, run: Path, **changes: object) -> BehaviourCloningConfig:
    settings = {
        **{"dataset": dataset, "run": run, "steps": STEPS, "streams": 2, "unroll_steps": 4},
        **{"micro_batch_streams": 2, "validations": 2, "validation_games": 2, "device": "cpu"},
    }
    return BehaviourCloningConfig(**(settings | changes))


def stop_after(monkeypatch: pytest.MonkeyPatch, num_updates: int) -> None:
    """Press Ctrl-C during an update."""
    update = Cloner.update

    def press(self: Cloner, *arguments: object, **options: object) -> object:
        result = update(self, *arguments, **options)
        if self.num_updates == num_updates:
            os.kill(os.getpid(), signal.SIGINT)
        return result

    monkeypatch.setattr(Cloner, "update", press)


def without_times(folder: Path) -> list[dict[str, float]]:
    return [
        {name: value for name, value in line.items() if name not in TIMES}
        for line in read_metrics(folder)
    ]


def test_a_run_that_was_stopped_goes_on_bit_for_bit(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    cloning.run(config(dataset, tmp_path / "whole"))
    with monkeypatch.context() as patch:
        stop_after(patch, 3)
        with pytest.raises(KeyboardInterrupt):
            cloning.run(config(dataset, tmp_path / "parts"))
    assert newest_checkpoint(tmp_path / "parts" / "checkpoints").step == STEPS // 2
    cloning.run(config(dataset, tmp_path / "parts", resume=True))

    whole, parts = (newest_checkpoint(tmp_path / n / "checkpoints") for n in ("whole", "parts"))
    assert whole.step == parts.step == STEPS
    for name, tensor in whole.weights.items():
        assert torch.equal(tensor, parts.weights[name]), name
    for name, tensor in whole.training.tensors.items():
        assert torch.equal(tensor, parts.training.tensors[name]), name
    assert without_times(tmp_path / "whole") == without_times(tmp_path / "parts")


def test_a_run_killed_between_checkpoints_goes_on_from_the_last(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    cloning.run(config(dataset, tmp_path / "whole"))
    with monkeypatch.context() as patch:
        patch.setattr(cloning.Cloning, "_is_validation_due", lambda self: False)
        stop_after(patch, 2)
        with pytest.raises(KeyboardInterrupt):
            cloning.run(config(dataset, tmp_path / "parts"))
    with monkeypatch.context() as patch:
        kill_at_fourth(patch)
        with pytest.raises(MemoryError):
            cloning.run(config(dataset, tmp_path / "parts", resume=True))
    cloning.run(config(dataset, tmp_path / "parts", resume=True))
    assert without_times(tmp_path / "whole") == without_times(tmp_path / "parts")


def kill_at_fourth(monkeypatch: pytest.MonkeyPatch) -> None:
    update = Cloner.update

    def die(self: Cloner, *arguments: object, **options: object) -> object:
        if self.num_updates == 4:
            raise MemoryError
        return update(self, *arguments, **options)

    monkeypatch.setattr(Cloner, "update", die)


def test_a_run_folder_holds_what_it_should(dataset: Path, tmp_path: Path):
    cloning.run(config(dataset, tmp_path / "run"))
    found = {path.name for path in (tmp_path / "run").iterdir()}
    assert found == {"config.json", "metrics.jsonl", "tensorboard", "checkpoints", "run.lock"}
    names = set(read_metrics(tmp_path / "run")[0])
    assert {"step", "bc/loss/total", "bc/loss/action_type", "bc/top1/action_type"} <= names
    assert {"bc/masked/queued", "bc/peak_memory_gib", "bc/learning_rate"} <= names
    best = json.loads((tmp_path / "run" / "checkpoints" / "best.json").read_text())
    validations = {
        line["step"]: line["bc/validation/score/action_type_nll"]
        for line in read_metrics(tmp_path / "run")
        if "bc/validation/score/action_type_nll" in line
    }
    assert len(validations) == 2
    assert best == {
        "step": min(validations, key=lambda s: validations[s]),
        "loss": min(validations.values()),
    }


def test_a_bad_update_is_passed_over_and_several_end_the_run(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def refuse(self: Cloner, *arguments: object, **options: object) -> None:
        raise NonFiniteError("the loss of delay")

    monkeypatch.setattr(Cloner, "update", refuse)
    with pytest.raises(RuntimeError, match="step 24: the loss of delay is not finite, 3 updates"):
        cloning.run(config(dataset, tmp_path / "run"))
    assert "step 8: the loss of delay is not finite" in caplog.text


def test_a_disk_that_is_full_for_a_while_does_not_end_the_run(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    save, calls = cloning.save_checkpoint, []

    def full_at_first(*arguments: object, **options: object) -> Path:
        calls.append(1)
        if len(calls) == 1:
            raise OSError(28, "No space left on device")
        return save(*arguments, **options)

    monkeypatch.setattr(cloning, "save_checkpoint", full_at_first)
    cloning.run(config(dataset, tmp_path / "run"))
    assert "No space left" in caplog.text
    assert newest_checkpoint(tmp_path / "run" / "checkpoints").step == STEPS


def test_a_best_checkpoint_that_was_not_saved_is_not_the_best(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    save, losses, calls = cloning.save_checkpoint, iter([0.5, 0.9]), []

    def full_at_first(*arguments: object, **options: object) -> Path:
        calls.append(1)
        if len(calls) == 1:
            raise OSError(28, "No space left on device")
        return save(*arguments, **options)

    def scalars(self: cloning.Cloning) -> dict[str, float]:
        return {
            "bc/validation/score/action_type_nll": next(losses),
            "bc/validation/top1/action_type": 0.0,
        }

    monkeypatch.setattr(cloning, "save_checkpoint", full_at_first)
    monkeypatch.setattr(cloning.Cloning, "_validation_scalars", scalars)
    cloning.run(config(dataset, tmp_path / "run"))
    assert read_best(tmp_path / "run") == Best(STEPS, 0.9)


@pytest.mark.parametrize(("num_batches", "saved"), [(0, []), (2, ["step_16"])])
def test_what_was_learned_is_saved_when_reading_fails(
    dataset: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    num_batches: int,
    saved: list[str],
):
    class Fails(InThisProcess):
        def __iter__(self) -> Iterator:
            yield from itertools.islice(self.streams, num_batches)
            raise RuntimeError("reading failed")

    monkeypatch.setattr(cloning, "BackgroundReader", Fails)
    with pytest.raises(RuntimeError, match="reading failed"):
        cloning.run(config(dataset, tmp_path / "run", validations=0))
    found = (tmp_path / "run" / "checkpoints").glob("step_*")
    assert [folder.name for folder in found] == saved


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"seed": 1}, "seed is 0 there and 1 here"),
        ({"unroll_steps": 8}, "batch.unroll_steps is 4 there and 8 here"),
        ({"validation_games": 1}, "validation_games is 2 there and 1 here"),
    ],
)
def test_going_on_with_other_settings_is_refused_by_name(
    dataset: Path, tmp_path: Path, changes: dict[str, object], difference: str
):
    cloning.run(config(dataset, tmp_path / "run", steps=8))
    with pytest.raises(ValueError, match=difference):
        cloning.run(config(dataset, tmp_path / "run", resume=True, **changes))


def test_going_on_with_other_games_is_refused(dataset: Path, tmp_path: Path):
    cloning.run(config(dataset, tmp_path / "run", steps=8))
    other = make_dataset(tmp_path / "other", num_steps=25)
    with pytest.raises(ValueError, match="dataset_identity"):
        cloning.run(config(other, tmp_path / "run", resume=True))


def test_a_second_run_in_the_folder_is_refused(dataset: Path, tmp_path: Path):
    cloning.run(config(dataset, tmp_path / "run", steps=8))
    with pytest.raises(ValueError, match="--resume"):
        cloning.run(config(dataset, tmp_path / "run"))


def test_refused_input_leaves_nothing_behind(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        cloning.run(config(tmp_path / "nowhere", tmp_path / "run"))
    assert list(tmp_path.iterdir()) == []


def test_a_budget_used_up_is_done_at_once(dataset: Path, tmp_path: Path):
    cloning.run(config(dataset, tmp_path / "run", steps=8))
    before = read_metrics(tmp_path / "run")
    cloning.run(config(dataset, tmp_path / "run", steps=8, resume=True))
    assert read_metrics(tmp_path / "run") == before


def test_a_run_without_validation_games_is_done_all_the_same(tmp_path: Path):
    folder = make_dataset(tmp_path / "data", num_games=4)
    index = pq.read_table(folder / "index.parquet")
    pq.write_table(index.slice(4), folder / "index.parquet")
    cloning.run(config(folder, tmp_path / "run", steps=8))
    assert newest_checkpoint(tmp_path / "run" / "checkpoints").step == 8


def test_minutes_end_a_run(dataset: Path, tmp_path: Path):
    cloning.run(config(dataset, tmp_path / "run", steps=None, minutes=1e-6))
    assert newest_checkpoint(tmp_path / "run" / "checkpoints").step == 8


def test_a_run_can_begin_with_the_weights_of_another(dataset: Path, tmp_path: Path):
    cloning.run(config(dataset, tmp_path / "first"))
    still = OptimizerConfig(learning_rate=1e-12)
    cloning.run(
        config(dataset, tmp_path / "next", start_from=tmp_path / "first", optimizer=still, seed=9)
    )
    best = read_best(tmp_path / "first")
    assert best is not None
    first = read_checkpoint(tmp_path / "first" / "checkpoints" / f"step_{best.step}").weights
    following = newest_checkpoint(tmp_path / "next" / "checkpoints").weights
    for name, weight in first.items():
        torch.testing.assert_close(following[name], weight, rtol=0, atol=1e-7)


def test_several_datasets_are_learned_from_together(dataset: Path, tmp_path: Path):
    other = make_dataset(tmp_path / "other", seed=500)
    cloning.run(config(dataset, tmp_path / "run", more_datasets=(other,)))
    settings = json.loads((tmp_path / "run" / "config.json").read_text())
    assert settings["dataset_identity"] == read_datasets((dataset, other)).identity
    with pytest.raises(ValueError, match="dataset_identity"):
        cloning.run(config(dataset, tmp_path / "run", resume=True))


def test_the_transformer_clones_too(dataset: Path, tmp_path: Path):
    chosen = config(dataset, tmp_path / "run", steps=8, entity_encoder=EntityEncoder.TRANSFORMER)
    cloning.run(chosen)
    saved = newest_checkpoint(tmp_path / "run" / "checkpoints").policy_config
    assert type(saved.entity_encoder).__name__ == "TransformerConfig"


def test_a_new_budget_is_no_other_run(dataset: Path, tmp_path: Path):
    cloning.run(config(dataset, tmp_path / "run", steps=8))
    cloning.run(config(dataset, tmp_path / "run", steps=16, resume=True))
    validated = [
        line["step"]
        for line in read_metrics(tmp_path / "run")
        if "bc/validation/loss/action_type" in line
    ]
    assert validated == [8, 16]


def test_without_a_budget_a_run_goes_on_to_its_own(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as patch:
        stop_after(patch, 2)
        with pytest.raises(KeyboardInterrupt):
            cloning.run(config(dataset, tmp_path / "run"))
    cloning.run(config(dataset, tmp_path / "run", steps=None, resume=True))
    assert newest_checkpoint(tmp_path / "run" / "checkpoints").step == STEPS
    assert json.loads((tmp_path / "run" / "config.json").read_text())["steps"] == STEPS


SCRIPT = """
import sys
from pathlib import Path
from training.behaviour_cloning import run
from training.config import BehaviourCloningConfig
if __name__ == "__main__":
    run(BehaviourCloningConfig(
        dataset=Path(sys.argv[1]), run=Path(sys.argv[2]), minutes=10, streams=2, unroll_steps=2,
        validations=0,
    ))
"""


def is_alive(process_group: int) -> bool:
    try:
        os.killpg(process_group, 0)
    except ProcessLookupError:
        return False
    return True


def test_ctrl_c_saves_and_leaves_no_process_behind(dataset: Path, tmp_path: Path):
    script = tmp_path / "clone.py"
    script.write_text(SCRIPT)
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, str(script), str(dataset), str(tmp_path / "run")],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    metrics = tmp_path / "run" / "metrics.jsonl"
    while process.poll() is None and not (metrics.exists() and metrics.stat().st_size):
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all processes
    assert process.wait(timeout=60) == -signal.SIGINT
    deadline = time.monotonic() + 5
    while is_alive(process.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(process.pid)
    assert newest_checkpoint(tmp_path / "run" / "checkpoints").step >= 4
