"""What a computer does with energy and modes: injects, MULEs, chrono, creep, stim, sieges."""

from collections.abc import Callable

import numpy as np

from envs.engine import rules
from envs.engine.bots.ground import Ground
from envs.engine.bots.survey import Group, nearest
from envs.engine.bots.view import View
from envs.engine.bots.workers import Workers
from envs.engine.ground import Ground as KnownGround
from envs.engine.ground import known_ground
from envs.engine.layout import CELL_BITS, ONE
from envs.engine.order_queue import Aim, point

_SMART, _MULE, _CHRONO, _INJECT = 1, 171, 3755, 251
_TUMOUR_QUEEN, _TUMOUR = 1694, 1733
_SIEGE, _UNSIEGE, _STIM, _SHIELD = 388, 390, 3675, 76
_SIEGE_RADIUS, _UNSIEGE_RADIUS = 13 * ONE, 15 * ONE
_BUNKER_RADIUS, _BUNKER_REACH = 12 * ONE, 8 * ONE
_UNLOAD = 3664
_QUEEN_RADIUS = 40 * ONE
_STIM_UPGRADE = 15
_STIM_HEALTH = 30 * ONE
_FEW = 3
_ENERGY = {"mule": 50 * ONE, "chrono": 50 * ONE, "inject": 25 * ONE, "shield": 75 * ONE}
_INJECT_PAUSE_LOOPS = 200  # for a queen to walk to a hatchery
_MAX_TUMOURS = 12
_TUMOUR_STEPS = (7, 5, 4)  # cells; seven diagonal ones are as far as tumours spread
_TUMOUR_PAUSE_LOOPS = 224


