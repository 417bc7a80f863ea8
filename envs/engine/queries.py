"""Answers to queries: how far it is, what may be placed where, what units can do now.

A player is answered by what he knows: what he sees, and what he remembers of what he does not.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import numpy as np
from s2clientprotocol import common_pb2 as common_pb
from s2clientprotocol import error_pb2 as result
from s2clientprotocol import query_pb2 as query_pb

from envs.engine import rules
from envs.engine.casting import castable
from envs.engine.commands import Command, Deed, Target, commands_of
from envs.engine.construction import can_warp_in, is_adding_on
from envs.engine.data_response import told_abilities
from envs.engine.ground import Ground, blocked_cells, known_ground
from envs.engine.layout import MAX_FIELDS, ONE, Task
from envs.engine.match import Match
from envs.engine.pathfinding import NUM_QUERY_FIELDS, open_place, path_length

_NOT_SUPPORTED = 2
_QUERY_FIELDS = slice(MAX_FIELDS - NUM_QUERY_FIELDS, MAX_FIELDS)
_NO_GOAL = -1
_UNLOADING = (Deed.UNLOAD_ALL, Deed.UNLOAD_ALL_AT, Deed.UNLOAD_UNIT)


def query(match: Match, player: int, request: query_pb.RequestQuery) -> query_pb.ResponseQuery:
    """Answer everything that one request asks for a player."""
    answer = query_pb.ResponseQuery()
    for abilities in request.abilities:
        found = answer.abilities.add(unit_tag=abilities.unit_tag)
        slot = match.game.slot(abilities.unit_tag)
        if slot and match.world.units["owner"][slot] == player:
            found.unit_type_id = int(match.game.kind(slot)["id"])
            ignore = request.ignore_resource_requirements
            found.abilities.extend(available_abilities(match, player, slot, ignore_cost=ignore))
    if not (request.pathing or request.placements):
        return answer
    ground = known_ground(match.game, player)
    with _ways_over(match, ground) if request.pathing else nullcontext():
        for pathing in request.pathing:
            answer.pathing.add(distance=_distance(match, player, pathing))
    for placement in request.placements:
        answer.placements.add(result=_placement(match, player, placement, ground))
    return answer


def available_abilities(
    match: Match, player: int, slot: int, *, ignore_cost: bool
) -> list[common_pb.AvailableAbility]:
    """Return what a unit could be told to do now."""
    game = match.game
    unit = game.units[slot]
    found = []
    done = set()
    for command in commands_of(int(unit["type"])).values():
        if command.ability in done or command.ability not in told_abilities():
            continue
        if match.mini_game and not match.mini_game.allows(player, [slot], command.ability):
            continue
        if not _is_possible(match, player, slot, command):
            continue
        if not ignore_cost and rules.affordable(game, player, command) != rules.OK:
            continue
        done.add(command.ability)
        needs_point = command.target in (Target.POINT, Target.POINT_OR_UNIT)
        found.append(
            common_pb.AvailableAbility(ability_id=command.ability, requires_point=needs_point)
        )
    return found


def _is_possible(match: Match, player: int, slot: int, command: Command) -> bool:
    game = match.game
    unit = game.units[slot]
    is_cancel = command.deed in (Deed.CANCEL, Deed.CANCEL_LAST)
    if unit["build_left"] or unit["morph_left"]:
        return is_cancel
    if is_cancel:
        return bool(unit["num_production"]) or is_adding_on(game, slot)
    if unit["carrier"]:
        return False
    if command.deed is Deed.ADD_ON and (unit["num_production"] or game.slot(int(unit["add_on"]))):
        return False
    if command.deed is Deed.WARP_IN and unit["warp_cooldown"]:
        return False
    if command.deed is Deed.HALT and not _is_constructing(match, slot):
        return False
    if command.deed in _UNLOADING and not unit["cargo_used"]:
        return False
    if command.spell:
        return castable(game, player, slot, command.spell) == rules.OK
    return rules.requirements(game, player, slot, command) == rules.OK


def _is_constructing(match: Match, slot: int) -> bool:
    order = match.world.orders[slot, 0]
    return bool(match.world.units["num_orders"][slot] and order["task"] == Task.CONSTRUCT)


@contextmanager
def _ways_over(match: Match, ground: Ground) -> Iterator[None]:
    """Have ways be looked for over the ground as a player knows it."""
    world, game = match.world, match.game
    truth, known = world.blocked.copy(), blocked_cells(game, ground)
    if game.asked_over is None or not np.array_equal(known, game.asked_over):
        world.field_goals[_QUERY_FIELDS] = _NO_GOAL
        game.asked_over = known
    world.blocked[:] = known
    try:
        yield
    finally:
        world.blocked[:] = truth


def _on_grid(place: common_pb.Point2D) -> tuple[int, int]:
    """Return a position in 1/ONE, off the map for what is no number."""
    if not (np.isfinite(place.x) and np.isfinite(place.y)):
        return -1, -1
    return round(place.x * ONE), round(place.y * ONE)


def _is_on_map(match: Match, x: int, y: int) -> bool:
    height, width = match.world.pathable.shape
    return 0 <= x < width * ONE and 0 <= y < height * ONE


def _distance(match: Match, player: int, pathing: query_pb.RequestQueryPathing) -> float:
    """Return the length of the way between two places, 0 where there is none."""
    game = match.game
    if pathing.HasField("unit_tag"):
        slot = game.slot(pathing.unit_tag)
        if not slot or match.world.units["owner"][slot] != player:
            return 0.0
        from_x, from_y = int(game.units["x"][slot]), int(game.units["y"][slot])
        is_flying = bool(game.kind(slot)["flying"])
    else:
        from_x, from_y = _on_grid(pathing.start_pos)
        is_flying = False
    to_x, to_y = _on_grid(pathing.end_pos)
    if not _is_on_map(match, from_x, from_y) or not _is_on_map(match, to_x, to_y):
        return 0.0
    if is_flying:
        return float(((from_x - to_x) ** 2 + (from_y - to_y) ** 2) ** 0.5) / ONE
    apart = 0.0
    if match.world.blocked[from_y // ONE, from_x // ONE]:  # from the edge of a building on
        start_x, start_y = open_place(match.world.record, from_x, from_y)
        apart = math.hypot(start_x - from_x, start_y - from_y)
        from_x, from_y = start_x, start_y
    length = float(path_length(match.world.record, from_x, from_y, to_x, to_y))
    return (apart + length) / ONE if length else 0.0


def _placement(
    match: Match,
    player: int,
    placement: query_pb.RequestQueryBuildingPlacement,
    ground: Ground,
) -> int:
    game = match.game
    ability = placement.ability_id
    if not (np.isfinite(placement.target_pos.x) and np.isfinite(placement.target_pos.y)):
        return int(result.CantBuildLocationInvalid)
    x, y = round(placement.target_pos.x * ONE), round(placement.target_pos.y * ONE)
    if not _is_on_map(match, x, y):
        return int(result.CantBuildLocationInvalid)
    for row, _ in enumerate(game.tables.names):
        command = commands_of(row).get(ability)
        if command is None:
            continue
        if command.deed is Deed.WARP_IN:
            return int(can_warp_in(game, player, x, y))
        if command.spell and command.spell.name.startswith("CreepTumor"):
            tumour = game.tables.row["CreepTumor"]
            place = rules.snapped(game, tumour, x, y)
            return int(rules.seems_placeable(game, player, tumour, *place, ground))
        if command.row and command.deed in (Deed.BUILD, Deed.LAND, Deed.ADD_ON):
            if command.deed is Deed.ADD_ON:
                x, y = x + 5 * ONE // 2, y - ONE // 2
            place = rules.snapped(game, command.row, x, y)
            return int(rules.seems_placeable(game, player, command.row, *place, ground))
    return _NOT_SUPPORTED
