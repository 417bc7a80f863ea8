"""Building, training, researching and morphing: who may, what it costs, how long it takes."""

import math

import pytest
from s2clientprotocol import error_pb2 as result

from envs.engine import rules
from envs.engine.creep import CREEP_LOOPS, lay_creep
from envs.engine.layout import ONE, TICK
from envs.engine.transport import load
from tests.envs.engine.scenes import PROTOSS, TERRAN, ZERG, Scene

SCV, MARINE, MARAUDER = 524, 560, 563
SUPPLY_DEPOT, BARRACKS, REFINERY = 319, 321, 320
TECH_LAB, REACTOR, LIFT, LAND = 421, 422, 452, 554
PYLON, GATEWAY, ZEALOT, WARP_ZEALOT = 881, 883, 916, 1413
DRONE, ZERGLING, OVERLORD, QUEEN = 1342, 1343, 1344, 1632
HATCHERY, SPAWNING_POOL, EXTRACTOR = 1152, 1155, 1154
RAVAGER, SPREAD, RESTORE = 2330, 1733, 3765
BURROW_DRONE, REPAIR, SUPPLY_DROP, ARCHON_MERGE = 1378, 316, 255, 1766
OK = result.Success


def start(race: int, **resources: int) -> Scene:
    scene = Scene(race, race, map_name="Simple64")
    scene.give(1, **resources)
    return scene


def near_start(scene: Scene, dx: float, dy: float) -> tuple[float, float]:
    x, y = scene.match.game_map.starts[0]
    to_x = 1 if x < scene.match.game_map.width / 2 else -1
    to_y = 1 if y < scene.match.game_map.height / 2 else -1
    return x + to_x * dx, y + to_y * dy


def test_minerals_and_supply_are_taken_when_training_begins():
    scene = start(TERRAN)
    hall = scene.all_of("CommandCenter", 1)[0]
    assert scene.order(SCV, hall) == OK
    assert scene.minerals(1) == 0
    scene.run(1)
    assert scene.world.players["supply_used"][1] == 26


def test_what_cannot_be_paid_for_is_refused():
    scene = start(TERRAN)
    scene.world.players["minerals"][1] = 49
    assert scene.order(SCV, scene.all_of("CommandCenter", 1)[0]) == result.NotEnoughMinerals


def test_the_queue_holds_five_and_what_is_cancelled_is_paid_back():
    scene = start(TERRAN, minerals=950)
    hall = scene.all_of("CommandCenter", 1)[0]
    assert [scene.order(SCV, hall) for _ in range(6)] == [OK] * 5 + [result.QueueIsFull]
    assert scene.minerals(1) == 750
    assert scene.order(3671, hall) == OK
    assert scene.minerals(1) == 800
    assert scene.value(hall, "num_production") == 4


def test_an_scv_builds_a_depot_in_480_loops_and_supply_grows():
    scene = start(TERRAN, minerals=100)
    worker = scene.all_of("SCV", 1)[0]
    assert scene.order(SUPPLY_DEPOT, worker, at=near_start(scene, 6, 0)) == OK
    scene.run_until(lambda: bool(scene.all_of("SupplyDepot", 1)), 300)
    assert scene.minerals(1) < 100 + 60
    depot = scene.all_of("SupplyDepot", 1)[0]
    assert scene.health(depot) == pytest.approx(40, abs=2)
    loops = scene.run_until(lambda: scene.value(depot, "build_left") == 0, 700)
    assert loops == pytest.approx(480, abs=40)  # and the last steps of the SCV
    assert scene.health(depot) == pytest.approx(400, abs=1)
    assert scene.world.players["supply_made"][1] == 2 * 23


def test_a_terran_building_waits_for_its_scv():
    scene = start(TERRAN, minerals=100)
    worker = scene.all_of("SCV", 1)[0]
    scene.order(SUPPLY_DEPOT, worker, at=near_start(scene, 6, 0))
    scene.run_until(lambda: bool(scene.all_of("SupplyDepot", 1)), 300)
    depot = scene.all_of("SupplyDepot", 1)[0]
    scene.run(100)
    scene.order("stop", worker)
    scene.run(1)
    left = scene.value(depot, "build_left")
    scene.run(100)
    assert scene.value(depot, "build_left") == left
    scene.order("smart", scene.all_of("SCV", 1)[1], on=depot)
    scene.run_until(lambda: scene.value(depot, "build_left") == 0, 900)


