"""The SC2 API's observations as arrays, straight from the bytes; compiled, for either game.

A unit becomes the row that pysc2 makes of it, number for number, in a hundredth of the time:
protobuf's own objects are never made. Bytes that are no observation are refused.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.interface import raw_functions
from envs.wire_columns import (
    EffectColumn,
    EffectMeasure,
    Image,
    ImageColumn,
    PlayerColumn,
    ScoreMeasure,
    UnitColumn,
    UnitMeasure,
)
from envs.wire_readers import (
    DEAD_UNITS,
    EFFECTS,
    GAME_LOOP,
    NUM_CATEGORIES,
    NUM_COUNTS,
    NUM_PARTS,
    NUM_SCALARS,
    RESULTS,
    SCORE,
    UNITS,
    UPGRADES,
    Target,
    read_observation,
    read_response,
    sum_score,
)
from envs.wire_units import NUM_PLACES, name_add_ons

MAX_ROWS = 1 << 14
"""Units, effects or results in one observation; more are refused."""

_CELLS: dict[int, type[np.generic]] = {1: np.uint8, 8: np.uint8, 16: np.uint16, 32: np.int32}
# An enumeration takes longer to count than an array to make.
_NUM_PLAYER, _NUM_SCORE = len(PlayerColumn), len(ScoreMeasure)
_NUM_UNIT, _NUM_MEASURES = len(UnitColumn), len(UnitMeasure)
_NUM_EFFECT, _NUM_EFFECT_MEASURES = len(EffectColumn), len(EffectMeasure)
_NUM_IMAGES, _NUM_IMAGE = len(Image), len(ImageColumn)
_DAMAGED = "the bytes hold no observation: they are cut short, damaged or another message"


class Pixels(NamedTuple):
    """How pysc2 makes pixels of world positions: from the top, scaled by the longer side."""

    scale_x: float
    scale_y: float
    height: float  # of the map


class WireObservation(NamedTuple):
    """What an observation tells; rows are in the order of the bytes."""

    game_loop: int
    score: int
    player: NDArray[np.int64]  # PlayerColumn
    score_measures: NDArray[np.float64]  # ScoreMeasure
    units: NDArray[np.int64]  # by UnitColumn
    measures: NDArray[np.float32]  # of the same units, by UnitMeasure
    upgrades: NDArray[np.int64]  # ids
    dead_units: NDArray[np.int64]  # tags, since the last observation
    effects: NDArray[np.int64]  # by EffectColumn, one row a place
    effect_measures: NDArray[np.float32]  # of the same places, by EffectMeasure
    results: NDArray[np.int64]  # player and result; none before the game is over
    images: NDArray[np.int64]  # Image by ImageColumn; ``picture`` returns one


Room = tuple[int, int, int, int, int]
"""Numbers of units, upgrades, dead units, effects' places and results."""

NO_ROOM: Room = (0, 0, 0, 0, 0)


def pysc2_pixels(
    map_size: tuple[int, int], raw_resolution: tuple[int, int] | None = None
) -> Pixels:
    """Return the pixels of a map.

    Args:
        map_size: width and height in world units, as the game tells them.
        raw_resolution: what pysc2's interface was asked for; the map's size where nothing was.
    """
    width, height = raw_resolution or map_size
    if min(*map_size, width, height) < 1:
        raise ValueError(f"sides must be positive, got {map_size} and {raw_resolution}")
    longer = max(map_size)
    return Pixels(width / longer, height / longer, float(map_size[1]))


def decode_response(
    data: bytes | memoryview, pixels: Pixels, room: Room = NO_ROOM
) -> WireObservation:
    """Read the observation of a serialized ``Response``.

    Args:
        data: the bytes.
        pixels: of the map.
        room: for how many rows room is made at first. Where it suffices the bytes need not be
            counted before they are read; the result is the same.

    Raises:
        ValueError: the bytes hold none.
    """
    return _decode(read_response, data, pixels, room)


def decode_observation(data: bytes | memoryview, pixels: Pixels) -> WireObservation:
    """Read a serialized ``ResponseObservation``.

    Raises:
        ValueError: the bytes hold none.
    """
    return _decode(read_observation, data, pixels, NO_ROOM)


