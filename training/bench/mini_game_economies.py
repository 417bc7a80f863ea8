"""A short script for each mini-game about a base: workers without a pause, and room for more.

What is most urgent comes first, and what cannot be paid yet is saved for.
"""

import math
from collections.abc import Iterator

from training.bench.mini_game_client import Command, Point, Unit, View
from training.bench.mini_game_scripts import centre, nearest, tags

GATHER, TRAIN_SCV, TRAIN_MARINE = 3666, 524, 560
BUILD_COMMAND_CENTER, BUILD_SUPPLY_DEPOT, BUILD_REFINERY, BUILD_BARRACKS = 318, 319, 320, 321
COMMAND_CENTER, SUPPLY_DEPOT, REFINERY, BARRACKS, SCV = 18, 19, 20, 21, 45
MINERALS, GEYSER = (341, 483), 342

_COSTS = {
    BUILD_COMMAND_CENTER: 400,
    BUILD_SUPPLY_DEPOT: 100,
    BUILD_REFINERY: 75,
    BUILD_BARRACKS: 150,
    TRAIN_SCV: 50,
    TRAIN_MARINE: 50,
}
_MINING = 295  # as orders are told
_DEPOT_SUPPLY, _HALL_SUPPLY, _MAX_SUPPLY = 8, 15, 200
_AROUND_RESOURCES = 10.0


class TrainMarines:
    """Twenty workers, six Barracks, and depots in time; all else goes into Marines."""

    _NUM_WORKERS, _NUM_BARRACKS = 20, 6

    def __init__(self) -> None:
        self._depot_spots: Iterator[Point] | None = None
        self._barracks_spots: Iterator[Point] | None = None

    def act(self, view: View) -> Command | None:
        """Return what is most urgent."""
        (hall,), workers, barracks = view.own(COMMAND_CENTER), view.own(SCV), view.own(BARRACKS)
        if self._depot_spots is None or self._barracks_spots is None:
            self._depot_spots = spots(view, hall, pitch=3, inner=5.0, outer=12.0, offset=0.0)
            self._barracks_spots = spots(view, hall, pitch=5, inner=12.0, outer=40.0, offset=0.5)
        if mine := idle_to_minerals(view):
            return mine
        free = [building for building in barracks if building.is_built and not building.num_orders]
        has_depot = any(depot.is_built for depot in view.own(SUPPLY_DEPOT))
        if wants_depot(view, 3 + 2 * len(barracks)):
            return build(view, BUILD_SUPPLY_DEPOT, self._depot_spots)
        if len(workers) < self._NUM_WORKERS and not hall.num_orders:
            return train(view, TRAIN_SCV, [hall])
        if has_depot and num_of(view, BARRACKS, BUILD_BARRACKS) < self._NUM_BARRACKS:
            return build(view, BUILD_BARRACKS, self._barracks_spots)
        return train(view, TRAIN_MARINE, free) if free else None


class MineEverything:
    """Workers without a pause, a second base as soon as it can be paid, then Refineries."""

    _NUM_WORKERS = 44

    def __init__(self) -> None:
        self._depot_spots: Iterator[Point] | None = None

    def act(self, view: View) -> Command | None:
        """Return what is most urgent."""
        halls, workers = view.own(COMMAND_CENTER), view.own(SCV)
        if self._depot_spots is None:
            self._depot_spots = spots(view, halls[0], pitch=3, inner=5.0, outer=40.0, offset=0.0)
        if mine := idle_to_minerals(view) or more_gas(view) or to_emptier_base(view):
            return mine
        free = [hall for hall in halls if hall.is_built and not hall.num_orders]
        if wants_depot(view, 2 + 2 * len(halls)):
            return build(view, BUILD_SUPPLY_DEPOT, self._depot_spots)
        if free and len(workers) < self._NUM_WORKERS:
            return train(view, TRAIN_SCV, free)
        if num_of(view, COMMAND_CENTER, BUILD_COMMAND_CENTER) < 2:
            return build(view, BUILD_COMMAND_CENTER, iter([hall_spot(view)]))
        num_refineries = num_of(view, REFINERY, BUILD_REFINERY)
        geysers = free_geysers(view)
        if geysers and num_refineries < 2 * sum(hall.is_built for hall in halls):
            return build(view, BUILD_REFINERY, iter(geysers))
        return None


def idle_to_minerals(view: View) -> Command | None:
    """Send workers that do nothing to the minerals at the base that lacks most workers."""
    idle = [worker for worker in view.own(SCV) if not worker.order]
    halls = [hall for hall in view.own(COMMAND_CENTER) if hall.is_built]
    if not idle or not halls:
        return None
    hall = max(halls, key=lambda hall: (hall.num_wanted_harvesters - hall.num_harvesters, hall.tag))
    return Command(GATHER, tags(idle), nearest(view.neutral(*MINERALS), hall.at).tag)


def more_gas(view: View) -> Command | None:
    """Send a worker from the minerals to a Refinery that lacks one."""
    for refinery in view.own(REFINERY):
        if refinery.is_built and refinery.num_harvesters < refinery.num_wanted_harvesters:
            return Command(GATHER, (miner(view, refinery.at).tag,), refinery.tag)
    return None


