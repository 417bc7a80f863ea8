"""The messages of an observation, read from the bytes into arrays by compiled code.

Readers go through a message field by field (see ``wire_fields``) and are told where it ends.
What a message holds in parts is read in parts: nothing is set back when one begins, but for the
members of repeated fields, of which each is a thing of its own.

Number 2 of what is called here: to be raised with each change of ``wire_fields.py`` and
``wire_units.py``, since numba would go on with the machine code that it has kept for this text.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from envs.wire_columns import Image, ImageColumn, ScoreMeasure
from envs.wire_fields import (
    BYTES,
    FIXED_32,
    FROM_1_TO_4,
    LOW_32,
    SIGNED,
    SKIPPED,
    UNSIGNED,
    VARINT,
    narrowed,
    read_float,
    read_floats,
    read_head,
    read_number,
    read_repeated,
    read_scalars,
    read_span,
    skip,
)
from envs.wire_units import read_unit, whole, write_unit


class Target(NamedTuple):
    """What readers write to; rows for which there is no room are counted only."""

    counts: NDArray[np.int64]  # by UNITS to RESULTS
    scalars: NDArray[np.int64]  # by GAME_LOOP to NUM_PARTS
    player: NDArray[np.int64]  # PlayerColumn
    score: NDArray[np.float64]  # ScoreMeasure by category; a rate is in the first
    units: NDArray[np.int64]  # by UnitColumn
    measures: NDArray[np.float32]  # by UnitMeasure
    upgrades: NDArray[np.int64]
    dead_units: NDArray[np.int64]
    effects: NDArray[np.int64]  # by EffectColumn
    effect_measures: NDArray[np.float32]  # by EffectMeasure
    results: NDArray[np.int64]  # player, result
    images: NDArray[np.int64]  # Image by ImageColumn
    functions: NDArray[np.int64]  # action type by ability
    pixels: NDArray[np.float64]  # scales of x and y, and the map's height
    numbers: NDArray[np.int64]  # NUM_PLACES: of the unit that is being read
    floats: NDArray[np.float64]  # NUM_PLACES: of the unit that is being read


UNITS, UPGRADES, DEAD_UNITS, EFFECTS, RESULTS, NUM_COUNTS = range(6)
GAME_LOOP, SCORE, NUM_PARTS, NUM_SCALARS = range(4)

# By field: the columns of PlayerCommon and Size2DI, the pictures of MapState and minimap.
_OF_PLAYER = np.array([-1, 0, 1, 2, 4, 3, 5, 6, 7, 8, 9, 10])
# By field of ScoreDetails: what it tells.
_OF_DETAILS = np.full(22, -1)
_OF_DETAILS[[9, 10]] = ScoreMeasure.MINERALS_RATE, ScoreMeasure.VESPENE_RATE
_OF_DETAILS[[14, 15]] = ScoreMeasure.MINERALS_KILLED, ScoreMeasure.VESPENE_KILLED
_OF_DETAILS[[16, 17]] = ScoreMeasure.MINERALS_LOST, ScoreMeasure.VESPENE_LOST
_OF_DETAILS[[20, 21]] = ScoreMeasure.MINERALS_IN_ARMY, ScoreMeasure.VESPENE_IN_ARMY
NUM_CATEGORIES = 5
_ARMY, _TECHNOLOGY = 1, 3
# By ScoreMeasure: the first and the last category that count.
_COUNTED = np.full((len(ScoreMeasure), 2), (_ARMY, _TECHNOLOGY))
_COUNTED[[ScoreMeasure.MINERALS_RATE, ScoreMeasure.VESPENE_RATE]] = 0
_COUNTED[[ScoreMeasure.MINERALS_IN_ARMY, ScoreMeasure.VESPENE_IN_ARMY]] = _ARMY
_OF_SIZE = np.array([-1, int(ImageColumn.WIDTH), int(ImageColumn.HEIGHT)])
_OF_MAP_STATE = np.array([-1, int(Image.VISIBILITY), int(Image.CREEP)])
_OF_MINIMAP = np.array(
    [
        -1,
        int(Image.MINIMAP_HEIGHT),
        int(Image.MINIMAP_VISIBILITY),
        int(Image.MINIMAP_CREEP),
        int(Image.MINIMAP_CAMERA),
        int(Image.MINIMAP_PLAYER_ID),
        int(Image.MINIMAP_PLAYER_RELATIVE),
        int(Image.MINIMAP_SELECTED),
        int(Image.MINIMAP_UNIT_TYPE),
        int(Image.MINIMAP_ALERTS),
        int(Image.MINIMAP_BUILDABLE),
        int(Image.MINIMAP_PATHABLE),
    ]
)
_EFFECT_ID, _EFFECT_ALLIANCE, _EFFECT_OWNER, _EFFECT_RADIUS = 1, 3, 4, 5  # fields of Effect
_EFFECT_WIDTHS = np.array([SKIPPED, UNSIGNED, SKIPPED, FROM_1_TO_4, SIGNED])
_BITS, _START, _STOP = int(ImageColumn.BITS), int(ImageColumn.START), int(ImageColumn.STOP)
_LAST_ANSWER = 22  # of a Response's fields, the last that is an answer of its own


@njit(cache=True)
def read_response(data: NDArray[np.uint8], at: int, end: int, target: Target) -> int:
    """Read a Response that answers with an observation, and is damaged where it does not."""
    while at < end:
        field, kind, at = read_head(data, at, end)
        if kind == BYTES and field <= _LAST_ANSWER:
            start, at = read_span(data, at, end)
            if field != 10 or at > end or read_observation(data, start, at, target) != at:
                return end + 1
        else:
            at = skip(data, at, end, kind)
    return at


@njit(cache=True)
def read_observation(data: NDArray[np.uint8], at: int, end: int, target: Target) -> int:
    """Read a ResponseObservation."""
    while at < end:
        field, kind, at = read_head(data, at, end)
        if kind == BYTES and (field == 3 or field == 4):
            start, at = read_span(data, at, end)
            if at > end:
                return at
            if field == 3:
                target.scalars[NUM_PARTS] += 1
                ended = _read_state(data, start, at, target)
            else:
                ended = _read_result(data, start, at, target)
            if ended != at:
                return end + 1
        else:
            at = skip(data, at, end, kind)
    return at


@njit(cache=True)
def _read_state(data: NDArray[np.uint8], at: int, end: int, target: Target) -> int:
    """Read an Observation."""
    while at < end:
        field, kind, at = read_head(data, at, end)
        if kind == VARINT and field == 9:
            value, at = read_number(data, at, end)
            target.scalars[GAME_LOOP] = value & LOW_32
        elif kind == BYTES and (field == 1 or 4 <= field <= 6):
            start, at = read_span(data, at, end)
            if at > end:
                return at
            if field == 1:
                ended = read_scalars(data, start, at, _OF_PLAYER, UNSIGNED, target.player)
            elif field == 4:
                ended = _read_score(data, start, at, target)
            elif field == 5:
                ended = _read_raw(data, start, at, target)
            else:
                ended = _read_feature_layers(data, start, at, target)
            if ended != at:
                return end + 1
        else:
            at = skip(data, at, end, kind)
    return at


@njit(cache=True)
def _read_score(data: NDArray[np.uint8], at: int, end: int, target: Target) -> int:
    """Read a Score."""
    while at < end:
        field, kind, at = read_head(data, at, end)
        if kind == VARINT and field == 7:
            value, at = read_number(data, at, end)
            target.scalars[SCORE] = narrowed(value, SIGNED, 0)
        elif kind == BYTES and field == 8:
            start, at = read_span(data, at, end)
            if at > end or _read_score_details(data, start, at, target.score) != at:
                return end + 1
        else:
            at = skip(data, at, end, kind)
    return at


@njit(cache=True)
def _read_score_details(
    data: NDArray[np.uint8], at: int, end: int, score: NDArray[np.float64]
) -> int:
    """Read a ScoreDetails."""
    while at < end:
        field, kind, at = read_head(data, at, end)
        column = _OF_DETAILS[field] if field < len(_OF_DETAILS) else -1
        if kind == FIXED_32 and column >= 0:
            score[column, 0], at = read_float(data, at, end)
        elif kind == BYTES and column >= 0:
            start, at = read_span(data, at, end)
            if at > end or read_floats(data, start, at, score[column]) != at:
                return end + 1
        else:
            at = skip(data, at, end, kind)
    return at


@njit(cache=True)
def sum_score(score: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the measures of a score that was read by category."""
    sums = np.zeros(len(score), np.float64)
    for i in range(len(score)):
        for category in range(_COUNTED[i, 0], _COUNTED[i, 1] + 1):
            sums[i] += score[i, category]
    return sums


