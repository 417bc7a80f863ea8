"""Effects that last on the ground, loop by loop: storms, scans, what is about to land."""

import math

from envs.engine.combat import hurt
from envs.engine.compiled import Record, inlined
from envs.engine.layout import ONE, Clock, Targets
from envs.engine.units import slot_of

PSI_STORM, GUARDIAN_SHIELD, SCANNER_SWEEP, CORROSIVE_BILE = 1, 2, 6, 11
"""Ids of effects, as the API numbers them."""

_LOOP, _NUM_ALIVE = int(Clock.LOOP), int(Clock.NUM_ALIVE)
_GROUND, _AIR = int(Targets.GROUND), int(Targets.AIR)


@inlined
def run_effect(world: Record, index: int) -> None:
    """Let one loop of an effect pass: harm who stands in it, end it when its time is over."""
    effect = world.effects[index]
    if effect.id == GUARDIAN_SHIELD:
        _guard(world, effect)
    is_over = world.clock[_LOOP] >= effect.until
    damage = effect.burst if is_over else effect.damage
    if damage > 0:
        source = slot_of(world.units, effect.source)
        for i in range(world.clock[_NUM_ALIVE]):
            slot = world.alive[i]
            unit = world.units[slot]
            if unit.owner == 0 or unit.health <= 0 or unit.carrier != 0:
                continue
            kind = world.types[unit.owner, unit.type]
            if effect.targets & (_AIR if kind.flying else _GROUND) == 0:
                continue
            apart = math.sqrt((unit.x - effect.x) ** 2 + (unit.y - effect.y) ** 2)
            if apart <= effect.radius + kind.radius:
                hurt_through_armour(world, slot, damage, source)
    if is_over:
        effect.id = 0


@inlined
def _guard(world: Record, effect: Record) -> None:
    """Shield who is near the sentry, wherever it goes; the effect ends with it."""
    sentry = world.units[slot_of(world.units, effect.source)]
    if sentry.health <= 0 or sentry.carrier != 0:
        effect.until = 0
        return
    effect.x, effect.y = sentry.x, sentry.y
    for i in range(world.clock[_NUM_ALIVE]):
        unit = world.units[world.alive[i]]
        if unit.owner == effect.owner and unit.carrier == 0:
            apart = math.sqrt((unit.x - effect.x) ** 2 + (unit.y - effect.y) ** 2)
            if apart <= effect.radius + world.types[unit.owner, unit.type].radius:
                unit.shield_up_left = _SHIELDED_LOOPS


_SHIELDED_LOOPS = 2  # from one loop to the next, whoever acts first in it


@inlined
def hurt_through_armour(world: Record, slot: int, damage: int, by: int) -> None:
    """Do damage that armour does not lessen, as spells do."""
    unit = world.units[slot]
    kind = world.types[unit.owner, unit.type]
    armour = kind.armour if unit.shield <= 0 else kind.shield_armour
    hurt(world, slot, damage + armour * ONE, by)
