"""Units and buildings that become another type: morphs, eggs, lift and land, burrow, siege."""

from s2clientprotocol import error_pb2 as result

from envs.engine import rules
from envs.engine.commands import Command, Deed, commands_of
from envs.engine.game import Game
from envs.engine.layout import ONE, Task, Trait
from envs.engine.order_queue import begin, clear_orders, finish_order, point, push_order

LANDING_REACH = ONE // 2
"""How near to its place a flying building must be to come down; others may push it aside."""


def may_morph(game: Game, player: int, slot: int, command: Command) -> int:
    """Return whether a unit may begin to become another type now."""
    types = game.tables.types
    extra_supply = int(types["supply"][command.row]) - int(game.kind(slot)["supply"])
    for answer in (
        rules.requirements(game, player, slot, command),
        rules.affordable(game, player, command),
        rules.feedable(game, player, extra_supply),
    ):
        if answer != rules.OK:
            return answer
    has_room = game.units["cargo_used"][slot] <= types["cargo_space"][command.row]
    return rules.OK if has_room else int(result.NotWhileOccupied)


def start_morph(game: Game, player: int, slot: int, command: Command) -> int:
    """Pay for a morph and begin it."""
    unit = game.units[slot]
    unit["morph_from"] = unit["type"]
    unit["morph_minerals"], unit["morph_gas"] = rules.pay(game, player, command)
    if command.via:
        game.transform(slot, command.via)
    unit["morph_type"], unit["morph_ability"] = command.row, command.ability
    unit["morph_left"] = unit["morph_total"] = 1 if _is_hasty(game, player) else command.loops
    lifts_off = game.tables.types["flying"][command.row] and not game.kind(slot)["flying"]
    if lifts_off and game.has_trait(slot, Trait.STRUCTURE):
        let_go_of_add_on(game, slot)
    return rules.OK


def _is_hasty(game: Game, player: int) -> bool:
    return bool(game.world.players["fast"][player])


def finish_morph(game: Game, slot: int) -> None:
    """Make a unit what it has been becoming."""
    unit = game.units[slot]
    row = int(unit["morph_type"])
    was_flying = bool(game.kind(slot)["flying"])
    settle(game, slot, row)
    if game.has_trait(slot, Trait.STRUCTURE) and not game.kind(slot)["flying"]:
        if not game.tables.walked_over[row]:
            game.clear_ground(slot)
        if was_flying:
            take_up_add_on(game, slot)
    elif was_flying and not game.kind(slot)["flying"]:
        x, y = game.open_place(row, int(unit["x"]), int(unit["y"]))
        game.place(slot, x, y)
    game.note_made(int(unit["owner"]), row)


def settle(game: Game, slot: int, row: int) -> None:
    """Change a unit's type and end its morph."""
    unit = game.units[slot]
    game.transform(slot, row)
    for field in _MORPH_FIELDS:
        unit[field] = 0


_MORPH_FIELDS = (
    "morph_type",
    "morph_left",
    "morph_total",
    "morph_ability",
    "morph_from",
    "morph_minerals",
    "morph_gas",
)


def land(game: Game, slot: int, command: Command) -> int:
    """Have a building over its place come down, if the place is still free."""
    unit = game.units[slot]
    order = game.world.orders[slot, 0]
    row, x, y = command.row, int(order["x"]), int(order["y"])
    player = int(unit["owner"])
    answer = rules.placeable(game, player, row, x, y)
    finish_order(game, slot)
    if answer != rules.OK:
        return int(result.CantLandLocationInvalid)
    game.place(slot, x, y)
    unit["morph_type"], unit["morph_ability"] = row, command.ability
    unit["morph_left"] = unit["morph_total"] = 1 if _is_hasty(game, player) else command.loops
    game.hold_ground(slot)
    return rules.OK


def lift_for_add_on(game: Game, slot: int, command: Command, place: tuple[int, int]) -> int:
    """Have a building fly to a place and build its add-on there."""
    unit = game.units[slot]
    player = int(unit["owner"])
    lift = next(
        (
            other
            for other in commands_of(int(unit["type"])).values()
            if other.deed is Deed.MORPH and game.tables.types["flying"][other.row]
        ),
        None,
    )
    if lift is None:
        return int(result.NotSupported)
    answer = rules.seems_placeable(game, player, int(unit["type"]), *place)
    if answer != rules.OK:
        return answer
    clear_orders(game, slot)
    start_morph(game, player, slot, lift)
    landing = next(c for c in commands_of(lift.row).values() if c.deed is Deed.LAND)
    _push_landing(game, slot, landing, command, place)
    return rules.OK


def land_for_add_on(
    game: Game, slot: int, command: Command, place: tuple[int, int], *, is_queued: bool
) -> int:
    """Have a flying building come down at a place and build its add-on there."""
    player = int(game.units["owner"][slot])
    landing = _landing(game, slot)
    answer = rules.seems_placeable(game, player, landing.row, *place)
    if answer != rules.OK:
        return int(result.CantLandLocationInvalid)
    begin(game, slot, is_queued=is_queued)
    return _push_landing(game, slot, landing, command, place)


def landed_type(game: Game, slot: int) -> int:
    """Return what a flying building is once it has landed."""
    return _landing(game, slot).row


def _landing(game: Game, slot: int) -> Command:
    commands = commands_of(int(game.units["type"][slot])).values()
    return next(command for command in commands if command.deed is Deed.LAND)


def _push_landing(
    game: Game, slot: int, landing: Command, add_on: Command, place: tuple[int, int]
) -> int:
    """Append the orders to land at a place and to build an add-on there."""
    answer = push_order(
        game,
        slot,
        ability=landing.ability,
        task=Task.REACH_POINT,
        aim=point(*place),
        reach=LANDING_REACH,
        row=landing.row,
        deed=Deed.LAND,
    )
    if answer != rules.OK:
        return answer
    return push_order(
        game,
        slot,
        ability=add_on.ability,
        task=Task.REACH_POINT,
        aim=point(*place),
        reach=1 << 22,
        row=add_on.row,
        deed=Deed.ADD_ON,
    )


def let_go_of_add_on(game: Game, slot: int) -> None:
    """Leave a building's add-on to whoever comes to stand beside it."""
    unit = game.units[slot]
    add_on = game.slot(int(unit["add_on"]))
    if add_on:
        game.units["home"][add_on] = 0
        _rename_add_on(game, add_on, "")
    unit["add_on"] = 0


def take_up_add_on(game: Game, slot: int) -> None:
    """Have a building that has landed use an add-on that stands where its own would."""
    unit = game.units[slot]
    if not game.kind(slot)["add_on_x"]:
        return
    x, y = rules.add_on_place(game, slot)
    for other in game.slots(int(unit["owner"])):
        if game.has_trait(other, Trait.ADD_ON) and not game.slot(int(game.units["home"][other])):
            if game.distance(other, x, y) < ONE // 2:
                unit["add_on"] = game.units["tag"][other]
                game.units["home"][other] = unit["tag"]
                _rename_add_on(game, other, game.tables.names[int(unit["type"])])
                return


def _rename_add_on(game: Game, add_on: int, building: str) -> None:
    """Give an add-on the type that goes with its building."""
    kind = "TechLab" if game.has_trait(add_on, Trait.TECH_LAB) else "Reactor"
    game.units["type"][add_on] = game.tables.row[building + kind]
