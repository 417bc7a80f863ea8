"""Observations and actions as elements of Gymnasium's spaces, and back."""

from typing import Any

import numpy as np
import pytest

from envs.interface import (
    BUILD_ORDER_LENGTH,
    NUM_UNIT_TYPES,
    NUM_UPGRADES,
    UNKNOWN,
    Action,
    EntityFeature,
    EntityLimits,
    MapPlane,
    Observation,
    ScalarFeature,
)
from envs.spaces import (
    action_dict,
    action_of_dict,
    action_space,
    observation_dict,
    observation_of_dict,
    observation_space,
)

LIMITS = EntityLimits(total=6, neutral=4)
SIZE = 8
OBSERVATIONS = observation_space(plane_size=SIZE, limits=LIMITS)
ACTIONS = action_space(limits=LIMITS)
ATTACK = Action(
    action_type=2,
    delay=5,
    queued=1,
    selected_units=np.array([3, 0], np.int16),
    target_unit=UNKNOWN,
    target_location=(0, 16383),
)


def observation(*, units: int) -> Observation:
    """Observe some units, each with its own health, and numbers that differ in every part."""
    entities = np.ones((units, len(EntityFeature)), np.int16)
    entities[:, EntityFeature.HEALTH] = 10 + np.arange(units)
    return Observation(
        entities=entities,
        map_planes=np.ones((len(MapPlane), SIZE, SIZE), np.uint8),
        scalars=np.arange(len(ScalarFeature), dtype=np.int32) % 2,
        upgrades=np.zeros(NUM_UPGRADES, np.int8),
        build_order=np.full(BUILD_ORDER_LENGTH, UNKNOWN, np.int16),
        cumulative_statistics=np.full(NUM_UNIT_TYPES + NUM_UPGRADES, UNKNOWN, np.int8),
    )


@pytest.mark.parametrize("units", [0, 4, 6])
def test_an_observation_is_in_its_space_and_comes_back_as_it_was(units: int):
    seen = observation(units=units)
    content = observation_dict(seen, limits=LIMITS)
    assert OBSERVATIONS.contains(content)
    assert content["entity_mask"].tolist() == [1] * units + [0] * (6 - units)
    assert not content["entities"][units:].any()
    for part, back in zip(seen, observation_of_dict(content), strict=True):
        np.testing.assert_array_equal(part, back)
        assert part.dtype == back.dtype


@pytest.mark.parametrize(
    ("column", "highest"),
    [
        (EntityFeature.UNIT_TYPE, 319),
        (EntityFeature.ALLIANCE, 4),
        (EntityFeature.X, 16383),
        (EntityFeature.ORDER_0, 563),
        (EntityFeature.HEALTH, 32767),
        (EntityFeature.ASSIGNED_HARVESTERS, 32767),
    ],
)
def test_features_have_the_bounds_that_they_have(column: EntityFeature, highest: int):
    content = observation_dict(observation(units=2), limits=LIMITS)
    content["entities"][1, column] = highest
    assert OBSERVATIONS.contains(content)
    if highest < 32767:
        content["entities"][1, column] = highest + 1
        assert not OBSERVATIONS.contains(content)


def test_what_is_never_unknown_is_not_negative():
    content = observation_dict(observation(units=2), limits=LIMITS)
    content["entities"][0, EntityFeature.HEALTH] = UNKNOWN
    assert OBSERVATIONS.contains(content)
    content["entities"][0, EntityFeature.ALLIANCE] = UNKNOWN
    assert not OBSERVATIONS.contains(content)


@pytest.mark.parametrize(
    ("plane", "highest"),
    [(MapPlane.HEIGHT, 254), (MapPlane.VISIBILITY, 3), (MapPlane.PLAYER_RELATIVE, 4)],
)
def test_planes_have_the_bounds_that_they_have(plane: MapPlane, highest: int):
    content = observation_dict(observation(units=0), limits=LIMITS)
    content["map_planes"][plane, 7, 7] = highest
    assert OBSERVATIONS.contains(content)
    content["map_planes"][plane, 7, 7] = highest + 1
    assert not OBSERVATIONS.contains(content)


def test_sizes_that_no_observation_has_are_refused():
    with pytest.raises(ValueError, match="plane_size must divide 256, got 100"):
        observation_space(plane_size=100, limits=LIMITS)
    with pytest.raises(ValueError, match="limits must be at most 512 and positive"):
        observation_space(plane_size=64, limits=EntityLimits(total=513))


@pytest.mark.parametrize(
    "action",
    [
        ATTACK,
        ATTACK._replace(selected_units=np.arange(6, dtype=np.int16).repeat(11)[:64]),
        Action(0, 127, 0, np.zeros(0, np.int16), UNKNOWN, (UNKNOWN, UNKNOWN)),
        Action(1, 1, 0, np.array([5], np.int16), 5, (UNKNOWN, UNKNOWN)),
    ],
    ids=["point", "many units", "no_op", "unit"],
)
def test_an_action_is_in_its_space_and_comes_back_as_it_was(action: Action):
    content = action_dict(action)
    assert ACTIONS.contains(content)
    back = action_of_dict(content)
    np.testing.assert_array_equal(back.selected_units, action.selected_units)
    assert back._replace(selected_units=None) == action._replace(selected_units=None)


def test_a_queue_that_is_not_used_is_told_as_none():
    content = action_dict(ATTACK._replace(queued=UNKNOWN))
    assert ACTIONS.contains(content)
    assert action_of_dict(content).queued == 0


def test_gaps_between_selected_units_are_closed():
    content = action_dict(ATTACK)
    content["selected_units"][[0, 1, 40]] = UNKNOWN, 4, 2
    assert action_of_dict(content).selected_units.tolist() == [4, 2]


def test_too_many_selected_units_are_refused():
    action = ATTACK._replace(selected_units=np.zeros(65, np.int16))
    with pytest.raises(ValueError, match="selects at most 64 units, got 65"):
        action_dict(action)


@pytest.mark.parametrize(
    ("content", "came"),
    [
        (3, "got 3"),
        ({"action_type": 0}, "got action_type"),
        (action_dict(ATTACK) | {"camera": 1}, "camera"),
        (action_dict(ATTACK) | {"selected_units": np.zeros(63)}, r"shape \(63,\) and \(2,\)"),
        (action_dict(ATTACK) | {"target_location": np.zeros(3)}, r"shape \(64,\) and \(3,\)"),
    ],
)
def test_what_is_no_action_is_refused(content: Any, came: str):
    with pytest.raises(ValueError, match=came):
        action_of_dict(content)


def test_any_action_drawn_from_the_space_can_be_read():
    ACTIONS.seed(0)
    for _ in range(50):
        drawn = ACTIONS.sample()
        read = action_of_dict(drawn)
        assert 0 <= read.action_type < 564
        assert len(read.selected_units) == (drawn["selected_units"] >= 0).sum()
