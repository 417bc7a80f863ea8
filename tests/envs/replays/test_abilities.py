"""From a command's link to a raw function, checked against sc2reader's and pysc2's tables."""

import csv
from pathlib import Path

import pytest
import sc2reader

from envs.interface import raw_functions
from envs.replays.abilities import Ability, Target, find_ability

BUILD = 80949


def function_of(ability: Ability) -> str | None:
    return None if ability.action_type is None else raw_functions()[ability.action_type].name


def link_in(table: str, name: str) -> int:
    path = Path(sc2reader.__file__).parent / "data" / f"{table}_abilities.csv"
    with path.open(encoding="utf-8") as file:
        return next(int(row[0]) for row in csv.reader(file) if row and row[1] == name)


def find(name: str, index: int, target: Target) -> Ability:
    return find_ability(BUILD, link_in("LotV/80949", name), index, target)


@pytest.mark.parametrize(
    ("target", "function"),
    [(Target.POINT, "Smart_pt"), (Target.UNIT, "Smart_unit"), (Target.NOTHING, None)],
)
def test_a_right_click_is_smart(target: Target, function: str | None):
    ability = find_ability(BUILD, None, 0, target)
    assert ability.name == "Smart"
    assert function_of(ability) == function


@pytest.mark.parametrize(
    ("name", "index", "target", "function"),
    [
        ("attack", 0, Target.POINT, "Attack_pt"),
        ("attack", 0, Target.UNIT, "Attack_unit"),
        ("move", 0, Target.POINT, "Move_pt"),
        ("CommandCenterTrain", 0, Target.NOTHING, "Train_SCV_quick"),
        ("TerranBuild", 1, Target.POINT, "Build_SupplyDepot_pt"),
        ("TerranBuild", 2, Target.UNIT, "Build_Refinery_pt"),  # on a geyser, despite its name
        ("BarracksTrain", 0, Target.NOTHING, "Train_Marine_quick"),
        ("LarvaTrain", 0, Target.NOTHING, "Train_Drone_quick"),
        ("SiegeMode", 0, Target.NOTHING, "Morph_SiegeMode_quick"),
    ],
)
def test_catalogue_names_and_indices_give_functions(
    name: str, index: int, target: Target, function: str
):
    assert function_of(find(name, index, target)) == function


@pytest.mark.parametrize(
    ("name", "index", "general"),
    [
        ("stop", 0, "Stop_quick"),
        ("Stimpack", 0, "Effect_Stim_quick"),
        ("BurrowDroneDown", 0, "BurrowDown_quick"),
        ("EngineeringBayResearch", 3, "Research_TerranInfantryWeapons_quick"),
        ("EngineeringBayResearch", 2, "Research_TerranInfantryWeapons_quick"),
    ],
)
def test_specific_variants_become_their_general_function(name: str, index: int, general: str):
    function = function_of(find(name, index, Target.NOTHING))
    if name == "EngineeringBayResearch" and index == 3:
        # Levels one to three are indices 2, 3 and 4, all of one general function.
        assert function == function_of(find(name, 2, Target.NOTHING))
    assert function == general
    chosen = raw_functions()[find(name, index, Target.NOTHING).action_type or 0]
    assert chosen.general_ability_id == 0


def test_no_label_is_ever_a_specific_variant():
    for link in range(1000):
        for index in range(4):
            for target in Target:
                action_type = find_ability(BUILD, link, index, target).action_type
                if action_type is not None:
                    assert raw_functions()[action_type].general_ability_id == 0


@pytest.mark.parametrize(
    ("name", "index", "target", "function"),
    [
        ("HiveTrain", 0, Target.NOTHING, "Train_Queen_quick"),
        ("ZerglingTrain", 0, Target.NOTHING, "Train_Baneling_quick"),
        ("BarracksFlyingBuild", 1, Target.POINT, "Build_Reactor_pt"),
        ("CreepTumorBurrowedBuild", 0, Target.POINT, "Build_CreepTumor_pt"),
        ("que5", 1, Target.NOTHING, "Cancel_Last_quick"),
    ],
)
def test_aliases_give_names_that_the_tables_lack(
    name: str, index: int, target: Target, function: str
):
    assert function_of(find(name, index, target)) == function


def test_a_function_that_takes_only_a_point_is_aimed_at_the_units_place():
    ability = find("NexusMassRecall", 0, Target.UNIT)
    assert ability.target == Target.POINT
    assert function_of(ability) == "Effect_MassRecall_pt"


def test_town_halls_under_another_name_train_workers():
    # The tables of these builds call the command centre's own training by its successor's name.
    for build, table in ((51702, "LotV/54724"), (97364, "LotV/97364")):
        link = link_in(table, "PlanetaryFortressTrain")
        assert function_of(find_ability(build, link, 0, Target.NOTHING)) == "Train_SCV_quick"


def test_a_function_that_takes_a_unit_keeps_it():
    assert find("attack", 0, Target.UNIT).target == Target.UNIT


def test_a_target_that_no_function_takes_is_unmapped_but_named():
    ability = find("CommandCenterTrain", 0, Target.POINT)
    assert ability == Ability("CommandCenterTrain", None, Target.POINT)


def test_an_unknown_link_has_no_name():
    assert find_ability(BUILD, 60000, 0, Target.NOTHING) == Ability(None, None, Target.NOTHING)


def test_an_unknown_index_is_unmapped_but_named():
    ability = find("CommandCenterTrain", 29, Target.NOTHING)
    assert ability == Ability("CommandCenterTrain", None, Target.NOTHING)


@pytest.mark.parametrize(
    ("build", "table"),
    [
        (24944, "HotS/24764"),
        (38215, "LotV/base"),
        (51702, "LotV/54724"),
        (72282, "LotV/76114"),
        (76811, "LotV/76114"),
        (97364, "LotV/97364"),
        (99999, "LotV/97364"),
    ],
)
def test_each_build_reads_the_table_that_fits_it(build: int, table: str):
    link = link_in(table, "LarvaTrain")
    assert find_ability(build, link, 0, Target.NOTHING).name == "LarvaTrain"


@pytest.mark.parametrize(
    ("build", "low", "high"),
    # Links lie that much higher or lower than in the table of 54724, below and above 500 (480).
    [(44401, 5, 13), (47185, 1, 9)],
)
def test_links_of_builds_without_a_table_are_shifted(build: int, low: int, high: int):
    table = "LotV/54724"
    train = link_in(table, "LarvaTrain")
    assert 60 < train < 480
    assert find_ability(build, train - low, 0, Target.NOTHING).name == "LarvaTrain"
    path = Path(sc2reader.__file__).parent / "data" / f"{table}_abilities.csv"
    with path.open(encoding="utf-8") as file:
        names = {int(row[0]): row[1] for row in csv.reader(file) if row}
    # Links of the build below 60 are not shifted, and the first from 60 on is.
    for link in (57, 58, 59):
        assert find_ability(build, link, 0, Target.NOTHING).name == names.get(link)
    assert find_ability(build, 60, 0, Target.NOTHING).name == names.get(60 + low)
    early, late = min(names), max(names)
    assert early < 60
    assert find_ability(build, early, 0, Target.NOTHING).name == names[early]
    assert late > 520
    assert find_ability(build, late - high, 0, Target.NOTHING).name == names[late]
