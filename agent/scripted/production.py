"""Making things: the first goal that is not met, and what can be made beside saving for it."""

from collections.abc import Sequence

import numpy as np

from agent.scripted.army import is_pressed
from agent.scripted.catalogue import Making, Product, is_fighter, mask_of, product, type_of
from agent.scripted.orders import middle_of_cell, order_of_type, subcells
from agent.scripted.places import ADD_ON_AWAY, free_geyser, place_for
from agent.scripted.plan import Goal, Style
from agent.scripted.situation import Rows, Situation
from envs.interface import Action, EntityFeature

_SUPPLY_OF_BUILDING = 8
_LEAST_MARGIN = 2
_MAX_SUPPLY = 200
_LOOK_AHEAD = 4  # so many things that are not there yet are thought of at once
_ADD_ONS = (
    *("TechLab", "BarracksTechLab", "FactoryTechLab", "StarportTechLab"),
    *("Reactor", "BarracksReactor", "FactoryReactor", "StarportReactor"),
)
_TECH_LABS, _REACTORS = (1, 3, 5), (2, 4, 6)  # classes of EntityFeature.ADDON


def produce(situation: Situation, style: Style) -> Action | None:
    """Return what to make; None if nothing can be made, or one is saving for something."""
    minerals, vespene = situation.budget
    for thing in _wanted(situation, style):
        if thing.supply > situation.supply_free:
            continue
        if not situation.is_allowed(thing):
            continue
        if thing.minerals <= minerals and thing.vespene <= vespene:
            action = _order_for(situation, thing)
            if action is not None:
                return action
            if thing.making in (Making.PLACED, Making.ON_GEYSER):
                continue  # there is no place for it
        minerals -= thing.minerals
        if thing.vespene > 0:
            vespene -= thing.vespene
    return None


def _wanted(situation: Situation, style: Style) -> list[Product]:
    """Return what is not there yet, what is wanted most first, each thing once."""
    things = []
    if needs_supply(situation):
        things.append(product(situation.race_units.supply))
    if is_pressed(situation):
        things += _unmet(situation, [goal for goal in style.goals if _is_for_fighters(goal)])
    things += _unmet(situation, style.goals)
    return list(dict.fromkeys(things))[:_LOOK_AHEAD]


def _unmet(situation: Situation, goals: Sequence[Goal]) -> list[Product]:
    """Return the first things that are not there yet, each once."""
    found: list[Product] = []
    worker = product(situation.race_units.worker)
    for goal in goals:
        number = goal.number
        if goal.thing is worker:
            number = min(number, situation.work)
        if goal.thing not in found and situation.has(goal.thing) < number:
            found.append(goal.thing)
            if len(found) == _LOOK_AHEAD:
                break
    return found


def _is_for_fighters(goal: Goal) -> bool:
    return bool(is_fighter()[goal.thing.unit_type])


def needs_supply(situation: Situation) -> bool:
    """Return whether more supply has to be made before it runs out."""
    if situation.supply_cap >= _MAX_SUPPLY:
        return False
    coming = situation.on_the_way(product(situation.race_units.supply)) * _SUPPLY_OF_BUILDING
    free = situation.supply_cap + coming - situation.supply_used
    return free < max(_LEAST_MARGIN, situation.supply_used // situation.race_units.spare_share)


def _order_for(situation: Situation, thing: Product) -> Action | None:
    """Return the order that makes a thing; None if nobody can make it now."""
    if thing.making in (Making.PLACED, Making.ON_GEYSER):
        return _build(situation, thing)
    makers = _free_makers(situation, thing)
    if not len(makers):
        return None
    if thing.making is not Making.TRAINED:
        makers = situation.nearest_first(makers, situation.ground.home)[:1]
    return order_of_type(thing.action_type, makers)


def _build(situation: Situation, thing: Product) -> Action | None:
    workers = situation.workers
    is_free = situation.is_gathering(workers)
    is_free |= situation.column(workers, EntityFeature.ORDER_LENGTH) == 0
    free = workers[is_free]
    if not len(free):
        return None
    if thing.making is Making.ON_GEYSER:
        geyser = free_geyser(situation)
        if geyser is None:
            return None
        worker = situation.nearest(free, situation.place(geyser))
        return order_of_type(thing.action_type, [worker])._replace(target_unit=geyser)
    place = place_for(situation, thing)
    if place is None:
        return None
    worker = situation.nearest(free, place)
    action = order_of_type(thing.action_type, [worker])
    return action._replace(target_location=subcells(middle_of_cell(place)))


def _free_makers(situation: Situation, thing: Product) -> Rows:
    """Return who could begin to make a thing now."""
    is_maker = mask_of(thing.makers)[situation.type] & situation.is_own & situation.is_finished
    rows = np.flatnonzero(is_maker)
    add_on = situation.column(rows, EntityFeature.ADDON)
    num_orders = situation.column(rows, EntityFeature.ORDER_LENGTH)
    has_reactor = np.isin(add_on, _REACTORS) & (thing.making is Making.TRAINED)
    is_free = num_orders < 1 + has_reactor
    if thing.needs_tech_lab:
        is_free &= np.isin(add_on, _TECH_LABS)
    if thing.making is Making.ADDED:
        is_free &= add_on <= 0
    return _without_unfinished_add_ons(situation, rows[is_free])


def _without_unfinished_add_ons(situation: Situation, rows: Rows) -> Rows:
    """Return those of some buildings to which nothing is being added."""
    is_add_on = mask_of(tuple(type_of(name) for name in _ADD_ONS))[situation.type]
    growing = np.flatnonzero(is_add_on & situation.is_own & ~situation.is_finished)
    away_x = situation.x[rows][:, None] + ADD_ON_AWAY[0] - situation.x[growing]
    away_y = situation.y[rows][:, None] + ADD_ON_AWAY[1] - situation.y[growing]
    return rows[~(np.hypot(away_x, away_y) < 1.0).any(1)]
