"""Gathering: workers take turns at patches and gas buildings and bring home what they took.

A worker holds a patch for as long as in the game (2.786 s at normal speed, and then a little).
Workers here start and stop at once; what the game's spend on turning and speeding up is a fixed
wait at both ends of the way, set so that sixteen workers on eight patches bring 944 minerals a
minute (community measurements, TL.net thread 501306).
"""

from envs.engine.compiled import Array, Record, inlined
from envs.engine.layout import BIN_BITS, ONE, Carries, Clock, Gathering, Happening, Task, Trait
from envs.engine.movement import distance_between, gap_between, walk_up_to
from envs.engine.units import leave_word, slot_of

TAKE_MINERALS_LOOPS = 45
TAKE_GAS_LOOPS = 32
MULE_TAKE_LOOPS = 91  # 2.05 times what others need
CHANGE_LOOPS = 2  # between one worker and the next
TURN_LOOPS = 20
LEAVE_LOOPS = 21
MINERALS_A_TRIP, RICH_MINERALS_A_TRIP = 5, 7
GAS_A_TRIP, RICH_GAS_A_TRIP = 4, 8
MULE_TIMES = 5

_LOOP = int(Clock.LOOP)
_GOING, _WAITING, _TAKING = int(Gathering.GOING), int(Gathering.WAITING), int(Gathering.TAKING)
_TURNING, _BRINGING = int(Gathering.TURNING), int(Gathering.BRINGING)
_LEAVING = int(Gathering.LEAVING)
_MINERALS, _GAS = int(Carries.MINERALS), int(Carries.GAS)
_IS_MINERALS, _IS_GAS = int(Trait.MINERALS), int(Trait.GAS_BUILDING)
_TOWN_HALL, _FREE_WALK = int(Trait.TOWN_HALL), int(Trait.NO_COLLISION)
_DEPLETED = int(Happening.DEPLETED)
_TOUCH = ONE // 8
_NEAR_HOME = 10 * ONE
_FAR = 1 << 40
_MANY = 1 << 20
_HALL_RANGE = 12 * ONE
_GATHER = int(Task.GATHER)
_RICH = int(Trait.RICH)


@inlined
def gather(world: Record, slot: int, order: Record) -> bool:
    """Do one loop of an order to gather. Return False when there is nothing left to gather."""
    unit = world.units[slot]
    if unit.gather_phase in (_TURNING, _BRINGING, _LEAVING):
        return _bring(world, slot)
    source = slot_of(world.units, order.target)
    if source == 0 or not _has_any(world, source):
        source = _another_source(world, slot, _MANY)
        if source == 0:
            return False
        order.target = world.units[source].tag
        unit.gather_phase = _GOING
    resource = world.units[source]
    if unit.carries != 0 and not _is_same_kind(world, unit, source):
        unit.carries, unit.carried = 0, 0
    if unit.carried > 0:
        unit.gather_phase = _BRINGING
        return True
    if unit.gather_phase == _TAKING:
        return _take(world, slot, source)
    if gap_between(world, unit, resource) > _TOUCH:
        unit.gather_phase = _GOING
        walk_up_to(world, unit, resource)
        return True
    loop = world.clock[_LOOP]
    is_mule = world.types[unit.owner, unit.type].traits & _FREE_WALK != 0
    if is_mule or (resource.occupied_until <= loop and _is_free(world, resource, unit)):
        unit.gather_phase = _TAKING
        is_gas = world.types[resource.owner, resource.type].traits & _IS_GAS
        unit.gather_timer = TAKE_GAS_LOOPS if is_gas else TAKE_MINERALS_LOOPS
        if is_mule:
            unit.gather_timer = MULE_TAKE_LOOPS
        else:
            resource.occupied_by = unit.tag
        unit.heading_x, unit.heading_y = resource.x - unit.x, resource.y - unit.y
        return True
    if unit.gather_phase != _WAITING:
        unit.gather_phase = _WAITING
        if world.types[resource.owner, resource.type].traits & _IS_GAS:
            return True  # queues at the door
        other = _another_source(world, slot, resource.harvesters - 1)
        if other != 0:
            order.target = world.units[other].tag
            unit.gather_phase = _GOING
            resource.harvesters -= 1
            world.units[other].harvesters += 1
    return True


