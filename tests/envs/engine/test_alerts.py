"""Alerts: what happened to a player since he last looked, told once."""

import numpy as np
import pytest
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine.layout import ONE
from envs.engine.observe import Observer
from tests.envs.engine.scenes import PROTOSS, TERRAN, ZERG, Scene

SCV, DEPOT, TECH_LAB, STIM, ORBITAL, SIEGE = 524, 319, 421, 730, 1516, 388
DRONE, INJECT, BANELING = 1342, 251, 80
ZEALOT, WARP_ZEALOT, WARP_GATE_RESEARCH, ARCHON = 916, 1413, 1568, 1766
SWITCHES = ("free", "no_tech", "no_food")


class Told:
    """A scene in which all is free, and what its players are told."""

    def __init__(self, race: int, *, side: int = 0) -> None:
        self.scene = Scene(race, TERRAN)
        for switch in SWITCHES:
            self.scene.world.players[switch][1] = 1
        options = sc_pb.InterfaceOptions(raw=True)
        if side:
            options.feature_layer.minimap_resolution.x = side
            options.feature_layer.minimap_resolution.y = side
        self.observers = [Observer(self.scene.match, player, options) for player in (1, 2)]

    def observation(self, player: int = 1) -> sc_pb.Observation:
        data = self.observers[player - 1].observation()
        return sc_pb.ResponseObservation.FromString(data).observation

    def alerts(self, player: int = 1) -> list[int]:
        return list(self.observation(player).alerts)

    def after(self, loops: int) -> list[int]:
        """What player 1 is told after some loops, in which the other hears of nothing."""
        self.scene.run(loops)
        assert not self.alerts(2)
        return self.alerts()


def test_nothing_is_told_when_nothing_happens():
    told = Told(TERRAN)
    assert told.after(50) == []


def test_workers_and_other_units_that_are_trained_are_told_of_once():
    told = Told(TERRAN)
    told.scene.order(SCV, told.scene.all_of("CommandCenter", 1)[0])
    assert told.after(270) == []
    assert told.after(10) == [sc_pb.TrainWorkerComplete]
    assert told.after(10) == []
    barracks = told.scene.put("Barracks", 1, 40.5, 40.5)
    told.scene.order(560, barracks)
    assert told.after(420) == [sc_pb.TrainUnitComplete]


def test_buildings_and_add_ons_are_told_of():
    told = Told(TERRAN)
    scene = told.scene
    worker, barracks = scene.put("SCV", 1, 40, 36), scene.put("Barracks", 1, 40.5, 40.5)
    scene.order(DEPOT, worker, at=(40, 34))
    assert told.after(540) == [sc_pb.BuildingComplete]
    scene.order(TECH_LAB, barracks)
    assert told.after(405) == [sc_pb.AddOnComplete]


def test_research_is_told_of():
    told = Told(TERRAN)
    lab = told.scene.put("BarracksTechLab", 1, 43, 40)
    told.scene.order(STIM, lab)
    assert told.after(2300) == [sc_pb.ResearchComplete]


def test_what_became_something_better_is_told_of_and_modes_are_not():
    told = Told(TERRAN)
    told.scene.order(ORBITAL, told.scene.all_of("CommandCenter", 1)[0])
    assert told.after(565) == [sc_pb.UpgradeComplete]
    tank = told.scene.put("SiegeTank", 1, 40, 40)
    told.scene.order(SIEGE, tank)
    assert told.after(100) == []


def test_a_mules_end_is_told_of():
    told = Told(TERRAN)
    told.scene.put("MULE", 1, 40, 40)
    assert told.after(1436) == [sc_pb.MULEExpired]


def test_zerg_hear_of_larvae_morphs_and_what_hatches():
    told = Told(ZERG)
    scene = told.scene
    hall = scene.all_of("Hatchery", 1)[0]
    scene.game.units["inject_left"][scene.game.slot(hall)] = 5
    assert told.after(10) == [sc_pb.LarvaHatched]
    scene.order(DRONE, scene.all_of("Larva", 1)[0])
    assert told.after(275) == [sc_pb.TrainWorkerComplete]
    scene.order(BANELING, scene.put("Zergling", 1, 40, 40))
    assert told.after(325) == [sc_pb.MorphComplete]


