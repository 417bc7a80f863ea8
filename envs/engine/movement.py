"""Moving: towards a corner of the way, around each other, never into a cliff or a building.

Units push each other apart where they overlap. Who walks gives way to who stands and fights,
and slides around it; who stands idle makes room for friends that walk.
"""

import math

from envs.engine.compiled import Record, inlined
from envs.engine.layout import (
    BIN_BITS,
    CELL_BITS,
    NUM_OWNERS,
    ONE,
    PRESENCE_BITS,
    Clock,
    Task,
    Trait,
)
from envs.engine.pathfinding import cell_of, find_corner, is_open

_LOOP = int(Clock.LOOP)
_BURROWED = int(Trait.BURROWED)
_STRUCTURE = int(Trait.STRUCTURE)
_NO_COLLISION = int(Trait.NO_COLLISION)
_CLIFFS = int(Trait.HANGS_ON_CLIFFS)
_GATHER, _RETURN = int(Task.GATHER), int(Task.RETURN)
_PLAN_LOOPS = 12  # a corner is looked for again after so many
_LARGEST_RADIUS = 11 * ONE // 8
_CLOSE = ONE // 16
_BINS_BITS = PRESENCE_BITS - BIN_BITS
_SLIDE = 0.75  # of a step, sideways around what stands in the way
_GIVE = 0.45  # of an overlap, in one loop


@inlined
def distance_between(a: Record, b: Record) -> float:
    """Return the distance between the centres of two units."""
    return math.sqrt((a.x - b.x) ** 2 + (a.y - b.y) ** 2)


@inlined
def gap_between(world: Record, a: Record, b: Record) -> float:
    """Return the distance between the edges of two units, negative where they overlap."""
    radii = world.types[a.owner, a.type].radius + world.types[b.owner, b.type].radius
    return distance_between(a, b) - radii


@inlined
def walk_to(unit: Record, x: int, y: int) -> None:
    """Have a unit walk towards a position in this loop."""
    unit.goal_x, unit.goal_y = x, y
    unit.goal_radius = 0
    unit.walks = 1


@inlined
def walk_up_to(world: Record, unit: Record, target: Record) -> None:
    """Have a unit walk towards another in this loop, which may be a building or a patch."""
    walk_to(unit, target.x, target.y)
    kind = world.types[target.owner, target.type]
    if kind.footprint > 0 and kind.flying == 0:
        unit.goal_radius = kind.radius + ONE


@inlined
def speed_of(world: Record, unit: Record) -> int:
    """Return how far a unit gets in a loop where it stands."""
    kind = world.types[unit.owner, unit.type]
    speed = kind.speed
    if kind.creep_speed != kind.speed and kind.flying == 0:
        if world.creep[unit.y >> CELL_BITS, unit.x >> CELL_BITS] > 0:
            speed = kind.creep_speed
    if unit.root_left > 0 or unit.lifted_left > 0:
        return 0
    if unit.stim_left > 0:
        speed = speed * 3 // 2
    if unit.haste_left > 0:
        speed = speed * 17 // 10
    if unit.slow_left > 0:
        speed = speed // 2
    return speed


@inlined
def can_stand(world: Record, kind: Record, x: int, y: int) -> bool:
    """Return whether a unit of a type may be at a position."""
    column, row = x >> CELL_BITS, y >> CELL_BITS
    if kind.traits & _CLIFFS:
        inside = 1 < column < world.columns - 2 and 1 < row < world.rows - 2
        return inside and world.blocked[row, column] == 0
    return is_open(world, column, row)


@inlined
def move(world: Record, slot: int) -> None:
    """Move one unit by one loop."""
    unit = world.units[slot]
    kind = world.types[unit.owner, unit.type]
    if kind.speed == 0 or (unit.morph_type != 0 and kind.traits & _STRUCTURE):  # it is landing
        return
    step_x, step_y, step = 0.0, 0.0, 0.0
    if unit.walks:
        if kind.flying == 0 and kind.traits & _CLIFFS == 0:
            _plan(world, unit)
        else:
            unit.way_x, unit.way_y = unit.goal_x, unit.goal_y
        distance_x, distance_y = unit.way_x - unit.x, unit.way_y - unit.y
        distance = math.sqrt(distance_x * distance_x + distance_y * distance_y)
        step = float(min(speed_of(world, unit), distance))
        if distance > 0 and step > 0:
            step_x, step_y = distance_x * step / distance, distance_y * step / distance
            unit.heading_x, unit.heading_y = distance_x, distance_y
    elif (world.clock[_LOOP] + slot) & 1:
        return  # who stands makes room in every other loop
    if _collides(world, slot, kind):
        push_x, push_y = _push(world, slot, step_x, step_y, step)
        step_x, step_y = step_x + push_x, step_y + push_y
    if step_x == 0 and step_y == 0:
        return
    _go(world, unit, kind, math.floor(step_x + 0.5), math.floor(step_y + 0.5), step)


