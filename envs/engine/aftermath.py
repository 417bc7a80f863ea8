"""What follows on what happens in a loop: deaths, things finished, orders come within reach."""

import logging
from collections import deque
from collections.abc import Callable

import numpy as np
from s2clientprotocol import error_pb2 as result
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine.alerts import (
    NO_ALERT,
    alert_for_attack,
    alert_for_constructed,
    alert_for_made,
    alert_for_morph,
)
from envs.engine.casting import Cast, cast, injected
from envs.engine.commands import Command, Deed, commands_of, warp_gate_morphs
from envs.engine.construction import (
    begin_add_on,
    begin_building,
    constructed,
    produced,
    spawn_larva,
)
from envs.engine.game import Game, WorldFullError
from envs.engine.layout import Clock, Happening, Makes, Trait
from envs.engine.morphing import finish_morph, land, let_go_of_add_on, may_morph, start_morph
from envs.engine.order_queue import Aim, finish_order
from envs.engine.orders import give
from envs.engine.rules import OK, add_on_fits, affordable, pay, requirements, room
from envs.engine.transport import UNLOAD_LOOPS, load, passengers, unload_one

REPAIR_COST_SHARE = 4
"""A full repair costs a quarter of what the unit did."""

_SMART = 1
_ENDS = (Happening.DIED, Happening.EXPIRED, Happening.DEPLETED)

logger = logging.getLogger(__name__)