@inlined
def bring_home(world: Record, slot: int) -> bool:
    """Do one loop of an order to return cargo. Return False when it is done."""
    unit = world.units[slot]
    if unit.carried == 0 and unit.gather_phase != _LEAVING:
        return False
    if unit.gather_phase not in (_TURNING, _BRINGING, _LEAVING):
        unit.gather_phase = _BRINGING
    return _bring(world, slot)


@inlined
def nearest_town_hall(world: Record, slot: int) -> int:
    """Return the slot of a player's finished town hall nearest to a unit, 0 if there is none."""
    unit = world.units[slot]
    best, best_distance = 0, float(_FAR)
    for i in range(world.clock[_NUM_ALIVE]):
        this = world.alive[i]
        other = world.units[this]
        if other.owner != unit.owner or other.build_left > 0 or other.health <= 0:
            continue
        kind = world.types[other.owner, other.type]
        if kind.traits & _TOWN_HALL and kind.flying == 0:
            distance = distance_between(unit, other)
            if distance < best_distance:
                best, best_distance = this, distance
    return best


@inlined
def _take(world: Record, slot: int, source: int) -> bool:
    unit, resource = world.units[slot], world.units[source]
    unit.gather_from = resource.tag
    unit.gather_timer -= 1
    if unit.gather_timer > 0:
        return True
    kind = world.types[resource.owner, resource.type]
    loop = world.clock[_LOOP]
    if kind.traits & _IS_GAS:
        amount = min(RICH_GAS_A_TRIP if kind.traits & _RICH else GAS_A_TRIP, resource.gas)
        resource.gas -= amount
        unit.carries = _GAS
        left = resource.gas
        geyser = slot_of(world.units, resource.home)
        world.units[geyser].gas = left
    else:
        is_mule = world.types[unit.owner, unit.type].traits & _FREE_WALK != 0
        amount = RICH_MINERALS_A_TRIP if kind.traits & _RICH else MINERALS_A_TRIP
        if is_mule:
            amount *= MULE_TIMES
        amount = min(amount, resource.minerals)
        resource.minerals -= amount
        unit.carries = _MINERALS
        left = resource.minerals
    unit.carried = amount
    if resource.occupied_by == unit.tag:
        resource.occupied_by = 0
        resource.occupied_until = loop + CHANGE_LOOPS
    unit.gather_phase = _TURNING
    unit.gather_timer = TURN_LOOPS
    if left <= 0:
        leave_word(world, _DEPLETED, source, slot)
    return True


@inlined
def _bring(world: Record, slot: int) -> bool:
    unit = world.units[slot]
    if unit.gather_phase == _TURNING:
        unit.gather_timer -= 1
        if unit.gather_timer <= 0:
            unit.gather_phase = _BRINGING
        return True
    if unit.gather_phase == _LEAVING:
        unit.gather_timer -= 1
        if unit.gather_timer <= 0:
            unit.gather_phase = _GOING
        return True
    hall = slot_of(world.units, unit.home)
    is_hall = hall != 0 and world.types[world.units[hall].owner, world.units[hall].type].flying == 0
    if not is_hall or world.units[hall].build_left > 0 or (world.clock[_LOOP] + slot) % 64 == 0:
        hall = nearest_town_hall(world, slot)
        unit.home = world.units[hall].tag if hall != 0 else 0
    if hall == 0:
        return True  # waits for one
    town_hall = world.units[hall]
    if gap_between(world, unit, town_hall) > _TOUCH:
        walk_up_to(world, unit, town_hall)
        return True
    player = world.players[unit.owner]
    amount = unit.carried * player.income // 100
    if unit.carries == _MINERALS:
        player.minerals += amount
        player.minerals_collected += amount
    else:
        player.gas += amount
        player.gas_collected += amount
    unit.carries, unit.carried = 0, 0
    unit.gather_phase = _LEAVING
    unit.gather_timer = LEAVE_LOOPS
    return True


