"""Weights that ship: what of a run's checkpoint is kept."""

from pathlib import Path

import pytest
import torch

from agent.checkpoint import TrainingState, load_policy, read_checkpoint, save_checkpoint
from agent.run_checkpoints import CheckpointChoice, chosen_checkpoint
from envs.interface import Knowledge
from policies.policy import Policy
from tests.builders import small_policy_config
from training.release import release


def make_run(folder: Path, *, step: int) -> Path:
    torch.manual_seed(step)
    save_checkpoint(
        folder / "checkpoints",
        step=step,
        policy=Policy(small_policy_config()),
        knowledge=Knowledge.EVENTS,
        seed=0,
        training=TrainingState({"momentum": torch.zeros(1000)}, {"num_updates": 3}),
    )
    return folder


def test_weights_are_kept_to_half_precision_and_nothing_else(tmp_path: Path):
    run, folder = make_run(tmp_path / "run", step=5), tmp_path / "released"
    release(run, folder)
    kept = chosen_checkpoint(folder, CheckpointChoice.BEST)
    assert kept.step == 5
    assert kept.training == TrainingState({}, {})
    original = load_policy(read_checkpoint(run / "checkpoints" / "step_5")).state_dict()
    for name, tensor in load_policy(kept).state_dict().items():
        assert tensor.dtype == original[name].dtype
        torch.testing.assert_close(tensor, original[name], rtol=1e-3, atol=1e-6)
    assert kept.weights["core.layers.0.input.weight"].dtype == torch.float16


def test_what_was_released_before_is_replaced(tmp_path: Path):
    folder = tmp_path / "released"
    for step in (9, 5):
        release(make_run(tmp_path / f"run{step}", step=step), folder)
        names = [path.name for path in (folder / "checkpoints").iterdir()]
        assert names == [f"step_{step}"]


def test_a_run_that_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="no such folder"):
        release(tmp_path / "none", tmp_path / "released")
    assert not (tmp_path / "released").exists()
