"""A running account of a game in words: how a player stands, and what it does with how many units.

A line tells all that was decided since the line before it. There is one as soon as something is
decided for the first time, and one every ten seconds of game time in which anything is.
"""

import re
from collections import Counter
from collections.abc import Callable
from functools import cache

from envs.actions import NO_OP
from envs.interface import (
    LOOPS_PER_SECOND,
    Action,
    Alliance,
    EntityFeature,
    Observation,
    ScalarFeature,
    raw_functions,
    read_table,
)

HEADING = "  time   supply  minerals   gas  workers  army  enemies seen"

_SECONDS_BETWEEN_LINES = 10
_SUFFIX = re.compile(r"_(quick|pt|unit|autocast)$")


class Commentary:
    """Tells what one player does in one game."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """Take a function that is given the lines."""
        self._say = say
        self._kinds: set[str] = set()  # of what was ever done
        self._times: Counter[str] = Counter()  # what was done since the last line, how often
        self._units: dict[str, Counter[str]] = {}  # and with how many of each type at most
        self._told_at = 0

    def note(self, observation: Observation, action: Action, refusal: str | None) -> None:
        """Take a decision, and tell of it if it is time to.

        Args:
            observation: what the player was shown.
            action: what it decided.
            refusal: why that was not done, if so.
        """
        loop = int(observation.scalars[ScalarFeature.GAME_LOOP])
        is_first = False
        if action.action_type != NO_OP:
            deed = _deed_name(action.action_type)
            if refusal is not None:
                deed += f" refused: {refusal}"
            is_first = deed not in self._kinds
            self._kinds.add(deed)
            self._times[deed] += 1
            self._units[deed] = self._units.get(deed, Counter()) | _selected(observation, action)
        is_time = loop - self._told_at >= _SECONDS_BETWEEN_LINES * LOOPS_PER_SECOND
        if is_first or (is_time and self._times):
            self._say(f"{_standing(observation)}  {self._deeds()}")
            self._times.clear()
            self._units.clear()
            self._told_at = loop

    def _deeds(self) -> str:
        return ", ".join(
            f"{deed}{f' x{times}' if times > 1 else ''} ({_counts(self._units[deed])})"
            for deed, times in self._times.items()
        )


def clock(loop: int) -> str:
    """Return a game's time as players see it: minutes and seconds at speed Faster."""
    seconds = int(loop / LOOPS_PER_SECOND)
    return f"{seconds // 60}:{seconds % 60:02d}"


def _standing(observation: Observation) -> str:
    """Return how a player stands, in the columns of ``HEADING``."""
    told = observation.scalars
    supply = f"{told[ScalarFeature.FOOD_USED]}/{told[ScalarFeature.FOOD_CAP]}"
    alliances = observation.entities[:, EntityFeature.ALLIANCE]
    numbers = (
        f"{clock(int(told[ScalarFeature.GAME_LOOP])):>6}",
        f"{supply:>7}",
        f"{told[ScalarFeature.MINERALS]:>8}",
        f"{told[ScalarFeature.VESPENE]:>4}",
        f"{told[ScalarFeature.FOOD_WORKERS]:>7}",
        f"{told[ScalarFeature.ARMY_COUNT]:>4}",
        f"{int((alliances == Alliance.ENEMY).sum()):>12}",
    )
    return "  ".join(numbers)


@cache
def _deed_name(action_type: int) -> str:
    """Return what a raw function does, in words."""
    return _SUFFIX.sub("", raw_functions()[action_type].name).replace("_", " ")


def _selected(observation: Observation, action: Action) -> Counter[str]:
    rows = action.selected_units
    rows = rows[(rows >= 0) & (rows < len(observation.entities))]
    types = observation.entities[rows, EntityFeature.UNIT_TYPE].tolist()
    return Counter(_unit_names()[number] or "other" for number in types)


def _counts(units: Counter[str]) -> str:
    return ", ".join(f"{number} {name}" for name, number in units.most_common()) or "nobody"


@cache
def _unit_names() -> tuple[str, ...]:
    return tuple(row["name"] for row in read_table("unit_types.csv"))
