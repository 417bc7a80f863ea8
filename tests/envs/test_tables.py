"""The tables in envs/data against pysc2's own and against what everybody knows of the game."""

from enum import IntEnum

import numpy as np
import pytest

from envs import pysc2_compat
from envs.interface import (
    BUILD_ORDER_LENGTH,
    LOOPS_PER_SECOND,
    NUM_ACTION_TYPES,
    NUM_UNIT_TYPES,
    NUM_UPGRADES,
    Knowledge,
    Race,
    action_arguments,
    legality,
    raw_functions,
    read_table,
)
from envs.unit_types import unit_types

NORMAL_LOOPS_PER_SECOND = 16  # at speed Normal, in which the game's catalogue gives times
KINDS = {
    "raw_no_op": "no_op",
    "raw_move_camera": "camera",
    "raw_cmd": "quick",
    "raw_cmd_pt": "point",
    "raw_cmd_unit": "unit",
    "raw_autocast": "autocast",
}


def pysc2_units() -> dict[int, tuple[str, str]]:
    """Unit id -> race, name, as pysc2 lists them."""
    pysc2_compat.load()
    from pysc2.lib import units

    races: list[type[IntEnum]] = [units.Neutral, units.Protoss, units.Terran, units.Zerg]
    return {int(unit): (race.__name__, unit.name) for race in races for unit in race}


def names_in(row: dict[str, str], column: str) -> list[str]:
    return [name for name in row[column].split("|") if name]


@pytest.mark.parametrize("first", range(0, NUM_ACTION_TYPES, 100))
def test_raw_functions_are_pysc2s_row_by_row(first: int):
    pysc2_compat.load()
    from pysc2.lib import actions

    rows = range(first, min(first + 100, NUM_ACTION_TYPES))
    theirs = [actions.RAW_FUNCTIONS[i] for i in rows]
    expected = [
        (int(f.id), f.name, KINDS[f.function_type.__name__], f.ability_id or 0, f.general_id or 0)
        for f in theirs
    ]
    assert [(i, *raw_functions()[i]) for i in rows] == expected


def test_there_are_as_many_raw_functions_as_action_types():
    pysc2_compat.load()
    from pysc2.lib import actions

    table = read_table("raw_functions.csv")
    assert len(actions.RAW_FUNCTIONS) == len(table) == NUM_ACTION_TYPES
    assert [int(row["action_type"]) for row in table] == list(range(NUM_ACTION_TYPES))


def test_every_action_type_takes_the_arguments_that_pysc2_gives_it():
    pysc2_compat.load()
    from pysc2.lib import actions

    columns = {
        "queued": action_arguments().queued,
        "unit_tags": action_arguments().selected_units,
        "target_unit_tag": action_arguments().target_unit,
        "world": action_arguments().target_location,
    }
    for function in actions.RAW_FUNCTIONS:
        ours = {name for name, column in columns.items() if column[int(function.id)]}
        assert ours == {argument.name for argument in function.args}, function.name


def test_unit_types_are_numbered_from_zero_and_leave_room():
    table = read_table("unit_types.csv")
    assert [int(row["unit_type"]) for row in table] == list(range(len(table)))
    assert len(table) <= NUM_UNIT_TYPES
    assert table[0]["name"] == ""


def test_unit_types_name_every_unit_of_pysc2_once_and_as_pysc2_does():
    table = [row for row in read_table("unit_types.csv") if row["unit_id"]]
    ours = [(int(row["unit_id"]), (row["race"], row["pysc2_name"])) for row in table]
    assert len(dict(ours)) == len(ours)
    assert dict(ours) == pysc2_units()


def test_unit_type_names_are_unique():
    names = [row["name"] for row in read_table("unit_types.csv")]
    assert len(set(names)) == len(names)


def test_unit_types_have_sizes_and_speeds_that_fit_a_map():
    for row in read_table("unit_types.csv")[1:]:
        assert row["race"] in {"Neutral", *(race.name.capitalize() for race in Race)}, row["name"]
        assert 0 <= float(row["radius"]) < 10, row["name"]
        assert 0 <= float(row["sight"]) < 30, row["name"]
        assert 0 <= float(row["speed"]) < 1, row["name"]
        assert 0 <= int(row["build_loops"]) < 200 * LOOPS_PER_SECOND, row["name"]
        assert row["flying"] in {"0", "1"}, row["name"]


def test_units_are_unit_types_and_agree_with_them():
    unit_types = {row["name"]: row for row in read_table("unit_types.csv")}
    for row in read_table("units.csv"):
        unit_type = unit_types[row["name"]]
        for column in ("pysc2_name", "unit_id", "race", "build_loops"):
            assert row[column] == unit_type[column], f"{row['name']}: {column}"


def test_units_cost_no_more_for_their_last_step_than_in_all():
    for row in read_table("units.csv"):
        made_at_once = 2 if row["name"] == "Zergling" else 1  # the step's cost is the pair's
        assert int(row["minerals_step"]) <= int(row["minerals_total"]) * made_at_once, row["name"]
        assert int(row["gas_step"]) <= int(row["gas_total"]), row["name"]


def test_units_live_and_are_made_by_units():
    unit_types = read_table("unit_types.csv")
    names = {row[column] for row in unit_types for column in ("name", "pysc2_name")}
    for row in read_table("units.csv"):
        assert float(row["hp"]) > 0, row["name"]
        assert (float(row["shields"]) > 0) <= (row["race"] == "Protoss"), row["name"]
        assert set(names_in(row, "produced_by")) <= names, row["name"]


