"""Giving orders: a command for some units becomes entries of their queues, or is done at once.

Follows the game's own interface: what every unit can do by itself (walk, fight, siege) goes to all
of the selected; what is done once (train, build, research, most spells) to the one best placed.
"""

from collections.abc import Sequence

import numpy as np
from s2clientprotocol import error_pb2 as result

from envs.engine.casting import merge
from envs.engine.commands import Command, Deed, Target, commands_of, general_id
from envs.engine.deeds import DEEDS, GROUP_TASKS, place_to_stand
from envs.engine.game import Game
from envs.engine.group_orders import order_group
from envs.engine.layout import Trait
from envs.engine.order_queue import Aim, Given, place_of, within_playable
from envs.engine.rules import OK


def give(
    game: Game, player: int, ability: int, slots: Sequence[int], aim: Aim, *, is_queued: bool
) -> int:
    """Give an order to some of a player's units; return the API's action result."""
    able = [(slot, command) for slot in slots if (command := _command(game, slot, ability))]
    if not able:
        return int(result.NotSupported)
    aimed = [(slot, command) for slot, command in able if _fits(command.target, aim)]
    if not aimed:
        return _misfit(able[0][1])
    deed, spell = aimed[0][1].deed, aimed[0][1].spell
    if deed is Deed.MERGE and spell:
        return merge(game, [slot for slot, _ in aimed], spell)
    if deed in _ONE_DOES_IT or (deed is Deed.SPELL and _is_cast_by_one(aimed[0][1])):
        return _give_to_one(game, player, aimed, aim, is_queued=is_queued)
    if (
        deed in GROUP_TASKS
        and aim.is_point
        and _give_to_group(game, player, aimed, aim, is_queued=is_queued)
    ):
        return OK
    results = [
        _give_to(game, player, slot, command, aim, is_queued=is_queued) for slot, command in aimed
    ]
    return OK if OK in results else results[0]


_ONE_DOES_IT = (
    Deed.BUILD,
    Deed.TRAIN,
    Deed.LARVA_TRAIN,
    Deed.WARP_IN,
    Deed.RESEARCH,
    Deed.CANCEL_LAST,
    Deed.LAND,
)


def _give_to_group(
    game: Game, player: int, aimed: list[tuple[int, Command]], aim: Aim, *, is_queued: bool
) -> bool:
    """Send units to a position; return whether any could be."""
    on_foot = place_to_stand(game, player, _ON_FOOT, aim)
    by_air = within_playable(game, aim)
    return bool(
        order_group(
            game.world.record,
            np.array([slot for slot, _ in aimed]),
            np.array([command.ability for _, command in aimed]),
            int(GROUP_TASKS[aimed[0][1].deed]),
            (on_foot.x, on_foot.y),
            (by_air.x, by_air.y),
            is_queued,
        )
    )


_ON_FOOT = 1  # row of a type that walks


def _is_cast_by_one(command: Command) -> bool:
    spell = command.spell
    return spell is not None and command.target is not Target.NOTHING


def _command(game: Game, slot: int, ability: int) -> Command | None:
    row = int(game.units["type"][slot])
    command = commands_of(row).get(ability)
    if command is not None and command.deed is Deed.RESEARCH:
        return _next_level(game, slot, ability, command)
    return command


def _next_level(game: Game, slot: int, ability: int, command: Command) -> Command:
    """Return, for the general form of a levelled upgrade, the level that is next."""
    if ability == command.ability:
        return command
    player = int(game.units["owner"][slot])
    for other in commands_of(int(game.units["type"][slot])).values():
        if other.deed is not Deed.RESEARCH or general_id(other.ability) != ability:
            continue
        if not game.world.upgrades[player, other.upgrade]:
            return other
    return command


def _fits(target: Target, aim: Aim) -> bool:
    if target is Target.NOTHING:
        return True
    if target is Target.UNIT:
        return aim.slot != 0
    if target is Target.POINT:
        return aim.is_point or aim.slot != 0
    if target is Target.POINT_OR_UNIT:
        return not aim.is_nothing()
    return True


def _misfit(command: Command) -> int:
    if command.target is Target.UNIT:
        return int(result.MustTargetUnit)
    return int(result.MustTargetVisibleLocation)


def _give_to_one(
    game: Game,
    player: int,
    able: list[tuple[int, Command]],
    aim: Aim,
    *,
    is_queued: bool,
) -> int:
    """Give an order to the first unit that can take it, the best placed one first."""
    x, y = place_of(game, player, aim)

    def fitness(pair: tuple[int, Command]) -> tuple[int, float]:
        slot, command = pair
        unit = game.units[slot]
        if command.deed in (Deed.TRAIN, Deed.RESEARCH, Deed.CANCEL_LAST):
            return int(unit["num_production"]), slot
        is_busy = int(unit["num_orders"] > 0 and not game.has_trait(slot, Trait.WORKER))
        return is_busy, game.distance(slot, x, y) if not aim.is_nothing() else slot

    first = int(OK)
    for slot, command in sorted(able, key=fitness):
        answer = _give_to(game, player, slot, command, aim, is_queued=is_queued)
        if answer == OK:
            return OK
        first = first if first != OK else answer
    return first


def _give_to(
    game: Game, player: int, slot: int, command: Command, aim: Aim, *, is_queued: bool
) -> int:
    unit = game.units[slot]
    if unit["carrier"] and command.deed is not Deed.SPELL:
        return int(result.YouCantIssueCommandsToThatUnit)
    if unit["build_left"] and command.deed not in (Deed.CANCEL, Deed.CANCEL_LAST, *_RALLIES):
        return int(result.CantTargetUnderConstructionUnits)
    may_wait = is_queued and not game.has_trait(slot, Trait.STRUCTURE | Trait.EGG)
    if unit["morph_left"] and not may_wait:
        if command.deed not in (Deed.CANCEL, Deed.CANCEL_LAST, *_RALLIES):
            return int(result.YouCantIssueCommandsToThatUnit)
    return DEEDS[command.deed](Given(game, player, slot, command, aim, is_queued))


_RALLIES = (Deed.RALLY_UNITS, Deed.RALLY_WORKERS, Deed.SMART)
