"""A computer's workers: none idle, gas where it is wanted, bases evenly manned, fires put out."""

from envs.engine.bots.survey import Group
from envs.engine.bots.view import View
from envs.engine.layout import ONE, Trait
from envs.engine.order_queue import Aim

_GATHER, _REPAIR = 3666, 3685
_GAS_WORKERS = 3
_BASE_RADIUS = 11 * ONE
_DANGER_RADIUS = 12 * ONE
_REPAIRERS_EACH, _MAX_REPAIRERS = 2, 6


class Workers:
    """Sends workers to minerals and gas, and to buildings that need them."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._patches: dict[int, list[int]] = {}  # by hall's tag: tags of patches
        self._builders: dict[int, int] = {}  # by tag of a building that was left: a worker's tag

    def act(self, *, wants_gas: bool, max_transfers: int) -> None:
        """Give every idle worker something to do, and move some where they are needed."""
        view = self._view
        for building in view.group(Group.ABANDONED):
            self._go_on_with(building)
        self._put_out_fires()
        lacks = {hall: self._lack(hall) for hall in self._working_halls()}
        if lacks:
            for slot in view.group(Group.IDLE_WORKERS):
                self._send_to_minerals(slot, lacks)
            self._even_out(lacks, max_transfers)
        if wants_gas:
            self._man_gas()

    def need(self) -> int:
        """Return how many workers all bases could use, those to be finished too."""
        view = self._view
        minerals = sum(2 * len(self.patches(hall)) for hall in view.group(Group.HALLS))
        return minerals + _GAS_WORKERS * view.size(Group.GAS_BUILDINGS)

    def patches(self, hall: int) -> list[int]:
        """Return the slots of the mineral fields at a town hall."""
        view = self._view
        tag = int(view.world.units["tag"][hall])
        if tag not in self._patches:
            x, y = view.position(hall)
            near = [
                slot
                for slot in view.game.resources()
                if view.game.has_trait(slot, Trait.MINERALS)
                and view.game.distance(slot, x, y) < _BASE_RADIUS
            ]
            near.sort(key=lambda slot: (view.game.distance(slot, x, y), slot))
            self._patches[tag] = [int(view.world.units["tag"][slot]) for slot in near]
        slots = [view.game.slot(patch) for patch in self._patches[tag]]
        return [slot for slot in slots if slot]

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
