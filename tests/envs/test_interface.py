"""Features, arguments and legality: that the definition agrees with itself."""

from enum import IntEnum

import numpy as np
import pytest

from envs.interface import (
    ENTITY_FEATURES,
    MAP_PLANES,
    MAX_DELAY,
    NUM_ACTION_TYPES,
    NUM_DELAYS,
    NUM_UNIT_TYPES,
    SCALAR_FEATURES,
    SUBCELLS,
    UNKNOWN,
    UNKNOWN_CELL,
    WORLD_SIZE,
    Alliance,
    DisplayType,
    Encoding,
    EntityFeature,
    Feature,
    MapPlane,
    Race,
    ScalarFeature,
    Visibility,
    action_arguments,
    legality,
    raw_functions,
    read_table,
)

TABLES = [
    (EntityFeature, ENTITY_FEATURES),
    (MapPlane, MAP_PLANES),
    (ScalarFeature, SCALAR_FEATURES),
]


def action_type(name: str) -> int:
    return next(i for i, function in enumerate(raw_functions()) if function.name == name)


@pytest.mark.parametrize(("columns", "features"), TABLES)
def test_each_column_is_described_once_in_its_order(
    columns: type[IntEnum], features: dict[IntEnum, Feature]
):
    assert [int(column) for column in columns] == list(range(len(columns)))
    assert list(features) == list(columns)


@pytest.mark.parametrize(("columns", "features"), TABLES)
def test_sizes_are_positive_and_some_columns_are_known_by_events(
    columns: type[IntEnum], features: dict[IntEnum, Feature]
):
    del columns
    assert all(feature.size > 0 for feature in features.values())
    assert any(feature.known_by_events for feature in features.values())


@pytest.mark.parametrize(
    ("feature", "values"),
    [
        (ENTITY_FEATURES[EntityFeature.ALLIANCE], Alliance),
        (ENTITY_FEATURES[EntityFeature.DISPLAY_TYPE], DisplayType),
        (MAP_PLANES[MapPlane.PLAYER_RELATIVE], Alliance),
        (MAP_PLANES[MapPlane.VISIBILITY], Visibility),
        (SCALAR_FEATURES[ScalarFeature.HOME_RACE], Race),
        (SCALAR_FEATURES[ScalarFeature.AWAY_RACE], Race),
    ],
)
def test_classes_hold_every_value_of_their_enum(feature: Feature, values: type[IntEnum]):
    assert feature.encoding is Encoding.CLASSES
    assert max(values) < feature.size


def test_columns_of_action_types_have_a_class_for_each():
    columns = [ENTITY_FEATURES[EntityFeature.LAST_ORDER], ENTITY_FEATURES[EntityFeature.ORDER_0]]
    columns.append(SCALAR_FEATURES[ScalarFeature.LAST_ACTION_TYPE])
    assert {column.size for column in columns} == {NUM_ACTION_TYPES}


def test_unknown_is_no_value_of_any_column():
    assert UNKNOWN < 0
    assert all(feature.size <= UNKNOWN_CELL for feature in MAP_PLANES.values())


def test_positions_fit_their_integers():
    assert np.iinfo(np.int16).max >= WORLD_SIZE * SUBCELLS - 1


def test_delays_have_a_class_from_zero_to_the_longest():
    assert NUM_DELAYS == MAX_DELAY + 1 == 128


def test_events_never_tell_health_orders_or_terrain():
    hidden = [
        ENTITY_FEATURES[EntityFeature.HEALTH],
        ENTITY_FEATURES[EntityFeature.ORDER_0],
        MAP_PLANES[MapPlane.HEIGHT],
        MAP_PLANES[MapPlane.CREEP],
    ]
    assert not any(feature.known_by_events for feature in hidden)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("no_op", (False, False, False, False)),
        ("raw_move_camera", (False, False, False, True)),
        ("Train_Marine_quick", (True, True, False, False)),
        ("Attack_pt", (True, True, False, True)),
        ("Attack_unit", (True, True, True, False)),
        ("Effect_Heal_autocast", (False, True, False, False)),
    ],
)
def test_action_types_take_their_arguments(name: str, arguments: tuple[bool, ...]):
    i = action_type(name)
    assert tuple(bool(column[i]) for column in action_arguments()) == arguments


def test_no_action_type_targets_both_a_unit_and_a_place():
    arguments = action_arguments()
    assert not (arguments.target_unit & arguments.target_location).any()


def test_read_table_gives_rows_by_column_name():
    row = read_table("raw_functions.csv")[1]
    expected = {"action_type": "1", "name": "Smart_pt", "kind": "point"}
    assert row == expected | {"ability_id": "1", "general_id": "0"}


def test_read_table_refuses_what_does_not_exist():
    with pytest.raises(FileNotFoundError):
        read_table("nothing.csv")


def test_unit_type_zero_is_any_other_unit():
    assert read_table("unit_types.csv")[0]["name"] == ""


def test_legality_has_a_row_for_every_unit_type_and_a_column_for_every_action_type():
    assert legality().shape == (NUM_UNIT_TYPES, NUM_ACTION_TYPES)


def test_everybody_may_do_nothing():
    assert legality()[:, action_type("no_op")].all()


def test_nobody_moves_the_camera():
    assert not legality()[:, action_type("raw_move_camera")].any()


def test_specific_variants_are_never_legal():
    specific = [i for i, f in enumerate(raw_functions()) if f.general_ability_id != 0]
    assert action_type("Attack_Attack_pt") in specific
    assert not legality()[:, specific].any()


def test_an_unknown_unit_may_do_all_that_anybody_may():
    others = legality()[1:].any(axis=0)
    assert (legality()[0] >= others).all()
    assert legality()[0, action_type("Attack_pt")]
