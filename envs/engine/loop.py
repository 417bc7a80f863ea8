"""One game loop after another, compiled: the order in which everything happens.

Units act in the order of their slots, forwards in even loops and backwards in odd ones, so that
neither side is always first.
"""

from envs.engine.combat import cool_down
from envs.engine.compiled import Array, Record, compiled, inlined
from envs.engine.creep import CREEP_LOOPS, spread_creep
from envs.engine.economy import count_harvesters
from envs.engine.layout import MAX_EFFECTS, Clock
from envs.engine.movement import fill_bins, move
from envs.engine.production import grow
from envs.engine.spells import run_effect
from envs.engine.tasks import act
from envs.engine.units import slot_of
from envs.engine.vision import SIGHT_LOOPS, look, notice, spread_power

_LOOP, _NUM_EVENTS = int(Clock.LOOP), int(Clock.NUM_EVENTS)
_NUM_ALIVE = int(Clock.NUM_ALIVE)
_NOTICE_LOOPS = 4


@compiled
def run_loops(record: Array, until: int) -> None:
    """Run loops until one leaves events to see to, at most up to loop ``until``."""
    world = record[0]
    while world.clock[_LOOP] < until:
        _run_loop(world)
        if world.clock[_NUM_EVENTS] > 0:
            return


@inlined
def _run_loop(world: Record) -> None:
    world.clock[_LOOP] += 1
    loop = world.clock[_LOOP]
    if loop % SIGHT_LOOPS == 0:
        look(world)
        spread_power(world)
    elif loop % _NOTICE_LOOPS == 0:
        for i in range(world.clock[_NUM_ALIVE]):
            notice(world, world.alive[i])
    if loop % CREEP_LOOPS == 0:
        spread_creep(world)
        count_harvesters(world)
    fill_bins(world)
    num_alive = world.clock[_NUM_ALIVE]
    for i in range(num_alive):
        slot = world.alive[i] if loop & 1 == 0 else world.alive[num_alive - 1 - i]
        unit = world.units[slot]
        if unit.health <= 0 or unit.owner == 0:
            continue
        grow(world, slot)
        cool_down(unit)
        act(world, slot)
    for i in range(MAX_EFFECTS):
        if world.effects[i].id != 0:
            run_effect(world, i)
    for i in range(num_alive):
        slot = world.alive[i] if loop & 1 == 0 else world.alive[num_alive - 1 - i]
        unit = world.units[slot]
        if unit.owner == 0 or unit.health <= 0:
            continue
        if unit.carrier != 0:
            carrier = slot_of(world.units, unit.carrier)
            unit.x, unit.y = world.units[carrier].x, world.units[carrier].y
        else:
            move(world, slot)
