"""A unit as a game shows it, as one row of integers that changes seldom.

A row has the columns of ``entities``, but where those tell an age it holds the loop since when,
and what the last action did is not in it. ``envs.observations`` makes rows of what a game sends,
datasets store their changes, and both turn them into ``entities`` here, so both agree.
"""

from enum import IntEnum

import numpy as np
from numba import njit
from numpy.typing import NDArray

from envs.entity_arrays import shown_units
from envs.interface import (
    SUBCELLS,
    UNKNOWN,
    WORLD_SIZE,
    Alliance,
    DisplayType,
    EntityFeature,
)
from envs.wire_columns import UnitColumn, UnitMeasure


class MemoryColumn(IntEnum):
    """What is remembered of a unit from one observation to the next."""

    LAST_SEEN = 0  # loop in which it was last in sight
    LAST_ORDER = 1  # action type that it was last told, UNKNOWN for none
    LAST_ORDER_LOOP = 2
    MOST_MINERALS = 3  # that it was ever seen to hold
    MOST_VESPENE = 4


_F_TYPE = EntityFeature.UNIT_TYPE
_F_ALLIANCE, _F_X, _F_Y = EntityFeature.ALLIANCE, EntityFeature.X, EntityFeature.Y
_F_AGE, _F_ORDER_AGE = EntityFeature.POSITION_AGE, EntityFeature.LAST_ORDER_AGE
_F_SELECTED, _F_TARGETED = EntityFeature.WAS_SELECTED, EntityFeature.WAS_TARGETED
_F_DISPLAY, _F_ORDER = EntityFeature.DISPLAY_TYPE, EntityFeature.LAST_ORDER
_SELF, _ENEMY = int(Alliance.SELF), int(Alliance.ENEMY)
_VISIBLE = int(DisplayType.VISIBLE)
_WORLD_END = WORLD_SIZE * SUBCELLS - 1
_MAX_AGE = 32767
_UNKNOWN = UNKNOWN
_SUBCELLS = SUBCELLS
_X, _Y = int(UnitMeasure.X), int(UnitMeasure.Y)
_HUNDRED = 100
_LAST_SEEN, _LAST_ORDER = int(MemoryColumn.LAST_SEEN), int(MemoryColumn.LAST_ORDER)
_LAST_ORDER_LOOP = int(MemoryColumn.LAST_ORDER_LOOP)

