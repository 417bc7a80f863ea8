"""What players see: sight, high ground, cloak, detection, snapshots, creep."""

import numpy as np
import pytest
from s2clientprotocol import debug_pb2 as debug_pb
from s2clientprotocol import error_pb2 as result
from s2clientprotocol import raw_pb2 as raw_pb

from envs.engine.layout import ONE
from envs.engine.transport import load
from envs.engine.vision import look_now, survey_heights
from tests.envs.engine.scenes import TERRAN, ZERG, Scene

SMART, MOVE, PATROL, ATTACK, UNLOAD_AT, SCAN, MARINE = 1, 3794, 3795, 3674, 3669, 399, 560


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


def test_sight_is_that_of_a_slow_reference_cell_by_cell():
    scene = hidden_scene(TERRAN, ZERG)
    random = np.random.default_rng(5)
    world = scene.world
    height, width = world.height.shape
    world.height[:] = 8 * random.integers(10, 14, (height, width))
    survey_heights(world)
    names = ("Marine", "Medivac", "Colossus", "CommandCenter", "Overlord")
    places = [(random.uniform(1, width - 1), random.uniform(1, height - 1)) for _ in range(40)]
    tags = [
        scene.put(names[number % len(names)], 1 + number % 2, *place)
        for number, place in enumerate(places)
    ]
    rows, columns = np.mgrid[0:height, 0:width]
    for _ in range(3):
        before = world.visibility.copy()
        look_now(world.record)
        for player in (1, 2):
            expected = np.minimum(before[player], 1)
            for slot in scene.game.slots(player):
                unit, kind = world.units[slot], scene.game.kind(slot)
                row, column = int(unit["y"]) // ONE, int(unit["x"]) // ONE
                apart = (rows - row) ** 2 + (columns - column) ** 2
                is_seen = apart <= (int(kind["sight"]) / ONE) ** 2
                if scene.game.tables.names[unit["type"]] not in ("Medivac", "Colossus", "Overlord"):
                    is_seen &= world.height <= int(world.height[row, column]) + 8
                expected[is_seen] = 2
            assert (world.visibility[player] == expected).all()
        for tag in tags:
            x, y = random.integers(3 * ONE, 60 * ONE, 2).tolist()
            scene.game.place(scene.game.slot(tag), x, y)


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
    survey_heights(scene.world)
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


@pytest.mark.parametrize(
    ("ability", "name", "fields"),
    [
        (MOVE, "Marine", "order"),
        (PATROL, "Marine", "order"),
        (ATTACK, "Marine", "order"),
        (UNLOAD_AT, "Medivac", "order"),
        (SCAN, "OrbitalCommand", "order"),
        (SMART, "Barracks", "rally"),
    ],
)
def test_orders_for_what_is_remembered_go_to_where_it_was_seen(
    ability: int, name: str, fields: str
):
    scene = hidden_scene()
    eyes = scene.put("Marine", 1, 40, 40)
    barracks = scene.put("Barracks", 2, 46.5, 40.5)
    scene.run(8)
    scene.game.place(scene.game.slot(eyes), 20 * ONE, 40 * ONE)
    scene.run(8)
    scene.game.transform(scene.game.slot(barracks), scene.row["BarracksFlying"])
    scene.game.place(scene.game.slot(barracks), 60 * ONE, 52 * ONE)
    actor = scene.put(name, 1, 20.5, 30.5, energy=50 * ONE)
    slot = scene.game.slot(actor)
    if name == "Medivac":
        assert load(scene.game, slot, scene.game.slot(eyes)) == result.Success
    command = raw_pb.ActionRawUnitCommand(ability_id=ability, unit_tags=[actor])
    command.target_unit_tag = barracks
    answer = scene.match.command(1, raw_pb.ActionRaw(unit_command=command))
    assert answer == result.Success
    unit, order = scene.world.units[slot], scene.world.orders[slot, 0]
    aimed_at = (order["x"], order["y"]) if fields == "order" else (unit["rally_x"], unit["rally_y"])
    assert aimed_at == (46.5 * ONE, 40.5 * ONE)
    scene.run(2)
    if fields == "order" and ability != SCAN:
        assert scene.value(actor, "num_orders") == 1


def test_units_do_not_follow_a_rally_target_into_the_fog():
    scene = hidden_scene()
    scene.give(1, minerals=50)
    barracks, enemy = scene.put("Barracks", 1, 24.5, 40.5), scene.put("Barracks", 2, 30.5, 46.5)
    scene.run(8)
    assert scene.order(SMART, barracks, on=enemy) == result.Success
    scene.game.transform(scene.game.slot(enemy), scene.row["BarracksFlying"])
    scene.game.place(scene.game.slot(enemy), 60 * ONE, 52 * ONE)
    scene.run(8)
    scene.world.players["fast"][1] = 1
    assert scene.order(MARINE, barracks) == result.Success
    scene.run(9)
    (marine,) = scene.all_of("Marine", 1)
    order = scene.world.orders[scene.game.slot(marine), 0]
    assert scene.value(marine, "num_orders") == 1
    assert (order["x"] / ONE, order["y"] / ONE) == pytest.approx((30.5, 46.5), abs=2)


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
