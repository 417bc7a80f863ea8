"""Intervals for shares that were counted, such as win rates."""

import math

_NORMAL_95 = 1.959963984540054


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
