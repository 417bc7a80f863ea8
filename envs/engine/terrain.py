"""Maps as games use them, and the map files that name them.

A map file is a few lines of JSON that say how to draw the map; its ground is never stored. Files
go by the names that pysc2 and python-sc2 programs ask for, which are listed in
``envs/data/engine_maps.csv``; only the names are those of other maps.
"""

import json
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.engine.errors import MapError
from envs.engine.map_checks import Layout
from envs.engine.map_generator import (
    SMALLEST_FLAT_SIDE,
    SMALLEST_MELEE_SIDE,
    flat_layout,
    melee_layout,
)
from envs.engine.map_sketch import LOW
from envs.engine.mini_game_stage import MINI_GAME_MAP_SIDE
from envs.engine.minigames import mini_games
from envs.engine.resource_fields import Resource, resource_field
from envs.engine.unit_tables import read_rows

MAP_SUFFIX = ".SC2Map"
LARGEST_SIDE = 256
MAX_BASES = 10
MAX_ROCKS = 32

_FORMAT, _VERSION = "LatentStar map", 1
_MAX_FILE_BYTES = 4096
_MAX_NAME_LENGTH = 64
_MAPS_IN_MEMORY = 16


@dataclass(frozen=True, kw_only=True, eq=False)
class GameMap:
    """The ground of a game before anything stands on it; grids are by row from y = 0, then column.

    Attributes:
        name: as games tell it to clients.
        width: in cells.
        height: in cells.
        terrain_height: in the API's unit; a height of (value - 127) / 8 world units.
        pathable: 1 where the ground can be walked on.
        buildable: 1 where buildings may stand.
        playable: left, bottom, right and top of the part that is played on, the last two excluded.
        starts: town halls at the start, by player.
        resources: minerals and geysers.
        expansions: all places for town halls: the starts by player, then as many at a time as
            there are players, each one's next nearest base by ground. ``expansions[i::n]`` are thus
            the ``i``-th of ``n`` players' own, from the main base on.
        num_players: how many take part.
        mini_game: the mini-game that is played on it, if any.
    """

    name: str
    width: int
    height: int
    terrain_height: NDArray[np.uint8]
    pathable: NDArray[np.uint8]
    buildable: NDArray[np.uint8]
    playable: tuple[int, int, int, int]
    starts: tuple[tuple[float, float], ...]
    resources: tuple[Resource, ...]
    expansions: tuple[tuple[float, float], ...]
    num_players: int
    mini_game: str | None


@dataclass(frozen=True, kw_only=True)
class MapFile:
    """A map that is served.

    Attributes:
        path: under a folder of maps, with forward slashes.
        name: as games tell it to clients; the Battle.net name where there is one.
        num_players: how many take part.
    """

    path: str
    name: str
    num_players: int


class MapKind(StrEnum):
    """How a map is made."""

    MELEE = "melee"
    FLAT = "flat"
    MINI_GAME = "mini_game"


@dataclass(frozen=True, kw_only=True)
class _Recipe:
    """All that a map file says; a value that its kind has no use for is 0."""

    name: str
    kind: MapKind
    seed: int = 0
    width: int = 0
    height: int = 0
    bases: int = 0  # a player
    rocks: int = 0  # a player, where there is room

    def __post_init__(self) -> None:
        if not (0 < len(self.name) <= _MAX_NAME_LENGTH and self.name.isprintable()):
            raise MapError(f"a map's name has 1 to {_MAX_NAME_LENGTH} letters, got {self.name!r}")
        if self.kind is MapKind.MINI_GAME:
            if self.name not in mini_games():
                raise MapError(f"there is no mini-game {self.name!r}")
            return
        smallest = SMALLEST_MELEE_SIDE if self.kind is MapKind.MELEE else SMALLEST_FLAT_SIDE
        for side in (self.width, self.height):
            if side % 8 or not smallest <= side <= LARGEST_SIDE:
                raise MapError(
                    f"sides of a {self.kind} map are multiples of 8 from {smallest} to"
                    f" {LARGEST_SIDE}, got {side}"
                )
        fewest = 2 if self.kind is MapKind.MELEE else 1
        if not fewest <= self.bases <= MAX_BASES:
            raise MapError(
                f"a {self.kind} map has {fewest} to {MAX_BASES} bases a player, got {self.bases}"
            )
        if not 0 <= self.rocks <= MAX_ROCKS:
            raise MapError(f"a map has 0 to {MAX_ROCKS} rocks a player, got {self.rocks}")
        if not 0 <= self.seed < 1 << 64:
            raise MapError(f"a map's seed is below 2 ** 64 and not negative, got {self.seed}")


def read_map(data: bytes) -> GameMap:
    """Return the map that a map file names.

    Its grids are shared among all who read the same file, and cannot be written to.

    Raises:
        MapError: it is no map file of the engine, or asks for a map that cannot be made.
    """
    return _game_map(_read_recipe(data))


