"""A run's folder: one run at a time in it, what it was started with, and its best checkpoint."""

import fcntl
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from agent.checkpoint import (
    Checkpoint,
    DamagedCheckpointError,
    checkpoint_folders,
    config_difference,
    newest_checkpoint,
    read_checkpoint,
)
from training.config import CheckpointChoice
from training.whole_files import make_folder, read_json, write_json

_log = logging.getLogger(__name__)

CHECKPOINT_FOLDER = "checkpoints"
CONFIG_FILE = "config.json"

_BEST_FILE = "best.json"
LOCK_FILE = "run.lock"


class Best(NamedTuple):
    """The checkpoint that predicts the validation games best."""

    step: int
    loss: float


@contextmanager
def locked_run(folder: Path) -> Iterator[None]:
    """Hold a run folder, made if need be, for one process; freed even if that is killed.

    Raises:
        ValueError: another process holds it, or there can be no such folder.
    """
    make_folder(folder)
    with (folder / LOCK_FILE).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise ValueError(f"{folder}: in use by another run, process {holder}") from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def require_new_run(folder: Path) -> None:
    """Refuse a folder that holds a run already, or is no folder.

    Raises:
        ValueError: with what to do instead.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder}: wanted a folder for the run, it is a file")
    if checkpoint_folders(folder / CHECKPOINT_FOLDER):
        raise ValueError(
            f"{folder}: holds a run already; go on with it by --resume, or give another"
        )


def require_same_run(
    folder: Path, config: dict[str, Any], *, free: frozenset[str]
) -> dict[str, Any]:
    """Refuse to go on with a run by other settings than it was started with; return those.

    Args:
        folder: the run's.
        config: the settings to go on with, as plain values.
        free: names of those that may change.

    Raises:
        FileNotFoundError: no run there.
        ValueError: naming the setting that differs, or they cannot be read.
    """
    saved = read_settings(folder)
    fixed = [{key: c[key] for key in c if key not in free} for c in (saved, config)]
    difference = config_difference(*fixed)
    if difference is not None:
        raise ValueError(f"{folder}: cannot go on with other settings: {difference}")
    return saved


def read_settings(folder: Path) -> dict[str, Any]:
    """Return the settings that a run was started with, as plain values.

    Raises:
        FileNotFoundError: no run there.
        ValueError: they cannot be read.
    """
    path = folder / CONFIG_FILE
    if not path.is_file():
        raise FileNotFoundError(f"{folder}: no run to go on with, it has no {CONFIG_FILE}")
    return read_json(path, remedy="start another run")


def read_best(folder: Path) -> Best | None:
    """Return which checkpoint was best so far, if that is known."""
    path = folder / CHECKPOINT_FOLDER / _BEST_FILE
    try:
        return Best(**json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def write_best(folder: Path, best: Best) -> None:
    """Remember which checkpoint is best."""
    write_json(folder / CHECKPOINT_FOLDER / _BEST_FILE, best._asdict())


def chosen_checkpoint(folder: Path, choice: CheckpointChoice) -> Checkpoint:
    """Return the checkpoint of a run to use; the newest where no other is known to be better.

    Raises:
        FileNotFoundError: no such folder, or no checkpoint in it.
        ValueError: what there is does not fit, or is damaged.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder")
    checkpoints = folder / CHECKPOINT_FOLDER
    best = read_best(folder)
    if choice is CheckpointChoice.BEST and best is not None:
        try:
            return read_checkpoint(checkpoints / f"step_{best.step}")
        except (FileNotFoundError, DamagedCheckpointError) as error:
            _log.warning("the best checkpoint is of no use, the newest is taken: %s", error)
    return newest_checkpoint(checkpoints)
