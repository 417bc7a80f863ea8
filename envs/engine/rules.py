"""May this be done? Costs, requirements and placement, answered with the API's action results."""

import numpy as np
from s2clientprotocol import error_pb2 as result

from envs.engine.commands import Command
from envs.engine.game import Game
from envs.engine.ground import (
    Ground,
    has_free_geyser,
    is_held,
    is_near_resources,
    is_taken,
    known_ground,
    true_ground,
)
from envs.engine.layout import CELL_BITS, ONE, Trait
from envs.engine.production import MAX_SUPPLY
from envs.engine.unit_tables import unit_tables
from envs.engine.vision import has_power_now

OK = result.Success


def snapped(game: Game, row: int, x: int, y: int) -> tuple[int, int]:
    """Return the centre nearest to a position at which a building's sides lie on the grid."""
    kind = game.tables.types[row]
    return (
        _snap(x, int(kind["footprint"])),
        _snap(y, int(kind["footprint_height"])),
    )


def _snap(value: int, side: int) -> int:
    if side % 2:
        return (value >> CELL_BITS << CELL_BITS) + ONE // 2
    return (value + ONE // 2) >> CELL_BITS << CELL_BITS


def has_building(game: Game, player: int, row: int) -> bool:
    """Return whether a player has a finished building that counts as one of a type."""
    accepted = counting_as(row)
    units = game.units
    alive = game.alive()
    mine = alive[(units["owner"][alive] == player) & (units["build_left"][alive] == 0)]
    return bool(np.isin(units["type"][mine], accepted).any())


def counting_as(row: int) -> tuple[int, ...]:
    """Return the types that count as one for requirements: itself and its higher forms."""
    return (row, *unit_tables().counting_as.get(row, ()))


def requirements(game: Game, player: int, slot: int, command: Command) -> int:
    """Return whether a player has the tech that a command needs."""
    state = game.world.players[player]
    if state["no_tech"]:
        return OK
    if command.requires_upgrade and not game.world.upgrades[player, command.requires_upgrade]:
        return result.TechRequirementsNotMet
    if not all(has_building(game, player, row) for row in command.requires):
        return result.TechRequirementsNotMet
    if command.needs_tech_lab and not has_add_on(game, slot, Trait.TECH_LAB):
        return result.TechRequirementsNotMet
    if command.upgrade and _is_under_research(game, player, command.upgrade):
        return result.TechRequirementsNotMet
    return OK


def has_add_on(game: Game, slot: int, trait: Trait) -> bool:
    """Return whether a building has a finished add-on of a kind."""
    add_on = game.slot(int(game.units["add_on"][slot]))
    if not add_on or game.units["build_left"][add_on]:
        return False
    return game.has_trait(add_on, trait)


def _is_under_research(game: Game, player: int, upgrade: int) -> bool:
    if game.world.upgrades[player, upgrade]:
        return True
    for slot in game.slots(player):
        for i in range(game.units["num_production"][slot]):
            entry = game.world.production[slot, i]
            if entry["makes"] == 2 and entry["what"] == upgrade:
                return True
    return False


def cost_of(game: Game, player: int, command: Command) -> tuple[int, int]:
    """Return minerals and gas that a command takes."""
    if game.world.players["free"][player]:
        return 0, 0
    if command.upgrade:
        upgrade = game.tables.upgrades[command.upgrade]
        return upgrade.minerals, upgrade.gas
    if not command.row or command.is_free:
        return 0, 0
    kind = game.tables.types[command.row]
    return int(kind["minerals"]), int(kind["gas"])


def affordable(game: Game, player: int, command: Command) -> int:
    """Return whether a player has the minerals and gas for a command."""
    minerals, gas = cost_of(game, player, command)
    state = game.world.players[player]
    if state["minerals"] < minerals:
        return result.NotEnoughMinerals
    if state["gas"] < gas:
        return result.NotEnoughVespene
    return OK


def feedable(game: Game, player: int, half_points: int) -> int:
    """Return whether there is supply for more units."""
    state = game.world.players[player]
    if state["no_food"] or half_points <= 0:
        return OK
    if state["supply_used"] + half_points > min(int(state["supply_made"]), MAX_SUPPLY):
        return result.NotEnoughFood
    return OK


def room(game: Game) -> int:
    """Return whether the map has room for another unit."""
    return result.CouldntAllocateUnit if game.is_full else OK


def pay(game: Game, player: int, command: Command) -> tuple[int, int]:
    """Take a command's cost from a player and return it."""
    minerals, gas = cost_of(game, player, command)
    state = game.world.players[player]
    state["minerals"] -= minerals
    state["gas"] -= gas
    state["minerals_spent"] += minerals
    state["gas_spent"] += gas
    return minerals, gas


def placeable(game: Game, player: int, row: int, x: int, y: int) -> int:
    """Return whether a building may stand at a position, which must be on the grid."""
    return _placeable(game, player, row, x, y, true_ground(game, player))


def seems_placeable(
    game: Game, player: int, row: int, x: int, y: int, known: Ground | None = None
) -> int:
    """Return whether a building may stand at a position for all that its player knows.

    ``known`` is that knowledge, for those who ask more than once.
    """
    return _placeable(game, player, row, x, y, known or known_ground(game, player))


def _placeable(game: Game, player: int, row: int, x: int, y: int, ground: Ground) -> int:
    kind = game.tables.types[row]
    traits = int(kind["traits"])
    if traits & Trait.GAS_BUILDING:
        return OK if has_free_geyser(game, ground, x, y) else result.CantBuildOnThat
    rows, columns = cells = game.footprint(row, x, y)
    height, width = game.world.pathable.shape
    if rows.start < 0 or columns.start < 0 or rows.stop > height or columns.stop > width:
        return result.CantBuildLocationInvalid
    if is_taken(game, ground, cells) or not game.world.buildable[rows, columns].all():
        return result.CantBuildLocationInvalid
    if is_held(ground, cells) and not game.tables.walked_over[row]:
        return result.CantBuildLocationInvalid
    creep = ground.creep[rows, columns]
    if traits & Trait.NEEDS_CREEP:
        if not creep.all():
            return result.CantBuildTooFarFromCreepSource
    elif creep.any() and not traits & Trait.SPREADS_CREEP:
        return result.CantBuildTooCloseToCreepSource
    if traits & Trait.TOWN_HALL and is_near_resources(game, ground, cells):
        return result.CantBuildTooCloseToResources
    if traits & Trait.NEEDS_POWER and not has_power_now(game.world.record, player, x, y):
        return result.CantBuildTooFarFromBuildPowerSource
    return OK


def free_geyser(game: Game, x: int, y: int) -> int:
    """Return the slot of the geyser at a position that nothing is built on, 0 if there is none."""
    for slot in game.resources():
        unit = game.units[slot]
        if not game.has_trait(slot, Trait.GEYSER):
            continue
        if abs(int(unit["x"]) - x) < ONE and abs(int(unit["y"]) - y) < ONE:
            return 0 if game.gas_building_on(slot) else slot
    return 0


def add_on_place(game: Game, slot: int) -> tuple[int, int]:
    """Return where a building's add-on stands."""
    unit = game.units[slot]
    return int(unit["x"]) + 5 * ONE // 2, int(unit["y"]) - ONE // 2


def add_on_fits(game: Game, player: int, row: int, slot: int) -> int:
    """Return whether an add-on can be built beside a building that stands."""
    x, y = add_on_place(game, slot)
    return placeable(game, player, row, x, y)
