"""Units as the bytes of an observation, for one player: compiled, straight from the arrays."""

import math

import numpy as np
from numpy.typing import NDArray

from envs.engine.compiled import Array, Record, compiled, inlined
from envs.engine.layout import (
    CELL_BITS,
    MAX_UNITS,
    ONE,
    TICK,
    Carries,
    Clock,
    Task,
    Trait,
)
from envs.engine.units import slot_of
from envs.engine.wire_format import begin, end, put_float, put_number

BYTES_A_UNIT = 700
"""Room that one unit takes at most: eight orders, a full transport and all else together."""

NEUTRAL_OWNER = 16

_NUM_ALIVE = int(Clock.NUM_ALIVE)
_SELF, _ALLY, _NEUTRAL, _ENEMY = 1, 2, 3, 4
_VISIBLE, _SNAPSHOT = 1, 2
_CLOAKED_UNKNOWN, _DETECTED, _NOT_CLOAKED, _ALLIED = 0, 2, 3, 4
_STRUCTURE, _TOWN_HALL = int(Trait.STRUCTURE), int(Trait.TOWN_HALL)
_BURROWED = int(Trait.BURROWED)
_MINERALS, _GEYSER = int(Trait.MINERALS), int(Trait.GEYSER)
_GAS_BUILDING = int(Trait.GAS_BUILDING)
_ALWAYS_CLOAKED = int(Trait.CLOAKED)
_GATHER = int(Task.GATHER)
_AT_UNIT = (int(Task.FOLLOW), int(Task.ATTACK_UNIT), int(Task.GATHER), int(Task.REACH_UNIT))
_WITHOUT_TARGET = (int(Task.HOLD), int(Task.RETURN))
_CONSTRUCT, _REPAIR = int(Task.CONSTRUCT), int(Task.REPAIR)
_CARRIES_MINERALS = int(Carries.MINERALS)
_RESOURCE_HEALTH = 10_000.0
_HALL_RANGE = 12 * ONE
_FULL_CIRCLE = 2 * math.pi

# Fields of the API's Unit.
_DISPLAY, _ALLIANCE, _TAG, _TYPE, _OWNER, _POS = 1, 2, 3, 4, 5, 6
_FACING, _RADIUS, _PROGRESS, _CLOAK, _IS_SELECTED = 7, 8, 9, 10, 11
_ON_SCREEN, _IS_BLIP, _HEALTH, _HEALTH_MAX, _SHIELD = 12, 13, 14, 15, 16
_ENERGY, _MINERAL_CONTENTS, _GAS_CONTENTS, _FLYING, _IS_BURROWED = 17, 18, 19, 20, 21
_ORDERS, _ADD_ON, _PASSENGERS, _CARGO, _CARGO_MAX = 22, 23, 24, 25, 26
_BUFFS, _ASSIGNED, _IDEAL, _COOLDOWN, _DETECT_RANGE = 27, 28, 29, 30, 31
_ENGAGED, _POWERED, _SHIELD_MAX, _ENERGY_MAX, _HALLUCINATION = 34, 35, 36, 37, 38
_ACTIVE, _ATTACK_LEVEL, _ARMOUR_LEVEL, _SHIELD_LEVEL = 39, 40, 41, 42
_BUFF_LEFT, _BUFF_MAX, _RALLY = 43, 44, 45

_STIM, _CHRONO, _INJECT, _GUARDIAN, _FUNGAL = 27, 281, 11, 18, 17
_HOLDS_MINERALS, _HOLDS_GAS = 271, (273, 273, 275, 274)


@compiled
def encode_units(record: Array, player: int, sees_all: bool, out: Array) -> int:
    """Write all units that a player knows of as repeated ``units``; return the number of bytes.

    Player 0 is an observer, who sees both sides and calls neither his own.
    """
    world = record[0]
    at = 0
    for i in range(world.clock[_NUM_ALIVE]):
        slot = world.alive[i]
        unit = world.units[slot]
        if unit.carrier != 0:
            continue  # told by the transport
        is_seen = player == 0 or sees_all or unit.visible_to & (1 << player) != 0
        if is_seen:
            at = _put_unit(world, player, slot, out, at)
        elif world.snapshots[player, slot].tag != 0:
            at = _put_snapshot(world, player, world.snapshots[player, slot], out, at)
    if player != 0 and not sees_all:
        for i in range(MAX_UNITS, 2 * MAX_UNITS):
            if world.snapshots[player, i].tag == 0:
                break
            at = _put_snapshot(world, player, world.snapshots[player, i], out, at)
    return at


