"""What each player sees: circles of sight that end at higher ground, cloak and detection.

Sight is worked out anew every ``SIGHT_LOOPS`` loops. A cell is seen when it lies within the sight
of a unit and no more than a little higher than the unit's ground; fliers and tall units see all.
Cells of a row are bits of words meanwhile, so that a unit takes its sight row by row.
"""

import numpy as np

from envs.engine.compiled import Array, Record, compiled, inlined
from envs.engine.layout import (
    CELL_BITS,
    MAX_EFFECTS,
    MAX_PLAYERS,
    MAX_UNITS,
    NUM_HEIGHTS,
    NUM_OWNERS,
    NUM_WORDS,
    ONE,
    WORD,
    WORD_BITS,
    Clock,
    Trait,
    World,
)

SIGHT_LOOPS = 8
POWER_RADIUS = 13 * ONE // 2
PRISM_POWER_RADIUS = 15 * ONE // 4

_NUM_ALIVE = int(Clock.NUM_ALIVE)
_DETECTOR, _TALL = int(Trait.DETECTOR), int(Trait.TALL)
_STRUCTURE, _POWER_SOURCE = int(Trait.STRUCTURE), int(Trait.POWER_SOURCE)
_NEEDS_POWER, _SPEEDS_WARPS = int(Trait.NEEDS_POWER), int(Trait.SPEEDS_WARPS)
_ALWAYS_CLOAKED = int(Trait.CLOAKED)
_STEP = 8  # of height, between cells of one slope; a level of cliff is 16
_SEEN_BEFORE, _SEEN = 1, 2
_ANY_HEIGHT = NUM_HEIGHTS  # of the eyes of who sees up cliffs
_BUILDING_SIGHT = 2 * ONE  # of what is still being built


@inlined
def sight_of(world: Record, unit: Record) -> int:
    """Return how far a unit sees."""
    kind = world.types[unit.owner, unit.type]
    if unit.build_left > 0 and kind.traits & _STRUCTURE:
        return min(kind.sight, kind.radius + _BUILDING_SIGHT)
    return kind.sight


@compiled
def look_now(record: Array) -> None:
    """Work out what each player sees; for plain code."""
    look(record[0])


@inlined
def look(world: Record) -> None:
    """Work out which cells each player sees, and which units."""
    seen = world.sight_bits
    for owner in range(1, NUM_OWNERS):
        for row in range(world.rows):
            for word in range(NUM_WORDS):
                seen[owner, row, word] = 0
    for i in range(world.clock[_NUM_ALIVE]):
        unit = world.units[world.alive[i]]
        if unit.owner != 0 and unit.carrier == 0 and unit.health > 0:
            _see(world, unit, seen[unit.owner])
    for i in range(MAX_EFFECTS):
        effect = world.effects[i]
        if effect.id != 0 and effect.sight > 0:
            _see_circle(world, effect.x, effect.y, effect.sight, _ANY_HEIGHT, seen[effect.owner])
    _show(world)
    for i in range(world.clock[_NUM_ALIVE]):
        unit = world.units[world.alive[i]]
        unit.detected = 0
    for i in range(MAX_EFFECTS):
        effect = world.effects[i]
        if effect.id != 0 and effect.sight > 0:
            _detect(world, effect.owner, effect.x, effect.y, effect.sight)
    for i in range(world.clock[_NUM_ALIVE]):
        unit = world.units[world.alive[i]]
        kind = world.types[unit.owner, unit.type]
        if kind.traits & _DETECTOR and unit.owner != 0 and unit.build_left == 0:
            if kind.traits & _NEEDS_POWER == 0 or unit.powered:
                _detect(world, unit.owner, unit.x, unit.y, kind.detection)
    for i in range(world.clock[_NUM_ALIVE]):
        notice(world, world.alive[i])
    _remember(world)


