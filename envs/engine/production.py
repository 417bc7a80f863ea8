"""What grows by itself: buildings, morphs, queues, larvae, shields, energy, and what runs out."""

from envs.engine.compiled import Array, Record, compiled, inlined
from envs.engine.layout import CELL_BITS, NUM_OWNERS, ONE, TICK, Clock, Happening, Task, Trait
from envs.engine.movement import gap_between
from envs.engine.units import leave_word, slot_of

LARVA_LOOPS = 246
"""11 seconds at Faster, as measured in the game."""

MAX_NATURAL_LARVAE = 3
MAX_SUPPLY = 400
"""In half points."""

SHIELD_PAUSE_LOOPS = 160
SHIELD_A_LOOP = 2 * ONE // 16
HEALTH_A_LOOP = 70  # 0.2734 points a second at normal speed
ENERGY_A_LOOP = 144  # 0.5625 points a second at normal speed

_LOOP = int(Clock.LOOP)
_TERRAN, _ZERG = 1, 2
_PRODUCED, _CONSTRUCTED = int(Happening.PRODUCED), int(Happening.CONSTRUCTED)
_MORPHED, _EXPIRED = int(Happening.MORPHED), int(Happening.EXPIRED)
_LARVA, _INJECTED = int(Happening.LARVA), int(Happening.INJECTED)
_IS_REACTOR, _TOWN_HALL = int(Trait.REACTOR), int(Trait.TOWN_HALL)
_STRUCTURE = int(Trait.STRUCTURE)
_NEEDS_POWER, _NEEDS_CREEP = int(Trait.NEEDS_POWER), int(Trait.NEEDS_CREEP)
_ALWAYS_CLOAKED = int(Trait.CLOAKED)
_CONSTRUCT = int(Task.CONSTRUCT)
_OFF_CREEP_LOSS = 3 * ONE // 16  # of health a loop: 3 points a second at normal speed
_CHRONO = TICK // 2  # more a loop
_CLOAK_ENERGY = 230  # a loop: 0.9 points a second at normal speed


@inlined
def grow(world: Record, slot: int) -> None:
    """Let one loop pass for one unit's timers, vitals, construction, morph and queue."""
    unit = world.units[slot]
    kind = world.types[unit.owner, unit.type]
    _run_timers(unit)
    if unit.build_left > 0:
        _construct(world, slot)
        return
    _regenerate(world, slot)
    if unit.dies > 0 and world.clock[_LOOP] >= unit.dies:
        leave_word(world, _EXPIRED, slot, 0)
    if unit.morph_left > 0:
        unit.morph_left -= 1
        if unit.morph_left == 0:
            leave_word(world, _MORPHED, slot, 0)
    if unit.num_production > 0:
        _produce(world, slot)
    if kind.race == _ZERG and kind.traits & _TOWN_HALL:
        _make_larvae(world, slot)


@inlined
def _run_timers(unit: Record) -> None:
    if unit.ability_cooldown > 0:
        unit.ability_cooldown -= 1
    if unit.ability_cooldown_2 > 0:
        unit.ability_cooldown_2 -= 1
    if unit.warp_cooldown > 0:
        unit.warp_cooldown -= 1
    if unit.stim_left > 0:
        unit.stim_left -= 1
    if unit.slow_left > 0:
        unit.slow_left -= 1
    if unit.haste_left > 0:
        unit.haste_left -= 1
    if unit.root_left > 0:
        unit.root_left -= 1
    if unit.shield_up_left > 0:
        unit.shield_up_left -= 1
    if unit.lifted_left > 0:
        unit.lifted_left -= 1
    if unit.chrono_left > 0:
        unit.chrono_left -= 1


@inlined
def _construct(world: Record, slot: int) -> None:
    """Build on: a Terran building only while its SCV is at it. Health grows with progress."""
    unit = world.units[slot]
    kind = world.types[unit.owner, unit.type]
    step = TICK
    if kind.race == _TERRAN and kind.traits & _STRUCTURE and unit.builder != 0:
        builder = slot_of(world.units, unit.builder)
        if builder == 0:
            return
        worker = world.units[builder]
        order = world.orders[builder, 0]
        is_at_work = worker.num_orders > 0 and order.task == _CONSTRUCT
        if not is_at_work or order.target != unit.tag or gap_between(world, worker, unit) > ONE:
            return
    elif kind.race == _TERRAN and kind.traits & _STRUCTURE and unit.home == 0:
        return  # left unfinished; add-ons have their building as home
    if world.players[unit.owner].fast:
        step = unit.build_left
    left = max(unit.build_left - step, 0)
    grown = _grown(unit.health_max, unit.build_total - left, unit.build_total)
    unit.health += grown - _grown(
        unit.health_max, unit.build_total - unit.build_left, unit.build_total
    )
    unit.health = min(unit.health, unit.health_max)
    if unit.shield_max > 0:
        grown = _grown(unit.shield_max, unit.build_total - left, unit.build_total)
        before = _grown(unit.shield_max, unit.build_total - unit.build_left, unit.build_total)
        unit.shield = min(unit.shield + grown - before, unit.shield_max)
    unit.build_left = left
    if left == 0:
        leave_word(world, _CONSTRUCTED, slot, 0)