@inlined
def _ideal_harvesters(world: Record, hall: Record) -> int:
    count = 0
    for i in range(world.clock[_NUM_ALIVE]):
        unit = world.units[world.alive[i]]
        if world.types[unit.owner, unit.type].traits & _MINERALS and unit.minerals > 0:
            if (hall.x - unit.x) ** 2 + (hall.y - unit.y) ** 2 < _HALL_RANGE * _HALL_RANGE:
                count += 2
    return count


@inlined
def _alliance(player: int, owner: int) -> int:
    if owner == 0:
        return _NEUTRAL
    if player == 0:  # nobody's enemy, and python-sc2's observers die of their own as well
        return _ALLY
    return _SELF if owner == player else _ENEMY


@inlined
def _put_place(world: Record, x: int, y: int, flying: int, out: Array, at: int) -> int:
    start = begin(out, at, _POS)
    at = put_float(out, start, 1, x / ONE)
    at = put_float(out, at, 2, y / ONE)
    z = (float(world.height[y >> CELL_BITS, x >> CELL_BITS]) - 127) / 8
    if flying:
        z += 3.75
    at = put_float(out, at, 3, z)
    return end(out, start, at)


@inlined
def _put_point(out: Array, at: int, field: int, x: int, y: int) -> int:
    start = begin(out, at, field)
    at = put_float(out, start, 1, x / ONE)
    at = put_float(out, at, 2, y / ONE)
    return end(out, start, at)


@inlined
def _put_snapshot(world: Record, player: int, snapshot: Record, out: Array, at: int) -> int:
    kind = world.types[snapshot.owner, snapshot.type]
    start = begin(out, at, 2)
    at = put_number(out, start, _DISPLAY, _SNAPSHOT)
    at = put_number(out, at, _ALLIANCE, _alliance(player, snapshot.owner))
    at = put_number(out, at, _TAG, snapshot.tag)
    at = put_number(out, at, _TYPE, kind.id)
    at = put_number(out, at, _OWNER, snapshot.owner if snapshot.owner > 0 else NEUTRAL_OWNER)
    at = _put_place(world, snapshot.x, snapshot.y, kind.flying, out, at)
    at = put_float(out, at, _FACING, 0.0)
    at = put_float(out, at, _RADIUS, kind.radius / ONE)
    at = put_float(out, at, _PROGRESS, _progress(snapshot.build_left, snapshot.build_total))
    at = put_number(out, at, _CLOAK, _CLOAKED_UNKNOWN)
    at = put_number(out, at, _ON_SCREEN, 0)
    at = put_number(out, at, _IS_BLIP, 0)
    at = put_number(out, at, _POWERED, 0)
    return end(out, start, at)


@inlined
def _progress(left: int, total: int) -> float:
    return 1.0 - left / total if left > 0 else 1.0