@inlined
def _remember(world: Record) -> None:
    """Keep what each player last saw of buildings and resources; drop what is seen to be gone."""
    for i in range(world.clock[_NUM_ALIVE]):
        slot = world.alive[i]
        unit = world.units[slot]
        is_building = world.types[unit.owner, unit.type].traits & _STRUCTURE != 0
        if unit.owner != 0 and not is_building:
            continue
        for player in range(1, MAX_PLAYERS + 1):
            if player == unit.owner:
                continue
            snapshot = world.snapshots[player, slot]
            is_known = unit.owner == 0 and snapshot.tag == 0  # all resources are, at the start
            if unit.visible_to & (1 << player) or is_known:
                snapshot.tag = unit.tag
                snapshot.type = unit.type
                snapshot.owner = unit.owner
                snapshot.x, snapshot.y = unit.x, unit.y
                snapshot.build_left, snapshot.build_total = unit.build_left, unit.build_total
            elif snapshot.tag != 0 and _is_seen(world, player, snapshot):
                snapshot.tag = 0  # it has flown away
    for player in range(1, MAX_PLAYERS + 1):
        for i in range(MAX_UNITS, 2 * MAX_UNITS):
            snapshot = world.snapshots[player, i]
            if snapshot.tag == 0:
                break  # they stand one after the other
            if _is_seen(world, player, snapshot):
                last = i
                while last + 1 < 2 * MAX_UNITS and world.snapshots[player, last + 1].tag != 0:
                    last += 1
                world.snapshots[player, i] = world.snapshots[player, last]
                world.snapshots[player, last].tag = 0


@inlined
def _is_seen(world: Record, player: int, snapshot: Record) -> bool:
    row, column = snapshot.y >> CELL_BITS, snapshot.x >> CELL_BITS
    return world.visibility[player, row, column] == _SEEN or world.players[player].sees_all != 0


@compiled
def remember_gone(record: Array, slot: int) -> None:
    """Keep the memory of a unit that leaves the map with those who do not see it go."""
    world = record[0]
    for player in range(1, MAX_PLAYERS + 1):
        snapshot = world.snapshots[player, slot]
        if snapshot.tag == 0:
            continue
        if not _is_seen(world, player, snapshot):
            for i in range(MAX_UNITS, 2 * MAX_UNITS):
                if world.snapshots[player, i].tag == 0:
                    world.snapshots[player, i] = snapshot
                    break
        snapshot.tag = 0


@inlined
def notice(world: Record, slot: int) -> None:
    """Set which players see one unit."""
    unit = world.units[slot]
    row, column = unit.y >> CELL_BITS, unit.x >> CELL_BITS
    traits = world.types[unit.owner, unit.type].traits
    is_hidden = unit.cloaked > 0 or (traits & _ALWAYS_CLOAKED and unit.build_left == 0)
    visible_to = 0
    for player in range(1, MAX_PLAYERS + 1):
        if unit.owner == player:
            visible_to |= 1 << player
        elif unit.carrier == 0 and (
            world.visibility[player, row, column] == _SEEN or world.players[player].sees_all
        ):
            if not is_hidden or unit.detected & (1 << player):
                visible_to |= 1 << player
    unit.visible_to = visible_to


@compiled
def notice_now(record: Array, slot: int) -> None:
    """Set which players see one unit; for plain code."""
    world = record[0]
    notice(world, slot)


@inlined
def _see(world: Record, unit: Record, seen: Array) -> None:
    kind = world.types[unit.owner, unit.type]
    height = _ANY_HEIGHT
    if kind.flying == 0 and kind.traits & _TALL == 0:
        height = world.height[unit.y >> CELL_BITS, unit.x >> CELL_BITS]
    _see_circle(world, unit.x, unit.y, sight_of(world, unit), height, seen)


@inlined
def _see_circle(world: Record, x: int, y: int, sight: int, eyes: int, seen: Array) -> None:
    """Mark what is seen from a position, by who stands on ground of a height."""
    height, width = world.rows, world.columns
    centre_row, centre_column = y >> CELL_BITS, x >> CELL_BITS
    cells = sight >> CELL_BITS
    limit = (sight * sight) >> (2 * CELL_BITS)
    along = 0  # how far the circle goes to either side in a row
    for across in range(cells, -1, -1):
        while (along + 1) * (along + 1) + across * across <= limit:
            along += 1
        first, end = max(0, centre_column - along), min(width, centre_column + along + 1)
        for side in range(2):
            row = centre_row + (across if side == 0 else -across)
            if 0 <= row < height:
                for word in range(first >> WORD_BITS, ((end - 1) >> WORD_BITS) + 1):
                    start, stop = first - (word << WORD_BITS), end - (word << WORD_BITS)
                    part = -1 << max(start, 0)
                    if stop < WORD:
                        part &= (1 << stop) - 1
                    seen[row, word] |= part & world.low_bits[eyes, row, word]