def test_a_barracks_needs_a_depot_and_a_marauder_a_tech_lab():
    scene = start(TERRAN, minerals=1000, gas=200)
    worker = scene.all_of("SCV", 1)[0]
    place = near_start(scene, 8, -1)
    assert scene.order(BARRACKS, worker, at=place) == result.TechRequirementsNotMet
    scene.put("SupplyDepot", 1, *near_start(scene, 14, 0))
    assert scene.order(BARRACKS, worker, at=place) == OK
    barracks = scene.put("Barracks", 1, *near_start(scene, 8, 5))
    assert scene.order(MARAUDER, barracks) == result.TechRequirementsNotMet
    assert scene.order(MARINE, barracks) == OK


def test_an_add_on_lets_a_barracks_make_more():
    scene = Scene(TERRAN, TERRAN)
    scene.give(1, minerals=2000, gas=500)
    scene.put("CommandCenter", 1, 30.5, 30.5)
    scene.put("CommandCenter", 1, 30.5, 50.5)
    barracks = scene.put("Barracks", 1, 40.5, 40.5)
    assert scene.order(TECH_LAB, barracks) == OK
    loops = scene.run_until(
        lambda: not scene.value(scene.all_of("BarracksTechLab", 1)[0], "build_left"), 500
    )
    assert loops == pytest.approx(400, abs=2)
    lab = scene.all_of("BarracksTechLab", 1)[0]
    assert scene.place(lab) == (43, 40)
    assert scene.order(MARAUDER, barracks) == OK
    assert scene.order(730, lab) == OK  # Stimpack
    loops = scene.run_until(lambda: bool(scene.world.upgrades[1, 15]), 2400)
    assert loops == pytest.approx(2240, abs=3)


def test_a_reactor_makes_two_at_once():
    scene = Scene(TERRAN, TERRAN)
    scene.give(1, minerals=2000, gas=500)
    barracks = scene.put("Barracks", 1, 40.5, 40.5)
    reactor = scene.put("BarracksReactor", 1, 43, 40)
    scene.game.units["add_on"][scene.game.slot(barracks)] = reactor
    scene.game.units["home"][scene.game.slot(reactor)] = barracks
    for _ in range(2):
        assert scene.order(MARINE, barracks) == OK
    loops = scene.run_until(lambda: len(scene.all_of("Marine", 1)) == 2, 900)
    assert loops == pytest.approx(400, abs=2)


def test_a_barracks_lifts_flies_and_lands_elsewhere():
    scene = Scene(TERRAN, TERRAN)
    barracks = scene.put("Barracks", 1, 40.5, 40.5)
    assert scene.order(LIFT, barracks) == OK
    scene.run(40)
    assert scene.all_of("BarracksFlying", 1) == [barracks]
    assert not scene.world.blocked[39:42, 39:42].any()
    assert scene.order(LAND, barracks, at=(46.5, 40.5)) == OK
    scene.run(250)
    assert scene.all_of("Barracks", 1) == [barracks]
    assert scene.place(barracks) == (46.5, 40.5)
    assert scene.world.blocked[39:42, 45:48].all()


def test_two_buildings_do_not_come_down_on_one_place():
    scene = Scene(TERRAN, TERRAN)
    first = scene.put("BarracksFlying", 1, 34.5, 40.5)
    second = scene.put("BarracksFlying", 1, 47.5, 40.5)
    marine = scene.put("Marine", 1, 40.5, 40.5)
    for flying in (first, second):
        assert scene.order(LAND, flying, at=(40.5, 40.5)) == OK
    scene.run_until(lambda: scene.value(first, "morph_left") > 0, 200)
    assert scene.world.blocked[39:42, 39:42].all()
    column, row = map(int, scene.place(marine))
    assert not scene.world.blocked[row, column]  # it has made way
    scene.run(200)
    landed = scene.all_of("Barracks", 1)
    assert landed == [first]
    assert scene.place(first) == (40.5, 40.5)
    assert scene.match.aftermath.failed == [(1, second, LAND, result.CantLandLocationInvalid)]


def test_a_building_that_is_shot_while_it_lands_leaves_its_place_free():
    scene = Scene(TERRAN, TERRAN)
    barracks = scene.put("BarracksFlying", 1, 40.5, 40.5)
    scene.order(LAND, barracks, at=(40.5, 40.5))
    scene.run(8)
    assert scene.value(barracks, "morph_left") > 0
    scene.match.aftermath.kill(scene.game.slot(barracks))
    assert not scene.world.blocked[39:42, 39:42].any()
    assert not scene.world.occupied[39:42, 39:42].any()


