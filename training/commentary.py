"""A running account of a game in words: how a player stands, and what it does with how many units.

A line tells all that was done since the line before it. There is one as soon as something is done
for the first time, and one every ten seconds of game time in which anything is done.
"""

import re
from collections import Counter
from collections.abc import Callable
from functools import cache

from agent.player import Player, Sight
from envs.actions import NO_OP
from envs.interface import (
    LOOPS_PER_SECOND,
    Action,
    Alliance,
    EntityFeature,
    Observation,
    Race,
    ScalarFeature,
    raw_functions,
    read_table,
)
from envs.observations import GameMap

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

    def note(self, observation: Observation, action: Action) -> None:
        """Take what the player decides on what it is shown, and tell of it if it is time to."""
        loop = int(observation.scalars[ScalarFeature.GAME_LOOP])
        is_first = False
        if action.action_type != NO_OP:
            deed = deed_name(action.action_type)
            is_first = deed not in self._kinds
            self._kinds.add(deed)
            self._times[deed] += 1
            self._units[deed] = self._units.get(deed, Counter()) | _selected(observation, action)
        is_time = loop - self._told_at >= _SECONDS_BETWEEN_LINES * LOOPS_PER_SECOND
        if is_first or (is_time and self._times):
            self._say(f"{standing(observation)}  {self._deeds()}")
            self._times.clear()
            self._units.clear()
            self._told_at = loop

    def _deeds(self) -> str:
        return ", ".join(
            f"{deed}{f' x{times}' if times > 1 else ''} ({_counts(self._units[deed])})"
            for deed, times in self._times.items()
        )


class CommentedPlayer:
    """A player whose decisions somebody is told of."""

    def __init__(self, player: Player, note: Callable[[Observation, Action], None]) -> None:
        """Take a player, and who is told of what it sees and decides."""
        self._player = player
        self._note = note

    @property
    def name(self) -> str:
        """Who it is."""
        return self._player.name

    @property
    def sight(self) -> Sight:
        """How much it is to be shown."""
        return self._player.sight

    def reset(self, game_map: GameMap, race: Race, *, seed: int) -> None:
        """Begin a game."""
        self._player.reset(game_map, race, seed=seed)

    def act(self, observation: Observation) -> Action:
        """Return what the player decides."""
        action = self._player.act(observation)
        self._note(observation, action)
        return action


def clock(loop: int) -> str:
    """Return a game's time as players see it: minutes and seconds at speed Faster."""
    seconds = int(loop / LOOPS_PER_SECOND)
    return f"{seconds // 60}:{seconds % 60:02d}"


def standing(observation: Observation) -> str:
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
def deed_name(action_type: int) -> str:
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
