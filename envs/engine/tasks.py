"""What a unit does in one loop about its first order, or without any.

Walking, fighting and gathering are done here. An order that ends in something else, such as a
building placed or a spell cast, is brought within reach, and word is left that it is ready.
"""

import math

from envs.engine.combat import can_attack, engage, fight, is_armed, reach_bonus
from envs.engine.compiled import Array, Record, compiled, inlined
from envs.engine.economy import bring_home, gather
from envs.engine.layout import ONE, Gathering, Happening, Task, Trait
from envs.engine.movement import gap_between, walk_to, walk_up_to
from envs.engine.support import support
from envs.engine.units import leave_word, slot_of

_MOVE, _FOLLOW, _ATTACK_TO = int(Task.MOVE), int(Task.FOLLOW), int(Task.ATTACK_TO)
_ATTACK_UNIT, _PATROL, _HOLD = int(Task.ATTACK_UNIT), int(Task.PATROL), int(Task.HOLD)
_GATHER, _RETURN, _BUILD = int(Task.GATHER), int(Task.RETURN), int(Task.BUILD)
_REACH_POINT, _REACH_UNIT = int(Task.REACH_POINT), int(Task.REACH_UNIT)
_CONSTRUCT, _REPAIR = int(Task.CONSTRUCT), int(Task.REPAIR)
_READY, _TARGET_LOST = int(Happening.READY), int(Happening.TARGET_LOST)
_WORKER = int(Trait.WORKER)
_SUPPORTS = int(Trait.HEALER | Trait.RECHARGER)
_NEEDS_POWER, _GAS_BUILDING = int(Trait.NEEDS_POWER), int(Trait.GAS_BUILDING)
_GOING, _TURNING = int(Gathering.GOING), int(Gathering.TURNING)
_LEAVING, _SCV_GATHER = int(Gathering.LEAVING), 295
_ARRIVED = ONE // 8
_CROWDED = 6  # loops of being held up, near the goal, after which a unit stops
_CROWD_RADIUS = 5 * ONE
_FOLLOW_GAP = ONE


@inlined
def finish_order(world: Record, slot: int) -> None:
    """Drop a unit's first order, so that it goes on with the next."""
    unit = world.units[slot]
    for i in range(1, unit.num_orders):
        world.orders[slot, i - 1] = world.orders[slot, i]
    if unit.num_orders > 0:
        unit.num_orders -= 1
    start_afresh(unit)


@inlined
def start_afresh(unit: Record) -> None:
    """Have a unit forget what it did about an order that is over."""
    unit.target = 0
    unit.acquire = 0
    unit.blocked = 0
    if unit.gather_phase not in (_TURNING, _LEAVING):  # those go on
        unit.gather_phase = _GOING


@compiled
def finish_order_now(record: Array, slot: int) -> None:
    """Drop a unit's first order; for plain code."""
    finish_order(record[0], slot)


@compiled
def start_afresh_now(record: Array, slot: int) -> None:
    """Have a unit forget what it did about an order that is over; for plain code."""
    start_afresh(record[0].units[slot])


@inlined
def act(world: Record, slot: int) -> None:
    """Have one unit do what its order, or its nature, tells it in this loop."""
    unit = world.units[slot]
    unit.walks = 0
    if unit.build_left > 0 or unit.morph_left > 0:
        return
    if unit.carrier != 0:
        if reach_bonus(world, unit) > 0:  # in a bunker
            fight(world, slot, False)
        return
    kind = world.types[unit.owner, unit.type]
    if kind.traits & _NEEDS_POWER and unit.powered == 0:
        return
    if kind.traits & _SUPPORTS and support(world, slot):
        return
    if unit.num_orders == 0:
        if kind.traits & _WORKER == 0 and is_armed(world, unit):
            fight(world, slot, kind.speed > 0)
        return
    order = world.orders[slot, 0]
    task = order.task
    if task == _GATHER:
        is_turning = unit.gather_phase == _TURNING
        if not gather(world, slot, order) or (unit.num_orders > 1 and is_turning):
            finish_order(world, slot)  # with what it has taken, where another order waits
    elif task == _RETURN:
        if not bring_home(world, slot):
            finish_order(world, slot)
    elif task == _MOVE:
        if _has_arrived(unit, order.x, order.y):
            finish_order(world, slot)
        else:
            walk_to(unit, order.x, order.y)
            _shoot_on_the_move(world, slot)
    elif task == _ATTACK_TO:
        if not fight(world, slot, kind.speed > 0):
            if kind.speed == 0 or _has_arrived(unit, order.x, order.y):
                finish_order(world, slot)
            else:
                walk_to(unit, order.x, order.y)
    elif task == _ATTACK_UNIT:
        _attack_unit(world, slot, order)
    elif task == _PATROL:
        if order.timer == 0:
            order.timer = 1
            unit.patrol_x, unit.patrol_y = unit.x, unit.y
        if not fight(world, slot, True):
            if _has_arrived(unit, order.x, order.y):
                order.x, unit.patrol_x = unit.patrol_x, order.x
                order.y, unit.patrol_y = unit.patrol_y, order.y
            walk_to(unit, order.x, order.y)
    elif task == _HOLD:
        fight(world, slot, False)
    elif task == _FOLLOW:
        _follow(world, slot, order)
    elif task in (_REACH_UNIT, _REPAIR):
        _reach_unit(world, slot, order)
    elif task in (_REACH_POINT, _BUILD):
        _reach_point(world, slot, order)
    elif task == _CONSTRUCT:
        _construct(world, slot, order)


