"""Generated maps: what holds for every seed, against slow plain-Python versions and arithmetic."""

import hashlib
import itertools
import math
import os
import subprocess
import sys
from collections import deque
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from envs.engine.errors import MapError
from envs.engine.map_checks import Layout, layout_fault
from envs.engine.map_generator import (
    BASE_DISTANCE,
    FIELD_DISTANCE,
    flat_layout,
    melee_layout,
)
from envs.engine.map_sketch import (
    HIGH,
    LOW,
    MIDDLE,
    Octagon,
    Sketch,
    narrowed,
    walking_distances,
    widened,
)
from envs.engine.resource_fields import VESPENE_GEYSER, Base, resource_field

ROOT = Path(__file__).parents[3]

Cell = tuple[int, int]  # x, y

SMALL = {"width": 88, "height": 96, "bases": 3, "rocks": 2}
MEDIUM = {"width": 120, "height": 128, "bases": 4, "rocks": 3}
LARGE = {"width": 176, "height": 168, "bases": 6, "rocks": 6}
MELEE = [
    *[(seed, SMALL) for seed in range(3)],
    *[(seed, MEDIUM) for seed in range(3)],
    *[(seed, LARGE) for seed in range(4)],
]
FLAT = [(48, 1), (80, 2), (144, 4)]  # side, bases a player


@cache
def melee(seed: int, width: int, height: int, bases: int, rocks: int) -> Layout:
    return melee_layout(seed=seed, width=width, height=height, bases=bases, rocks=rocks)


@cache
def flat(side: int, bases: int) -> Layout:
    return flat_layout(seed=5, width=side, height=side, bases=bases)


def layouts() -> list[Layout]:
    return melee_layouts() + [flat(*size) for size in FLAT]


def melee_layouts() -> list[Layout]:
    return [melee(seed, **size) for seed, size in MELEE]


def cells(grid: np.ndarray) -> set[Cell]:
    return {(int(x), int(y)) for y, x in np.argwhere(grid)}


def flooded(ground: set[Cell], start: Cell) -> set[Cell]:
    """All cells that can be reached along rows and columns."""
    reached, front = {start}, deque([start])
    while front:
        x, y = front.popleft()
        for cell in ((x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)):
            if cell in ground and cell not in reached:
                reached.add(cell)
                front.append(cell)
    return reached


def slow_distances(ground: set[Cell], start: Cell) -> dict[Cell, int]:
    """Steps from a cell, by the rule that ``walking_distances`` states, one cell at a time."""
    steps = {start: 0}
    last, before_last = {start}, set[Cell]()  # those of earlier steps have both kinds behind them
    for step in itertools.count(1):
        found = set()
        for x, y in last | before_last:
            for right, up in itertools.product((-1, 0, 1), repeat=2):
                is_straight = right == 0 or up == 0
                is_open = step % 2 == 0 and {(x + right, y), (x, y + up)} <= ground
                if (x + right, y + up) in ground and (is_straight or is_open):
                    found.add((x + right, y + up))
        found -= steps.keys()
        if not found:
            break
        steps |= dict.fromkeys(found, step)
        last, before_last = found, last
    return steps


def digest(layout: Layout) -> str:
    grids = (layout.terrain_height, layout.pathable, layout.buildable)
    content = b"".join(grid.tobytes() for grid in grids) + repr(layout.bases).encode()
    return hashlib.sha256(content).hexdigest()


def test_half_a_turn_changes_nothing():
    for layout in layouts():
        for grid in (layout.terrain_height, layout.pathable, layout.buildable):
            assert np.array_equal(grid, np.rot90(grid, 2))
        width, height = layout.size
        for one, other in zip(layout.bases[::2], layout.bases[1::2], strict=True):
            assert (one.x + other.x, one.y + other.y) == (width - 1, height - 1)
            assert (one.toward_x, one.toward_y) == (-other.toward_x, -other.toward_y)


def test_resources_look_the_same_from_both_sides():
    for layout in layouts():
        width, height = layout.size
        ones = {r for base in layout.bases[::2] for r in resource_field(base)}
        others = {r for base in layout.bases[1::2] for r in resource_field(base)}
        assert {r._replace(x=width - r.x, y=height - r.y) for r in ones} == others


def test_the_same_seed_gives_the_same_map():
    again = [melee_layout(seed=seed, **size) for seed, size in MELEE]
    assert [digest(layout) for layout in again] == [digest(layout) for layout in melee_layouts()]


def test_another_seed_gives_another_map():
    digests = [digest(melee(seed, **LARGE)) for seed in range(4)]
    assert len(set(digests)) == len(digests)


