"""What a player knows of the present: a view of one observation, worked out as it is asked for."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from agent.scripted.catalogue import (
    RACE_UNITS,
    Making,
    Product,
    RaceUnits,
    action_mask,
    buildings_by_action,
    is_dangerous,
    is_fighter,
    is_structure,
    supply_of_types,
    type_mask,
    type_of,
    types_as,
    types_of_kind,
)
from agent.scripted.ground import Ground, Place
from envs.interface import (
    NUM_ACTION_TYPES,
    NUM_UNIT_TYPES,
    SUBCELLS,
    WORLD_SIZE,
    Alliance,
    DisplayType,
    EntityFeature,
    MapPlane,
    Observation,
    Race,
    ScalarFeature,
)

Rows = NDArray[np.intp]
"""Rows of ``entities``."""

_FIRST_ORDER, _ORDERS_END = EntityFeature.ORDER_0, EntityFeature.ORDER_3 + 1
_MINERALS, _RICH_MINERALS = 37, 38  # rows of buff_classes.csv: what a worker carries
_MAX_SUPPLY = 200


class Situation:
    """One observation, by what a player asks of it."""

    def __init__(self, observation: Observation, ground: Ground) -> None:
        self.observation = observation
        self.ground = ground
        self.entities = observation.entities
        self.type = self.entities[:, EntityFeature.UNIT_TYPE]
        self.x = self.entities[:, EntityFeature.X].astype(np.float32) / SUBCELLS
        self.y = self.entities[:, EntityFeature.Y].astype(np.float32) / SUBCELLS
        alliance = self.entities[:, EntityFeature.ALLIANCE]
        self.is_own = alliance == Alliance.SELF
        self.is_enemy = alliance == Alliance.ENEMY
        self.is_finished = self.entities[:, EntityFeature.BUILD_PROGRESS] >= 100
        self.loop = self.scalar(ScalarFeature.GAME_LOOP)
        self.race = Race(self.scalar(ScalarFeature.HOME_RACE))

    def scalar(self, feature: ScalarFeature) -> int:
        """Return one of the player's figures."""
        return int(self.observation.scalars[feature])

    @property
    def race_units(self) -> RaceUnits:
        """The names of what every player of the race has."""
        return RACE_UNITS[self.race]

    @property
    def supply_used(self) -> int:
        """Supply in use, that of units in production included."""
        return self.scalar(ScalarFeature.FOOD_USED)

    @property
    def supply_cap(self) -> int:
        """Supply that is there."""
        return min(self.scalar(ScalarFeature.FOOD_CAP), _MAX_SUPPLY)

    @property
    def supply_free(self) -> int:
        """Supply that is not in use; the half that an odd Zergling takes is not told of."""
        odd = self.own_finished_by_type[type_of("Zergling")] % 2
        return max(self.supply_cap - self.supply_used - odd, 0)

    @cached_property
    def own_finished_by_type(self) -> list[int]:
        """How many finished units and buildings there are, by type."""
        types = self.type[self.is_own & self.is_finished]
        counts: list[int] = np.bincount(types, minlength=NUM_UNIT_TYPES).tolist()
        return counts

    @cached_property
    def own_unfinished_by_type(self) -> list[int]:
        """How many buildings are being built, by type."""
        types = self.type[self.is_own & ~self.is_finished]
        counts: list[int] = np.bincount(types, minlength=NUM_UNIT_TYPES).tolist()
        return counts

    @cached_property
    def ordered(self) -> list[int]:
        """How many of one's units have been told to do a thing and have not done it, by action."""
        orders = np.maximum(self.entities[self.is_own, _FIRST_ORDER:_ORDERS_END], 0)
        counts: list[int] = np.bincount(orders.ravel(), minlength=NUM_ACTION_TYPES).tolist()
        return counts

    def own(self, *names: str) -> Rows:
        """Return one's finished units of some types, and of what counts as these."""
        return np.flatnonzero(type_mask(*names)[self.type] & self.is_own & self.is_finished)

    def number(self, name: str) -> int:
        """Return how many finished units of a type there are."""
        return sum(self.own_finished_by_type[kind] for kind in types_as(name))

    def on_the_way(self, thing: Product) -> int:
        """Return how many of a thing are being made, or have been ordered."""
        ordered = self.ordered[thing.action_type] * thing.number
        if not thing.counts_as:
            return ordered
        unfinished = sum(self.own_unfinished_by_type[kind] for kind in thing.counts_as)
        if self.race is Race.TERRAN and thing.making in (Making.PLACED, Making.ON_GEYSER):
            return max(unfinished, ordered)  # an SCV keeps its order as long as it builds
        return unfinished + ordered

    def has(self, thing: Product) -> int:
        """Return how many of a thing there are, are being made or have been ordered."""
        if thing.upgrade >= 0:
            return int(self.observation.upgrades[thing.upgrade] == 1) or self.on_the_way(thing)
        there = sum(self.own_finished_by_type[kind] for kind in thing.counts_as)
        return there + self.on_the_way(thing)

    def is_allowed(self, thing: Product) -> bool:
        """Return whether there is all that a thing requires."""
        finished = self.own_finished_by_type
        return all(any(finished[kind] for kind in either) for either in thing.requires)

    @cached_property
    def halls(self) -> Rows:
        """One's finished town halls, the nearest to one's start first."""
        rows = self.own(self.race_units.town_hall)
        return rows[np.lexsort((rows, self.distances(rows, self.ground.home)))]

    @cached_property
    def workers(self) -> Rows:
        """One's workers."""
        return self.own(self.race_units.worker)

    @cached_property
    def miners(self) -> Rows:
        """Workers that carry minerals: those that are surely not after gas, nor building."""
        carried = self.entities[self.workers, EntityFeature.BUFF_0]
        carries = (carried == _MINERALS) | (carried == _RICH_MINERALS)
        return self.workers[carries & self.is_gathering(self.workers)]

    @cached_property
    def fighters(self) -> Rows:
        """One's army."""
        return np.flatnonzero(self.is_own & is_fighter()[self.type] & self.is_finished)

    @cached_property
    def enemy_fighters(self) -> Rows:
        """What is in sight of the enemy's army, buildings that shoot included."""
        is_seen = self.entities[:, EntityFeature.DISPLAY_TYPE] == DisplayType.VISIBLE
        is_threat = self.is_enemy & is_dangerous()[self.type]
        return np.flatnonzero(is_threat & is_seen & self.is_finished)

    @cached_property
    def enemy_buildings(self) -> Rows:
        """The enemy's buildings that one knows of."""
        return np.flatnonzero(self.is_enemy & is_structure()[self.type])

    @cached_property
    def minerals(self) -> Rows:
        """Mineral fields."""
        return np.flatnonzero(types_of_kind("mineral")[self.type])

    @cached_property
    def geysers(self) -> Rows:
        """Geysers, whether something stands on them or not."""
        return np.flatnonzero(types_of_kind("geyser")[self.type])

    def visibility(self, place: Place) -> int:
        """Return whether a place is in sight, of Visibility."""
        planes = self.observation.map_planes
        size = WORLD_SIZE // planes.shape[1]
        return int(planes[MapPlane.VISIBILITY, int(place[1]) // size, int(place[0]) // size])

    def supply(self, rows: Rows) -> float:
        """Return how much supply some units take."""
        return float(supply_of_types()[self.type[rows]].sum())

    def place(self, row: int) -> Place:
        """Return where a unit is."""
        return float(self.x[row]), float(self.y[row])

    def distances(self, rows: Rows, place: Place) -> NDArray[np.float32]:
        """Return how far some units are from a place."""
        return np.hypot(self.x[rows] - place[0], self.y[rows] - place[1])

    def nearest(self, rows: Rows, place: Place) -> int:
        """Return the row of the unit that is nearest to a place; of equals the first."""
        return int(rows[int(self.distances(rows, place).argmin())])

    def nearest_first(self, rows: Rows, place: Place) -> Rows:
        """Return some units, the nearest to a place first."""
        return rows[np.argsort(self.distances(rows, place), kind="stable")]

    def within(self, rows: Rows, place: Place, reach: float) -> Rows:
        """Return those of some units that are near a place."""
        return rows[self.distances(rows, place) <= reach]

    def column(self, rows: Rows, feature: EntityFeature) -> NDArray[np.int16]:
        """Return one feature of some units."""
        return self.entities[rows, feature]

    def idle(self, rows: Rows) -> Rows:
        """Return those of some units that have no orders."""
        return rows[self.column(rows, EntityFeature.ORDER_LENGTH) == 0]

    def is_gathering(self, rows: Rows) -> NDArray[np.bool_]:
        """Return which of some workers gather, or bring home what they gathered."""
        order = np.maximum(self.column(rows, EntityFeature.ORDER_0), 0)
        return action_mask(*_GATHERING)[order]

    @cached_property
    def budget(self) -> tuple[int, int]:
        """Minerals and vespene that are not promised to buildings workers are on the way to."""
        minerals = self.scalar(ScalarFeature.MINERALS)
        vespene = self.scalar(ScalarFeature.VESPENE)
        orders = self.column(self.workers, EntityFeature.ORDER_0)
        for action_type in np.unique(orders[~self.is_gathering(self.workers)]).tolist():
            thing = buildings_by_action().get(action_type)
            if thing is None:
                continue
            number = int((orders == action_type).sum())
            if self.race is Race.TERRAN:
                begun = sum(self.own_unfinished_by_type[kind] for kind in thing.counts_as)
                number = max(number - begun, 0)
            minerals -= number * thing.minerals
            vespene -= number * thing.vespene
        return minerals, vespene


_GATHERING = ("Harvest_Gather_unit", "Harvest_Return_quick")
