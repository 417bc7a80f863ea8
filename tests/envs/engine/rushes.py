"""Players that stake the game on an early attack: a twelve-pool, and two Barracks on the way."""

import numpy as np

from envs.engine import rules
from envs.engine.layout import ONE, Task
from envs.engine.match import Match, MatchOptions, PlayerKind, PlayerSetup
from envs.engine.order_queue import NOWHERE, Aim, point
from envs.engine.terrain import map_bytes, read_map
from tests.envs.engine.scenes import TERRAN, ZERG

ATTACK, INJECT, BUILD_POOL, TRAIN_QUEEN = 3674, 251, 1155, 1632
TRAIN_DRONE, TRAIN_ZERGLING, TRAIN_OVERLORD = 1342, 1343, 1344
TRAIN_SCV, TRAIN_MARINE, BUILD_DEPOT, BUILD_BARRACKS = 524, 560, 319, 321
PERIOD_LOOPS, LOOPS_A_MINUTE = 8, round(22.4 * 60)


class Rush:
    """What both have in common: sites, soldiers sent off together, then each as it comes."""

    player = 2

    def __init__(self, match: Match) -> None:
        self.match = match
        self.game = match.game
        starts = match.game_map.starts
        self.home = tuple(round(side * ONE) for side in starts[1])
        self.enemy = tuple(round(side * ONE) for side in starts[0])
        self.is_under_way = False
        self.wave = 6 + match.seed % 3 * 2  # soldiers

    def all_of(self, name: str) -> list[int]:
        return self.game.slots(self.player, self.game.tables.row[name])

    def finished(self, name: str) -> list[int]:
        return [slot for slot in self.all_of(name) if not self.game.units["build_left"][slot]]

    def state(self, field: str) -> int:
        return int(self.match.world.players[field][self.player])

    def order(self, ability: int, slots: list[int], aim: Aim = NOWHERE) -> bool:
        return self.match.order(self.player, ability, slots, aim) == rules.OK

    def build(self, ability: int, name: str, workers: list[int], near: tuple[int, int]) -> bool:
        """Have a worker build at the nearest place to a position that will do, if there is one."""
        row, (x, y) = self.game.tables.row[name], near
        places = [
            rules.snapped(self.game, row, x + across * ONE, y + along * ONE)
            for across in range(-12, 13)
            for along in range(-12, 13)
        ]
        places.sort(key=lambda place: (place[0] - x) ** 2 + (place[1] - y) ** 2)
        for place in places:
            if rules.placeable(self.game, self.player, row, *place) == rules.OK:
                return self.order(ability, workers[:1], point(*place))
        return False

    def attack(self, soldiers: list[int], *, number: int) -> bool:
        """Attack with so many together; return whether this is the first attack."""
        units = self.game.units
        idle = [s for s in soldiers if not units["num_orders"][s] and not units["target"][s]]
        if len(idle) < number:
            return False
        self.order(ATTACK, idle, point(*self.goal()))
        is_first, self.is_under_way = not self.is_under_way, True
        return is_first

    def goal(self) -> tuple[int, int]:
        snapshots = self.match.world.snapshots[self.player]
        known = snapshots[(snapshots["tag"] != 0) & (snapshots["owner"] == 1)]
        return (int(known[0]["x"]), int(known[0]["y"])) if len(known) else self.enemy