@inlined
def _put_unit(world: Record, player: int, slot: int, out: Array, at: int) -> int:
    unit = world.units[slot]
    kind = world.types[unit.owner, unit.type]
    is_mine = unit.owner == player
    start = begin(out, at, 2)
    at = put_number(out, start, _DISPLAY, _VISIBLE)
    at = put_number(out, at, _ALLIANCE, _alliance(player, unit.owner))
    at = put_number(out, at, _TAG, unit.tag)
    at = put_number(out, at, _TYPE, kind.id)
    at = put_number(out, at, _OWNER, unit.owner if unit.owner > 0 else NEUTRAL_OWNER)
    at = _put_place(world, unit.x, unit.y, kind.flying, out, at)
    facing = math.atan2(float(unit.heading_y), float(unit.heading_x))
    at = put_float(out, at, _FACING, facing if facing >= 0 else facing + _FULL_CIRCLE)
    at = put_float(out, at, _RADIUS, kind.radius / ONE)
    at = put_float(out, at, _PROGRESS, _progress(unit.build_left, unit.build_total))
    at = put_number(out, at, _CLOAK, _cloak(unit, kind, is_mine))
    at = put_number(out, at, _IS_SELECTED, 0)
    at = put_number(out, at, _ON_SCREEN, 1)
    at = put_number(out, at, _IS_BLIP, 0)
    at = _put_vitals(unit, kind, out, at)
    at = put_number(out, at, _FLYING, kind.flying)
    at = put_number(out, at, _IS_BURROWED, 1 if kind.traits & _BURROWED else 0)
    at = put_number(out, at, _HALLUCINATION, 0)
    at = put_number(out, at, _POWERED, 1 if _shows_power(unit, kind) else 0)
    at = put_number(out, at, _ARMOUR_LEVEL, kind.armour_level)
    at = put_number(out, at, _SHIELD_LEVEL, kind.shield_level)
    at = put_number(out, at, _ATTACK_LEVEL, kind.attack_level)
    if kind.detection > 0 and unit.build_left == 0:
        at = put_float(out, at, _DETECT_RANGE, kind.detection / ONE)
    at = _put_buffs(unit, kind, out, at)
    if is_mine or player == 0:
        at = _put_private(world, slot, out, at)
    else:
        at = put_number(out, at, _ACTIVE, 0)
    return end(out, start, at)


@inlined
def _shows_power(unit: Record, kind: Record) -> bool:
    return kind.race == 3 and kind.traits & _STRUCTURE != 0 and unit.powered != 0


@inlined
def _cloak(unit: Record, kind: Record, is_mine: bool) -> int:
    is_cloaked = unit.cloaked > 0 or (kind.traits & _ALWAYS_CLOAKED and unit.build_left == 0)
    if not is_cloaked:
        return _NOT_CLOAKED
    return _ALLIED if is_mine else _DETECTED


@inlined
def _put_vitals(unit: Record, kind: Record, out: Array, at: int) -> int:
    if unit.owner == 0:
        at = put_float(out, at, _HEALTH, _RESOURCE_HEALTH)
        at = put_float(out, at, _HEALTH_MAX, _RESOURCE_HEALTH)
        if kind.traits & _MINERALS:
            at = put_number(out, at, _MINERAL_CONTENTS, unit.minerals)
        elif kind.traits & _GEYSER:
            at = put_number(out, at, _GAS_CONTENTS, unit.gas)
        return at
    at = put_float(out, at, _HEALTH, unit.health / ONE)
    at = put_float(out, at, _HEALTH_MAX, unit.health_max / ONE)
    at = put_float(out, at, _SHIELD, unit.shield / ONE)
    at = put_float(out, at, _SHIELD_MAX, unit.shield_max / ONE)
    at = put_float(out, at, _ENERGY, unit.energy / ONE)
    at = put_float(out, at, _ENERGY_MAX, kind.energy / ONE)
    if kind.traits & _GAS_BUILDING:
        at = put_number(out, at, _GAS_CONTENTS, unit.gas)
    return at


@inlined
def _put_buffs(unit: Record, kind: Record, out: Array, at: int) -> int:
    if unit.carried > 0 and unit.carries == _CARRIES_MINERALS:
        at = put_number(out, at, _BUFFS, _HOLDS_MINERALS)
    elif unit.carried > 0:
        at = put_number(out, at, _BUFFS, _HOLDS_GAS[kind.race])
    left, longest = 0, 0
    if unit.stim_left > 0:
        at = put_number(out, at, _BUFFS, _STIM)
        left, longest = unit.stim_left, 240
    if unit.chrono_left > 0:
        at = put_number(out, at, _BUFFS, _CHRONO)
        left, longest = unit.chrono_left, 320
    if unit.inject_left > 0:
        at = put_number(out, at, _BUFFS, _INJECT)
        left, longest = unit.inject_left, 650
    if unit.shield_up_left > 0:
        at = put_number(out, at, _BUFFS, _GUARDIAN)
    if unit.root_left > 0:
        at = put_number(out, at, _BUFFS, _FUNGAL)
    if left > 0:
        at = put_number(out, at, _BUFF_LEFT, left)
        at = put_number(out, at, _BUFF_MAX, longest)
    return at


