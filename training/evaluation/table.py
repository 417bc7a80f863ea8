"""An evaluation in few numbers: as plain values and as tables in Markdown."""

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from envs.interface import LOOPS_PER_SECOND
from training.evaluation.elo import Rating, elo_ratings, meetings_with_levels
from training.evaluation.records import Game, GameRecord, PlannedGame, require_alike
from training.evaluation.statistics import (
    Interval,
    Outcome,
    Stopping,
    anytime_interval,
    outcome_numbers,
)
from training.intervals import wilson_interval

OUTCOME_HEADS = (
    *("won (95 % interval)", "lost", "tied", "undecided", "crashed"),
    "median minutes",
)

_WILSON = "Wilson score, 95 %"
_ANYTIME = "confidence sequence, 95 % over all looks"
_GAMES = {
    Game.ENGINE: "LatentStar's own engine, not Blizzard's game",
    Game.STARCRAFT: "StarCraft II",
}
_SHOWN_DIGITS = 12


def summary(
    planned: Sequence[PlannedGame],
    records: Iterable[GameRecord],
    *,
    seed: int,
    stopping: Stopping | None = None,
) -> dict[str, Any]:
    """Return what an evaluation comes to: by level and race, by level, and as ratings.

    Args:
        planned: the games that count, the weakest level first; where it was stopped early, those
            that ``games_until_settled`` named.
        records: all games, crashes too; those that were not planned are left out.
        seed: of the evaluation.
        stopping: the rule by which it could stop early, which makes intervals wider.

    Raises:
        ValueError: none of the planned games was played, or some with other settings.
    """
    names = {game.name for game in planned}
    records = [record for record in records if record.planned.name in names]
    if not records:
        raise ValueError("wanted games to sum up, none of those planned was played")
    require_alike((record.settings for record in records), where="this evaluation")
    levels = list(dict.fromkeys(game.level for game in planned))
    races = list(dict.fromkeys(game.race for game in planned))
    interval = wilson_interval if stopping is None else anytime_interval
    return {
        **dataclasses.asdict(records[0].settings),
        "maps": list(dict.fromkeys(game.map for game in planned)),
        "seed": seed,
        "stopping": None if stopping is None else dataclasses.asdict(stopping),
        "interval_method": _WILSON if stopping is None else _ANYTIME,
        "rows": [
            _row(planned, records, interval, level=level, race=race)
            for level in levels
            for race in races
        ],
        "levels": [_level(planned, records, interval, level) for level in levels],
        "elo": _elo(records, levels),
    }


def evaluation_table(result: dict[str, Any]) -> str:
    """Return an evaluation in Markdown: a line a level, and under it one a race."""
    lines = [
        _what(result),
        "",
        f"| level | race | games | wins | {' | '.join(OUTCOME_HEADS)} |",
        f"|---|---|{'---:|' * (2 + len(OUTCOME_HEADS))}",
    ]
    for total in result["levels"]:
        rows = [row for row in result["rows"] if row["level"] == total["level"]]
        if len(rows) == 1:
            lines.append(_line(total["level"], rows[0]["race"], total))
            continue
        lines.append(_line(total["level"], "all", total))
        lines += [_line("", row["race"], row) for row in rows]
    return "\n".join(lines) + "\n"


def elo_table(ratings: Iterable[dict[str, Any]]) -> str:
    """Return ratings in Markdown, the strongest first."""
    lines = ["| player | Elo (95 % interval) | games |", "|---|---:|---:|"]
    for rating in ratings:
        elo, low, high = map(round, (rating["elo"], *rating["interval"]))
        shown = f"{elo}" if low == high else f"{elo} ({low} to {high})"
        lines.append(f"| {rating['player']} | {shown} | {rating['games']} |")
    return "\n".join(lines) + "\n"


def rating_values(ratings: Iterable[Rating]) -> list[dict[str, Any]]:
    """Return ratings as plain values."""
    return [{**rating._asdict(), "interval": list(rating.interval)} for rating in ratings]


def outcome_cells(numbers: dict[str, Any]) -> list[str]:
    """Return what stands under ``OUTCOME_HEADS``."""
    low, high = (100 * bound for bound in numbers["interval"])
    rate, length = numbers["win_rate"], numbers["median_minutes"]
    return [
        "-" if rate is None else f"{100 * rate:.0f} % ({low:.0f} to {high:.0f})",
        *(str(numbers[name]) for name in ("losses", "ties", "undecided", "crashes")),
        "-" if length is None else f"{length:.1f}",
    ]


def _row(
    planned: Iterable[PlannedGame],
    records: Iterable[GameRecord],
    interval: Interval,
    **same: str,
) -> dict[str, Any]:
    """Return the numbers of the games that are alike in some of what was planned."""

    def is_one(game: PlannedGame) -> bool:
        return all(getattr(game, name) == value for name, value in same.items())

    games = [record for record in records if is_one(record.planned)]
    return {
        **same,
        "planned": sum(map(is_one, planned)),
        **outcome_numbers(map(_outcome, games), interval=interval),
    }


def _level(
    planned: Iterable[PlannedGame], records: Iterable[GameRecord], interval: Interval, level: str
) -> dict[str, Any]:
    games = [record for record in records if record.planned.level == level]
    return {
        **_row(planned, records, interval, level=level),
        "by_opponent": _by(games, lambda game: game.opponent_race, interval),
        "by_seat": _by(games, lambda game: str(game.seat), interval),
        "by_map": _by(games, lambda game: game.map, interval),
    }


def _by(
    games: Iterable[GameRecord], key: Callable[[PlannedGame], str], interval: Interval
) -> dict[str, Any]:
    groups: dict[str, list[GameRecord]] = {}
    for game in games:
        groups.setdefault(key(game.planned), []).append(game)
    return {
        name: outcome_numbers(map(_outcome, groups[name]), interval=interval)
        for name in sorted(groups)
    }


def _outcome(record: GameRecord) -> Outcome:
    return Outcome(record.result, record.loops)


def _elo(records: Iterable[GameRecord], levels: Iterable[str]) -> dict[str, Any]:
    """Return ratings of the player and the levels, the weakest level that was met at 0."""
    meetings = meetings_with_levels(records)
    met = Counter(meeting.second for meeting in meetings)
    anchor = next((level for level in levels if met[level]), None)
    ratings = [] if anchor is None else rating_values(elo_ratings(meetings, anchor=anchor))
    return {"anchor": anchor, "ratings": ratings}


def _what(result: dict[str, Any]) -> str:
    """Return in a few sentences what was played."""
    player = result["player"]
    if result["checkpoint"] is not None:
        player += f" (checkpoint {result['checkpoint'][:_SHOWN_DIGITS]})"
    rules = "" if result["rules"] is None else f", rules {result['rules']}"
    minutes = result["max_loops"] / LOOPS_PER_SECOND / 60
    sentences = [
        f"{player} on {_GAMES[result['game']]} (build {result['build']}{rules}).",
        f"Delay: {result['delay_rule']}; games of at most {minutes:.0f} minutes;",
        f"maps: {', '.join(result['maps'])}; seed {result['seed']}.",
        f"Intervals: {result['interval_method']}.",
    ]
    return "\n".join(sentences)


def _line(level: str, race: str, numbers: dict[str, Any]) -> str:
    counts = [str(numbers[name]) for name in ("games", "wins")]
    return f"| {' | '.join([level, race, *counts, *outcome_cells(numbers)])} |"
