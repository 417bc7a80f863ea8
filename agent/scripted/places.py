"""Where buildings go: the free cell of the grid that is nearest to a fixed spot of a base.

The first base that has room is taken, the nearest to one's start first.

Cells are those of the map's planes, in whose middle a policy aims too.
"""

import numpy as np
from numpy.typing import NDArray

from agent.scripted.catalogue import (
    Product,
    is_structure,
    mask_of,
    radius_of_types,
    type_of,
    types_as,
)
from agent.scripted.ground import Place
from agent.scripted.orders import CELL, middle_of_cell
from agent.scripted.situation import Situation
from envs.interface import WORLD_SIZE, MapPlane, Race

_REACH = 18.0  # of a base, from its town hall
_BEHIND = 7.0  # from the town hall to the spot that others are near to
_LANE = 0.5  # room for units between buildings
_RESOURCE_ROOM = 3.5  # around minerals and geysers
_HALL_TO_RESOURCES = 7.0
_HALL_ROOM = 5.0  # around town halls, for larvae and workers
_MINING = 9.0  # from a town hall, on the side of the minerals
_MINING_COSINE = 0.2
_POWER = 5.5  # from a pylon
_BETWEEN_PYLONS = 7.0
ADD_ON_AWAY = (2.5, -0.5)
"""From the middle of a building to that of its add-on."""
_ADD_ON_RADIUS = 1.0
_TOWN_HALLS = ("Hatchery", "Nexus", "CommandCenter")
_NEEDS_NO_POWER = ("Pylon", "Assimilator", "Nexus")
_WITH_ADD_ONS = ("Barracks", "Factory", "Starport")
_IN_FRONT = ("SpineCrawler", "PhotonCannon", "Bunker", "ShieldBattery")


def place_for(situation: Situation, thing: Product) -> Place | None:
    """Return where to build a thing; None if there is no place for it."""
    base = next_base(situation) if thing.name in _TOWN_HALLS else None
    if base is not None:
        return base
    for row in situation.halls.tolist():
        hall = situation.place(row)
        cells = _free_cells(situation, thing, hall)
        if thing.name == "Pylon":
            cells = _spread(situation, cells)
        if len(cells):
            spot = _spot(situation, thing, hall)
            away = np.hypot(cells[:, 0] - spot[0], cells[:, 1] - spot[1])
            x, y = cells[int(away.argmin())].tolist()
            return x, y
    return None


def next_base(situation: Situation) -> Place | None:
    """Return the nearest place for a town hall that nobody has taken, on one's own side."""
    ground = situation.ground
    buildings = np.flatnonzero(is_structure()[situation.type])
    for base in ground.bases:
        is_ours = ground.way_from_home(base.hall) < ground.way_to_enemy(base.hall)
        if is_ours and not len(situation.within(buildings, base.hall, 6.0)):
            return base.hall
    return None


def free_geyser(situation: Situation) -> int | None:
    """Return the row of a geyser at a finished town hall on which nothing stands."""
    for hall in situation.halls.tolist():
        near = situation.within(situation.geysers, situation.place(hall), 10.0)
        for row in near[np.lexsort((situation.y[near], situation.x[near]))].tolist():
            buildings = np.flatnonzero(is_structure()[situation.type])
            if not len(situation.within(buildings, situation.place(row), 1.0)):
                return int(row)
    return None


def _spot(situation: Situation, thing: Product, hall: Place) -> Place:
    """Return what to be near to: behind the town hall, or before the foremost one."""
    if thing.name in _IN_FRONT:
        foremost = min(
            (situation.place(row) for row in situation.halls.tolist()),
            key=situation.ground.way_to_enemy,
        )
        return situation.ground.towards_enemy(foremost, 7)
    x, y = _away_from_resources(situation, hall)
    return hall[0] + _BEHIND * x, hall[1] + _BEHIND * y


def _away_from_resources(situation: Situation, hall: Place) -> Place:
    """Return the direction from a town hall away from its minerals and geysers."""
    base = min(
        situation.ground.bases,
        key=lambda base: (base.hall[0] - hall[0]) ** 2 + (base.hall[1] - hall[1]) ** 2,
        default=None,
    )
    if base is None:
        return 1.0, 0.0
    x, y = hall[0] - base.resources[0], hall[1] - base.resources[1]
    length = float(np.hypot(x, y)) or 1.0
    return x / length, y / length


