"""Making things: buildings begun and finished, units that leave their queues, eggs, warp-ins."""

import numpy as np
from s2clientprotocol import error_pb2 as result

from envs.engine import rules
from envs.engine.commands import Command
from envs.engine.game import Game
from envs.engine.layout import CELL_BITS, ONE, TICK, Makes, Task, Trait
from envs.engine.morphing import take_up_add_on
from envs.engine.order_queue import finish_order
from envs.engine.pathfinding import is_open_cell
from envs.engine.production import LARVA_LOOPS
from envs.engine.unit_tables import race_units
from envs.engine.vision import has_power_now, warps_fast

WARP_LOOPS = 256
"""A warp-in takes 16 s at normal speed; ``FAST_WARP_LOOPS`` by a Warp Prism, Nexus or gateway."""

FAST_WARP_LOOPS = 64
_START_LARVAE = 1


def begin_building(game: Game, worker: int, command: Command) -> int:
    """Have a worker that has come to its site begin the building; drop its order if it cannot."""
    order = game.world.orders[worker, 0]
    player, row = int(game.units["owner"][worker]), command.row
    x, y = int(order["x"]), int(order["y"])
    for answer in (
        rules.requirements(game, player, worker, command),
        rules.affordable(game, player, command),
        rules.placeable(game, player, row, x, y),
        rules.room(game),
    ):
        if answer != rules.OK:
            finish_order(game, worker)
            return answer
    rules.pay(game, player, command)
    tag = int(game.units["tag"][worker])
    race = int(game.tables.types["race"][row])
    if race == _ZERG:
        game.remove(worker)
    is_on_gas = game.tables.types["traits"][row] & Trait.GAS_BUILDING
    geyser = rules.free_geyser(game, x, y) if is_on_gas else 0
    building = game.spawn(row, player, x, y, is_finished=False)
    if geyser:
        game.units["home"][building] = game.units["tag"][geyser]
        game.units["gas"][building] = game.units["gas"][geyser]
    game.clear_ground(building)
    if race == _ZERG:
        return rules.OK
    worker = game.slot(tag)
    if race == _TERRAN:
        game.units["builder"][building] = tag
        order = game.world.orders[worker, 0]
        order["task"], order["target"] = Task.CONSTRUCT, game.units["tag"][building]
    else:
        finish_order(game, worker)
    return rules.OK


_TERRAN, _ZERG = 1, 2


def begin_add_on(game: Game, slot: int, command: Command) -> None:
    """Begin an add-on beside its building."""
    x, y = rules.add_on_place(game, slot)
    player = int(game.units["owner"][slot])
    add_on = game.spawn(command.row, player, x, y, is_finished=False)
    game.units["home"][add_on] = game.units["tag"][slot]
    game.units["add_on"][slot] = game.units["tag"][add_on]
    game.clear_ground(add_on)


def is_adding_on(game: Game, slot: int) -> bool:
    """Return whether a building is busy with its own add-on."""
    add_on = game.slot(int(game.units["add_on"][slot]))
    return bool(add_on and game.units["build_left"][add_on])


def constructed(game: Game, slot: int) -> None:
    """See to a building that has just been finished."""
    unit = game.units[slot]
    unit["builder"] = 0
    unit["born"] = game.loop  # creep spreads from here on
    unit["energy"] = game.kind(slot)["energy_start"]
    player = int(unit["owner"])
    if game.has_trait(slot, Trait.TOWN_HALL) and game.kind(slot)["race"] == _ZERG:
        unit["larva_timer"] = LARVA_LOOPS
        for _ in range(_START_LARVAE):
            spawn_larva(game, slot)
    settles_as = int(game.kind(slot)["settles_as"])
    if settles_as:
        unit["morph_from"], unit["morph_type"] = unit["type"], settles_as
        unit["morph_ability"] = game.tables.create_ability[settles_as]
        unit["morph_left"] = unit["morph_total"] = game.tables.types["build_loops"][settles_as]
        unit["spread_charges"] = 1
    take_up_add_on(game, slot)
    game.note_made(player, int(unit["type"]))


def spawn_larva(game: Game, hatchery: int) -> int:
    """Put one more larva beside a hatchery."""
    hall = game.units[hatchery]
    count = int(hall["larva_count"])
    x = int(hall["x"]) + (count % 8 - 1) * ONE
    y = int(hall["y"]) - 7 * ONE // 2 - count // 8 * ONE // 2
    larva = game.spawn(race_units()[_ZERG].larva, int(hall["owner"]), x, y)
    game.units["home"][larva] = hall["tag"]
    hall["larva_count"] = count + 1
    return larva