class TwelvePool(Rush):
    """A Spawning Pool of the first minerals, then Zerglings of every larva."""

    race = ZERG

    def act(self) -> None:
        if not self.all_of("SpawningPool"):
            if self.state("minerals") >= 200:
                self.build(BUILD_POOL, "SpawningPool", self.all_of("Drone"), self.home)
            return
        has_pool = bool(self.finished("SpawningPool"))
        hatcheries, queens = self.all_of("Hatchery"), self.all_of("Queen")
        if has_pool and hatcheries and not queens:
            self.order(TRAIN_QUEEN, hatcheries[:1])
        for queen in queens:
            if self.game.units["energy"][queen] >= 25 * ONE and hatcheries:
                self.order(INJECT, [queen], Aim(hatcheries[0]))
        for larva in self.all_of("Larva"):
            self.hatch(larva, has_pool=has_pool)
        self.attack(self.all_of("Zergling"), number=self.wave)

    def hatch(self, larva: int, *, has_pool: bool) -> None:
        used, made = self.state("supply_used"), self.state("supply_made")
        if used + 4 > made and 16 * self.num_overlords() <= used + 16:
            self.order(TRAIN_OVERLORD, [larva])
        elif has_pool:
            self.order(TRAIN_ZERGLING, [larva])
        elif len(self.all_of("Drone")) < 14:
            self.order(TRAIN_DRONE, [larva])

    def num_overlords(self) -> int:
        eggs = self.all_of("Egg")
        whats = self.match.world.production["what"][eggs, 0].tolist()
        return len(self.all_of("Overlord")) + whats.count(self.game.tables.row["Overlord"])


class TwoBarracks(Rush):
    """Two Barracks half-way to the enemy, Marines without end, and some SCVs with the first."""

    race = TERRAN

    def __init__(self, match: Match) -> None:
        super().__init__(match)
        middle = [(mine + theirs) // 2 for mine, theirs in zip(self.home, self.enemy, strict=True)]
        self.half_way = self.game.open_place(self.game.tables.row["SCV"], *middle)

    def act(self) -> None:
        workers, barracks = self.all_of("SCV"), self.all_of("Barracks")
        depots = self.all_of("SupplyDepot")
        minerals = self.state("minerals")
        is_short = self.state("supply_used") + 8 > self.state("supply_made")
        is_coming = self.num_ordered("SupplyDepot") or len(self.finished("SupplyDepot")) < len(
            depots
        )
        if minerals >= 100 and not is_coming and (is_short or not depots):
            self.build(BUILD_DEPOT, "SupplyDepot", workers, self.home)
        num_barracks = len(barracks) + self.num_ordered("Barracks")
        if minerals >= 150 and num_barracks < 2 and self.finished("SupplyDepot"):
            workers.sort(key=lambda slot: self.game.distance(slot, *self.half_way))
            x, y = self.half_way
            self.build(
                BUILD_BARRACKS, "Barracks", self.free(workers), (x, y + num_barracks * 5 * ONE)
            )
        for hall in self.all_of("CommandCenter"):
            if len(workers) < 16 and not self.game.units["num_production"][hall]:
                self.order(TRAIN_SCV, [hall])
        for slot in self.finished("Barracks"):
            if self.game.units["num_production"][slot] < 2:
                self.order(TRAIN_MARINE, [slot])
        if self.attack(self.all_of("Marine"), number=self.wave):
            self.order(ATTACK, workers[:5], point(*self.enemy))

    def num_ordered(self, name: str) -> int:
        """How many workers are on their way to build something."""
        row = self.game.tables.row[name]
        orders = [order for order in map(self.first_order, self.all_of("SCV")) if order is not None]
        return sum(order["task"] == Task.BUILD and order["type"] == row for order in orders)

    def free(self, workers: list[int]) -> list[int]:
        """Those workers that gather or do nothing."""
        orders = {slot: self.first_order(slot) for slot in workers}
        return [
            slot
            for slot, order in orders.items()
            if order is None or order["task"] not in (Task.BUILD, Task.CONSTRUCT)
        ]

    def first_order(self, slot: int) -> np.void | None:
        return self.match.world.orders[slot, 0] if self.game.units["num_orders"][slot] else None


def play_rush(kind: type[Rush], race: int, *, seed: int, minutes: float, map_name: str) -> Match:
    """Play a rush against the strongest computer."""
    setups = [
        PlayerSetup(kind=PlayerKind.COMPUTER, race=race, difficulty=7),
        PlayerSetup(kind=PlayerKind.PARTICIPANT, race=kind.race),
    ]
    match = Match(read_map(map_bytes(map_name)), setups, seed=seed, options=MatchOptions())
    rush = kind(match)
    while match.loop < minutes * LOOPS_A_MINUTE and not match.is_over:
        rush.act()
        match.advance(PERIOD_LOOPS)
    return match
