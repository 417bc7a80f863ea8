"""Pictures of an evaluation: win rates and ratings, each with its interval."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from training.evaluation.records import Game
from training.whole_files import whole_file

_TOTAL, _OTHER = "#333333", "#7a7a7a"
_RACE_COLOURS = {"terran": "#3b6fb6", "zerg": "#8a4fa3", "protoss": "#b8860b"}
_PLAYER, _OPPONENT = "#b65c3b", "#3b6fb6"

_INCHES_A_ROW, _INCHES_AROUND = 0.29, 1.3
_GAP = 0.6  # rows between two levels
_RATING_MARGIN = 300  # Elo points of an interval that are shown past the outermost ratings


class _Row(NamedTuple):
    """One line of the win rates."""

    height: float
    label: str
    numbers: dict[str, Any]
    colour: str


def plot_evaluation(result: dict[str, Any], path: Path) -> None:
    """Draw win rates by level and race, and beside them ratings if any; an arrow goes on so.

    Args:
        result: what ``summary`` gave.
        path: of the PNG.
    """
    rows, ratings = _rows(result), result["elo"]["ratings"]
    inches = _INCHES_AROUND + _INCHES_A_ROW * max(1 - rows[-1].height, 1.5 * len(ratings), 4)
    layout = ConstrainedLayoutEngine(wspace=0.08)
    figure = Figure(figsize=(10 if ratings else 6.5, inches), layout=layout)
    FigureCanvasAgg(figure)
    widths = [6, 4] if ratings else [1]
    axes = figure.subplots(1, len(widths), squeeze=False, width_ratios=widths)[0]
    _draw_rates(axes[0], rows)
    if ratings:
        _draw_ratings(axes[1], ratings, result["elo"]["anchor"], player=result["player"])
    figure.suptitle(_title(result))
    _save(figure, path)


def plot_ratings(ratings: Sequence[dict[str, Any]], path: Path, *, anchor: str, title: str) -> None:
    """Draw ratings alone, as of several checkpoints.

    Args:
        ratings: as plain values, at least one.
        path: of the PNG.
        anchor: the player whose rating is 0.
        title: what was played.
    """
    inches = _INCHES_AROUND + 1.5 * _INCHES_A_ROW * len(ratings)
    figure = Figure(figsize=(6.5, inches), layout="constrained")
    FigureCanvasAgg(figure)
    _draw_ratings(figure.subplots(), ratings, anchor, player=None)
    figure.suptitle(title)
    _save(figure, path)


def draw_interval(
    axes: Axes, height: float, *, value: float, interval: tuple[float, float], colour: str
) -> None:
    """Draw a number as a dot on the bar of its interval."""
    axes.plot(interval, [height, height], color=colour, linewidth=3, alpha=0.4)
    axes.plot([value], [height], marker="o", color=colour)


def _rows(result: dict[str, Any]) -> list[_Row]:
    """Return a line for each level and below it one for each of its races, from the top down."""
    rows: list[_Row] = []
    height = 0.0
    for total in result["levels"]:
        races = [row for row in result["rows"] if row["level"] == total["level"]]
        name = _words(total["level"])
        if len(races) == 1:
            name = f"{name}, as {_words(races[0]['race'])}"
            races = []
        rows.append(_Row(height, name, total, _TOTAL))
        for row in races:
            height -= 1
            colour = _RACE_COLOURS.get(row["race"].lower(), _OTHER)
            rows.append(_Row(height, f"as {_words(row['race'])}", row, colour))
        height -= 1 + (_GAP if races else 0)
    return rows


def _draw_rates(axes: Axes, rows: Sequence[_Row]) -> None:
    for height, _, numbers, colour in rows:
        low, high = (100 * bound for bound in numbers["interval"])
        if numbers["games"]:
            rate = 100 * numbers["win_rate"]
            draw_interval(axes, height, value=rate, interval=(low, high), colour=colour)
        axes.annotate(
            _games(numbers),
            (1.02, height),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize="small",
            color=colour,
        )
    axes.set_yticks([row.height for row in rows], [row.label for row in rows])
    for label, row in zip(axes.get_yticklabels(), rows, strict=True):
        label.set_color(row.colour)
        label.set_fontweight("bold" if row.colour == _TOTAL else "normal")
    axes.set_ylim(rows[-1].height - 0.7, 0.7)
    axes.set_xlim(-3, 103)
    axes.set_xlabel("games won, per cent, with 95 % interval")
    axes.annotate("won of games", (1.02, 1), xycoords="axes fraction", fontsize="small")
    _tidy(axes)


def _draw_ratings(
    axes: Axes, ratings: Sequence[dict[str, Any]], anchor: str, *, player: str | None
) -> None:
    values = [rating["elo"] for rating in ratings]
    left, right = min(values) - _RATING_MARGIN, max(values) + _RATING_MARGIN
    for place, rating in enumerate(ratings):
        low, high = rating["interval"]
        colour = _PLAYER if rating["player"] == player else _OPPONENT
        shown = (max(low, left), min(high, right))
        draw_interval(axes, -float(place), value=rating["elo"], interval=shown, colour=colour)
        for bound, edge, marker in ((low, left, "<"), (high, right, ">")):
            if not left <= bound <= right:
                axes.plot([edge], [-place], marker=marker, color=colour, alpha=0.4, clip_on=False)
        axes.annotate(
            str(round(rating["elo"])),
            (rating["elo"], -place),
            xytext=(0, 6),
            textcoords="offset points",
            ha="center",
            fontsize="small",
            color=colour,
        )
    axes.set_yticks(
        [-place for place in range(len(ratings))],
        [_words(rating["player"]) for rating in ratings],
    )
    axes.set_ylim(0.3 - len(ratings), 0.7)
    axes.set_xlim(left, right)
    axes.set_xlabel(f"Elo with 95 % interval\n{_words(anchor)} is 0")
    _tidy(axes)


def _games(numbers: dict[str, Any]) -> str:
    shown = f"{numbers['wins']} of {numbers['games']}"
    crashes = numbers["crashes"]
    return f"{shown}, {crashes} crashed" if crashes else shown


def _title(result: dict[str, Any]) -> str:
    where = "StarCraft II"
    if result["game"] == Game.ENGINE:
        where = f"LatentStar's engine, rules {result['rules']}"
    return f"{result['player']} on {where}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _tidy(axes: Axes) -> None:
    axes.grid(axis="x", alpha=0.3)
    axes.tick_params(axis="y", length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _save(figure: Figure, path: Path) -> None:
    with whole_file(path) as unfinished:
        figure.savefig(unfinished, format="png", dpi=120)