def test_a_building_that_lands_is_not_pushed_aside():
    scene = Scene(TERRAN, TERRAN)
    barracks = scene.put("BarracksFlying", 1, 40.5, 40.5)
    for i in range(4):
        scene.put("Liberator", 1, 40 + i / 4, 40)
    scene.order(LAND, barracks, at=(40.5, 40.5))
    scene.run(60)
    assert scene.place(barracks) == (40.5, 40.5)
    assert scene.all_of("Barracks", 1) == [barracks]


@pytest.mark.parametrize("name", ["Barracks", "Factory", "Starport"])
@pytest.mark.parametrize("add_on", ["TechLab", "Reactor"])
def test_flying_buildings_are_told_to_land_and_build_an_add_on(name: str, add_on: str):
    scene = Scene(TERRAN, TERRAN)
    scene.give(1, minerals=200, gas=200)
    for requirement in ("Barracks", "Factory"):
        scene.put(requirement, 1, 20.5 if requirement == "Barracks" else 26.5, 40.5)
    building = scene.put(f"{name}Flying", 1, 34.5, 40.5)
    ability = {"TechLab": 3682, "Reactor": 3683}[add_on]
    assert scene.order(ability, building, at=(40.5, 40.5)) == OK
    scene.run(1200 + 200)
    assert scene.place(building) == (40.5, 40.5)
    assert scene.all_of(name, 1)[-1] == building
    assert len(scene.all_of(f"{name}{add_on}", 1)) == 1


def test_what_cannot_land_builds_no_add_on_in_the_air():
    scene = Scene(TERRAN, TERRAN)
    scene.give(1, minerals=200, gas=200)
    scene.put("Barracks", 1, 20.5, 40.5)
    building = scene.put("BarracksFlying", 1, 34.5, 40.5)
    assert scene.order(TECH_LAB, building, at=(40.5, 40.5)) == OK
    scene.run(8)
    scene.put("SupplyDepot", 1, 40, 40)
    scene.run(300)
    assert scene.all_of("BarracksFlying", 1) == [building]
    assert not scene.all_of("BarracksTechLab", 1)
    assert scene.value(building, "num_orders") == 0


def test_a_refinery_goes_on_a_geyser_and_its_builder_gathers_there():
    scene = start(TERRAN, minerals=100)
    worker = scene.all_of("SCV", 1)[0]
    geyser = next(
        int(scene.game.units["tag"][slot])
        for slot in scene.game.resources()
        if scene.game.units["gas"][slot]
        and scene.game.distance(slot, *(round(v * ONE) for v in scene.match.game_map.starts[0]))
        < 11 * ONE
    )
    assert scene.order(REFINERY, worker, at=near_start(scene, 6, 0)) == result.MustTargetUnit
    assert scene.order(REFINERY, worker, on=geyser) == OK
    scene.run(900)
    refinery = scene.all_of("Refinery", 1)[0]
    assert scene.place(refinery) == scene.place(geyser)
    assert scene.world.players["gas_collected"][1] > 0
    again = scene.all_of("SCV", 1)[1]
    assert scene.order(REFINERY, again, on=geyser) == result.CantBuildOnThat


def test_protoss_buildings_need_power_and_stop_without_it():
    scene = Scene(PROTOSS, PROTOSS)
    scene.give(1, minerals=2000)
    scene.put("Nexus", 1, 30.5, 50.5)
    probe = scene.put("Probe", 1, 38, 38)
    no_power = result.CantBuildTooFarFromBuildPowerSource
    assert scene.order(GATEWAY, probe, at=(42.5, 42.5)) == result.TechRequirementsNotMet
    pylon = scene.put("Pylon", 1, 40, 40)
    assert scene.order(GATEWAY, probe, at=(50.5, 42.5)) == no_power
    assert scene.order(GATEWAY, probe, at=(43.5, 42.5)) == OK
    scene.run_until(lambda: bool(scene.all_of("Gateway", 1)), 200)
    gateway = scene.all_of("Gateway", 1)[0]
    assert scene.value(probe, "num_orders") == 0, "a Probe goes its way"
    scene.run_until(lambda: scene.value(gateway, "build_left") == 0, 1100)
    assert scene.order(ZEALOT, gateway) == OK
    scene.run(100)
    scene.match.aftermath.kill(scene.game.slot(pylon))
    scene.run(16)
    left = int(scene.world.production[scene.game.slot(gateway), 0]["left"])
    scene.run(50)
    assert int(scene.world.production[scene.game.slot(gateway), 0]["left"]) == left