def to_emptier_base(view: View) -> Command | None:
    """Send a worker from a base with too many to one with too few."""
    halls = [hall for hall in view.own(COMMAND_CENTER) if hall.is_built]
    over = [hall for hall in halls if hall.num_harvesters > hall.num_wanted_harvesters]
    under = [hall for hall in halls if hall.num_harvesters < hall.num_wanted_harvesters]
    if not over or not under:
        return None
    minerals = nearest(view.neutral(*MINERALS), under[0].at)
    return Command(GATHER, (miner(view, over[0].at).tag,), minerals.tag)


def wants_depot(view: View, reserve: int) -> bool:
    """Return whether supply will run short, with all that is under way."""
    depots = [depot for depot in view.own(SUPPLY_DEPOT) if not depot.is_built]
    halls = [hall for hall in view.own(COMMAND_CENTER) if not hall.is_built]
    num_depots = len(depots) + num_planned(view, BUILD_SUPPLY_DEPOT)
    cap = view.supply_cap + _DEPOT_SUPPLY * num_depots + _HALL_SUPPLY * len(halls)
    return cap < _MAX_SUPPLY and cap - view.supply_used < reserve


def num_of(view: View, unit_type: int, ability: int) -> int:
    """Return how many buildings of a type there are and how many workers are on the way to one."""
    return len(view.own(unit_type)) + num_planned(view, ability)


def num_planned(view: View, ability: int) -> int:
    """Return how many workers are on the way to a site."""
    own = {unit.tag for unit in view.own()}
    return sum(worker.order == ability and worker.aim not in own for worker in view.own(SCV))


def budget(view: View) -> int:
    """Return the minerals that are not meant for a building whose worker is on the way."""
    planned = (BUILD_COMMAND_CENTER, BUILD_SUPPLY_DEPOT, BUILD_REFINERY, BUILD_BARRACKS)
    return view.minerals - sum(_COSTS[ability] * num_planned(view, ability) for ability in planned)


def build(view: View, ability: int, places: Iterator[Point | Unit]) -> Command | None:
    """Have a worker build at the next place, if that can be paid."""
    if budget(view) < _COSTS[ability]:
        return None
    place = next(places, None)
    if place is None:
        return None
    if isinstance(place, Unit):
        return Command(ability, (miner(view, place.at).tag,), place.tag)
    return Command(ability, (miner(view, place).tag,), place)


def train(view: View, ability: int, buildings: list[Unit]) -> Command | None:
    """Have as many buildings train as can be paid and fed."""
    room = min(budget(view) // _COSTS[ability], view.supply_cap - view.supply_used)
    return Command(ability, tags(buildings[:room])) if room > 0 else None


def miner(view: View, place: Point) -> Unit:
    """Return the worker next to a place that mines, or any where none does."""
    workers = view.own(SCV)
    fields = set(tags(view.neutral(*MINERALS)))
    return nearest([w for w in workers if w.order == _MINING and w.aim in fields] or workers, place)


def free_geysers(view: View) -> list[Unit]:
    """Return the geysers at finished bases that have no Refinery yet."""
    taken = {refinery.at for refinery in view.own(REFINERY)}
    halls = [hall for hall in view.own(COMMAND_CENTER) if hall.is_built]
    return [
        geyser
        for geyser in view.neutral(GEYSER)
        if geyser.at not in taken
        and any(math.dist(geyser.at, hall.at) < _AROUND_RESOURCES for hall in halls)
    ]


def hall_spot(view: View) -> Point:
    """Return where a town hall is nearest to the minerals that have none."""
    halls = view.own(COMMAND_CENTER)
    resources = [
        unit
        for unit in view.neutral(*MINERALS, GEYSER)
        if all(math.dist(unit.at, hall.at) > _AROUND_RESOURCES for hall in halls)
    ]
    x, y = centre(resources)
    open_spots = [
        (spot_x, spot_y)
        for spot_x, spot_y in _grid(view, pitch=1, offset=0.5)
        if math.dist((spot_x, spot_y), (x, y)) < _AROUND_RESOURCES
        and all(
            abs(u.x - spot_x) >= 7 or abs(u.y - spot_y) >= 6 + (u.type == GEYSER) for u in resources
        )
    ]
    return min(open_spots, key=lambda spot: sum(math.dist(spot, unit.at) for unit in resources))


def spots(
    view: View, hall: Unit, *, pitch: int, inner: float, outer: float, offset: float
) -> Iterator[Point]:
    """Yield places for buildings, those near the town hall first, none among the resources."""
    resources = view.neutral(*MINERALS, GEYSER)
    lane = centre([*resources, hall])
    places = [
        place
        for place in _grid(view, pitch=pitch, offset=offset)
        if inner <= math.dist(place, hall.at) < outer
        and math.dist(place, lane) > 6
        and all(math.dist(place, unit.at) > 6 for unit in resources)
    ]
    yield from sorted(places, key=lambda place: (math.dist(place, hall.at), place))


def _grid(view: View, *, pitch: int, offset: float) -> list[Point]:
    left, bottom, right, top = view.playable
    return [
        (x + offset, y + offset)
        for x in range(left + 3, right - 2, pitch)
        for y in range(bottom + 3, top - 2, pitch)
    ]
