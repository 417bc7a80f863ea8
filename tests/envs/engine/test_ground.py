"""What players know of the ground: the fog gives nothing away, what was seen is remembered."""

import pytest
from s2clientprotocol import error_pb2 as result
from s2clientprotocol import query_pb2 as query_pb

from envs.engine.layout import ONE
from envs.engine.queries import query
from tests.envs.engine.scenes import TERRAN, ZERG, Scene

SUPPLY_DEPOT, COMMAND_CENTER, REFINERY, LAND_BARRACKS = 319, 318, 320, 554
OK, TAKEN = result.Success, result.CantBuildLocationInvalid
FAR = (42.0, 40.0)  # from both starts
SECONDS_OF_SIGHT = 16  # loops in which everybody sees what there is to see


@pytest.fixture
def scene() -> Scene:
    """A game with fog, whose middle nobody sees."""
    return foggy(TERRAN)


def foggy(enemy: int) -> Scene:
    scene = Scene(TERRAN, enemy, disable_fog=False)
    scene.give(1, minerals=1000, gas=1000)
    scene.run(16)
    assert not scene.game.sees(1, int(FAR[0]), int(FAR[1]))
    return scene


def placement(scene: Scene, ability: int, place: tuple[float, float]) -> int:
    request = query_pb.RequestQuery()
    asked = request.placements.add(ability_id=ability)
    asked.target_pos.x, asked.target_pos.y = place
    return int(query(scene.match, 1, request).placements[0].result)


def distance(scene: Scene, start: tuple[float, float], end: tuple[float, float]) -> float:
    request = query_pb.RequestQuery()
    asked = request.pathing.add()
    asked.start_pos.x, asked.start_pos.y = start
    asked.end_pos.x, asked.end_pos.y = end
    return query(scene.match, 1, request).pathing[0].distance


def scout(scene: Scene) -> int:
    """Have player 1 look at the far place."""
    eyes = scene.put("Marine", 1, FAR[0] - 4, FAR[1])
    scene.run(SECONDS_OF_SIGHT)
    return eyes


def look_away(scene: Scene, eyes: int) -> None:
    scene.match.aftermath.kill(scene.game.slot(eyes))
    scene.run(SECONDS_OF_SIGHT)
    assert not scene.game.sees(1, int(FAR[0]), int(FAR[1]))


def test_what_stands_in_the_fog_is_found_out_by_the_worker_alone(scene: Scene):
    scene.put("SupplyDepot", 2, *FAR)
    assert placement(scene, SUPPLY_DEPOT, FAR) == OK
    worker = scene.all_of("SCV", 1)[0]
    assert scene.order(SUPPLY_DEPOT, worker, at=FAR) == OK
    scene.run_until(lambda: bool(scene.match.aftermath.failed), 600)
    assert scene.match.aftermath.failed == [(1, worker, SUPPLY_DEPOT, TAKEN)]
    assert scene.value(worker, "num_orders") == 0
    assert scene.minerals(1) >= 1000


def test_what_was_seen_is_remembered_even_when_it_is_gone(scene: Scene):
    depot = scene.put("SupplyDepot", 2, *FAR)
    eyes = scout(scene)
    assert placement(scene, SUPPLY_DEPOT, FAR) == TAKEN
    look_away(scene, eyes)
    assert placement(scene, SUPPLY_DEPOT, FAR) == TAKEN
    scene.match.aftermath.kill(scene.game.slot(depot))
    scene.run(8)
    assert placement(scene, SUPPLY_DEPOT, FAR) == TAKEN
    assert scene.order(SUPPLY_DEPOT, scene.all_of("SCV", 1)[0], at=FAR) == TAKEN
    scout(scene)
    assert placement(scene, SUPPLY_DEPOT, FAR) == OK


def test_enemies_in_the_way_are_known_when_seen_and_found_out_by_the_worker_otherwise():
    scene = foggy(ZERG)
    scout(scene)
    zergling = scene.put("Zergling", 2, *FAR)
    scene.run(1)
    assert placement(scene, SUPPLY_DEPOT, FAR) == TAKEN
    scene.match.aftermath.kill(scene.game.slot(zergling))
    hidden = scene.put("ZerglingBurrowed", 2, *FAR)
    assert placement(scene, SUPPLY_DEPOT, FAR) == OK
    worker = scene.all_of("SCV", 1)[0]
    assert scene.order(SUPPLY_DEPOT, worker, at=FAR) == OK
    scene.run_until(lambda: bool(scene.match.aftermath.failed), 600)
    assert scene.match.aftermath.failed == [(1, worker, SUPPLY_DEPOT, TAKEN)]
    assert scene.place(hidden) == FAR


def test_own_units_make_room_for_a_building_unless_they_cannot_walk(scene: Scene):
    tank = scene.put("SiegeTankSieged", 1, *FAR)
    assert placement(scene, SUPPLY_DEPOT, FAR) == TAKEN
    scene.match.aftermath.kill(scene.game.slot(tank))
    marine, flier = scene.put("Marine", 1, *FAR), scene.put("Medivac", 1, *FAR)
    enemy_flier = scene.put("Medivac", 2, *FAR)
    assert placement(scene, SUPPLY_DEPOT, FAR) == OK
    assert scene.order(SUPPLY_DEPOT, scene.all_of("SCV", 1)[0], at=FAR) == OK
    scene.run_until(lambda: bool(scene.all_of("SupplyDepot", 1)), 600)
    assert max(abs(a - b) for a, b in zip(scene.place(marine), FAR, strict=True)) > 1
    assert all(scene.lives(tag) for tag in (flier, enemy_flier))


def test_own_buildings_are_known_wherever_they_are(scene: Scene):
    scene.put("SupplyDepot", 1, *FAR)
    assert placement(scene, SUPPLY_DEPOT, FAR) == TAKEN