@inlined
def _collides(world: Record, slot: int, kind: Record) -> bool:
    unit = world.units[slot]
    if kind.traits & _NO_COLLISION or unit.carrier != 0:
        return False
    if unit.num_orders > 0:  # workers at work walk through each other
        task = world.orders[slot, 0].task
        return task not in (_GATHER, _RETURN)
    return True


@inlined
def _plan(world: Record, unit: Record) -> None:
    goal = cell_of(world, unit.goal_x, unit.goal_y)
    loop = world.clock[_LOOP]
    has_arrived = abs(unit.way_x - unit.x) + abs(unit.way_y - unit.y) < _CLOSE * 4
    if unit.way_goal != goal or loop >= unit.way_until or has_arrived:
        is_stuck = unit.blocked >= 6 and unit.way_goal == goal
        find_corner(world, unit, is_stuck)
        unit.way_until = loop + _PLAN_LOOPS
    elif unit.way_x != unit.goal_x or unit.way_y != unit.goal_y:
        return
    else:
        unit.way_x, unit.way_y = unit.goal_x, unit.goal_y


@inlined
def _push(
    world: Record, slot: int, step_x: float, step_y: float, step: float
) -> tuple[float, float]:
    """Return how far the units around push one of them in a loop."""
    unit = world.units[slot]
    kind = world.types[unit.owner, unit.type]
    reach = kind.radius + _LARGEST_RADIUS
    num_rows, num_columns = (world.rows >> 1) + 1, (world.columns >> 1) + 1
    first_row, last_row = max(0, (unit.y - reach) >> BIN_BITS), (unit.y + reach) >> BIN_BITS
    first_column, last_column = max(0, (unit.x - reach) >> BIN_BITS), (unit.x + reach) >> BIN_BITS
    push_x, push_y = 0.0, 0.0
    for row in range(first_row, min(last_row + 1, num_rows)):
        for column in range(first_column, min(last_column + 1, num_columns)):
            other_slot = world.bins[row, column]
            while other_slot != 0:
                this, other_slot = other_slot, world.bin_next[other_slot]
                if this == slot:
                    continue
                other = world.units[this]
                apart_x, apart_y = unit.x - other.x, unit.y - other.y
                if abs(apart_x) >= reach or abs(apart_y) >= reach:
                    continue
                other_kind = world.types[other.owner, other.type]
                radii = kind.radius + other_kind.radius
                if kind.flying:
                    radii = radii // 2  # air units overlap, as in the game
                squared = apart_x * apart_x + apart_y * apart_y
                if squared >= radii * radii or other_kind.flying != kind.flying:
                    continue
                if kind.flying == 0 and other_kind.traits & _STRUCTURE:
                    continue  # the grid keeps units out of buildings
                if not _collides(world, this, other_kind) or other_kind.traits & _BURROWED:
                    continue
                distance = math.sqrt(squared)
                if distance < 1:  # on top of each other: part by number
                    apart_x, apart_y = (1, 0) if slot > this else (-1, 0)
                    distance = 1.0
                share = _share(world, unit, other)
                overlap = (radii - distance) * _GIVE * share
                push_x += apart_x * overlap / distance
                push_y += apart_y * overlap / distance
                towards = step_x * apart_x + step_y * apart_y
                if step > 0 and towards < 0 and other.walks == 0:
                    side = 1.0 if step_x * apart_y - step_y * apart_x > 0 else -1.0
                    push_x += side * apart_y * step * _SLIDE / distance
                    push_y -= side * apart_x * step * _SLIDE / distance
    largest = max(step, 0.1 * ONE)
    size = math.sqrt(push_x * push_x + push_y * push_y)
    if size > largest:
        push_x, push_y = push_x * largest / size, push_y * largest / size
    return push_x, push_y


