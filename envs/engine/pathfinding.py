"""Ways over the ground: straight where nothing stands between, else down a field around it all.

A field holds, for every cell, the direction of the next cell on the shortest way to one goal; all
units that go there share it. It is filled as far as the first who asks, and wholly when somebody
comes from beyond. Distances count 2 for a step and 3 for a diagonal one, so a queue of
four buckets sorts them (Dial 1969). A field is kept while it is used; when something has been built
since, a unit that gets stuck on the way asks for a fresh one.
"""

import math

import numpy as np

from envs.engine.compiled import Array, Record, compiled, inlined
from envs.engine.layout import CELL_BITS, MAX_FIELDS, ONE, Clock

NUM_QUERY_FIELDS = 4
NO_WAY = 255
AT_GOAL = 8

_LOOP, _TERRAIN_VERSION = int(Clock.LOOP), int(Clock.TERRAIN_VERSION)
_STEP_X = (1, 1, 0, -1, -1, -1, 0, 1)
_STEP_Y = (0, 1, 1, 1, 0, -1, -1, -1)
_HALF = ONE // 2
_CORNER_STEPS = 10
_NEVER = 1 << 30
_MARGIN = 16  # of distance, by which a field reaches beyond who first asked for it
_GOAL, _USED, _VERSION, _IS_WHOLE = 0, 1, 2, 3  # columns of World.field_goals
_OPEN_CELLS = 40  # within which an open cell is looked for


@inlined
def is_open(world: Record, x: int, y: int) -> bool:
    """Return whether a unit can walk over the cell at column ``x``, row ``y``."""
    if x < 0 or y < 0 or y >= world.rows or x >= world.columns:
        return False
    return world.pathable[y, x] == 1 and world.blocked[y, x] == 0


