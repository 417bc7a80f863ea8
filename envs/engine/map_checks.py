"""What makes a map fair and playable; no map that breaks one of these rules is served."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.engine.map_sketch import Grid, walking_distances, widened
from envs.engine.resource_fields import VESPENE_GEYSER, Base, resource_field

CLEAR_OF_MINERALS, CLEAR_OF_GEYSERS = 6.0, 7.0
"""A town hall keeps so far from resources, centre to centre."""

_TOWN_HALL_REACH = 2  # cells from its middle one


class Layout(NamedTuple):
    """A map's ground and bases; grids are by row from y = 0, then by column.

    Ramps are what can be walked but not built on.
    """

    terrain_height: NDArray[np.uint8]
    pathable: NDArray[np.uint8]
    buildable: NDArray[np.uint8]
    playable: tuple[int, int, int, int]  # left, bottom, right, top; the last two excluded
    bases: tuple[
        Base, ...
    ]  # in pairs, the second being the image of the first; mains, then nearest

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        rows, columns = self.pathable.shape
        return columns, rows


def layout_fault(layout: Layout) -> str | None:
    """Return what is wrong with a map for two players, None if nothing is."""
    if not _is_symmetric(layout):
        return "it does not look the same from both sides"
    first, second = layout.bases[:2]
    ground = _open_ground(layout)
    steps = walking_distances(ground, first.x, first.y)
    if steps[second.y, second.x] < 0:
        return "no way leads from one player's start to the other's"
    if any(steps[base.y, base.x] < 0 for base in layout.bases):
        return "no way leads to one of the bases"
    if not np.array_equal(steps, walking_distances(ground, second.x, second.y)[::-1, ::-1]):
        return "the ways of one player are longer than the other's"
    if not all(_is_good_place(layout, base) for base in layout.bases):
        return "there is no room for one of the bases"
    return _fault_of_ways_in(layout)


def _is_symmetric(layout: Layout) -> bool:
    """Return whether half a turn changes nothing but whose base is whose."""
    grids = (layout.terrain_height, layout.pathable, layout.buildable)
    pairs = zip(layout.bases[::2], layout.bases[1::2], strict=True)
    return all(np.array_equal(grid, grid[::-1, ::-1]) for grid in grids) and all(
        base.opposite(*layout.size) == image for base, image in pairs
    )


def _open_ground(layout: Layout) -> Grid:
    """Return what can be walked on at the start, among the resources."""
    ground: Grid = layout.pathable != 0
    for base in layout.bases:
        for resource in resource_field(base):
            ground[resource.cells()] = False
    return ground


def _is_good_place(layout: Layout, base: Base) -> bool:
    """Return whether a town hall and its resources have level ground that can be built on."""
    places = [
        (
            slice(base.y - _TOWN_HALL_REACH, base.y + _TOWN_HALL_REACH + 1),
            slice(base.x - _TOWN_HALL_REACH, base.x + _TOWN_HALL_REACH + 1),
        )
    ]
    x, y = base.centre
    for resource in resource_field(base):
        is_geyser = resource.unit_id == VESPENE_GEYSER
        clear = CLEAR_OF_GEYSERS if is_geyser else CLEAR_OF_MINERALS
        if (resource.x - x) ** 2 + (resource.y - y) ** 2 < clear**2:
            return False
        places.append(resource.cells())
    level = layout.terrain_height[base.y, base.x]
    return all(
        layout.buildable[place].all() and (layout.terrain_height[place] == level).all()
        for place in places
    )


def _fault_of_ways_in(layout: Layout) -> str | None:
    """Look for the one ramp of a main base and the one more of its natural; flat maps have none."""
    ramps: Grid = (layout.pathable != 0) & (layout.buildable == 0)
    if not ramps.any():
        return None
    main, _, natural, other_natural = layout.bases[:4]
    plateau = _plateau(layout, main)
    if plateau[natural.y, natural.x] or _num_ramps(ramps, plateau) != 1:
        return "a main base has other ways in than one ramp"
    plateau = _plateau(layout, natural)
    if plateau[other_natural.y, other_natural.x] or _num_ramps(ramps, plateau) != 2:
        return "a natural has other ways in than its choke and the main base's ramp"
    return None


def _plateau(layout: Layout, base: Base) -> Grid:
    """Return the ground about a base that can be walked to without a ramp."""
    return walking_distances(layout.buildable != 0, base.x, base.y) >= 0


def _num_ramps(ramps: Grid, plateau: Grid) -> int:
    """Return how many ramps lead off a plateau."""
    touching = widened(plateau, 1) & ramps
    number = 0
    while touching.any():
        y, x = np.argwhere(touching)[0]
        touching &= walking_distances(ramps, int(x), int(y)) < 0
        number += 1
    return number
