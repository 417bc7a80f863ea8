"""Ratings of players who met, in Elo points: the Bradley-Terry model with bootstrap intervals.

A player who is 400 points stronger scores ten times as much as the other (Bradley and Terry 1952;
Elo's scale). A tie is half a win. Each two players that met have one tie more than they played, so
that a score of 100 to 0 is finite: it is 100.5 to 0.5, as with Jeffreys' prior.
"""

import math
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.evaluation.records import GameRecord, Result

Array = NDArray[np.float64]

_POINTS = 400 / math.log(10)
_INTERVAL = (2.5, 97.5)  # per cent
_MOST_STEPS, _MOST_HALVINGS, _SMALLEST_STEP = 1000, 30, 1e-9


class Meeting(NamedTuple):
    """One game between two players."""

    first: str
    second: str
    score: float  # of the first: 1 for a win, 0.5 for a tie, 0 for a loss


class Rating(NamedTuple):
    """How strong a player is."""

    player: str
    elo: float
    interval: tuple[float, float]  # 95 %, of the distance to the player at 0
    games: int


def meetings_with_levels(records: Iterable[GameRecord]) -> list[Meeting]:
    """Return the player's games against each level; what was not decided is a tie."""
    return [
        Meeting(record.settings.player, record.planned.level, _score(record))
        for record in records
        if not record.is_crash
    ]


def elo_ratings(
    meetings: Iterable[Meeting], *, anchor: str, num_bootstraps: int = 1000, seed: int = 0
) -> list[Rating]:
    """Return the rating of everyone who played, the strongest first.

    The intervals are the percentiles of a Bayesian bootstrap (Rubin 1981): each game gets a random
    weight, within each two players. The added tie takes part as half a win and half a loss. Drawing
    games with repetition could draw only wins from a score of 100 to 0, an interval of no width.

    Args:
        meetings: all games, in any order.
        anchor: the player whose rating is 0.
        num_bootstraps: how often games are weighed anew.
        seed: of the weights.

    Raises:
        ValueError: there are no games, someone plays against themselves, the anchor did not
            play, or there are groups that never met.
    """
    pairs = _Pairs.of(meetings)
    place = _place_of(anchor, pairs)
    _require_one_group(pairs)
    generator = np.random.default_rng(seed)
    weighed = [pairs.weighed(generator) for _ in range(num_bootstraps)]
    wins = np.array([pairs.wins(counts) for counts in (pairs.counts, *weighed)])
    elo, *drawn = _POINTS * _strengths(wins, place)
    low, high = np.percentile(drawn, _INTERVAL, axis=0)
    games = pairs.games()
    ratings = [
        Rating(player, float(elo[i]), (float(low[i]), float(high[i])), games[player])
        for i, player in enumerate(pairs.players)
    ]
    return sorted(ratings, key=lambda rating: -rating.elo)


