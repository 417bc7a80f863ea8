"""What is kept of one player: build orders, statistics, upgrades, and the log."""

from collections.abc import Iterable

from envs.interface import ScalarFeature, read_table
from envs.replays.reconstruction import reconstruct
from envs.timeline import STATISTICS, Timeline
from tests.builders import unit_name
from tests.replay_writer import Script, opening


def timeline_of(script: Script, player: int = 0) -> Timeline:
    script.command(1500, 1, ("stop", 0))
    script.command(1500, 4, ("stop", 0))
    return reconstruct(script.parts()).timelines[player]


def names(kinds: Iterable[int]) -> list[str]:
    return [unit_name(kind) for kind in kinds]


def test_a_build_order_is_what_was_begun_or_trained_in_order():
    script = opening()
    script.begun(300, 1, "SupplyDepot", 40, 40)
    script.born(310, 1, "SCV", 33, 33)  # workers are left out
    script.begun(500, 1, "Barracks", 45, 40)
    script.born(900, 1, "Marine", 45, 42)
    script.born(901, 1, "Marine", 45, 42)
    order = names(timeline_of(script).build_order)
    assert order == ["SupplyDepot", "Barracks", "Marine", "Marine"]


def test_a_build_order_has_an_end():
    script = opening()
    for i in range(30):
        script.born(300 + i, 1, "Marine", 45, 42)
    assert len(timeline_of(script).build_order) == 20


def test_what_was_ever_built_has_workers_and_later_forms_but_not_the_start():
    script = opening()
    script.born(310, 1, "SCV", 33, 33)
    script.becomes(400, script.own[0], "OrbitalCommand")
    script.born(410, 1, "MULE", 33, 33)  # called down, not built
    timeline = timeline_of(script)
    assert set(names(timeline.units_built)) == {"SCV", "OrbitalCommand"}
    assert names(timeline.build_order) == []


def test_the_other_players_units_are_not_ones_own():
    script = opening()
    script.born(310, 2, "Zergling", 140, 140)
    assert names(timeline_of(script).units_built) == []
    assert names(timeline_of(script, player=1).units_built) == ["Zergling"]


def test_statistics_are_read_in_the_order_of_their_columns():
    script = opening()
    script.stats(
        160,
        1,
        MineralsCurrent=1,
        VespeneCurrent=2,
        FoodUsed=3 * 4096,
        FoodMade=4 * 4096 + 4095,
        WorkersActiveCount=5,
        MineralsCollectionRate=6,
        VespeneCollectionRate=7,
        MineralsUsedInProgressArmy=1,
        MineralsUsedInProgressEconomy=2,
        MineralsUsedInProgressTechnology=5,
        VespeneUsedInProgressArmy=9,
        MineralsUsedCurrentArmy=10,
        VespeneUsedCurrentArmy=11,
        MineralsLostArmy=4,
        MineralsLostEconomy=8,
        VespeneLostTechnology=13,
        MineralsKilledArmy=14,
        VespeneKilledEconomy=15,
    )
    script.stats(160, 2, MineralsCurrent=99)
    timeline = timeline_of(script)
    assert timeline.statistics_loop.tolist() == [160]
    assert timeline.statistics.tolist() == [list(range(1, 16))]
    assert STATISTICS[4] == ScalarFeature.FOOD_WORKERS


def test_upgrades_are_numbered_by_their_table_and_strange_ones_left_out():
    script = opening()
    script.upgrade(0, 1, "RewardDanceMule")
    script.upgrade(700, 1, "Stimpack")
    script.upgrade(800, 2, "zerglingmovementspeed")
    timeline = timeline_of(script)
    numbers = {row["name"]: int(row["upgrade"]) for row in read_table("upgrades.csv")}
    assert "RewardDanceMule" not in numbers
    assert timeline.upgrade_loop.tolist() == [700]
    assert timeline.upgrade.tolist() == [numbers["Stimpack"]]


def test_the_log_tells_deaths_and_later_forms_in_minutes_and_seconds():
    script = opening()
    script.becomes(1000, script.own[0], "OrbitalCommand")
    script.dies(1400, script.own[2])
    script.dies(1401, script.minerals[0])
    script.command(1500, 1, ("stop", 0))
    script.command(1500, 4, ("stop", 0))
    # 22.4 loops a second: 44.6 and 62.5 seconds.
    assert reconstruct(script.parts()).logs[0] == ("0:44 has now OrbitalCommand\n1:02 loses SCV")


def test_a_side_without_statistics_and_upgrades_has_none():
    timeline = timeline_of(opening())
    assert timeline.statistics.shape == (0, len(STATISTICS))
    assert timeline.upgrade.shape == (0,)
