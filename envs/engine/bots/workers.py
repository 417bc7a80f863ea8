"""A computer's workers: none idle, gas where it is wanted, bases evenly manned, fires put out."""

import numpy as np

from envs.engine.bots.survey import Group
from envs.engine.bots.view import View
from envs.engine.layout import ONE, Task, Trait
from envs.engine.order_queue import Aim
from envs.engine.unit_tables import race_units

_GATHER, _REPAIR = 3666, 3685
_GAS_WORKERS = 3
_LITTLE_GAS, _MUCH_GAS = 100, 150
_FRIGHTENING = 400  # power of enemies
_BASE_RADIUS = 11 * ONE
_DANGER_RADIUS = 12 * ONE
_REPAIRERS_EACH, _MAX_REPAIRERS = 2, 6


class Workers:
    """Sends workers to minerals and gas, and to buildings that need them."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._row = race_units()[view.race].worker
        self._fields: dict[tuple[int, int], list[int]] = {}  # tags of patches around a position
        self._patches: dict[int, list[int]] = {}  # by hall: slots of patches, for one decision
        self._builders: dict[int, int] = {}  # by tag of a building that was left: a worker's tag

    def act(self, *, max_transfers: int) -> None:
        """Give every idle worker something to do, and move some where they are needed."""
        view = self._view
        self._patches.clear()
        for building in view.group(Group.ABANDONED):
            self._go_on_with(building)
        self._put_out_fires()
        lacks = {hall: self._lack(hall) for hall in self._working_halls()}
        unsafe = [hall for hall in lacks if view.size(Group.ENEMIES) and self._is_overrun(hall)]
        if len(unsafe) < len(lacks):
            for hall in unsafe:
                del lacks[hall]
                self._flee(hall, lacks)
        if lacks:
            for slot in view.group(Group.IDLE_WORKERS):
                self._send_to_minerals(slot, lacks)
            self._even_out(lacks, max_transfers)
        if view.gas < _LITTLE_GAS or view.gas < 2 * view.minerals:
            self._man_gas()
        elif lacks and view.gas > _MUCH_GAS + 2 * view.minerals:
            self._leave_gas(lacks)

    def need(self) -> int:
        """Return how many workers all bases could use, those to be finished too."""
        view = self._view
        minerals = sum(2 * len(self.patches(hall)) for hall in view.group(Group.HALLS))
        return minerals + _GAS_WORKERS * view.size(Group.GAS_BUILDINGS)

    def patches(self, hall: int) -> list[int]:
        """Return the slots of the mineral fields at a town hall, as of the last decision."""
        if hall not in self._patches:
            tags = self._patches_at(*self._view.position(hall))
            slots = [self._view.game.slot(tag) for tag in tags]
            self._patches[hall] = [slot for slot in slots if slot]
        return self._patches[hall]

    def _patches_at(self, x: int, y: int) -> list[int]:
        """Return the tags of the mineral fields that were once around a position."""
        game = self._view.game
        if (x, y) not in self._fields:
            near = [
                slot
                for slot in game.resources()
                if game.has_trait(slot, Trait.MINERALS) and game.distance(slot, x, y) < _BASE_RADIUS
            ]
            near.sort(key=lambda slot: (game.distance(slot, x, y), slot))
            self._fields[x, y] = game.units["tag"][near].tolist()
        return self._fields[x, y]

    def _working_halls(self) -> list[int]:
        """Return the finished town halls that have minerals left."""
        units = self._view.world.units
        return [
            hall
            for hall in self._view.group(Group.HALLS)
            if not units["build_left"][hall] and self.patches(hall)
        ]

    def _lack(self, hall: int) -> int:
        """Return how many more workers a base could use."""
        harvesters = int(self._view.world.units["harvesters"][hall])
        return 2 * len(self.patches(hall)) - harvesters

    def _send_to_minerals(self, slot: int, lacks: dict[int, int]) -> None:
        view = self._view
        x, y = view.position(slot)
        best = max(lacks, key=lambda hall: (lacks[hall] > 0, -view.game.distance(hall, x, y)))
        patches = self.patches(best)
        view.match.order(view.player, _GATHER, [slot], Aim(patches[slot % len(patches)]))
        lacks[best] -= 1

    def _man_gas(self) -> None:
        view = self._view
        for building in view.group(Group.GAS_BUILDINGS):
            if view.world.units["harvesters"][building] < _GAS_WORKERS:
                worker = view.nearest(Group.MINERS, *view.position(building))
                if worker:
                    view.match.order(view.player, _GATHER, [worker], Aim(building))
                    view.take(Group.MINERS, worker)

    def _leave_gas(self, lacks: dict[int, int]) -> None:
        """Have all but one worker of each gas building mine minerals instead."""
        view = self._view
        units, orders = view.world.units, view.world.orders
        workers = np.array(view.game.slots(view.player, self._row), np.int32)
        gathering = workers[orders["task"][workers, 0] == Task.GATHER]
        for building in view.group(Group.GAS_BUILDINGS):
            at_work = gathering[orders["target"][gathering, 0] == units["tag"][building]]
            for slot in at_work[1:].tolist():
                self._send_to_minerals(slot, lacks)

    def _is_overrun(self, hall: int) -> bool:
        """Return whether enemies are at a base that soldiers there cannot hold off."""
        place = self._view.position(hall)
        theirs = self._view.power(Group.ENEMIES, place, _DANGER_RADIUS)
        ours = self._view.power(Group.ARMY, place, _DANGER_RADIUS)
        return theirs > max(ours, _FRIGHTENING)

    def _flee(self, hall: int, lacks: dict[int, int]) -> None:
        """Send the miners of a base to others."""
        view = self._view
        miners = view.raw_group(Group.MINERS)
        for slot in view.within(miners, view.position(hall), _DANGER_RADIUS).tolist():
            self._send_to_minerals(slot, lacks)

    def _even_out(self, lacks: dict[int, int], max_transfers: int) -> None:
        view = self._view
        poorest = max(lacks, key=lambda hall: lacks[hall])
        richest = min(lacks, key=lambda hall: lacks[hall])
        if lacks[poorest] <= 0 or lacks[richest] >= 0:
            return
        patches = self.patches(poorest)
        miners = view.nearest_first(view.raw_group(Group.MINERS), *view.position(richest))
        number = min(max_transfers, lacks[poorest], -lacks[richest])
        for i, slot in enumerate(miners[:number].tolist()):
            view.match.order(view.player, _GATHER, [slot], Aim(patches[i % len(patches)]))

    def _go_on_with(self, building: int) -> None:
        """Send somebody to an unfinished building that was left, unless somebody is on his way."""
        view = self._view
        tag = int(view.world.units["tag"][building])
        builder = view.game.slot(self._builders.get(tag, 0))
        is_going = builder and view.world.orders["target"][builder, 0] == tag
        if is_going and view.world.units["num_orders"][builder]:
            return
        if not view.power(Group.ENEMIES, view.position(building), _DANGER_RADIUS):
            self._builders[tag] = self._send_to_repair(building)

    def _put_out_fires(self) -> None:
        view = self._view
        burning = view.group(Group.HURT)
        wanted = min(_REPAIRERS_EACH * len(burning), _MAX_REPAIRERS)
        working = view.size(Group.REPAIRERS)
        if working < wanted:
            self._send_to_repair(burning[working // _REPAIRERS_EACH])

    def _send_to_repair(self, building: int) -> int:
        """Send the nearest worker to a building; return the worker's tag, 0 if there is none."""
        view = self._view
        worker = view.nearest(Group.MINERS, *view.position(building))
        if not worker:
            return 0
        view.match.order(view.player, _REPAIR, [worker], Aim(building))
        view.take(Group.MINERS, worker)
        return int(view.world.units["tag"][worker])