def map_bytes(name: str) -> bytes:
    """Return the file of a map that is served.

    Args:
        name: its path, the path's last part with or without suffix, or the name that games tell.

    Raises:
        MapError: there is no such map.
    """
    recipes = _recipes()
    file = PurePosixPath(name.replace("\\", "/")).name.removesuffix(MAP_SUFFIX)
    for path, recipe in recipes.items():
        if file == PurePosixPath(path).name.removesuffix(MAP_SUFFIX):
            return _file_of(recipe)
    for recipe in recipes.values():
        if name == recipe.name:
            return _file_of(recipe)
    raise MapError(f"there is no map {name!r}")


@cache
def map_files() -> tuple[MapFile, ...]:
    """Return all maps that are served."""
    return tuple(
        MapFile(path=path, name=recipe.name, num_players=_num_players(recipe))
        for path, recipe in _recipes().items()
    )


@cache
def _recipes() -> dict[str, _Recipe]:
    """Return how every map that is served is made, by path."""
    return {
        f"{row['directory']}/{row['file']}{MAP_SUFFIX}": _Recipe(
            name=row["name"],
            kind=MapKind(row["kind"]),
            seed=int(row["seed"]),
            width=int(row["width"]),
            height=int(row["height"]),
            bases=int(row["bases"]),
            rocks=int(row["rocks"]),
        )
        for row in read_rows("engine_maps.csv")
    }


def _num_players(recipe: _Recipe) -> int:
    return 1 if recipe.kind is MapKind.MINI_GAME else 2


def _file_of(recipe: _Recipe) -> bytes:
    table = {"format": _FORMAT, "version": _VERSION, **asdict(recipe)}
    return (json.dumps(table, indent=1) + "\n").encode()


def _read_recipe(data: bytes) -> _Recipe:
    if data.startswith(b"MPQ"):
        raise MapError("this is a map of StarCraft II itself, which the engine cannot read")
    if len(data) > _MAX_FILE_BYTES:
        raise MapError(f"a map file has at most {_MAX_FILE_BYTES} bytes, got {len(data)}")
    try:
        table: Any = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise MapError("this is no map file of the engine: it is not JSON") from error
    if not isinstance(table, dict) or table.pop("format", None) != _FORMAT:
        raise MapError(f"this is no map file of the engine: its format is not {_FORMAT!r}")
    version = table.pop("version", None)
    if version != _VERSION:
        raise MapError(f"a map file's version is {_VERSION}, got {version!r}")
    wanted = {field.name: field.type for field in fields(_Recipe)}
    if set(table) != set(wanted):
        raise MapError(f"a map file says {', '.join(wanted)}, all of it and nothing else")
    for name, kind in wanted.items():
        expected = int if kind is int else str
        if type(table[name]) is not expected:
            raise MapError(f"{name} of a map is {expected.__name__}, got {table[name]!r}")
    if table["kind"] not in list(MapKind):
        raise MapError(f"a map is {', '.join(MapKind)}, got {table['kind']!r}")
    return _Recipe(**{**table, "kind": MapKind(table["kind"])})


@lru_cache(maxsize=_MAPS_IN_MEMORY)
def _game_map(recipe: _Recipe) -> GameMap:
    if recipe.kind is MapKind.MINI_GAME:
        return _mini_game_map(recipe.name)
    if recipe.kind is MapKind.MELEE:
        layout = melee_layout(
            seed=recipe.seed,
            width=recipe.width,
            height=recipe.height,
            bases=recipe.bases,
            rocks=recipe.rocks,
        )
    else:
        layout = flat_layout(
            seed=recipe.seed, width=recipe.width, height=recipe.height, bases=recipe.bases
        )
    return _melee_map(recipe, layout)


def _melee_map(recipe: _Recipe, layout: Layout) -> GameMap:
    num_players = _num_players(recipe)
    expansions = tuple(base.centre for base in layout.bases)
    return GameMap(
        name=recipe.name,
        width=recipe.width,
        height=recipe.height,
        terrain_height=_frozen(layout.terrain_height),
        pathable=_frozen(layout.pathable),
        buildable=_frozen(layout.buildable),
        playable=layout.playable,
        starts=expansions[:num_players],
        resources=tuple(found for base in layout.bases for found in resource_field(base)),
        expansions=expansions,
        num_players=num_players,
        mini_game=None,
    )


def _mini_game_map(name: str) -> GameMap:
    stage = mini_games()[name]().stage
    side = MINI_GAME_MAP_SIDE
    open_cells = np.zeros((side, side), np.uint8)
    arena = stage.arena
    open_cells[arena.bottom : arena.top, arena.left : arena.right] = 1
    expansions = tuple(base.centre for base in stage.bases)
    return GameMap(
        name=name,
        width=side,
        height=side,
        terrain_height=_frozen(np.full((side, side), LOW, np.uint8)),
        pathable=_frozen(open_cells),
        buildable=_frozen(open_cells),
        playable=(arena.left, arena.bottom, arena.right, arena.top),
        starts=(expansions or (arena.centre,))[:1],
        resources=stage.resources,
        expansions=expansions,
        num_players=1,
        mini_game=name,
    )


def _frozen(grid: NDArray[np.uint8]) -> NDArray[np.uint8]:
    grid.flags.writeable = False
    return grid
