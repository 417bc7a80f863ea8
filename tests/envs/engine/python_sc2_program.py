"""Plays or watches a game with python-sc2, in a process of its own, and writes down how it went.

Usage: python_sc2_program.py WHAT RESULT.json [ARGUMENT ...]
"""

import asyncio
import json
import random
import sys
from pathlib import Path
from typing import Any

from sc2 import maps
from sc2.bot_ai import BotAI
from sc2.data import Difficulty, Race, Result
from sc2.ids.unit_typeid import UnitTypeId
from sc2.main import run_game, run_replay
from sc2.observer_ai import ObserverAI
from sc2.player import Bot, Computer
from sc2.position import Point2

ARMY, FEW = 30, 10
WORKERS_A_BASE = 20


class MarineBot(BotAI):
    """Two bases, barracks, and marines that go where enemies are or may be."""

    def __init__(self) -> None:
        super().__init__()
        self.most_bases = self.most_marines = 0
        self.places: list[Point2] = []

    async def on_start(self) -> None:
        self.client.game_step = 8

    async def on_step(self, iteration: int) -> None:
        marines = self.units(UnitTypeId.MARINE)
        self.most_bases = max(self.most_bases, self.townhalls.ready.amount)
        self.most_marines = max(self.most_marines, marines.amount)
        if self.townhalls:
            if iteration % 8 == 0:
                await self.distribute_workers()
            await self.build_up()
        intruders = self.enemy_units.closer_than(25, self.start_location)
        if intruders:
            for marine in marines:
                marine.attack(intruders.closest_to(marine).position)
        elif marines.amount >= ARMY or (self.places and marines.amount >= FEW):
            self.attack(marines)

    async def build_up(self) -> None:
        self.train_units()
        hall = self.townhalls.first
        near = hall.position.towards(self.game_info.map_center, 7)
        barracks = self.structures(UnitTypeId.BARRACKS)
        is_short = self.supply_left < 3 + 2 * barracks.amount and self.supply_cap < 200
        if is_short and not self.already_pending(UnitTypeId.SUPPLYDEPOT):
            await self.build(UnitTypeId.SUPPLYDEPOT, near=near)
        elif not self.structures(UnitTypeId.SUPPLYDEPOT).ready:
            return
        elif self.townhalls.amount < 2 and barracks:
            if self.can_afford(UnitTypeId.COMMANDCENTER):
                await self.expand_now()
        elif barracks.amount < 5 and self.already_pending(UnitTypeId.BARRACKS) < 2:
            await self.build(UnitTypeId.BARRACKS, near=near)

    def train_units(self) -> None:
        wanted = WORKERS_A_BASE * self.townhalls.amount
        for base in self.townhalls.ready.idle:
            if self.can_afford(UnitTypeId.SCV) and self.workers.amount < wanted:
                base.train(UnitTypeId.SCV)
        for building in self.structures(UnitTypeId.BARRACKS).ready.idle:
            if self.can_afford(UnitTypeId.MARINE):
                building.train(UnitTypeId.MARINE)

    def attack(self, marines: Any) -> None:
        if not self.places:
            start = self.enemy_start_locations[0]
            self.places = sorted(
                self.expansion_locations_list, key=lambda place: place.distance_to(start)
            )
        enemies = self.enemy_structures or self.enemy_units
        target = enemies.closest_to(marines.center).position if enemies else self.places[0]
        if not enemies and marines.closest_distance_to(target) < 5:
            self.places = self.places[1:] + self.places[:1]
        for marine in marines.idle:
            marine.attack(target)
        if enemies:
            for marine in marines.further_than(12, target):
                marine.attack(target)


class ResigningBot(BotAI):
    """Trains workers for a while and gives up."""

    async def on_step(self, iteration: int) -> None:
        for base in self.townhalls.idle:
            if self.can_afford(UnitTypeId.SCV):
                base.train(UnitTypeId.SCV)
        if iteration >= 200:
            await self.client.leave()


