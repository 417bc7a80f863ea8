"""What stands where: the truth, and what a player takes for it.

A player knows what he sees, and in the fog what he has seen there last. By that he is answered when
he asks where something may be built and when he orders it; the truth shows when his worker arrives.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from envs.engine.game import Game
from envs.engine.layout import CELL_BITS, MAX_UNITS, NUM_MARKS, ONE, Trait

RESOURCE_GAP_CELLS = 3
"""Between a town hall and minerals or gas."""

_NOBODY = 0
_SEEN = 2
_RESOURCES = Trait.MINERALS | Trait.GEYSER


@dataclass(frozen=True, kw_only=True, eq=False)
class Ground:
    """Buildings and resources with the cells that they stand on, units in the way, and creep.

    Attributes:
        rows: of their types.
        x: of their centres.
        y: of their centres.
        left: the first column of their cells, and so on; the ends are excluded.
        bottom: the first row.
        right: after the last column.
        top: after the last row.
        in_the_way: column and row of each unit that does not make room for a player's building.
        creep: 1 for cells with creep, by row.
    """

    rows: NDArray[np.int64]
    x: NDArray[np.int64]
    y: NDArray[np.int64]
    left: NDArray[np.int64]
    bottom: NDArray[np.int64]
    right: NDArray[np.int64]
    top: NDArray[np.int64]
    in_the_way: NDArray[np.int64]
    creep: NDArray[np.uint8]


def true_ground(game: Game, player: int) -> Ground:
    """Return what stands on the map, in the way of a player."""
    alive = game.alive()
    in_the_way = _in_the_way(game, player, alive)
    return _ground(game, _standing(game, alive), in_the_way, game.world.creep)


def known_ground(game: Game, player: int) -> Ground:
    """Return what a player knows of the map, all of it for an observer."""
    world = game.world
    alive, snapshots = game.alive(), world.snapshots[player]
    is_seen = (game.units["visible_to"][alive] & (1 << player)) > 0
    in_the_way = _in_the_way(game, player, alive[is_seen])
    if player == _NOBODY or world.players["sees_all"][player]:
        return _ground(game, _standing(game, alive), in_the_way, world.creep)
    in_fog = np.concatenate([alive[~is_seen], np.arange(MAX_UNITS, 2 * MAX_UNITS)])
    remembered = in_fog[snapshots["tag"][in_fog] != 0]
    seen = _standing(game, alive[is_seen])
    known = np.stack([snapshots[field][remembered] for field in ("type", "x", "y")])
    creep = np.where(world.visibility[player] == _SEEN, world.creep, world.creep_seen[player])
    standing = np.concatenate([seen, known.astype(np.int64)], axis=1)
    return _ground(game, standing, in_the_way, creep)


def is_taken(game: Game, ground: Ground, cells: tuple[slice, slice]) -> bool:
    """Return whether something stands on any of some cells."""
    takes_cells = game.tables.takes_cells[ground.rows]
    gap_x, gap_y = _gaps(ground, cells)
    return bool((takes_cells & (gap_x < 0) & (gap_y < 0)).any())


def is_held(ground: Ground, cells: tuple[slice, slice]) -> bool:
    """Return whether a unit that does not make room stands on any of some cells."""
    rows, columns = cells
    column, row = ground.in_the_way
    is_there = (column >= columns.start) & (column < columns.stop)
    return bool((is_there & (row >= rows.start) & (row < rows.stop)).any())


def is_near_resources(game: Game, ground: Ground, cells: tuple[slice, slice]) -> bool:
    """Return whether minerals or geysers lie too near to a town hall's cells."""
    is_resource = (game.tables.types["traits"][ground.rows] & _RESOURCES) > 0
    gap_x, gap_y = (gaps[is_resource] for gaps in _gaps(ground, cells))
    is_corner = np.minimum(gap_x, gap_y) == RESOURCE_GAP_CELLS - 1  # the gap's corners are cut
    return bool(((np.maximum(gap_x, gap_y) < RESOURCE_GAP_CELLS) & ~is_corner).any())


def has_free_geyser(game: Game, ground: Ground, x: int, y: int) -> bool:
    """Return whether there is a geyser at a position that nothing is built on."""
    is_here = (abs(ground.x - x) < ONE) & (abs(ground.y - y) < ONE)
    traits = game.tables.types["traits"][ground.rows[is_here]]
    is_built_on = bool((traits & Trait.GAS_BUILDING).any())
    return bool((traits & Trait.GEYSER).any()) and not is_built_on


def blocked_cells(game: Game, ground: Ground) -> NDArray[np.uint8]:
    """Return a grid with a mark of what stands there where nobody can walk."""
    blocked = np.zeros_like(game.world.blocked)
    stops = game.tables.takes_cells[ground.rows] & ~game.tables.walked_over[ground.rows]
    edges = (ground.left, ground.bottom, ground.right, ground.top)
    standing = zip(*(edge[stops].tolist() for edge in edges), strict=True)
    for number, (left, bottom, right, top) in enumerate(standing):
        blocked[bottom:top, left:right] = 1 + number % NUM_MARKS
    return blocked


def _standing(game: Game, slots: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the types whose cells units hold, and where they are."""
    units, tables = game.units, game.tables
    rows, becoming = units["type"][slots], units["morph_type"][slots]
    comes_down = ~tables.takes_cells[rows] & tables.takes_cells[becoming]
    held = np.where(comes_down, becoming, rows)
    return np.stack([held, units["x"][slots], units["y"][slots]]).astype(np.int64)


def _in_the_way(game: Game, player: int, slots: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the cells of units on the ground that are others', or cannot walk."""
    units, kinds = game.units, game.tables.types
    slots = slots[(units["owner"][slots] != _NOBODY) & (units["carrier"][slots] == 0)]
    owners, rows = units["owner"][slots], units["type"][slots]
    walks_over = (kinds["flying"] > 0) | ((kinds["traits"] & Trait.NO_COLLISION) > 0)
    is_unit = (kinds["footprint"] == 0) & ~walks_over
    stays = (owners != player) | (game.world.types["speed"][player][rows] == 0)
    found = slots[is_unit[rows] & stays]
    return np.stack([units["x"][found], units["y"][found]]).astype(np.int64) >> CELL_BITS


def _ground(
    game: Game,
    standing: NDArray[np.int64],
    in_the_way: NDArray[np.int64],
    creep: NDArray[np.uint8],
) -> Ground:
    rows, x, y = standing[:, game.tables.types["footprint"][standing[0]] > 0]
    kinds = game.tables.types
    width = kinds["footprint"][rows].astype(np.int64)
    height = kinds["footprint_height"][rows].astype(np.int64)
    left = (2 * x - width * ONE + ONE) // (2 * ONE)
    bottom = (2 * y - height * ONE + ONE) // (2 * ONE)
    return Ground(
        rows=rows,
        x=x,
        y=y,
        left=left,
        bottom=bottom,
        right=left + width,
        top=bottom + height,
        in_the_way=in_the_way,
        creep=creep,
    )


def _gaps(
    ground: Ground, cells: tuple[slice, slice]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how many cells lie between some cells and each thing, negative where they overlap.

    Returns:
        Along x and along y.
    """
    rows, columns = cells
    gap_x = np.maximum(columns.start - ground.right, ground.left - columns.stop)
    gap_y = np.maximum(rows.start - ground.top, ground.bottom - rows.stop)
    return gap_x, gap_y
