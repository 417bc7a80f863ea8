"""Workers: who has nothing to do gathers, gas is filled up, and bases share what they have."""

import numpy as np

from agent.scripted.orders import order_at
from agent.scripted.situation import Rows, Situation
from envs.interface import Action, EntityFeature

_AT_HALL = 10.0
_ON_GAS = 3
_SURPLUS = 2
_MOST_MOVED = 8


def send_idle_workers(situation: Situation) -> Action | None:
    """Send workers without orders to the minerals of the base that needs them most."""
    idle = situation.idle(situation.workers)
    if not len(idle):
        return None
    hall = _neediest_hall(situation)
    if hall is None:
        return None
    return _gather_at(situation, idle, hall)


def fill_gas(situation: Situation) -> Action | None:
    """Send miners to a gas building that lacks workers."""
    names = situation.race_units.gas_building
    buildings = situation.own(names)
    assigned = situation.column(buildings, EntityFeature.ASSIGNED_HARVESTERS)
    ideal = situation.column(buildings, EntityFeature.IDEAL_HARVESTERS)
    lacking = np.minimum(ideal, _ON_GAS) - assigned
    for building in buildings[lacking > 0].tolist():
        place = situation.place(building)
        if not len(situation.within(situation.halls, place, _AT_HALL)):
            continue
        near = situation.nearest_first(
            situation.within(situation.miners, place, 2 * _AT_HALL), place
        )
        number = int(lacking[buildings == building][0])
        if len(near):
            return order_at("Harvest_Gather_unit", near[:number], building)
    return None


def share_workers(situation: Situation) -> Action | None:
    """Move miners from a base that has too many to one that has too few."""
    halls = situation.mining_halls
    if len(halls) < 2:
        return None
    need = _needs(situation, halls)
    giver, taker = int(need.argmin()), int(need.argmax())
    number = min(int(-need[giver]), int(need[taker]), _MOST_MOVED)
    if number < _SURPLUS:
        return None
    near = situation.within(situation.miners, situation.place(int(halls[giver])), _AT_HALL)
    if not len(near):
        return None
    first = situation.nearest_first(near, situation.place(int(halls[taker])))[:number]
    return _gather_at(situation, first, int(halls[taker]))


def _needs(situation: Situation, halls: Rows) -> Rows:
    ideal = situation.column(halls, EntityFeature.IDEAL_HARVESTERS).astype(np.intp)
    return ideal - situation.column(halls, EntityFeature.ASSIGNED_HARVESTERS)


def _neediest_hall(situation: Situation) -> int | None:
    halls = situation.mining_halls if len(situation.mining_halls) else situation.halls
    if not len(halls):
        return None
    return int(halls[int(_needs(situation, halls).argmax())])


def _gather_at(situation: Situation, workers: Rows, hall: int) -> Action | None:
    """Return the order to gather at the mineral field of a base that is nearest to its hall."""
    place = situation.place(hall)
    patches = situation.within(situation.minerals, place, _AT_HALL)
    if not len(patches):
        patches = situation.minerals
    if not len(patches):
        return None
    return order_at("Harvest_Gather_unit", workers, situation.nearest(patches, place))
