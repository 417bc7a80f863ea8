"""Carrying units: into transports and bunkers, and out again."""

from s2clientprotocol import error_pb2 as result

from envs.engine.game import Game
from envs.engine.layout import ONE, Attribute, Trait
from envs.engine.order_queue import clear_orders
from envs.engine.rules import OK

UNLOAD_LOOPS = 16
"""Between one unit and the next that leaves a transport: 1 s at normal speed."""


def can_load(game: Game, player: int, carrier: int, passenger: int) -> int:
    """Return whether a transport has room for a unit."""
    unit = game.units[passenger]
    if unit["owner"] != player or game.units["owner"][carrier] != player:
        return int(result.CantLoadOtherPlayersUnits)
    if game.units["build_left"][carrier] or game.units["morph_left"][carrier]:
        return int(result.CantLoadThatUnit)
    kind = game.kind(passenger)
    if unit["morph_left"] or kind["traits"] & Trait.BURROWED:
        return int(result.CantLoadThatUnit)
    if not kind["cargo_size"] or kind["flying"] or unit["carrier"] or unit["build_left"]:
        return int(result.CantLoadThatUnit)
    is_hall = game.has_trait(carrier, Trait.TOWN_HALL)
    if is_hall and not game.has_trait(passenger, Trait.WORKER):
        return int(result.CantLoadThatUnit)
    if is_bunker(game, carrier) and not kind["attributes"] & Attribute.BIOLOGICAL:
        return int(result.CantLoadThatUnit)
    room = int(game.kind(carrier)["cargo_space"]) - int(game.units["cargo_used"][carrier])
    return OK if int(kind["cargo_size"]) <= room else int(result.NotEnoughRoomToLoadUnit)


def is_bunker(game: Game, slot: int) -> bool:
    """Return whether units inside can shoot out."""
    return bool(game.kind(slot)["range_bonus_inside"])


def load(game: Game, carrier: int, passenger: int) -> int:
    """Put a unit into a transport that it has reached."""
    answer = can_load(game, int(game.units["owner"][carrier]), carrier, passenger)
    if answer != OK:
        return answer
    unit = game.units[passenger]
    clear_orders(game, passenger)
    unit["carrier"] = game.units["tag"][carrier]
    unit["x"], unit["y"] = game.units["x"][carrier], game.units["y"][carrier]
    unit["target"] = 0
    game.units["cargo_used"][carrier] += game.kind(passenger)["cargo_size"]
    return OK


def passengers(game: Game, carrier: int) -> list[int]:
    """Return the slots of the units in a transport, the first in first."""
    if not game.units["cargo_used"][carrier]:
        return []
    alive = game.alive()
    aboard = alive[game.units["carrier"][alive] == game.units["tag"][carrier]]
    found: list[int] = aboard.tolist()
    return found


def unload_one(game: Game, carrier: int, passenger: int = 0) -> int:
    """Let one unit out of a transport."""
    aboard = passengers(game, carrier)
    if not aboard:
        return int(result.NoCargoToUnload)
    slot = passenger if passenger in aboard else aboard[0]
    unit, transport = game.units[slot], game.units[carrier]
    row = int(unit["type"])
    radius = 0 if game.kind(carrier)["flying"] else int(game.kind(carrier)["radius"])
    x, y = game.open_place(row, int(transport["x"]), int(transport["y"]) - radius)
    if abs(x - int(transport["x"])) > 6 * ONE or abs(y - int(transport["y"])) > 6 * ONE:
        return int(result.CantUnloadUnitsThere)
    unit["carrier"] = 0
    game.place(slot, x, y)
    unit["acquire"] = 0
    transport["cargo_used"] -= game.kind(slot)["cargo_size"]
    return OK


def unload_all(game: Game, carrier: int) -> int:
    """Let every unit out of a transport at once, as bunkers do."""
    if not game.units["cargo_used"][carrier]:
        return int(result.NoCargoToUnload)
    for slot in passengers(game, carrier):
        answer = unload_one(game, carrier, slot)
        if answer != OK:
            return answer
    return OK