@inlined
def _share(world: Record, unit: Record, other: Record) -> float:
    """Return which part of an overlap a unit clears, 0 to 1; the other clears the rest."""
    if world.types[other.owner, other.type].speed == 0:
        return 1.0
    unit_stands = unit.walks == 0
    other_stands = other.walks == 0
    if unit_stands and not other_stands:
        if unit.owner != other.owner or unit.num_orders > 0 or unit.target != 0:
            return 0.0
        return 0.8
    if other_stands and not unit_stands:
        if unit.owner != other.owner or other.num_orders > 0 or other.target != 0:
            return 1.0
        return 0.2
    return 0.5


@inlined
def _go(world: Record, unit: Record, kind: Record, step_x: int, step_y: int, wanted: float) -> None:
    """Take a step as far as the ground allows, sliding along what blocks it."""
    old_x, old_y = unit.x, unit.y
    if kind.flying:
        unit.x = min(max(old_x + step_x, ONE), (world.columns - 1) * ONE)
        unit.y = min(max(old_y + step_y, ONE), (world.rows - 1) * ONE)
        unit.blocked = 0
        return
    if can_stand(world, kind, old_x + step_x, old_y + step_y):
        unit.x, unit.y = old_x + step_x, old_y + step_y
    elif step_x != 0 and can_stand(world, kind, old_x + step_x, old_y):
        unit.x = old_x + step_x
    elif step_y != 0 and can_stand(world, kind, old_x, old_y + step_y):
        unit.y = old_y + step_y
    elif not can_stand(world, kind, old_x, old_y):  # shut in by a building: let it out
        unit.x, unit.y = old_x + step_x, old_y + step_y
    elif can_stand(world, kind, old_x + (step_x >> 1), old_y + (step_y >> 1)):
        unit.x, unit.y = old_x + (step_x >> 1), old_y + (step_y >> 1)
    if unit.walks and wanted > 0:
        before = math.sqrt((unit.way_x - old_x) ** 2 + (unit.way_y - old_y) ** 2)
        after = math.sqrt((unit.way_x - unit.x) ** 2 + (unit.way_y - unit.y) ** 2)
        if (before - after) * 4 < wanted:
            unit.blocked += 1
            if unit.blocked == 6:
                unit.way_until = 0  # look for another way
        elif unit.blocked > 0:
            unit.blocked -= 1


@inlined
def is_near_others(world: Record, unit: Record, reach: int) -> bool:
    """Return whether another player's units may be within a distance, without looking at each."""
    others = ((1 << NUM_OWNERS) - 2) & ~(1 << unit.owner)
    first_row, last_row = max(0, unit.y - reach) >> PRESENCE_BITS, unit.y + reach >> PRESENCE_BITS
    first, last = max(0, unit.x - reach) >> PRESENCE_BITS, unit.x + reach >> PRESENCE_BITS
    num_rows, num_columns = world.presence.shape
    for row in range(first_row, min(last_row + 1, num_rows)):
        for column in range(first, min(last + 1, num_columns)):
            if world.presence[row, column] & others:
                return True
    return False


@inlined
def fill_bins(world: Record) -> None:
    """Sort units that can be met with into bins of 2 x 2 cells."""
    num_rows, num_columns = (world.rows >> 1) + 1, (world.columns >> 1) + 1
    for row in range(num_rows):
        for column in range(world.bins.shape[1]):
            world.bins[row, column] = 0
    world.presence[:] = 0
    for i in range(world.clock[_NUM_ALIVE] - 1, -1, -1):
        slot = world.alive[i]
        unit = world.units[slot]
        if unit.carrier != 0:
            continue
        row = min(max(unit.y >> BIN_BITS, 0), num_rows - 1)
        column = min(max(unit.x >> BIN_BITS, 0), num_columns - 1)
        world.bin_next[slot] = world.bins[row, column]
        world.bins[row, column] = slot
        world.presence[row >> _BINS_BITS, column >> _BINS_BITS] |= 1 << unit.owner


_NUM_ALIVE = int(Clock.NUM_ALIVE)