def test_the_same_seed_gives_the_same_map_in_another_process():
    code = (
        "from tests.envs.engine.test_map_generator import digest, melee_layouts;"
        "print(*[digest(layout) for layout in melee_layouts()])"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "12", "PYTHONPATH": str(ROOT)}
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=environment,
    )
    assert result.stdout.split() == [digest(layout) for layout in melee_layouts()]


def test_all_that_can_be_walked_on_can_be_reached_and_lies_off_the_border():
    for layout in layouts():
        ground = cells(layout.pathable)
        main = layout.bases[0]
        assert flooded(ground, (main.x, main.y)) == ground
        left, bottom, right, top = layout.playable
        assert all(left <= x < right and bottom <= y < top for x, y in ground)
        assert min(left, bottom, layout.size[0] - right, layout.size[1] - top) >= 8


def test_only_ground_that_can_be_walked_on_can_be_built_on():
    for layout in layouts():
        assert (layout.buildable <= layout.pathable).all()
        assert set(np.unique(layout.buildable)) | set(np.unique(layout.pathable)) == {0, 1}


def test_ground_to_build_on_is_on_one_of_three_levels():
    for layout in layouts():
        assert set(np.unique(layout.terrain_height[layout.buildable == 1])) <= {LOW, MIDDLE, HIGH}


def test_heights_change_by_a_ramp_only_where_one_can_walk():
    for layout in layouts():
        height, walk = layout.terrain_height.astype(int), layout.pathable == 1
        for axis in (0, 1):
            is_way = walk[1:] & walk[:-1] if axis == 0 else walk[:, 1:] & walk[:, :-1]
            assert np.abs(np.diff(height, axis=axis))[is_way].max() <= 2


def test_one_ramp_leads_off_a_main_base_and_one_more_off_its_natural():
    for layout in melee_layouts():
        ramps = cells((layout.pathable == 1) & (layout.buildable == 0))
        level_ground = cells(layout.buildable)
        for base, num_ramps in ((layout.bases[0], 1), (layout.bases[2], 2)):
            plateau = flooded(level_ground, (base.x, base.y))
            beside = {
                (x + right, y + up)
                for x, y in plateau
                for right, up in itertools.product((-1, 0, 1), repeat=2)
            }
            touching = ramps & beside
            groups = {frozenset(flooded(ramps, cell)) for cell in touching}
            assert len(groups) == num_ramps


def test_a_natural_is_cut_off_from_the_enemy_by_its_choke_alone():
    for layout in melee_layouts():
        main, enemy, natural = layout.bases[:3]
        middle_ramps = (layout.pathable == 1) & (layout.buildable == 0)
        middle_ramps &= layout.terrain_height < MIDDLE
        ground = cells((layout.pathable == 1) & ~middle_ramps)
        reached = flooded(ground, (main.x, main.y))
        assert (natural.x, natural.y) in reached
        assert (enemy.x, enemy.y) not in reached


def test_main_ramps_are_like_those_of_ladder_maps():
    for layout in melee_layouts():
        main = layout.bases[0]
        ramps = cells((layout.pathable == 1) & (layout.buildable == 0))
        high = {cell for cell in ramps if layout.terrain_height[cell[1], cell[0]] > MIDDLE}
        group = min(
            (frozenset(flooded(high, cell)) for cell in high),
            key=lambda group: min(math.dist(cell, (main.x, main.y)) for cell in group),
        )
        heights = sorted(int(layout.terrain_height[y, x]) for x, y in group)
        assert heights == sorted([209, 211, 213, 215, 217, 219, 221] * 2)
        top = [(x, y) for x, y in group if layout.terrain_height[y, x] == 221]
        centre = (sum(x for x, _ in top) / 2, sum(y for _, y in top) / 2)
        assert 12 <= math.dist(centre, (main.x, main.y)) <= 21


def test_distances_equal_those_found_cell_by_cell():
    for layout in (melee(0, **SMALL), melee(1, **MEDIUM)):
        main = layout.bases[0]
        distances = walking_distances(layout.pathable == 1, main.x, main.y)
        slow = slow_distances(cells(layout.pathable), (main.x, main.y))
        expected = np.full_like(distances, -1)
        for (x, y), steps in slow.items():
            expected[y, x] = steps
        np.testing.assert_array_equal(distances, expected)


def test_diagonal_steps_do_not_lead_between_two_walls():
    ground = np.array([[1, 0], [0, 1]], bool)
    assert walking_distances(ground, 0, 0).tolist() == [[0, -1], [-1, -1]]


