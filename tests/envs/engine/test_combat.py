"""Fights against arithmetic: damage, armour, shields, cooldowns, range, splash."""

import pytest

from envs.engine.layout import ONE
from tests.envs.engine.scenes import Scene

EMP, RESEARCH_SHOCKWAVES = 1628, 822


def test_what_shields_do_not_hold_goes_to_health_less_armour():
    scene = Scene()
    tank = scene.put("SiegeTank", 1, 40, 40)
    zealot = scene.put("Zealot", 2, 45, 40, shield=5 * ONE, last_hit=0)  # armour 1
    scene.order("attack", tank, on=zealot)
    scene.run_until(lambda: scene.health(zealot) < 100, 40)
    assert scene.health(zealot) == 100 - (15 - 5 - 1)


def test_each_hit_does_at_least_half_a_point():
    scene = Scene()
    zergling = scene.put("Zergling", 1, 40, 40)
    thor = scene.put("Thor", 2, 41.5, 40)
    scene.world.types["armour"][2, scene.row["Thor"]] = 50
    scene.order("attack", zergling, on=thor)
    scene.order("hold", thor)
    before = scene.health(thor)
    scene.game.units["weapon_cooldown"][scene.game.slot(thor)] = 1 << 20
    scene.run_until(lambda: scene.health(thor) < before, 40)
    assert before - scene.health(thor) == 0.5


def test_a_sieged_tank_hurts_who_stands_around_its_target_friends_too():
    scene = Scene()
    scene.put("SiegeTankSieged", 1, 30, 40)
    target = scene.put("Marine", 2, 40, 40)
    near = scene.put("Marine", 2, 40.3, 40.6)
    friend = scene.put("Marine", 1, 40.4, 40)
    far = scene.put("Marine", 2, 43, 40)
    for tag in (target, near, friend, far):
        scene.game.units["weapon_cooldown"][scene.game.slot(tag)] = 1 << 24
        scene.order("hold", tag)
    scene.run_until(lambda: scene.health(target) < 45, 60)
    assert scene.health(target) == 5
    assert scene.health(friend) < 45
    assert scene.health(near) < 45
    assert scene.health(far) == 45


def test_a_baneling_dies_of_its_attack_and_takes_marines_along():
    scene = Scene(2, 1)
    baneling = scene.put("Baneling", 1, 40, 40)
    marines = [scene.put("Marine", 2, 41 + 0.8 * i, 40) for i in range(3)]
    for tag in marines:
        scene.game.units["weapon_cooldown"][scene.game.slot(tag)] = 1 << 24
        scene.order("hold", tag)
    scene.order("attack", baneling, on=marines[1])
    scene.run(60)
    assert not scene.lives(baneling)
    assert [scene.health(tag) for tag in marines] == [45 - 35] * 3


def test_mutalisk_glaives_bounce_with_a_third_each_time():
    scene = Scene(2, 1)
    mutalisk = scene.put("Mutalisk", 1, 40, 40)
    marines = [scene.put("Marine", 2, 42 + 1.5 * i, 40) for i in range(3)]
    for tag in marines:
        scene.game.units["weapon_cooldown"][scene.game.slot(tag)] = 1 << 24
        scene.order("hold", tag)
    scene.order("attack", mutalisk, on=marines[0])
    scene.run_until(lambda: scene.health(marines[0]) < 45, 60)
    assert [scene.health(tag) for tag in marines] == [45 - 9, 45 - 3, 45 - 1]


def test_idle_units_fight_who_comes_near_and_turn_to_what_shoots_first():
    scene = Scene()
    marine = scene.put("Marine", 1, 40, 40)
    depot = scene.put("SupplyDepot", 2, 43, 40)
    zealot = scene.put("Zealot", 2, 45, 41)
    scene.order("hold", zealot)
    scene.run(40)
    assert scene.value(marine, "target") == zealot
    assert scene.health(depot) == 400


def test_held_units_do_not_walk_after_enemies():
    scene = Scene()
    zealot = scene.put("Zealot", 1, 40, 40)
    scene.order("hold", zealot)
    scene.put("SupplyDepot", 2, 43, 40)
    scene.run(60)
    assert scene.place(zealot) == (40, 40)


def test_stim_makes_marines_shoot_half_as_fast_again_for_ten_health():
    scene = Scene()
    scene.game.research(1, 15)
    marine = scene.put("Marine", 1, 40, 40)
    building = scene.put("CommandCenter", 2, 46.5, 40.5)
    assert scene.order(3675, marine) == 1
    assert scene.health(marine) == 35
    scene.order("attack", marine, on=building)
    scene.run(2)
    before = scene.health(building)
    scene.run(138)
    hits = (before - scene.health(building)) / 5
    assert hits == pytest.approx(138 / (13.77 / 1.5), abs=1)


def test_twenty_marines_beat_ten_and_keep_the_health_of_seventeen():
    """Lanchester's law: of n against m, the square root of n² - m² are left in the end."""
    scene = Scene()
    ours = [scene.put("Marine", 1, 36, 30 + i * 0.8) for i in range(20)]
    theirs = [scene.put("Marine", 2, 44, 34 + i * 0.8) for i in range(10)]
    scene.order("attack", *ours, at=(44, 38))
    scene.order("attack", *theirs, at=(36, 38))
    scene.run_until(lambda: not any(scene.lives(tag) for tag in theirs), 1000)
    left = sum(scene.health(tag) for tag in ours) / 45
    assert left == pytest.approx((20**2 - 10**2) ** 0.5, abs=1.5)


@pytest.mark.parametrize(("researches", "shield_between"), [(0, 50), (1, 0)])
def test_enhanced_shockwaves_widen_what_an_emp_round_drains(researches: int, shield_between: int):
    scene = Scene(1, 3)
    academy = scene.put("GhostAcademy", 1, 20, 20)
    scene.give(1, 150, 150)
    if researches:
        assert scene.order(RESEARCH_SHOCKWAVES, academy) == 1
        scene.run(1761)
    ghost = scene.put("Ghost", 1, 30, 40, energy=75 * ONE)
    near = scene.put("Zealot", 2, 37.4, 40)
    between = scene.put("Zealot", 2, 36, 41.9)
    far = scene.put("Zealot", 2, 36, 37.9)
    assert scene.order(EMP, ghost, at=(36, 40)) == 1
    scene.run(1)
    shields = [scene.value(tag, "shield") // ONE for tag in (near, between, far)]
    assert shields == [0, shield_between, 50]
