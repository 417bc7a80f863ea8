"""Fighting: which enemy a unit turns to, when it shoots, what a hit does.

A shot hits at once. Damage is the weapon's, with its bonus, less armour, at least half a point,
each of a weapon's attacks by itself; shields take it first. Cooldowns are those of the tables.
"""

import math

from envs.engine.compiled import Array, Record, compiled, inlined
from envs.engine.layout import BIN_BITS, ONE, TICK, Clock, Happening, Splash, Targets, Trait
from envs.engine.movement import distance_between, gap_between, is_near_others, walk_up_to
from envs.engine.units import leave_word, slot_of

_LOOP = int(Clock.LOOP)
_GROUND, _AIR = int(Targets.GROUND), int(Targets.AIR)
_STRUCTURE, _TALL = int(Trait.STRUCTURE), int(Trait.TALL)
_LAST_CHOICE, _SCENERY = int(Trait.NO_AUTO_TARGET), int(Trait.SCENERY)
_SUICIDE = int(Trait.SUICIDE)
_CIRCLE, _LINE, _BOUNCE = int(Splash.CIRCLE), int(Splash.LINE), int(Splash.BOUNCE)
_ARC, _SELF, _ACROSS = int(Splash.ARC), int(Splash.SELF), int(Splash.ACROSS)
_DIED = int(Happening.DIED)
_LATELY = 16  # loops
_STEPS_AHEAD = 4  # a unit looks around every so many loops
_CHASE = 11 * ONE // 2  # how far a unit that may walk looks for enemies, at least
_LARGEST_RADIUS = 11 * ONE // 4
_RANK = 1 << 24
_ARC_COSINE = 0.7


@inlined
def weapon_against(world: Record, attacker: Record, target: Record) -> int:
    """Return which of its weapons a unit can use on another, -1 for none."""
    kind = world.types[target.owner, target.type]
    layer = _AIR if kind.flying else _GROUND
    if kind.traits & _TALL:
        layer = _AIR | _GROUND
    for index in range(2):
        if world.weapons[attacker.owner, attacker.type, index].targets & layer:
            return index
    return -1


@inlined
def is_armed(world: Record, unit: Record) -> bool:
    """Return whether a unit has a weapon at all."""
    weapons = world.weapons[unit.owner, unit.type]
    return weapons[0].targets != 0 or weapons[1].targets != 0


@inlined
def can_attack(world: Record, attacker: Record, target_slot: int) -> bool:
    """Return whether a unit could shoot at another if it were near enough."""
    target = world.units[target_slot]
    if target.health <= 0 or target.carrier != 0:
        return False
    if target.owner == 0 or world.types[target.owner, target.type].traits & _SCENERY:
        return False
    if target.owner != attacker.owner and target.visible_to & (1 << attacker.owner) == 0:
        return False
    return weapon_against(world, attacker, target) >= 0


@inlined
def reach_bonus(world: Record, unit: Record) -> int:
    """Return what sitting in a bunker adds to a unit's range."""
    carrier = slot_of(world.units, unit.carrier)
    if carrier == 0:
        return 0
    return world.types[world.units[carrier].owner, world.units[carrier].type].range_bonus_inside


@inlined
def rank(world: Record, attacker: Record, target: Record) -> int:
    """Return how much a target matters: 3 if it shoots back, 2 units, 1 buildings, 0 eggs."""
    traits = world.types[target.owner, target.type].traits
    if traits & _LAST_CHOICE:
        return 0
    if is_armed(world, target) and target.build_left == 0:
        if weapon_against(world, target, attacker) >= 0:
            return 3
    if traits & _STRUCTURE:
        return 1
    return 2


@inlined
def find_target(world: Record, slot: int, reach: int) -> int:
    """Return the slot of the enemy that matters most within a distance of edges, 0 for none."""
    unit = world.units[slot]
    own_radius = world.types[unit.owner, unit.type].radius
    search = reach + own_radius + _LARGEST_RADIUS
    if not is_near_others(world, unit, search):
        return 0
    num_rows, num_columns = (world.rows >> 1) + 1, (world.columns >> 1) + 1
    first_row, last_row = max(0, (unit.y - search) >> BIN_BITS), (unit.y + search) >> BIN_BITS
    first_column = max(0, (unit.x - search) >> BIN_BITS)
    last_column = (unit.x + search) >> BIN_BITS
    best, best_score = 0, -(1 << 40)
    for row in range(first_row, min(last_row + 1, num_rows)):
        for column in range(first_column, min(last_column + 1, num_columns)):
            other_slot = world.bins[row, column]
            while other_slot != 0:
                this, other_slot = other_slot, world.bin_next[other_slot]
                other = world.units[this]
                if other.owner == unit.owner or other.owner == 0:
                    continue
                if not can_attack(world, unit, this):
                    continue
                gap = gap_between(world, unit, other)
                if gap > reach:
                    continue
                weapon = world.weapons[unit.owner, unit.type, weapon_against(world, unit, other)]
                if weapon.min_range > 0 and gap < weapon.min_range:
                    continue
                score = rank(world, unit, other) * _RANK - int(gap)
                if score > best_score:
                    best, best_score = this, score
    return best