class Abilities:
    """Casts what is worth casting."""

    def __init__(self, view: View, ground: Ground, workers: Workers) -> None:
        self._view = view
        self._ground = ground
        self._workers = workers
        row = view.game.tables.row
        self._by_type: dict[int, Callable[[int], None]] = {
            row["OrbitalCommand"]: self._call_mule,
            row["Nexus"]: self._chrono,
            row["Queen"]: self._queen,
            row["Sentry"]: self._guardian_shield,
        }
        self._row = row
        self._not_before: dict[int, int] = {}  # by tag of hatchery or tumour: loop
        self._boosted: set[int] = set()  # slots, in this decision
        self._known: KnownGround | None = None  # in this decision, once it was asked for

    def act(self) -> None:
        """Use every unit's abilities that are due."""
        view = self._view
        self._boosted.clear()
        self._known = None
        slots = view.raw_group(Group.CASTERS)
        rows = view.world.units["type"][slots].tolist()
        for slot, row in zip(slots.tolist(), rows, strict=True):
            if row in self._by_type:
                self._by_type[row](slot)
        for tumour in view.group(Group.TUMOURS):
            self._spread_creep(tumour)
        if view.done[self._row["SiegeTank"]]:
            self._siege("SiegeTank", _SIEGE, _SIEGE_RADIUS, wants_enemy=True)
        if view.done[self._row["SiegeTankSieged"]]:
            self._siege("SiegeTankSieged", _UNSIEGE, _UNSIEGE_RADIUS, wants_enemy=False)
        if view.done[self._row["Bunker"]]:
            self._man_bunkers()
        if view.size(Group.ENEMIES) > _FEW and view.has_upgrade(_STIM_UPGRADE):
            self._stim()

    def _call_mule(self, slot: int) -> None:
        view = self._view
        if view.world.units["energy"][slot] < _ENERGY["mule"]:
            return
        for hall in (slot, *view.group(Group.HALLS)):
            patches = self._workers.patches(hall)
            if patches and not view.world.units["build_left"][hall]:
                richest = max(patches, key=lambda patch: int(view.world.units["minerals"][patch]))
                view.match.order(view.player, _MULE, [slot], Aim(richest))
                return

    def _chrono(self, slot: int) -> None:
        """Hurry the building that will be at work for longest."""
        view = self._view
        units = view.world.units
        if units["energy"][slot] < _ENERGY["chrono"]:
            return
        makers = view.raw_group(Group.BUILDINGS)
        makers = makers[(units["num_production"][makers] > 0) & (units["chrono_left"][makers] == 0)]
        left = view.world.production["left"][makers, 0]
        for maker in makers[np.argsort(-left, kind="stable")].tolist():
            if maker not in self._boosted:
                self._boosted.add(maker)
                view.match.order(view.player, _CHRONO, [slot], Aim(maker))
                return

    def _queen(self, slot: int) -> None:
        view = self._view
        units = view.world.units
        if units["energy"][slot] < _ENERGY["inject"] or units["num_orders"][slot]:
            return
        halls = view.raw_group(Group.HALLS)
        halls = halls[(units["build_left"][halls] == 0) & (units["inject_left"][halls] == 0)]
        x, y = view.position(slot)
        near = view.within(halls, (x, y), _QUEEN_RADIUS)
        for hall in view.nearest_first(near, x, y).tolist():
            if self._is_due(hall, _INJECT_PAUSE_LOOPS):
                view.match.order(view.player, _INJECT, [slot], Aim(hall))
                return
        has_enough = units["energy"][slot] >= 2 * _ENERGY["inject"]
        if has_enough and view.done[self._row["CreepTumorBurrowed"]] < _MAX_TUMOURS:
            self._plant(slot, _TUMOUR_QUEEN, "CreepTumorQueen", 4)

    def _is_due(self, slot: int, pause_loops: int) -> bool:
        """Return whether a unit was not dealt with lately; it is from now on."""
        tag, loop = int(self._view.world.units["tag"][slot]), self._view.game.loop
        if loop < self._not_before.get(tag, 0):
            return False
        self._not_before[tag] = loop + pause_loops
        return True

    def _spread_creep(self, tumour: int) -> None:
        if not self._is_due(tumour, _TUMOUR_PAUSE_LOOPS):
            return
        for cells in _TUMOUR_STEPS:
            if self._plant(tumour, _TUMOUR, "CreepTumor", cells):
                return

    def _plant(self, slot: int, ability: int, name: str, cells: int) -> bool:
        """Put a creep tumour some cells nearer to the enemy, if it can be there."""
        view, row = self._view, self._row[name]
        x, y = place = self._ground.towards_enemy(*view.position(slot), cells)
        is_needed = self._ground.keep_clear[y >> CELL_BITS, x >> CELL_BITS]
        if is_needed:
            return False
        self._known = self._known or known_ground(view.game, view.player)
        if rules.seems_placeable(view.game, view.player, row, x, y, self._known) != rules.OK:
            return False
        return view.match.order(view.player, ability, [slot], point(*place)) == rules.OK

    def _guardian_shield(self, slot: int) -> None:
        view = self._view
        unit = view.world.units[slot]
        if unit["energy"] >= _ENERGY["shield"] and unit["target"] and not unit["shield_up_left"]:
            view.match.order(view.player, _SHIELD, [slot], Aim())

    def _siege(self, name: str, ability: int, radius: int, *, wants_enemy: bool) -> None:
        """Siege tanks where enemies on the ground are in reach; go on when they are gone."""
        view = self._view
        units = view.world.units
        groups = view.raw_group(Group.ENEMIES), view.raw_group(Group.ENEMY_BUILDINGS)
        for slot in view.game.slots(view.player, self._row[name]):
            if units["morph_left"][slot] or units["build_left"][slot]:
                continue
            x, y = view.position(slot)
            is_near = False
            for group in groups:
                place = nearest(view.world.record, group, len(group), x, y)
                if place >= 0:
                    is_near |= view.game.distance(int(group[place]), x, y) < radius
            if is_near is wants_enemy:
                view.match.order(view.player, ability, [slot], Aim())

    def _man_bunkers(self) -> None:
        """Have Marines near a bunker go in, and come out when the enemy is elsewhere."""
        view = self._view
        units = view.world.units
        for bunker in view.game.slots(view.player, self._row["Bunker"]):
            place = view.position(bunker)
            is_quiet = not view.power(Group.ENEMIES, place, _BUNKER_REACH)
            is_elsewhere = view.size(Group.ENEMIES) > 0 and is_quiet
            room = int(view.game.kind(bunker)["cargo_space"]) - int(units["cargo_used"][bunker])
            if is_elsewhere and units["cargo_used"][bunker]:
                view.match.order(view.player, _UNLOAD, [bunker], Aim())
            if is_elsewhere or units["build_left"][bunker] or room <= 0:
                continue
            soldiers = view.raw_group(Group.FIGHTERS)
            marines = soldiers[units["type"][soldiers] == self._row["Marine"]]
            near = view.within(marines, place, _BUNKER_RADIUS)[:room]
            if len(near):
                view.match.order(view.player, _SMART, near.tolist(), Aim(bunker))

    def _stim(self) -> None:
        view = self._view
        units = view.world.units
        soldiers = view.raw_group(Group.FIGHTERS)
        rows = units["type"][soldiers]
        fighting = soldiers[
            ((rows == self._row["Marine"]) | (rows == self._row["Marauder"]))
            & (units["target"][soldiers] != 0)
            & (units["stim_left"][soldiers] == 0)
            & (units["health"][soldiers] > _STIM_HEALTH)
        ]
        if len(fighting) > _FEW:
            view.match.order(view.player, _STIM, fighting.tolist(), Aim())
