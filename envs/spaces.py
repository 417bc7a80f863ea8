"""Gymnasium's spaces, and observations and actions as the dicts of arrays that are in them.

Nothing but shapes changes on the way: units are padded to as many rows as can be shown, and who is
selected to as many as can be. What an action does not use is ``UNKNOWN`` here too.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from envs.interface import (
    BUILD_ORDER_LENGTH,
    ENTITY_FEATURES,
    MAP_PLANES,
    MAX_SELECTED,
    NUM_ACTION_TYPES,
    NUM_DELAYS,
    NUM_UNIT_TYPES,
    NUM_UPGRADES,
    SCALAR_FEATURES,
    SUBCELLS,
    UNKNOWN,
    WORLD_SIZE,
    Action,
    Encoding,
    EntityFeature,
    EntityLimits,
    Observation,
)
from envs.observations import check_sizes

SpaceDict = dict[str, Any]
"""An element of a ``spaces.Dict``: arrays and integers by their names."""

_NEVER_UNKNOWN = (
    EntityFeature.UNIT_TYPE,
    EntityFeature.ALLIANCE,
    EntityFeature.X,
    EntityFeature.Y,
    EntityFeature.POSITION_AGE,
    EntityFeature.DISPLAY_TYPE,
    EntityFeature.WAS_SELECTED,
    EntityFeature.WAS_TARGETED,
)
_COUNTS = (  # the network reads them as classes, but the game may send more than it knows
    EntityFeature.CARGO_TAKEN,
    EntityFeature.CARGO_MAX,
    EntityFeature.MINERAL_CONTENTS,
    EntityFeature.VESPENE_CONTENTS,
    EntityFeature.ASSIGNED_HARVESTERS,
    EntityFeature.IDEAL_HARVESTERS,
    EntityFeature.WEAPON_COOLDOWN,
    EntityFeature.ORDER_LENGTH,
    EntityFeature.WEAPON_UPGRADE,
    EntityFeature.ARMOUR_UPGRADE,
    EntityFeature.SHIELD_UPGRADE,
)
_ACTION_PARTS = frozenset(Action._fields)


def observation_space(*, plane_size: int, limits: EntityLimits) -> spaces.Dict:
    """Return the space of ``observation_dict``.

    Args:
        plane_size: side of the map planes, in cells.
        limits: how many units are shown.

    Raises:
        ValueError: there are no such observations.
    """
    check_sizes(plane_size=plane_size, limits=limits)
    shape = (len(MAP_PLANES), plane_size, plane_size)
    # The height is a ratio of its size, all other planes are classes below it.
    tops = [f.size if f.encoding is Encoding.RATIO else f.size - 1 for f in MAP_PLANES.values()]
    top = np.broadcast_to(np.array(tops, np.uint8)[:, None, None], shape)
    return spaces.Dict(
        {
            "entities": _entity_box(limits.total),
            "entity_mask": spaces.MultiBinary(limits.total),
            "map_planes": spaces.Box(np.zeros(shape, np.uint8), top, dtype=np.uint8),
            "scalars": _scalar_box(),
            "upgrades": spaces.Box(UNKNOWN, 1, (NUM_UPGRADES,), np.int8),
            "build_order": spaces.Box(UNKNOWN, NUM_UNIT_TYPES - 1, (BUILD_ORDER_LENGTH,), np.int16),
            "cumulative_statistics": spaces.Box(
                UNKNOWN, 1, (NUM_UNIT_TYPES + NUM_UPGRADES,), np.int8
            ),
        }
    )


def action_space(*, limits: EntityLimits) -> spaces.Dict:
    """Return the space of ``action_dict``; of its delays, 0 lets as much pass as 1 does.

    Args:
        limits: how many units are shown.
    """
    rows, places = limits.total + 1, WORLD_SIZE * SUBCELLS + 1  # with UNKNOWN
    return spaces.Dict(
        {
            "action_type": spaces.Discrete(NUM_ACTION_TYPES),
            "delay": spaces.Discrete(NUM_DELAYS),
            "queued": spaces.Discrete(2),
            "selected_units": spaces.MultiDiscrete(
                [rows] * MAX_SELECTED, start=[UNKNOWN] * MAX_SELECTED
            ),
            "target_unit": spaces.Discrete(rows, start=UNKNOWN),
            "target_location": spaces.MultiDiscrete([places] * 2, start=[UNKNOWN] * 2),
        }
    )


def observation_dict(observation: Observation, *, limits: EntityLimits) -> SpaceDict:
    """Return an observation as the element of its space; rows without a unit are zero."""
    count = len(observation.entities)
    entities = np.zeros((limits.total, len(EntityFeature)), np.int16)
    entities[:count] = observation.entities
    mask = np.zeros(limits.total, np.int8)
    mask[:count] = 1
    rest = observation._asdict() | {"entities": entities, "entity_mask": mask}
    return dict(sorted(rest.items()))  # as gymnasium orders what is in a space


def observation_of_dict(content: Mapping[str, Any]) -> Observation:
    """Return the observation that a dict was made of."""
    count = int(np.count_nonzero(content["entity_mask"]))
    parts = {name: content[name] for name in Observation._fields}
    return Observation(**parts | {"entities": content["entities"][:count]})


def action_dict(action: Action) -> SpaceDict:
    """Return an action as the element of its space.

    Raises:
        ValueError: it selects more units than one action can.
    """
    count = len(action.selected_units)
    if count > MAX_SELECTED:
        raise ValueError(f"an action selects at most {MAX_SELECTED} units, got {count}")
    selected = np.full(MAX_SELECTED, UNKNOWN, np.int64)
    selected[:count] = action.selected_units
    return {
        "action_type": np.int64(action.action_type),
        "delay": np.int64(max(action.delay, 0)),
        "queued": np.int64(max(action.queued, 0)),
        "selected_units": selected,
        "target_location": np.array(action.target_location, np.int64),
        "target_unit": np.int64(action.target_unit),
    }


def action_of_dict(content: Mapping[str, Any]) -> Action:
    """Return the action that a dict tells; the units selected may have gaps between them.

    Raises:
        ValueError: it is no such dict.
    """
    if not isinstance(content, Mapping) or content.keys() != _ACTION_PARTS:
        came = ", ".join(map(str, content)) if isinstance(content, Mapping) else repr(content)
        raise ValueError(f"an action must be a dict of {', '.join(Action._fields)}, got {came}")
    selected = np.asarray(content["selected_units"])
    location = np.asarray(content["target_location"])
    if selected.shape != (MAX_SELECTED,) or location.shape != (2,):
        raise ValueError(
            f"selected_units must be {MAX_SELECTED} rows and target_location x and y, got "
            f"arrays of shape {selected.shape} and {location.shape}"
        )
    x, y = location.tolist()
    return Action(
        action_type=int(content["action_type"]),
        delay=int(content["delay"]),
        queued=int(content["queued"]),
        selected_units=selected[selected != UNKNOWN].astype(np.int16),
        target_unit=int(content["target_unit"]),
        target_location=(int(x), int(y)),
    )


def _entity_box(num_rows: int) -> spaces.Box:
    """Return what entities can be: exact for names and places, wide for amounts."""
    low = np.full(len(EntityFeature), UNKNOWN, np.int16)
    low[list(_NEVER_UNKNOWN)] = 0
    high = np.full(len(EntityFeature), np.iinfo(np.int16).max, np.int16)
    for column, feature in ENTITY_FEATURES.items():
        if feature.encoding is Encoding.POSITION:
            high[column] = WORLD_SIZE * SUBCELLS - 1
        elif feature.encoding is Encoding.CLASSES and column not in _COUNTS:
            high[column] = feature.size - 1
    return spaces.Box(_rows(low, num_rows), _rows(high, num_rows), dtype=np.int16)


def _scalar_box() -> spaces.Box:
    high = np.full(len(SCALAR_FEATURES), np.iinfo(np.int32).max, np.int32)
    for column, feature in SCALAR_FEATURES.items():
        if feature.encoding is Encoding.CLASSES:
            high[column] = feature.size - 1
    return spaces.Box(np.full_like(high, UNKNOWN), high, dtype=np.int32)


def _rows(row: NDArray[np.int16], count: int) -> NDArray[np.int16]:
    return np.broadcast_to(row, (count, len(row)))
