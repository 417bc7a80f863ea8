"""A unit, read from the bytes of an observation into the row that pysc2 makes of it; compiled."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from envs.wire_columns import UnitColumn
from envs.wire_fields import (
    BYTES,
    FIXED_32,
    FROM_0_TO_4,
    FROM_1_TO_4,
    LOW_32,
    SIGNED,
    SKIPPED,
    TRUTH,
    UNSIGNED,
    VARINT,
    WHOLE,
    append_numbers,
    narrowed,
    read_float,
    read_floats,
    read_head,
    read_number,
    read_span,
    skip,
)

NUM_PLACES = 64
"""A unit's numbers and floats are kept at the place of their field; what else there is, behind."""

_NUM_ORDERS, _NUM_BUFFS, _ORDER, _BUFF = 46, 47, 48, 54  # of numbers: five orders, two buffs
_PROGRESS, _PLACE = 48, 54  # of floats: five orders; x, y, z
_SPARE_ORDER = 4  # where all but the first four orders are put, and nothing looks

# Fields of Unit.
_DISPLAY_TYPE, _ALLIANCE, _POS, _FACING, _RADIUS, _ORDERS, _BUFF_IDS = 1, 2, 6, 7, 8, 22, 27

_COPIED = np.array(  # column, field, width
    [
        (UnitColumn.DISPLAY_TYPE, _DISPLAY_TYPE, FROM_1_TO_4),
        (UnitColumn.ALLIANCE, _ALLIANCE, FROM_1_TO_4),
        (UnitColumn.TAG, 3, WHOLE),
        (UnitColumn.UNIT_TYPE, 4, UNSIGNED),
        (UnitColumn.OWNER, 5, SIGNED),
        (UnitColumn.CLOAK, 10, FROM_0_TO_4),
        (UnitColumn.IS_SELECTED, 11, TRUTH),
        (UnitColumn.IS_ON_SCREEN, 12, TRUTH),
        (UnitColumn.IS_BLIP, 13, TRUTH),
        (UnitColumn.MINERAL_CONTENTS, 18, SIGNED),
        (UnitColumn.VESPENE_CONTENTS, 19, SIGNED),
        (UnitColumn.ADDON_UNIT_TYPE, 23, WHOLE),  # its tag, until all units are read
        (UnitColumn.CARGO_SPACE_TAKEN, 25, SIGNED),
        (UnitColumn.CARGO_SPACE_MAX, 26, SIGNED),
        (UnitColumn.ASSIGNED_HARVESTERS, 28, SIGNED),
        (UnitColumn.IDEAL_HARVESTERS, 29, SIGNED),
        (UnitColumn.IS_POWERED, 35, TRUTH),
        (UnitColumn.HALLUCINATION, 38, TRUTH),
        (UnitColumn.ACTIVE, 39, TRUTH),
        (UnitColumn.ATTACK_UPGRADE_LEVEL, 40, SIGNED),
        (UnitColumn.ARMOR_UPGRADE_LEVEL, 41, SIGNED),
        (UnitColumn.SHIELD_UPGRADE_LEVEL, 42, SIGNED),
        (UnitColumn.BUFF_DURATION_REMAIN, 43, SIGNED),
        (UnitColumn.BUFF_DURATION_MAX, 44, SIGNED),
        (UnitColumn.ORDER_LENGTH, _NUM_ORDERS, SKIPPED),
        (UnitColumn.BUFF_ID_0, _BUFF, SKIPPED),
        (UnitColumn.BUFF_ID_1, _BUFF + 1, SKIPPED),
    ]
)
_TRUNCATED = np.array(  # column, field, factor
    [
        (UnitColumn.HEALTH, 14, 1),
        (UnitColumn.SHIELD, 16, 1),
        (UnitColumn.ENERGY, 17, 1),
        (UnitColumn.FACING, _FACING, 1),
        (UnitColumn.WEAPON_COOLDOWN, 30, 1),
        (UnitColumn.BUILD_PROGRESS, 9, 100),
        (UnitColumn.ORDER_PROGRESS_0, _PROGRESS, 100),
        (UnitColumn.ORDER_PROGRESS_1, _PROGRESS + 1, 100),
    ]
)
_RATIOS = np.array(  # column, field, field of the most there can be
    [
        (UnitColumn.HEALTH_RATIO, 14, 15),
        (UnitColumn.SHIELD_RATIO, 16, 36),
        (UnitColumn.ENERGY_RATIO, 17, 37),
    ]
)
_ORDER_COLUMNS = np.array(
    [UnitColumn.ORDER_ID_0, UnitColumn.ORDER_ID_1, UnitColumn.ORDER_ID_2, UnitColumn.ORDER_ID_3]
)
_WIDTHS = np.zeros(NUM_PLACES, np.int64)
_WIDTHS[_COPIED[:, 1]] = _COPIED[:, 2]
_IS_FLOAT = np.zeros(NUM_PLACES, np.bool_)
_IS_FLOAT[[_FACING, _RADIUS, 9, 14, 15, 16, 17, 30, 36, 37]] = True

_X_COLUMN, _Y_COLUMN = int(UnitColumn.X), int(UnitColumn.Y)
_RADIUS_COLUMN, _TAG_COLUMN = int(UnitColumn.RADIUS), int(UnitColumn.TAG)
_TYPE_COLUMN, _ADD_ON_COLUMN = int(UnitColumn.UNIT_TYPE), int(UnitColumn.ADDON_UNIT_TYPE)
_IN_CARGO_COLUMN = int(UnitColumn.IS_IN_CARGO)
_FARTHEST = 2.0**62