def test_ways_lead_through_walls_that_nobody_has_seen(scene: Scene):
    start, end = (FAR[0], FAR[1] - 4), (FAR[0], FAR[1] + 4)
    for x in range(-6, 8, 2):
        scene.put("SupplyDepot", 2, FAR[0] + x, FAR[1])
    before, truth = scene.match.state_hash(), scene.world.blocked.copy()
    assert distance(scene, start, end) == pytest.approx(8)
    assert scene.match.state_hash() == before
    assert (scene.world.blocked == truth).all()
    eyes = scout(scene)
    assert distance(scene, start, end) > 12
    look_away(scene, eyes)
    assert distance(scene, start, end) > 12


def test_a_way_that_was_asked_for_does_not_show_where_another_has_seen_more(scene: Scene):
    start, end = (FAR[0], FAR[1] - 4), (FAR[0], FAR[1] + 4)
    for x in range(-6, 8, 2):
        scene.put("SupplyDepot", 2, FAR[0] + x, FAR[1])
    request = query_pb.RequestQuery()
    asked = request.pathing.add()
    asked.start_pos.x, asked.start_pos.y = start
    asked.end_pos.x, asked.end_pos.y = end
    theirs = query(scene.match, 2, request).pathing[0].distance
    assert theirs > 12
    assert distance(scene, start, end) == pytest.approx(8)
    assert query(scene.match, 2, request).pathing[0].distance == theirs


def test_where_a_unit_is_sent_does_not_show_what_stands_there_in_the_fog(scene: Scene):
    scene.put("SupplyDepot", 2, *FAR)
    marine = scene.put("Marine", 1, FAR[0] - 16, FAR[1])
    scene.order("move", marine, at=FAR)
    order = scene.world.orders[scene.game.slot(marine), 0]
    assert (int(order["x"]) / ONE, int(order["y"]) / ONE) == FAR
    scene.run_until(lambda: scene.value(marine, "num_orders") == 0, 400)
    assert abs(scene.place(marine)[0] - FAR[0]) < 3
    scene.order("move", marine, at=FAR)
    order = scene.world.orders[scene.game.slot(marine), 0]
    assert (int(order["x"]) / ONE, int(order["y"]) / ONE) != FAR


def test_creep_in_the_fog_is_as_it_was_last_seen():
    scene = foggy(ZERG)
    column, row = int(FAR[0]), int(FAR[1])
    scene.put("CreepTumorBurrowed", 2, FAR[0] + 2.5, FAR[1] + 2.5)
    scene.run(64)
    assert scene.world.creep[row, column]
    assert placement(scene, SUPPLY_DEPOT, FAR) == OK
    eyes = scout(scene)
    scene.run(16)
    assert placement(scene, SUPPLY_DEPOT, FAR) == result.CantBuildTooCloseToCreepSource
    look_away(scene, eyes)
    assert placement(scene, SUPPLY_DEPOT, FAR) == result.CantBuildTooCloseToCreepSource


def test_a_hidden_tumour_is_not_given_away_where_it_is_not_detected():
    scene = foggy(ZERG)
    scout(scene)
    scene.put("CreepTumorBurrowed", 2, FAR[0] - 0.5, FAR[1] - 0.5)
    scene.run(8)
    assert placement(scene, SUPPLY_DEPOT, FAR) == OK


def test_whether_a_geyser_is_built_on_is_not_seen_through_the_fog(scene: Scene):
    geyser = next(
        slot
        for slot in reversed(scene.game.resources())
        if scene.game.kind(slot)["id"] == 342
        and not scene.game.sees(1, *(int(scene.game.units[c][slot]) // ONE for c in "xy"))
    )
    place = tuple(int(scene.game.units[axis][geyser]) / ONE for axis in "xy")
    refinery = scene.put("Refinery", 2, *place)
    scene.game.units["home"][scene.game.slot(refinery)] = scene.game.units["tag"][geyser]
    tag = int(scene.game.units["tag"][geyser])
    assert scene.order(REFINERY, scene.all_of("SCV", 1)[0], on=tag) == OK
    scene.put("Marine", 1, place[0] - 4, place[1])
    scene.run(SECONDS_OF_SIGHT)
    answer = scene.order(REFINERY, scene.all_of("SCV", 1)[1], on=tag)
    assert answer == result.CantBuildOnThat


def test_flying_buildings_are_sent_to_land_where_something_hidden_stands(scene: Scene):
    scene.put("SupplyDepot", 2, FAR[0], FAR[1])
    flying = scene.put("BarracksFlying", 1, FAR[0] - 20, FAR[1])
    assert scene.order(LAND_BARRACKS, flying, at=(FAR[0] + 0.5, FAR[1] + 0.5)) == OK
    scene.run_until(lambda: bool(scene.match.aftermath.failed), 1000)
    assert scene.match.aftermath.failed[-1][3] == result.CantLandLocationInvalid


def test_town_halls_keep_their_distance_from_resources_in_the_fog(scene: Scene):
    hall = next(
        (x, y) for x, y in scene.match.game_map.expansions if not scene.game.sees(1, int(x), int(y))
    )
    assert placement(scene, COMMAND_CENTER, hall) == OK
    resource = next(s for s in scene.game.resources() if scene.game.distance(
        s, round(hall[0] * ONE), round(hall[1] * ONE)) < 9 * ONE)  # fmt: skip
    x, y = (int(scene.game.units[axis][resource]) / ONE for axis in "xy")
    near = (hall[0] + (1 if x > hall[0] else -1) * 2, hall[1] + (1 if y > hall[1] else -1) * 2)
    assert placement(scene, COMMAND_CENTER, near) == result.CantBuildTooCloseToResources