@inlined
def fight(world: Record, slot: int, may_walk: bool) -> bool:
    """Deal with enemies in reach: shoot, or go nearer if it may. Return whether there is one."""
    unit = world.units[slot]
    if not is_armed(world, unit) or unit.lifted_left > 0:
        return False
    loop = world.clock[_LOOP]
    target = slot_of(world.units, unit.target)
    if target != 0 and (
        world.units[target].owner == unit.owner or not can_attack(world, unit, target)
    ):
        target = 0
    if target == 0 and unit.target != 0:
        unit.target = 0
        unit.acquire = 0
    if loop >= unit.acquire:
        unit.acquire = loop + _STEPS_AHEAD + (slot & 1)
        reach = max(
            world.weapons[unit.owner, unit.type, 0].range,
            world.weapons[unit.owner, unit.type, 1].range,
        ) + reach_bonus(world, unit)
        if may_walk:
            reach = max(reach + ONE, _CHASE)
        found = find_target(world, slot, reach)
        if found != 0 and found != target:
            if target == 0 or _is_better(world, unit, found, target):
                target = found
        elif found == 0:
            target = _who_shot(world, unit) if may_walk and loop - unit.last_hit < _LATELY else 0
        unit.target = world.units[target].tag if target != 0 else 0
    if target == 0:
        return False
    return engage(world, slot, target, may_walk)


@inlined
def _who_shot(world: Record, unit: Record) -> int:
    """Return the slot of the enemy who last hit a unit, if it can hit back; else 0."""
    by = slot_of(world.units, unit.last_hit_by)
    if by == 0 or world.units[by].owner == unit.owner or not can_attack(world, unit, by):
        return 0
    return by


@inlined
def _is_better(world: Record, unit: Record, found: int, target: Record) -> bool:
    """Return whether to leave one target for another: it matters more, or is a good deal nearer."""
    old, new = world.units[target], world.units[found]
    old_rank, new_rank = rank(world, unit, old), rank(world, unit, new)
    if new_rank != old_rank:
        return new_rank > old_rank
    weapon = world.weapons[unit.owner, unit.type, weapon_against(world, unit, old)]
    gap = gap_between(world, unit, old)
    return gap > weapon.range and gap_between(world, unit, new) + ONE < gap


@inlined
def engage(world: Record, slot: int, target_slot: int, may_walk: bool) -> bool:
    """Shoot at a target in range, else go nearer if it may. Return whether it does either."""
    unit, target = world.units[slot], world.units[target_slot]
    index = weapon_against(world, unit, target)
    weapon = world.weapons[unit.owner, unit.type, index]
    gap = gap_between(world, unit, target)
    is_too_near = weapon.min_range > 0 and gap < weapon.min_range
    if gap <= weapon.range + reach_bonus(world, unit) and not is_too_near:
        if unit.weapon_cooldown <= 0 and unit.hold_fire == 0:
            unit.heading_x, unit.heading_y = target.x - unit.x, target.y - unit.y
            unit.weapon_cooldown += _cooldown(unit, weapon)
            _shoot(world, slot, target_slot, index)
        return True
    if may_walk and gap > weapon.range:
        walk_up_to(world, unit, target)
        return True
    return False


@inlined
def _cooldown(unit: Record, weapon: Record) -> int:
    cooldown = weapon.cooldown
    if unit.stim_left > 0:
        cooldown = cooldown * 2 // 3
    return cooldown


@inlined
def _shoot(world: Record, slot: int, target_slot: int, index: int) -> None:
    unit = world.units[slot]
    weapon = world.weapons[unit.owner, unit.type, index]
    kind = world.types[unit.owner, unit.type]
    if weapon.splash == _SELF:
        _strike_around(world, slot, slot, index)
        if world.units[target_slot].health > 0 and world.units[target_slot].last_hit_by != unit.tag:
            strike(world, slot, target_slot, index, 1, 1)
    elif weapon.splash == _CIRCLE:
        strike(world, slot, target_slot, index, 1, 1)
        _strike_around(world, slot, target_slot, index)
    elif weapon.splash == _BOUNCE:
        _strike_bouncing(world, slot, target_slot, index)
    elif weapon.splash != 0:
        strike(world, slot, target_slot, index, 1, 1)
        _strike_along(world, slot, target_slot, index)
    else:
        strike(world, slot, target_slot, index, 1, 1)
    if kind.traits & _SUICIDE and unit.health > 0:
        unit.health = 0
        leave_word(world, _DIED, slot, slot)


