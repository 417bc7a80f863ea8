"""A player's view of his own affairs, counted by compiled code in one pass over the units.

Only what the player may know is looked at: his own units, and others that he sees.
"""

from enum import IntEnum

from envs.engine.compiled import Array, Record, compiled, inlined
from envs.engine.layout import ONE, TICK, Clock, Makes, Task, Trait
from envs.engine.units import slot_of

MOMENT_LOOPS = 33
"""Who will be done so soon counts as free: its next work waits in its queue meanwhile."""

_NUM_ALIVE = int(Clock.NUM_ALIVE)
_WORKER, _STRUCTURE = int(Trait.WORKER), int(Trait.STRUCTURE)
_TOWN_HALL, _LARVA_TRAIT = int(Trait.TOWN_HALL), int(Trait.LARVA)
_GAS_TRAIT, _EGG, _MINERALS = int(Trait.GAS_BUILDING), int(Trait.EGG), int(Trait.MINERALS)
_NO_COLLISION, _REACTOR = int(Trait.NO_COLLISION), int(Trait.REACTOR)
_ADD_ON = int(Trait.ADD_ON)
_NEEDS_POWER, _SPREADS_CREEP = int(Trait.NEEDS_POWER), int(Trait.SPREADS_CREEP)
_GATHER, _BUILD, _CONSTRUCT = int(Task.GATHER), int(Task.BUILD), int(Task.CONSTRUCT)
_ATTACK_TO, _REPAIR = int(Task.ATTACK_TO), int(Task.REPAIR)
_UPGRADE = int(Makes.UPGRADE)
_TERRAN = 1
_MOMENT = MOMENT_LOOPS * TICK


class Role(IntEnum):
    """What an army has a type of unit for."""

    NONE = 0
    FIGHTS = 1
    GUARDS = 2  # armed, and kept at home
    SUPPORTS = 3  # unarmed, and goes with the others


class Group(IntEnum):
    """Lists of slots that a survey fills."""

    HALLS = 0  # unfinished ones too
    IDLE_WORKERS = 1
    MINERS = 2
    GAS_BUILDINGS = 3  # finished, with gas
    LARVAE = 4
    BUILDINGS = 5  # finished, but for gas buildings and creep tumours
    ARMY = 6  # all that fights, armed buildings and passengers too; no workers
    ENEMIES = 7  # seen, that can fight
    ENEMY_WORKERS = 8
    ENEMY_BUILDINGS = 9
    CASTERS = 10  # own units with energy
    HURT = 11  # own buildings that burn
    FIGHTERS = 12  # of the army, who go where they are sent
    GUARDS = 13
    SUPPORT = 14
    FREE_MAKERS = 15  # once for each thing that they could begin to make
    UNPOWERED = 16
    ABANDONED = 17  # unfinished buildings that nobody works at
    DEFENDERS = 18  # workers that fight
    REPAIRERS = 19
    TUMOURS = 20  # creep tumours that can spread
    NUM_GROUPS = 21


_HALLS, _IDLE, _MINERS = int(Group.HALLS), int(Group.IDLE_WORKERS), int(Group.MINERS)
_GAS, _LARVAE, _BUILDINGS = int(Group.GAS_BUILDINGS), int(Group.LARVAE), int(Group.BUILDINGS)
_ARMY, _ENEMIES = int(Group.ARMY), int(Group.ENEMIES)
_ENEMY_WORKERS, _ENEMY_BUILDINGS = int(Group.ENEMY_WORKERS), int(Group.ENEMY_BUILDINGS)
_CASTERS, _HURT, _FIGHTERS = int(Group.CASTERS), int(Group.HURT), int(Group.FIGHTERS)
_GUARDS, _SUPPORT, _FREE = int(Group.GUARDS), int(Group.SUPPORT), int(Group.FREE_MAKERS)
_UNPOWERED, _ABANDONED = int(Group.UNPOWERED), int(Group.ABANDONED)
_DEFENDERS, _REPAIRERS, _TUMOURS = (
    int(Group.DEFENDERS),
    int(Group.REPAIRERS),
    int(Group.TUMOURS),
)
_FIGHTS, _STAYS, _SUPPORTS = int(Role.FIGHTS), int(Role.GUARDS), int(Role.SUPPORTS)