def test_a_warp_gate_warps_zealots_into_a_power_field():
    scene = Scene(PROTOSS, PROTOSS)
    scene.give(1, minerals=2000)
    scene.put("Nexus", 1, 30.5, 50.5)
    scene.put("Pylon", 1, 40, 40)
    gate = scene.put("WarpGate", 1, 43.5, 40.5)
    scene.run(8)
    assert scene.order(WARP_ZEALOT, gate, at=(60, 40)) == result.CantWarpInUnitsThere
    assert scene.order(WARP_ZEALOT, gate, at=(38, 42)) == OK
    assert scene.order(WARP_ZEALOT, gate, at=(37, 40)) == result.Cooldown
    zealot = scene.all_of("Zealot", 1)[0]
    assert scene.value(zealot, "build_left") > 0
    scene.run(260)
    assert scene.value(zealot, "build_left") == 0


@pytest.mark.parametrize(
    ("others", "loops"),
    [
        ([], 256),
        ([("Nexus", 42.5, 44.5)], 64),
        ([("Gateway", 43.5, 44.5)], 64),
        ([("Gateway", 50.5, 44.5)], 256),  # too far from the pylon
        ([("WarpPrismPhasing", 36, 40)], 64),
    ],
)
def test_warping_in_is_quick_by_a_nexus_a_gateway_or_a_prism(
    others: list[tuple[str, float, float]], loops: int
):
    scene = Scene(PROTOSS, PROTOSS)
    scene.give(1, minerals=100)
    scene.put("Pylon", 1, 40, 40)
    scene.put("Pylon", 1, 20, 40)
    gate = scene.put("WarpGate", 1, 20.5, 44.5)
    for name, x, y in others:
        scene.put(name, 1, x, y)
    scene.run(8)
    assert scene.order(WARP_ZEALOT, gate, at=(37, 40)) == OK
    zealot = scene.all_of("Zealot", 1)[0]
    assert scene.run_until(lambda: scene.value(zealot, "build_left") == 0, 300) == loops


def test_nothing_is_warped_in_on_top_of_another_or_out_of_sight():
    scene = Scene(PROTOSS, PROTOSS, disable_fog=False)
    scene.give(1, minerals=1000)
    scene.put("Pylon", 1, 40, 40)
    gate = scene.put("WarpGate", 1, 42.5, 44.5)
    scene.run(8)
    assert scene.order(WARP_ZEALOT, gate, at=(37, 40)) == OK
    scene.game.units["warp_cooldown"][scene.game.slot(gate)] = 0
    assert scene.order(WARP_ZEALOT, gate, at=(37.25, 40)) == result.CantWarpInUnitsThere
    scene.world.visibility[1, 40, 38] = 1
    assert scene.order(WARP_ZEALOT, gate, at=(38.5, 40.5)) == result.CantWarpInUnitsThere


def test_warping_in_is_answered_by_what_a_player_sees_and_not_by_passengers():
    scene = Scene(PROTOSS, ZERG, disable_fog=False)
    scene.give(1, minerals=1000)
    scene.put("Pylon", 1, 40, 40)
    gate, prism = scene.put("WarpGate", 1, 42.5, 44.5), scene.put("WarpPrism", 1, 37, 40)
    stalker = scene.put("Stalker", 1, 37, 40)
    assert load(scene.game, scene.game.slot(prism), scene.game.slot(stalker)) == OK
    scene.put("RoachBurrowed", 2, 37, 40)
    scene.run(8)
    assert scene.order(WARP_ZEALOT, gate, at=(37, 40)) == OK


def test_larvae_become_eggs_and_two_zerglings_hatch():
    scene = start(ZERG, minerals=500)
    assert len(scene.all_of("Larva", 1)) == 3
    scene.put("SpawningPool", 1, *near_start(scene, 7, -2))
    larva = scene.all_of("Larva", 1)[0]
    assert scene.order(ZERGLING, larva) == OK
    assert scene.all_of("Egg", 1) == [larva]
    loops = scene.run_until(lambda: len(scene.all_of("Zergling", 1)) == 2, 500)
    assert loops == pytest.approx(384, abs=2)
    assert larva in scene.all_of("Zergling", 1), "an egg hatches as itself"
    assert scene.world.players["supply_used"][1] == 2 * 13


def test_a_hatchery_makes_a_larva_every_eleven_seconds_up_to_three():
    scene = start(ZERG, minerals=500)
    scene.put("Overlord", 1, *near_start(scene, 6, 0))
    for larva in scene.all_of("Larva", 1):
        scene.order(DRONE, larva)
    assert not scene.all_of("Larva", 1)
    scene.run(500)
    assert len(scene.all_of("Larva", 1)) == 2
    scene.run(2000)
    assert len(scene.all_of("Larva", 1)) == 3