def picture(
    data: bytes | memoryview, observation: WireObservation, image: Image
) -> NDArray[np.generic] | None:
    """Return a picture by row and column, or nothing where the game sent none.

    Args:
        data: what the observation was read from; where a cell is whole bytes, they are not copied.
        observation: where the picture is.
        image: which one.

    Raises:
        ValueError: it has other bytes than its size asks for.
    """
    bits, width, height, start, stop = observation.images[image].tolist()
    if width == height == 0:
        return None
    if bits not in _CELLS or min(width, height) < 1:
        raise ValueError(f"{image.name} cannot be {width} x {height} cells of {bits} bits")
    content = np.frombuffer(data, np.uint8)[start:stop]
    if len(content) != (width * height * bits + 7) // 8:
        raise ValueError(
            f"{image.name} has {len(content)} bytes for {width} x {height} cells of {bits} bits"
        )
    if bits == 1:
        return np.unpackbits(content, count=width * height).reshape(height, width)
    return content.view(_CELLS[bits]).reshape(height, width)


def _decode(
    read: Callable[[NDArray[np.uint8], int, int, Target], int],
    data: bytes | memoryview,
    pixels: Pixels,
    room: Room,
) -> WireObservation:
    """Read as far as there is room; where there was too little, make room and read again."""
    if not data:
        raise ValueError(_DAMAGED)
    content = np.frombuffer(data, np.uint8)
    target = _target(room, pixels)
    if read(content, 0, len(content), target) != len(content) or not target.scalars[NUM_PARTS]:
        raise ValueError(_DAMAGED)
    counts = target.counts.tolist()
    num_rows = max(counts[UNITS], counts[EFFECTS], counts[RESULTS])
    if num_rows > MAX_ROWS:
        raise ValueError(f"an observation has at most {MAX_ROWS} rows of a kind, got {num_rows}")
    if any(count > given for count, given in zip(counts, room, strict=True)):
        target = _target(counts, pixels)
        if read(content, 0, len(content), target) != len(content):
            raise ValueError(_DAMAGED)
    units = target.units[: counts[UNITS]]
    name_add_ons(units)
    return WireObservation(
        game_loop=int(target.scalars[GAME_LOOP]),
        score=int(target.scalars[SCORE]),
        player=target.player,
        score_measures=sum_score(target.score),
        units=units,
        measures=target.measures[: counts[UNITS]],
        upgrades=target.upgrades[: counts[UPGRADES]],
        dead_units=target.dead_units[: counts[DEAD_UNITS]],
        effects=target.effects[: counts[EFFECTS]],
        effect_measures=target.effect_measures[: counts[EFFECTS]],
        results=target.results[: counts[RESULTS]],
        images=target.images,
    )


def _target(room: Sequence[int], pixels: Pixels) -> Target:
    return Target(
        counts=np.zeros(NUM_COUNTS, np.int64),
        scalars=np.zeros(NUM_SCALARS, np.int64),
        player=np.zeros(_NUM_PLAYER, np.int64),
        score=np.zeros((_NUM_SCORE, NUM_CATEGORIES), np.float64),
        units=np.empty((room[UNITS], _NUM_UNIT), np.int64),
        measures=np.empty((room[UNITS], _NUM_MEASURES), np.float32),
        upgrades=np.zeros(room[UPGRADES], np.int64),
        dead_units=np.zeros(room[DEAD_UNITS], np.int64),
        effects=np.zeros((room[EFFECTS], _NUM_EFFECT), np.int64),
        effect_measures=np.zeros((room[EFFECTS], _NUM_EFFECT_MEASURES), np.float32),
        results=np.zeros((room[RESULTS], 2), np.int64),
        images=np.zeros((_NUM_IMAGES, _NUM_IMAGE), np.int64),
        functions=_functions(),
        pixels=np.array(pixels, np.float64),
        numbers=np.zeros(NUM_PLACES, np.int64),
        floats=np.zeros(NUM_PLACES, np.float64),
    )


@cache
def _functions() -> NDArray[np.int64]:
    """Return each ability's first action type, 0 for none, which is how pysc2 names orders."""
    found = np.zeros(max(function.ability_id for function in raw_functions()) + 1, np.int64)
    for action_type, function in reversed(list(enumerate(raw_functions()))):
        found[function.ability_id] = action_type
    return found
