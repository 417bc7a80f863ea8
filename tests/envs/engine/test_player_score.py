"""The score's details, by the words of the API: what is used, lost and killed, by category."""

from s2clientprotocol import sc2api_pb2 as sc_pb
from s2clientprotocol import score_pb2 as score_pb

from envs.engine.census import take_census
from envs.engine.layout import ONE
from envs.engine.observe import Observer
from envs.engine.score import score_of
from tests.envs.engine.scenes import TERRAN, ZERG, Scene

TRAIN_SCV, TRAIN_MARINE = 524, 560
COMBAT_SHIELD = 16
CATEGORIES = ("none", "army", "economy", "technology", "upgrade")


def score(scene: Scene, player: int = 1) -> score_pb.Score:
    found = score_pb.Score()
    score_of(scene.match, player, take_census(scene.world, player), found)
    return found


def amounts(part: score_pb.CategoryScoreDetails) -> dict[str, float]:
    """The categories of which there is something."""
    found = {name: getattr(part, name) for name in CATEGORIES}
    return {name: amount for name, amount in found.items() if amount}


def test_the_start_is_scored_as_the_game_scores_it():
    found = score(Scene(TERRAN, TERRAN))
    details = found.score_details
    assert found.score == 1050
    assert (details.total_value_units, details.total_value_structures) == (600, 400)
    assert amounts(details.food_used) == {"economy": 12}
    for part in (details.used_minerals, details.total_used_minerals):
        assert amounts(part) == {"economy": 1000}
    for part in (details.used_vespene, details.killed_minerals, details.lost_minerals):
        assert amounts(part) == {}
    assert all(details.HasField(field.name) for field in details.DESCRIPTOR.fields)


def test_what_is_there_is_told_by_category():
    scene = Scene(TERRAN, TERRAN)
    scene.put("Marine", 1, 40, 40)  # 50
    scene.put("SiegeTank", 1, 42, 40)  # 150, 125
    scene.put("SupplyDepot", 1, 46, 40)  # 100
    scene.put("Barracks", 1, 50.5, 40.5)  # 150
    scene.put("BarracksTechLab", 1, 53, 40)  # 50, 25
    scene.game.research(1, COMBAT_SHIELD)  # 100, 100
    details = score(scene).score_details
    expected = {"army": 200, "economy": 1100, "technology": 200, "upgrade": 100}
    assert amounts(details.used_minerals) == expected
    assert amounts(details.used_vespene) == {"army": 125, "technology": 25, "upgrade": 100}
    assert amounts(details.food_used) == {"army": 4, "economy": 12}
    assert details.total_value_units == 600 + 50 + 275
    assert details.total_value_structures == 400 + 100 + 150 + 75


def test_food_of_what_is_in_production_goes_to_what_it_will_be():
    scene = Scene(TERRAN, TERRAN)
    scene.give(1, minerals=500)
    scene.order(TRAIN_SCV, scene.all_of("CommandCenter", 1)[0])
    scene.order(TRAIN_MARINE, scene.put("Barracks", 1, 40.5, 40.5))
    scene.run(2)
    assert amounts(score(scene).score_details.food_used) == {"army": 1, "economy": 13}
    data = Observer(scene.match, 1, sc_pb.InterfaceOptions(raw=True)).observation()
    common = sc_pb.ResponseObservation.FromString(data).observation.player_common
    assert (common.food_used, common.food_workers, common.food_army) == (14, 12, 1)


def test_what_is_killed_and_lost_is_told_by_category_and_stays_in_the_total():
    scene = Scene(TERRAN, ZERG)
    marine = scene.put("Marine", 1, 40, 40)
    for name in ("Mutalisk", "Drone", "SpawningPool", "Overlord"):
        tag = scene.put(name, 2, 44, 40)
        scene.match.aftermath.kill(scene.game.slot(tag), scene.game.slot(marine))
    ours, theirs = score(scene).score_details, score(scene, 2).score_details
    for part in (ours.killed_minerals, theirs.lost_minerals):
        assert amounts(part) == {"army": 100, "economy": 150, "technology": 250}
    for part in (ours.killed_vespene, theirs.lost_vespene):
        assert amounts(part) == {"army": 100}
    assert (ours.killed_value_units, ours.killed_value_structures) == (350, 250)
    # 12 drones, an overlord and a hatchery with its drone are left
    assert amounts(theirs.used_minerals) == {"economy": 600 + 100 + 350}
    expected = {"army": 100, "economy": 1050 + 150, "technology": 250}
    assert amounts(theirs.total_used_minerals) == expected


def test_what_is_unfinished_is_used_and_not_yet_of_value():
    scene = Scene(TERRAN, TERRAN)
    depot = scene.game.spawn(scene.row["SupplyDepot"], 1, 40 * ONE, 40 * ONE, is_finished=False)
    details = score(scene).score_details
    assert amounts(details.used_minerals) == {"economy": 1100}
    assert details.total_value_structures == 400
    assert scene.game.units["build_left"][depot]


def test_what_nobody_paid_for_counts_for_nothing():
    scene = Scene(TERRAN, ZERG)
    mule, broodling = scene.put("MULE", 1, 40, 44), scene.put("Broodling", 2, 40, 40)
    assert score(scene).score == score(Scene(TERRAN, ZERG)).score
    scene.match.aftermath.kill(scene.game.slot(broodling), scene.game.slot(mule))
    scene.match.aftermath.kill(scene.game.slot(mule))
    assert amounts(score(scene).score_details.lost_minerals) == {}
    assert amounts(score(scene).score_details.killed_minerals) == {}