# Feature, column: taken as they are.
_PLAIN = np.array(
    [
        (EntityFeature.ALLIANCE, UnitColumn.ALLIANCE),
        (EntityFeature.DISPLAY_TYPE, UnitColumn.DISPLAY_TYPE),
        (EntityFeature.BUILD_PROGRESS, UnitColumn.BUILD_PROGRESS),
        (EntityFeature.HEALTH, UnitColumn.HEALTH),
        (EntityFeature.SHIELD, UnitColumn.SHIELD),
        (EntityFeature.ENERGY, UnitColumn.ENERGY),
        (EntityFeature.HEALTH_RATIO, UnitColumn.HEALTH_RATIO),
        (EntityFeature.SHIELD_RATIO, UnitColumn.SHIELD_RATIO),
        (EntityFeature.ENERGY_RATIO, UnitColumn.ENERGY_RATIO),
        (EntityFeature.CARGO_TAKEN, UnitColumn.CARGO_SPACE_TAKEN),
        (EntityFeature.CARGO_MAX, UnitColumn.CARGO_SPACE_MAX),
        (EntityFeature.CLOAK, UnitColumn.CLOAK),
        (EntityFeature.IS_POWERED, UnitColumn.IS_POWERED),
        (EntityFeature.IS_HALLUCINATION, UnitColumn.HALLUCINATION),
        (EntityFeature.IS_ACTIVE, UnitColumn.ACTIVE),
        (EntityFeature.IS_IN_CARGO, UnitColumn.IS_IN_CARGO),
        (EntityFeature.IS_BLIP, UnitColumn.IS_BLIP),
        (EntityFeature.ASSIGNED_HARVESTERS, UnitColumn.ASSIGNED_HARVESTERS),
        (EntityFeature.IDEAL_HARVESTERS, UnitColumn.IDEAL_HARVESTERS),
        (EntityFeature.WEAPON_COOLDOWN, UnitColumn.WEAPON_COOLDOWN),
        (EntityFeature.ORDER_LENGTH, UnitColumn.ORDER_LENGTH),
        (EntityFeature.ORDER_PROGRESS_0, UnitColumn.ORDER_PROGRESS_0),
        (EntityFeature.ORDER_PROGRESS_1, UnitColumn.ORDER_PROGRESS_1),
        (EntityFeature.BUFF_DURATION, UnitColumn.BUFF_DURATION_REMAIN),
        (EntityFeature.WEAPON_UPGRADE, UnitColumn.ATTACK_UPGRADE_LEVEL),
        (EntityFeature.ARMOUR_UPGRADE, UnitColumn.ARMOR_UPGRADE_LEVEL),
        (EntityFeature.SHIELD_UPGRADE, UnitColumn.SHIELD_UPGRADE_LEVEL),
    ]
)
# Feature, column, table: looked up among the game's numbers.
TYPES, ORDERS, BUFFS, ADD_ONS = range(4)
_NAMED = np.array(
    [
        (EntityFeature.UNIT_TYPE, UnitColumn.UNIT_TYPE, TYPES),
        (EntityFeature.ORDER_0, UnitColumn.ORDER_ID_0, ORDERS),
        (EntityFeature.ORDER_1, UnitColumn.ORDER_ID_1, ORDERS),
        (EntityFeature.ORDER_2, UnitColumn.ORDER_ID_2, ORDERS),
        (EntityFeature.ORDER_3, UnitColumn.ORDER_ID_3, ORDERS),
        (EntityFeature.BUFF_0, UnitColumn.BUFF_ID_0, BUFFS),
        (EntityFeature.BUFF_1, UnitColumn.BUFF_ID_1, BUFFS),
        (EntityFeature.ADDON, UnitColumn.ADDON_UNIT_TYPE, ADD_ONS),
    ]
)
# What the API leaves empty (s2clientprotocol, raw.proto): of units that are not in sight ...
_NOT_OF_SNAPSHOTS = np.array(
    [
        *range(EntityFeature.HEALTH, EntityFeature.ENERGY_RATIO + 1),
        *(EntityFeature.IS_HALLUCINATION, EntityFeature.IS_ACTIVE),
        *range(EntityFeature.MINERAL_CONTENTS, EntityFeature.VESPENE_MINED + 1),
        *(EntityFeature.BUFF_0, EntityFeature.BUFF_1),
        *range(EntityFeature.WEAPON_UPGRADE, EntityFeature.SHIELD_UPGRADE + 1),
    ]
)
# ... and of units that are not the player's own.
_OF_OWN_UNITS = np.array(
    [
        *(EntityFeature.CARGO_TAKEN, EntityFeature.CARGO_MAX),
        *range(EntityFeature.ASSIGNED_HARVESTERS, EntityFeature.ORDER_PROGRESS_1 + 1),
        *(EntityFeature.BUFF_DURATION, EntityFeature.ADDON),
    ]
)
_CONTENTS = np.array(  # feature of what is left, of what was taken, column, column of memory
    [
        (
            EntityFeature.MINERAL_CONTENTS,
            EntityFeature.MINERALS_MINED,
            UnitColumn.MINERAL_CONTENTS,
            MemoryColumn.MOST_MINERALS,
        ),
        (
            EntityFeature.VESPENE_CONTENTS,
            EntityFeature.VESPENE_MINED,
            UnitColumn.VESPENE_CONTENTS,
            MemoryColumn.MOST_VESPENE,
        ),
    ]
)
_HIGHEST = np.iinfo(np.int16).max


@njit(cache=True)
def write_rows(
    units: NDArray[np.int64],
    measures: NDArray[np.float32],
    tables: tuple[NDArray[np.int16], NDArray[np.int16], NDArray[np.int16], NDArray[np.int16]],
    rows: NDArray[np.int32],
) -> int:
    """Make rows of units, but for what is remembered of them: ages, last orders, what was mined.

    Args:
        units: as the game sent them, by UnitColumn.
        measures: of the same units, by UnitMeasure.
        tables: TYPES, ORDERS, BUFFS and ADD_ONS by the game's numbers; the last entry of each is
            for all numbers beyond it.
        rows: receives the units, by EntityFeature.

    Returns:
        How many units are of a type that the tables lack.
    """
    num_unknown = 0
    for i in range(len(units)):
        unit, row = units[i], rows[i]
        for j in range(len(_PLAIN)):
            row[_PLAIN[j, 0]] = min(max(unit[_PLAIN[j, 1]], 0), _HIGHEST)
        for j in range(len(_NAMED)):
            table = tables[_NAMED[j, 2]]
            row[_NAMED[j, 0]] = table[min(max(unit[_NAMED[j, 1]], 0), len(table) - 1)]
        for j in range(2):
            row[_CONTENTS[j, 0]] = unit[_CONTENTS[j, 2]] // _HUNDRED
        row[_F_X] = min(max(np.int64(measures[i, _X] * _SUBCELLS), 0), _WORLD_END)
        row[_F_Y] = min(max(np.int64(measures[i, _Y] * _SUBCELLS), 0), _WORLD_END)
        row[_F_SELECTED] = row[_F_TARGETED] = 0
        if row[_F_ALLIANCE] != _SELF:
            for feature in _OF_OWN_UNITS:
                row[feature] = _UNKNOWN
        if row[_F_DISPLAY] != _VISIBLE:
            for feature in _NOT_OF_SNAPSHOTS:
                row[feature] = _UNKNOWN
        num_unknown += row[_F_TYPE] == 0
    return num_unknown