@inlined
def _add(groups: Array, sizes: Array, group: int, slot: int) -> None:
    groups[group, sizes[group]] = slot
    sizes[group] += 1


@compiled
def survey(
    record: Array,
    player: int,
    roles: Array,
    done: Array,
    pending: Array,
    ordered: Array,
    upgrading: Array,
    groups: Array,
    sizes: Array,
) -> None:
    """Count a player's units by type and sort units into groups.

    ``done`` are finished; ``pending`` are all that are coming, of which workers are still on their
    way to build ``ordered``. ``roles`` are those of ``Role``, by type.
    """
    world = record[0]
    done[:] = 0
    pending[:] = 0
    ordered[:] = 0
    upgrading[:] = 0
    sizes[:] = 0
    for i in range(world.clock[_NUM_ALIVE]):
        slot = world.alive[i]
        unit = world.units[slot]
        if unit.owner == player:
            _count_own(world, slot, done, pending, ordered, upgrading)
            _sort_own(world, slot, roles, groups, sizes)
        elif unit.owner != 0 and unit.visible_to & (1 << player) and unit.health > 0:
            traits = world.types[unit.owner, unit.type].traits
            if traits & _WORKER:
                _add(groups, sizes, _ENEMY_WORKERS, slot)
            elif _is_armed(world, slot):
                _add(groups, sizes, _ENEMIES, slot)
            if traits & _STRUCTURE:
                _add(groups, sizes, _ENEMY_BUILDINGS, slot)


@inlined
def _is_armed(world: Record, slot: int) -> bool:
    unit = world.units[slot]
    weapons = world.weapons[unit.owner, unit.type]
    return weapons[0].targets != 0 or weapons[1].targets != 0


@inlined
def _count_own(
    world: Record, slot: int, done: Array, pending: Array, ordered: Array, upgrading: Array
) -> None:
    unit = world.units[slot]
    if unit.build_left > 0:
        pending[unit.type] += 1
    else:
        done[unit.type] += 1
    if unit.morph_type != 0:
        pending[unit.morph_type] += 1
    for i in range(unit.num_production):
        entry = world.production[slot, i]
        if entry.makes == _UPGRADE:
            upgrading[entry.what] = 1
        else:
            pending[entry.what] += world.types[unit.owner, entry.what].num_made
    for i in range(unit.num_orders):
        order = world.orders[slot, i]
        if order.task == _BUILD:
            pending[order.type] += 1
            ordered[order.type] += 1


@inlined
def _sort_own(world: Record, slot: int, roles: Array, groups: Array, sizes: Array) -> None:
    unit = world.units[slot]
    kind = world.types[unit.owner, unit.type]
    traits = kind.traits
    if traits & _WORKER:
        if traits & _NO_COLLISION == 0 and unit.build_left == 0 and unit.carrier == 0:
            _sort_worker(world, slot, groups, sizes)
        return
    if traits & _LARVA_TRAIT:
        _add(groups, sizes, _LARVAE, slot)
        return
    if traits & _STRUCTURE:
        _sort_building(world, slot, groups, sizes)
        return
    if unit.build_left > 0 or traits & _EGG:
        return
    role = roles[unit.type]
    if role in (_FIGHTS, _STAYS):
        _add(groups, sizes, _ARMY, slot)
    if unit.morph_left > 0:
        return
    if unit.carrier == 0 and kind.speed > 0:
        if role == _FIGHTS:
            _add(groups, sizes, _FIGHTERS, slot)
        elif role == _STAYS:
            _add(groups, sizes, _GUARDS, slot)
        elif role == _SUPPORTS:
            _add(groups, sizes, _SUPPORT, slot)
    if kind.energy > 0:
        _add(groups, sizes, _CASTERS, slot)


@inlined
def _sort_worker(world: Record, slot: int, groups: Array, sizes: Array) -> None:
    unit = world.units[slot]
    if unit.num_orders == 0:
        _add(groups, sizes, _IDLE, slot)
        return
    order = world.orders[slot, 0]
    if order.task == _GATHER:
        source = world.units[slot_of(world.units, order.target)]
        if world.types[0, source.type].traits & _MINERALS:
            _add(groups, sizes, _MINERS, slot)
    elif order.task == _ATTACK_TO:
        _add(groups, sizes, _DEFENDERS, slot)
    elif order.task == _REPAIR:
        _add(groups, sizes, _REPAIRERS, slot)