@njit(cache=True)
def read_unit(
    data: NDArray[np.uint8],
    at: int,
    end: int,
    numbers: NDArray[np.int64],
    floats: NDArray[np.float64],
) -> int:
    """Read a unit, each field's value to its place; return the position come to."""
    numbers[:] = 0
    floats[:] = 0.0
    numbers[_DISPLAY_TYPE] = 1  # an enumeration that is not sent has its first value
    numbers[_ALLIANCE] = 1
    while at < end:
        field, kind, at = read_head(data, at, end)
        if kind == VARINT and field < NUM_PLACES and _WIDTHS[field] != SKIPPED:
            value, at = read_number(data, at, end)
            numbers[field] = narrowed(value, _WIDTHS[field], numbers[field])
        elif kind == FIXED_32 and field < NUM_PLACES and _IS_FLOAT[field]:
            floats[field], at = read_float(data, at, end)
        elif kind == BYTES and field == _POS:
            start, at = read_span(data, at, end)
            place = floats[_PLACE : _PLACE + 3]
            if at > end or read_floats(data, start, at, place) != at:
                return end + 1
        elif kind == BYTES and field == _ORDERS:
            start, at = read_span(data, at, end)
            if at > end or _read_order(data, start, at, numbers, floats) != at:
                return end + 1
        elif field == _BUFF_IDS and kind in (VARINT, BYTES):
            buffs = numbers[_BUFF : _BUFF + 2]
            numbers[_NUM_BUFFS], at = append_numbers(
                data, at, end, kind, LOW_32, buffs, numbers[_NUM_BUFFS]
            )
        else:
            at = skip(data, at, end, kind)
    return at


@njit(cache=True)
def _read_order(
    data: NDArray[np.uint8],
    at: int,
    end: int,
    numbers: NDArray[np.int64],
    floats: NDArray[np.float64],
) -> int:
    place = min(numbers[_NUM_ORDERS], _SPARE_ORDER)
    numbers[_NUM_ORDERS] += 1
    while at < end:
        field, kind, at = read_head(data, at, end)
        if kind == VARINT and field == 1:
            value, at = read_number(data, at, end)
            numbers[_ORDER + place] = value & LOW_32
        elif kind == FIXED_32 and field == 4:
            floats[_PROGRESS + place], at = read_float(data, at, end)
        else:
            at = skip(data, at, end, kind)
    return at


@njit(cache=True)
def write_unit(
    numbers: NDArray[np.int64],
    floats: NDArray[np.float64],
    functions: NDArray[np.int64],
    pixels: NDArray[np.float64],
    place: int,
    units: NDArray[np.int64],
    measures: NDArray[np.float32],
) -> None:
    """Make a row of the unit that was read.

    Args:
        numbers: as ``read_unit`` left them.
        floats: as ``read_unit`` left them.
        functions: action type by ability.
        pixels: scales of x and y, and the map's height.
        place: of the row.
        units: by UnitColumn; the whole row receives what pysc2 makes of the unit.
        measures: by UnitMeasure; the whole row receives what pysc2 rounds.
    """
    for i in range(len(_COPIED)):
        units[place, _COPIED[i, 0]] = numbers[_COPIED[i, 1]]
    units[place, _IN_CARGO_COLUMN] = 0  # who is in cargo is told with the carrier
    for i in range(len(_TRUNCATED)):
        units[place, _TRUNCATED[i, 0]] = whole(floats[_TRUNCATED[i, 1]] * _TRUNCATED[i, 2])
    for i in range(len(_RATIOS)):
        value, most = floats[_RATIOS[i, 1]], floats[_RATIOS[i, 2]]
        units[place, _RATIOS[i, 0]] = whole(value / most * 255) if most > 0 else 0
    for i in range(len(_ORDER_COLUMNS)):
        ability = numbers[_ORDER + i]
        units[place, _ORDER_COLUMNS[i]] = functions[ability] if ability < len(functions) else 0
    units[place, _X_COLUMN] = whole(np.floor(floats[_PLACE] * pixels[0]))
    units[place, _Y_COLUMN] = whole(np.floor((pixels[2] - floats[_PLACE + 1]) * pixels[1]))
    units[place, _RADIUS_COLUMN] = whole(floats[_RADIUS] * pixels[0])
    for i in range(3):
        measures[place, i] = floats[_PLACE + i]
    measures[place, 3], measures[place, 4] = floats[_FACING], floats[_RADIUS]


@njit(cache=True)
def whole(value: float) -> int:
    """Return a float without its fraction."""
    return int(min(max(value, -_FARTHEST), _FARTHEST))


@njit(cache=True)
def name_add_ons(units: NDArray[np.int64]) -> None:
    """Put the add-ons' types in the place of their tags, 0 for those that are not there."""
    for i in range(len(units)):
        tag = units[i, _ADD_ON_COLUMN]
        if tag != 0:
            units[i, _ADD_ON_COLUMN] = 0
            for j in range(len(units)):
                if units[j, _TAG_COLUMN] == tag:
                    units[i, _ADD_ON_COLUMN] = units[j, _TYPE_COLUMN]
