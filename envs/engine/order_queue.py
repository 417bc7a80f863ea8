"""A unit's queue of orders: adding, dropping and clearing entries."""

from typing import NamedTuple

from s2clientprotocol import error_pb2 as result

from envs.engine.commands import Command
from envs.engine.game import Game
from envs.engine.layout import MAX_ORDERS, ONE, Task
from envs.engine.tasks import finish_order_now, start_afresh_now


class Aim(NamedTuple):
    """What a command is aimed at."""

    slot: int = 0
    x: int = 0
    y: int = 0
    is_point: bool = False

    def is_nothing(self) -> bool:
        """Return whether it is aimed at neither a unit nor a place."""
        return not self.slot and not self.is_point


NOWHERE = Aim()


class Given(NamedTuple):
    """One order for one unit."""

    game: Game
    player: int
    slot: int
    command: Command
    aim: Aim
    is_queued: bool


def point(x: int, y: int) -> Aim:
    """Return an aim at a position."""
    return Aim(0, x, y, is_point=True)


def within_playable(game: Game, aim: Aim) -> Aim:
    """Return an aim with its position brought into the part of the map that is played on."""
    left, bottom, right, top = game.map.playable
    x = min(max(aim.x, left * ONE), right * ONE - 1)
    y = min(max(aim.y, bottom * ONE), top * ONE - 1)
    return aim if aim.slot else aim._replace(x=x, y=y)


def begin(game: Game, slot: int, *, is_queued: bool) -> None:
    """Make way for an order that is not to wait for those before it."""
    if not is_queued:
        clear_orders(game, slot)


def place_of(game: Game, player: int, aim: Aim) -> tuple[int, int]:
    """Return the position that is aimed at: of a building in the fog, where its player saw it."""
    if not aim.slot:
        return aim.x, aim.y
    unit, snapshot = game.units[aim.slot], game.world.snapshots[player, aim.slot]
    is_remembered = snapshot["tag"] == unit["tag"] and not game.knows_place_of(player, aim.slot)
    known = snapshot if is_remembered else unit
    return int(known["x"]), int(known["y"])


def clear_orders(game: Game, slot: int) -> None:
    """Drop all orders of a unit."""
    game.units["num_orders"][slot] = 0
    start_afresh_now(game.world.record, slot)


def finish_order(game: Game, slot: int) -> None:
    """Drop a unit's first order, so that it goes on with the next."""
    finish_order_now(game.world.record, slot)


def push_order(
    game: Game,
    slot: int,
    *,
    ability: int,
    task: Task,
    aim: Aim = NOWHERE,
    reach: int = 0,
    row: int = 0,
    deed: int = 0,
) -> int:
    """Append an order to a unit's queue; return the API's action result."""
    count = int(game.units["num_orders"][slot])
    if count >= MAX_ORDERS:
        return int(result.OrderQueueIsFull)
    order = game.world.orders[slot, count]
    order["ability"], order["task"] = ability, int(task)
    order["target"] = game.units["tag"][aim.slot] if aim.slot else 0
    order["x"], order["y"] = aim.x, aim.y
    order["reach"], order["type"], order["state"] = reach, row, deed
    order["timer"] = 0
    game.units["num_orders"][slot] = count + 1
    if count == 0:
        start_afresh_now(game.world.record, slot)
    return int(result.Success)
