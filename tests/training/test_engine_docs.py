"""The table of functions: what it says is what the engine's commands and tests say."""

import ast
from pathlib import Path

import pytest

from envs.interface import raw_functions
from training import engine_docs
from training.engine_docs import (
    BEGIN,
    DOCUMENT,
    END,
    TESTS,
    ability_tests,
    functions_table,
    is_supported,
    takers_of,
    with_table,
)

FUNCTIONS = {function.name: function for function in raw_functions()}
TIER_0 = (
    *("no_op", "raw_move_camera", "Smart_pt", "Smart_unit", "Attack_pt", "Attack_unit"),
    *("Move_pt", "Move_unit", "Patrol_pt", "Patrol_unit", "HoldPosition_quick", "Stop_quick"),
    *("Halt_quick", "Scan_Move_pt", "Harvest_Gather_unit", "Harvest_Return_quick"),
    *("Rally_Units_pt", "Rally_Units_unit", "Rally_Workers_pt", "Rally_Workers_unit"),
    *("Cancel_quick", "Cancel_Last_quick"),
)
TIER_1 = ("Build_", "Train_", "TrainWarp_", "Morph_", "Research_", "Lift_", "Land_", "Burrow")
CARGO = ("Load_unit", "UnloadAll_quick", "UnloadAllAt_pt", "UnloadAllAt_unit")
LATER = {  # what the first version was to leave out
    *("Build_Interceptors_quick", "Build_StasisTrap_pt", "Build_Nuke_quick"),
    "Build_NydusWorm_pt",
}
OF_OTHER_PATCHES = {  # units, morphs and upgrades that the game of our tables has not got
    *("Train_MothershipCore_quick", "Morph_Mothership_quick", "Morph_LurkerDen_quick"),
    *("Research_AdvancedBallistics_quick", "Research_CycloneRapidFireLaunchers_quick"),
    *("Research_HighCapacityFuelTanks_quick", "Research_NeosteelFrame_quick"),
    *("Research_RavenRecalibratedExplosives_quick", "Research_InterceptorGravitonCatapult_quick"),
}


def test_the_document_has_the_table_as_it_is_written_today():
    text = DOCUMENT.read_text(encoding="utf-8")
    assert with_table(text, functions_table(TESTS)) == text, "run: python -m training.engine_docs"


def test_there_is_a_row_for_each_function():
    rows = [line for line in functions_table(TESTS).splitlines() if line.startswith("| ")]
    numbers = [line.split("|")[1].strip() for line in rows if line.split("|")[1].strip()]
    assert numbers == [str(action_type) for action_type in range(564)]


def test_every_test_that_is_named_is_there():
    for names in ability_tests(TESTS).values():
        for name in names:
            file, _, test = name.partition("::")
            tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
            assert test in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("name", TIER_0 + CARGO)
def test_what_every_player_needs_is_supported(name: str):
    assert is_supported(FUNCTIONS[name])


def test_what_makes_things_is_supported():
    missing = {
        function.name
        for function in raw_functions()
        if function.name.startswith(TIER_1)
        and function.kind in ("quick", "point", "unit")
        and function.general_ability_id == 0
        and not is_supported(function)
    }
    assert missing <= LATER | OF_OTHER_PATCHES


def test_a_marine_is_among_those_who_attack_and_a_depot_is_not():
    names = {engine_docs.unit_tables().names[row] for row, _ in takers_of(FUNCTIONS["Attack_pt"])}
    assert "Marine" in names
    assert "SupplyDepot" not in names


def test_abilities_are_found_by_number_name_and_word(tmp_path: Path):
    (tmp_path / "scenes.py").write_text('ABILITIES = {"stop": 3665}\nSIEGE = 388\n')
    (tmp_path / "test_a.py").write_text(
        "from tests.envs.engine.scenes import SIEGE\n"
        "MARINE, SCV = 560, 524\n"
        "def test_one():\n    scene.order(MARINE, tag)\n    scene.order('stop', tag)\n"
        "def test_two():\n    scene.order(SIEGE, tag)\n    match.order(2, SCV, slots, aim)\n"
        "    actions.RAW_FUNCTIONS.Move_pt('now', [tag], place)\n"
        "def helper():\n    scene.order(16, tag)\n"
    )
    assert ability_tests(tmp_path) == {
        560: ["test_a.py::test_one"],
        3665: ["test_a.py::test_one"],
        388: ["test_a.py::test_two"],
        524: ["test_a.py::test_two"],
        3794: ["test_a.py::test_two"],
    }


def test_a_document_without_a_place_for_the_table_is_refused():
    with pytest.raises(ValueError, match="must have the lines"):
        with_table(f"text {END}", "table")
    assert with_table(f"a {BEGIN} old {END} b", "new") == f"a {BEGIN}\n\nnew\n{END} b"