def _free_cells(situation: Situation, thing: Product, hall: Place) -> NDArray[np.float64]:
    """Return the middles of the cells where a thing can stand and is in nobody's way."""
    centre = hall
    if thing.name in _IN_FRONT:
        centre = _spot(situation, thing, hall)
    middle = middle_of_cell(centre)
    side = np.arange(-_REACH, _REACH + 1, CELL)
    cells = np.stack(np.meshgrid(side, side), -1).reshape(-1, 2) + middle
    cells = cells[((cells > CELL) & (cells < WORLD_SIZE - CELL)).all(1)]
    cells = cells[_is_free(situation, thing, cells, thing.radius)]
    if thing.name in _WITH_ADD_ONS:
        cells = cells[_is_free(situation, thing, cells + ADD_ON_AWAY, _ADD_ON_RADIUS)]
    if thing.name not in _IN_FRONT:
        cells = cells[~_is_where_workers_walk(situation, cells)]
    if situation.race is Race.PROTOSS and thing.name not in _NEEDS_NO_POWER:
        cells = cells[_is_powered(situation, cells)]
    return cells


def _is_free(
    situation: Situation, thing: Product, cells: NDArray[np.float64], radius: float
) -> NDArray[np.bool_]:
    """Return around which places there is ground for a part of a thing, and nothing else."""
    return _is_ground(situation, cells, radius) & _has_room(situation, thing, cells, radius)


def _is_ground(
    situation: Situation, cells: NDArray[np.float64], radius: float
) -> NDArray[np.bool_]:
    """Return which cells can be built on, with those around them that the building covers."""
    planes = situation.observation.map_planes
    size = WORLD_SIZE // planes.shape[1]
    is_ground = np.ones(len(cells), bool)
    for away_x in (-radius, 0.0, radius):
        for away_y in (-radius, 0.0, radius):
            columns = np.clip((cells[:, 0] + away_x) // size, 0, planes.shape[2] - 1).astype(int)
            rows = np.clip((cells[:, 1] + away_y) // size, 0, planes.shape[1] - 1).astype(int)
            is_ground &= planes[MapPlane.BUILDABLE, rows, columns] == 1
            creep = planes[MapPlane.CREEP, rows, columns] == 1
            is_ground &= creep if situation.race is Race.ZERG else ~creep
    return is_ground


def _has_room(
    situation: Situation, thing: Product, cells: NDArray[np.float64], radius: float
) -> NDArray[np.bool_]:
    """Return which cells are far enough from buildings, their add-ons and resources."""
    types = situation.type
    room = radius_of_types()[types].astype(np.float64) + radius + _LANE
    is_hall = np.isin(types, [type_of(name) for name in (*_TOWN_HALLS, "Lair", "Hive")])
    room = np.where(is_hall, _HALL_ROOM, room)
    in_the_way = np.flatnonzero(is_structure()[types] & ~situation.is_enemy)
    resources = np.concatenate([situation.minerals, situation.geysers])
    room[resources] = _HALL_TO_RESOURCES if thing.name in _TOWN_HALLS else _RESOURCE_ROOM
    rows = np.concatenate([in_the_way, resources])
    with_add_ons = in_the_way[mask_of(_with_add_ons())[types[in_the_way]]]
    x = np.concatenate([situation.x[rows], situation.x[with_add_ons] + ADD_ON_AWAY[0]])
    y = np.concatenate([situation.y[rows], situation.y[with_add_ons] + ADD_ON_AWAY[1]])
    room_of_add_ons = np.full(len(with_add_ons), _ADD_ON_RADIUS + radius + _LANE)
    away = np.maximum(np.abs(cells[:, None, 0] - x), np.abs(cells[:, None, 1] - y))
    return (away >= np.concatenate([room[rows], room_of_add_ons])).all(1)


def _with_add_ons() -> tuple[int, ...]:
    return tuple(kind for name in _WITH_ADD_ONS for kind in types_as(name))


def _is_where_workers_walk(situation: Situation, cells: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which cells lie between a town hall and its resources, of any base."""
    found = np.zeros(len(cells), bool)
    for base in situation.ground.bases:
        away = cells - base.hall
        distance = np.hypot(away[:, 0], away[:, 1])
        x, y = base.resources[0] - base.hall[0], base.resources[1] - base.hall[1]
        along = (away[:, 0] * x + away[:, 1] * y) / max(float(np.hypot(x, y)), 1.0)
        found |= (distance < _MINING) & (along > _MINING_COSINE * distance)
        found |= distance < _HALL_ROOM
    return found


def _spread(situation: Situation, cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cells that are far from pylons, if there are any."""
    pylons = np.flatnonzero(situation.is_own & (situation.type == type_of("Pylon")))
    away_x = np.abs(cells[:, None, 0] - situation.x[pylons])
    away_y = np.abs(cells[:, None, 1] - situation.y[pylons])
    is_far = (np.maximum(away_x, away_y) >= _BETWEEN_PYLONS).all(1)
    return cells[is_far] if is_far.any() else cells


def _is_powered(situation: Situation, cells: NDArray[np.float64]) -> NDArray[np.bool_]:
    pylons = situation.own("Pylon")
    away_x = cells[:, None, 0] - situation.x[pylons]
    away_y = cells[:, None, 1] - situation.y[pylons]
    return np.asarray((np.hypot(away_x, away_y) <= _POWER).any(1))
