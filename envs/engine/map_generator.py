"""Draws maps for two players from a seed: plateaus, ramps, bases, rocks.

A map is drawn as if the first player's main base lay at the bottom left and the natural above it,
then turned and mirrored as the seed has it. The main base stands on a plateau whose one ramp leads
down to the natural's, and that one's only other way out is a wider ramp down to the open ground.
All further bases go to flat places against a cliff or the border, nearest first. A hill with two
ramps may lie at the centre; rocks are put where there is room to walk around them.

Everything is whole numbers, and what ``map_checks`` finds fault with is drawn again: one seed
gives one map, on all machines.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.engine.errors import MapError
from envs.engine.map_checks import Layout, layout_fault
from envs.engine.map_sketch import (
    CLIFF_WIDTH,
    HIGH,
    LOW,
    MIDDLE,
    RAMP_DEPTH,
    Grid,
    Octagon,
    Ramp,
    Sketch,
    narrowed,
    walking_distances,
    widened,
)
from envs.engine.resource_fields import Base, resource_field

BORDER = 8
"""Cells along the edges of a map that nobody walks on."""

BASE_SQUARE, BASE_DIAMOND = 4, 7
"""A base's flat place: all that so many steps of any kind and so many straight ones lead to."""

BASE_REACH = BASE_SQUARE + BASE_DIAMOND
"""How far that is in x and in y."""

BASE_DIAGONAL = 2 * BASE_SQUARE + BASE_DIAMOND
"""How far it is in x and y together."""

BASE_DISTANCE = 26
"""Between two town halls, at least."""

FIELD_DISTANCE = 11
"""Between resources of two bases, at least; python-sc2 takes nearer ones for one base's."""

SMALLEST_MELEE_SIDE = 88
"""The smallest map that has room for two plateaus a player."""

SMALLEST_FLAT_SIDE = 48
_ATTEMPTS = 24
_FIRST_CELL = BORDER + BASE_REACH
_APPROACH = 5  # cells about a ramp where neither base nor rock goes
_AHEAD = 8  # steps by which a base is nearer to its owner's natural than to the other's
_MAIN_RAMP_WIDTH = 4
_HILL_ROOM, _HILL_RAMP_WIDTH = 8, 8
_QUADRANTS = ((-1, -1), (-1, 1), (1, -1), (1, 1))


class Draws:
    """Whole numbers drawn from a seed, the same for all versions of numpy.

    Numpy keeps the stream of a bit generator for good, unlike what ``Generator`` makes of it.
    """

    def __init__(self, seed: int, attempt: int) -> None:
        self._bits = np.random.PCG64([seed, attempt])

    def below(self, limit: int) -> int:
        """Return a number from 0 to ``limit - 1``."""
        return self._bits.random_raw() % limit

    def sign(self) -> int:
        """Return -1 or 1."""
        return 2 * self.below(2) - 1


class Orientation(NamedTuple):
    """How a map that was drawn with the main base at the bottom left comes to lie."""

    is_transposed: bool
    is_mirrored: bool  # left to right, after that

    def grid(self, drawn: NDArray[np.int64] | Grid) -> NDArray[np.uint8]:
        """Return a grid as it comes to lie."""
        turned = drawn.T if self.is_transposed else drawn
        return np.ascontiguousarray(turned[:, ::-1] if self.is_mirrored else turned, np.uint8)

    def base(self, drawn: Base, width: int) -> Base:
        """Return a base as it comes to lie on a map of this width."""
        base = drawn
        if self.is_transposed:
            base = Base(base.y, base.x, base.toward_y, base.toward_x)
        if self.is_mirrored:
            base = Base(width - 1 - base.x, base.y, -base.toward_x, base.toward_y)
        return base