@inlined
def strike(
    world: Record, slot: int, target_slot: int, index: int, numerator: int, denominator: int
) -> None:
    """Hit one unit with a fraction of a weapon's damage."""
    unit, target = world.units[slot], world.units[target_slot]
    weapon = world.weapons[unit.owner, unit.type, index]
    kind = world.types[target.owner, target.type]
    damage = weapon.damage
    if kind.attributes & weapon.bonus_attributes:
        damage += weapon.bonus
    if weapon.structure_damage > 0 and kind.traits & _STRUCTURE:
        damage = weapon.structure_damage
    damage = damage * ONE * numerator // denominator
    for _ in range(weapon.attacks):
        if target.health > 0:
            more = weapon.bonus_shield * ONE if target.shield > 0 else 0
            hurt(world, target_slot, damage + more, slot)


@inlined
def hurt(world: Record, slot: int, damage: int, by: int) -> None:
    """Take one hit's damage, in 1/ONE, off shield and health, less armour; tell of a death."""
    unit = world.units[slot]
    if unit.health <= 0 or world.players[unit.owner].god:
        return
    kind = world.types[unit.owner, unit.type]
    loop = world.clock[_LOOP]
    unit.last_hit = loop
    unit.last_hit_by = world.units[by].tag
    if damage <= 0:
        return
    if unit.shield_up_left > 0:
        damage = max(damage - 2 * ONE, ONE // 2)
    if unit.shield > 0:
        through = max(damage - kind.shield_armour * ONE, ONE // 2)
        if through <= unit.shield:
            unit.shield -= through
            return
        damage -= unit.shield
        unit.shield = 0
    unit.health -= max(damage - kind.armour * ONE, ONE // 2)
    if unit.health <= 0:
        unit.health = 0
        leave_word(world, _DIED, slot, by)


@inlined
def _is_hit_by_splash(world: Record, slot: int, this: int, weapon: Record) -> bool:
    unit, other = world.units[slot], world.units[this]
    if other.health <= 0 or other.owner == 0 or other.carrier != 0:
        return False
    if other.owner == unit.owner and weapon.friendly_fire == 0:
        return False
    kind = world.types[other.owner, other.type]
    layer = _AIR if kind.flying else _GROUND
    return weapon.targets & layer != 0 and kind.traits & _SCENERY == 0


@inlined
def _strike_around(world: Record, slot: int, centre_slot: int, index: int) -> None:
    """Hit what stands around the centre: all, half or a quarter of the damage by distance."""
    unit, centre = world.units[slot], world.units[centre_slot]
    weapon = world.weapons[unit.owner, unit.type, index]
    radius = max(weapon.radius_full, weapon.radius_half, weapon.radius_quarter)
    search = radius + _LARGEST_RADIUS
    num_rows, num_columns = (world.rows >> 1) + 1, (world.columns >> 1) + 1
    last_row, last_column = (centre.y + search) >> BIN_BITS, (centre.x + search) >> BIN_BITS
    for row in range(max(0, (centre.y - search) >> BIN_BITS), min(last_row + 1, num_rows)):
        first = max(0, (centre.x - search) >> BIN_BITS)
        for column in range(first, min(last_column + 1, num_columns)):
            this = world.bins[row, column]
            while this != 0:
                if (
                    this != centre_slot
                    and this != slot
                    and _is_hit_by_splash(world, slot, this, weapon)
                ):
                    other = world.units[this]
                    gap = (
                        distance_between(centre, other)
                        - world.types[other.owner, other.type].radius
                    )
                    if gap <= weapon.radius_full:
                        strike(world, slot, this, index, 1, 1)
                    elif gap <= weapon.radius_half:
                        strike(world, slot, this, index, 1, 2)
                    elif gap <= weapon.radius_quarter:
                        strike(world, slot, this, index, 1, 4)
                this = world.bin_next[this]


@inlined
def _strike_along(world: Record, slot: int, target_slot: int, index: int) -> None:
    """Hit what stands in the line of fire, across it, or in an arc before the attacker."""
    unit, target = world.units[slot], world.units[target_slot]
    weapon = world.weapons[unit.owner, unit.type, index]
    ahead_x, ahead_y = float(target.x - unit.x), float(target.y - unit.y)
    length = math.sqrt(ahead_x * ahead_x + ahead_y * ahead_y)
    if length < 1:
        return
    ahead_x, ahead_y = ahead_x / length, ahead_y / length
    centre = target if weapon.splash == _ACROSS else unit
    own_radius = world.types[unit.owner, unit.type].radius
    reach = weapon.range + own_radius
    if weapon.splash == _ACROSS:
        reach = weapon.radius_full
    elif weapon.splash == _ARC:
        reach = max(weapon.radius_full, weapon.radius_half) + own_radius
    search = reach + _LARGEST_RADIUS
    num_rows, num_columns = (world.rows >> 1) + 1, (world.columns >> 1) + 1
    last_row, last_column = (centre.y + search) >> BIN_BITS, (centre.x + search) >> BIN_BITS
    for row in range(max(0, (centre.y - search) >> BIN_BITS), min(last_row + 1, num_rows)):
        first = max(0, (centre.x - search) >> BIN_BITS)
        for column in range(first, min(last_column + 1, num_columns)):
            this = world.bins[row, column]
            while this != 0:
                is_other = this != slot and this != target_slot
                if is_other and _is_hit_by_splash(world, slot, this, weapon):
                    other = world.units[this]
                    radius = world.types[other.owner, other.type].radius
                    from_x, from_y = float(other.x - centre.x), float(other.y - centre.y)
                    along = from_x * ahead_x + from_y * ahead_y
                    aside = abs(from_x * ahead_y - from_y * ahead_x)
                    if weapon.splash == _LINE:
                        if 0 < along <= reach + radius and aside <= weapon.radius_full + radius:
                            strike(world, slot, this, index, 1, 1)
                    elif weapon.splash == _ACROSS:
                        if abs(along) <= radius + ONE // 4 and aside <= reach + radius:
                            strike(world, slot, this, index, 1, 1)
                    else:
                        distance = math.sqrt(from_x * from_x + from_y * from_y)
                        if distance <= reach + radius and along >= _ARC_COSINE * distance:
                            strike(world, slot, this, index, 1, 1 if weapon.radius_full > 0 else 3)
                this = world.bin_next[this]


@inlined
def _strike_bouncing(world: Record, slot: int, target_slot: int, index: int) -> None:
    """Hit the target, then another near it with a third, then one more with a ninth."""
    unit = world.units[slot]
    weapon = world.weapons[unit.owner, unit.type, index]
    strike(world, slot, target_slot, index, 1, 1)
    hit_before, last = 0, target_slot
    for denominator in (3, 9):
        best, best_distance = 0, float(weapon.radius_full)
        centre = world.units[last]
        search = weapon.radius_full
        num_rows, num_columns = (world.rows >> 1) + 1, (world.columns >> 1) + 1
        last_row, last_column = (centre.y + search) >> BIN_BITS, (centre.x + search) >> BIN_BITS
        for row in range(max(0, (centre.y - search) >> BIN_BITS), min(last_row + 1, num_rows)):
            first = max(0, (centre.x - search) >> BIN_BITS)
            for column in range(first, min(last_column + 1, num_columns)):
                this = world.bins[row, column]
                while this != 0:
                    is_new = this != last and this != hit_before and this != target_slot
                    if is_new and _is_hit_by_splash(world, slot, this, weapon):
                        distance = distance_between(centre, world.units[this])
                        if distance <= best_distance:
                            best, best_distance = this, distance
                    this = world.bin_next[this]
        if best == 0:
            return
        strike(world, slot, best, index, 1, denominator)
        hit_before, last = last, best


@inlined
def cool_down(unit: Record) -> None:
    """Let one loop of a weapon's cooldown pass."""
    if unit.weapon_cooldown > 0:
        unit.weapon_cooldown = max(unit.weapon_cooldown - TICK, -TICK + 1)
    if unit.weapon_cooldown <= 0 and unit.target == 0:
        unit.weapon_cooldown = 0


@compiled
def can_attack_now(record: Array, slot: int, target_slot: int) -> bool:
    """Return whether a unit could shoot at another if it were near enough; for plain code."""
    world = record[0]
    return can_attack(world, world.units[slot], target_slot)


@compiled
def hurt_now(record: Array, slot: int, damage: int, by: int) -> None:
    """Take damage off a unit between loops; for plain code."""
    world = record[0]
    hurt(world, slot, damage, by)
