"""The game's numbers as classes, against pysc2's tables."""

from typing import Any

import numpy as np
import pytest

from envs import pysc2_compat
from envs.game_numbers import ability_of_unit, function_of_ability, game_numbers, general_function
from envs.interface import NUM_BUFFS, raw_functions, read_table

# pysc2 and what it brings warn of their own age.
pytestmark = pytest.mark.filterwarnings("ignore")


def pysc2_lib(name: str) -> Any:
    pysc2_compat.load()
    import pysc2.lib.actions
    import pysc2.lib.buffs
    import pysc2.lib.units
    import pysc2.lib.upgrades

    return getattr(pysc2.lib, name)


def named(name: str) -> int:
    """The action type of a function."""
    return next(i for i, function in enumerate(raw_functions()) if function.name == name)


def test_buffs_have_pysc2s_names():
    rows = {int(row["buff_class"]): row for row in read_table("buff_classes.csv")}
    numbers = game_numbers().buffs
    for buff in pysc2_lib("buffs").Buffs:
        known = int(numbers[min(buff.value, len(numbers) - 1)])
        assert known == NUM_BUFFS - 1 or rows[known]["name"] == buff.name
    assert sum(numbers[row_id] != NUM_BUFFS - 1 for row_id in range(len(numbers))) > 40


def test_no_buff_is_no_class_and_unknown_ones_are_the_last():
    buffs = game_numbers().buffs
    assert buffs[0] == 0
    assert buffs[-1] == NUM_BUFFS - 1
    assert buffs.max() == NUM_BUFFS - 1


def test_unit_types_and_upgrades_have_pysc2s_names():
    types, upgrades = read_table("unit_types.csv"), read_table("upgrades.csv")
    units = pysc2_lib("units")
    for race in (units.Terran, units.Zerg, units.Protoss):
        for unit in race:
            assert types[int(game_numbers().unit_types[unit.value])]["pysc2_name"] == unit.name
    for upgrade in pysc2_lib("upgrades").Upgrades:
        row = int(game_numbers().upgrades[min(upgrade.value, len(game_numbers().upgrades) - 1)])
        if row >= 0:
            assert int(upgrades[row]["upgrade_id"]) == upgrade.value


def test_numbers_behind_a_table_have_its_last_class():
    numbers = game_numbers()
    assert (numbers.unit_types[-1], numbers.add_ons[-1], numbers.upgrades[-1]) == (0, 0, -1)


def test_add_ons_are_told_apart_by_kind_and_by_what_they_are_attached_to():
    units, add_ons = pysc2_lib("units").Terran, game_numbers().add_ons
    kinds = [
        units.BarracksTechLab,
        units.BarracksReactor,
        units.FactoryTechLab,
        units.FactoryReactor,
        units.StarportTechLab,
        units.StarportReactor,
    ]
    assert [int(add_ons[kind.value]) for kind in kinds] == [1, 2, 3, 4, 5, 6]
    assert add_ons[units.TechLab.value] == 1
    assert add_ons[units.Reactor.value] == 2
    assert np.count_nonzero(add_ons) == 8


def test_functions_are_general_where_pysc2_has_a_general_one_of_the_kind():
    functions = pysc2_lib("actions").RAW_FUNCTIONS
    for function in functions:
        alike = [
            other.id
            for other in functions
            if other.ability_id == function.general_id
            and other.function_type == function.function_type
            and function.general_id
        ]
        assert general_function(function.id) == (alike or [function.id])[0]


def test_every_function_is_found_by_its_ability_and_kind():
    for action_type, function in enumerate(raw_functions()):
        if function.kind not in ("no_op", "camera"):
            found = function_of_ability(function.ability_id, function.kind)
            assert found == general_function(action_type), function.name


@pytest.mark.parametrize(
    ("ability_id", "kind", "name"),
    [
        (23, "unit", "Attack_unit"),  # the Marine's own attack
        (23, "point", "Attack_pt"),
        (1, "unit", "Smart_unit"),
        (1442, "unit", "Effect_Blink_unit"),  # pysc2 has the Stalker's own on places alone
        (1442, "point", "Effect_Blink_pt"),
        (560, "quick", "Train_Marine_quick"),
    ],
)
def test_abilities_lead_to_the_general_function_of_their_kind(
    ability_id: int, kind: str, name: str
):
    assert function_of_ability(ability_id, kind) == named(name)


def test_what_no_function_does_has_none():
    assert function_of_ability(999_999, "quick") is None
    assert function_of_ability(560, "unit") is None


@pytest.mark.parametrize(
    ("function", "unit", "ability"),
    [
        ("Land_pt", "BarracksFlying", 554),
        ("Land_pt", "CommandCenterFlying", 419),
        ("Land_pt", "OrbitalCommandFlying", 1524),
        ("Build_TechLab_pt", "Factory", 454),
        ("Build_CreepTumor_pt", "Queen", 1694),
        ("Build_Barracks_pt", "SCV", 321),  # which has no specific ones
        ("Land_pt", "Marine", 3678),  # which cannot
    ],
)
def test_a_unit_has_its_own_ability_for_a_general_function(function: str, unit: str, ability: int):
    row = next(
        int(row["unit_type"]) for row in read_table("unit_types.csv") if row["pysc2_name"] == unit
    )
    assert ability_of_unit(named(function), row) == ability
