"""Walking: speed, ways around things, crowds that do not jam."""

import math

from envs.engine.layout import ONE
from envs.engine.pathfinding import path_length
from tests.envs.engine.scenes import Scene


def test_units_arrive_and_stop():
    scene = Scene()
    unit = scene.put("Marine", 1, 40, 40)
    scene.order("move", unit, at=(45, 43))
    scene.run(100)
    assert math.dist(scene.place(unit), (45, 43)) < 0.25
    assert scene.value(unit, "num_orders") == 0


def test_queued_orders_are_done_one_after_the_other():
    scene = Scene()
    unit = scene.put("Marine", 1, 40, 40)
    scene.order("move", unit, at=(44, 40))
    scene.order("move", unit, at=(44, 44), queued=True)
    assert scene.value(unit, "num_orders") == 2
    scene.run_until(lambda: scene.value(unit, "num_orders") == 1, 100)
    assert math.dist(scene.place(unit), (44, 40)) < 0.3
    scene.run(100)
    assert math.dist(scene.place(unit), (44, 44)) < 0.3


def test_units_walk_around_a_wall_of_buildings():
    scene = Scene()
    for i in range(8):
        scene.put("Barracks", 2, 40.5, 26.5 + 3 * i)
    unit = scene.put("Marine", 1, 36, 38)
    scene.order("move", unit, at=(46, 38))
    blocked = scene.world.blocked

    def is_outside() -> bool:
        x, y = scene.place(unit)
        return blocked[int(y), int(x)] == 0

    for _ in range(300):
        scene.run(1)
        assert is_outside()
    assert math.dist(scene.place(unit), (46, 38)) < 0.5


def test_fliers_cross_what_walkers_go_around():
    scene = Scene()
    for i in range(8):
        scene.put("Barracks", 2, 40.5, 26.5 + 3 * i)
    unit = scene.put("Medivac", 1, 36, 38)
    scene.order("move", unit, at=(46, 38))
    scene.run(round(10 / 0.15625) + 2)
    assert math.dist(scene.place(unit), (46, 38)) < 0.3


def test_a_crowd_comes_through_a_gap_and_is_spread_out_in_the_end():
    scene = Scene()
    for y in (*range(12, 37, 3), *range(42, 66, 3)):
        scene.put("Barracks", 2, 40.5, y + 0.5)
    crowd = [scene.put("Zealot", 1, 28 + i % 6, 36 + i // 6) for i in range(36)]
    scene.order("move", *crowd, at=(52, 39))
    scene.run(600)
    places = [scene.place(tag) for tag in crowd]
    assert all(x > 42 for x, _ in places), "nobody is stuck before the gap"
    apart = [math.dist(a, b) for i, a in enumerate(places) for b in places[:i]]
    assert min(apart) > 0.8, "nobody stands on another; a Zealot's radius is 0.5"
    assert max(math.dist(place, (52, 39)) for place in places) < 6


def test_ground_paths_are_as_long_as_the_shortest_way():
    scene = Scene()
    for i in range(6):
        scene.put("Barracks", 2, 40.5, 30.5 + 3 * i)  # from y = 29 to y = 47
    start, goal = (36, 38), (46, 38)
    found = path_length(scene.world.record, *(round(v * ONE) for v in (*start, *goal))) / ONE
    over_the_top = math.dist(start, (39, 47.5)) + 3 + math.dist((42, 47.5), goal)
    assert over_the_top <= found <= over_the_top * 1.12


def test_patrols_go_back_and_forth():
    scene = Scene()
    unit = scene.put("Marine", 1, 40, 40)
    scene.order("patrol", unit, at=(46, 40))
    seen = []
    for _ in range(40):
        scene.run(10)
        seen.append(scene.place(unit)[0])
    assert max(seen) > 45
    late = seen[seen.index(max(seen)) :]
    assert min(late) < 41


def test_standing_friends_make_way():
    scene = Scene()
    for i in range(7):
        scene.put("Marine", 1, 44, 38 + 0.7 * i)
    unit = scene.put("Marine", 1, 40, 40)
    scene.order("move", unit, at=(48, 40))
    scene.run(120)
    assert math.dist(scene.place(unit), (48, 40)) < 0.5
