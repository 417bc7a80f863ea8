"""Which checkpoint of a run to use: the newest, or the one that predicted unseen games best."""

import json
import logging
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from agent.checkpoint import (
    Checkpoint,
    DamagedCheckpointError,
    newest_checkpoint,
    read_checkpoint,
)

_log = logging.getLogger(__name__)

CHECKPOINT_FOLDER = "checkpoints"
"""Where a run's folder has them."""


class CheckpointChoice(Enum):
    """Which of a run's checkpoints."""

    BEST = "best"  # by the validation games, where there were any
    NEWEST = "newest"


class Best(NamedTuple):
    """The checkpoint that predicts the validation games best."""

    step: int
    loss: float


def best_file(folder: Path) -> Path:
    """Return where a run's folder says which checkpoint is best."""
    return folder / CHECKPOINT_FOLDER / "best.json"


def read_best(folder: Path) -> Best | None:
    """Return which checkpoint was best so far, if that is known."""
    try:
        return Best(**json.loads(best_file(folder).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


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