class _Pairs(NamedTuple):
    """Who met whom and with what results; the added ties are in the counts."""

    players: list[str]
    places: NDArray[np.int64]  # pair, first or second
    counts: Array  # pair, won by the first or tied or won by the second

    @classmethod
    def of(cls, meetings: Iterable[Meeting]) -> "_Pairs":
        counts: Counter[tuple[str, str, float]] = Counter()
        for first, second, score in meetings:
            if first == second:
                raise ValueError(f"wanted games between two players, {first} met themselves")
            if score not in (0, 0.5, 1):
                raise ValueError(f"score must be 0, 0.5 or 1, got {score}")
            ordered = (first, second, score) if first < second else (second, first, 1 - score)
            counts[ordered] += 1
        pairs = sorted({(first, second) for first, second, _ in counts})
        if not pairs:
            raise ValueError("wanted games to rate players by, got none")
        players = sorted({player for pair in pairs for player in pair})
        table = [[counts[*pair, score] for score in (1.0, 0.5, 0.0)] for pair in pairs]
        return cls(
            players,
            np.array([[players.index(player) for player in pair] for pair in pairs]),
            np.array(table, np.float64) + np.array([0.5, 0.0, 0.5]),
        )

    def wins(self, counts: Array) -> Array:
        """Return what each player, a row, scored against each other, a column."""
        wins = np.zeros((len(self.players), len(self.players)))
        first, second = self.places.T
        wins[first, second] = counts[:, 0] + counts[:, 1] / 2
        wins[second, first] = counts[:, 2] + counts[:, 1] / 2
        return wins

    def weighed(self, generator: np.random.Generator) -> Array:
        """Return the counts with each game weighed at random; sums of weights are gamma."""
        weights = generator.standard_gamma(self.counts)
        return weights * (self.counts.sum(axis=1) / weights.sum(axis=1))[:, None]

    def games(self) -> Counter[str]:
        """Return how many games each player has, without those that were added."""
        games: Counter[str] = Counter()
        for pair, counts in zip(self.places, self.counts, strict=True):
            for place in pair:
                games[self.players[place]] += round(counts.sum()) - 1
        return games


def _score(record: GameRecord) -> float:
    return {Result.WIN: 1.0, Result.LOSS: 0.0}.get(record.result, 0.5)


def _place_of(anchor: str, pairs: _Pairs) -> int:
    if anchor not in pairs.players:
        raise ValueError(
            f"anchor must be one who played ({', '.join(pairs.players)}), got {anchor}"
        )
    return pairs.players.index(anchor)


def _require_one_group(pairs: _Pairs) -> None:
    group_of = list(range(len(pairs.players)))
    for first, second in pairs.places:
        kept, gone = group_of[first], group_of[second]
        group_of = [kept if group == gone else group for group in group_of]
    groups: dict[int, list[str]] = {}
    for player, group in zip(pairs.players, group_of, strict=True):
        groups.setdefault(group, []).append(player)
    if len(groups) > 1:
        raise ValueError(
            "wanted players that met, directly or through others, got groups that never did: "
            + "; ".join(", ".join(group) for group in groups.values())
        )


def _strengths(wins: Array, anchor: int) -> Array:
    """Return the most likely strengths, in natural logarithms, by Newton's method.

    The likelihood is concave, so a step that is halved until it gains leads to the top.

    Args:
        wins: of each player, a row, against each other, a column, in many tables at once.
        anchor: who has strength 0.
    """
    strengths = np.zeros(wins.shape[:2])  # table player
    free = np.arange(wins.shape[1]) != anchor
    for _ in range(_MOST_STEPS):
        chance = np.exp(-np.logaddexp(0, strengths[:, None, :] - strengths[:, :, None]))
        lost_chance = chance.swapaxes(1, 2)
        gradient = (wins * lost_chance - wins.swapaxes(1, 2) * chance).sum(axis=2)
        weights = (wins + wins.swapaxes(1, 2)) * chance * lost_chance
        curvature = np.eye(len(free)) * weights.sum(axis=2)[:, :, None] - weights
        inner = curvature[:, free][:, :, free]
        step = np.zeros(strengths.shape)
        step[:, free] = np.linalg.solve(inner, gradient[:, free, None])[:, :, 0]
        least = _log_likelihood(wins, strengths) - 1e-9
        for _ in range(_MOST_HALVINGS):
            worse = _log_likelihood(wins, strengths + step) < least
            if not worse.any():
                break
            step[worse] /= 2
        strengths = strengths + step
        if np.abs(step).max() < _SMALLEST_STEP:
            return strengths
    raise RuntimeError(f"no ratings after {_MOST_STEPS} steps; wins: {wins[0].tolist()}")


def _log_likelihood(wins: Array, strengths: Array) -> Array:
    distance = strengths[:, None, :] - strengths[:, :, None]
    return -(wins * np.logaddexp(0, distance)).sum(axis=(1, 2))
