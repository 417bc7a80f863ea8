"""What each deed does to one unit's orders: walking, fighting, gathering, carrying, casting."""

from collections.abc import Callable

from s2clientprotocol import error_pb2 as result

from envs.engine.casting import cast_at_once, castable, is_out_of_reach, spell_reach, toggle
from envs.engine.combat import can_attack_now
from envs.engine.commands import Command, Deed, Spell, Target, commands_of
from envs.engine.game import Game
from envs.engine.layout import CELL_BITS, ONE, Attribute, Task, Trait
from envs.engine.making import (
    give_add_on,
    give_build,
    give_land,
    give_larva_train,
    give_morph,
    give_research,
    give_train,
    give_warp_in,
)
from envs.engine.order_queue import (
    Aim,
    Given,
    begin,
    place_of,
    point,
    push_order,
    within_playable,
)
from envs.engine.refunds import cancel, cancel_last, halt
from envs.engine.rules import OK
from envs.engine.transport import can_load, unload_all, unload_one


def _smart(given: Given) -> int:
    """Do what a right click does."""
    game, player, slot, _, aim, is_queued = given
    commands = commands_of(int(game.units["type"][slot]))
    by_deed = {other.deed: other for other in commands.values()}
    if game.has_trait(slot, Trait.STRUCTURE) and Deed.MOVE not in by_deed:
        target_works = aim.slot and game.kind(aim.slot)["traits"] & (
            Trait.MINERALS | Trait.GAS_BUILDING
        )
        wanted = Deed.RALLY_WORKERS if target_works else Deed.RALLY_UNITS
        for deed in (wanted, Deed.RALLY_UNITS, Deed.RALLY_WORKERS):
            if deed in by_deed:
                return DEEDS[deed](given._replace(command=by_deed[deed]))
        return int(result.NotSupported)
    deed = _smart_deed(game, player, slot, aim, by_deed)
    if deed is Deed.BOARD:
        return _board(game, slot, aim, is_queued=is_queued)
    if deed not in by_deed:
        return int(result.NotSupported)
    return DEEDS[deed](given._replace(command=by_deed[deed]))


def _smart_deed(game: Game, player: int, slot: int, aim: Aim, by_deed: dict[Deed, Command]) -> Deed:
    if not aim.slot:
        return Deed.MOVE
    target = game.units[aim.slot]
    traits = int(game.kind(aim.slot)["traits"])
    is_mine = target["owner"] == player
    if Deed.GATHER in by_deed and _can_gather(game, player, aim.slot):
        return Deed.GATHER
    brings = Deed.RETURN in by_deed and game.units["carried"][slot] > 0
    if is_mine and brings and traits & Trait.TOWN_HALL:
        return Deed.RETURN
    if is_mine and Deed.REPAIR in by_deed and _is_repairable(game, aim.slot):
        return Deed.REPAIR
    if is_mine and game.kind(aim.slot)["cargo_space"] and game.kind(slot)["cargo_size"]:
        return Deed.BOARD
    if is_mine and Deed.LOAD in by_deed and game.kind(aim.slot)["cargo_size"]:
        return Deed.LOAD
    if target["owner"] not in (player, 0) and Deed.ATTACK in by_deed:
        return Deed.ATTACK
    return Deed.MOVE


def _can_gather(game: Game, player: int, slot: int) -> bool:
    traits = int(game.kind(slot)["traits"])
    if traits & Trait.MINERALS:
        return True
    unit = game.units[slot]
    is_ours = unit["owner"] == player and not unit["build_left"]
    return bool(traits & Trait.GAS_BUILDING and is_ours)


def _move(given: Given) -> int:
    game, player, slot, command, aim, is_queued = given
    if not (aim.slot and game.knows_place_of(player, aim.slot)):
        return _walk(given, Task.MOVE)
    if game.kind(slot)["speed"] == 0:
        return int(result.CantTargetThatUnit)
    begin(game, slot, is_queued=is_queued)
    if aim.slot == slot:
        return OK
    return push_order(game, slot, ability=command.ability, task=Task.FOLLOW, aim=aim)


def _patrol(given: Given) -> int:
    return _walk(given, Task.PATROL)


def _walk(given: Given, task: Task) -> int:
    """Send a unit to a position."""
    game, player, slot, command, aim, is_queued = given
    if game.kind(slot)["speed"] == 0 and task is not Task.ATTACK_TO:
        return int(result.CantTargetThatUnit)
    begin(game, slot, is_queued=is_queued)
    if aim.slot:
        goal = point(*place_of(game, player, aim))
    else:
        goal = place_to_stand(game, player, int(game.units["type"][slot]), aim)
    return push_order(game, slot, ability=command.ability, task=task, aim=goal)


def place_to_stand(game: Game, player: int, row: int, aim: Aim) -> Aim:
    """Return where a unit of a type can stand, as far as its player sees what is in the way."""
    aim = within_playable(game, aim)
    column, line = aim.x >> CELL_BITS, aim.y >> CELL_BITS
    if game.world.pathable[line, column] and not game.sees(player, column, line):
        return aim
    return point(*game.open_place(row, aim.x, aim.y))


