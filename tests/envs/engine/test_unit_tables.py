"""The engine's figures against what is known of the game."""

import pytest

from envs.engine.layout import ONE, Trait
from envs.engine.unit_tables import owned_tables, unit_tables, upgraded

TABLES = unit_tables()


def figure(name: str, field: str) -> float:
    return float(TABLES.types[field][TABLES.row[name]])


@pytest.mark.parametrize(
    ("name", "field", "expected"),
    [
        ("Zergling", "num_made", 2),
        ("Nexus", "footprint", 5),
        ("SupplyDepot", "footprint", 2),
        ("Barracks", "footprint", 3),
        ("BarracksTechLab", "footprint", 2),
        ("MineralField", "footprint", 2),
        ("MineralField", "footprint_height", 1),
        ("BarracksFlying", "flying", 1),
        ("BarracksFlying", "health", 1000 * ONE),
    ],
)
def test_figures_are_the_games(name: str, field: str, expected: int):
    assert figure(name, field) == expected


def test_modes_are_as_their_base_but_for_what_the_table_says():
    assert figure("RoachBurrowed", "health") == figure("Roach", "health")
    assert figure("RoachBurrowed", "speed") == 0
    assert int(figure("RoachBurrowed", "traits")) & Trait.BURROWED
    assert not TABLES.weapons[TABLES.row["RoachBurrowed"]]["targets"].any()
    assert not TABLES.weapons[TABLES.row["WidowMine"]]["targets"].any()
    assert TABLES.weapons[TABLES.row["WidowMineBurrowed"]]["targets"].any()


def test_weapon_levels_add_what_each_weapon_gains():
    types, weapons = owned_tables()
    marine, marauder = TABLES.row["Marine"], TABLES.row["Marauder"]
    before = weapons[1, marauder, 0].copy()
    upgraded(types[1], weapons[1], 7)  # TerranInfantryWeaponsLevel1
    assert weapons[1, marine, 0]["damage"] == 7
    assert weapons[1, marauder, 0]["damage"] == before["damage"] + 1
    assert weapons[1, marauder, 0]["bonus"] == before["bonus"] + 1
    assert types["attack_level"][1, marine] == 1
    assert weapons[2, marine, 0]["damage"] == 6, "the other player gained nothing"


def test_combat_shield_makes_marines_healthier():
    types, weapons = owned_tables()
    upgraded(types[1], weapons[1], 16)
    assert types["health"][1, TABLES.row["Marine"]] == 55 * ONE


def test_metabolic_boost_speeds_zerglings_up_on_and_off_creep():
    types, weapons = owned_tables()
    zergling = TABLES.row["Zergling"]
    before = types[2, zergling].copy()
    upgraded(types[2], weapons[2], 66)
    after = types[2, zergling]
    assert after["speed"] / before["speed"] == pytest.approx(1.6, abs=0.02)
    assert after["creep_speed"] / after["speed"] == pytest.approx(1.3, abs=0.01)


def test_every_type_has_an_id_of_its_own():
    assert len(TABLES.row_of_id) == len(TABLES.names) - 1