def test_a_drone_becomes_the_building():
    scene = start(ZERG, minerals=500)
    drones = scene.all_of("Drone", 1)
    assert scene.order(SPAWNING_POOL, drones[0], at=near_start(scene, 7, -2)) == OK
    scene.run_until(lambda: bool(scene.all_of("SpawningPool", 1)), 300)
    assert not scene.lives(drones[0])
    assert scene.world.players["supply_used"][1] == 2 * 11
    pool = scene.all_of("SpawningPool", 1)[0]
    assert scene.order("cancel", pool) == OK
    assert len(scene.all_of("Drone", 1)) == 12
    assert scene.minerals(1) >= 550 - 200 + 150


def test_zerg_buildings_need_creep_and_others_must_keep_off_it():
    scene = start(ZERG, minerals=500)
    drone = scene.all_of("Drone", 1)[0]
    place = near_start(scene, 17, 0)
    assert scene.order(SPAWNING_POOL, drone, at=place) in (
        result.CantBuildTooFarFromCreepSource,
        result.CantBuildLocationInvalid,
    )


def test_zerg_buildings_off_creep_lose_health_until_they_die():
    scene = Scene(ZERG, ZERG)
    dying = [
        scene.put(name, 1, 40 + 4 * i + 0.5, 40.5, health=10 * ONE)
        for i, name in enumerate(("SpawningPool", "SpineCrawler", "NydusNetwork"))
    ]
    kept = [
        scene.put(name, 1, 40.5 + 6 * i, 50.5, health=100 * ONE)
        for i, name in enumerate(("Extractor", "SpineCrawlerUprooted"))
    ]
    scene.run(55)
    assert all(map(scene.lives, dying))
    scene.run(5)  # 10 / (3 / 16 - 70 / 4096) is 58.7
    assert not any(map(scene.lives, dying))
    assert all(scene.health(tag) > 100 for tag in kept)


def test_zerg_buildings_on_creep_and_creep_tumours_live_on():
    scene = Scene(ZERG, ZERG)
    scene.world.creep[36:46, 36:46] = 1
    tumour = scene.put("CreepTumorBurrowed", 1, 50.5, 50.5)
    pool = scene.put("SpawningPool", 1, 40.5, 40.5)
    hatchery = scene.put("Hatchery", 1, 40.5, 58.5)
    scene.run(12)
    assert scene.health(pool) == 1000
    scene.run(400)
    assert scene.lives(tumour)
    assert scene.health(hatchery) == 1500


@pytest.mark.parametrize(("name", "radius"), [("Hatchery", 12), ("CreepTumor", 10)])
def test_creep_spreads_ring_by_ring_from_what_has_just_been_finished(name: str, radius: int):
    scene = Scene(ZERG, ZERG)
    loops = 40 * CREEP_LOOPS
    building = scene.put(name, 1, 40.5, 40.5, build_left=loops * TICK, build_total=loops * TICK)
    scene.run(loops - 1)
    assert not scene.world.creep[30:51, 30:51].any()
    scene.run(1 + CREEP_LOOPS)
    assert scene.value(building, "build_left") == 0
    row = scene.world.creep[40]
    assert row[38:43].all()
    assert not row[[40 - 4, 40 + 4]].any()
    scene.run(5 * CREEP_LOOPS)
    assert row[[40 + 6, 40 + 9]].tolist() == [1, 0]
    scene.run(12 * CREEP_LOOPS)
    assert row[[40 + radius, 40 + radius + 1]].tolist() == [1, 0]


def test_a_queen_injects_and_three_larvae_come():
    scene = start(ZERG)
    hatchery = scene.all_of("Hatchery", 1)[0]
    queen = scene.put("Queen", 1, *near_start(scene, 4, 0), energy=25 * ONE)
    assert scene.order(251, queen, on=hatchery) == OK
    scene.run(120)
    assert scene.value(hatchery, "inject_left") > 0
    scene.run_until(lambda: scene.value(hatchery, "inject_left") == 0, 700)
    scene.run(1)
    assert len(scene.all_of("Larva", 1)) == 6


def test_supply_blocks_what_would_go_beyond_it():
    scene = start(TERRAN, minerals=500)
    for _ in range(3):
        scene.put("SCV", 1, *near_start(scene, 6, 0))
    hall = scene.all_of("CommandCenter", 1)[0]
    assert scene.order(SCV, hall) == result.NotEnoughFood


def test_siege_mode_and_back():
    scene = Scene(TERRAN, TERRAN)
    tank = scene.put("SiegeTank", 1, 40, 40)
    assert scene.order(388, tank) == OK
    scene.run(70)
    assert scene.all_of("SiegeTankSieged", 1) == [tank]
    assert scene.order("move", tank, at=(50, 40)) == result.NotSupported
    assert scene.order(390, tank) == OK
    scene.run(70)
    assert scene.all_of("SiegeTank", 1) == [tank]


