"""How well a replay was read: counts that can be added over games."""

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.interface import SUBCELLS
from envs.timeline import StepFlag

_BINS_PER_UNIT = 8
_MOST_UNITS = 256


class PositionError:
    """Distances between reported positions and what was believed until then."""

    def __init__(self) -> None:
        self.reckoned = np.zeros(_MOST_UNITS * _BINS_PER_UNIT, np.int64)
        self.last_known = np.zeros(_MOST_UNITS * _BINS_PER_UNIT, np.int64)

    def add(
        self, reckoned: tuple[int, int], last_known: tuple[int, int], reported: tuple[int, int]
    ) -> None:
        """Count one report; all places in subcells."""
        for histogram, place in ((self.reckoned, reckoned), (self.last_known, last_known)):
            away = np.hypot(place[0] - reported[0], place[1] - reported[1]) / SUBCELLS
            histogram[min(int(away * _BINS_PER_UNIT), len(histogram) - 1)] += 1


def median_of(histogram: NDArray[np.int64]) -> float | None:
    """Return the median of a ``PositionError`` histogram, in world units; None if it is empty."""
    total = int(histogram.sum())
    if total == 0:
        return None
    middle = int(np.searchsorted(np.cumsum(histogram), total / 2))
    before = int(histogram[:middle].sum())
    within = (total / 2 - before) / int(histogram[middle])
    return (middle + within) / _BINS_PER_UNIT


class Quality:
    """What was counted in one game."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.labels: Counter[int] = Counter()  # by action type
        self.illegal_labels: Counter[int] = Counter()  # no own unit's type can take it
        self.unmapped: Counter[str] = Counter()  # by catalogue name
        self.own_error = PositionError()
        self.enemy_error = PositionError()

    def count_flags(self, step_flags: NDArray[np.int16]) -> None:
        """Count what is said of a player's commands."""
        commands = step_flags[(step_flags & StepFlag.SYNTHETIC) == 0]
        for flag in StepFlag:
            if flag is not StepFlag.SYNTHETIC:
                self.counts[str(flag.name).lower()] += int(((commands & flag) != 0).sum())
        both = StepFlag.CLEAN | StepFlag.MAPPED
        self.counts["clean_mapped"] += int(((commands & both) == both).sum())

    def as_record(self) -> dict[str, Any]:
        """Return all of it as plain JSON values; histograms without their empty bins."""
        return {
            "counts": dict(sorted(self.counts.items())),
            "labels": {str(key): n for key, n in sorted(self.labels.items())},
            "illegal_labels": {str(key): n for key, n in sorted(self.illegal_labels.items())},
            "unmapped": dict(sorted(self.unmapped.items())),
            "position_error": {
                f"{whose}_{what}": {str(i): int(n) for i, n in enumerate(histogram) if n}
                for whose, error in (("own", self.own_error), ("enemy", self.enemy_error))
                for what, histogram in (
                    ("reckoned", error.reckoned),
                    ("last_known", error.last_known),
                )
            },
        }


def histogram_from(record: dict[str, int]) -> NDArray[np.int64]:
    """Return a histogram as ``as_record`` wrote it."""
    histogram = np.zeros(_MOST_UNITS * _BINS_PER_UNIT, np.int64)
    for place, count in record.items():
        histogram[int(place)] = count
    return histogram
