"""Ways over the ground: straight where nothing stands between, else down a field around it all.

A field holds, for every cell, the direction of the next cell on the shortest way to one goal; all
units that go there share it. Distances count 2 for a step and 3 for a diagonal one, so a queue of
four buckets sorts them (Dial 1969). A field is kept while it is used; when something has been built
since, a unit that gets stuck on the way asks for a fresh one.
"""

import math

import numpy as np

from envs.engine.compiled import Record, compiled, inlined
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


@compiled
def fill_field(world: Record, field: int, goal: int) -> None:
    """Fill one of the fields with the ways to the cell ``goal``.

    A goal inside a building or a patch is reached at its edge: the search may leave the blocked
    cells that it starts in, but not enter others.
    """
    height, width = world.rows, world.columns
    num_cells = height * width
    directions = world.fields[field]
    distances = world.scratch[:num_cells]
    room = 2 * num_cells
    sizes = np.zeros(4, np.int64)
    directions[:] = NO_WAY
    distances[:] = _NEVER
    distances[goal] = 0
    directions[goal] = AT_GOAL
    world.scratch[num_cells] = goal
    sizes[0] = 1
    distance = 0
    num_waiting = 1
    while num_waiting > 0:
        bucket = distance & 3
        start = num_cells + bucket * room
        i = 0
        while i < sizes[bucket]:
            cell = world.scratch[start + i]
            i += 1
            num_waiting -= 1
            if distances[cell] != distance:
                continue
            y, x = cell // width, cell % width
            inside = not is_open(world, x, y)
            for direction in range(8):
                step_x, step_y = _STEP_X[direction], _STEP_Y[direction]
                next_x, next_y = x + step_x, y + step_y
                if next_x < 0 or next_y < 0 or next_x >= width or next_y >= height:
                    continue
                is_diagonal = direction & 1
                if not is_open(world, next_x, next_y):
                    if not inside or is_diagonal or world.blocked[next_y, next_x] == 0:
                        continue
                elif is_diagonal and not (is_open(world, next_x, y) and is_open(world, x, next_y)):
                    continue
                reached = distance + 2 + is_diagonal
                next_cell = next_y * width + next_x
                if reached < distances[next_cell]:
                    distances[next_cell] = reached
                    directions[next_cell] = (direction + 4) & 7
                    into = reached & 3
                    if sizes[into] < room:
                        world.scratch[num_cells + into * room + sizes[into]] = next_cell
                        sizes[into] += 1
                        num_waiting += 1
        sizes[bucket] = 0
        distance += 1
    world.field_goals[field, 0] = goal
    world.field_goals[field, 1] = world.clock[_LOOP]
    world.field_goals[field, 2] = world.clock[_TERRAIN_VERSION]


@inlined
def field_to(world: Record, goal: int, oldest_version: int) -> int:
    """Return the field with the ways to a cell, made anew if it is older than asked for."""
    return _field_among(world, goal, oldest_version, 0, MAX_FIELDS - NUM_QUERY_FIELDS)


@inlined
def _query_field(world: Record, goal: int) -> int:
    """Return an up-to-date field for a question, out of those that no unit walks by.

    What is asked does not enter the record of a game, and so must not change how it goes on.
    """
    version = world.clock[_TERRAIN_VERSION]
    return _field_among(world, goal, version, MAX_FIELDS - NUM_QUERY_FIELDS, MAX_FIELDS)


@inlined
def _field_among(world: Record, goal: int, oldest_version: int, first: int, end: int) -> int:
    oldest = first
    for field in range(first, end):
        if world.field_goals[field, 0] == goal:
            if world.field_goals[field, 2] < oldest_version:
                fill_field(world, field, goal)
            world.field_goals[field, 1] = world.clock[_LOOP]
            return field
        if world.field_goals[field, 1] < world.field_goals[oldest, 1]:
            oldest = field
    fill_field(world, oldest, goal)
    return oldest


@inlined
def find_corner(world: Record, unit: Record, fresh: bool) -> None:
    """Set the next corner on the way from where a unit stands to its goal."""
    width = world.columns
    goal = cell_of(world, unit.goal_x, unit.goal_y)
    unit.way_goal = goal
    unit.way_x, unit.way_y = unit.goal_x, unit.goal_y
    if is_straight(world, unit.x, unit.y, unit.goal_x, unit.goal_y, unit.goal_radius):
        return
    version = world.clock[_TERRAIN_VERSION] if fresh else 0
    directions = world.fields[field_to(world, goal, version)]
    x, y = unit.x >> CELL_BITS, unit.y >> CELL_BITS
    if directions[y * width + x] >= AT_GOAL:
        return  # in the goal's cell, or walled in: straight on is as good as anything
    for i in range(_CORNER_STEPS):
        direction = directions[y * width + x]
        if direction >= AT_GOAL:
            break
        x += _STEP_X[direction]
        y += _STEP_Y[direction]
        corner_x, corner_y = (x << CELL_BITS) + _HALF, (y << CELL_BITS) + _HALF
        if i > 0 and not is_straight(world, unit.x, unit.y, corner_x, corner_y, 0):
            break
        unit.way_x, unit.way_y = corner_x, corner_y


@compiled
def path_length(world: Record, from_x: int, from_y: int, to_x: int, to_y: int) -> int:
    """Return the length of the way over ground between two positions, 0 if there is none."""
    if is_straight(world, from_x, from_y, to_x, to_y, 0):
        return int(math.sqrt((to_x - from_x) ** 2 + (to_y - from_y) ** 2))
    width = world.columns
    goal = cell_of(world, to_x, to_y)
    directions = world.fields[_query_field(world, goal)]
    x, y = from_x >> CELL_BITS, from_y >> CELL_BITS
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
def is_open_cell(world: Record, x: int, y: int) -> bool:
    """Return whether a unit can walk over a cell; for plain code."""
    return is_open(world, x, y)


@compiled
def point_on_way(
    world: Record, from_x: int, from_y: int, to_x: int, to_y: int, num_cells: int
) -> tuple[int, int]:
    """Return where one is after so many cells of the way over ground between two positions."""
    width = world.columns
    goal = cell_of(world, to_x, to_y)
    directions = world.fields[_query_field(world, goal)]
    x, y = from_x >> CELL_BITS, from_y >> CELL_BITS
    for _ in range(num_cells):
        direction = directions[y * width + x]
        if direction >= AT_GOAL:
            break
        x += _STEP_X[direction]
        y += _STEP_Y[direction]
    return (x << CELL_BITS) + _HALF, (y << CELL_BITS) + _HALF