class Aftermath:
    """Sees to what compiled code has left word of, and remembers what players are to be told."""

    def __init__(self, game: Game) -> None:
        self.game = game
        self.dead: list[tuple[int, int, int]] = []  # tag, its owner, who saw it
        self.failed: list[tuple[int, int, int, int]] = []  # player, tag, ability, result
        self.alerts: list[tuple[int, int]] = []  # player, the API's alert
        self._events: deque[np.void] = deque()
        self._handlers: dict[int, Callable[[int, int], None]] = {
            Happening.DIED: self._died,
            Happening.READY: self._ready,
            Happening.PRODUCED: self._produced,
            Happening.CONSTRUCTED: self._constructed,
            Happening.MORPHED: self._morphed,
            Happening.EXPIRED: self._expired,
            Happening.LARVA: self._larva,
            Happening.INJECTED: self._injected,
            Happening.DEPLETED: self._depleted,
            Happening.TARGET_LOST: self._target_lost,
        }

    def see_to_events(self) -> None:
        """See to all that has happened, in that order, and then to what follows from it."""
        self._take_events()
        if not self._events:
            return
        while self._events:
            self._see_to(self._events.popleft())
            self._take_events()
        self.game.count_supply()

    def _take_events(self) -> None:
        clock = self.game.world.clock
        self._events.extend(self.game.world.events[: clock[_NUM_EVENTS]].copy())
        clock[_NUM_EVENTS] = 0

    def _see_to(self, event: np.void) -> None:
        slot, what = int(event["slot"]), int(event["what"])
        if self.game.units["tag"][slot] != event["tag"]:
            return  # has gone meanwhile
        if what not in _ENDS and self.game.units["health"][slot] <= 0:
            return  # is about to go
        try:
            self._handlers[what](slot, int(event["argument"]))
        except WorldFullError:
            logger.warning("a unit could not be made: the map is full")

    def new_larva(self, hatchery: int) -> None:
        """Put one more larva beside a hatchery."""
        spawn_larva(self.game, hatchery)

    def kill(self, slot: int, killer: int = 0) -> None:
        """Take a unit off the map with all that goes with it."""
        game = self.game
        unit = game.units[slot]
        if killer and game.units["owner"][killer] != unit["owner"]:
            game.note_kill(int(game.units["owner"][killer]), slot)
            self._alert(int(unit["owner"]), alert_for_attack(game, slot))
        game.note_loss(slot)
        self.dead.append((int(unit["tag"]), int(unit["owner"]), int(unit["visible_to"])))
        for passenger in passengers(game, slot):
            gets_out = game.kind(slot)["range_bonus_inside"] > 0
            if not gets_out or unload_one(game, slot, passenger) != OK:
                self.kill(passenger, killer)
        self._let_go(slot)
        game.remove(slot)

    def _let_go(self, slot: int) -> None:
        game = self.game
        unit = game.units[slot]
        tag = int(unit["tag"])
        if game.has_trait(slot, Trait.LARVA):
            home = game.slot(int(unit["home"]))
            if home:
                game.units["larva_count"][home] -= 1
        carrier = game.slot(int(unit["carrier"]))
        if carrier:
            game.units["cargo_used"][carrier] -= game.kind(slot)["cargo_size"]
        parent = game.slot(int(unit["home"]))
        if parent and game.has_trait(slot, Trait.ADD_ON):
            game.units["add_on"][parent] = 0
        if game.has_trait(slot, Trait.TOWN_HALL):
            for other in game.slots(int(unit["owner"])):
                if game.units["home"][other] == tag and game.has_trait(other, Trait.LARVA):
                    self.kill(other)
        add_on = game.slot(int(unit["add_on"]))
        if add_on and game.units["build_left"][add_on]:
            self.kill(add_on)
        elif add_on:
            let_go_of_add_on(game, slot)

    def _died(self, slot: int, argument: int) -> None:
        if self.game.units["health"][slot] <= 0:
            self.kill(slot, argument)

    def _alert(self, player: int, alert: int) -> None:
        if player and alert != NO_ALERT:
            self.alerts.append((player, alert))

    def _expired(self, slot: int, argument: int) -> None:
        if self.game.has_trait(slot, Trait.WORKER):
            self._alert(int(self.game.units["owner"][slot]), sc_pb.MULEExpired)
        self.kill(slot)

    def _depleted(self, slot: int, worker: int) -> None:
        player = int(self.game.units["owner"][worker])
        if self.game.has_trait(slot, Trait.MINERALS):
            self._alert(player, sc_pb.MineralsExhausted)
            self.kill(slot)
        else:
            self._alert(player, sc_pb.VespeneExhausted)

    def _produced(self, slot: int, argument: int) -> None:
        units = self.game.units
        maker, player = int(units["tag"][slot]), int(units["owner"][slot])
        queue = self.game.world.production[slot, : units["num_production"][slot]]
        is_done = (queue["started"] > 0) & (queue["left"] == 0)
        if (is_done & (queue["makes"] == Makes.UPGRADE)).any():
            self._alert(player, sc_pb.ResearchComplete)
        for made in produced(self.game, slot):
            self._alert(player, alert_for_made(self.game, made))
            self._follow_rally(self.game.slot(maker) or made, made)
        self._become_warp_gate(slot)

    def _constructed(self, slot: int, argument: int) -> None:
        constructed(self.game, slot)
        self._alert(int(self.game.units["owner"][slot]), alert_for_constructed(self.game, slot))
        self._become_warp_gate(slot)

    def _morphed(self, slot: int, argument: int) -> None:
        unit = self.game.units[slot]
        command = commands_of(int(unit["morph_from"])).get(int(unit["morph_ability"]))
        finish_morph(self.game, slot)
        self._alert(int(unit["owner"]), alert_for_morph(self.game, slot, command))

    def _larva(self, slot: int, argument: int) -> None:
        spawn_larva(self.game, slot)

    def _injected(self, slot: int, argument: int) -> None:
        injected(self.game, slot)
        self._alert(int(self.game.units["owner"][slot]), sc_pb.LarvaHatched)

    def _target_lost(self, slot: int, is_out_of_reach: int) -> None:
        units = self.game.units
        if is_out_of_reach and units["num_orders"][slot]:
            ability = int(self.game.world.orders["ability"][slot, 0])
            player, tag = int(units["owner"][slot]), int(units["tag"][slot])
            self.failed.append((player, tag, ability, int(result.TargetIsOutOfRange)))
        finish_order(self.game, slot)

    def _become_warp_gate(self, slot: int) -> None:
        """Have gateways become warp gates by themselves, as the game's autocast does."""
        game = self.game
        player = int(game.units["owner"][slot])
        for row, command in warp_gate_morphs():
            if not game.world.upgrades[player, command.requires_upgrade]:
                continue  # no Protoss, or not yet
            for gateway in game.slots(player, row):
                unit = game.units[gateway]
                is_idle = not unit["build_left"] and not unit["morph_left"]
                if is_idle and not unit["num_production"] and unit["powered"]:
                    give(game, player, command.ability, [gateway], Aim(), is_queued=False)

    def _follow_rally(self, maker: int, made: int) -> None:
        """Send a new unit to where its maker's rally point is."""
        game = self.game
        unit = game.units[maker]
        is_worker = game.has_trait(made, Trait.WORKER)
        prefix = "worker_rally" if is_worker and unit["worker_rally_set"] else "rally"
        if not unit[f"{prefix}_set"]:
            return
        target = game.slot(int(unit[f"{prefix}_target"]))
        if not game.knows_place_of(int(unit["owner"]), target):
            target = 0
        aim = Aim(target, int(unit[f"{prefix}_x"]), int(unit[f"{prefix}_y"]), is_point=True)
        give(game, int(unit["owner"]), _SMART, [made], aim, is_queued=False)

    def _ready(self, slot: int, argument: int) -> None:
        """Do what an order was for, now that its unit has come within reach."""
        order = self.game.world.orders[slot, 0]
        if not self.game.units["num_orders"][slot]:
            return
        deed = Deed(int(order["state"]))
        player, tag = int(self.game.units["owner"][slot]), int(self.game.units["tag"][slot])
        ability = int(order["ability"])
        answer = self._do(slot, deed)
        if answer != OK:
            self.failed.append((player, tag, ability, answer))

    def _do(self, slot: int, deed: Deed) -> int:
        game = self.game
        order = game.world.orders[slot, 0]
        target = game.slot(int(order["target"]))
        if deed is Deed.REPAIR:
            return self._repair(slot, target)
        if deed is Deed.UNLOAD_ALL_AT:
            return self._unload(slot)
        command = commands_of(int(game.units["type"][slot])).get(int(order["ability"]))
        if deed is Deed.BUILD and command:
            return begin_building(game, slot, command)
        if deed is Deed.LAND and command:
            return land(game, slot, command)
        x, y = int(order["x"]), int(order["y"])
        finish_order(game, slot)
        if deed is Deed.LOAD:
            return load(game, slot, target)
        if deed is Deed.BOARD:
            return load(game, target, slot)
        if command is None:
            return int(result.NotSupported)  # it has become another type while it waited
        player = int(game.units["owner"][slot])
        if deed is Deed.SPELL and command.spell:
            if target:
                x, y = int(game.units["x"][target]), int(game.units["y"][target])
            return cast(Cast(game, player, slot, command.spell, target, x, y))
        if deed is Deed.MORPH:
            answer = may_morph(game, player, slot, command)
            return start_morph(game, player, slot, command) if answer == OK else answer
        assert deed is Deed.ADD_ON, deed
        return self._add_on(player, slot, command)

    def _add_on(self, player: int, slot: int, command: Command) -> int:
        unit = self.game.units[slot]
        if self.game.kind(slot)["flying"] or self.game.slot(int(unit["add_on"])):
            return int(result.CantBuildLocationInvalid)  # it could not land, or found one there
        for answer in (
            requirements(self.game, player, slot, command),
            affordable(self.game, player, command),
            add_on_fits(self.game, player, command.row, slot),
            room(self.game),
        ):
            if answer != OK:
                return answer
        pay(self.game, player, command)
        begin_add_on(self.game, slot, command)
        return OK

    def _unload(self, slot: int) -> int:
        """Let one passenger out, and wait a moment before the next."""
        game = self.game
        if game.units["ability_cooldown_2"][slot]:
            return OK
        answer = unload_one(game, slot)
        game.units["ability_cooldown_2"][slot] = UNLOAD_LOOPS
        if answer != OK or not game.units["cargo_used"][slot]:
            finish_order(game, slot)
        return answer

    def _repair(self, slot: int, target: int) -> int:
        """Repair for one loop, at the pace at which the thing was built."""
        game = self.game
        unit, kind = game.units[target], game.kind(target)
        before, whole = int(unit["health"]), int(unit["health_max"])
        if before >= whole:
            finish_order(game, slot)
            return OK
        loops = max(int(game.tables.types["build_loops"][kind["base"]]), 16)
        after = min(before + whole // loops, whole)
        minerals, gas = (
            cost * after // whole - cost * before // whole
            for cost in (
                int(kind["total_minerals"]) // REPAIR_COST_SHARE,
                int(kind["total_gas"]) // REPAIR_COST_SHARE,
            )
        )
        player = game.world.players[unit["owner"]]
        if player["minerals"] < minerals or player["gas"] < gas:
            finish_order(game, slot)
            is_gas = player["minerals"] >= minerals
            return int(result.NotEnoughVespene if is_gas else result.NotEnoughMinerals)
        unit["health"] = after
        player["minerals"] -= minerals
        player["gas"] -= gas
        return OK


_NUM_EVENTS = int(Clock.NUM_EVENTS)
