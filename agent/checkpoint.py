"""Weights, config and interface version, saved and refused together.

A checkpoint is a folder ``step_N`` of tensors in safetensors files and one JSON file, which
lists the checksum of each. It is written beside its place, flushed to the disk and renamed, so
that it exists whole or not at all; a reader that finds the newest damaged takes the one before.
Nothing is ever unpickled.
"""

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from envs.interface import INTERFACE_VERSION, Knowledge
from policies.config import PolicyConfig
from policies.config_dict import config_from_dict, config_to_dict
from policies.policy import Policy

PRETRAINED = Path(__file__).parent / "pretrained"
"""Run folder of the policy that ships; README.md in it says what it is."""

_log = logging.getLogger(__name__)

_HEADER_FILE = "checkpoint.json"
_POLICY_FILE = "policy.safetensors"
_TRAINING_FILE = "training.safetensors"
_PREFIX = "step_"


class DamagedCheckpointError(ValueError):
    """A checkpoint that was torn or altered; an older one may do."""


class TrainingState(NamedTuple):
    """What a run needs, beside the weights, to go on as if it had never stopped."""

    tensors: dict[str, Tensor]
    values: dict[str, Any]  # plain JSON


class Checkpoint(NamedTuple):
    """A checkpoint that was read and verified."""

    folder: Path
    step: int
    policy_config: PolicyConfig
    knowledge: Knowledge
    seed: int
    digest: str  # of everything in it
    weights: dict[str, Tensor]
    training: TrainingState