def _attack(given: Given) -> int:
    game, player, slot, command, aim, is_queued = given
    if aim.slot:
        if game.units["owner"][aim.slot] == player and aim.slot == slot:
            return int(result.CantTargetThatUnit)
        is_seen = can_attack_now(game.world.record, slot, aim.slot)
        memory = int(game.world.snapshots["tag"][player, aim.slot])
        is_remembered = memory == game.units["tag"][aim.slot]
        if not is_seen and not is_remembered:
            if game.units["owner"][aim.slot] in (player, 0):
                return int(result.CantTargetThatUnit)
            return _follow_or_refuse(game, slot, command, aim, is_queued=is_queued)
        begin(game, slot, is_queued=is_queued)
        goal = Aim(aim.slot, *place_of(game, player, aim))
        return push_order(game, slot, ability=command.ability, task=Task.ATTACK_UNIT, aim=goal)
    return _walk(given, Task.ATTACK_TO)


def _follow_or_refuse(game: Game, slot: int, command: Command, aim: Aim, *, is_queued: bool) -> int:
    """Have a unit that cannot shoot at its target go with the others."""
    if game.kind(slot)["speed"] == 0:
        return int(result.CantTargetThatUnit)
    begin(game, slot, is_queued=is_queued)
    return push_order(game, slot, ability=command.ability, task=Task.FOLLOW, aim=aim)


def _hold(given: Given) -> int:
    game, _, slot, command, _, is_queued = given
    begin(game, slot, is_queued=is_queued)
    return push_order(game, slot, ability=command.ability, task=Task.HOLD)


def _stop(given: Given) -> int:
    game, slot = given.game, given.slot
    begin(game, slot, is_queued=False)
    return OK


def _gather(given: Given) -> int:
    game, player, slot, command, aim, is_queued = given
    if not _can_gather(game, player, aim.slot):
        return int(result.MustTargetResources)
    begin(game, slot, is_queued=is_queued)
    return push_order(game, slot, ability=command.ability, task=Task.GATHER, aim=aim)


def _return(given: Given) -> int:
    game, _, slot, command, _, is_queued = given
    unit = game.units[slot]
    if not unit["carried"]:
        return int(result.CantTargetThatUnit)
    source = game.slot(int(unit["gather_from"]))
    begin(game, slot, is_queued=is_queued)
    answer = push_order(game, slot, ability=command.ability, task=Task.RETURN)
    if source and not is_queued:
        gather = next(c for c in commands_of(int(unit["type"])).values() if c.deed is Deed.GATHER)
        push_order(game, slot, ability=gather.ability, task=Task.GATHER, aim=Aim(source))
    return answer


def _repair(given: Given) -> int:
    game, player, slot, command, aim, is_queued = given
    target = game.units[aim.slot]
    if target["owner"] != player or not _is_repairable(game, aim.slot):
        return int(result.RequiresRepairTarget)
    if target["build_left"] and not _is_forsaken(game, aim.slot):
        return int(result.CantTargetUnderConstructionUnits)
    begin(game, slot, is_queued=is_queued)
    if target["build_left"]:
        return push_order(
            game, slot, ability=command.ability, task=Task.CONSTRUCT, aim=aim, deed=Deed.BUILD
        )
    return push_order(
        game,
        slot,
        ability=command.ability,
        task=Task.REPAIR,
        aim=aim,
        reach=ONE // 4,
        deed=Deed.REPAIR,
    )


def _is_repairable(game: Game, slot: int) -> bool:
    """Return whether something is a machine or building that is not whole."""
    unit = game.units[slot]
    kind = game.kind(slot)
    is_machine = bool(kind["attributes"] & (Attribute.MECHANICAL | Attribute.STRUCTURE))
    return is_machine and bool(unit["health"] < unit["health_max"] or unit["build_left"])


def _is_forsaken(game: Game, building: int) -> bool:
    """Return whether an unfinished building has no SCV at work on it; add-ons need none."""
    if game.has_trait(building, Trait.ADD_ON):
        return False
    builder = game.slot(int(game.units["builder"][building]))
    if not builder or not game.units["num_orders"][builder]:
        return True
    order = game.world.orders[builder, 0]
    is_at_it = order["task"] == Task.CONSTRUCT
    return not (is_at_it and order["target"] == game.units["tag"][building])


def _rally(prefix: str) -> Callable[[Given], int]:
    def order(given: Given) -> int:
        game, player, slot, _, aim, _ = given
        unit = game.units[slot]
        x, y = place_of(game, player, aim)
        unit[f"{prefix}_x"], unit[f"{prefix}_y"] = x, y
        unit[f"{prefix}_set"] = 1
        unit[f"{prefix}_target"] = game.units["tag"][aim.slot] if aim.slot else 0
        return OK

    return order


def _cancel(given: Given) -> int:
    game, slot = given.game, given.slot
    return cancel(game, slot)


def _cancel_last(given: Given) -> int:
    game, slot = given.game, given.slot
    return cancel_last(game, slot)


