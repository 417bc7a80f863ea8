"""Where a computer builds: near its halls, on free geysers, in its power, on its creep."""

from envs.engine.bots.ground import Ground
from envs.engine.bots.levels import Where, is_town_hall, site_of
from envs.engine.bots.placing import find_place, find_warp_place
from envs.engine.bots.survey import Group
from envs.engine.bots.view import View
from envs.engine.layout import ONE, Task, Trait
from envs.engine.order_queue import Aim, point
from envs.engine.unit_tables import race_units

_SEARCH_CELLS, _POWER_CELLS = 22, 4
_GEYSER_RADIUS = 11 * ONE
_NUM_WARP_PYLONS = 4
_PAUSE_LOOPS = 336  # without another search, where one was in vain
_SHUNNED_LOOPS = 1344
_CLAIM_LOOPS = 448


class Sites:
    """Finds places for buildings and for units that are warped in."""

    def __init__(self, view: View, ground: Ground) -> None:
        self._view = view
        self._ground = ground
        self._tables = view.game.tables
        self._pylon = race_units()[view.race].supplier
        self._not_before: dict[int, int] = {}  # by row: loop of the next search
        self._claims: list[tuple[int, tuple[slice, slice]]] = []  # until which loop, what cells
        self._geysers: dict[int, list[int]] = {}  # by hall's tag: tags

    def may_be_found(self, row: int) -> bool:
        """Return whether it is worth looking for a site."""
        return self._view.game.loop >= self._not_before.get(row, 0)

    def site_for(self, row: int) -> Aim | None:
        """Return where to build something; after a search in vain, none for a while."""
        if not self.may_be_found(row):
            return None
        self._drop_claims()
        site = self._find(row)
        if site is None:
            self._not_before[row] = self._view.game.loop + _PAUSE_LOOPS
        return site

    def give_up(self, row: int, site: Aim) -> None:
        """Look elsewhere, later: a building was refused, or its builder was lost."""
        self._not_before[row] = self._view.game.loop + _PAUSE_LOOPS
        if is_town_hall(row):
            self._ground.shun((site.x, site.y), _SHUNNED_LOOPS)
        elif not site.slot:
            self._keep_clear(row, site)

    def claim(self, row: int, site: Aim) -> None:
        """Keep a site free until its builder is there, and for good where its add-on goes."""
        if site.slot or is_town_hall(row):
            return  # a geyser, or a place that nothing else is built on
        rows, columns = self._keep_clear(row, site)
        if self._tables.types["add_on_x"][row]:
            keep_clear = self._ground.keep_clear
            keep_clear[rows.start : rows.start + 2, columns.stop : columns.stop + 2] = 1

    def _keep_clear(self, row: int, site: Aim) -> tuple[slice, slice]:
        """Build nothing on a site's cells for a while; return them."""
        cells = self._view.game.footprint(row, site.x, site.y)
        self._ground.keep_clear[cells] = 1
        self._claims.append((self._view.game.loop + _CLAIM_LOOPS, cells))
        return cells

    def place_to_warp(self) -> Aim:
        """Return where to warp a unit in: by the pylons that are nearest to the enemy."""
        view = self._view
        pylons = [
            view.position(slot)
            for slot in view.game.slots(view.player, self._pylon)
            if not view.world.units["build_left"][slot]
        ]
        pylons.sort(key=lambda place: self._ground.way_to_enemy(*place))
        for pylon in pylons[:_NUM_WARP_PYLONS]:
            x, y = find_warp_place(view.world.record, *pylon)
            if x >= 0:
                return point(int(x), int(y))
        return Aim()

    def _drop_claims(self) -> None:
        while self._claims and self._claims[0][0] <= self._view.game.loop:
            _, cells = self._claims.pop(0)
            self._ground.keep_clear[cells] = 0

    def _find(self, row: int) -> Aim | None:
        view = self._view
        traits = int(self._tables.types["traits"][row])
        if traits & Trait.GAS_BUILDING:
            geyser = self._free_geyser()
            return Aim(geyser) if geyser else None
        if traits & Trait.TOWN_HALL:
            place = self._ground.next_base(row)
            return point(*place) if place else None
        if traits & Trait.POWER_SOURCE:
            for slot in view.group(Group.UNPOWERED):
                site = self._site_near(row, view.position(slot), _POWER_CELLS)
                if site:
                    return site
        sites = (self._site_near(row, place, _SEARCH_CELLS) for place in self._anchors(row))
        return next((site for site in sites if site), None)

    def _site_near(self, row: int, place: tuple[int, int], reach_cells: int) -> Aim | None:
        kind = self._tables.types[row]
        x, y = find_place(
            self._view.world.record,
            self._ground.keep_clear,
            int(kind["footprint"]),
            1 if kind["add_on_x"] else 0,
            *place,
            1 if kind["traits"] & Trait.NEEDS_CREEP else 0,
            self._view.player if kind["traits"] & Trait.NEEDS_POWER else 0,
            reach_cells,
        )
        return point(int(x), int(y)) if x >= 0 else None

    def _anchors(self, row: int) -> list[tuple[int, int]]:
        """Return the positions near which to build something, the best first."""
        view = self._view
        where = site_of(row)
        halls = [
            view.position(hall)
            for hall in view.group(Group.HALLS)
            if not view.world.units["build_left"][hall]
        ]
        if where is Where.FRONT:
            halls.sort(key=lambda place: self._ground.way_to_enemy(*place))
            return [self._ground.towards_enemy(*place, 6) for place in halls]
        if where is Where.EACH_HALL and halls:
            turn = view.count(row) % len(halls)
            return halls[turn:] + halls[:turn]
        return [self._ground.towards_enemy(*place, 5) for place in halls]

    def _free_geyser(self) -> int:
        """Return the slot of a geyser by one of our halls that nobody builds on, 0 for none."""
        view = self._view
        units, orders = view.world.units, view.world.orders
        alive = view.game.alive()
        own = alive[units["owner"][alive] == view.player]
        built_on = set(units["home"][own].tolist())
        first = orders[own[units["num_orders"][own] > 0], 0]
        building = first[first["task"] == Task.BUILD]
        aimed_at = set(zip(building["x"].tolist(), building["y"].tolist(), strict=True))
        for hall in view.group(Group.HALLS):
            if units["build_left"][hall]:
                continue
            for tag in self._geysers_at(hall):
                geyser = view.game.slot(tag)
                is_taken = tag in built_on or view.position(geyser) in aimed_at
                if units["gas"][geyser] and not is_taken:
                    return geyser
        return 0

    def _geysers_at(self, hall: int) -> list[int]:
        view = self._view
        tag = int(view.world.units["tag"][hall])
        if tag not in self._geysers:
            x, y = view.position(hall)
            near = [
                slot
                for slot in view.game.resources()
                if view.game.has_trait(slot, Trait.GEYSER)
                and view.game.distance(slot, x, y) < _GEYSER_RADIUS
            ]
            near.sort(key=lambda slot: (view.game.distance(slot, x, y), slot))
            self._geysers[tag] = [int(view.world.units["tag"][slot]) for slot in near]
        return self._geysers[tag]
