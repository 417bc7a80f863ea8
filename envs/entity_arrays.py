"""Known units as the network reads them: rows of ``entities``, and the planes drawn from them.

Compiled, since every step that is read goes through here.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from envs.interface import UNKNOWN, Alliance, EntityFeature, Visibility
from envs.unit_rows import RowColumn, x_at, y_at

_SELF, _NEUTRAL, _ENEMY = int(Alliance.SELF), int(Alliance.NEUTRAL), int(Alliance.ENEMY)
_ROW_CERTAIN, _ROW_START = int(RowColumn.CERTAIN), int(RowColumn.BUILD_START)
_ROW_LOOPS, _ROW_ORDER = int(RowColumn.BUILD_LOOPS), int(RowColumn.LAST_ORDER)
_ROW_ORDER_LOOP = int(RowColumn.LAST_ORDER_LOOP)
_F_TYPE, _F_ALLIANCE, _F_X, _F_Y, _F_AGE, _F_DISPLAY, _F_BUILD = range(7)
_F_ORDER, _F_ORDER_AGE = int(EntityFeature.LAST_ORDER), int(EntityFeature.LAST_ORDER_AGE)
_MAX_AGE = 32767
_UNKNOWN = UNKNOWN
_VISIBLE_CELL, _FOGGED_CELL = int(Visibility.VISIBLE), int(Visibility.FOGGED)


@njit(cache=True)
def write_entities(
    rows: NDArray[np.int32],
    loop: int,
    max_neutrals: int,
    entities: NDArray[np.int16],
    place_of_unit: NDArray[np.int32],
) -> int:
    """Write the known units as entities; return how many.

    Which ones, if there are more than fit into ``entities``, ``shown_units`` decides.
    """
    count = len(rows)
    x, y = np.empty(count, np.int64), np.empty(count, np.int64)
    for unit in range(count):
        x[unit], y[unit] = x_at(rows[unit], loop), y_at(rows[unit], loop)
    chosen = shown_units(rows[:, 1], x, y, max_neutrals, len(entities))
    for place in range(len(chosen)):
        unit = chosen[place]
        row = rows[unit]
        place_of_unit[unit] = place
        entity = entities[place]
        entity[_F_TYPE] = row[0]
        entity[_F_ALLIANCE] = row[1]
        entity[_F_X] = x[unit]
        entity[_F_Y] = y[unit]
        entity[_F_AGE] = min(loop - row[_ROW_CERTAIN], _MAX_AGE)
        entity[_F_DISPLAY] = row[2]
        done = 100
        if row[_ROW_LOOPS] > 0:
            done = min(99, 100 * (loop - row[_ROW_START]) // row[_ROW_LOOPS])
        elif row[_ROW_LOOPS] < 0:
            done = _UNKNOWN
        entity[_F_BUILD] = done
        entity[_F_ORDER] = row[_ROW_ORDER]
        if row[_ROW_ORDER] >= 0:
            entity[_F_ORDER_AGE] = min(loop - row[_ROW_ORDER_LOOP], _MAX_AGE)
        else:
            entity[_F_ORDER_AGE] = -1
    return len(chosen)


@njit(cache=True)
def shown_units(
    alliances: NDArray[np.int32],
    x: NDArray[np.int64],
    y: NDArray[np.int64],
    max_neutrals: int,
    room: int,
) -> NDArray[np.int64]:
    """Return the units that an observation shows, in their order.

    If there are more than there is room for, own units go first, then enemies, then at most
    ``max_neutrals`` neutral ones, those near the player's own units before those far away.

    Args:
        alliances: of the units, 0 for those that are not known.
        x: of the units, subcells.
        y: of the units, subcells.
        max_neutrals: most neutral units.
        room: most units.
    """
    count, num_neutrals = 0, 0
    for alliance in alliances:
        count += alliance != 0
        num_neutrals += alliance == _NEUTRAL
    num_wanted = min(count - max(num_neutrals - max_neutrals, 0), room)
    if num_wanted < count:
        chosen = _nearest_first(alliances, x, y, count)[:num_wanted]
        chosen.sort()
        return chosen
    chosen = np.empty(count, np.int64)
    place = 0
    for unit in range(len(alliances)):
        if alliances[unit] != 0:
            chosen[place] = unit
            place += 1
    return chosen


@njit(cache=True)
def _nearest_first(
    alliances: NDArray[np.int32], x: NDArray[np.int64], y: NDArray[np.int64], count: int
) -> NDArray[np.int64]:
    """Return the known units in the order in which they are worth keeping."""
    known = np.empty(count, np.int64)
    keys = np.empty(count, np.float64)
    own = np.flatnonzero(alliances == _SELF)
    place = 0
    for unit in range(len(alliances)):
        if alliances[unit] == 0:
            continue
        known[place] = unit
        nearest = np.int64(1) << 40
        if alliances[unit] != _SELF:
            for i in own:
                away_x, away_y = x[i] - x[unit], y[i] - y[unit]
                nearest = min(nearest, away_x * away_x + away_y * away_y)
        first = 0.0 if alliances[unit] == _SELF else 1.0 if alliances[unit] == _ENEMY else 2.0
        keys[place] = first * (np.int64(1) << 41) + (0 if alliances[unit] == _SELF else nearest)
        place += 1
    return known[np.argsort(keys, kind="mergesort")]


@njit(cache=True)
def explore(
    rows: NDArray[np.int32],
    loop: int,
    sight: NDArray[np.int64],
    subcells_per_cell: int,
    visibility: NDArray[np.uint8],
    explored: NDArray[np.bool_],
) -> None:
    """Draw what the player's units see, and remember what they have seen."""
    size = len(visibility)
    for y in range(size):
        for x in range(size):
            visibility[y, x] = _FOGGED_CELL if explored[y, x] else 0
    for unit in range(len(rows)):
        if rows[unit, 1] != _SELF:
            continue
        x, y = x_at(rows[unit], loop), y_at(rows[unit], loop)
        reach = sight[rows[unit, 0]]
        for cell_y in range(
            max((y - reach) // subcells_per_cell, 0),
            min((y + reach) // subcells_per_cell + 1, size),
        ):
            away_y = cell_y * subcells_per_cell + subcells_per_cell // 2 - y
            for cell_x in range(
                max((x - reach) // subcells_per_cell, 0),
                min((x + reach) // subcells_per_cell + 1, size),
            ):
                away_x = cell_x * subcells_per_cell + subcells_per_cell // 2 - x
                if away_x * away_x + away_y * away_y <= reach * reach:
                    visibility[cell_y, cell_x] = _VISIBLE_CELL
                    explored[cell_y, cell_x] = True


@njit(cache=True)
def draw_units(
    rows: NDArray[np.int32], loop: int, subcells_per_cell: int, plane: NDArray[np.uint8]
) -> None:
    """Draw whose known unit stands in each cell: own over enemy over neutral."""
    plane[:] = 0
    for row in rows:
        alliance = row[1]
        if alliance == 0:
            continue
        x, y = x_at(row, loop) // subcells_per_cell, y_at(row, loop) // subcells_per_cell
        present = plane[y, x]
        if present == 0 or alliance == _SELF or (alliance == _ENEMY and present != _SELF):
            plane[y, x] = alliance