def save_checkpoint(
    checkpoints: Path,
    *,
    step: int,
    policy: Policy,
    knowledge: Knowledge,
    seed: int,
    training: TrainingState,
) -> Path:
    """Write ``checkpoints/step_N`` and return it; an older one of that name is replaced.

    Raises:
        OSError: the disk is full or not writable; what was there before is untouched.
    """
    checkpoints.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(checkpoints)
    unfinished = checkpoints / f".{_PREFIX}{step}.unfinished"
    try:
        unfinished.mkdir()
        _write_tensors(unfinished / _POLICY_FILE, policy.state_dict())
        _write_tensors(unfinished / _TRAINING_FILE, training.tensors)
        header = {
            "interface_version": INTERFACE_VERSION,
            "step": step,
            "seed": seed,
            "knowledge": knowledge.value,
            "policy": config_to_dict(policy.config),
            "training": training.values,
            "files": {name: _digest(unfinished / name) for name in (_POLICY_FILE, _TRAINING_FILE)},
        }
        header["digest"] = _header_digest(header)
        _write_text(unfinished / _HEADER_FILE, json.dumps(header, indent=1))
        _flush(unfinished)
        return _put_in_place(unfinished, checkpoints / f"{_PREFIX}{step}")
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def read_checkpoint(folder: Path) -> Checkpoint:
    """Return one checkpoint.

    Raises:
        FileNotFoundError: there is none.
        DamagedCheckpointError: it is torn, or a checksum does not hold.
        ValueError: it is whole, but made for another interface or by another network.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no checkpoint there")
    header = _read_header(folder)
    version = header["interface_version"]
    if version != INTERFACE_VERSION:
        raise ValueError(
            f"{folder} does not fit: interface_version is {version} there "
            f"and {INTERFACE_VERSION} here"
        )
    try:
        config = config_from_dict(PolicyConfig, header["policy"])
    except ValueError as error:
        raise ValueError(f"{folder} does not fit: {error}") from error
    return Checkpoint(
        folder=folder,
        step=header["step"],
        policy_config=config,
        knowledge=Knowledge(header["knowledge"]),
        seed=header["seed"],
        digest=header["digest"],
        weights=_read_tensors(folder, _POLICY_FILE, header),
        training=TrainingState(_read_tensors(folder, _TRAINING_FILE, header), header["training"]),
    )


def newest_checkpoint(checkpoints: Path) -> Checkpoint:
    """Return the newest checkpoint that is whole, with a warning for each that is not.

    Raises:
        FileNotFoundError: there is none.
        DamagedCheckpointError: there are some, all damaged.
        ValueError: the newest whole one does not fit this program.
    """
    folders = checkpoint_folders(checkpoints)
    if not folders:
        raise FileNotFoundError(f"{checkpoints}: no checkpoint there")
    for folder in reversed(folders):
        try:
            return read_checkpoint(folder)
        except DamagedCheckpointError as error:
            _log.warning("%s; taking the one before it", error)
    raise DamagedCheckpointError(f"{checkpoints}: all {len(folders)} checkpoints are damaged")


def checkpoint_folders(checkpoints: Path) -> list[Path]:
    """Return the folders of finished checkpoints, oldest first."""
    if not checkpoints.is_dir():
        return []
    names = [p for p in checkpoints.glob(f"{_PREFIX}*") if _step_of(p) is not None]
    return sorted(names, key=lambda path: _step_of(path) or 0)


def remove_old_checkpoints(checkpoints: Path, *, num_kept: int, best_step: int | None) -> None:
    """Remove all but the newest, and the best."""
    for folder in checkpoint_folders(checkpoints)[:-num_kept]:
        if _step_of(folder) != best_step:
            shutil.rmtree(folder)


def load_policy(checkpoint: Checkpoint, *, expected: PolicyConfig | None = None) -> Policy:
    """Return the checkpoint's policy, on the CPU and ready to act.

    Raises:
        ValueError: its config is not the expected one, or its weights are not its config's.
    """
    if expected is not None:
        found = config_to_dict(checkpoint.policy_config)
        difference = config_difference(found, config_to_dict(expected), prefix="policy.")
        if difference is not None:
            raise ValueError(f"{checkpoint.folder} does not fit: {difference}")
    policy = Policy(checkpoint.policy_config)
    _require_same_shapes(checkpoint, policy.state_dict())
    policy.load_state_dict(checkpoint.weights)
    return policy.eval()


def config_difference(
    found: Mapping[str, Any], wanted: Mapping[str, Any], *, prefix: str = ""
) -> str | None:
    """Say in which setting, the first by name, two configurations in plain values differ."""
    for key in sorted(found.keys() | wanted.keys()):
        name, there, here = f"{prefix}{key}", found.get(key), wanted.get(key)
        if isinstance(there, dict) and isinstance(here, dict):
            inner = config_difference(there, here, prefix=f"{name}.")
            if inner is not None:
                return inner
        elif there != here:
            return f"{name} is {there!r} there and {here!r} here"
    return None


def _require_same_shapes(checkpoint: Checkpoint, wanted: Mapping[str, Tensor]) -> None:
    found = {name: list(tensor.shape) for name, tensor in checkpoint.weights.items()}
    shapes = {name: list(tensor.shape) for name, tensor in wanted.items()}
    difference = config_difference(found, shapes, prefix="the shape of ")
    if difference is not None:
        raise ValueError(f"{checkpoint.folder} does not fit: {difference}")


def _step_of(folder: Path) -> int | None:
    digits = folder.name.removeprefix(_PREFIX)
    return int(digits) if digits.isascii() and digits.isdigit() else None


def _read_header(folder: Path) -> dict[str, Any]:
    try:
        header = json.loads((folder / _HEADER_FILE).read_text(encoding="utf-8"))
        is_whole = header["digest"] == _header_digest(header)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedCheckpointError(f"{folder} is damaged: {_HEADER_FILE}: {error}") from error
    if not is_whole:
        raise DamagedCheckpointError(f"{folder} is damaged: {_HEADER_FILE} was altered")
    return dict(header)


def _read_tensors(folder: Path, name: str, header: Mapping[str, Any]) -> dict[str, Tensor]:
    try:
        if _digest(folder / name) != header["files"][name]:
            raise DamagedCheckpointError(f"{folder} is damaged: {name} was altered")
        return load_file(folder / name)
    except (OSError, SafetensorError) as error:
        raise DamagedCheckpointError(f"{folder} is damaged: {name}: {error}") from error


def _write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    whole = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    save_file(whole, path)
    _flush(path)


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    _flush(path)


def _put_in_place(unfinished: Path, folder: Path) -> Path:
    """Rename a finished checkpoint to its name; one that had the name is removed after."""
    replaced = folder.with_name(f".{folder.name}.replaced")
    if folder.exists():
        folder.replace(replaced)
    unfinished.replace(folder)
    _flush(folder.parent)
    shutil.rmtree(replaced, ignore_errors=True)
    return folder


def _remove_leftovers(checkpoints: Path) -> None:
    """Remove what a run that was killed while saving left behind."""
    for leftover in checkpoints.glob(f".{_PREFIX}*"):
        shutil.rmtree(leftover, ignore_errors=True)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _header_digest(header: Mapping[str, Any]) -> str:
    content = {key: value for key, value in header.items() if key != "digest"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
