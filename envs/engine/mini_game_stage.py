"""What mini-games are made of: the match that they are played in, their stage, their units' places.

Positions are in world units. What is drawn comes from the match's own generator, and distances
from square roots, which are the same on all machines: same seed, same game.
"""

import math
from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from envs.engine.resource_fields import Base, Resource

MINI_GAME_MAP_SIDE = 64
"""Width and height of every mini-game's map, in cells."""

PLAYER, ENEMY, NEUTRAL = 1, 2, 0

COMMAND_CENTER, SCV = 18, 45

_MAX_DRAWS = 200
_COLUMN, _MAX_COLUMNS = 9, 5  # of a formation: units in a vertical line, lines
_START_WORKERS = 12


class Arena(NamedTuple):
    """The part of a map that can be walked on, in cells."""

    left: int
    bottom: int
    right: int  # excluded
    top: int  # excluded

    @property
    def centre(self) -> tuple[float, float]:
        """The point in the middle."""
        return (self.left + self.right) / 2, (self.bottom + self.top) / 2


ONE_SCREEN = Arena(20, 23, 44, 41)
"""About what the camera shows at once."""

WIDE = Arena(8, 8, 56, 56)


class Stage(NamedTuple):
    """What a match is to know of a mini-game before it starts."""

    arena: Arena
    duration_loops: int
    has_fog: bool = False
    bases: tuple[Base, ...] = ()  # the first is where the player starts
    resources: tuple[Resource, ...] = ()


class MiniGameMatch(Protocol):
    """What a mini-game needs of the match that it is played in."""

    @property
    def random(self) -> np.random.Generator:
        """The source of all that is drawn in the course of the match."""

    @property
    def loop(self) -> int:
        """Game loops since the start."""

    def spawn(self, unit_id: int, owner: int, x: float, y: float) -> int:
        """Put a finished unit on the map and return its tag."""

    def remove(self, tag: int) -> None:
        """Take a unit off the map; it does not count as killed."""

    def place(self, tag: int, x: float, y: float) -> None:
        """Put a unit elsewhere; it forgets its orders and keeps its health."""

    def position(self, tag: int) -> tuple[float, float]:
        """Return where a living unit is."""

    def is_alive(self, tag: int) -> bool:
        """Return whether there still is a unit with this tag."""

    def attack_towards(self, tag: int, x: float, y: float) -> None:
        """Order a unit to walk there and to fight what it meets."""

    def allow_only(self, player: int, unit_ids: Collection[int]) -> None:
        """Let a player train and build these types of units and no others."""

    def collected(self, player: int) -> tuple[int, int]:
        """Return how many minerals and how much gas workers brought home since the start."""

    def count_made(self, player: int, unit_id: int) -> int:
        """Return how many units of a type a player has trained since the start."""

    def set_score(self, player: int, value: int) -> None:
        """Set the score that a player is told."""

    def end(self, player: int) -> None:
        """End the game of a player, and with it the match."""


class MiniGame(Protocol):
    """Rules of a mini-game, and where one game of it stands; every game takes a new one."""

    @property
    def stage(self) -> Stage:
        """What is known before it starts."""

    def start(self, match: MiniGameMatch) -> None:
        """Put the units of the first round on the map."""

    def after_loop(self, match: MiniGameMatch) -> None:
        """Score what happened in a game loop, begin a new round, or end the game."""


class Around(NamedTuple):
    """Where something new may appear, as seen from one point."""

    x: float
    y: float
    nearest: float
    furthest: float = math.inf

    def room(self, x: float, y: float) -> float:
        """Return by how much a spot keeps within the bounds; negative if it does not."""
        away = distance((self.x, self.y), (x, y))
        return min(away - self.nearest, self.furthest - away)


def distance(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Return how far two points are from each other, the same on all machines."""
    return math.sqrt((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2)


def drawn_spot(match: MiniGameMatch, arena: Arena, bounds: Sequence[Around]) -> tuple[float, float]:
    """Return a random spot within all bounds, at least one cell off the arena's edge.

    Where so many draws find none, the one that comes nearest to it is taken.
    """
    best, best_room = arena.centre, -math.inf
    for _ in range(_MAX_DRAWS):
        x = float(match.random.uniform(arena.left + 1, arena.right - 1))
        y = float(match.random.uniform(arena.bottom + 1, arena.top - 1))
        room = min((around.room(x, y) for around in bounds), default=0.0)
        if room >= 0:
            return x, y
        if room > best_room:
            best, best_room = (x, y), room
    return best


def line(number: int, middle: float, spacing: float) -> list[float]:
    """Return evenly spaced numbers about a middle."""
    return [middle + (i - (number - 1) / 2) * spacing for i in range(number)]


def formation(number: int, x: float, y: float, away: int) -> list[tuple[float, float]]:
    """Return spots in vertical lines a unit apart, further lines away from the enemy."""
    spots: list[tuple[float, float]] = []
    while len(spots) < number:
        column = min(len(spots) // _COLUMN, _MAX_COLUMNS - 1)
        size = min(_COLUMN, number - len(spots))
        spots += [(x + away * column, spot_y) for spot_y in line(size, y, 1.0)]
    return spots


def start_base(match: MiniGameMatch, base: Base) -> None:
    """Put a Command Center on the map, with SCVs between it and the minerals."""
    x, y = base.centre
    match.spawn(COMMAND_CENTER, PLAYER, x, y)
    for i in range(_START_WORKERS // 2):
        along = 0.8 * i - 1.0
        match.spawn(SCV, PLAYER, x + base.toward_x * 3.5, y + base.toward_y * along)
        match.spawn(SCV, PLAYER, x + base.toward_x * along, y + base.toward_y * 3.5)