@njit(cache=True)
def _read_raw(  # noqa: C901  # one case a field; what each unit needs is taken from the target once
    data: NDArray[np.uint8], at: int, end: int, target: Target
) -> int:
    """Read an ObservationRaw."""
    counts, units, measures = target.counts, target.units, target.measures
    numbers, floats = target.numbers, target.floats
    functions, pixels = target.functions, target.pixels
    while at < end:
        field, kind, at = read_head(data, at, end)
        if kind != BYTES:
            at = skip(data, at, end, kind)
            continue
        start, at = read_span(data, at, end)
        if at > end:
            return at
        ended = at
        if field == 2:  # a unit, and a row of it, if there is room for one
            place = counts[UNITS]
            counts[UNITS] = place + 1
            if place < len(units):
                ended = read_unit(data, start, at, numbers, floats)
                write_unit(numbers, floats, functions, pixels, place, units, measures)
        elif field == 1:
            ended = read_repeated(data, start, at, 3, LOW_32, target.upgrades, counts, UPGRADES)
        elif field == 3:
            ended = _read_images(data, start, at, _OF_MAP_STATE, target.images)
        elif field == 4:
            ended = read_repeated(data, start, at, 1, -1, target.dead_units, counts, DEAD_UNITS)
        elif field == 5:
            ended = _read_effect(data, start, at, target)
        if ended != at:
            return end + 1
    return at