def test_extra_supplies_come_once_to_a_depot():
    scene = Scene(TERRAN, TERRAN)
    depot = scene.put("SupplyDepot", 1, 46, 46)
    hall = scene.put("OrbitalCommand", 1, 40.5, 40.5, energy=150 * ONE)
    before = int(scene.world.players["supply_made"][1])
    assert scene.order(SUPPLY_DROP, hall, on=depot) == OK
    scene.run(2)
    energy = scene.value(hall, "energy")
    assert scene.order(SUPPLY_DROP, hall, on=depot) == result.CantTargetThatUnit
    scene.run(2)
    assert scene.value(hall, "energy") >= energy
    assert scene.world.players["supply_made"][1] == before + 2 * 8


def test_selected_templar_alone_merge_and_in_pairs():
    scene = Scene(PROTOSS, PROTOSS)
    first, second, third, fourth = (
        scene.put(name, 1, 40 + x, 40)
        for x, name in enumerate(("HighTemplar", "DarkTemplar", "HighTemplar", "HighTemplar"))
    )
    assert scene.order(ARCHON_MERGE, first) == result.CantFindEnoughTargets
    assert scene.order(ARCHON_MERGE, first, third) == OK
    assert scene.all_of("Archon", 1) == [first]
    assert [scene.lives(tag) for tag in (second, third, fourth)] == [True, False, True]
    far = scene.put("HighTemplar", 1, 60, 40)
    assert scene.order(ARCHON_MERGE, second, fourth, far) == OK
    assert scene.all_of("Archon", 1) == [first, second]
    assert scene.all_of("HighTemplar", 1) == [far]


def test_burrowed_roaches_are_hidden_and_cannot_fight():
    scene = Scene(ZERG, TERRAN, disable_fog=False)
    scene.game.research(1, 64)
    roach = scene.put("Roach", 1, 40, 40)
    marine = scene.put("Marine", 2, 43, 40)
    scene.order("hold", marine)
    assert scene.order(3661, roach) == OK
    scene.run(40)
    assert scene.all_of("RoachBurrowed", 1) == [roach]
    health = scene.health(roach)
    scene.run(100)
    assert scene.health(roach) >= health
    assert scene.health(marine) <= 45


def test_a_morph_that_waited_is_refused_when_its_time_has_come_but_not_its_supply():
    scene = Scene(ZERG, ZERG)
    scene.give(1, minerals=1000, gas=1000)
    roach = scene.put("Roach", 1, 40, 40)
    scene.put("RoachWarren", 1, 44.5, 44.5)
    scene.put("Overlord", 1, 30, 30)
    scene.order("move", roach, at=(44, 40))
    assert scene.order(RAVAGER, roach, queued=True) == OK
    scene.world.players["supply_made"][1] = scene.world.players["supply_used"][1]
    for overlord in scene.all_of("Overlord", 1):
        scene.match.aftermath.kill(scene.game.slot(overlord))
    scene.game.count_supply()
    scene.run(60)
    assert scene.match.aftermath.failed == [(1, roach, RAVAGER, result.NotEnoughFood)]
    assert scene.all_of("Roach", 1) == [roach]
    assert scene.minerals(1) >= 1000


def test_a_morph_that_waited_is_refused_when_what_it_needs_is_gone():
    scene = Scene(ZERG, ZERG)
    scene.give(1, minerals=1000, gas=1000)
    roach = scene.put("Roach", 1, 40, 40)
    warren = scene.put("RoachWarren", 1, 44.5, 44.5)
    scene.put("Overlord", 1, 30, 30)
    scene.order("move", roach, at=(44, 40))
    assert scene.order(RAVAGER, roach, queued=True) == OK
    scene.match.aftermath.kill(scene.game.slot(warren))
    scene.run(60)
    assert scene.match.aftermath.failed == [(1, roach, RAVAGER, result.TechRequirementsNotMet)]
    assert scene.all_of("Roach", 1) == [roach]


def test_a_drone_that_has_burrowed_meanwhile_builds_nothing():
    scene = Scene(ZERG, ZERG)
    scene.give(1, minerals=1000)
    scene.game.research(1, 64)
    drone = scene.put("Drone", 1, 40, 40)
    assert scene.order("move", drone, at=(42, 40)) == OK
    assert scene.order(BURROW_DRONE, drone, queued=True) == OK
    assert scene.order(HATCHERY, drone, at=(42.5, 40.5), queued=True) == OK
    scene.run(60)
    assert scene.all_of("DroneBurrowed", 1) == [drone]
    assert scene.value(drone, "num_orders") == 0
    assert scene.match.aftermath.failed == [(1, drone, HATCHERY, result.NotSupported)]
    assert scene.minerals(1) >= 1000


