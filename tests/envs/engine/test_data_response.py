"""What clients are told of types and abilities, against the tables and the real game's answer."""

import lzma
from functools import cache
from pathlib import Path

import pytest
from s2clientprotocol import data_pb2 as data_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine.data_response import data_response
from envs.engine.layout import ONE
from envs.engine.unit_tables import read_rows, unit_tables

RECORDED = Path(__file__).parents[4] / "shared" / "recordings" / "AbyssalReefLE.data.pb.xz"
PARTS = ("ability_id", "unit_type_id", "upgrade_id", "buff_id", "effect_id")
EVERYTHING = sc_pb.RequestData(**dict.fromkeys(PARTS, True))
# Weapons that the real answer leaves out.
WEAPONS_OF_OUR_OWN = {
    *("Baneling", "Battlecruiser", "Carrier", "Oracle", "Sentry", "VoidRay", "WidowMine"),
}


@cache
def data() -> sc_pb.ResponseData:
    return sc_pb.ResponseData.FromString(data_response(EVERYTHING))


@cache
def recorded() -> sc_pb.ResponseData:
    if not RECORDED.is_file():
        pytest.skip(f"needs a recording of the real game, {RECORDED}")
    return sc_pb.Response.FromString(lzma.decompress(RECORDED.read_bytes())).data


def own_types() -> list[data_pb.UnitTypeData]:
    """The types of the three races that the table of units has."""
    ids = {int(row["unit_id"]) for row in read_rows("units.csv")}
    return [unit_type for unit_type in data().units if unit_type.unit_id in ids]


def test_only_what_is_asked_for_is_told():
    answer = sc_pb.ResponseData.FromString(data_response(sc_pb.RequestData(upgrade_id=True)))
    told_of = [field.name for field, _ in answer.ListFields()]
    assert told_of == ["upgrades"]


def test_ids_are_told_once_and_in_order():
    for ids in (
        [unit_type.unit_id for unit_type in data().units],
        [ability.ability_id for ability in data().abilities],
    ):
        assert ids == sorted(set(ids))


def test_every_ability_that_a_table_names_is_told():
    known = {ability.ability_id for ability in data().abilities}
    named = {int(row["ability_id"]) for row in read_rows("abilities.csv")}
    named |= {int(row["ability_id"]) for row in read_rows("raw_functions.csv")}
    named |= {int(row["general_id"]) for row in read_rows("raw_functions.csv")}
    named |= {int(row["ability_id"]) for row in read_rows("morphs.csv")}
    assert named - {0} <= known
    assert {ability.remaps_to_ability_id for ability in data().abilities} - {0} <= known
    assert {unit_type.ability_id for unit_type in data().units} - {0} <= known


def test_a_marine_is_what_everybody_knows():
    (marine,) = (unit_type for unit_type in data().units if unit_type.name == "Marine")
    assert (marine.unit_id, marine.mineral_cost, marine.vespene_cost) == (48, 50, 0)
    assert (marine.food_required, marine.build_time, marine.sight_range) == (1, 400, 9)
    assert list(marine.attributes) == [data_pb.Light, data_pb.Biological]
    (rifle,) = marine.weapons
    assert (rifle.type, rifle.damage, rifle.attacks, rifle.range) == (data_pb.Weapon.Any, 6, 1, 5)
    assert rifle.speed == pytest.approx(0.61 * 1.4, abs=0.01)


def test_the_units_of_the_three_races_are_as_in_the_real_answer():
    real = {unit_type.unit_id: unit_type for unit_type in recorded().units}
    exact = (
        *("name", "mineral_cost", "vespene_cost", "food_required", "food_provided", "cargo_size"),
        *("ability_id", "race", "has_vespene", "unit_alias", "tech_requirement"),
        "require_attached",
    )
    for ours in own_types():
        theirs = real[ours.unit_id]
        for field in exact:
            assert getattr(ours, field) == getattr(theirs, field), (ours.name, field)
        for field in ("build_time", "movement_speed", "armor", "sight_range"):
            expected = pytest.approx(getattr(theirs, field), rel=0.02, abs=0.02)
            assert getattr(ours, field) == expected, (ours.name, field)
        assert sorted(ours.attributes) == sorted(theirs.attributes), ours.name
        assert list(ours.tech_alias) == list(theirs.tech_alias), ours.name
        if ours.name not in WEAPONS_OF_OUR_OWN:
            assert kinds(ours) == kinds(theirs), ours.name
            assert figures(ours) == pytest.approx(figures(theirs), abs=0.02), ours.name


def kinds(unit_type: data_pb.UnitTypeData) -> list[tuple[object, ...]]:
    """What can be compared exactly of a type's weapons."""
    return [
        (weapon.type, weapon.attacks, [extra.attribute for extra in weapon.damage_bonus])
        for weapon in unit_type.weapons
    ]


def figures(unit_type: data_pb.UnitTypeData) -> list[float]:
    """What either side may have rounded."""
    numbers: list[float] = []
    for weapon in unit_type.weapons:
        numbers += (weapon.damage, weapon.range, weapon.speed)
        numbers += (extra.bonus for extra in weapon.damage_bonus)
    return numbers


def test_abilities_are_as_in_the_real_answer():
    real = {ability.ability_id: ability for ability in recorded().abilities}
    for ours in data().abilities:
        theirs = real[ours.ability_id]
        if not theirs.available:
            continue
        for field in ("link_name", "link_index", "button_name", "remaps_to_ability_id", "target"):
            assert getattr(ours, field) == getattr(theirs, field), (ours.ability_id, field)
        assert ours.footprint_radius == pytest.approx(theirs.footprint_radius, abs=0.001)


def test_modes_see_as_far_and_are_as_hard_as_in_the_real_answer():
    real = {unit_type.unit_id: unit_type for unit_type in recorded().units}
    tables = unit_tables()
    for mode in read_rows("unit_modes.csv"):
        theirs = real[int(mode["unit_id"])]
        if mode["kind"] in ("mineral", "geyser") or not theirs.sight_range:
            continue
        kind = tables.types[tables.row[mode["name"]]]
        if mode["race"] != "Neutral":
            assert kind["sight"] / ONE == pytest.approx(theirs.sight_range), mode["name"]
            assert kind["armour"] == theirs.armor, mode["name"]


def test_upgrades_cost_and_take_what_they_do_in_the_real_answer():
    real = {upgrade.name: upgrade for upgrade in recorded().upgrades}
    compared = 0
    for ours in unit_tables().upgrades.values():
        theirs = real.get(ours.name)
        if theirs is None or not theirs.research_time:
            continue
        costs = (theirs.mineral_cost, theirs.vespene_cost)
        assert (ours.minerals, ours.gas, ours.loops) == (*costs, theirs.research_time), ours.name
        compared += 1
    assert compared > 80