def test_protoss_hear_of_warp_ins_mergers_and_gates():
    told = Told(PROTOSS)
    scene = told.scene
    scene.put("Pylon", 1, 40, 40)
    scene.put("Gateway", 1, 43.5, 40.5)
    scene.run(8)
    scene.game.research(1, 84)
    scene.order(1518, scene.all_of("Gateway", 1)[0])
    assert told.after(165) == [sc_pb.TransformationComplete]
    assert scene.order(WARP_ZEALOT, scene.all_of("WarpGate", 1)[0], at=(38, 40)) == 1
    assert told.after(260) == [sc_pb.WarpInComplete]
    first, second = scene.put("HighTemplar", 1, 30, 40), scene.put("HighTemplar", 1, 31, 40)
    scene.order(ARCHON, first, second)
    assert told.after(200) == [sc_pb.MergeComplete]


def test_resources_that_run_out_are_told_to_who_took_the_last():
    told = Told(TERRAN)
    scene = told.scene
    for slot in scene.game.resources():
        if scene.game.kind(slot)["id"] == 341:
            scene.game.units["minerals"][slot] = 5
    scene.run(300)
    assert told.alerts(1) == [sc_pb.MineralsExhausted]
    assert told.alerts(2) == [sc_pb.MineralsExhausted]  # of its own


def test_the_last_gas_is_told_of():
    told = Told(TERRAN)
    scene = told.scene
    x, y = scene.match.game_map.starts[0]
    geyser = min(
        (s for s in scene.game.resources() if scene.game.kind(s)["id"] == 342),
        key=lambda slot: scene.game.distance(slot, round(x * ONE), round(y * ONE)),
    )
    place = (scene.game.units["x"][geyser] / ONE, scene.game.units["y"][geyser] / ONE)
    refinery = scene.put("Refinery", 1, *place, gas=4)
    scene.game.units["home"][scene.game.slot(refinery)] = scene.game.units["tag"][geyser]
    scene.order("gather", scene.all_of("SCV", 1)[0], on=refinery)
    assert told.after(400) == [sc_pb.VespeneExhausted]


@pytest.mark.parametrize(
    ("victim", "alert"),
    [("SiegeTank", sc_pb.UnitUnderAttack), ("SupplyDepot", sc_pb.BuildingUnderAttack)],
)
def test_attacks_are_told_to_their_victim_and_shown_on_its_minimap(victim: str, alert: int):
    told = Told(TERRAN, side=64)
    scene = told.scene
    tag = scene.put(victim, 1, 40, 40)
    marine = scene.put("Marine", 2, 36, 40)
    scene.world.weapons["targets"][1] = 0  # the victim does not defend itself
    scene.order("attack", marine, on=tag)
    scene.run(30)
    seen, attackers = told.observation(1), told.observation(2)
    assert list(seen.alerts) == [alert]
    assert not attackers.alerts
    layer = seen.feature_layer_data.minimap_renders.alerts
    shown = np.frombuffer(layer.data, np.uint8).reshape(64, 64)
    scale = 64 / max(scene.world.pathable.shape)
    x, y = scene.place(tag)
    row, column = int((scene.world.pathable.shape[0] - y) * scale), int(x * scale)
    assert np.argwhere(shown).tolist() == [[row, column]]
    assert not any(attackers.feature_layer_data.minimap_renders.alerts.data)
    scene.match.aftermath.kill(scene.game.slot(marine))
    assert told.after(10) == []


def test_who_dies_at_the_first_blow_was_attacked_too():
    told = Told(TERRAN)
    marine = told.scene.put("Marine", 1, 40, 40, health=1)
    told.scene.order("attack", told.scene.put("Marine", 2, 37, 40), on=marine)
    told.scene.run(30)
    assert not told.scene.lives(marine)
    assert told.alerts() == [sc_pb.UnitUnderAttack]


def test_blows_of_friends_are_no_attack():
    told = Told(TERRAN)
    target, marine = told.scene.put("SiegeTank", 1, 40, 40), told.scene.put("Marine", 1, 37, 40)
    told.scene.order("attack", marine, on=target)
    told.scene.run(30)
    assert told.scene.health(target) < 175
    assert told.alerts() == []
