"""Taking orders back: what is in a queue, being built or becoming something else."""

from s2clientprotocol import error_pb2 as result

from envs.engine.game import Game
from envs.engine.layout import Trait
from envs.engine.morphing import settle
from envs.engine.order_queue import clear_orders
from envs.engine.rules import OK

BUILDING_REFUND_PERCENT = 75


def cancel(game: Game, slot: int) -> int:
    """Cancel what a unit is doing that can be cancelled."""
    unit = game.units[slot]
    if unit["build_left"]:
        return _cancel_building(game, slot)
    if unit["morph_left"]:
        return _cancel_morph(game, slot)
    add_on = game.slot(int(unit["add_on"]))
    if add_on and game.units["build_left"][add_on]:
        return _cancel_building(game, add_on)
    if game.has_trait(slot, Trait.EGG):
        return _cancel_egg(game, slot)
    return cancel_last(game, slot)


def cancel_last(game: Game, slot: int) -> int:
    """Take the last entry out of a queue, all of its cost back."""
    unit = game.units[slot]
    if not unit["num_production"]:
        return int(result.NotSupported)
    if game.has_trait(slot, Trait.EGG):
        return _cancel_egg(game, slot)
    entry = game.world.production[slot, int(unit["num_production"]) - 1]
    _give_back(game, int(unit["owner"]), int(entry["minerals"]), int(entry["gas"]), 100)
    unit["num_production"] -= 1
    return OK


def halt(game: Game, slot: int) -> int:
    """Have an SCV leave the building that it works on."""
    clear_orders(game, slot)
    return OK


def _give_back(game: Game, player: int, minerals: int, gas: int, per_cent: int) -> None:
    state = game.world.players[player]
    for resource, paid in (("minerals", minerals), ("gas", gas)):
        back = paid * per_cent // 100
        state[resource] += back
        state[f"{resource}_spent"] -= back


def _cancel_building(game: Game, slot: int) -> int:
    """Take an unfinished building off the map; a drone comes back out of a Zerg one."""
    unit = game.units[slot]
    player, row = int(unit["owner"]), int(unit["type"])
    kind = game.tables.types[row]
    if not kind["traits"] & Trait.STRUCTURE:
        return int(result.NotSupported)  # a unit on its way through a warp gate
    if not game.world.players["free"][player]:
        minerals, gas = int(kind["minerals"]), int(kind["gas"])
        _give_back(game, player, minerals, gas, BUILDING_REFUND_PERCENT)
    x, y = int(unit["x"]), int(unit["y"])
    parent = game.slot(int(unit["home"]))
    if parent and kind["traits"] & Trait.ADD_ON:
        game.units["add_on"][parent] = 0
    game.remove(slot)
    drone = game.tables.row["Drone"]
    if drone in game.tables.produced_by.get(int(kind["base"]), ()):
        game.spawn(drone, player, *game.open_place(drone, x, y))
    return OK


def _cancel_morph(game: Game, slot: int) -> int:
    unit = game.units[slot]
    minerals, gas = int(unit["morph_minerals"]), int(unit["morph_gas"])
    if not minerals and not gas:
        return int(result.NotSupported)  # sieging, landing and the like go through
    _give_back(game, int(unit["owner"]), minerals, gas, BUILDING_REFUND_PERCENT)
    settle(game, slot, int(unit["morph_from"]))
    return OK


def _cancel_egg(game: Game, slot: int) -> int:
    """Make an egg a larva again, all of its cost back."""
    unit = game.units[slot]
    entry = game.world.production[slot, 0]
    _give_back(game, int(unit["owner"]), int(entry["minerals"]), int(entry["gas"]), 100)
    unit["num_production"] = 0
    settle(game, slot, game.tables.row["Larva"])
    home = game.slot(int(unit["home"]))
    if home:
        game.units["larva_count"][home] += 1
    return OK
