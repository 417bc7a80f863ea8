"""Units that mend others by themselves: Medivacs and Shield Batteries."""

from envs.engine.compiled import Record, inlined
from envs.engine.layout import BIN_BITS, ONE, Attribute, Task, Trait
from envs.engine.movement import gap_between, walk_up_to

HEALED_A_LOOP = 2304  # 12.6 health a second at Faster
RECHARGED_A_LOOP = 6583  # 36 shields a second at Faster
PER_ENERGY = 3
"""Points of health or shields for one of energy."""

_HEALER, _STRUCTURE = int(Trait.HEALER), int(Trait.STRUCTURE)
_BIOLOGICAL = int(Attribute.BIOLOGICAL)
_HEAL_REACH, _RECHARGE_REACH, _LOOK_REACH = 4 * ONE, 6 * ONE, 9 * ONE
_ATTACK_TO = int(Task.ATTACK_TO)


@inlined
def support(world: Record, slot: int) -> bool:
    """Mend the most hurt friend in reach, or go to one. Return whether there is one."""
    unit = world.units[slot]
    kind = world.types[unit.owner, unit.type]
    is_healer = kind.traits & _HEALER != 0
    if unit.energy < ONE or (not is_healer and unit.powered == 0):
        return False
    if unit.num_orders > 0 and world.orders[slot, 0].task != _ATTACK_TO:
        return False
    reach = _HEAL_REACH if is_healer else _RECHARGE_REACH
    friend_slot = _most_hurt(world, slot, is_healer, _LOOK_REACH if is_healer else reach)
    if friend_slot == 0:
        return False
    friend = world.units[friend_slot]
    if gap_between(world, unit, friend) > reach:
        walk_up_to(world, unit, friend)
        return True
    if is_healer:
        mended = min(HEALED_A_LOOP, friend.health_max - friend.health, PER_ENERGY * unit.energy)
        friend.health += mended
    else:
        mended = min(RECHARGED_A_LOOP, friend.shield_max - friend.shield, PER_ENERGY * unit.energy)
        friend.shield += mended
    unit.energy -= mended // PER_ENERGY
    return True


@inlined
def _most_hurt(world: Record, slot: int, is_healer: bool, reach: int) -> int:
    unit = world.units[slot]
    num_rows, num_columns = (world.rows >> 1) + 1, (world.columns >> 1) + 1
    best, best_lack = 0, 0
    last_row, last_column = (unit.y + reach) >> BIN_BITS, (unit.x + reach) >> BIN_BITS
    for row in range(max(0, (unit.y - reach) >> BIN_BITS), min(last_row + 1, num_rows)):
        first = max(0, (unit.x - reach) >> BIN_BITS)
        for column in range(first, min(last_column + 1, num_columns)):
            this = world.bins[row, column]
            while this != 0:
                other = world.units[this]
                if this != slot and other.owner == unit.owner and other.health > 0:
                    kind = world.types[other.owner, other.type]
                    lack = other.shield_max - other.shield
                    if is_healer:
                        lack = other.health_max - other.health
                        is_flesh = kind.attributes & _BIOLOGICAL and kind.flying == 0
                        if not is_flesh or kind.traits & _STRUCTURE:
                            lack = 0
                    if other.build_left == 0 and lack > best_lack:
                        if gap_between(world, unit, other) <= reach:
                            best, best_lack = this, lack
                this = world.bin_next[this]
    return best
