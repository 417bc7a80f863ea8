"""Intervals for shares that were counted, such as win rates, and for means, such as scores."""

import math
from collections.abc import Sequence

import numpy as np

_NORMAL_95 = 1.959963984540054
_NUM_RESAMPLES, _BOOTSTRAP_SEED = 10_000, 0


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927); all there can be where nothing was tried.

    It stays within 0 and 1 and says something even where every trial went the same way.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"successes must be between 0 and {trials}, got {successes}")
    if trials == 0:
        return 0.0, 1.0
    share, square = successes / trials, _NORMAL_95**2
    widened = 1 + square / trials
    middle = (share + square / (2 * trials)) / widened
    spread = share * (1 - share) / trials + square / (4 * trials**2)
    half = _NORMAL_95 * math.sqrt(spread) / widened
    return max(0.0, middle - half), min(1.0, middle + half)


def mean_interval(values: Sequence[int] | Sequence[float]) -> tuple[float, float]:
    """Return the 95 % interval of a mean, by the bootstrap's percentiles (Efron 1979).

    It is of no width where all values are the same, as with one alone.
    """
    if not values:
        raise ValueError("values must be at least one, got none")
    generator = np.random.default_rng(_BOOTSTRAP_SEED)
    drawn = generator.choice(np.asarray(values, np.float64), (_NUM_RESAMPLES, len(values)))
    low, high = np.percentile(drawn.mean(axis=1), [2.5, 97.5])
    return float(low), float(high)