@njit(cache=True)
def _read_effect(data: NDArray[np.uint8], at: int, end: int, target: Target) -> int:
    """Read an effect: what it is, wherever in the message that stands, and then its places."""
    numbers, floats = target.numbers, target.floats
    numbers[_EFFECT_ID], numbers[_EFFECT_ALLIANCE], numbers[_EFFECT_OWNER] = 0, 1, 0
    floats[_EFFECT_RADIUS] = 0.0
    first = at
    while at < end:
        field, kind, at = read_head(data, at, end)
        if kind == VARINT and field < len(_EFFECT_WIDTHS) and _EFFECT_WIDTHS[field] != SKIPPED:
            value, at = read_number(data, at, end)
            numbers[field] = narrowed(value, _EFFECT_WIDTHS[field], numbers[field])
        elif kind == FIXED_32 and field == _EFFECT_RADIUS:
            floats[_EFFECT_RADIUS], at = read_float(data, at, end)
        else:
            at = skip(data, at, end, kind)
    return _read_places(data, first, end, target) if at == end else at


@njit(cache=True)
def _read_places(data: NDArray[np.uint8], at: int, end: int, target: Target) -> int:
    """Make a row of each place of the effect that was read."""
    numbers, point, pixels = target.numbers, target.floats[:2], target.pixels
    radius = target.floats[_EFFECT_RADIUS]
    while at < end:
        field, kind, at = read_head(data, at, end)
        if kind != BYTES or field != 2:
            at = skip(data, at, end, kind)
            continue
        start, at = read_span(data, at, end)
        point[:] = 0.0
        if at > end or read_floats(data, start, at, point) != at:
            return end + 1
        place = target.counts[EFFECTS]
        target.counts[EFFECTS] = place + 1
        if place < len(target.effects):
            row, measure = target.effects[place], target.effect_measures[place]
            row[0], row[1] = numbers[_EFFECT_ID], numbers[_EFFECT_ALLIANCE]
            row[2], row[3] = numbers[_EFFECT_OWNER], whole(radius)
            row[4] = whole(np.floor(point[0] * pixels[0]))
            row[5] = whole(np.floor((pixels[2] - point[1]) * pixels[1]))
            measure[0], measure[1], measure[2] = point[0], point[1], radius
    return at


@njit(cache=True)
def _read_result(data: NDArray[np.uint8], at: int, end: int, target: Target) -> int:
    """Read a PlayerResult."""
    player, result = 0, 1
    while at < end:
        field, kind, at = read_head(data, at, end)
        if kind == VARINT and (field == 1 or field == 2):
            value, at = read_number(data, at, end)
            if field == 1:
                player = value & LOW_32
            else:
                result = narrowed(value, FROM_1_TO_4, result)
        else:
            at = skip(data, at, end, kind)
    place = target.counts[RESULTS]
    target.counts[RESULTS] = place + 1
    if place < len(target.results):
        target.results[place, 0], target.results[place, 1] = player, result
    return at


@njit(cache=True)
def _read_feature_layers(data: NDArray[np.uint8], at: int, end: int, target: Target) -> int:
    """Read an ObservationFeatureLayer, of which the minimap alone is wanted."""
    while at < end:
        field, kind, at = read_head(data, at, end)
        if kind == BYTES and field == 2:
            start, at = read_span(data, at, end)
            if at > end or _read_images(data, start, at, _OF_MINIMAP, target.images) != at:
                return end + 1
        else:
            at = skip(data, at, end, kind)
    return at


@njit(cache=True)
def _read_images(
    data: NDArray[np.uint8],
    at: int,
    end: int,
    rows: NDArray[np.int64],
    images: NDArray[np.int64],
) -> int:
    """Read where the pictures of a message are, by the rows that their fields have."""
    while at < end:
        field, kind, at = read_head(data, at, end)
        if kind == BYTES and field < len(rows) and rows[field] >= 0:
            start, at = read_span(data, at, end)
            if at > end or _read_image(data, start, at, images[rows[field]]) != at:
                return end + 1
        else:
            at = skip(data, at, end, kind)
    return at


@njit(cache=True)
def _read_image(data: NDArray[np.uint8], at: int, end: int, image: NDArray[np.int64]) -> int:
    """Read an ImageData."""
    while at < end:
        field, kind, at = read_head(data, at, end)
        if kind == VARINT and field == 1:
            value, at = read_number(data, at, end)
            image[_BITS] = narrowed(value, SIGNED, 0)
        elif kind == BYTES and field == 2:
            start, at = read_span(data, at, end)
            if at > end or read_scalars(data, start, at, _OF_SIZE, SIGNED, image) != at:
                return end + 1
        elif kind == BYTES and field == 3:
            image[_START], at = read_span(data, at, end)
            image[_STOP] = at
        else:
            at = skip(data, at, end, kind)
    return at