@pytest.mark.parametrize(
    ("name", "minerals", "gas", "supply", "health", "normal_seconds"),
    [
        ("Marine", 50, 0, 1, 45, 25),
        ("SCV", 50, 0, 1, 45, 17),
        ("Zealot", 100, 0, 2, 100, 38),
        ("Stalker", 125, 50, 2, 80, 42),
        ("CommandCenter", 400, 0, 0, 1500, 100),
        ("Nexus", 400, 0, 0, 1000, 100),
        ("Pylon", 100, 0, 0, 200, 25),
    ],
)
def test_well_known_units_cost_what_everybody_knows(
    name: str, minerals: int, gas: int, supply: int, health: int, normal_seconds: int
):
    row = next(row for row in read_table("units.csv") if row["name"] == name)
    assert (int(row["minerals_total"]), int(row["gas_total"])) == (minerals, gas)
    assert (float(row["supply_used"]), float(row["hp"])) == (supply, health)
    assert int(row["build_loops"]) == normal_seconds * NORMAL_LOOPS_PER_SECOND


def test_what_units_do_in_their_own_way_are_abilities_of_units_that_there_are():
    units = {row["name"] for table in ("units.csv", "unit_modes.csv") for row in read_table(table)}
    abilities = {row["ability_id"] for row in read_table("abilities.csv")}
    rows = read_table("unit_commands.csv")
    assert {row["name"] for row in rows} <= units
    unlisted = {"412"}  # a town hall's load: clients give the general one
    assert {row["ability_id"] for row in rows} <= abilities | unlisted
    assert len({(row["name"], row["deed"]) for row in rows}) == len(rows)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("abilities.csv", "pysc2_raw_functions"),
        ("upgrades.csv", "pysc2_raw_function"),
        ("units.csv", "pysc2_raw_function"),
        ("legality.csv", "raw_functions"),
        ("legality.csv", "raw_functions_of_eggs"),
    ],
)
def test_every_raw_function_that_a_table_names_exists(table: str, column: str):
    known = {function.name for function in raw_functions()}
    named = {name for row in read_table(table) for name in names_in(row, column)}
    assert named
    assert named <= known


def test_abilities_are_listed_once_by_link_and_command():
    keys = [(row["catalogue_name"], row["command_index"]) for row in read_table("abilities.csv")]
    assert len(set(keys)) == len(keys)


def test_upgrades_are_numbered_from_zero_and_leave_room():
    table = read_table("upgrades.csv")
    assert [int(row["upgrade"]) for row in table] == list(range(len(table)))
    assert len(table) <= NUM_UPGRADES
    assert len({row["name"] for row in table}) == len(table)


def test_upgrades_with_an_id_are_pysc2s():
    pysc2_compat.load()
    from pysc2.lib import upgrades

    ids = [int(row["upgrade_id"]) for row in read_table("upgrades.csv") if row["upgrade_id"]]
    assert len(set(ids)) == len(ids)
    assert {int(upgrade) for upgrade in upgrades.Upgrades} <= set(ids)


def test_legality_lists_each_unit_type_once_and_only_unit_types():
    unit_types = [int(row["unit_type"]) for row in read_table("legality.csv")]
    assert len(set(unit_types)) == len(unit_types)
    assert set(unit_types) <= set(range(1, len(read_table("unit_types.csv"))))


@pytest.mark.parametrize(
    ("unit_type", "legal", "illegal"),
    [
        ("SCV", "Build_Barracks_pt", "Train_Marine_quick"),
        ("Barracks", "Train_Marine_quick", "Build_Barracks_pt"),
        ("Marine", "Attack_unit", "Harvest_Gather_unit"),
        ("Drone", "Harvest_Gather_unit", "Train_SCV_quick"),
        ("Larva", "Train_Drone_quick", "Attack_pt"),
        ("Nexus", "Train_Probe_quick", "Train_SCV_quick"),
    ],
)
def test_well_known_units_may_do_what_everybody_knows(unit_type: str, legal: str, illegal: str):
    functions = [function.name for function in raw_functions()]
    allowed = legality()[unit_types().index[unit_type]]
    assert allowed[functions.index(legal)]
    assert not allowed[functions.index(illegal)]


def test_eggs_take_what_larvae_take_where_nothing_tells_them_apart():
    functions = [function.name for function in raw_functions()]
    egg, train = unit_types().index["Egg"], functions.index("Train_Drone_quick")
    assert legality(Knowledge.EVENTS)[egg, train]
    assert not legality(Knowledge.GAME)[egg, train]
    assert legality(Knowledge.GAME)[egg, functions.index("Cancel_quick")]


def test_every_general_action_can_be_taken_by_somebody_known():
    somebody = legality()[1 : len(read_table("unit_types.csv"))].any(axis=0)
    named = {n for row in read_table("legality.csv") for n in names_in(row, "raw_functions")}
    general = {f.name for f in raw_functions() if f.general_ability_id == 0}
    taken = {raw_functions()[i].name for i in np.flatnonzero(somebody)}
    assert taken == (named & general) | {"no_op"}


def test_build_orders_hold_as_many_entries_as_alphastars():
    assert BUILD_ORDER_LENGTH == 20  # Vinyals et al. 2019: the first 20 units and structures
