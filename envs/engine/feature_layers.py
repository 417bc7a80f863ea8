"""The minimap as layers of pixels, row 0 at the top: what pysc2 programs look at.

A map is drawn at the upper left, each axis scaled so that the map's longer side would fill it, as
the real game does.
"""

import numpy as np
from numpy.typing import NDArray
from s2clientprotocol import common_pb2 as common_pb
from s2clientprotocol import spatial_pb2 as spatial_pb

from envs.engine.compiled import Array, Record, compiled, inlined
from envs.engine.layout import CELL_BITS, MAX_SIDE, MAX_UNITS, ONE, Clock, World

_NUM_ALIVE = int(Clock.NUM_ALIVE)
_SELF, _ALLY, _NEUTRAL, _ENEMY = 1, 2, 3, 4
_NEUTRAL_OWNER = 16
_SEEN = 2
_CAMERA_WIDTH, _CAMERA_HEIGHT = 24, 18  # cells


class Minimap:
    """Draws the minimap of one match at one size."""

    def __init__(self, world: World, size: common_pb.Size2DI) -> None:
        self._world = world
        self._shape = size.y, size.x
        height, width = world.pathable.shape
        longer = max(height, width)
        self._scale_x, self._scale_y = size.x / longer, size.y / longer
        rows = height - 1 - np.arange(size.y)[:, None] * longer // size.y
        columns = np.arange(size.x)[None] * longer // size.x
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
        world = self._world
        visibility = self._everything if sees_all else self._sampled("visibility", player)
        owners, relative = self._blank(), self._blank()
        scales = self._scale_x, self._scale_y
        draw_units(world.record, player, sees_all, scales, owners, relative)
        remembered = self._sampled("creep_seen", player)
        creep = np.where(visibility == _SEEN, self._sampled("creep"), remembered)
        return spatial_pb.FeatureLayersMinimap(
            height_map=_image(self._height, 8),
            visibility_map=_image(visibility, 8),
            creep=self._bits(_packed(creep)),
            camera=self._bits(_packed(self._camera(camera))),
            player_id=_image(owners, 8),
            player_relative=_image(relative, 8),
            selected=self._bits(_packed(self._blank())),
            alerts=_image(self._alerts(alerts), 8),
            buildable=self._bits(self._buildable),
            pathable=self._bits(self._pathable),
        )

    def _sampled(self, grid: str, player: int | None = None) -> NDArray[np.uint8]:
        """Return a field of the world's grids, or a player's own, as pixels."""
        cells = self._world.record[grid][0]
        picture: NDArray[np.uint8] = (cells if player is None else cells[player]).take(self._cells)
        return picture

    def _blank(self) -> NDArray[np.uint8]:
        return np.zeros(self._shape, np.uint8)

    def _alerts(self, slots: NDArray[np.int32]) -> NDArray[np.uint8]:
        picture = self._blank()
        x = self._world.units["x"][slots] / ONE
        y = self._world.pathable.shape[0] - self._world.units["y"][slots] / ONE
        last_row, last_column = self._shape[0] - 1, self._shape[1] - 1
        rows = np.clip(y * self._scale_y, 0, last_row).astype(int)
        columns = np.clip(x * self._scale_x, 0, last_column).astype(int)
        picture[rows, columns] = 1
        return picture

    def _bits(self, data: bytes) -> common_pb.ImageData:
        size = common_pb.Size2DI(x=self._shape[1], y=self._shape[0])
        return common_pb.ImageData(bits_per_pixel=1, size=size, data=data)

    def _camera(self, camera: tuple[float, float]) -> NDArray[np.uint8]:
        picture = self._blank()
        x, y = camera[0], self._world.pathable.shape[0] - camera[1]
        top, bottom = (
            max(0, round((y + edge) * self._scale_y))
            for edge in (-_CAMERA_HEIGHT / 2, _CAMERA_HEIGHT / 2)
        )
        left, right = (
            max(0, round((x + edge) * self._scale_x))
            for edge in (-_CAMERA_WIDTH / 2, _CAMERA_WIDTH / 2)
        )
        picture[top:bottom, left:right] = 1
        return picture


def _packed(grid: NDArray[np.uint8]) -> bytes:
    return np.packbits(grid != 0).tobytes()


def _image(grid: NDArray[np.uint8], bits: int) -> common_pb.ImageData:
    height, width = grid.shape
    size = common_pb.Size2DI(x=width, y=height)
    return common_pb.ImageData(bits_per_pixel=bits, size=size, data=grid.tobytes())


@compiled
def draw_units(
    record: Array,
    player: int,
    sees_all: bool,
    scales: tuple[float, float],
    owners: Array,
    relative: Array,
) -> None:
    """Draw each unit that a player sees or remembers as a rectangle of its size."""
    world = record[0]
    for i in range(world.clock[_NUM_ALIVE]):
        slot = world.alive[i]
        unit = world.units[slot]
        if unit.carrier != 0:
            continue
        if player == 0 or sees_all or unit.visible_to & (1 << player) != 0:
            _draw(world, player, unit, scales, owners, relative)
        elif world.snapshots[player, slot].tag != 0:
            _draw(world, player, world.snapshots[player, slot], scales, owners, relative)
    if player != 0 and not sees_all:
        for i in range(MAX_UNITS, 2 * MAX_UNITS):
            if world.snapshots[player, i].tag == 0:
                break
            _draw(world, player, world.snapshots[player, i], scales, owners, relative)


@inlined
def _draw(
    world: Record,
    player: int,
    unit: Record,
    scales: tuple[float, float],
    owners: Array,
    relative: Array,
) -> None:
    """Draw a unit, or what is remembered of one."""
    one = 1 << CELL_BITS
    height, width = owners.shape
    radius = world.types[unit.owner, unit.type].radius / one
    x, y = unit.x / one, world.rows - unit.y / one
    first_row = int(max((y - radius) * scales[1], 0))
    last_row = int(min((y + radius) * scales[1], height - 1))
    first_column = int(max((x - radius) * scales[0], 0))
    last_column = int(min((x + radius) * scales[0], width - 1))
    others = _ALLY if player == 0 else _ENEMY
    whose = _NEUTRAL if unit.owner == 0 else _SELF if unit.owner == player else others
    for row in range(first_row, last_row + 1):
        for column in range(first_column, last_column + 1):
            owners[row, column] = unit.owner if unit.owner != 0 else _NEUTRAL_OWNER
            relative[row, column] = whose
