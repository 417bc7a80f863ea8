"""Having things made: by whom, where, and what is left to spend after that."""

from collections.abc import Iterator

from envs.engine import rules
from envs.engine.bots.ground import Ground
from envs.engine.bots.levels import is_town_hall
from envs.engine.bots.sites import Sites
from envs.engine.bots.survey import Group
from envs.engine.bots.view import View, cost_of, is_building, ways_to_make
from envs.engine.commands import Command, Deed, warp_gate_morphs
from envs.engine.layout import Trait
from envs.engine.order_queue import Aim
from envs.engine.unit_tables import race_units

_MOVE, _HOLD, _STOP = 3794, 3793, 3665
_WALK_MINERALS = 150  # that come in while a worker walks to the next base
_PIONEER_LOOPS = 1500  # for which a worker waits at a base to be
_A_WORKER = 0  # in place of a slot: which one depends on the site


class Maker:
    """Gives the orders that make things, and keeps account for one decision."""

    def __init__(self, view: View, ground: Ground) -> None:
        self._view = view
        self._ground = ground
        self._sites = Sites(view, ground)
        self.minerals = self.gas = 0
        self._free: dict[int, list[int]] = {}  # by row: slots, once for each thing to make
        self._warp_gates = warp_gate_morphs()
        self._unfit: set[int] = set()  # tags of buildings that have no room for an add-on
        self._pioneer = 0  # tag of the worker that is sent ahead to the next base
        self._pioneer_site = Aim()
        self._pioneer_until = 0

    def begin(self) -> None:
        """See what there is to spend and who is free, less what walking builders will take."""
        view = self._view
        self.minerals, self.gas = view.minerals, view.gas
        for row, number in view.ordered.items():
            minerals, gas = cost_of(row)
            self.minerals -= number * minerals
            self.gas -= number * gas
        self._free.clear()
        for group in (Group.LARVAE, Group.FREE_MAKERS):
            slots = view.raw_group(group)
            rows = view.world.units["type"][slots].tolist()
            for slot, row in zip(slots.tolist(), rows, strict=True):
                self._free.setdefault(row, []).append(slot)
        for row, command in self._warp_gates:
            if view.is_allowed(command):
                self._free.pop(row, None)  # once idle, it becomes a warp gate by itself
        self._look_after_pioneer()

    def can_pay(self, row: int, upgrade: int = 0) -> bool:
        """Return whether there is enough for something, that is not set aside."""
        minerals, gas = cost_of(row, upgrade)
        return self.minerals >= minerals and (self.gas >= gas or not gas)

    def make(self, row: int, upgrade: int = 0) -> bool:
        """Have a unit, building or upgrade made; return whether that was possible."""
        for slot, command in self._makers(row, upgrade):
            if self._is_ready(slot, command) and self._begin(slot, command):
                self.set_aside(row, upgrade)
                if row:
                    made = int(self._view.game.tables.types["num_made"][row])
                    self._view.pending[row] += made
                return True
        return False

    def save_for(self, row: int, upgrade: int = 0) -> bool:
        """Set money, and who makes it, aside for something; return whether it could be made then.

        Without the money nothing is made yet, nor by a building that has to end its work first.
        """
        maker = next(self._makers(row, upgrade), None)
        if maker is None:
            return False
        self.set_aside(row, upgrade)
        self._forget(maker[0])
        return True

    def set_aside(self, row: int, upgrade: int = 0) -> None:
        """Keep the money for something."""
        minerals, gas = cost_of(row, upgrade)
        self.minerals -= minerals
        self.gas -= gas

    def send_ahead(self, row: int) -> None:
        """Have a worker walk to where the next town hall goes, when the money for it is near.

        It saves the time of the way; and what no one has ever seen cannot be built on.
        """
        view = self._view
        if self._pioneer or self.minerals + _WALK_MINERALS < cost_of(row)[0]:
            return
        site = self._sites.site_for(row)
        worker = view.nearest(Group.MINERS, site.x, site.y) if site else 0
        if not site or not worker:
            return
        view.match.order(view.player, _MOVE, [worker], site)
        view.match.order(view.player, _HOLD, [worker], Aim(), is_queued=True)
        view.take(Group.MINERS, worker)
        self._pioneer = int(view.world.units["tag"][worker])
        self._pioneer_site = site
        self._pioneer_until = view.game.loop + _PIONEER_LOOPS

    def _look_after_pioneer(self) -> None:
        """Keep away from where a pioneer was lost; let one go that has waited in vain."""
        if not self._pioneer:
            return
        view = self._view
        slot = view.game.slot(self._pioneer)
        if slot and view.game.loop < self._pioneer_until:
            return
        if slot:
            view.match.order(view.player, _STOP, [slot], Aim())
        else:
            self._sites.give_up(race_units()[view.race].town_hall, self._pioneer_site)
        self._pioneer = 0

    def _makers(self, row: int, upgrade: int) -> Iterator[tuple[int, Command]]:
        """Yield who could make something, now or in a moment, and by which command."""
        view = self._view
        for maker_row, command in ways_to_make(row, upgrade):
            if view.done[maker_row] and view.is_allowed(command):
                for slot in self._candidates(maker_row, command):
                    yield slot, command

    def _candidates(self, maker_row: int, command: Command) -> list[int]:
        view = self._view
        if command.deed is Deed.BUILD:
            has_worker = view.size(Group.MINERS) + view.size(Group.IDLE_WORKERS) > 0
            return [_A_WORKER] if has_worker and self._sites.may_be_found(command.row) else []
        if command.deed is Deed.MORPH and not is_building(maker_row):
            slots = view.game.slots(view.player, maker_row)
            return [slot for slot in slots if not view.world.units["morph_left"][slot]][:1]
        free = self._free.get(maker_row, [])
        if command.deed is Deed.ADD_ON:
            return [slot for slot in free if self._may_add_on(slot)]
        if command.needs_tech_lab:
            return [slot for slot in free if rules.has_add_on(view.game, slot, Trait.TECH_LAB)]
        return free.copy()

    def _may_add_on(self, slot: int) -> bool:
        units = self._view.world.units
        has_one = self._view.game.slot(int(units["add_on"][slot]))
        return not has_one and int(units["tag"][slot]) not in self._unfit

    def _is_ready(self, slot: int, command: Command) -> bool:
        """Return whether a building need not end its work first."""
        if command.deed not in (Deed.ADD_ON, Deed.MORPH):
            return True
        return not self._view.world.units["num_production"][slot]

    def _begin(self, slot: int, command: Command) -> bool:
        if command.deed is Deed.BUILD:
            return self._construct(command)
        aim = self._sites.place_to_warp() if command.deed is Deed.WARP_IN else Aim()
        is_nowhere = command.deed is Deed.WARP_IN and aim.is_nothing()
        is_begun = not is_nowhere and self._give(slot, command, aim)
        if not is_begun and command.deed is Deed.ADD_ON:
            self._unfit.add(int(self._view.world.units["tag"][slot]))
        self._forget(slot)
        return is_begun

    def _construct(self, command: Command) -> bool:
        view = self._view
        site = self._sites.site_for(command.row)
        if site is None:
            return False
        is_hall = is_town_hall(command.row)
        if is_hall and not self._ground.was_seen(site.x, site.y):
            return False  # until the pioneer gets there
        pioneer = view.game.slot(self._pioneer) if is_hall else 0
        worker = pioneer or self._builder_for(site)
        if not worker:
            return False
        if not self._give(worker, command, site):
            self._sites.give_up(command.row, site)
            return False
        if is_hall:
            self._pioneer = 0
        self._sites.claim(command.row, site)
        view.ordered[command.row] = view.ordered.get(command.row, 0) + 1
        view.take(Group.MINERS, worker)
        view.take(Group.IDLE_WORKERS, worker)
        return True

    def _builder_for(self, site: Aim) -> int:
        view = self._view
        x, y = view.position(site.slot) if site.slot else (site.x, site.y)
        return view.nearest(Group.MINERS, x, y) or view.nearest(Group.IDLE_WORKERS, x, y)

    def _give(self, slot: int, command: Command, aim: Aim) -> bool:
        view = self._view
        return view.match.order(view.player, command.ability, [slot], aim) == rules.OK

    def _forget(self, slot: int) -> None:
        """Ask a maker for one thing less in this decision."""
        for slots in self._free.values():
            if slot in slots:
                slots.remove(slot)
                return
