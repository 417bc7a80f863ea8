"""A map being drawn: plateaus, ramps and rocks, each with its mirror image across the centre.

All shapes are octagons whose sides run along rows, columns and diagonals, so that whole numbers
describe them exactly. Whatever is drawn is drawn twice, the second time turned by half a turn:
what comes out is the same from both sides, by construction.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LOW, MIDDLE, HIGH = 191, 207, 223
"""Levels of ground, in the API's unit: an eighth of a world unit of height."""

RAMP_DEPTH = 8
"""Steps, diagonal to diagonal, from the last cell above a ramp to the first one below it."""

RAMP_SLOPE = (HIGH - MIDDLE) // RAMP_DEPTH
"""A ramp's fall from one diagonal to the next."""

CLIFF_WIDTH = 3
"""Cells of a cliff along rows and columns; along diagonals it is as deep as a ramp."""

_FAR = 1 << 12
_NEIGHBOURS = ((1, 0), (-1, 0), (0, 1), (0, -1))
_DIAGONALS = ((1, 1), (-1, 1), (1, -1), (-1, -1))

Grid = NDArray[np.bool_]


class Octagon(NamedTuple):
    """Cells within bounds, which belong to it; a bound that is not given does not bind."""

    left: int = -_FAR
    bottom: int = -_FAR
    right: int = _FAR
    top: int = _FAR
    sum_min: int = -_FAR  # of x + y
    sum_max: int = _FAR
    difference_min: int = -_FAR  # of x - y
    difference_max: int = _FAR

    @classmethod
    def around(cls, x: int, y: int, *, reach: int, diagonal: int) -> "Octagon":
        """Return the cells up to ``reach`` off in x and in y, up to ``diagonal`` off in both."""
        return cls(
            left=x - reach,
            bottom=y - reach,
            right=x + reach,
            top=y + reach,
            sum_min=x + y - diagonal,
            sum_max=x + y + diagonal,
            difference_min=x - y - diagonal,
            difference_max=x - y + diagonal,
        )

    def grown(self, straight: int, diagonal: int) -> "Octagon":
        """Return it with all bounds further out."""
        return Octagon(
            left=self.left - straight,
            bottom=self.bottom - straight,
            right=self.right + straight,
            top=self.top + straight,
            sum_min=self.sum_min - diagonal,
            sum_max=self.sum_max + diagonal,
            difference_min=self.difference_min - diagonal,
            difference_max=self.difference_max + diagonal,
        )


class Ramp(NamedTuple):
    """A ramp that goes down to the right and up the map, as x + y grows; level at both ends."""

    edge: int  # x + y of the last diagonal above it
    first: int  # x - y at its side that is higher up the map
    width: int  # values of x - y
    level: int  # above it

    @property
    def foot_right(self) -> int:
        """The largest x of the first diagonal below it."""
        return (self.edge + RAMP_DEPTH + self.first + self.width - 1) // 2

    @property
    def foot_bottom(self) -> int:
        """The smallest y of the first diagonal below it."""
        return (self.edge + RAMP_DEPTH - self.first - self.width + 1) // 2


