"""The ladder's games in few numbers: as plain values, as a table and as a picture."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from training.evaluation.plot import draw_interval
from training.evaluation.statistics import Outcome, outcome_numbers
from training.evaluation.table import OUTCOME_HEADS, outcome_cells
from training.whole_files import whole_file

_COLOURS = ("#3b6fb6", "#b65c3b", "#5b9a4d")


def summary(
    records: Iterable[dict[str, Any]], *, version: str, minutes: float, seed: int
) -> dict[str, Any]:
    """Return what the games come to: each two levels overall, by race and by seat.

    Args:
        records: one a game.
        version: of the ladder.
        minutes: of game time, after which a game is undecided.
        seed: of the ladder.
    """
    pairs: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for record in records:
        pairs.setdefault((record["stronger"], record["weaker"]), []).append(record)
    return {
        "engine": "LatentStar's own, not Blizzard's game",
        "version": version,
        "minutes": minutes,
        "seed": seed,
        "pairs": [
            {
                "stronger": stronger,
                "weaker": weaker,
                **_numbers(games),
                "by_race": _by(games, "stronger_race"),
                "by_opponent": _by(games, "weaker_race"),
                "by_seat": _by(games, "stronger_seat"),
            }
            for (stronger, weaker), games in pairs.items()
        ],
    }


def ladder_table(result: dict[str, Any]) -> str:
    """Return the ladder in Markdown."""
    lines = [
        f"Ladder {result['version']} of {result['engine']}; games of at most "
        f"{result['minutes']:g} minutes.",
        "",
        f"| level | against | games | {' | '.join(OUTCOME_HEADS)} |",
        f"|---|---|{'---:|' * (1 + len(OUTCOME_HEADS))}",
    ]
    for pair in result["pairs"]:
        lines.append(_line(pair["stronger"], pair["weaker"], pair))
        for race, numbers in pair["by_race"].items():
            lines.append(_line(f"&nbsp;&nbsp;{race}", pair["weaker"], numbers))
    return "\n".join(lines) + "\n"


def plot_ladder(result: dict[str, Any], path: Path) -> None:
    """Draw the win rates with their intervals: overall, by race and by seat."""
    figure = Figure(figsize=(9, 1.2 + 2.2 * len(result["pairs"])), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(result["pairs"]), 1, squeeze=False)[:, 0]
    for place, pair in zip(axes, result["pairs"], strict=True):
        _rates(place, pair)
    axes[-1].set_xlabel("games won, per cent")
    figure.suptitle(f"LatentStar's engine, ladder {result['version']}")
    with whole_file(path) as unfinished:
        figure.savefig(unfinished, format="png", dpi=120)


def _rates(axes: Axes, pair: dict[str, Any]) -> None:
    rows = [("all games", pair, _COLOURS[0])]
    rows += [(f"as {race}", numbers, _COLOURS[1]) for race, numbers in pair["by_race"].items()]
    rows += [(f"v {race}", numbers, _COLOURS[1]) for race, numbers in pair["by_opponent"].items()]
    rows += [(f"seat {seat}", numbers, _COLOURS[2]) for seat, numbers in pair["by_seat"].items()]
    for height, (_, numbers, colour) in enumerate(reversed(rows)):
        if numbers["win_rate"] is None:
            continue
        low, high = (100 * bound for bound in numbers["interval"])
        rate = 100 * numbers["win_rate"]
        draw_interval(axes, float(height), value=rate, interval=(low, high), colour=colour)
    axes.set_yticks(range(len(rows)), [label for label, _, _ in reversed(rows)])
    axes.set_xlim(0, 101)
    axes.grid(axis="x", alpha=0.3)
    axes.set_title(f"{pair['stronger']} against {pair['weaker']} (engine)")


def _by(games: list[dict[str, Any]], key: str) -> dict[str, dict[str, Any]]:
    values = sorted({game[key] for game in games}, key=str)
    return {
        str(value): _numbers([game for game in games if game[key] == value]) for value in values
    }


def _numbers(games: list[dict[str, Any]]) -> dict[str, Any]:
    return outcome_numbers(Outcome(game["result"], game["loops"]) for game in games)


def _line(level: str, against: str, numbers: dict[str, Any]) -> str:
    cells = [level, against, str(numbers["games"]), *outcome_cells(numbers)]
    return f"| {' | '.join(cells)} |"
