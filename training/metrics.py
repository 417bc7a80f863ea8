"""Scalars to ``metrics.jsonl`` and TensorBoard, under names like ``bc/loss/action_type``."""

import json
import logging
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from types import TracebackType

from torch.utils.tensorboard.writer import SummaryWriter

from training.whole_files import read_json_lines, whole_file

_log = logging.getLogger(__name__)

METRICS_FILE = "metrics.jsonl"


class MetricsWriter:
    """Appends scalars to a run folder; a context manager.

    Args:
        folder: the run folder.
        first_step: lines after this step come from work that was lost, and are removed; 0 for
            a run that starts.
    """

    def __init__(self, folder: Path, *, first_step: int) -> None:
        path = folder / METRICS_FILE
        if path.exists():
            _remove_lines_after(path, first_step)
        self._file = path.open("a", encoding="utf-8")
        self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=first_step + 1)

    def __enter__(self) -> "MetricsWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            with closing(self._board):
                self._file.close()
        except OSError as error:
            _log.warning("the last metrics could not be written: %s", error)

    def write(self, step: int, scalars: Mapping[str, float]) -> None:
        """Append one line, and one point to each curve, at ``step`` agent steps.

        What cannot be written now, as the disk is full, is kept and written with a later line.
        """
        try:
            self._file.write(json.dumps({"step": step, **scalars}) + "\n")
            self._file.flush()
            for name, value in scalars.items():
                self._board.add_scalar(name, value, step)
        except OSError as error:
            _log.warning("step %d: could not write metrics: %s", step, error)


def read_metrics(folder: Path) -> list[dict[str, int | float]]:
    """Return the lines of a run's ``metrics.jsonl``; a torn last line is left out."""
    return read_json_lines(folder / METRICS_FILE, remedy="start another run")


def _remove_lines_after(path: Path, step: int) -> None:
    lines = read_json_lines(path, remedy="start another run")
    kept = [line for line in lines if line["step"] <= step]
    with whole_file(path) as shorter:
        shorter.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
