"""Looking for places: where a building fits, where a unit can be warped in. Compiled."""

from envs.engine.compiled import Array, Record, compiled, inlined
from envs.engine.layout import CELL_BITS, ONE, Clock, Trait
from envs.engine.pathfinding import is_open

_NUM_ALIVE = int(Clock.NUM_ALIVE)
_POWER_SOURCE, _STRUCTURE = int(Trait.POWER_SOURCE), int(Trait.STRUCTURE)
_POWER_REACH = 6 * ONE
_WARP_CELLS = 5
_WARP_ROOM = ONE  # to the units around


@compiled
def find_place(
    record: Array,
    keep_clear: Array,
    side: int,
    add_on: int,
    x: int,
    y: int,
    creep: int,
    powered: int,
    reach: int,
) -> tuple[int, int]:
    """Return where a building fits, as near as can be to a position; (-1, -1) for nowhere.

    Around it stays a lane of one cell. ``add_on`` says to leave room for one; ``creep`` is 1 to
    build on creep, 0 to keep off it, -1 not to care; ``powered`` is a player whose power it needs.
    """
    world = record[0]
    centre_row, centre_column = y >> CELL_BITS, x >> CELL_BITS
    for radius in range(reach):
        best_x, best_y, best_distance = -1, -1, 1 << 60
        for row in range(centre_row - radius, centre_row + radius + 1):
            is_edge = abs(row - centre_row) == radius
            step = 1 if is_edge else max(2 * radius, 1)
            for column in range(centre_column - radius, centre_column + radius + 1, step):
                if not _fits(world, keep_clear, row, column, side, side, creep):
                    continue
                if add_on and not _fits(world, keep_clear, row, column + side, 2, 2, creep):
                    continue
                place_x = (2 * column + side) * ONE // 2
                place_y = (2 * row + side) * ONE // 2
                if powered and not _is_powered(world, powered, place_x, place_y):
                    continue
                distance = (place_x - x) ** 2 + (place_y - y) ** 2
                if distance < best_distance:
                    best_x, best_y, best_distance = place_x, place_y, distance
        if best_x >= 0:
            return best_x, best_y
    return -1, -1


@inlined
def _fits(
    world: Record, keep_clear: Array, row: int, column: int, rows: int, columns: int, creep: int
) -> bool:
    height, width = world.rows, world.columns
    if row < 1 or column < 1 or row + rows >= height or column + columns >= width:
        return False
    for y in range(row - 1, row + rows + 1):
        for x in range(column - 1, column + columns + 1):
            if world.occupied[y, x] or keep_clear[y, x]:
                return False
            is_lane = y < row or x < column or y >= row + rows or x >= column + columns
            if is_lane:
                continue
            if not world.buildable[y, x]:
                return False
            if creep == 1 and world.creep[y, x] == 0:
                return False
            if creep == 0 and world.creep[y, x] > 0:
                return False
    return True


@inlined
def _is_powered(world: Record, owner: int, x: int, y: int) -> bool:
    for i in range(world.clock[_NUM_ALIVE]):
        source = world.units[world.alive[i]]
        if source.owner != owner or source.build_left > 0:
            continue
        kind = world.types[owner, source.type]
        if kind.traits & _POWER_SOURCE and kind.flying == 0:
            if (source.x - x) ** 2 + (source.y - y) ** 2 <= _POWER_REACH * _POWER_REACH:
                return True
    return False


@compiled
def find_warp_place(record: Array, x: int, y: int) -> tuple[int, int]:
    """Return where a unit can be warped in by a pylon's power; (-1, -1) for nowhere."""
    world = record[0]
    centre_row, centre_column = y >> CELL_BITS, x >> CELL_BITS
    for radius in range(1, _WARP_CELLS + 1):
        for row in range(centre_row - radius, centre_row + radius + 1):
            step = 1 if abs(row - centre_row) == radius else 2 * radius
            for column in range(centre_column - radius, centre_column + radius + 1, step):
                place_x = (2 * column + 1) * ONE // 2
                place_y = (2 * row + 1) * ONE // 2
                if (place_x - x) ** 2 + (place_y - y) ** 2 > _POWER_REACH * _POWER_REACH:
                    continue
                if is_open(world, column, row) and _has_room(world, place_x, place_y):
                    return place_x, place_y
    return -1, -1


@inlined
def _has_room(world: Record, x: int, y: int) -> bool:
    for i in range(world.clock[_NUM_ALIVE]):
        unit = world.units[world.alive[i]]
        if abs(unit.x - x) >= _WARP_ROOM or abs(unit.y - y) >= _WARP_ROOM:
            continue
        kind = world.types[unit.owner, unit.type]
        if kind.flying == 0 and kind.traits & _STRUCTURE == 0:
            return False
    return True