def test_a_step_is_about_a_cell_in_all_directions():
    distances = walking_distances(np.ones((101, 101), bool), 50, 50)
    assert distances[50, 100] == 50
    assert distances[100, 100] == pytest.approx(50 * math.sqrt(2), rel=0.07)


def test_both_players_have_the_same_ways():
    layout = melee(0, **SMALL)
    ground = cells(layout.pathable)
    first, second = (slow_distances(ground, (base.x, base.y)) for base in layout.bases[:2])
    for one, other in zip(layout.bases[::2], layout.bases[1::2], strict=True):
        assert first[one.x, one.y] == second[other.x, other.y]
        assert first[other.x, other.y] == second[one.x, one.y]


def test_bases_come_in_pairs_nearest_first_and_are_nearer_to_their_owner():
    for layout in melee_layouts():
        first, second = (
            walking_distances(layout.pathable == 1, base.x, base.y) for base in layout.bases[:2]
        )
        own = [int(first[base.y, base.x]) for base in layout.bases[::2]]
        assert own == sorted(own)
        assert all(first[base.y, base.x] < second[base.y, base.x] for base in layout.bases[::2])


def test_bases_keep_their_distance():
    for layout in melee_layouts():
        for one, other in itertools.combinations(layout.bases, 2):
            assert math.dist(one[:2], other[:2]) >= BASE_DISTANCE
            gaps = [
                math.dist((a.x, a.y), (b.x, b.y))
                for a in resource_field(one)
                for b in resource_field(other)
            ]
            assert min(gaps) >= FIELD_DISTANCE


def test_every_base_has_level_ground_to_build_on():
    for layout in layouts():
        for base in layout.bases:
            place = [
                (base.x + right, base.y + up)
                for right, up in itertools.product(range(-11, 12), repeat=2)
                if abs(right) + abs(up) <= 15
            ]
            assert all(layout.buildable[y, x] for x, y in place)
            assert len({int(layout.terrain_height[y, x]) for x, y in place}) == 1


@pytest.mark.parametrize("toward_x", [-1, 1])
@pytest.mark.parametrize("toward_y", [-1, 1])
def test_resources_of_a_base_are_those_of_ladder_maps(toward_x: int, toward_y: int):
    field = resource_field(Base(40, 50, toward_x, toward_y))
    contents = sorted(resource.contents for resource in field)
    assert contents == [900] * 4 + [1800] * 4 + [2250] * 2
    assert {(r.unit_id, r.contents) for r in field} == {(341, 1800), (483, 900), (342, 2250)}
    for resource in field:
        is_geyser = resource.unit_id == VESPENE_GEYSER
        assert (resource.x % 1, resource.y % 1) == ((0.5, 0.5) if is_geyser else (0.0, 0.5))
    stood_on = [cell for r in field for cell in itertools.product(*map(numbers, r.cells()))]
    assert len(stood_on) == len(set(stood_on)) == 8 * 2 + 2 * 9
    rows, columns = range(48, 53), range(38, 43)  # of the town hall
    beside = {*itertools.product(rows, range(35, 46)), *itertools.product(range(45, 56), columns)}
    assert not beside & set(stood_on)


@pytest.mark.parametrize("toward_x", [-1, 1])
@pytest.mark.parametrize("toward_y", [-1, 1])
def test_clients_find_the_town_hall_from_the_resources(toward_x: int, toward_y: int):
    """The rule of python-sc2: nearest to all resources of the places that are far enough off."""
    base = Base(40, 50, toward_x, toward_y)
    field = resource_field(base)
    middle_x = int(sum(resource.x for resource in field) / len(field)) + 0.5
    middle_y = int(sum(resource.y for resource in field) / len(field)) + 0.5
    offsets = itertools.product(range(-7, 8), repeat=2)
    places = [(middle_x + a, middle_y + b) for a, b in offsets if 4 < math.hypot(a, b) <= 8]
    far_enough = [
        place
        for place in places
        if all(
            math.dist(place, (r.x, r.y)) >= (7 if r.unit_id == VESPENE_GEYSER else 6) for r in field
        )
    ]
    sums = {
        place: sum(math.dist(place, (resource.x, resource.y)) for resource in field)
        for place in far_enough
    }
    assert min(sums, key=lambda place: sums[place]) == base.centre


def numbers(of: slice) -> range:
    return range(of.start, of.stop)


def broken(layout: Layout, **changes: object) -> str | None:
    return layout_fault(layout._replace(**changes))


def test_faultless_maps_pass_the_checks():
    assert [layout_fault(layout) for layout in layouts()] == [None] * len(layouts())