@inlined
def _put_private(world: Record, slot: int, out: Array, at: int) -> int:
    """Write what only a unit's own player is told."""
    unit = world.units[slot]
    kind = world.types[unit.owner, unit.type]
    is_busy = unit.num_orders > 0 or unit.num_production > 0 or unit.morph_left > 0
    at = put_number(out, at, _ACTIVE, 1 if is_busy else 0)
    at = put_float(out, at, _COOLDOWN, max(unit.weapon_cooldown, 0) / TICK)
    at = _put_orders(world, slot, out, at)
    if unit.add_on != 0 and slot_of(world.units, unit.add_on) != 0:
        at = put_number(out, at, _ADD_ON, unit.add_on)
    if unit.target != 0:
        at = put_number(out, at, _ENGAGED, unit.target)
    if kind.cargo_space > 0:
        at = put_number(out, at, _CARGO, unit.cargo_used)
        at = put_number(out, at, _CARGO_MAX, kind.cargo_space)
        if unit.cargo_used > 0:
            at = _put_passengers(world, unit.tag, out, at)
    if kind.traits & _TOWN_HALL:
        at = put_number(out, at, _ASSIGNED, unit.harvesters)
        at = put_number(out, at, _IDEAL, _ideal_harvesters(world, unit))
    elif kind.traits & _GAS_BUILDING and unit.build_left == 0:
        at = put_number(out, at, _ASSIGNED, unit.harvesters)
        at = put_number(out, at, _IDEAL, 3 if unit.gas > 0 else 0)
    if unit.rally_set:
        at = _put_rally(out, at, unit.rally_x, unit.rally_y, unit.rally_target)
    if unit.worker_rally_set:
        at = _put_rally(out, at, unit.worker_rally_x, unit.worker_rally_y, unit.worker_rally_target)
    return at


@inlined
def _put_rally(out: Array, at: int, x: int, y: int, target: int) -> int:
    start = begin(out, at, _RALLY)
    at = _put_point(out, start, 1, x, y)
    if target != 0:
        at = put_number(out, at, 2, target)
    return end(out, start, at)


@inlined
def _put_passengers(world: Record, carrier: int, out: Array, at: int) -> int:
    for i in range(world.clock[_NUM_ALIVE]):
        unit = world.units[world.alive[i]]
        if unit.carrier != carrier:
            continue
        kind = world.types[unit.owner, unit.type]
        start = begin(out, at, _PASSENGERS)
        at = put_number(out, start, 1, unit.tag)
        at = put_float(out, at, 2, unit.health / ONE)
        at = put_float(out, at, 3, unit.health_max / ONE)
        at = put_float(out, at, 4, unit.shield / ONE)
        at = put_float(out, at, 7, unit.shield_max / ONE)
        at = put_float(out, at, 5, unit.energy / ONE)
        at = put_float(out, at, 8, kind.energy / ONE)
        at = put_number(out, at, 6, kind.id)
        at = end(out, start, at)
    return at


@inlined
def _put_orders(world: Record, slot: int, out: Array, at: int) -> int:
    unit = world.units[slot]
    if unit.morph_left > 0:
        start = begin(out, at, _ORDERS)
        at = put_number(out, start, 1, unit.morph_ability)
        at = put_float(out, at, 4, 1.0 - unit.morph_left / max(unit.morph_total, 1))
        at = end(out, start, at)
    for i in range(unit.num_production):
        entry = world.production[slot, i]
        start = begin(out, at, _ORDERS)
        at = put_number(out, start, 1, entry.ability)
        at = put_float(out, at, 4, 1.0 - entry.left / max(entry.total, 1))
        at = end(out, start, at)
    for i in range(unit.num_orders):
        order = world.orders[slot, i]
        start = begin(out, at, _ORDERS)
        at = put_number(out, start, 1, order.ability)
        if order.task in _AT_UNIT or (order.task in (_CONSTRUCT, _REPAIR) and order.target != 0):
            at = put_number(out, at, 3, order.target)
        elif order.task not in _WITHOUT_TARGET:
            at = _put_point(out, at, 2, order.x, order.y)
        at = end(out, start, at)
    return at


def room_for_units() -> NDArray[np.uint8]:
    """Return an array that holds the bytes of as many units as there can be."""
    return np.zeros(3 * MAX_UNITS * BYTES_A_UNIT, np.uint8)
