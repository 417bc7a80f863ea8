"""Checkpoints: equal after loading, whole or absent, and refused with a reason."""

import json
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

import agent.checkpoint
from agent.checkpoint import (
    DamagedCheckpointError,
    TrainingState,
    checkpoint_folders,
    load_policy,
    newest_checkpoint,
    read_checkpoint,
    remove_old_checkpoints,
    save_checkpoint,
)
from envs.interface import Knowledge
from policies.config import PolicyConfig, TransformerConfig
from policies.policy import Policy
from tests.builders import small_policy_config

FILES = ["checkpoint.json", "policy.safetensors", "training.safetensors"]
TRAINING = TrainingState({"exp_avg/x": torch.arange(3.0)}, {"num_steps": 7, "position": [0, [1]]})


def save(folder: Path, step: int = 1, *, policy: Policy | None = None) -> Path:
    return save_checkpoint(
        folder,
        step=step,
        policy=Policy(small_policy_config()) if policy is None else policy,
        knowledge=Knowledge.EVENTS,
        seed=3,
        training=TRAINING,
    )


def rewrite_header(folder: Path, **changes: Any) -> None:
    """Change a checkpoint's header in a way that its checksum agrees with."""
    path = folder / "checkpoint.json"
    header = json.loads(path.read_text()) | changes
    header["digest"] = agent.checkpoint._header_digest(header)
    path.write_text(json.dumps(header))


def test_what_was_saved_is_loaded(tmp_path: Path):
    policy = Policy(small_policy_config())
    checkpoint = read_checkpoint(save(tmp_path, step=12, policy=policy))
    assert (checkpoint.step, checkpoint.seed, checkpoint.knowledge) == (12, 3, Knowledge.EVENTS)
    assert checkpoint.policy_config == policy.config
    assert checkpoint.training.values == TRAINING.values
    assert torch.equal(checkpoint.training.tensors["exp_avg/x"], torch.arange(3.0))
    loaded = load_policy(checkpoint).state_dict()
    for name, tensor in policy.state_dict().items():
        assert torch.equal(tensor, loaded[name]), name


def test_nothing_to_remember_is_fine(tmp_path: Path):
    folder = save_checkpoint(
        tmp_path,
        step=0,
        policy=Policy(small_policy_config()),
        knowledge=Knowledge.EVENTS,
        seed=0,
        training=TrainingState({}, {}),
    )
    assert read_checkpoint(folder).training == TrainingState({}, {})


def test_the_newest_is_by_number_not_by_name(tmp_path: Path):
    for step in (9, 100, 20):
        save(tmp_path, step)
    assert newest_checkpoint(tmp_path).step == 100


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["flipped", "cut", "missing"])
def test_a_damaged_newest_gives_way_to_the_one_before(
    tmp_path: Path, name: str, damage: str, caplog: pytest.LogCaptureFixture
):
    save(tmp_path, 1)
    path = save(tmp_path, 2) / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    if damage == "flipped":
        path.write_bytes(content)
    elif damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    else:
        path.unlink()
    with caplog.at_level(logging.WARNING):
        assert newest_checkpoint(tmp_path).step == 1
    assert "step_2" in caplog.text
    assert name in caplog.text


def test_a_header_that_was_altered_is_noticed(tmp_path: Path):
    path = save(tmp_path) / "checkpoint.json"
    path.write_text(path.read_text().replace('"seed": 3', '"seed": 4'))
    with pytest.raises(DamagedCheckpointError, match=r"checkpoint\.json was altered"):
        read_checkpoint(path.parent)


def test_all_damaged_is_said_so(tmp_path: Path):
    (save(tmp_path) / "policy.safetensors").write_bytes(b"")
    with pytest.raises(DamagedCheckpointError, match="all 1 checkpoints are damaged"):
        newest_checkpoint(tmp_path)


def test_none_at_all_is_said_so(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="no checkpoint"):
        newest_checkpoint(tmp_path / "nowhere")


