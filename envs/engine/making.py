"""Orders to make things: buildings, add-ons, units, upgrades, morphs."""

from s2clientprotocol import error_pb2 as result

from envs.engine import rules
from envs.engine.commands import Command, Deed, Target
from envs.engine.construction import begin_add_on, can_warp_in, hatch_from, is_adding_on, warp_in
from envs.engine.game import Game
from envs.engine.layout import MAX_PRODUCTION, ONE, TICK, Makes, Task, Trait
from envs.engine.morphing import (
    LANDING_REACH,
    land_for_add_on,
    landed_type,
    lift_for_add_on,
    may_morph,
    start_morph,
)
from envs.engine.order_queue import Given, begin, place_of, point, push_order, within_playable
from envs.engine.rules import OK

MAX_QUEUE = 5
"""Entries of a production queue; a reactor gives three more."""

_BUILD_REACH = ONE // 2


def give_build(given: Given) -> int:
    """Send a worker to a site to build there."""
    game, player, slot, command, aim, is_queued = given
    for answer in (
        rules.requirements(game, player, slot, command),
        rules.affordable(game, player, command),
    ):
        if answer != OK:
            return answer
    x, y = rules.snapped(game, command.row, *place_of(game, player, aim))
    answer = rules.seems_placeable(game, player, command.row, x, y)
    if answer != OK:
        return answer
    begin(game, slot, is_queued=is_queued)
    half = int(game.tables.types["footprint"][command.row]) * ONE // 2
    return push_order(
        game,
        slot,
        ability=command.ability,
        task=Task.BUILD,
        aim=point(x, y),
        reach=half + _BUILD_REACH,
        row=command.row,
        deed=Deed.BUILD,
    )


def give_add_on(given: Given) -> int:
    """Begin an add-on, or fly to where one is wanted."""
    game, player, slot, command, aim, is_queued = given
    unit = game.units[slot]
    is_flying = bool(game.kind(slot)["flying"])
    if unit["num_production"] or game.slot(int(unit["add_on"])):
        return int(result.CantQueueThatOrder)
    for answer in (
        rules.requirements(game, player, slot, command),
        rules.affordable(game, player, command),
        rules.room(game),
    ):
        if answer != OK:
            return answer
    ground = landed_type(game, slot) if is_flying else int(unit["type"])
    x, y = rules.snapped(game, ground, *place_of(game, player, aim))
    if is_flying:
        return land_for_add_on(game, slot, command, (x, y), is_queued=is_queued)
    if not aim.is_nothing() and (x, y) != (unit["x"], unit["y"]):
        return lift_for_add_on(game, slot, command, (x, y))
    answer = rules.add_on_fits(game, player, command.row, slot)
    if answer != OK:
        return answer
    begin_add_on(game, slot, command)
    rules.pay(game, player, command)
    return OK


def _enqueue(game: Game, player: int, slot: int, command: Command, *, makes: Makes) -> int:
    unit = game.units[slot]
    room = MAX_PRODUCTION if rules.has_add_on(game, slot, Trait.REACTOR) else MAX_QUEUE
    if unit["num_production"] >= room:
        return int(result.QueueIsFull)
    if game.kind(slot)["flying"]:
        return int(result.NotSupported)
    if game.has_trait(slot, Trait.NEEDS_POWER) and not unit["powered"]:
        return int(result.CantTrainTooFarFromTrainPowerSource)
    if is_adding_on(game, slot):
        return int(result.CantQueueThatOrder)
    for answer in (
        rules.requirements(game, player, slot, command),
        rules.affordable(game, player, command),
    ):
        if answer != OK:
            return answer
    kind = game.world.types[player, command.row]
    supply = int(kind["supply"]) * int(kind["num_made"]) if makes is Makes.UNIT else 0
    answer = rules.feedable(game, player, supply)
    if answer != OK and unit["num_production"] == 0:
        return answer
    entry = game.world.production[slot, unit["num_production"]]
    entry["ability"], entry["makes"] = command.ability, makes
    entry["what"] = command.upgrade if makes is Makes.UPGRADE else command.row
    loops = (
        game.tables.upgrades[command.upgrade].loops
        if makes is Makes.UPGRADE
        else int(kind["build_loops"])
    )
    entry["left"] = entry["total"] = loops * TICK
    entry["minerals"], entry["gas"] = rules.pay(game, player, command)
    entry["supply"], entry["started"] = supply, 0
    unit["num_production"] += 1
    return OK


