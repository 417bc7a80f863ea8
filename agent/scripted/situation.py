"""What a player knows of the present: a view of one observation, worked out as it is asked for."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from agent.scripted.catalogue import (
    RACE_UNITS,
    Making,
    Product,
    RaceUnits,
    action_type_of,
    buildings_by_action,
    is_fighter,
    is_structure,
    supply_of_types,
    types_as,
    types_of_kind,
)
from agent.scripted.ground import Ground, Place
from envs.interface import (
    NUM_ACTION_TYPES,
    NUM_UNIT_TYPES,
    SUBCELLS,
    Alliance,
    DisplayType,
    EntityFeature,
    Observation,
    Race,
    ScalarFeature,
)

Rows = NDArray[np.intp]
"""Rows of ``entities``."""

_ORDERS = [
    EntityFeature.ORDER_0,
    EntityFeature.ORDER_1,
    EntityFeature.ORDER_2,
    EntityFeature.ORDER_3,
]
_MINERAL_BUFFS = (37, 38)  # rows of buff_classes.csv: what a worker carries
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

    @cached_property
    def own_finished_by_type(self) -> NDArray[np.intp]:
        """How many finished units and buildings there are, by type."""
        return np.bincount(self.type[self.is_own & self.is_finished], minlength=NUM_UNIT_TYPES)

    @cached_property
    def own_unfinished_by_type(self) -> NDArray[np.intp]:
        """How many buildings are being built, by type."""
        return np.bincount(self.type[self.is_own & ~self.is_finished], minlength=NUM_UNIT_TYPES)

    @cached_property
    def ordered(self) -> NDArray[np.intp]:
        """How many of one's units have been told to do a thing and have not done it, by action."""
        orders = self.entities[self.is_own][:, _ORDERS]
        return np.bincount(np.maximum(orders, 0).ravel(), minlength=NUM_ACTION_TYPES)

    def own(self, *names: str) -> Rows:
        """Return one's finished units of some types, and of what counts as these."""
        wanted = np.isin(self.type, [kind for name in names for kind in types_as(name)])
        return np.flatnonzero(wanted & self.is_own & self.is_finished)

    def number(self, name: str) -> int:
        """Return how many finished units of a type there are."""
        return int(self.own_finished_by_type[list(types_as(name))].sum())

    def on_the_way(self, thing: Product) -> int:
        """Return how many of a thing are being made, or have been ordered."""
        ordered = int(self.ordered[thing.action_type]) * thing.number
        if not thing.counts_as:
            return ordered
        unfinished = int(self.own_unfinished_by_type[list(thing.counts_as)].sum())
        if self.race is Race.TERRAN and thing.making in (Making.PLACED, Making.ON_GEYSER):
            return max(unfinished, ordered)  # an SCV keeps its order as long as it builds
        return unfinished + ordered

    def has(self, thing: Product) -> int:
        """Return how many of a thing there are, are being made or have been ordered."""
        if thing.upgrade >= 0:
            return int(self.observation.upgrades[thing.upgrade] == 1) or self.on_the_way(thing)
        there = int(self.own_finished_by_type[list(thing.counts_as)].sum())
        return there + self.on_the_way(thing)

    def is_allowed(self, thing: Product) -> bool:
        """Return whether there is all that a thing requires."""
        finished = self.own_finished_by_type
        return all(finished[list(either)].any() for either in thing.requires)

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
        return self.workers[np.isin(carried, _MINERAL_BUFFS) & self.is_gathering(self.workers)]

    @cached_property
    def fighters(self) -> Rows:
        """One's army."""
        return np.flatnonzero(self.is_own & is_fighter()[self.type] & self.is_finished)

    @cached_property
    def enemy_fighters(self) -> Rows:
        """What is in sight of the enemy's army, buildings that shoot included."""
        is_seen = self.entities[:, EntityFeature.DISPLAY_TYPE] == DisplayType.VISIBLE
        fights = is_fighter() | (is_structure() & (supply_of_types() > 0))
        return np.flatnonzero(self.is_enemy & fights[self.type] & is_seen & self.is_finished)

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
        order = self.column(rows, EntityFeature.ORDER_0)
        return np.isin(order, [action_type_of(name) for name in _GATHERING])

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
                begun = int(self.own_unfinished_by_type[list(thing.counts_as)].sum())
                number = max(number - begun, 0)
            minerals -= number * thing.minerals
            vespene -= number * thing.vespene
        return minerals, vespene


_GATHERING = ("Harvest_Gather_unit", "Harvest_Return_quick")
