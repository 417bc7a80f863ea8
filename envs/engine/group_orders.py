"""One order for a whole group of units that walk or fight their way somewhere. Compiled."""

from envs.engine.compiled import Array, compiled
from envs.engine.layout import MAX_ORDERS, Task, Trait
from envs.engine.tasks import start_afresh

_ATTACK_TO = int(Task.ATTACK_TO)
_STRUCTURE_OR_EGG = int(Trait.STRUCTURE | Trait.EGG)


@compiled
def order_group(
    record: Array,
    slots: Array,
    abilities: Array,
    task: int,
    on_foot: tuple[int, int],
    by_air: tuple[int, int],
    is_queued: bool,
) -> int:
    """Order each unit that can take it to a position; return how many could.

    Args:
        record: the world's.
        slots: of the units.
        abilities: what each is told to do, the specific ids.
        task: ``MOVE`` or ``ATTACK_TO``.
        on_foot: where to, for those who walk.
        by_air: where to, for those who fly.
        is_queued: whether it is to wait for the orders before it.
    """
    world = record[0]
    count = 0
    for i in range(len(slots)):
        unit = world.units[slots[i]]
        kind = world.types[unit.owner, unit.type]
        if unit.carrier != 0 or unit.build_left > 0:
            continue
        if unit.morph_left > 0 and (not is_queued or kind.traits & _STRUCTURE_OR_EGG):
            continue
        if kind.speed == 0 and task != _ATTACK_TO:
            continue
        if not is_queued:
            unit.num_orders = 0
            start_afresh(unit)
        if unit.num_orders >= MAX_ORDERS:
            continue
        order = world.orders[slots[i], unit.num_orders]
        order.ability, order.task, order.target = abilities[i], task, 0
        order.x, order.y = by_air if kind.flying else on_foot
        order.reach, order.type, order.state, order.timer = 0, 0, 0, 0
        unit.num_orders += 1
        if unit.num_orders == 1:
            start_afresh(unit)
        count += 1
    return count
