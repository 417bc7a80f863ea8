"""What players see: sight, high ground, cloak, detection, snapshots, creep."""

import numpy as np
import pytest
from s2clientprotocol import debug_pb2 as debug_pb

from envs.engine.layout import ONE
from envs.engine.vision import look_now
from tests.envs.engine.scenes import TERRAN, ZERG, Scene


def hidden_scene(*races: int) -> Scene:
    return Scene(*races, disable_fog=False)


def sees(scene: Scene, player: int, tag: int) -> bool:
    return bool(scene.value(tag, "visible_to") >> player & 1)


def test_units_see_as_far_as_the_table_says():
    scene = hidden_scene()
    scene.put("Marine", 1, 40.5, 40.5)  # sight 9
    look_now(scene.world.record)
    seen = scene.world.visibility[1] == 2
    rows, columns = np.mgrid[0 : seen.shape[0], 0 : seen.shape[1]]
    near = (rows - 40) ** 2 + (columns - 40) ** 2
    assert seen[near <= 81].all()
    around = (near > 81) & (near < 13**2)
    assert not seen[around].any()


def test_what_was_seen_stays_known_as_fog():
    scene = hidden_scene()
    marine = scene.put("Marine", 1, 40, 40)
    scene.run(8)
    scene.order("move", marine, at=(60, 40))
    scene.run(200)
    assert scene.world.visibility[1, 40, 32] == 1


def test_high_ground_is_not_seen_from_below_but_by_fliers():
    scene = hidden_scene()
    scene.world.height[:, 44:] = scene.world.height[0, 0] + 16
    scene.put("Marine", 1, 42, 40)
    zealot = scene.put("Zealot", 2, 46, 40)
    scene.order("hold", zealot)
    scene.run(8)
    assert not sees(scene, 1, zealot)
    assert sees(scene, 2, scene.all_of("Marine", 1)[0]), "those above look down"
    scene.put("Medivac", 1, 40, 40)
    scene.run(8)
    assert sees(scene, 1, zealot)


def test_cloaked_units_are_seen_by_detectors_alone():
    scene = hidden_scene(TERRAN, 3)
    templar = scene.put("DarkTemplar", 2, 44, 40)
    scene.order("hold", templar)
    scene.put("SupplyDepot", 1, 40, 40)
    scene.run(8)
    assert not sees(scene, 1, templar)
    scene.put("MissileTurret", 1, 40, 44)
    scene.run(8)
    assert sees(scene, 1, templar)


def test_buildings_are_remembered_until_their_place_is_seen_empty():
    scene = hidden_scene()
    marine = scene.put("Marine", 1, 40, 40)
    depot = scene.put("SupplyDepot", 2, 46, 40)
    scene.run(8)
    slot = scene.game.slot(depot)
    scene.game.place(scene.game.slot(marine), 20 * ONE, 40 * ONE)
    scene.run(8)
    assert not sees(scene, 1, depot)
    assert scene.world.snapshots["tag"][1, slot] == depot
    scene.match.aftermath.kill(slot)
    scene.run(8)
    assert depot in scene.world.snapshots["tag"][1]
    scene.game.place(scene.game.slot(marine), 42 * ONE, 40 * ONE)
    scene.run(8)
    assert depot not in scene.world.snapshots["tag"][1]


@pytest.mark.parametrize("is_alive", [True, False])
def test_creep_spreads_to_twelve_cells_and_dies_back(is_alive: bool):  # noqa: FBT001
    scene = Scene(ZERG, TERRAN)
    hatchery = scene.put("Hatchery", 1, 40.5, 40.5)
    assert scene.world.creep[40, 40 + 11] == 0
    scene.run(400)
    assert scene.world.creep[40, 40 + 11] == 1
    assert scene.world.creep[40, 40 + 14] == 0
    if not is_alive:
        scene.match.aftermath.kill(scene.game.slot(hatchery))
        scene.run(600)
    assert scene.world.creep[40, 40] == is_alive


def test_zerglings_are_faster_on_creep():
    scene = Scene(ZERG, TERRAN)
    scene.world.creep[38:43, 20:60] = 1
    unit = scene.put("Zergling", 1, 30, 40)
    scene.order("move", unit, at=(60, 40))
    scene.run(15)
    speed = (scene.place(unit)[0] - 30) / 15
    assert speed == pytest.approx(0.18457 * 1.3, rel=0.03)


def test_a_scan_shows_what_lies_in_the_fog_for_a_while():
    scene = hidden_scene()
    orbital = scene.put("OrbitalCommand", 1, 30.5, 30.5, energy=50 * ONE)
    zealot = scene.put("Zealot", 2, 55, 50)
    scene.order("hold", zealot)
    scene.run(8)
    assert not sees(scene, 1, zealot)
    assert scene.order(399, orbital, at=(55, 50)) == 1
    scene.run(16)
    assert sees(scene, 1, zealot)
    scene.run(220)
    assert not sees(scene, 1, zealot)


@pytest.mark.parametrize("disable_fog", [True, False])
def test_show_map_lifts_the_fog_where_there_is_one(disable_fog: bool):  # noqa: FBT001
    scene = Scene(TERRAN, TERRAN, disable_fog=disable_fog)
    enemy = scene.all_of("CommandCenter", 2)[0]
    for is_lifted in (True, disable_fog):  # it is a switch
        scene.match.debug(1, debug_pb.DebugCommand(game_state=debug_pb.show_map))
        assert sees(scene, 1, enemy) == is_lifted
        scene.run(8)
        assert sees(scene, 1, enemy) == is_lifted