@inlined
def is_straight(world: Record, from_x: int, from_y: int, to_x: int, to_y: int, radius: int) -> bool:
    """Return whether a straight line runs over open cells alone, up to a distance from its end."""
    distance = math.sqrt((to_x - from_x) ** 2 + (to_y - from_y) ** 2)
    num_samples = int(distance / _HALF) + 1
    num_open = num_samples - int(radius / _HALF)
    for i in range(1, num_open + 1):
        x = (from_x + (to_x - from_x) * i // num_samples) >> CELL_BITS
        y = (from_y + (to_y - from_y) * i // num_samples) >> CELL_BITS
        if not is_open(world, x, y):
            return False
    return True


@inlined
def cell_of(world: Record, x: int, y: int) -> int:
    """Return the number of the cell at a position, of the nearest one off the map."""
    row = min(max(y >> CELL_BITS, 0), world.rows - 1)
    column = min(max(x >> CELL_BITS, 0), world.columns - 1)
    return row * world.columns + column


@inlined
def fill_field(world: Record, field: int, goal: int, start: int) -> None:
    """Fill one of the fields with the ways to the cell ``goal``, as far as the cell ``start``.

    A goal inside a building or a patch is reached at its edge: the search may leave the cells that
    this one stands on, but not cross others that touch them. A negative ``start`` asks for all
    ways.
    """
    height, width = world.rows, world.columns
    num_cells = height * width
    directions = world.fields[field]
    distances = world.scratch[:num_cells]
    room = 2 * num_cells
    sizes = np.zeros(4, np.int64)
    directions[:num_cells] = NO_WAY
    distances[:] = _NEVER
    distances[goal] = 0
    mark = world.blocked[goal // width, goal % width]
    directions[goal] = AT_GOAL
    world.scratch[num_cells] = goal
    sizes[0] = 1
    distance = 0
    num_waiting = 1
    last = _NEVER
    while num_waiting > 0 and distance <= last:
        bucket = distance & 3
        first = num_cells + bucket * room
        i = 0
        while i < sizes[bucket]:
            cell = world.scratch[first + i]
            i += 1
            num_waiting -= 1
            if distances[cell] != distance:
                continue
            if cell == start:
                last = distance + _MARGIN
            y, x = cell // width, cell % width
            inside = not is_open(world, x, y)
            for direction in range(8):
                step_x, step_y = _STEP_X[direction], _STEP_Y[direction]
                next_x, next_y = x + step_x, y + step_y
                if next_x < 0 or next_y < 0 or next_x >= width or next_y >= height:
                    continue
                is_diagonal = direction & 1
                reached = distance + 2 + is_diagonal
                next_cell = next_y * width + next_x
                if reached >= distances[next_cell]:
                    continue
                if not is_open(world, next_x, next_y):
                    if not inside or is_diagonal or mark == 0:
                        continue
                    if world.blocked[next_y, next_x] != mark:
                        continue
                elif is_diagonal and not (is_open(world, next_x, y) and is_open(world, x, next_y)):
                    continue
                distances[next_cell] = reached
                directions[next_cell] = (direction + 4) & 7
                into = reached & 3
                if sizes[into] < room:
                    world.scratch[num_cells + into * room + sizes[into]] = next_cell
                    sizes[into] += 1
                    num_waiting += 1
        sizes[bucket] = 0
        distance += 1
    world.field_goals[field, _GOAL] = goal
    world.field_goals[field, _USED] = world.clock[_LOOP]
    world.field_goals[field, _VERSION] = world.clock[_TERRAIN_VERSION]
    world.field_goals[field, _IS_WHOLE] = 1 if num_waiting == 0 else 0


@inlined
def field_to(world: Record, goal: int, start: int, oldest_version: int) -> int:
    """Return the field with the ways from one cell to another.

    It is made anew if it is older than asked for, and made larger if it does not reach so far.
    """
    return _field_among(world, goal, start, oldest_version, 0, MAX_FIELDS - NUM_QUERY_FIELDS)


@inlined
def _query_field(world: Record, goal: int, start: int) -> int:
    """Return an up-to-date field for a question, out of those that no unit walks by.

    What is asked does not enter the record of a game, and so must not change how it goes on.
    """
    version = world.clock[_TERRAIN_VERSION]
    return _field_among(world, goal, start, version, MAX_FIELDS - NUM_QUERY_FIELDS, MAX_FIELDS)


@inlined
def _field_among(
    world: Record, goal: int, start: int, oldest_version: int, first: int, end: int
) -> int:
    oldest = first
    for field in range(first, end):
        known = world.field_goals[field]
        if known[_GOAL] == goal:
            if known[_VERSION] < oldest_version:
                fill_field(world, field, goal, start)
            elif known[_IS_WHOLE] == 0 and world.fields[field, start] == NO_WAY:
                fill_field(world, field, goal, -1)
            known[_USED] = world.clock[_LOOP]
            return field
        if known[_USED] < world.field_goals[oldest, _USED]:
            oldest = field
    fill_field(world, oldest, goal, start)
    return oldest


@inlined
def find_corner(world: Record, unit: Record, fresh: bool) -> None:
    """Set the next corner on the way from where a unit stands to its goal.

    Who got stuck asks for a fresh way, and not for the straight one: what stands close before the
    goal is not looked at there.
    """
    width = world.columns
    goal = cell_of(world, unit.goal_x, unit.goal_y)
    unit.way_goal = goal
    unit.way_x, unit.way_y = unit.goal_x, unit.goal_y
    radius = 0 if fresh else unit.goal_radius
    if is_straight(world, unit.x, unit.y, unit.goal_x, unit.goal_y, radius):
        return
    version = world.clock[_TERRAIN_VERSION] if fresh else 0
    x, y = unit.x >> CELL_BITS, unit.y >> CELL_BITS
    directions = world.fields[field_to(world, goal, y * width + x, version)]
    if directions[y * width + x] >= AT_GOAL:
        return  # in the goal's cell, or walled in: straight on is as good as anything
    for i in range(_CORNER_STEPS):
        direction = directions[y * width + x]
        if direction >= AT_GOAL:
            break
        x += _STEP_X[direction]
        y += _STEP_Y[direction]
        if fresh and not is_open(world, x, y):
            break  # in the goal's own building: it slides along its side instead
        corner_x, corner_y = (x << CELL_BITS) + _HALF, (y << CELL_BITS) + _HALF
        if i > 0 and not is_straight(world, unit.x, unit.y, corner_x, corner_y, 0):
            break
        unit.way_x, unit.way_y = corner_x, corner_y


@compiled
def path_length(record: Array, from_x: int, from_y: int, to_x: int, to_y: int) -> int:
    """Return the length of the way over ground between two positions, 0 if there is none."""
    world = record[0]
    if is_straight(world, from_x, from_y, to_x, to_y, 0):
        return int(math.sqrt((to_x - from_x) ** 2 + (to_y - from_y) ** 2))
    width = world.columns
    goal = cell_of(world, to_x, to_y)
    x, y = from_x >> CELL_BITS, from_y >> CELL_BITS
    directions = world.fields[_query_field(world, goal, y * width + x)]
    length = 0
    while True:
        direction = directions[y * width + x]
        if direction == NO_WAY:
            return 0
        if direction == AT_GOAL:
            return max(length, 1)
        length += ONE if direction & 1 == 0 else 5793
        x += _STEP_X[direction]
        y += _STEP_Y[direction]


@compiled
def is_open_cell(record: Array, x: int, y: int) -> bool:
    """Return whether a unit can walk over a cell; for plain code."""
    world = record[0]
    return is_open(world, x, y)


@compiled
def open_place(record: Array, x: int, y: int) -> tuple[int, int]:
    """Return the middle of the open cell nearest to a position, itself if it is in one."""
    world = record[0]
    column, row = x >> CELL_BITS, y >> CELL_BITS
    if is_open(world, column, row):
        return x, y
    best_x, best_y, best_distance = x, y, -1
    for radius in range(1, _OPEN_CELLS):
        for across in range(-radius, radius + 1):
            step = 1 if abs(across) == radius else 2 * radius
            for along in range(-radius, radius + 1, step):
                if not is_open(world, column + along, row + across):
                    continue
                place_x = ((column + along) << CELL_BITS) + _HALF
                place_y = ((row + across) << CELL_BITS) + _HALF
                distance = (place_x - x) ** 2 + (place_y - y) ** 2
                if best_distance < 0 or distance < best_distance:
                    best_x, best_y, best_distance = place_x, place_y, distance
        if best_distance >= 0:
            break
    return best_x, best_y
