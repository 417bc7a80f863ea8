"""The minimap as layers of pixels, row 0 at the top: what pysc2 programs look at.

A map is drawn at the upper left of a square, scaled by its longer side, as the real game does.
"""

import numpy as np
from numpy.typing import NDArray
from s2clientprotocol import common_pb2 as common_pb
from s2clientprotocol import spatial_pb2 as spatial_pb

from envs.engine.compiled import Array, Record, compiled, inlined
from envs.engine.layout import CELL_BITS, MAX_SIDE, ONE, Clock, World

_NUM_ALIVE = int(Clock.NUM_ALIVE)
_SELF, _ALLY, _NEUTRAL, _ENEMY = 1, 2, 3, 4
_NEUTRAL_OWNER = 16
_SEEN = 2
_CAMERA_WIDTH, _CAMERA_HEIGHT = 24, 18  # cells


class Minimap:
    """Draws the minimap of one match at one size."""

    def __init__(self, world: World, side: int) -> None:
        self._world = world
        self._side = side
        height, width = world.pathable.shape
        longer = max(height, width)
        pixels = np.arange(side) * longer // side
        rows, columns = height - 1 - pixels[:, None], pixels[None]
        is_inside = (rows >= 0) & (columns < width)
        beside = MAX_SIDE * MAX_SIDE - 1  # of a map that is not square, or smaller: always 0
        self._cells = np.where(is_inside, rows * MAX_SIDE + columns, beside)
        self._everything = np.where(is_inside, np.uint8(_SEEN), np.uint8(0))
        self._height = self._sampled("height")
        self._pathable = _packed(self._sampled("pathable"))
        self._buildable = _packed(self._sampled("buildable"))

    def layers(
        self,
        player: int,
        *,
        sees_all: bool,
        camera: tuple[float, float],
        alerts: NDArray[np.int32],
    ) -> spatial_pb.FeatureLayersMinimap:
        """Return all layers as a player sees them.

        Args:
            player: whose eyes to see with; 0 for an observer.
            sees_all: whether there is no fog.
            camera: where it looks, in world units.
            alerts: slots of the player's units that call for attention.
        """
        world, side = self._world, self._side
        visibility = self._everything if sees_all else self._sampled("visibility", player)
        owners = np.zeros((side, side), np.uint8)
        relative = np.zeros((side, side), np.uint8)
        scale = side / max(world.pathable.shape)
        draw_units(world.record, player, sees_all, scale, owners, relative)
        remembered = self._sampled("creep_seen", player)
        creep = np.where(visibility == _SEEN, self._sampled("creep"), remembered)
        return spatial_pb.FeatureLayersMinimap(
            height_map=_image(self._height, 8),
            visibility_map=_image(visibility, 8),
            creep=self._bits(_packed(creep)),
            camera=self._bits(_packed(self._camera(camera, scale))),
            player_id=_image(owners, 8),
            player_relative=_image(relative, 8),
            selected=self._bits(bytes((side * side + 7) // 8)),
            alerts=_image(self._alerts(alerts, scale), 8),
            buildable=self._bits(self._buildable),
            pathable=self._bits(self._pathable),
        )

    def _sampled(self, grid: str, player: int | None = None) -> NDArray[np.uint8]:
        """Return a field of the world's grids, or a player's own, as pixels."""
        cells = self._world.record[grid][0]
        picture: NDArray[np.uint8] = (cells if player is None else cells[player]).take(self._cells)
        return picture

    def _alerts(self, slots: NDArray[np.int32], scale: float) -> NDArray[np.uint8]:
        picture = np.zeros((self._side, self._side), np.uint8)
        if not len(slots):
            return picture
        x = self._world.units["x"][slots] / ONE
        y = self._world.pathable.shape[0] - self._world.units["y"][slots] / ONE
        last = self._side - 1
        rows, columns = (np.clip(place * scale, 0, last).astype(int) for place in (y, x))
        picture[rows, columns] = 1
        return picture

    def _bits(self, data: bytes) -> common_pb.ImageData:
        size = common_pb.Size2DI(x=self._side, y=self._side)
        return common_pb.ImageData(bits_per_pixel=1, size=size, data=data)

    def _camera(self, camera: tuple[float, float], scale: float) -> NDArray[np.uint8]:
        picture = np.zeros((self._side, self._side), np.uint8)
        x, y = camera[0], self._world.pathable.shape[0] - camera[1]
        top, bottom = (y - _CAMERA_HEIGHT / 2) * scale, (y + _CAMERA_HEIGHT / 2) * scale
        left, right = (x - _CAMERA_WIDTH / 2) * scale, (x + _CAMERA_WIDTH / 2) * scale
        rows = slice(max(0, round(top)), max(0, round(bottom)))
        picture[rows, max(0, round(left)) : max(0, round(right))] = 1
        return picture


def _packed(grid: NDArray[np.uint8]) -> bytes:
    return np.packbits(grid != 0).tobytes()


def _image(grid: NDArray[np.uint8], bits: int) -> common_pb.ImageData:
    height, width = grid.shape
    size = common_pb.Size2DI(x=width, y=height)
    return common_pb.ImageData(bits_per_pixel=bits, size=size, data=grid.tobytes())


@compiled
def draw_units(
    record: Array, player: int, sees_all: bool, scale: float, owners: Array, relative: Array
) -> None:
    """Draw each unit that a player sees or remembers as a square of its size."""
    world = record[0]
    for i in range(world.clock[_NUM_ALIVE]):
        slot = world.alive[i]
        unit = world.units[slot]
        if unit.carrier != 0:
            continue
        if player == 0 or sees_all or unit.visible_to & (1 << player) != 0:
            radius = world.types[unit.owner, unit.type].radius
            _draw(world, player, unit.owner, unit.x, unit.y, radius, scale, owners, relative)
        elif unit.owner == 0 or world.snapshots[player, slot].tag != 0:
            x, y = unit.x, unit.y
            if unit.owner != 0:
                x, y = world.snapshots[player, slot].x, world.snapshots[player, slot].y
            radius = world.types[unit.owner, unit.type].radius
            _draw(world, player, unit.owner, x, y, radius, scale, owners, relative)


@inlined
def _draw(
    world: Record,
    player: int,
    owner: int,
    x: int,
    y: int,
    radius: int,
    scale: float,
    owners: Array,
    relative: Array,
) -> None:
    side = owners.shape[0]
    one = 1 << CELL_BITS
    centre_x = x / one * scale
    centre_y = (world.rows - y / one) * scale
    reach = radius / one * scale
    first_row, last_row = int(max(centre_y - reach, 0)), int(min(centre_y + reach, side - 1))
    first_column, last_column = int(max(centre_x - reach, 0)), int(min(centre_x + reach, side - 1))
    others = _ALLY if player == 0 else _ENEMY
    whose = _NEUTRAL if owner == 0 else _SELF if owner == player else others
    for row in range(first_row, last_row + 1):
        for column in range(first_column, last_column + 1):
            owners[row, column] = owner if owner != 0 else _NEUTRAL_OWNER
            relative[row, column] = whose
