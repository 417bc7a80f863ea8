"""A computer's idea of the ground: where bases go, what to keep free, which way the enemy is.

Ways are looked up in a map of distances made once. The engine's ways end at the edge of buildings;
a computer's begin and end in town halls.
"""

import numpy as np
from numpy.typing import NDArray

from envs.engine import rules
from envs.engine.bots.view import View
from envs.engine.layout import CELL_BITS, ONE
from envs.engine.map_sketch import walking_distances

_RESOURCE_RADIUS = 11 * ONE
_TAKEN_RADIUS = 8 * ONE
_LOOKOUT_CELLS = 7  # from one place to look from to the next
_SEEN = 2
_FAR = 1 << 20
_AROUND = ((0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1))


class Ground:
    """What does not change about a map, as one player sees it, and what he has looked at."""

    def __init__(self, view: View, random: np.random.Generator) -> None:
        self.random = random
        game_map = view.game.map
        places = [(round(x * ONE), round(y * ONE)) for x, y in game_map.expansions]
        mine = places[view.player - 1 :: 2]
        others = places[view.enemy - 1 :: 2]
        self._view = view
        self.bases = mine + others[:1:-1]  # last the enemy's own, but for his first two
        self.enemy_bases = others + mine[::-1]
        self.start = mine[0]
        self.enemy_start = others[0]
        self.keep_clear = self._lanes(places)
        self._steps = self._steps_to_enemy()
        self._ahead: dict[tuple[int, int, int], tuple[int, int]] = {}
        self._shunned: dict[tuple[int, int], int] = {}  # places of bases, and until when
        self._lookouts = self._places_to_look_from()
        self._looked = np.zeros(len(self._lookouts[0]), np.int64)  # loop

    def next_base(self, row: int) -> tuple[int, int] | None:
        """Return where to put the next town hall, if a place is free."""
        view = self._view
        taken = view.enemy_buildings()
        for x, y in self.bases:
            place = rules.snapped(view.game, row, x, y)
            if view.game.loop < self._shunned.get(place, 0) or not self._is_free(row, *place):
                continue
            if all(abs(x - other) + abs(y - there) >= _TAKEN_RADIUS for other, there in taken):
                return place
        return None

    def shun(self, place: tuple[int, int], loops: int) -> None:
        """Put no town hall at a place for a while."""
        self._shunned[place] = self._view.game.loop + loops

    def way_to_enemy(self, x: int, y: int) -> int:
        """Return how far it is to where the enemy started, in cells."""
        return int(self._steps[y >> CELL_BITS, x >> CELL_BITS])

    def towards_enemy(self, x: int, y: int, cells: int) -> tuple[int, int]:
        """Return the position some cells away on the way to the enemy."""
        column, row = x >> CELL_BITS, y >> CELL_BITS
        key = column, row, cells
        if key not in self._ahead:
            for _ in range(cells):
                column, row = min(
                    ((column + along, row + across) for along, across in ((0, 0), *_AROUND)),
                    key=lambda cell: int(self._steps[cell[1], cell[0]]),
                )
            self._ahead[key] = (2 * column + 1) * ONE // 2, (2 * row + 1) * ONE // 2
        return self._ahead[key]

    def is_seen(self, x: int, y: int) -> bool:
        """Return whether the player sees a position now."""
        seen = self._view.world.visibility[self._view.player, y >> CELL_BITS, x >> CELL_BITS]
        return bool(seen == _SEEN)

    def was_seen(self, x: int, y: int) -> bool:
        """Return whether the player has ever seen a position."""
        return bool(self._view.world.visibility[self._view.player, y >> CELL_BITS, x >> CELL_BITS])

    def next_lookout(self) -> tuple[int, int]:
        """Return the place at which nobody has looked for longest, nearer to the enemy first."""
        view = self._view
        rows, columns = self._lookouts
        self._looked[view.world.visibility[view.player][rows, columns] == _SEEN] = view.game.loop
        chosen = int(self._looked.argmin())
        self._looked[chosen] = view.game.loop
        return (2 * int(columns[chosen]) + 1) * ONE // 2, (2 * int(rows[chosen]) + 1) * ONE // 2

    def _is_free(self, row: int, x: int, y: int) -> bool:
        """Return whether the ground is good for a building, and nobody is seen to stand there."""
        world = self._view.world
        cells = self._view.game.footprint(row, x, y)
        is_taken = world.occupied[cells] & (world.visibility[self._view.player][cells] == _SEEN)
        return not is_taken.any() and bool(world.buildable[cells].all())

    def _steps_to_enemy(self) -> NDArray[np.int32]:
        """Return how far every cell is from where the enemy starts, over ground free of resources.

        Town halls of the start do not count as in the way: ways begin and end in them.
        """
        game = self._view.game
        is_open = self._view.world.pathable == 1
        for slot in game.resources():
            unit = game.units[slot]
            is_open[game.footprint(int(unit["type"]), int(unit["x"]), int(unit["y"]))] = False
        x, y = self.enemy_start
        steps = walking_distances(is_open, x >> CELL_BITS, y >> CELL_BITS)
        steps[steps < 0] = _FAR
        return steps

    def _places_to_look_from(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return rows and columns of places all over the map, the nearest to the enemy first."""
        chosen = np.zeros(self._steps.shape, bool)
        chosen[_LOOKOUT_CELLS // 2 :: _LOOKOUT_CELLS, _LOOKOUT_CELLS // 2 :: _LOOKOUT_CELLS] = True
        rows, columns = np.nonzero(chosen & (self._steps < _FAR))
        order = np.argsort(self._steps[rows, columns], kind="stable")
        return rows[order], columns[order]

    def _lanes(self, bases: list[tuple[int, int]]) -> NDArray[np.uint8]:
        """Mark cells that no building should take: mining lanes, ramps, places of town halls."""
        view = self._view
        world = view.world
        height, width = world.pathable.shape
        clear = np.zeros((height, width), np.uint8)
        ramps = (world.pathable == 1) & (world.buildable == 0)
        for row, column in np.argwhere(ramps):
            clear[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3] = 1
        for x, y in bases:
            column, row = x >> CELL_BITS, y >> CELL_BITS
            clear[row - 3 : row + 4, column - 3 : column + 4] = 1
            for slot in view.game.resources():
                if view.game.distance(slot, x, y) > _RESOURCE_RADIUS:
                    continue
                to_x, to_y = view.position(slot)
                for part in range(13):
                    lane_column = (x + (to_x - x) * part // 12) >> CELL_BITS
                    lane_row = (y + (to_y - y) * part // 12) >> CELL_BITS
                    rows = slice(max(0, lane_row - 1), lane_row + 2)
                    clear[rows, max(0, lane_column - 1) : lane_column + 2] = 1
        return clear
