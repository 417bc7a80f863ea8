"""A bar that shows how far long work is."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn


class ProgressBar:
    """Share done, time left and a few words, drawn on the terminal's error stream."""

    def __init__(self, progress: Progress, description: str) -> None:
        self._progress = progress
        self._task = progress.add_task(description, total=1.0, words="")

    def show(self, share: float, words: str) -> None:
        """Move the bar to a share of the whole."""
        self._progress.update(self._task, completed=min(1.0, share), words=words)


@contextmanager
def progress_bar(description: str) -> Iterator[ProgressBar]:
    """Show a bar as long as the work lasts."""
    columns = [
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[words]}"),
    ]
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield ProgressBar(progress, description)
