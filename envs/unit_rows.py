"""A unit as one row of integers that changes seldom: what follows from time is computed.

A row holds where a unit was, how it moves and since when; where it *is* at a loop is arithmetic.
Replay decoding keeps the true world and each player's view of it in such rows, datasets store
their changes, and readers turn them into ``entities``. All use these functions, so all agree to
the last bit.
"""

from enum import IntEnum

import numpy as np
from numba import njit
from numpy.typing import NDArray

from envs.interface import SUBCELLS, UNKNOWN, WORLD_SIZE, Alliance, DisplayType

VELOCITY_SCALE = 256
"""Velocities are stored as integers, this many to a subcell per loop."""


class RowColumn(IntEnum):
    """Columns of a unit row."""

    UNIT_TYPE = 0
    ALLIANCE = 1  # in a view; in the world the owning player, 0 for nobody
    DISPLAY_TYPE = 2
    X = 3  # subcells, at SINCE
    Y = 4
    VELOCITY_X = 5
    VELOCITY_Y = 6
    SINCE = 7  # loop
    UNTIL = 8  # loop at which it stands still
    CERTAIN = 9  # loop at which the position was last certain, or last seen
    BUILD_START = 10  # loop
    BUILD_LOOPS = 11  # 0 when finished, UNKNOWN for a type whose time is not known
    LAST_ORDER = 12  # action type
    LAST_ORDER_LOOP = 13


NUM_COLUMNS = len(RowColumn)

_UNIT_TYPE, _ALLIANCE, _DISPLAY, _X, _Y, _VX, _VY, _SINCE, _UNTIL = range(9)
_CERTAIN, _BUILD_START, _BUILD_LOOPS, _ORDER, _ORDER_LOOP = range(9, 14)
_SELF, _NEUTRAL, _ENEMY = int(Alliance.SELF), int(Alliance.NEUTRAL), int(Alliance.ENEMY)
_VISIBLE, _SNAPSHOT = int(DisplayType.VISIBLE), int(DisplayType.SNAPSHOT)
_WORLD_END = WORLD_SIZE * SUBCELLS - 1
_UNKNOWN = UNKNOWN


@njit(cache=True)
def x_at(row: NDArray[np.int32], loop: int) -> int:
    """Return where a unit is at a loop, in subcells from the left."""
    moved = (row[_VX] * np.int64(min(loop, row[_UNTIL]) - row[_SINCE])) // VELOCITY_SCALE
    return min(max(row[_X] + moved, 0), _WORLD_END)


@njit(cache=True)
def y_at(row: NDArray[np.int32], loop: int) -> int:
    """Return where a unit is at a loop, in subcells from the bottom."""
    moved = (row[_VY] * np.int64(min(loop, row[_UNTIL]) - row[_SINCE])) // VELOCITY_SCALE
    return min(max(row[_Y] + moved, 0), _WORLD_END)


@njit(cache=True)
def halt(row: NDArray[np.int32], loop: int) -> None:
    """Let a unit stand where it is at a loop."""
    row[_X], row[_Y] = x_at(row, loop), y_at(row, loop)
    row[_VX] = row[_VY] = 0
    row[_SINCE] = row[_UNTIL] = loop


@njit(cache=True)
def head_for(row: NDArray[np.int32], loop: int, x: float, y: float, speed: float) -> None:
    """Let a unit walk straight from where it is to a place, in subcells, and stop there."""
    halt(row, loop)
    away_x, away_y = x - row[_X], y - row[_Y]
    distance = np.sqrt(away_x * away_x + away_y * away_y)
    if speed <= 0 or distance < 1:
        return
    loops = np.int32(np.ceil(distance / speed))
    row[_VX] = np.int32(np.round(VELOCITY_SCALE * away_x / loops))
    row[_VY] = np.int32(np.round(VELOCITY_SCALE * away_y / loops))
    row[_UNTIL] = loop + loops


