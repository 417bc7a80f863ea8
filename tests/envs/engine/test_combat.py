"""Fights against arithmetic: damage, armour, shields, cooldowns, range, splash."""

import pytest
from s2clientprotocol import error_pb2 as result

from envs.engine.layout import ONE, Task
from tests.envs.engine.scenes import PROTOSS, TERRAN, Scene

EMP, RESEARCH_SHOCKWAVES, GUARDIAN_SHIELD = 1628, 822, 76
KD8_CHARGE, FUNGAL_GROWTH, CALLDOWN_MULE = 2588, 74, 171


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


def test_a_guardian_shield_goes_with_its_sentry_and_covers_who_is_near():
    scene = Scene(PROTOSS, TERRAN)
    sentry = scene.put("Sentry", 1, 40, 40, energy=75 * ONE)
    near, far = scene.put("Probe", 1, 42, 40), scene.put("Probe", 1, 50, 40)

    def is_covered(*tags: int) -> list[bool]:
        return [scene.value(tag, "shield_up_left") > 0 for tag in tags]

    assert scene.order(GUARDIAN_SHIELD, sentry) == 1
    scene.run(2)
    assert is_covered(sentry, near, far) == [True, True, False]
    scene.order("move", sentry, at=(50, 42))
    scene.run(100)
    assert is_covered(sentry, near, far) == [True, False, True]
    scene.run(142)
    assert is_covered(sentry, far) == [False, False], "15 s at normal speed are over"
    scene.game.units["energy"][scene.game.slot(sentry)] = 75 * ONE
    assert scene.order(GUARDIAN_SHIELD, sentry) == 1
    scene.run(2)
    assert is_covered(far) == [True]
    scene.match.aftermath.kill(scene.game.slot(sentry))
    scene.run(4)
    assert is_covered(far) == [False]
    assert not scene.world.effects["id"].any()


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


@pytest.mark.parametrize(
    ("caster", "ability"), [("Reaper", KD8_CHARGE), ("Infestor", FUNGAL_GROWTH)]
)
def test_what_is_thrown_at_a_place_hurts_enemies_alone(caster: str, ability: int):
    scene = Scene()
    scene.world.weapons["targets"] = 0
    thrower = scene.put(caster, 1, 40, 40, energy=200 * ONE)
    scene.world.players["no_tech"][1] = 1
    enemy, friend = scene.put("SiegeTank", 2, 44, 40), scene.put("SiegeTank", 1, 44, 41)
    whole = scene.health(enemy)
    assert scene.order(ability, thrower, at=(44, 40)) == 1
    scene.run(80)
    assert scene.health(enemy) < whole
    assert scene.health(friend) == whole


def test_mules_are_called_to_where_one_sees_and_there_is_room():
    scene = Scene(TERRAN, TERRAN, disable_fog=False)
    orbital = scene.put("OrbitalCommand", 1, 30.5, 30.5, energy=200 * ONE)
    enemy = scene.match.game_map.starts[1]
    scene.run(8)
    assert scene.order(CALLDOWN_MULE, orbital, at=enemy) == result.Success
    scene.run(2)
    assert not scene.all_of("MULE", 1)
    assert scene.match.aftermath.failed[-1][3] == result.MustTargetVisibleLocation
    while not scene.game.is_full:
        scene.game.spawn(scene.row["Marine"], 1, 20 * ONE, 20 * ONE)
    scene.order(CALLDOWN_MULE, orbital, at=(34, 34))
    scene.run(2)
    assert scene.match.aftermath.failed[-1][3] == result.CouldntAllocateUnit
    assert scene.value(orbital, "energy") >= 200 * ONE


def test_a_mule_that_is_called_to_a_place_mines_what_is_near():
    scene = Scene()
    orbital = scene.put("OrbitalCommand", 1, 30.5, 30.5, energy=200 * ONE)
    hall = scene.place(scene.all_of("CommandCenter", 1)[0])
    for place in (hall, (44, 44)):
        assert scene.order(CALLDOWN_MULE, orbital, at=place) == 1
        scene.run(2)
    mules = scene.all_of("MULE", 1)
    orders = [scene.world.orders["task"][scene.game.slot(mule), 0] for mule in mules]
    assert len(mules) == 2
    assert orders.count(Task.GATHER) == 1
