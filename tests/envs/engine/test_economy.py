"""Gathering: what is taken, carried and brought home."""

import math

import numpy as np

from envs.engine.economy import MINERALS_A_TRIP
from envs.engine.layout import Carries
from tests.envs.engine.scenes import TERRAN, Scene

LOOPS_A_MINUTE = round(22.4 * 60)


def test_what_is_carried_is_taken_from_the_patch_and_given_to_the_player():
    scene = Scene(TERRAN, TERRAN, map_name="Simple64")
    total = int(scene.game.units["minerals"].sum())
    scene.run(LOOPS_A_MINUTE)
    carried = int(scene.game.units["carried"][scene.game.slots(1)].sum())
    carried += int(scene.game.units["carried"][scene.game.slots(2)].sum())
    collected = int(scene.world.players["minerals_collected"].sum())
    assert collected > 0
    assert int(scene.game.units["minerals"].sum()) + carried + collected == total
    assert scene.minerals(1) == 50 + int(scene.world.players["minerals_collected"][1])
    assert collected % MINERALS_A_TRIP == 0


def test_a_worker_goes_to_another_patch_when_its_own_is_used_up():
    scene = Scene(TERRAN, TERRAN, map_name="Simple64")
    worker = scene.all_of("SCV", 1)[0]
    slot = scene.game.slot(worker)
    patch = scene.game.slot(int(scene.world.orders[slot, 0]["target"]))
    tag = int(scene.game.units["tag"][patch])
    scene.game.units["minerals"][patch] = 3
    scene.run(300)
    assert not scene.lives(tag)
    assert scene.value(worker, "num_orders") == 1
    assert scene.world.orders[slot, 0]["target"] != tag


def test_workers_bring_home_what_they_carry_from_all_sides_of_a_hall():
    scene = Scene(TERRAN, TERRAN)
    for worker in scene.all_of("SCV", 1):
        scene.order("stop", worker)
    scene.put("CommandCenter", 1, 40.5, 40.5)
    for angle in np.linspace(0, math.tau, 128, endpoint=False):
        x, y = 40.5 + 5.75 * math.cos(angle), 40.5 + 5.75 * math.sin(angle)
        worker = scene.put("SCV", 1, x, y, carries=Carries.MINERALS, carried=5)
        scene.order("return", worker)
    scene.run(120)
    assert scene.world.players["minerals_collected"][1] == 128 * 5
