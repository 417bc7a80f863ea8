"""What people choose by name: opponents, races, and where a game runs."""

from enum import Enum, IntEnum
from typing import TypeVar

from envs.interface import Race

Choice = TypeVar("Choice", bound=Enum)

PLAYABLE_RACES = (Race.TERRAN, Race.ZERG, Race.PROTOSS)


class Difficulty(IntEnum):
    """Levels of the built-in opponents, named and numbered as in the SC2 API."""

    VERY_EASY = 1
    EASY = 2
    MEDIUM = 3
    MEDIUM_HARD = 4
    HARD = 5
    HARDER = 6
    VERY_HARD = 7
    CHEAT_VISION = 8
    CHEAT_MONEY = 9
    CHEAT_INSANE = 10


class Build(IntEnum):
    """What the built-in opponents go for, numbered as in the SC2 API, named as by pysc2."""

    RANDOM = 1
    RUSH = 2
    TIMING = 3
    POWER = 4
    MACRO = 5
    AIR = 6


class GamePlace(Enum):
    """Where a game runs."""

    IN_PROCESS = "in_process"  # the engine, in this process
    PROCESS = "process"  # a program of its own: what SC2PATH names, or the engine


def chosen(what: str, choices: type[Choice], name: str | Choice) -> Choice:
    """Return what was chosen by its name, in any case of letters.

    Args:
        what: is chosen, for the error.
        choices: those that there are; a race is one that a player can choose.
        name: of one of them, or one itself.

    Raises:
        ValueError: there is no such choice.
    """
    found = {choice.name.lower(): choice for choice in choices if choice is not Race.NONE}
    key = name.name if isinstance(name, choices) else str(name)
    if key.lower() not in found:
        raise ValueError(f"{what} must be one of {', '.join(found)}, got {name!r}")
    return found[key.lower()]