def give_train(given: Given) -> int:
    """Queue a unit."""
    game, player, slot, command, _, _ = given
    return _enqueue(game, player, slot, command, makes=Makes.UNIT)


def give_research(given: Given) -> int:
    """Queue an upgrade."""
    game, player, slot, command, _, _ = given
    return _enqueue(game, player, slot, command, makes=Makes.UPGRADE)


def give_larva_train(given: Given) -> int:
    """Make a larva an egg."""
    game, player, slot, command, _, _ = given
    answer = _enqueue(game, player, slot, command, makes=Makes.UNIT)
    if answer == OK:
        hatch_from(game, slot)
        entry = game.world.production[slot, 0]
        entry["started"] = 1
        game.world.players["supply_used"][player] += entry["supply"]
    return answer


def give_warp_in(given: Given) -> int:
    """Warp a unit in at a position."""
    game, player, slot, command, aim, _ = given
    unit = game.units[slot]
    kind = game.world.types[player, command.row]
    x, y = place_of(game, player, aim)
    if unit["warp_cooldown"]:
        return int(result.Cooldown)
    if not unit["powered"]:
        return int(result.CantTrainTooFarFromTrainPowerSource)
    for answer in (
        rules.requirements(game, player, slot, command),
        rules.affordable(game, player, command),
        rules.feedable(game, player, int(kind["supply"])),
        can_warp_in(game, player, x, y),
        rules.room(game),
    ):
        if answer != OK:
            return answer
    rules.pay(game, player, command)
    warp_in(game, player, slot, command.row, x, y)
    return OK


def give_morph(given: Given) -> int:
    """Begin to become another type."""
    game, player, slot, command, aim, is_queued = given
    answer = may_morph(game, player, slot, command)
    if answer != OK:
        return answer
    if game.units["num_production"][slot] or is_adding_on(game, slot):
        return int(result.CantQueueThatOrder)
    if command.target is Target.POINT:
        begin(game, slot, is_queued=is_queued)
        return push_order(
            game,
            slot,
            ability=command.ability,
            task=Task.REACH_POINT,
            aim=within_playable(game, point(*place_of(game, player, aim))),
            reach=int(game.world.weapons["range"][player, command.row, 0]) // 2,
            row=command.row,
            deed=Deed.MORPH,
        )
    if is_queued and game.units["num_orders"][slot]:
        return push_order(
            game,
            slot,
            ability=command.ability,
            task=Task.REACH_POINT,
            aim=point(int(game.units["x"][slot]), int(game.units["y"][slot])),
            reach=1 << 22,
            row=command.row,
            deed=Deed.MORPH,
        )
    begin(game, slot, is_queued=False)
    return start_morph(game, player, slot, command)


def give_land(given: Given) -> int:
    """Send a flying building to where it is to land."""
    game, player, slot, command, aim, is_queued = given
    x, y = rules.snapped(game, command.row, *place_of(game, player, aim))
    answer = rules.seems_placeable(game, player, command.row, x, y)
    if answer != OK:
        return int(result.CantLandLocationInvalid)
    begin(game, slot, is_queued=is_queued)
    return push_order(
        game,
        slot,
        ability=command.ability,
        task=Task.REACH_POINT,
        aim=point(x, y),
        reach=LANDING_REACH,
        row=command.row,
        deed=Deed.LAND,
    )