class QuittingBot(BotAI):
    """Ends the game in the middle of a turn: it leaves, or kills all that it has."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way = way

    async def on_step(self, iteration: int) -> None:
        if iteration == 20 and self.way == "leave":
            await self.client.leave()
        elif iteration == 20:
            await self.client.debug_kill_unit(self.all_own_units)


class AskingBot(BotAI):
    """Asks so much in its turns that the game ends within one, and gives commands after that."""

    async def on_step(self, iteration: int) -> None:
        for worker in self.workers:
            await self.client.query_pathing(worker.position, self.enemy_start_locations[0])
        for worker in self.workers:
            worker.move(self.game_info.map_center)


class IdleBot(BotAI):
    """Looks on."""

    async def on_step(self, iteration: int) -> None:
        pass


class LookingBot(BotAI):
    """Looks at the map and gives up."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[str, object] = {}

    async def on_step(self, iteration: int) -> None:
        self.seen = {
            "expansions": [[place.x, place.y] for place in self.expansion_locations_list],
            "ramp_upper_points": len(self.main_base_ramp.upper),
        }
        await self.client.leave()


class Watcher(ObserverAI):
    """Counts what it sees of a replay."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = 0
        self.owners: set[int] = set()

    async def on_step(self, iteration: int) -> None:
        self.steps += 1
        self.owners |= {unit.owner_id for unit in self.all_units}


def won_game(replay: str) -> dict[str, object]:
    random.seed(5)  # of python-sc2's choice of places to build
    bot = MarineBot()
    result = run_game(
        maps.get("Simple64"),
        [Bot(Race.Terran, bot), Computer(Race.Zerg, Difficulty.VeryEasy)],
        realtime=False,
        save_replay_as=replay,
        random_seed=5,
    )
    return {
        "result": name_of(result),
        "most_bases": bot.most_bases,
        "most_marines": bot.most_marines,
    }


def resigned_game(replay: str) -> dict[str, object]:
    players = [Bot(Race.Terran, ResigningBot()), Computer(Race.Zerg, Difficulty.VeryEasy)]
    result = run_game(maps.get("Simple64"), players, realtime=False, save_replay_as=replay)
    return {"result": name_of(result)}


def duel() -> dict[str, object]:
    players = [Bot(Race.Zerg, IdleBot(), name="one"), Bot(Race.Terran, ResigningBot(), name="two")]
    results = run_game(maps.get("Simple64"), players, realtime=False)
    return {"results": [name_of(result) for result in results]}


def game_ended_within_a_turn(way: str, who: str, replay: str = "") -> dict[str, object]:
    quitting = Bot(Race.Terran, QuittingBot(way), name="quits")
    asking = Bot(Race.Protoss, AskingBot(), name="asks")
    players = [quitting, asking] if who == "host" else [asking, quitting]
    results = run_game(maps.get("Simple64"), players, realtime=False, save_replay_as=replay or None)
    return {"results": [name_of(result) for result in results]}


def idle_game() -> dict[str, object]:
    players = [Bot(Race.Protoss, IdleBot()), Computer(Race.Zerg, Difficulty.VeryEasy)]
    result = run_game(maps.get("Flat64"), players, realtime=False, game_time_limit=20)
    return {"result": name_of(result)}


def looked_at_map() -> dict[str, object]:
    bot = LookingBot()
    run_game(
        maps.get("AcropolisLE"),
        [Bot(Race.Terran, bot), Computer(Race.Zerg, Difficulty.VeryEasy)],
        realtime=False,
    )
    return bot.seen


def watched(replay: str) -> dict[str, object]:
    asyncio.set_event_loop(asyncio.new_event_loop())  # python-sc2 expects one
    watcher = Watcher()
    run_replay(watcher, replay)
    return {"steps": watcher.steps, "owners": sorted(watcher.owners & {1, 2})}


def name_of(result: Result) -> str:
    name: str = result.name
    return name


def main() -> None:
    what, result, *arguments = sys.argv[1:]
    programs = {
        "win": won_game,
        "resign": resigned_game,
        "duel": duel,
        "quit": game_ended_within_a_turn,
        "idle": idle_game,
        "look": looked_at_map,
        "watch": watched,
    }
    Path(result).write_text(json.dumps(programs[what](*arguments)))


if __name__ == "__main__":
    main()
