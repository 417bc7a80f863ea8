"""Scores of mini-games in few numbers: as plain values, as a table and as a picture."""

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from training.intervals import mean_interval
from training.whole_files import whole_file

_COLOURS = {"random": "#b8b8b8", "scripted": "#3b6fb6"}


class Published(NamedTuple):
    """Mean scores in StarCraft II itself, of Vinyals et al. 2017 (arXiv:1708.04782)."""

    random: str  # policy
    grandmaster: str
    agent: str  # the best of those that learned


PUBLISHED = {
    "MoveToBeacon": Published("1", "28", "26"),
    "CollectMineralShards": Published("17", "177", "104"),
    "FindAndDefeatZerglings": Published("4", "61", "49"),
    "DefeatRoaches": Published("1", "215", "101"),
    "DefeatZerglingsAndBanelings": Published("23", "727", "96"),
    "CollectMineralsAndGas": Published("12", "7,566", "3,978"),
    "BuildMarines": Published("< 1", "133", "6"),
}


def summary(scores: dict[str, dict[str, list[int]]], *, version: str, seed: int) -> dict[str, Any]:
    """Return what the episodes come to.

    Args:
        scores: of all episodes, by mini-game and by player.
        version: of the engine's rules.
        seed: of the benchmark.
    """
    return {
        "engine": "LatentStar's own, not Blizzard's game",
        "version": version,
        "seed": seed,
        "games": {
            name: {who: _numbers(values) for who, values in by_player.items()}
            for name, by_player in scores.items()
        },
    }


def mini_game_table(result: dict[str, Any]) -> str:
    """Return the scores in Markdown, beside what was published for StarCraft II."""
    players = list(next(iter(result["games"].values())))
    numbers = [numbers for game in result["games"].values() for numbers in game.values()]
    episodes = sorted({str(len(one["scores"])) for one in numbers})
    heads = [f"{who}, best" for who in players]
    lines = [
        f"Mean score (95 % interval), best; {' or '.join(episodes)} episodes each, on "
        f"{result['engine']}, rules {result['version']}. The three columns on the right are of "
        "StarCraft II, in maps of other size: not comparable one to one.",
        "",
        f"| mini-game | {' | '.join(heads)} | StarCraft II: random | grandmaster | best agent |",
        f"|---|{'---:|' * (len(players) + 3)}",
    ]
    for name, game in result["games"].items():
        cells = [name, *(_cell(game[who]) for who in players), *PUBLISHED[name]]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def plot_mini_games(result: dict[str, Any], path: Path) -> None:
    """Write the picture of the scores."""
    figure = mini_game_figure(result)
    with whole_file(path) as unfinished:
        figure.savefig(unfinished, format="png", dpi=120)


def mini_game_figure(result: dict[str, Any]) -> Figure:
    """Draw every episode's score, and the means as bars and in numbers, a panel a mini-game."""
    games = result["games"]
    figure = Figure(figsize=(1.2 + 1.9 * len(games), 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(games), squeeze=False)[0]
    for panel, (name, by_player) in zip(panels, games.items(), strict=True):
        for place, (who, numbers) in enumerate(by_player.items()):
            _bar(panel, place, numbers, _COLOURS[who])
        panel.margins(y=0.12)
        panel.set_xticks(range(len(by_player)), list(by_player))
        panel.set_title(_in_two_lines(name), fontsize="small")
    panels[0].set_ylabel("score")
    figure.suptitle(f"Mini-games on LatentStar's engine, rules {result['version']}")
    return figure


def _bar(panel: Axes, place: int, numbers: dict[str, Any], colour: str) -> None:
    """Draw one player's mean, its interval and its number, and every score."""
    values, mean, (low, high) = numbers["scores"], numbers["mean"], numbers["interval"]
    spread = [place + 0.4 * ((i + 0.5) / len(values) - 0.5) for i in range(len(values))]
    panel.bar([place], [mean], 0.7, color=colour, alpha=0.6)
    panel.errorbar([place], [mean], yerr=[[mean - low], [high - mean]], color="black", capsize=3)
    panel.plot(spread, values, ".", color="black", markersize=3, alpha=0.5)
    panel.annotate(
        _rounded(mean, numbers["interval"]),
        (place, max(0.0, high, *values)),
        xytext=(0, 3),
        textcoords="offset points",
        ha="center",
        va="bottom",
        fontsize="small",
    )


def _numbers(scores: list[int]) -> dict[str, Any]:
    return {
        "mean": fmean(scores),
        "interval": list(mean_interval(scores)),
        "deviation": stdev(scores) if len(scores) > 1 else None,
        "best": max(scores),
        "scores": scores,
    }


def _cell(numbers: dict[str, Any]) -> str:
    interval = numbers["interval"]
    mean, low, high = (_rounded(value, interval) for value in (numbers["mean"], *interval))
    return f"{mean} ({low} to {high}), {numbers['best']:,}"


def _rounded(value: float, interval: Sequence[float]) -> str:
    """Return a score with as many digits as its interval calls for."""
    digits = 0 if max(abs(bound) for bound in interval) >= 100 else 1
    return f"{value:,.{digits}f}"


def _in_two_lines(name: str) -> str:
    """Return a name broken before the capital nearest to its middle."""
    capitals = [i for i, letter in enumerate(name) if letter.isupper() and i]
    middle = min(capitals, key=lambda i: abs(i - len(name) / 2))
    return f"{name[:middle]}\n{name[middle:]}"