@inlined
def _show(world: Record) -> None:
    """Set the cells' visibility where what is seen has changed."""
    for owner in range(1, NUM_OWNERS):
        seen = world.visibility[owner]
        for row in range(world.rows):
            for word in range(NUM_WORDS):
                bits = world.sight_bits[owner, row, word]
                if bits == world.shown_bits[owner, row, word]:
                    continue
                world.shown_bits[owner, row, word] = bits
                first = word << WORD_BITS
                for column in range(first, min(first + WORD, world.columns)):
                    if bits >> (column - first) & 1:
                        seen[row, column] = _SEEN
                    else:
                        seen[row, column] = min(seen[row, column], _SEEN_BEFORE)


def survey_heights(world: World) -> None:
    """Mark the cells that can be seen from each height, when the terrain is there."""
    world.record["low_bits"] = 0
    for eyes in (*np.unique(world.height).tolist(), _ANY_HEIGHT):
        _survey_height(world.record, eyes)


@compiled
def _survey_height(record: Array, eyes: int) -> None:
    """Mark the cells that are not too high to be seen by who stands on ground of a height."""
    world = record[0]
    for row in range(world.rows):
        for column in range(world.columns):
            if eyes == _ANY_HEIGHT or world.height[row, column] <= eyes + _STEP:
                world.low_bits[eyes, row, column >> WORD_BITS] |= 1 << (column & (WORD - 1))


@inlined
def _detect(world: Record, owner: int, x: int, y: int, reach: int) -> None:
    for i in range(world.clock[_NUM_ALIVE]):
        unit = world.units[world.alive[i]]
        if unit.owner != owner and unit.owner != 0:
            apart_x, apart_y = unit.x - x, unit.y - y
            if apart_x * apart_x + apart_y * apart_y <= reach * reach:
                unit.detected |= 1 << owner


@compiled
def spread_power_now(record: Array) -> None:
    """Set which buildings that need power have it; for plain code."""
    spread_power(record[0])


@inlined
def spread_power(world: Record) -> None:
    """Set which buildings that need power have it."""
    for i in range(world.clock[_NUM_ALIVE]):
        unit = world.units[world.alive[i]]
        if world.types[unit.owner, unit.type].traits & _NEEDS_POWER:
            unit.powered = 1 if has_power(world, unit.owner, unit.x, unit.y) else 0


@compiled
def has_power_now(record: Array, owner: int, x: int, y: int) -> bool:
    """Return whether a position lies in one of a player's power fields; for plain code."""
    return has_power(record[0], owner, x, y)


@inlined
def has_power(world: Record, owner: int, x: int, y: int) -> bool:
    """Return whether a position lies in one of a player's power fields."""
    for i in range(world.clock[_NUM_ALIVE]):
        if _powers(world, world.units[world.alive[i]], owner, x, y):
            return True
    return False


@compiled
def warps_fast(record: Array, owner: int, x: int, y: int) -> bool:
    """Return whether units warp in faster at a position than by a lonely pylon."""
    world = record[0]
    for i in range(world.clock[_NUM_ALIVE]):
        source = world.units[world.alive[i]]
        if not _powers(world, source, owner, x, y):
            continue
        if world.types[source.owner, source.type].flying:
            return True
        for j in range(world.clock[_NUM_ALIVE]):
            near = world.units[world.alive[j]]
            if near.owner != owner or near.build_left > 0:
                continue
            if world.types[near.owner, near.type].traits & _SPEEDS_WARPS == 0:
                continue
            if _is_within(near, source.x, source.y, POWER_RADIUS):
                return True
    return False


@inlined
def _powers(world: Record, source: Record, owner: int, x: int, y: int) -> bool:
    kind = world.types[source.owner, source.type]
    if source.owner != owner or kind.traits & _POWER_SOURCE == 0:
        return False
    if source.build_left > 0 or source.morph_left > 0 or source.health <= 0:
        return False
    return _is_within(source, x, y, PRISM_POWER_RADIUS if kind.flying else POWER_RADIUS)


@inlined
def _is_within(unit: Record, x: int, y: int, radius: int) -> bool:
    apart_x, apart_y = x - unit.x, y - unit.y
    return apart_x * apart_x + apart_y * apart_y <= radius * radius