def test_another_interface_is_refused_by_name(tmp_path: Path):
    folder = save(tmp_path)
    rewrite_header(folder, interface_version=99)
    with pytest.raises(ValueError, match="interface_version is 99 there and 1 here"):
        newest_checkpoint(tmp_path)


def test_a_setting_that_this_program_does_not_know_is_refused_by_name(tmp_path: Path):
    folder = save(tmp_path)
    policy = json.loads((folder / "checkpoint.json").read_text())["policy"]
    rewrite_header(folder, policy=policy | {"wings": 2})
    with pytest.raises(ValueError, match=r"does not fit.*wings"):
        read_checkpoint(folder)


@pytest.mark.parametrize(
    ("config", "field"),
    [
        (PolicyConfig(knowledge=Knowledge.EVENTS), "policy.core.layers is 1 there and 3 here"),
        (
            PolicyConfig(entity_encoder=TransformerConfig()),
            "policy.core.layers is 1 there and 3 here",
        ),
    ],
)
def test_another_network_is_refused_by_the_setting(
    tmp_path: Path, config: PolicyConfig, field: str
):
    checkpoint = read_checkpoint(save(tmp_path))
    with pytest.raises(ValueError, match=field):
        load_policy(checkpoint, expected=config)


def test_weights_of_another_shape_are_refused_by_name(tmp_path: Path):
    policy = Policy(small_policy_config())
    policy.delay.layers[0].bias = torch.nn.Parameter(torch.zeros(5))
    checkpoint = read_checkpoint(save(tmp_path, policy=policy))
    with pytest.raises(ValueError, match=r"shape of delay.layers.0.bias is \[5\] there and \[8\]"):
        load_policy(checkpoint)


def test_a_failed_save_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    save(tmp_path, 1)

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(agent.checkpoint, "_write_text", full)
    with pytest.raises(OSError, match="No space left"):
        save(tmp_path, 2)
    assert [path.name for path in tmp_path.iterdir()] == ["step_1"]
    assert newest_checkpoint(tmp_path).step == 1


def test_saving_a_step_again_replaces_it(tmp_path: Path):
    (save(tmp_path, 1) / "policy.safetensors").write_bytes(b"torn")
    save(tmp_path, 1)
    assert newest_checkpoint(tmp_path).step == 1
    assert [path.name for path in tmp_path.iterdir()] == ["step_1"]


def test_the_newest_and_the_best_are_kept(tmp_path: Path):
    for step in (1, 2, 3, 4, 5):
        save(tmp_path, step)
    remove_old_checkpoints(tmp_path, num_kept=2, best_step=2)
    assert [path.name for path in checkpoint_folders(tmp_path)] == ["step_2", "step_4", "step_5"]


def test_folders_of_other_names_are_nothing_to_it(tmp_path: Path):
    save(tmp_path, 1)
    for name in ("step_x", "step_", ".step_7.unfinished", "step_²"):
        (tmp_path / name).mkdir()
    assert [path.name for path in checkpoint_folders(tmp_path)] == ["step_1"]


SAVE_FOR_EVER = """
import sys
from pathlib import Path
from tests.agent.test_checkpoint import save
step = 0
while True:
    step += 1
    save(Path(sys.argv[1]), step)
    print(step, flush=True)
"""


def test_killed_while_saving_there_is_always_a_whole_one(tmp_path: Path):
    root = Path(__file__).parents[2]
    for attempt in range(3):
        command = [sys.executable, "-c", SAVE_FOR_EVER, str(tmp_path)]
        process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        last = 0
        for _ in range(3):
            last = int(process.stdout.readline())
        time.sleep(0.004 * attempt)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        assert newest_checkpoint(tmp_path).step >= last
        for folder in checkpoint_folders(tmp_path):
            read_checkpoint(folder)
        save(tmp_path, 1)
        assert not list(tmp_path.glob(".*"))