def _halt(given: Given) -> int:
    game, slot = given.game, given.slot
    return halt(game, slot)


def _load(given: Given) -> int:
    game, player, slot, command, aim, is_queued = given
    answer = can_load(game, player, slot, aim.slot)
    if answer != OK:
        return answer
    if game.kind(slot)["speed"] == 0:  # a bunker is walked into
        return _board(game, aim.slot, Aim(slot), is_queued=is_queued)
    begin(game, slot, is_queued=is_queued)
    return push_order(
        game,
        slot,
        ability=command.ability,
        task=Task.REACH_UNIT,
        aim=aim,
        reach=ONE // 2,
        deed=Deed.LOAD,
    )


def _board(game: Game, slot: int, aim: Aim, *, is_queued: bool) -> int:
    answer = can_load(game, int(game.units["owner"][slot]), aim.slot, slot)
    if answer != OK:
        return answer
    begin(game, slot, is_queued=is_queued)
    return push_order(
        game, slot, ability=1, task=Task.REACH_UNIT, aim=aim, reach=ONE // 4, deed=Deed.BOARD
    )


def _load_all(given: Given) -> int:
    game, player, slot, _, _, _ = given
    answers = []
    for other in game.slots(player):
        if (
            game.has_trait(other, Trait.WORKER)
            and game.distance(slot, int(game.units["x"][other]), int(game.units["y"][other]))
            < 10 * ONE
        ):
            answers.append(_board(game, other, Aim(slot), is_queued=False))
    return OK if OK in answers else int(result.LoadAllNoTargetsFound)


def _unload_all(given: Given) -> int:
    game, slot = given.game, given.slot
    return unload_all(game, slot)


def _unload_at(given: Given) -> int:
    game, player, slot, command, aim, is_queued = given
    if not game.units["cargo_used"][slot]:
        return int(result.NoCargoToUnload)
    begin(game, slot, is_queued=is_queued)
    return push_order(
        game,
        slot,
        ability=command.ability,
        task=Task.REACH_POINT,
        aim=within_playable(game, point(*place_of(game, player, aim))),
        reach=ONE // 2,
        deed=Deed.UNLOAD_ALL_AT,
    )


def _unload_unit(given: Given) -> int:
    game, slot = given.game, given.slot
    return unload_one(game, slot)


def _spell(given: Given) -> int:
    game, player, slot, command, aim, is_queued = given
    spell: Spell = command.spell  # type: ignore[assignment]  # a SPELL command always has one
    if aim.slot and not game.knows_place_of(player, aim.slot):
        if command.target is Target.UNIT:
            return int(result.MustTargetVisibleUnit)
        aim = point(*place_of(game, player, aim))
    answer = castable(game, player, slot, spell, aim.slot)
    if answer != OK:
        return answer
    if command.target is Target.NOTHING:
        return cast_at_once(game, player, slot, spell)
    if is_out_of_reach(game, slot, spell, aim):
        return int(result.TargetIsOutOfRange)
    begin(game, slot, is_queued=is_queued)
    return push_order(
        game,
        slot,
        ability=command.ability,
        task=Task.REACH_UNIT if aim.slot else Task.REACH_POINT,
        aim=within_playable(game, aim),
        reach=spell_reach(game, slot, spell),
        deed=Deed.SPELL,
    )


def _toggle(given: Given) -> int:
    game, player, slot, command, _, _ = given
    spell: Spell = command.spell  # type: ignore[assignment]  # a TOGGLE command always has one
    return toggle(game, player, slot, spell)


DEEDS: dict[Deed, Callable[[Given], int]] = {
    Deed.SMART: _smart,
    Deed.MOVE: _move,
    Deed.ATTACK: _attack,
    Deed.PATROL: _patrol,
    Deed.HOLD: _hold,
    Deed.STOP: _stop,
    Deed.GATHER: _gather,
    Deed.RETURN: _return,
    Deed.REPAIR: _repair,
    Deed.RALLY_UNITS: _rally("rally"),
    Deed.RALLY_WORKERS: _rally("worker_rally"),
    Deed.BUILD: give_build,
    Deed.ADD_ON: give_add_on,
    Deed.TRAIN: give_train,
    Deed.LARVA_TRAIN: give_larva_train,
    Deed.WARP_IN: give_warp_in,
    Deed.MORPH: give_morph,
    Deed.LAND: give_land,
    Deed.RESEARCH: give_research,
    Deed.CANCEL: _cancel,
    Deed.CANCEL_LAST: _cancel_last,
    Deed.HALT: _halt,
    Deed.LOAD: _load,
    Deed.LOAD_ALL: _load_all,
    Deed.UNLOAD_ALL: _unload_all,
    Deed.UNLOAD_ALL_AT: _unload_at,
    Deed.UNLOAD_UNIT: _unload_unit,
    Deed.SPELL: _spell,
    Deed.TOGGLE: _toggle,
}

GROUP_TASKS = {Deed.MOVE: Task.MOVE, Deed.ATTACK: Task.ATTACK_TO}
"""What whole groups are sent to a position by."""
