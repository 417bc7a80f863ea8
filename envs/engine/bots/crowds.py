"""Looking over many units at once for a computer that leads them. Compiled."""

from envs.engine.compiled import Array, compiled
from envs.engine.layout import Task

_ATTACK_TO, _MOVE_TO, _REACH_UNIT = int(Task.ATTACK_TO), int(Task.MOVE), int(Task.REACH_UNIT)


@compiled
def nearest_threat(
    record: Array, enemies: Array, halls: Array, buildings: Array, radius: int
) -> int:
    """Return the slot of the enemy nearest to one of our buildings, 0 if none is near."""
    world = record[0]
    best, best_distance = 0, radius * radius
    for slot in enemies:
        enemy = world.units[slot]
        if world.types[enemy.owner, enemy.type].speed == 0:
            continue
        for building_slot in halls:
            building = world.units[building_slot]
            distance = (enemy.x - building.x) ** 2 + (enemy.y - building.y) ** 2
            if distance < best_distance:
                best, best_distance = slot, distance
        for building_slot in buildings:
            building = world.units[building_slot]
            distance = 4 * ((enemy.x - building.x) ** 2 + (enemy.y - building.y) ** 2)
            if distance < best_distance:
                best, best_distance = slot, distance
    return best


@compiled
def needing_order(
    record: Array, slots: Array, x: int, y: int, tolerance: int, near: int, walks_only: bool
) -> int:
    """Put first those of some units that need to be sent to a position; return how many do.

    Not those that are there already or on their way, nor, unless they are to walk away from it,
    those in the middle of a fight; nor those about to board something or to cast.
    """
    world = record[0]
    count = 0
    task = _MOVE_TO if walks_only else _ATTACK_TO
    for i in range(len(slots)):
        slot = slots[i]
        unit = world.units[slot]
        is_fighting = unit.target != 0 and not walks_only
        if unit.num_orders > 0:
            order = world.orders[slot, 0]
            if order.task == _REACH_UNIT or (is_fighting and order.task == _ATTACK_TO):
                continue
            if order.task == task:
                if abs(order.x - x) <= tolerance and abs(order.y - y) <= tolerance:
                    continue
        elif is_fighting or (abs(unit.x - x) <= near and abs(unit.y - y) <= near):
            continue
        slots[count] = slot
        count += 1
    return count


@compiled
def straying(record: Array, slots: Array, x: int, y: int, radius: int) -> int:
    """Put first those of some units that do nothing far from a position; return how many do."""
    world = record[0]
    count = 0
    for i in range(len(slots)):
        slot = slots[i]
        unit = world.units[slot]
        if unit.num_orders > 0 or unit.target != 0:
            continue
        if (unit.x - x) ** 2 + (unit.y - y) ** 2 > radius * radius:
            slots[count] = slot
            count += 1
    return count


@compiled
def supply_within(record: Array, slots: Array, x: int, y: int, radius: int) -> int:
    """Return the supply of the units around a position, in half points."""
    world = record[0]
    total = 0
    for i in range(len(slots)):
        unit = world.units[slots[i]]
        if (unit.x - x) ** 2 + (unit.y - y) ** 2 <= radius * radius:
            total += world.types[unit.owner, unit.type].supply
    return total


@compiled
def centre_within(record: Array, slots: Array, x: int, y: int, radius: int) -> tuple[int, int]:
    """Return the middle of the units around a position, the position itself if there is none."""
    world = record[0]
    total_x, total_y, count = 0, 0, 0
    for i in range(len(slots)):
        unit = world.units[slots[i]]
        if (unit.x - x) ** 2 + (unit.y - y) ** 2 <= radius * radius:
            total_x += unit.x
            total_y += unit.y
            count += 1
    if count == 0:
        return x, y
    return total_x // count, total_y // count