@inlined
def _grown(full: int, done: Array, total: int) -> int:
    """Return the health of a building at some progress: a tenth at the start."""
    return full // 10 + (full - full // 10) * done // max(total, 1)


@inlined
def _regenerate(world: Record, slot: int) -> None:
    unit = world.units[slot]
    kind = world.types[unit.owner, unit.type]
    loop = world.clock[_LOOP]
    if unit.shield < unit.shield_max and loop - unit.last_hit >= SHIELD_PAUSE_LOOPS:
        unit.shield = min(unit.shield + SHIELD_A_LOOP, unit.shield_max)
    if kind.race == _ZERG and unit.health > 0:
        if unit.health < unit.health_max:
            unit.health = min(unit.health + HEALTH_A_LOOP, unit.health_max)
        if kind.traits & _NEEDS_CREEP and kind.speed == 0:
            if world.creep[unit.y >> CELL_BITS, unit.x >> CELL_BITS] == 0:
                unit.health -= _OFF_CREEP_LOSS
                if unit.health <= 0:
                    unit.health = 0
                    leave_word(world, _EXPIRED, slot, 0)
    if kind.energy > 0:
        if unit.cloaked > 0 and kind.traits & _ALWAYS_CLOAKED == 0:
            unit.energy -= _CLOAK_ENERGY
            if unit.energy <= 0:
                unit.energy = 0
                unit.cloaked = 0
        elif unit.energy < kind.energy:
            unit.energy = min(unit.energy + ENERGY_A_LOOP, kind.energy)


@inlined
def _produce(world: Record, slot: int) -> None:
    """Work on the first entry of a queue, with a reactor on the first two."""
    unit = world.units[slot]
    kind = world.types[unit.owner, unit.type]
    if kind.traits & _NEEDS_POWER and unit.powered == 0:
        return
    if kind.flying:
        return
    at_once = 1
    add_on = slot_of(world.units, unit.add_on)
    if add_on != 0 and world.units[add_on].build_left == 0:
        other = world.units[add_on]
        if world.types[other.owner, other.type].traits & _IS_REACTOR:
            at_once = 2
    step = TICK
    if unit.chrono_left > 0:
        step += _CHRONO
    player = world.players[unit.owner]
    for i in range(min(at_once, unit.num_production)):
        entry = world.production[slot, i]
        if entry.started == 0:
            supply = player.supply_used + entry.supply
            if entry.supply > 0 and player.no_food == 0:
                if supply > min(player.supply_made, MAX_SUPPLY):
                    continue
            entry.started = 1
            player.supply_used = supply
        if entry.left > 0:
            entry.left = 0 if player.fast else max(entry.left - step, 0)
        if entry.left == 0:
            leave_word(world, _PRODUCED, slot, i)


@inlined
def _make_larvae(world: Record, slot: int) -> None:
    unit = world.units[slot]
    if unit.larva_count < MAX_NATURAL_LARVAE:
        unit.larva_timer -= 1
        if unit.larva_timer <= 0:
            unit.larva_timer = LARVA_LOOPS
            leave_word(world, _LARVA, slot, 0)
    else:
        unit.larva_timer = LARVA_LOOPS
    if unit.inject_left > 0:
        unit.inject_left -= 1
        if unit.inject_left == 0:
            leave_word(world, _INJECTED, slot, 0)


@compiled
def count_supply(record: Array) -> None:
    """Work out what supply each player has and uses, from the units there are."""
    world = record[0]
    for owner in range(1, NUM_OWNERS):
        world.players[owner].supply_used = 0
        world.players[owner].supply_made = 0
    for i in range(world.clock[_NUM_ALIVE]):
        slot = world.alive[i]
        unit = world.units[slot]
        if unit.owner == 0:
            continue
        kind = world.types[unit.owner, unit.type]
        player = world.players[unit.owner]
        player.supply_used += kind.supply
        if unit.build_left == 0:
            player.supply_made += kind.supply_given + unit.extra_supply
        if unit.morph_type != 0:
            becoming = world.types[unit.owner, unit.morph_type]
            player.supply_used += max(becoming.supply - kind.supply, 0)
        for place in range(unit.num_production):
            entry = world.production[slot, place]
            if entry.started:
                player.supply_used += entry.supply


_NUM_ALIVE = int(Clock.NUM_ALIVE)