def test_a_building_that_has_landed_meanwhile_does_not_land_again():
    scene = Scene(TERRAN, TERRAN)
    barracks = scene.put("BarracksFlying", 1, 40.5, 40.5)
    assert scene.order(LAND, barracks, at=(40.5, 40.5)) == OK
    assert scene.order(LAND, barracks, at=(40.5, 40.5), queued=True) == OK
    scene.run(60)
    assert scene.all_of("Barracks", 1) == [barracks]
    assert scene.match.aftermath.failed == [(1, barracks, LAND, result.NotSupported)]


def fill_the_map(scene: Scene) -> None:
    while not scene.game.is_full:
        scene.game.spawn(scene.row["Overlord"], 2, 60 * ONE, 60 * ONE)


def test_what_finds_no_room_on_the_map_is_refused_and_not_paid_for():
    scene = Scene(TERRAN, PROTOSS)
    scene.put("Pylon", 2, 60, 60)
    barracks, gate = scene.put("Barracks", 1, 40.5, 40.5), scene.put("WarpGate", 2, 62.5, 57.5)
    depot, scv = scene.put("SupplyDepot", 1, 46, 46), scene.put("SCV", 1, 50, 40)
    scene.run(8)
    fill_the_map(scene)
    for player in (1, 2):
        scene.give(player, minerals=500, gas=500)
    before = scene.world.players["minerals_spent"].copy()
    assert scene.order(TECH_LAB, barracks) == result.CouldntAllocateUnit
    assert scene.order(WARP_ZEALOT, gate, at=(58, 60)) == result.CouldntAllocateUnit
    assert scene.order(SUPPLY_DEPOT, scv, at=(52, 40)) == OK
    scene.run(20)
    assert scene.match.aftermath.failed == [(1, scv, SUPPLY_DEPOT, result.CouldntAllocateUnit)]
    assert scene.value(scv, "num_orders") == 0
    assert (scene.world.players["minerals_spent"] == before).all()
    assert scene.all_of("SupplyDepot", 1) == [depot]


@pytest.mark.parametrize(
    ("name", "minerals", "gas", "loops"),
    [
        ("SiegeTankSieged", 150, 125, 720),
        ("BarracksFlying", 150, 0, 1040),
        ("SupplyDepotLowered", 100, 0, 480),
        ("Medivac", 100, 100, 672),
    ],
)
def test_a_full_repair_costs_a_quarter_and_takes_as_long_as_the_making(
    name: str, minerals: int, gas: int, loops: int
):
    scene = Scene(TERRAN, TERRAN)
    scene.give(1, minerals=1000, gas=1000)
    scene.order("stop", *scene.all_of("SCV", 1))
    scv, broken = scene.put("SCV", 1, 38, 42), scene.put(name, 1, 40, 42)
    scene.game.units["health"][scene.game.slot(broken)] = ONE
    before = scene.world.players[1].copy()
    assert scene.order(REPAIR, scv, on=broken) == OK
    scene.run_until(lambda: scene.value(scv, "num_orders") == 0, 1200)
    assert scene.value(broken, "health") == scene.value(broken, "health_max")
    after = scene.world.players[1]
    assert before["minerals"] - after["minerals"] == pytest.approx(minerals / 4, abs=1)
    assert before["gas"] - after["gas"] == pytest.approx(gas / 4, abs=1)
    assert scene.match.loop == pytest.approx(loops, rel=0.06)


def test_a_repair_without_gas_takes_no_minerals():
    scene = Scene(TERRAN, TERRAN)
    scene.give(1, minerals=1000)
    scene.order("stop", *scene.all_of("SCV", 1))
    scv, tank = scene.put("SCV", 1, 38, 42), scene.put("SiegeTank", 1, 40, 42, health=ONE)
    minerals = scene.minerals(1)
    for _ in range(30):
        scene.order(REPAIR, scv, on=tank)
        scene.run(30)
    failed = scene.match.aftermath.failed
    assert {answer for _, _, _, answer in failed} == {result.NotEnoughVespene}
    assert minerals - scene.minerals(1) <= 150 / 125 + 1, "as much as goes with no gas yet"


