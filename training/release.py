"""Put a run's weights in the place of those that ship: ``python -m training.release RUN``.

Weights are rounded to half precision, and what a run needs to go on is left out. The card,
``agent/pretrained/README.md``, is written by hand; a test holds it to the checkpoint's digest.
"""

import shutil
import sys
from pathlib import Path

from agent.checkpoint import (
    PRETRAINED,
    TrainingState,
    checkpoint_folders,
    load_policy,
    save_checkpoint,
)
from agent.run_checkpoints import CHECKPOINT_FOLDER, CheckpointChoice, chosen_checkpoint


def release(run: Path, folder: Path) -> Path:
    """Write the best checkpoint of a run, rounded and without its training state, as the only one.

    Raises:
        FileNotFoundError: no run there.
        ValueError: its checkpoint does not fit, or is damaged.
    """
    checkpoint = chosen_checkpoint(run, CheckpointChoice.BEST)
    checkpoints = folder / CHECKPOINT_FOLDER
    written = save_checkpoint(
        checkpoints,
        step=checkpoint.step,
        policy=load_policy(checkpoint).half(),
        knowledge=checkpoint.knowledge,
        seed=checkpoint.seed,
        training=TrainingState({}, {}),
    )
    for other in checkpoint_folders(checkpoints):
        if other != written:
            shutil.rmtree(other)
    return written


if __name__ == "__main__":
    sys.stdout.write(f"{release(Path(sys.argv[1]), PRETRAINED)}\n")
