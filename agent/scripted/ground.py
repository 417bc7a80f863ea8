"""What a player knows of the map for a whole game: where bases are, and how far it is to them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agent.scripted.catalogue import types_of_kind
from envs.interface import SUBCELLS, EntityFeature
from envs.observations import GameMap

Place = tuple[float, float]
"""World units."""

_LINKED = 6.0  # resources of one base lie so near to each other
_SEARCHED = 11  # around the middle of the resources, for where the town hall goes
_HALL_HALF = 2.5
_GAP = 3.0  # cells that stay free between a town hall and resources
_GAP_AT_CORNERS = 4.0
_MINERAL_HALF = (1.0, 0.5)
_GEYSER_HALF = (1.5, 1.5)
_FAR = 1_000_000


class Base(NamedTuple):
    """A place for a town hall, and the resources that it is for."""

    hall: Place
    resources: Place  # the middle of them


class Ground:
    """The map and the bases on it, the nearest on foot from one's own start first."""

    def __init__(self, game_map: GameMap, resources: NDArray[np.int16], home: Place) -> None:
        """Find the bases.

        Args:
            game_map: where the game is played.
            resources: entities that are minerals or geysers.
            home: where one's own town hall stands at the start.
        """
        self.game_map = game_map
        self.home = home
        others = [start for start in game_map.starts if _distance(start, home) > _SEARCHED]
        opposite = (game_map.width - home[0], game_map.height - home[1])
        self.enemy_start: Place = others[0] if others else opposite
        self.steps_from_home = _steps_from(game_map.is_pathable, home)
        self.steps_from_enemy = _steps_from(game_map.is_pathable, self.enemy_start)
        bases = [_base(game_map, group) for group in _groups(resources)]
        self._further: dict[tuple[Place, int], Place] = {}
        self.bases = sorted(bases, key=lambda base: (self.way_from_home(base.hall), base.hall))

    def way_from_home(self, place: Place) -> int:
        """Return how many cells it is on foot from one's start."""
        return _least_around(self.steps_from_home, place)

    def way_to_enemy(self, place: Place) -> int:
        """Return how many cells it is on foot to where the enemy started."""
        return _least_around(self.steps_from_enemy, place)

    def towards_enemy(self, place: Place, cells: int) -> Place:
        """Return the place so many cells further on the way on foot to the enemy's start."""
        if (place, cells) not in self._further:
            self._further[place, cells] = self._follow_steps(place, cells)
        return self._further[place, cells]

    def _follow_steps(self, place: Place, cells: int) -> Place:
        steps = self.steps_from_enemy
        height, width = steps.shape
        x, y = _walkable_near(steps, place)
        for _ in range(cells):
            around = [
                (int(steps[row, column]), row, column)
                for row in range(max(y - 1, 0), min(y + 2, height))
                for column in range(max(x - 1, 0), min(x + 2, width))
            ]
            _, y, x = min(around)
        return x + 0.5, y + 0.5


def _distance(a: Place, b: Place) -> float:
    return float(np.hypot(a[0] - b[0], a[1] - b[1]))


def _groups(resources: NDArray[np.int16]) -> list[NDArray[np.int16]]:
    """Return the resources base by base."""
    columns = [EntityFeature.X, EntityFeature.Y]
    places = resources[:, columns].astype(np.float64) / SUBCELLS
    away = np.abs(places[:, None] - places[None])
    is_linked = np.hypot(away[..., 0], away[..., 1]) <= _LINKED
    label = np.arange(len(places))
    for _ in range(len(places)):
        least = np.where(is_linked, label[None], len(places)).min(1, initial=len(places))
        if (least == label).all():
            break
        label = least
    groups = [resources[label == one] for one in np.unique(label)]
    return [group for group in groups if len(group) > 2]


def _base(game_map: GameMap, group: NDArray[np.int16]) -> Base:
    """Return where the town hall goes: nearest to all resources, with the gap that it needs."""
    places = group[:, [EntityFeature.X, EntityFeature.Y]].astype(np.float64) / SUBCELLS
    is_geyser = types_of_kind("geyser")[group[:, EntityFeature.UNIT_TYPE]]
    half = np.where(is_geyser[:, None], _GEYSER_HALF, _MINERAL_HALF)
    middle = places.mean(0)
    side = np.arange(-_SEARCHED, _SEARCHED + 1)
    offsets = np.stack(np.meshgrid(side, side), -1).reshape(-1, 2)
    candidates = np.floor(middle) + 0.5 + offsets
    away = np.abs(candidates[:, None] - places[None])
    gap = away - half - _HALL_HALF
    has_gap = ((gap.max(-1) >= _GAP) | (gap.sum(-1) >= _GAP_AT_CORNERS)).all(-1)
    length = np.hypot(away[..., 0], away[..., 1]).sum(1)
    order = np.lexsort((candidates[:, 0], candidates[:, 1], length))
    for i in order[has_gap[order]]:
        if _is_buildable(game_map, candidates[i]):
            x, y = candidates[i].tolist()
            return Base((x, y), (float(middle[0]), float(middle[1])))
    return Base((float(middle[0]), float(middle[1])), (float(middle[0]), float(middle[1])))


def _is_buildable(game_map: GameMap, place: NDArray[np.float64]) -> bool:
    left, bottom = (place - _HALL_HALF).astype(int).tolist()
    cells = game_map.is_buildable[max(bottom, 0) : bottom + 5, max(left, 0) : left + 5]
    return cells.shape == (5, 5) and bool(cells.all())


def _steps_from(is_pathable: NDArray[np.bool_], start: Place) -> NDArray[np.int32]:
    """Return by cell how many steps to a neighbouring cell it is from a start."""
    steps = np.full(is_pathable.shape, _FAR, np.int32)
    x, y = int(start[0]), int(start[1])
    front = np.zeros(is_pathable.shape, bool)
    front[max(y - 3, 0) : y + 4, max(x - 3, 0) : x + 4] = True
    open_cells = is_pathable | front
    number = 0
    while front.any():
        steps[front] = number
        number += 1
        wider = front.copy()
        wider[1:] |= front[:-1]
        wider[:-1] |= front[1:]
        sideways = wider.copy()
        wider[:, 1:] |= sideways[:, :-1]
        wider[:, :-1] |= sideways[:, 1:]
        front = wider & open_cells & (steps == _FAR)
    return steps


def _window(steps: NDArray[np.int32], place: Place) -> tuple[slice, slice]:
    x, y = int(place[0]), int(place[1])
    return slice(max(y - 4, 0), y + 5), slice(max(x - 4, 0), x + 5)


def _least_around(steps: NDArray[np.int32], place: Place) -> int:
    return int(steps[_window(steps, place)].min(initial=_FAR))


def _walkable_near(steps: NDArray[np.int32], place: Place) -> tuple[int, int]:
    """Return the cell around a place that is nearest to where the steps start."""
    rows, columns = _window(steps, place)
    cells = steps[rows, columns]
    if not cells.size:
        return int(place[0]), int(place[1])
    row, column = np.unravel_index(int(cells.argmin()), cells.shape)
    return int(column) + columns.start, int(row) + rows.start
