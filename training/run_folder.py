"""A run's folder: one run at a time in it, what it was started with, and its best checkpoint."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent.checkpoint import checkpoint_folders, config_difference
from agent.run_checkpoints import CHECKPOINT_FOLDER, Best, best_file
from training.whole_files import make_folder, read_json, write_json

CONFIG_FILE = "config.json"

LOCK_FILE = "run.lock"


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


def write_best(folder: Path, best: Best) -> None:
    """Remember which checkpoint is best."""
    write_json(best_file(folder), best._asdict())