@njit(cache=True)
def find_slots(known: NDArray[np.int64], tags: NDArray[np.int64], slots: NDArray[np.int64]) -> int:
    """Find tags among known ones; return how many are not among them.

    Args:
        known: ascending.
        tags: to be found.
        slots: receives where among the known each is, -1 for nowhere.
    """
    num_missing = 0
    for i in range(len(tags)):
        slots[i] = _slot(known, tags[i])
        num_missing += slots[i] < 0
    return num_missing


@njit(cache=True)
def write_memory(
    units: NDArray[np.int64],
    loop: int,
    slots: NDArray[np.int64],
    memory: NDArray[np.int32],
    rows: NDArray[np.int32],
) -> None:
    """Add to rows what is remembered of their units, and remember what they show.

    Args:
        units: as the game sent them, by UnitColumn.
        loop: the present.
        slots: place of each unit in the memory.
        memory: by MemoryColumn, changed in place.
        rows: of the units.
    """
    for i in range(len(units)):
        slot, row = slots[i], rows[i]
        if row[_F_DISPLAY] == _VISIBLE:
            memory[slot, _LAST_SEEN] = loop
            for j in range(2):
                contents = units[i, _CONTENTS[j, 2]]
                most = max(memory[slot, _CONTENTS[j, 3]], contents)
                memory[slot, _CONTENTS[j, 3]] = most
                row[_CONTENTS[j, 1]] = most - contents
        row[_F_AGE] = memory[slot, _LAST_SEEN]
        row[_F_ORDER] = memory[slot, _LAST_ORDER]
        row[_F_ORDER_AGE] = memory[slot, _LAST_ORDER_LOOP]


@njit(cache=True)
def write_game_entities(
    rows: NDArray[np.int32],
    loop: int,
    max_neutrals: int,
    entities: NDArray[np.int16],
    place_of_unit: NDArray[np.int32],
) -> int:
    """Write units as entities, those that ``shown_units`` chooses; return how many.

    Args:
        rows: of the units; ALLIANCE is 0 where there is none.
        loop: the present.
        max_neutrals: most neutral units.
        entities: receives the entities.
        place_of_unit: receives where among the entities each unit is, UNKNOWN if it is not shown.
    """
    place_of_unit[:] = _UNKNOWN
    x, y = rows[:, _F_X].astype(np.int64), rows[:, _F_Y].astype(np.int64)
    chosen = shown_units(rows[:, _F_ALLIANCE], x, y, max_neutrals, len(entities))
    for place in range(len(chosen)):
        unit = chosen[place]
        place_of_unit[unit] = place
        entity = entities[place]
        for feature in range(rows.shape[1]):
            entity[feature] = rows[unit, feature]
        entity[_F_AGE] = min(max(loop - rows[unit, _F_AGE], 0), _MAX_AGE)
        if rows[unit, _F_ORDER] >= 0:
            entity[_F_ORDER_AGE] = min(max(loop - rows[unit, _F_ORDER_AGE], 0), _MAX_AGE)
        else:
            entity[_F_ORDER_AGE] = _UNKNOWN
    return len(chosen)


@njit(cache=True)
def mark_action(
    tags: NDArray[np.int64],
    selected: NDArray[np.int64],
    target: int,
    entities: NDArray[np.int16],
) -> None:
    """Mark the entities that the last action was given to, and the one that it was aimed at.

    Args:
        tags: of the entities.
        selected: tags, ascending.
        target: tag, 0 for none.
        entities: changed in place.
    """
    for i in range(len(tags)):
        if _slot(selected, tags[i]) >= 0:
            entities[i, _F_SELECTED] = 1
        if tags[i] == target and target != 0:
            entities[i, _F_TARGETED] = 1


@njit(cache=True)
def draw_game_units(
    rows: NDArray[np.int32], subcells_per_cell: int, plane: NDArray[np.uint8]
) -> None:
    """Draw whose unit stands in each cell: own over enemy over all others."""
    plane[:] = 0
    for row in rows:
        alliance = row[_F_ALLIANCE]
        if alliance == 0:
            continue
        x, y = row[_F_X] // subcells_per_cell, row[_F_Y] // subcells_per_cell
        present = plane[y, x]
        if present == 0 or alliance == _SELF or (alliance == _ENEMY and present != _SELF):
            plane[y, x] = alliance


@njit(cache=True)
def _slot(known: NDArray[np.int64], tag: int) -> int:
    """Return where a tag is among ascending ones, -1 for nowhere."""
    low, high = 0, len(known)
    while low < high:
        middle = (low + high) // 2
        if known[middle] < tag:
            low = middle + 1
        else:
            high = middle
    return low if low < len(known) and known[low] == tag else -1
