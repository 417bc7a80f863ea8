"""What debug requests do to a game: create, kill, change and end."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from s2clientprotocol import debug_pb2 as debug_pb
from s2clientprotocol import error_pb2 as result
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine.layout import ONE, Trait
from envs.engine.vision import look_now

if TYPE_CHECKING:
    from envs.engine.match import Match

MAX_CREATED = 200
"""Units that one request may create."""

_SUCCESS, _NOT_SUPPORTED, _ERROR = 1, 2, 3
_RESOURCES = 5000
_SWITCHES = {
    debug_pb.show_map: "sees_all",
    debug_pb.food: "no_food",
    debug_pb.free: "free",
    debug_pb.god: "god",
    debug_pb.cooldown: "no_cooldown",
    debug_pb.tech_tree: "no_tech",
    debug_pb.fast_build: "fast",
}


def debug(match: "Match", player: int, command: debug_pb.DebugCommand) -> int:
    """Do one debug command for a player; return the API's action result."""
    kind = command.WhichOneof("command")
    if kind is None or kind not in _HOW:
        return _NOT_SUPPORTED
    answer = _HOW[kind](match, player, command)
    match.game.count_supply()
    return answer


def _draw(match: "Match", player: int, command: debug_pb.DebugCommand) -> int:
    """Accept drawings, which nobody looks at."""
    return _SUCCESS


def _game_state(match: "Match", player: int, command: debug_pb.DebugCommand) -> int:
    state = match.world.players[player]
    what = command.game_state
    if what == debug_pb.show_map and match.options.disable_fog:
        return _SUCCESS  # there is nothing to lift
    if what in _SWITCHES:
        state[_SWITCHES[what]] ^= 1
        look_now(match.world.record)
    elif what in (debug_pb.all_resources, debug_pb.minerals, debug_pb.gas):
        if what != debug_pb.gas:
            state["minerals"] += _RESOURCES
        if what != debug_pb.minerals:
            state["gas"] += _RESOURCES
    elif what == debug_pb.upgrade:
        for upgrade in match.game.tables.upgrades.values():
            if upgrade.ability:
                match.game.research(player, upgrade.id)
    else:
        return _NOT_SUPPORTED
    return _SUCCESS


def _create_unit(match: "Match", player: int, command: debug_pb.DebugCommand) -> int:
    game = match.game
    wanted = command.create_unit
    row = game.tables.row_of_id.get(wanted.unit_type)
    owner = 0 if wanted.owner == _NEUTRAL_OWNER else wanted.owner
    height, width = match.world.pathable.shape
    is_inside = 0 <= wanted.pos.x < width and 0 <= wanted.pos.y < height
    if row is None or owner not in (0, *match.players) or not is_inside:
        return _ERROR
    x, y = round(wanted.pos.x * ONE), round(wanted.pos.y * ONE)
    for _ in range(min(max(wanted.quantity, 1), MAX_CREATED)):
        if game.is_full:
            return int(result.CouldntAllocateUnit)
        slot = game.spawn(row, owner, *game.open_place(row, x, y))
        if game.has_trait(slot, Trait.MINERALS):
            game.units["minerals"][slot] = 1800
        elif game.has_trait(slot, Trait.GEYSER):
            game.units["gas"][slot] = 2250
    return _SUCCESS


_NEUTRAL_OWNER = 16


def _kill_unit(match: "Match", player: int, command: debug_pb.DebugCommand) -> int:
    for tag in command.kill_unit.tag:
        slot = match.game.slot(tag)
        if slot:
            match.aftermath.kill(slot)
    if not match.mini_game and not match.is_over:
        match.lose_without_structures()
    return _SUCCESS


def _unit_value(match: "Match", player: int, command: debug_pb.DebugCommand) -> int:
    wanted = command.unit_value
    slot = match.game.slot(wanted.unit_tag)
    if not slot or not np.isfinite(wanted.value):
        return _ERROR
    unit = match.world.units[slot]
    value = max(0, round(wanted.value * ONE))
    if wanted.unit_value == debug_pb.DebugSetUnitValue.Energy:
        unit["energy"] = min(value, int(match.game.kind(slot)["energy"]))
    elif wanted.unit_value == debug_pb.DebugSetUnitValue.Life:
        unit["health"] = min(max(value, 1), int(unit["health_max"]))
    elif wanted.unit_value == debug_pb.DebugSetUnitValue.Shields:
        unit["shield"] = min(value, int(unit["shield_max"]))
    else:
        return _ERROR
    return _SUCCESS


def _end_game(match: "Match", player: int, command: debug_pb.DebugCommand) -> int:
    if match.is_over:
        return _ERROR
    is_victory = command.end_game.end_result == debug_pb.DebugEndGame.DeclareVictory
    if is_victory:
        match.results = dict.fromkeys(match.players, sc_pb.Defeat)
        match.results[player] = sc_pb.Victory
    else:
        match.leave(player)
    return _SUCCESS


_HOW: dict[str, Callable[["Match", int, debug_pb.DebugCommand], int]] = {
    "draw": _draw,
    "game_state": _game_state,
    "create_unit": _create_unit,
    "kill_unit": _kill_unit,
    "unit_value": _unit_value,
    "end_game": _end_game,
}
