"""Scored runs side by side, as a table in Markdown: ``latentstar compare``."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.score_table import SCORE_FILE
from training.whole_files import read_json

Score = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class CompareConfig:
    """Scored runs side by side: ``latentstar compare RUN RUN``."""

    runs: tuple[Path, ...]  # folders that ``latentstar score`` has scored on the same commands


def run(config: CompareConfig) -> None:
    """Print one column a run.

    Raises:
        FileNotFoundError: a run has no score.
        ValueError: no runs, a damaged score, or runs that were scored on different commands.
    """
    if not config.runs:
        raise ValueError("wanted at least one run, got none")
    scores = [_score_of(folder) for folder in config.runs]
    _require_same_commands(config.runs, scores)
    sys.stdout.write(comparison([folder.name for folder in config.runs], scores) + "\n")


def comparison(names: list[str], scores: list[Score]) -> str:
    """Return the table: one column a run, one row a number."""
    lines = [["", *names], ["---", *["---:"] * len(names)]]
    lines += [[label, *map(show, scores)] for label, show in _ROWS.items()]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _score_of(folder: Path) -> Score:
    path = folder / SCORE_FILE
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: there is none; wanted a run scored by `latentstar score RUN DATASET`"
        )
    return read_json(path, remedy="score the run again")


def _require_same_commands(runs: tuple[Path, ...], scores: list[Score]) -> None:
    def asked(score: Score) -> tuple[Any, ...]:
        return (score["dataset"]["identity"], score["split"], score["games"], score["commands"])

    for folder, score in zip(runs[1:], scores[1:], strict=True):
        if asked(score) != asked(scores[0]):
            raise ValueError(
                f"{folder} was scored on {_commands(score)}, {runs[0]} on {_commands(scores[0])}; "
                "wanted the same dataset and split"
            )


def _commands(score: Score) -> str:
    return (
        f"{score['commands']} commands of {score['games']} {score['split']} games of "
        f"{score['dataset']['folder']}"
    )


def _number(path: str, *, places: int, scale: int = 1) -> Callable[[Score], str]:
    """Return what shows a number, with its interval where there is one."""

    def show(score: Score) -> str:
        value, interval = _at(score, path), _at(score["intervals"], path)
        if value is None:
            return "-"
        shown = f"{scale * value:.{places}f}"
        if interval is None:
            return shown
        low, high = (f"{scale * bound:.{places}f}" for bound in interval)
        return f"{shown} ({low} to {high})"

    return show


def _at(tree: Any, path: str) -> Any:
    for name in path.split("."):
        tree = tree.get(name) if isinstance(tree, dict) else None
    return tree


def _samples_per_second(score: Score) -> str:
    seconds = 60 * score["training"]["minutes"]
    return f"{score['training']['samples'] / seconds:.0f}" if seconds else "-"


def _encoder_flops(score: Score) -> str:
    flops = score["network"]["entity_encoder_flops"]
    return f"{flops[max(flops, key=int)] / 1e6:.1f} M"


_ROWS: dict[str, Callable[[Score], str]] = {
    "parameters": lambda score: f"{score['network']['parameters'] / 1e6:.2f} M",
    "entity encoder, FLOPs at 512 units": _encoder_flops,
    "training samples": lambda score: f"{score['training']['samples']:,}",
    "training minutes": _number("training.minutes", places=0),
    "training samples a second": _samples_per_second,
    "action type: top-1, %": _number("action_type.top1", places=1, scale=100),
    "action type: top-5, %": _number("action_type.top5", places=1, scale=100),
    "action type: nats": _number("action_type.nll", places=3),
    "delay: nats": _number("delay.nll", places=3),
    "delay: median error, loops": _number("delay.median_abs", places=0),
    "selected units: overlap (IoU), %": _number("selected_units.iou", places=1, scale=100),
    "selected units: exact, %": _number("selected_units.exact", places=1, scale=100),
    "target unit: top-1, %": _number("target_unit.top1", places=1, scale=100),
    "target location: median error, world units": _number("target_location.median_units", places=1),
    "target location: within 3, %": _number("target_location.within_3", places=1, scale=100),
}