@inlined
def _has_arrived(unit: Record, x: int, y: int) -> bool:
    """Return whether a unit is where it was sent, or as near as the crowd there lets it."""
    apart = max(abs(unit.x - x), abs(unit.y - y))
    if apart <= _ARRIVED:
        return True
    return unit.blocked >= _CROWDED and apart <= _CROWD_RADIUS


@inlined
def _shoot_on_the_move(world: Record, slot: int) -> None:
    unit = world.units[slot]
    if world.types[unit.owner, unit.type].traits & _MOVES_AND_SHOOTS:
        x, y = unit.goal_x, unit.goal_y
        fight(world, slot, False)
        walk_to(unit, x, y)


@inlined
def _attack_unit(world: Record, slot: int, order: Record) -> None:
    unit = world.units[slot]
    target = slot_of(world.units, order.target)
    if target != 0 and can_attack(world, unit, target):
        order.x, order.y = world.units[target].x, world.units[target].y
    elif target == 0 or _is_known(world, unit, world.units[target]):
        finish_order(world, slot)
        return
    else:  # out of sight: to where it was last
        if _has_arrived(unit, order.x, order.y):
            finish_order(world, slot)
        else:
            walk_to(unit, order.x, order.y)
        return
    unit.target = order.target
    speed = world.types[unit.owner, unit.type].speed
    if not engage(world, slot, target, speed > 0) and speed == 0:
        finish_order(world, slot)


@inlined
def _follow(world: Record, slot: int, order: Record) -> None:
    unit = world.units[slot]
    target = slot_of(world.units, order.target)
    if target == 0 or not _is_known(world, unit, world.units[target]):
        finish_order(world, slot)
    elif gap_between(world, unit, world.units[target]) > _FOLLOW_GAP:
        walk_up_to(world, unit, world.units[target])


@inlined
def _is_known(world: Record, unit: Record, target: Record) -> bool:
    if target.health <= 0 or target.carrier != 0:
        return False
    is_friend = target.owner == unit.owner or target.owner == 0
    return is_friend or target.visible_to & (1 << unit.owner) != 0


@inlined
def _reach_unit(world: Record, slot: int, order: Record) -> None:
    unit = world.units[slot]
    target = slot_of(world.units, order.target)
    if target == 0 or not _is_known(world, unit, world.units[target]):
        leave_word(world, _TARGET_LOST, slot, 0)
    elif gap_between(world, unit, world.units[target]) <= order.reach:
        leave_word(world, _READY, slot, 0)
    elif world.types[unit.owner, unit.type].speed == 0:
        leave_word(world, _TARGET_LOST, slot, 1)
    else:
        walk_up_to(world, unit, world.units[target])


@inlined
def _reach_point(world: Record, slot: int, order: Record) -> None:
    unit = world.units[slot]
    apart = math.sqrt((unit.x - order.x) ** 2 + (unit.y - order.y) ** 2)
    is_held_up = unit.blocked >= _CROWDED * 4 and apart <= order.reach + 3 * ONE
    if apart <= order.reach or is_held_up:
        leave_word(world, _READY, slot, 0)
    elif world.types[unit.owner, unit.type].speed == 0:
        leave_word(world, _TARGET_LOST, slot, 1)
    else:
        walk_to(unit, order.x, order.y)


@inlined
def _construct(world: Record, slot: int, order: Record) -> None:
    """Stay at the building; its progress is counted by the building itself."""
    unit = world.units[slot]
    building = slot_of(world.units, order.target)
    if building == 0 or world.units[building].build_left == 0:
        is_gas = building != 0 and (
            world.types[unit.owner, world.units[building].type].traits & _GAS_BUILDING != 0
        )
        if is_gas and unit.num_orders == 1:  # who builds a refinery works in it
            order.task, order.ability = _GATHER, _SCV_GATHER
        else:
            finish_order(world, slot)
    elif gap_between(world, unit, world.units[building]) > ONE // 2:
        walk_up_to(world, unit, world.units[building])
    elif world.units[building].builder != unit.tag:
        world.units[building].builder = unit.tag  # takes over from one who has left


_MOVES_AND_SHOOTS = int(Trait.MOVES_WHILE_SHOOTING)