def hatch_from(game: Game, larva: int) -> None:
    """Make a larva an egg, whose queue holds what it will be."""
    home = game.slot(int(game.units["home"][larva]))
    if home:
        game.units["larva_count"][home] -= 1
    game.transform(larva, race_units()[_ZERG].egg)


def produced(game: Game, slot: int) -> list[int]:
    """See to all finished entries of a queue; return the slots of the units that they made."""
    made: list[int] = []
    place = 0
    while place < game.units["num_production"][slot]:
        entry = game.world.production[slot, place].copy()
        if entry["started"] and entry["left"] == 0:
            _drop_entry(game, slot, place)
            made += _made_by(game, slot, entry)
        else:
            place += 1
    return made


def _drop_entry(game: Game, slot: int, place: int) -> None:
    for i in range(place + 1, int(game.units["num_production"][slot])):
        game.world.production[slot, i - 1] = game.world.production[slot, i]
    game.units["num_production"][slot] -= 1


def _made_by(game: Game, slot: int, entry: np.void) -> list[int]:
    player = int(game.units["owner"][slot])
    if entry["makes"] == Makes.UPGRADE:
        game.research(player, int(entry["what"]))
        return []
    row = int(entry["what"])
    count = int(game.world.types[player, row]["num_made"])
    if game.has_trait(slot, Trait.EGG):
        return _hatched(game, slot, row, count)
    made = []
    for _ in range(count):
        made.append(game.spawn(row, player, *_exit_of(game, slot, row)))
        game.note_made(player, row)
    return made


def _hatched(game: Game, egg: int, row: int, count: int) -> list[int]:
    unit = game.units[egg]
    home = game.slot(int(unit["home"]))
    player, x, y = int(unit["owner"]), int(unit["x"]), int(unit["y"])
    game.transform(egg, row)
    unit["health"] = unit["health_max"]
    unit["num_production"] = 0
    unit["born"] = game.loop
    unit["home"] = 0
    made = [egg]
    for _ in range(count - 1):
        place_x, place_y = game.open_place(row, x + ONE // 4, y)
        made.append(game.spawn(row, player, place_x, place_y))
    for slot in made:
        game.note_made(player, row)
        if home:
            for field in _RALLY_FIELDS:
                game.units[field][slot] = game.units[field][home]
    return made


_RALLY_FIELDS = (
    "rally_x",
    "rally_y",
    "rally_set",
    "rally_target",
    "worker_rally_x",
    "worker_rally_y",
    "worker_rally_set",
    "worker_rally_target",
)


def _exit_of(game: Game, slot: int, row: int) -> tuple[int, int]:
    """Return where a unit leaves the building that made it, on the side of the rally point."""
    unit = game.units[slot]
    x, y = int(unit["x"]), int(unit["y"])
    radius = int(game.kind(slot)["radius"])
    towards_x, towards_y = 0, -1
    if unit["rally_set"]:
        towards_x, towards_y = int(unit["rally_x"]) - x, int(unit["rally_y"]) - y
    length = max((towards_x**2 + towards_y**2) ** 0.5, 1.0)
    return game.open_place(
        row, x + round(towards_x * radius / length), y + round(towards_y * radius / length)
    )


def can_warp_in(game: Game, player: int, x: int, y: int) -> int:
    """Return whether a unit can be warped in at a position."""
    column, line = x >> CELL_BITS, y >> CELL_BITS
    if not game.sees(player, column, line):
        return int(result.CantWarpInUnitsThere)
    if not is_open_cell(game.world.record, column, line) or not has_power_now(
        game.world.record, player, x, y
    ):
        return int(result.CantWarpInUnitsThere)
    alive, units = game.alive(), game.units
    is_there = (units["visible_to"][alive] & (1 << player)) > 0  # as far as the player knows
    alive = alive[is_there & (units["carrier"][alive] == 0)]
    rows, types = units["type"][alive], game.tables.types
    in_the_way = (types["flying"][rows] == 0) & ((types["traits"][rows] & Trait.STRUCTURE) == 0)
    apart = np.hypot(units["x"][alive] - x, units["y"][alive] - y)
    is_free = not (in_the_way & (apart < ONE // 2)).any()
    return rules.OK if is_free else int(result.CantWarpInUnitsThere)


def warp_in(game: Game, player: int, gate: int, row: int, x: int, y: int) -> int:
    """Begin to warp a unit in; the gate needs a while until the next."""
    slot = game.spawn(row, player, x, y, is_finished=False)
    unit = game.units[slot]
    loops = FAST_WARP_LOOPS if warps_fast(game.world.record, player, x, y) else WARP_LOOPS
    unit["build_left"] = unit["build_total"] = loops * TICK
    game.units["warp_cooldown"][gate] = game.tables.types["warp_cooldown"][row]
    return slot