def test_who_cannot_walk_is_not_sent_to_cast_out_of_reach():
    scene = Scene(ZERG, ZERG)
    tumour = scene.put("CreepTumorBurrowed", 1, 40.5, 40.5, spread_charges=1)
    lay_creep(scene.world.record, 40 * ONE, 40 * ONE, 14)
    assert scene.order(SPREAD, tumour, at=(52.5, 40.5)) == result.TargetIsOutOfRange
    assert scene.value(tumour, "num_orders") == 0
    assert scene.order(SPREAD, tumour, at=(47.5, 40.5)) == OK
    scene.run(2)
    assert len(scene.all_of("CreepTumor", 1)) == 1


def test_who_cannot_walk_gives_up_a_target_that_has_gone_out_of_reach():
    scene = Scene(PROTOSS, PROTOSS)
    scene.put("Pylon", 1, 40, 40)
    battery = scene.put("ShieldBattery", 1, 43, 40, energy=100 * ONE)
    stalker = scene.put("Stalker", 1, 46, 40, shield=ONE)
    scene.run(8)
    assert scene.order(RESTORE, battery, on=stalker) == OK
    scene.game.place(scene.game.slot(stalker), 60 * ONE, 40 * ONE)
    scene.run(2)
    assert scene.value(battery, "num_orders") == 0
    assert scene.match.aftermath.failed == [(1, battery, RESTORE, result.TargetIsOutOfRange)]


def test_medivacs_carry_eight_marines_and_let_them_out():
    scene = Scene(TERRAN, TERRAN)
    medivac = scene.put("Medivac", 1, 40, 40)
    marines = [scene.put("Marine", 1, 39 + i * 0.4, 38) for i in range(9)]
    scene.order("smart", *marines, on=medivac)
    scene.run(120)
    assert scene.value(medivac, "cargo_used") == 8
    scene.order(396, medivac, at=(55, 40))
    scene.run(260)
    assert scene.value(medivac, "cargo_used") == 0
    assert sum(abs(scene.place(tag)[0] - 55) < 5 for tag in marines) == 8


def test_passengers_die_with_their_transport():
    scene = Scene(TERRAN, TERRAN)
    medivac = scene.put("Medivac", 1, 40, 40)
    marine = scene.put("Marine", 1, 40, 39.5)
    scene.order("smart", marine, on=medivac)
    scene.run(60)
    scene.match.aftermath.kill(scene.game.slot(medivac))
    assert not scene.lives(marine)


def test_marines_in_a_bunker_shoot_a_cell_further():
    scene = Scene(TERRAN, TERRAN)
    bunker = scene.put("Bunker", 1, 40.5, 40.5)
    marine = scene.put("Marine", 1, 40.5, 37.5)
    scene.order("smart", marine, on=bunker)
    scene.run(60)
    assert scene.value(bunker, "cargo_used") == 1
    depot = scene.put("SupplyDepot", 2, 40.5 + 0.375 + 5.9 + 1.25, 40)
    scene.run(60)
    assert scene.health(depot) < 400


def test_chrono_boost_makes_half_as_much_again():
    scene = start(PROTOSS)
    nexus = scene.all_of("Nexus", 1)[0]
    scene.order(1006, nexus)
    scene.game.units["energy"][scene.game.slot(nexus)] = 50 * ONE
    assert scene.order(3755, nexus, on=nexus) == OK
    loops = scene.run_until(lambda: len(scene.all_of("Probe", 1)) == 13, 400)
    assert loops == pytest.approx(272 / 1.5, abs=4)


def test_unknown_and_unfit_abilities_are_not_supported():
    scene = Scene(TERRAN, TERRAN)
    marine = scene.put("Marine", 1, 40, 40)
    for ability in (0, -1, 99999, ZEALOT, SPAWNING_POOL, 2**31 - 1):
        assert scene.order(ability, marine) == result.NotSupported


@pytest.mark.parametrize("map_name", ["Flat64", "Simple64", "Simple96", "AcropolisLE"])
def test_a_town_hall_fits_at_every_base_but_no_cell_nearer_to_its_resources(map_name: str):
    scene = Scene(TERRAN, TERRAN, map_name=map_name)
    hall = scene.row["CommandCenter"]
    game_map = scene.match.game_map
    for x, y in game_map.expansions[2:]:
        near = [patch for patch in game_map.resources if math.dist((patch.x, patch.y), (x, y)) < 9]
        to_x = math.copysign(1, sum(patch.x - x for patch in near))
        to_y = math.copysign(1, sum(patch.y - y for patch in near))
        answers = [
            rules.placeable(scene.game, 1, hall, round(place_x * ONE), round(place_y * ONE))
            for place_x, place_y in ((x, y), (x + to_x, y), (x, y + to_y))
        ]
        assert answers == [OK, *[result.CantBuildTooCloseToResources] * 2]