@inlined
def _sort_building(world: Record, slot: int, groups: Array, sizes: Array) -> None:
    unit = world.units[slot]
    kind = world.types[unit.owner, unit.type]
    traits = kind.traits
    if traits & _TOWN_HALL:
        _add(groups, sizes, _HALLS, slot)
    if unit.build_left > 0:
        if kind.race == _TERRAN and not _is_being_built(world, slot):
            _add(groups, sizes, _ABANDONED, slot)
        return
    if kind.race == _TERRAN and unit.health * 3 < unit.health_max * 2:
        _add(groups, sizes, _HURT, slot)
    if traits & _GAS_TRAIT:
        if unit.gas > 0:
            _add(groups, sizes, _GAS, slot)
        return
    if traits & _SPREADS_CREEP and traits & _TOWN_HALL == 0:
        if unit.spread_charges > 0:
            _add(groups, sizes, _TUMOURS, slot)
        return
    _add(groups, sizes, _BUILDINGS, slot)
    if traits & _NEEDS_POWER and unit.powered == 0:
        _add(groups, sizes, _UNPOWERED, slot)
        return
    if unit.morph_left > 0 or kind.flying > 0:
        return
    if _is_armed(world, slot):
        _add(groups, sizes, _ARMY, slot)
    if kind.energy > 0:
        _add(groups, sizes, _CASTERS, slot)
    for _ in range(_free_places(world, slot)):
        _add(groups, sizes, _FREE, slot)


@inlined
def _is_being_built(world: Record, slot: int) -> bool:
    """Return whether a Terran building grows: an SCV is at it, or it is an add-on."""
    unit = world.units[slot]
    if world.types[unit.owner, unit.type].traits & _ADD_ON:
        return True
    builder = slot_of(world.units, unit.builder)
    if builder == 0 or world.units[builder].num_orders == 0:
        return False
    order = world.orders[builder, 0]
    return order.task == _CONSTRUCT and order.target == unit.tag


@inlined
def _free_places(world: Record, slot: int) -> int:
    """Return how many more things a building could begin to make, now or in a moment."""
    unit = world.units[slot]
    if unit.warp_cooldown > 0:
        return 0
    places = 1
    add_on = slot_of(world.units, unit.add_on)
    if add_on != 0:
        other = world.units[add_on]
        if other.build_left > 0:
            return 0
        if world.types[other.owner, other.type].traits & _REACTOR:
            places = 2
    for i in range(unit.num_production):
        if world.production[slot, i].left > _MOMENT:
            places -= 1
    return max(places, 0)


@compiled
def nearest(record: Array, slots: Array, count: int, x: int, y: int) -> int:
    """Return the place in a list of the unit nearest to a position, -1 if the list is empty.

    Workers that carry something count as a little further away.
    """
    world = record[0]
    best, best_distance = -1, 1 << 60
    for i in range(count):
        unit = world.units[slots[i]]
        apart_x, apart_y = unit.x - x, unit.y - y
        distance = apart_x * apart_x + apart_y * apart_y
        if unit.carried > 0:
            distance += 9 * ONE * ONE
        if distance < best_distance:
            best, best_distance = i, distance
    return best


@compiled
def power_of(record: Array, slots: Array, count: int, x: int, y: int, radius: int) -> int:
    """Return how much fighting strength stands around a position: costs, by health that is left."""
    world = record[0]
    total = 0
    for i in range(count):
        unit = world.units[slots[i]]
        apart_x, apart_y = unit.x - x, unit.y - y
        if apart_x * apart_x + apart_y * apart_y > radius * radius or unit.build_left > 0:
            continue
        kind = world.types[unit.owner, unit.type]
        value = kind.total_minerals + 3 * kind.total_gas // 2 + 25 * kind.supply // 2
        full = unit.health_max + unit.shield_max
        total += value * (unit.health + unit.shield) // max(full, 1)
    return total


@compiled
def supply_of(record: Array, slots: Array, count: int) -> int:
    """Return the supply that units take, in half points."""
    world = record[0]
    total = 0
    for i in range(count):
        unit = world.units[slots[i]]
        total += world.types[unit.owner, unit.type].supply
    return total
