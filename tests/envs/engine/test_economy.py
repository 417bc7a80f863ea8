"""Income against what was measured in the game."""

import pytest

from envs.engine.economy import MINERALS_A_TRIP
from envs.engine.layout import ONE, Trait
from tests.envs.engine.scenes import PROTOSS, TERRAN, ZERG, Scene

LOOPS_A_MINUTE = round(22.4 * 60)


def with_workers(race: int, number: int) -> Scene:
    """A start with so many workers on minerals, all of them at work."""
    scene = Scene(race, race, map_name="Simple64")
    worker = {TERRAN: "SCV", ZERG: "Drone", PROTOSS: "Probe"}[race]
    x, y = scene.match.game_map.starts[0]
    patches = [
        int(scene.game.units["tag"][slot])
        for slot in scene.game.resources()
        if scene.game.has_trait(slot, Trait.MINERALS)
        and scene.game.distance(slot, round(x * ONE), round(y * ONE)) < 11 * ONE
    ]
    assert len(patches) == 8
    for tag in scene.all_of(worker, 1)[number:]:
        scene.game.remove(scene.game.slot(tag))
    while len(scene.all_of(worker, 1)) < number:
        scene.put(worker, 1, x, y - 4)
    for i, tag in enumerate(scene.all_of(worker, 1)):
        scene.order("gather", tag, on=patches[i % 8])
    scene.run(LOOPS_A_MINUTE // 2)
    return scene


@pytest.mark.parametrize("race", [TERRAN, ZERG, PROTOSS])
def test_sixteen_workers_bring_what_they_bring_in_the_game(race: int):
    scene = with_workers(race, 16)
    before = int(scene.world.players["minerals_collected"][1])
    scene.run(2 * LOOPS_A_MINUTE)
    a_minute = (int(scene.world.players["minerals_collected"][1]) - before) / 2
    assert a_minute == pytest.approx(944, rel=0.05)


def test_a_third_worker_on_each_patch_adds_less_than_half():
    scene = with_workers(TERRAN, 24)
    before = int(scene.world.players["minerals_collected"][1])
    scene.run(2 * LOOPS_A_MINUTE)
    a_minute = (int(scene.world.players["minerals_collected"][1]) - before) / 2
    assert a_minute == pytest.approx(1144, rel=0.05)


def test_twelve_workers_bring_three_quarters_of_what_sixteen_do():
    scene = with_workers(TERRAN, 12)
    before = int(scene.world.players["minerals_collected"][1])
    scene.run(2 * LOOPS_A_MINUTE)
    a_minute = (int(scene.world.players["minerals_collected"][1]) - before) / 2
    assert 55 * 12 <= a_minute <= 63 * 12


def test_three_workers_take_a_geysers_gas_at_the_games_rate():
    scene = Scene(TERRAN, TERRAN, map_name="Simple64")
    x, y = scene.match.game_map.starts[0]
    geysers = [
        slot
        for slot in scene.game.resources()
        if scene.game.has_trait(slot, Trait.GEYSER)
        and scene.game.distance(slot, round(x * ONE), round(y * ONE)) < 11 * ONE
    ]
    workers = scene.all_of("SCV", 1)
    for i, geyser in enumerate(geysers):
        place = scene.game.units["x"][geyser] / ONE, scene.game.units["y"][geyser] / ONE
        refinery = scene.put("Refinery", 1, *place, gas=2250)
        scene.game.units["home"][scene.game.slot(refinery)] = scene.game.units["tag"][geyser]
        for tag in workers[3 * i : 3 * i + 3]:
            scene.order("gather", tag, on=refinery)
    scene.run(LOOPS_A_MINUTE // 2)
    before = int(scene.world.players["gas_collected"][1])
    scene.run(2 * LOOPS_A_MINUTE)
    a_minute = (int(scene.world.players["gas_collected"][1]) - before) / 2
    assert a_minute == pytest.approx(320, rel=0.05)


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
