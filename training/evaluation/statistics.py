"""Win rates, how sure they are, and when they are sure enough to stop.

Ties and undecided games are games that were not won; crashes are no games at all.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from statistics import median
from typing import Any, NamedTuple

from envs.interface import LOOPS_PER_SECOND
from training.evaluation.records import Result
from training.intervals import wilson_interval

Interval = Callable[[int, int], tuple[float, float]]
"""From wins and games to the bounds of a win rate."""

_ERROR = 0.05  # how often a sequence of intervals may ever leave out the truth
_HALVINGS = 60


class Outcome(NamedTuple):
    """What counts of a game."""

    result: str
    loops: int


class Verdict(Enum):
    """On which side of the threshold a win rate is."""

    ABOVE = "above"
    BELOW = "below"
    OPEN = "open"


@dataclass(frozen=True, kw_only=True)
class Stopping:
    """Stop once it is settled on which side of a threshold the win rate is."""

    threshold: float
    round_games: int = 1  # games of the plan after which races, seats and maps come round again

    def __post_init__(self) -> None:
        """Refuse what is no rule."""
        if not 0 < self.threshold < 1:
            raise ValueError(f"threshold must be between 0 and 1, got {self.threshold}")
        if self.round_games < 1:
            raise ValueError(f"round_games must be at least 1, got {self.round_games}")


def outcome_numbers(
    outcomes: Iterable[Outcome], *, interval: Interval = wilson_interval
) -> dict[str, Any]:
    """Return counts and the win rate; there is none, and a full interval, where all crashed.

    Args:
        outcomes: of all games, crashes too.
        interval: how the bounds of the win rate are found.
    """
    outcomes = list(outcomes)
    counts = Counter(outcome.result for outcome in outcomes)
    num_games = len(outcomes) - counts[Result.CRASH]
    over = (Result.WIN, Result.LOSS, Result.TIE)
    loops = [outcome.loops for outcome in outcomes if outcome.result in over]
    return {
        "games": num_games,
        "wins": counts[Result.WIN],
        "losses": counts[Result.LOSS],
        "ties": counts[Result.TIE],
        "undecided": counts[Result.UNDECIDED],
        "crashes": counts[Result.CRASH],
        "win_rate": counts[Result.WIN] / num_games if num_games else None,
        "interval": list(interval(counts[Result.WIN], num_games)),
        "median_minutes": median(loops) / LOOPS_PER_SECOND / 60 if loops else None,
    }


def anytime_interval(wins: int, games: int) -> tuple[float, float]:
    """Return bounds of a win rate that may be looked at after every game.

    The chance that they ever leave out the truth, however long one looks, is at most 5 %: a
    confidence sequence (Darling and Robbins 1967). A win rate is left out where the results are
    twenty times as likely if all rates are held equally likely at first. Under the true rate that
    ratio is a martingale, so that it ever reaches 20 has a chance of at most 1 in 20 (Ville 1939;
    Robbins 1970; Howard et al. 2021, arXiv:1810.08240).
    """
    if not 0 <= wins <= games:
        raise ValueError(f"wins must be between 0 and {games}, got {wins}")
    if games == 0:
        return 0.0, 1.0
    best = wins / games
    low = _edge(wins, games, inside=best, outside=0.0) if wins else 0.0
    high = _edge(wins, games, inside=best, outside=1.0) if wins < games else 1.0
    return low, high


def verdict(wins: int, games: int, *, threshold: float) -> Verdict:
    """Return whether the win rate is settled to be above or below a threshold.

    It may be asked after every game, and is ever wrong with a chance of at most 5 %.
    """
    if _log_ratio(wins, games, threshold) < math.log(1 / _ERROR):
        return Verdict.OPEN
    return Verdict.ABOVE if wins / games > threshold else Verdict.BELOW


def games_until_settled(results: Sequence[str | None], stopping: Stopping) -> int | None:
    """Return how many games, in the order of the plan, settle the verdict, or none yet.

    Games count in the order in which they were planned, up to the first that is not over: in the
    order in which they end, quick ones come first, and those are won or lost more often than
    others. So the answer does not depend on how many are played at the same time. Crashes take
    their place in the plan but do not count.

    It is looked only after whole rounds. There a wrong verdict stays as unlikely though games of a
    round are not alike: what a round multiplies the ratio by is, on average, a product of factors
    whose mean is 1 where the rate is the round's mean, hence at most 1. (A crash leaves its round
    one game short.)

    Args:
        results: of all games of the plan, None where a game is not over.
        stopping: the rule.
    """
    wins = games = 0
    for place, result in enumerate(results, start=1):
        if result is None:
            return None
        wins += result == Result.WIN
        games += result != Result.CRASH
        is_round = place % stopping.round_games == 0
        if is_round and verdict(wins, games, threshold=stopping.threshold) is not Verdict.OPEN:
            return place
    return None


def _log_ratio(wins: int, games: int, rate: float) -> float:
    """Return the log of the mixture's likelihood over that of one rate, within 0 and 1."""
    losses = games - wins
    mixture = math.lgamma(wins + 1) + math.lgamma(losses + 1) - math.lgamma(games + 2)
    return mixture - wins * math.log(rate) - losses * math.log1p(-rate)


def _edge(wins: int, games: int, *, inside: float, outside: float) -> float:
    """Return where the interval ends between the share of wins and 0 or 1, by halving."""
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        if _log_ratio(wins, games, middle) < math.log(1 / _ERROR):
            inside = middle
        else:
            outside = middle
    return outside