def melee_layout(*, seed: int, width: int, height: int, bases: int, rocks: int) -> Layout:
    """Draw a map of plateaus and cliffs.

    Args:
        seed: what to draw from.
        width: of the map, in cells; a multiple of 8, at least ``SMALLEST_MELEE_SIDE``.
        height: likewise.
        bases: a player, the main base and the natural among them.
        rocks: a player; fewer where there is no room.

    Raises:
        MapError: no such map was found.
    """
    room = min((min(width, height) - SMALLEST_MELEE_SIDE) // 8, 8)

    def draw(sketch: Sketch, draws: Draws) -> list[Base] | None:
        found = _draw_homes(sketch, draws, room)
        if room >= 6 and draws.below(2):
            _draw_hill(sketch, draws)
        if not _add_bases(sketch, draws, found, bases=bases, slack=2 * room):
            return None
        _draw_rocks(sketch, draws, found, rocks)
        return found

    layout = _first_faultless(draw, seed, width, height)
    if layout is None:
        raise MapError(_no_room(width, height, bases))
    return layout


def flat_layout(*, seed: int, width: int, height: int, bases: int) -> Layout:
    """Draw a map that is flat from border to border.

    Args:
        seed: what to draw from.
        width: of the map, in cells; a multiple of 8, at least ``SMALLEST_FLAT_SIDE``.
        height: likewise.
        bases: a player, the main base among them.

    Raises:
        MapError: no such map was found.
    """

    def draw(sketch: Sketch, draws: Draws) -> list[Base] | None:
        found = [Base(_FIRST_CELL, _FIRST_CELL, -1, -1)]
        return found if _add_bases(sketch, draws, found, bases=bases, slack=0) else None

    layout = _first_faultless(draw, seed, width, height)
    if layout is None:
        raise MapError(_no_room(width, height, bases))
    return layout


def _no_room(width: int, height: int, bases: int) -> str:
    return f"no map of {width} x {height} cells was found that has {bases} bases a player"


def _first_faultless(
    draw: Callable[[Sketch, Draws], list[Base] | None], seed: int, width: int, height: int
) -> Layout | None:
    """Draw until there is nothing wrong with the map, a bounded number of times.

    Args:
        draw: draws a map and returns the first player's bases, the main one first and the
            natural second; None where it found no room.
        seed: what to draw from.
        width: of the map.
        height: of the map.
    """
    for attempt in range(_ATTEMPTS):
        draws = Draws(seed, attempt)
        orientation = Orientation(bool(draws.below(2)), bool(draws.below(2)))
        frame = (height, width) if orientation.is_transposed else (width, height)
        sketch = Sketch(*frame, border=BORDER)
        found = draw(sketch, draws)
        if found is not None:
            layout = _layout(sketch, found, orientation)
            if layout_fault(layout) is None:
                return layout
    return None


def _draw_homes(sketch: Sketch, draws: Draws, room: int) -> list[Base]:
    """Draw the first player's main plateau, the natural's and their ramps.

    Args:
        sketch: still flat.
        draws: where everything varies.
        room: 0 on the smallest maps to 8: how much it may vary.
    """
    main_x, main_y = (_FIRST_CELL + draws.below(1 + room // 3) for _ in range(2))
    main = Base(main_x, main_y, -1, -1)
    edge = main.x + main.y + 22 + draws.below(1 + min(room, 2))
    right = 38 + draws.below(1 + room)  # the first column and row beyond the plateau
    top = 35 + draws.below(1 + room)
    main_plateau = Octagon(right=right - 1, top=top - 1, sum_max=edge)
    first, last = _ramp_places(right, top, edge, _MAIN_RAMP_WIDTH)
    first = max(first, -8)  # no further from the town hall
    first += draws.below(1 + min(last - first, room, 4))
    main_ramp = Ramp(edge, first, _MAIN_RAMP_WIDTH, HIGH)

    natural = Base(
        _FIRST_CELL + draws.below(1 + room // 3),
        top + CLIFF_WIDTH + BASE_REACH + draws.below(1 + room // 2),
        -1,
        draws.sign(),
    )
    right = max(main_ramp.foot_right + 5, natural.x + BASE_REACH + 1) + draws.below(1 + room)
    top = natural.y + BASE_REACH + 1 + draws.below(1 + room // 2)
    width = 8 + 2 * draws.below(1 + min(room, 3))
    edge = right + top - width // 2 - 3 - draws.below(1 + room)
    edge = max(edge, natural.x + natural.y + BASE_DIAGONAL)
    natural_plateau = Octagon(
        bottom=main_ramp.foot_bottom - 3, right=right - 1, top=top - 1, sum_max=edge
    )
    first, last = _ramp_places(right, top, edge, width)
    natural_ramp = Ramp(edge, first + draws.below(1 + last - first), width, MIDDLE)

    sketch.raise_plateau(natural_plateau, MIDDLE)
    sketch.raise_plateau(main_plateau, HIGH)
    sketch.cut_ramp(main_ramp)
    sketch.cut_ramp(natural_ramp)
    return [main, natural]


def _ramp_places(right: int, top: int, edge: int, width: int) -> tuple[int, int]:
    """Return between which x - y a ramp can begin so that it has cliff along both sides.

    Args:
        right: the first column beyond the plateau.
        top: the first row beyond it.
        edge: the last x + y of the plateau.
        width: of the ramp.
    """
    return edge - 2 * top + 3, 2 * right - edge - 2 - width


def _draw_hill(sketch: Sketch, draws: Draws) -> None:
    """Raise a hill at the centre, with a ramp toward each player, where there is room for it."""
    width, height = sketch.size
    reach = 8 + draws.below(4)
    right, top = width // 2 + reach, height // 2 + reach
    centre = (width + height) // 2 - 1  # x + y along the diagonal through the centre
    edge = centre + reach + 1
    hill = Octagon(
        left=width // 2 - reach,
        bottom=height // 2 - reach,
        right=right - 1,
        top=top - 1,
        sum_min=2 * centre - edge,
        sum_max=edge,
    )
    around = sketch.cells(hill.grown(CLIFF_WIDTH + _HILL_ROOM, RAMP_DEPTH + _HILL_ROOM))
    if not _open_ground(sketch)[around].all():
        return
    sketch.raise_plateau(hill, MIDDLE)
    first, last = _ramp_places(right, top, edge, _HILL_RAMP_WIDTH)
    sketch.cut_ramp(Ramp(edge, (first + last) // 2, _HILL_RAMP_WIDTH, MIDDLE))


def _open_ground(sketch: Sketch) -> Grid:
    """Return the low ground, less the surroundings of ramps."""
    ground: Grid = sketch.walkable & (sketch.height == LOW) & ~widened(sketch.ramps, _APPROACH)
    return ground


def _add_bases(sketch: Sketch, draws: Draws, found: list[Base], *, bases: int, slack: int) -> bool:
    """Find places for further bases of the first player and append them, nearest first.

    Args:
        sketch: with all its cliffs.
        draws: chooses among places that are about equally near.
        found: the first player's bases so far.
        bases: how many there are to be.
        slack: steps that a base may be further away than the nearest one possible.

    Returns:
        Whether there was room for all of them.
    """
    width, height = sketch.size
    room = narrowed(_open_ground(sketch), square=BASE_SQUARE, diamond=BASE_DIAMOND)
    against_something = room & ~narrowed(room, square=1, diamond=0)
    steps = walking_distances(sketch.walkable, found[-1].x, found[-1].y)
    is_ours = (steps >= 0) & (steps + _AHEAD <= steps[::-1, ::-1])
    twice_x, twice_y = 2 * sketch.columns - (width - 1), 2 * sketch.rows - (height - 1)
    places = against_something & is_ours & (twice_x**2 + twice_y**2 >= BASE_DISTANCE**2)
    for base in found:
        places &= _far_from(sketch, base)
    while len(found) < bases:
        another = _first_clear(sketch, found, _ranked(draws, places, steps, slack=slack))
        if another is None:
            return False
        found.append(another)
        places &= _far_from(sketch, another)
    return True


def _far_from(sketch: Sketch, base: Base) -> Grid:
    """Return where a town hall may stand beside a base and its image."""
    squares = (sketch.columns - base.x) ** 2 + (sketch.rows - base.y) ** 2
    is_far: Grid = squares >= BASE_DISTANCE**2
    return is_far & is_far[::-1, ::-1]


def _ranked(
    draws: Draws, places: Grid, steps: NDArray[np.int32], *, slack: int
) -> list[tuple[int, int]]:
    """Return the x and y of places, the nearest first, but for where to begin."""
    rows, columns = np.nonzero(places)
    if len(rows) == 0:
        return []
    away = steps[rows, columns]
    num_near = int(np.count_nonzero(away <= away.min() + slack))
    order = np.roll(np.argsort(away, kind="stable"), -draws.below(num_near))
    return [(int(columns[i]), int(rows[i])) for i in order]


def _first_clear(sketch: Sketch, found: list[Base], places: list[tuple[int, int]]) -> Base | None:
    """Return a base at the first place where its resources stay clear of all others."""
    taken = _resource_positions(sketch, found)
    for x, y in places:
        for side in sorted(_QUADRANTS, key=lambda side: -_shelter(sketch, x, y, side)):
            base = Base(x, y, *side)
            own, image = np.split(_resource_positions(sketch, [base]), 2)
            gaps = own[:, None] - np.concatenate([taken, image])
            if ((gaps**2).sum(axis=2) >= FIELD_DISTANCE**2).all():
                return base
    return None


def _resource_positions(sketch: Sketch, bases: list[Base]) -> NDArray[np.float64]:
    """Return where the resources of bases stand, x and y, then those of their images."""
    images = [base.opposite(*sketch.size) for base in bases]
    fields = [resource_field(base) for base in bases + images]
    return np.array([(resource.x, resource.y) for field in fields for resource in field])


def _shelter(sketch: Sketch, x: int, y: int, side: tuple[int, int]) -> int:
    """Return how much of the ground on one side of a cell cannot be walked on."""
    width, height = sketch.size
    reach = np.arange(1, BASE_REACH + 4)
    columns = (x + side[0] * reach).clip(0, width - 1)
    rows = (y + side[1] * reach).clip(0, height - 1)
    return int(np.count_nonzero(~sketch.walkable[np.ix_(rows, columns)]))


def _draw_rocks(sketch: Sketch, draws: Draws, found: list[Base], rocks: int) -> None:
    """Put rocks on the open ground, with room to pass on all sides of each."""
    width, height = sketch.size
    kept = np.zeros((height, width), bool)
    for base in found:
        place = Octagon.around(base.x, base.y, reach=BASE_REACH, diagonal=BASE_DIAGONAL)
        kept |= sketch.both(place.grown(1, 1))
    off_centre = np.maximum(
        abs(2 * sketch.columns - (width - 1)), abs(2 * sketch.rows - (height - 1))
    )
    for _ in range(rocks):
        radius = 2 + draws.below(4)
        ground = _open_ground(sketch) & ~kept
        room = narrowed(ground, square=radius + 2, diamond=3)
        y_places, x_places = np.nonzero(room & (off_centre >= 2 * radius + 6))
        if len(x_places):
            chosen = draws.below(len(x_places))
            x, y = int(x_places[chosen]), int(y_places[chosen])
            sketch.raise_rock(Octagon.around(x, y, reach=radius, diagonal=radius + radius // 2))


def _layout(sketch: Sketch, found: list[Base], orientation: Orientation) -> Layout:
    """Turn the drawing as it is to lie, and list both players' bases in pairs, nearest first.

    Ground that no way leads to is left out, so that nothing can be set down there.
    """
    drawn_width, drawn_height = sketch.size
    width = drawn_height if orientation.is_transposed else drawn_width
    height = drawn_width if orientation.is_transposed else drawn_height
    steps = walking_distances(sketch.walkable, found[0].x, found[0].y)
    walkable = sketch.walkable & (steps >= 0)
    ordered = sorted(found, key=lambda base: int(steps[base.y, base.x]))
    bases = [orientation.base(base, width) for base in ordered]
    return Layout(
        terrain_height=orientation.grid(sketch.height),
        pathable=orientation.grid(walkable),
        buildable=orientation.grid(walkable & ~sketch.ramps),
        playable=(BORDER, BORDER, width - BORDER, height - BORDER),
        bases=tuple(one for base in bases for one in (base, base.opposite(width, height))),
    )