@inlined
def count_harvesters(world: Record) -> None:
    """Count the workers of each town hall and gas building, for clients and computers."""
    halls, num_halls = world.scratch, 0
    for i in range(world.clock[_NUM_ALIVE]):
        slot = world.alive[i]
        unit = world.units[slot]
        unit.harvesters = 0
        if unit.owner != 0 and world.types[unit.owner, unit.type].traits & _TOWN_HALL:
            halls[num_halls] = slot
            num_halls += 1
    for i in range(world.clock[_NUM_ALIVE]):
        slot = world.alive[i]
        unit = world.units[slot]
        if unit.owner == 0 or unit.num_orders == 0 or unit.carrier != 0:
            continue
        order = world.orders[slot, 0]
        if order.task != _GATHER:
            continue
        source = slot_of(world.units, order.target)
        if source == 0:
            continue
        resource = world.units[source]
        resource.harvesters += 1
        if world.types[resource.owner, resource.type].traits & _IS_GAS == 0:
            hall = _nearest_hall(world, halls[:num_halls], unit.owner, resource)
            if hall != 0:
                world.units[hall].harvesters += 1


@inlined
def _nearest_hall(world: Record, halls: Array, owner: int, resource: Record) -> int:
    best, best_distance = 0, _HALL_RANGE * _HALL_RANGE
    for slot in halls:
        hall = world.units[slot]
        distance = (hall.x - resource.x) ** 2 + (hall.y - resource.y) ** 2
        if hall.owner == owner and distance < best_distance:
            best, best_distance = slot, distance
    return best


@inlined
def _has_any(world: Record, source: int) -> bool:
    resource = world.units[source]
    traits = world.types[resource.owner, resource.type].traits
    if traits & _IS_MINERALS:
        return resource.minerals > 0
    is_built = resource.build_left == 0 and resource.health > 0
    return traits & _IS_GAS != 0 and is_built and resource.gas > 0


@inlined
def _is_same_kind(world: Record, unit: Record, source: int) -> bool:
    resource = world.units[source]
    is_gas = world.types[resource.owner, resource.type].traits & _IS_GAS != 0
    return is_gas == (unit.carries == _GAS)


@inlined
def _is_free(world: Record, resource: Record, unit: Record) -> bool:
    """Return whether nobody else is at work at a resource."""
    if resource.occupied_by == 0 or resource.occupied_by == unit.tag:
        return True
    other = slot_of(world.units, resource.occupied_by)
    if other == 0:
        return True
    return world.units[other].gather_phase != _TAKING


@inlined
def _another_source(world: Record, slot: int, fewer_than: int) -> int:
    """Return the nearest patch with minerals and few enough workers, 0 if there is none."""
    unit = world.units[slot]
    num_rows, num_columns = (world.rows >> 1) + 1, (world.columns >> 1) + 1
    best, best_distance = 0, float(_NEAR_HOME)
    last_row, last_column = (unit.y + _NEAR_HOME) >> BIN_BITS, (unit.x + _NEAR_HOME) >> BIN_BITS
    for row in range(max(0, (unit.y - _NEAR_HOME) >> BIN_BITS), min(last_row + 1, num_rows)):
        first = max(0, (unit.x - _NEAR_HOME) >> BIN_BITS)
        for column in range(first, min(last_column + 1, num_columns)):
            this = world.bins[row, column]
            while this != 0:
                other = world.units[this]
                traits = world.types[other.owner, other.type].traits
                is_patch = traits & _IS_MINERALS != 0 and other.minerals > 0
                if is_patch and other.harvesters < fewer_than:
                    distance = distance_between(unit, other)
                    if distance < best_distance:
                        best, best_distance = this, distance
                this = world.bin_next[this]
    return best


_NUM_ALIVE = int(Clock.NUM_ALIVE)