@njit(cache=True)
def look(  # noqa: C901  # one case an allegiance
    world: NDArray[np.int32],
    alive: NDArray[np.bool_],
    player: int,
    loop: int,
    sight: NDArray[np.int64],
    detects: NDArray[np.int64],
    is_cloaked: NDArray[np.bool_],
    view: NDArray[np.int32],
    last_seen: NDArray[np.int32],
    changed: NDArray[np.int32],
) -> int:
    """Bring a player's view of the world up to date.

    A unit of another owner is seen while it stands within the sight range of a unit of the
    player's (cloaked and burrowed ones: within the detection range of one). A unit that is no
    longer seen stays where it was last seen, as what it was then, until the player sees that
    place without it; readers let what was being built go on. Neutral units are known from the
    start. Terrain hides nothing, since replays do not hold it.

    Args:
        world: true rows; ALLIANCE holds the owner.
        alive: whether each unit exists.
        player: whose view it is.
        loop: the present.
        sight: by unit type, in subcells.
        detects: by unit type, in subcells.
        is_cloaked: by unit type.
        view: the player's rows, changed in place; ALLIANCE is 0 where nothing is known.
        last_seen: loop of the last look that saw each unit, changed in place.
        changed: receives the units whose rows changed.

    Returns:
        How many units changed.
    """
    count = len(world)
    eyes = np.empty((count, 4), np.int64)
    num_eyes = 0
    for unit in range(count):
        if alive[unit] and world[unit, _ALLIANCE] == player:
            kind = world[unit, _UNIT_TYPE]
            eyes[num_eyes, 0] = x_at(world[unit], loop)
            eyes[num_eyes, 1] = y_at(world[unit], loop)
            eyes[num_eyes, 2] = sight[kind] * sight[kind]
            eyes[num_eyes, 3] = detects[kind] * detects[kind]
            num_eyes += 1
    row = np.empty(NUM_COLUMNS, np.int32)
    num_changed = 0
    for unit in range(count):
        known = view[unit, _ALLIANCE]
        if not alive[unit] and known == 0:
            continue
        owner = world[unit, _ALLIANCE]
        row[:] = view[unit]
        if owner == player:
            if alive[unit]:
                row[:] = world[unit]
                row[_ALLIANCE] = _SELF
                row[_DISPLAY] = _VISIBLE
            else:
                row[_ALLIANCE] = 0
        else:
            in_sight = False
            if alive[unit]:
                column = 3 if is_cloaked[world[unit, _UNIT_TYPE]] and owner != 0 else 2
                here_x, here_y = x_at(world[unit], loop), y_at(world[unit], loop)
                in_sight = _is_covered(eyes, num_eyes, here_x, here_y, column)
            if in_sight or (owner == 0 and alive[unit] and known == 0):
                row[:] = world[unit]
                row[_ALLIANCE] = _NEUTRAL if owner == 0 else _ENEMY
                row[_DISPLAY] = _VISIBLE if in_sight else _SNAPSHOT
                row[_ORDER] = _UNKNOWN
                row[_ORDER_LOOP] = 0
                last_seen[unit] = loop
            elif known != 0:
                if row[_DISPLAY] == _VISIBLE:
                    halt(row, last_seen[unit])
                    row[_CERTAIN] = last_seen[unit]
                    row[_DISPLAY] = _SNAPSHOT
                if _is_covered(eyes, num_eyes, row[_X], row[_Y], 2):
                    row[_ALLIANCE] = 0
        differs = False
        for column in range(NUM_COLUMNS):
            differs |= row[column] != view[unit, column]
        if differs:
            if row[_ALLIANCE] == 0:
                row[:] = 0
            view[unit] = row
            changed[num_changed] = unit
            num_changed += 1
    return num_changed


@njit(cache=True)
def _is_covered(eyes: NDArray[np.int64], num_eyes: int, x: int, y: int, column: int) -> bool:
    for i in range(num_eyes):
        away_x, away_y = eyes[i, 0] - x, eyes[i, 1] - y
        if away_x * away_x + away_y * away_y < eyes[i, column]:
            return True
    return False