class Sketch:
    """Heights and what can be walked on, of a map that looks the same after half a turn.

    Attributes:
        height: by cell, in the API's unit.
        walkable: where the ground can be walked on.
        ramps: which of it are ramps.
    """

    def __init__(self, width: int, height: int, *, border: int) -> None:
        self.columns = np.arange(width)[None, :]
        self.rows = np.arange(height)[:, None]
        self.height: NDArray[np.int64] = np.full((height, width), LOW, np.int64)
        self.ramps: Grid = np.zeros((height, width), bool)
        self.walkable: Grid = np.zeros((height, width), bool)
        self.walkable[border : height - border, border : width - border] = True
        self._inside = self.walkable.copy()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        rows, columns = self.walkable.shape
        return columns, rows

    def cells(self, shape: Octagon) -> Grid:
        """Return the cells of a shape."""
        x, y = self.columns, self.rows
        total, difference = x + y, x - y
        in_box = (x >= shape.left) & (x <= shape.right) & (y >= shape.bottom) & (y <= shape.top)
        in_sum = (total >= shape.sum_min) & (total <= shape.sum_max)
        in_difference = (difference >= shape.difference_min) & (difference <= shape.difference_max)
        cells: Grid = in_box & in_sum & in_difference
        return cells

    def both(self, shape: Octagon) -> Grid:
        """Return the cells of a shape and of its image."""
        cells = self.cells(shape)
        return cells | cells[::-1, ::-1]

    def raise_plateau(self, shape: Octagon, level: int) -> None:
        """Lift a shape, with cliffs about it whose height is between above and below."""
        cliff = self.both(shape.grown(CLIFF_WIDTH, RAMP_DEPTH - 1))
        self.height[cliff] = (self.height[cliff] + level) // 2
        self.walkable[cliff] = False
        plateau = self.both(shape)
        self.height[plateau] = level
        self.walkable[plateau] = self._inside[plateau]

    def raise_rock(self, shape: Octagon) -> None:
        """Put a rock there that nobody walks over."""
        rock = self.both(shape)
        self.height[rock] = HIGH
        self.walkable[rock] = False

    def cut_ramp(self, ramp: Ramp) -> None:
        """Make a way down through a diagonal cliff."""
        down = self.columns + self.rows - ramp.edge
        across = self.columns - self.rows - ramp.first
        cells = (down > 0) & (down < RAMP_DEPTH) & (across >= 0) & (across < ramp.width)
        slope = ramp.level - RAMP_SLOPE * down
        for turn in (slice(None), slice(None, None, -1)):
            self.height[turn, turn][cells] = slope[cells]
            self.walkable[turn, turn][cells] = True
            self.ramps[turn, turn][cells] = True


def widened(cells: Grid, steps: int) -> Grid:
    """Return the cells at most so many steps off, straight or diagonal."""
    for _ in range(steps):
        padded = np.pad(cells, 1)
        cells = cells.copy()
        for right, up in _NEIGHBOURS + _DIAGONALS:
            cells |= neighbour(padded, right, up)
    return cells


def narrowed(cells: Grid, *, square: int, diamond: int) -> Grid:
    """Return the cells about which there is room for an octagon; beyond the edge there is none.

    Args:
        cells: where there is room.
        square: steps of the octagon that may be straight or diagonal.
        diamond: steps of it that are straight.
    """
    for neighbours, steps in ((_NEIGHBOURS, diamond), (_NEIGHBOURS + _DIAGONALS, square)):
        for _ in range(steps):
            padded = np.pad(cells, 1)
            cells = cells.copy()
            for right, up in neighbours:
                cells &= neighbour(padded, right, up)
    return cells


def walking_distances(walkable: Grid, x: int, y: int) -> NDArray[np.int32]:
    """Return how many steps every cell is from one; -1 where no way leads.

    Odd steps go along rows and columns; even ones may go along diagonals as well, but not between
    two cells that cannot be walked on. A step is thus about a cell's side, whatever the direction.
    """
    rows, columns = walkable.shape
    padded = np.pad(walkable, 1)
    open_corners = [
        (right, up, walkable & neighbour(padded, right, 0) & neighbour(padded, 0, up))
        for right, up in _DIAGONALS
    ]
    reached = np.zeros((rows + 2, columns + 2), bool)
    reached[y + 1, x + 1] = True
    distances = np.full((rows, columns), -1, np.int32)
    distances[y, x] = 0
    step = 0
    while True:
        step += 1
        near = np.zeros((rows, columns), bool)
        for right, up in _NEIGHBOURS:
            near |= neighbour(reached, right, up)
        near &= walkable
        if step % 2 == 0:
            for right, up, is_open in open_corners:
                near |= neighbour(reached, right, up) & is_open
        near &= distances < 0
        if not near.any():
            return distances
        distances[near] = step
        reached[1:-1, 1:-1] |= near


def neighbour(padded: Grid, right: int, up: int) -> Grid:
    """Return, for every cell, what is so far to the right and up of it.

    Args:
        padded: a grid with one more cell on every side.
        right: -1, 0 or 1.
        up: -1, 0 or 1.
    """
    rows, columns = padded.shape
    return padded[1 + up : rows - 1 + up, 1 + right : columns - 1 + right]