def test_a_map_that_favours_one_side_is_refused():
    layout = melee(0, **SMALL)
    height = layout.terrain_height.copy()
    height[0, 0] += 1
    assert broken(layout, terrain_height=height) == "it does not look the same from both sides"
    moved = layout.bases[-1]._replace(x=layout.bases[-1].x + 1)
    bases = (*layout.bases[:-1], moved)
    assert broken(layout, bases=bases) == "it does not look the same from both sides"


def test_a_map_without_a_way_between_the_players_is_refused():
    layout = melee(0, **SMALL)
    pathable = layout.pathable * (layout.buildable == 1)
    assert (
        broken(layout, pathable=pathable) == "no way leads from one player's start to the other's"
    )


def test_a_map_with_a_base_that_is_walled_in_is_refused():
    layout = flat(144, 2)
    pathable = layout.pathable.copy()
    for base in layout.bases[2:]:
        wall = pathable[base.y - 13 : base.y + 14, base.x - 13 : base.x + 14].copy()
        pathable[base.y - 14 : base.y + 15, base.x - 14 : base.x + 15] = 0
        pathable[base.y - 13 : base.y + 14, base.x - 13 : base.x + 14] = wall
    assert broken(layout, pathable=pathable) == "no way leads to one of the bases"


def test_a_map_with_a_base_on_rough_ground_is_refused():
    layout = melee(0, **SMALL)
    height = layout.terrain_height.copy()
    for base in layout.bases[:2]:
        height[base.y - 2, base.x - 2] = height[base.y + 2, base.x + 2] = HIGH - 2
    assert broken(layout, terrain_height=height) == "there is no room for one of the bases"


def test_a_map_with_another_way_in_than_ramps_is_refused():
    layout = melee(0, **SMALL)
    ramps = (layout.pathable == 1) & (layout.buildable == 0)
    chokes, main_ramps = (
        (layout.buildable | part).astype(np.uint8)
        for part in (
            ramps & (layout.terrain_height < MIDDLE),
            ramps & (layout.terrain_height > MIDDLE),
        )
    )
    wrong = "a natural has other ways in than its choke and the main base's ramp"
    assert broken(layout, buildable=chokes) == wrong
    assert broken(layout, buildable=main_ramps) == "a main base has other ways in than one ramp"


def test_a_map_with_a_second_choke_is_refused():
    layout = melee(0, **SMALL)
    pathable, height = layout.pathable.copy(), layout.terrain_height.copy()
    for natural in layout.bases[2:4]:
        step = 1 if natural.x < layout.size[0] // 2 else -1
        column = natural.x
        while pathable[natural.y, column]:
            column += step
        while not pathable[natural.y, column]:  # through the cliff, straight toward the middle
            pathable[natural.y, column], height[natural.y, column] = 1, MIDDLE
            column += step
    assert broken(layout, pathable=pathable, terrain_height=height) == (
        "a natural has other ways in than its choke and the main base's ramp"
    )


@pytest.mark.parametrize("bases", [9, 10])
def test_more_bases_than_there_is_room_for_are_refused(bases: int):
    with pytest.raises(MapError, match=f"88 x 88 cells was found that has {bases} bases"):
        melee_layout(seed=0, width=88, height=88, bases=bases, rocks=0)


def test_what_is_drawn_is_drawn_on_both_sides():
    sketch = Sketch(40, 32, border=4)
    sketch.raise_plateau(Octagon(right=12, top=11, sum_max=18), HIGH)
    sketch.raise_rock(Octagon.around(19, 8, reach=2, diagonal=3))
    for grid in (sketch.height, sketch.walkable):
        assert np.array_equal(grid, grid[::-1, ::-1])
    assert sketch.height[5, 5] == sketch.height[26, 34] == HIGH
    assert sketch.walkable[5, 5]
    assert not sketch.walkable[3, 3]  # in the border
    assert not sketch.walkable[5, 15]  # the cliff: columns 13 to 15
    assert sketch.walkable[5, 16]
    assert cells(sketch.height[:16, 15:24] == HIGH) == {
        (19 - 15 + right, 8 + up)
        for right, up in itertools.product(range(-2, 3), repeat=2)
        if abs(right) + abs(up) <= 3
    }


def test_narrowed_and_widened_are_what_they_say():
    room = np.zeros((40, 40), bool)
    room[5:30, 5:28] = True  # 25 rows, 23 columns
    assert cells(narrowed(room, square=4, diamond=7)) == {
        (x, y) for x in range(16, 17) for y in range(16, 19)
    }
    spot = np.zeros((9, 9), bool)
    spot[4, 4] = True
    assert cells(widened(spot, 2)) == set(itertools.product(range(2, 7), repeat=2))
