"""Reading a game back: by hand, and against a slow reference that follows no shortcut."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from envs.interface import (
    BUILD_ORDER_LENGTH,
    MAX_ENTITIES,
    NUM_UNIT_TYPES,
    NUM_UPGRADES,
    SUBCELLS,
    UNKNOWN,
    UNKNOWN_CELL,
    WORLD_SIZE,
    Alliance,
    DisplayType,
    EntityFeature,
    EntityLimits,
    MapPlane,
    Race,
    ScalarFeature,
    Visibility,
    read_table,
)
from envs.replays.reconstruction import reconstruct
from envs.timeline import STATISTICS, Step, StepFlag, Timeline
from envs.unit_rows import NUM_COLUMNS, RowColumn, head_for, x_at, y_at
from envs.unit_types import unit_types
from tests.replay_writer import small_game

PLANE_SIZE = 64
SUBCELLS_PER_CELL = SUBCELLS * WORLD_SIZE // PLANE_SIZE

Change = tuple[int, NDArray[np.int32]]


def unit_row(
    name: str, alliance: Alliance, x: float, y: float, *, loop: int = 0, **columns: int
) -> NDArray[np.int32]:
    row = np.zeros(NUM_COLUMNS, np.int32)
    row[RowColumn.UNIT_TYPE] = unit_types().index[name]
    row[RowColumn.ALLIANCE] = alliance
    row[RowColumn.DISPLAY_TYPE] = DisplayType.VISIBLE
    row[RowColumn.X], row[RowColumn.Y] = round(x * SUBCELLS), round(y * SUBCELLS)
    row[RowColumn.SINCE] = row[RowColumn.UNTIL] = row[RowColumn.CERTAIN] = loop
    row[RowColumn.LAST_ORDER] = UNKNOWN
    for column, value in columns.items():
        row[RowColumn[column.upper()]] = value
    return row


def game(
    loops: list[int],
    changes: list[list[Change]],
    *,
    selected: list[list[int]] | None = None,
    **columns: Any,
) -> Timeline:
    """A game of these steps; each before it has its changes, and may select and target units."""
    count = len(loops)
    selected = [[]] * count if selected is None else selected
    flat = [change for of_step in changes for change in of_step]

    def per_step(name: str, default: int, dtype: type) -> NDArray[Any]:
        return np.array(columns.get(name, [default] * count), dtype)

    statistics = columns.get("statistics", [])
    upgrades = columns.get("upgrades", [])
    return Timeline(
        race=Race.TERRAN,
        opponent_race=Race.ZERG,
        mmr=columns.get("mmr"),
        step_loop=np.array(loops, np.int32),
        step_action_type=per_step("action_types", 2, np.int16),
        step_queued=per_step("queued", 0, np.int8),
        step_target_unit=per_step("targets", UNKNOWN, np.int32),
        step_target_x=per_step("x", UNKNOWN, np.int16),
        step_target_y=per_step("y", UNKNOWN, np.int16),
        step_flags=per_step("flags", 0, np.int16),
        step_num_selected=np.array([len(units) for units in selected], np.int32),
        step_num_changes=np.array([len(of_step) for of_step in changes], np.int32),
        selected=np.array([unit for units in selected for unit in units], np.int32),
        change_unit=np.array([unit for unit, _ in flat], np.int32),
        change_row=np.array([row for _, row in flat], np.int32).reshape(-1, NUM_COLUMNS),
        statistics_loop=np.array([loop for loop, _ in statistics], np.int32),
        statistics=np.array([values for _, values in statistics], np.int32).reshape(
            -1, len(STATISTICS)
        ),
        upgrade_loop=np.array([loop for loop, _ in upgrades], np.int32),
        upgrade=np.array([upgrade for _, upgrade in upgrades], np.int16),
        build_order=np.array(columns.get("build_order", []), np.int16),
        units_built=np.array(columns.get("units_built", []), np.int16),
        unit_tags=np.arange(len(flat), dtype=np.int64),
    )


def steps_of(timeline: Timeline, **options: Any) -> list[Step]:
    return list(timeline.steps(**{"plane_size": PLANE_SIZE} | options))


def column(step: Step, feature: EntityFeature) -> list[int]:
    return step.observation.entities[:, feature].tolist()


def scalar(step: Step, feature: ScalarFeature) -> int:
    return int(step.observation.scalars[feature])


MARINE = unit_row("Marine", Alliance.SELF, 100, 100)
DRONE = unit_row("Drone", Alliance.ENEMY, 105, 100)


# Entities.


def test_known_units_are_entities_in_order_of_their_numbers():
    steps = steps_of(game([0, 5], [[(2, DRONE), (0, MARINE)], [(0, np.zeros_like(MARINE))]]))
    assert column(steps[0], EntityFeature.ALLIANCE) == [Alliance.SELF, Alliance.ENEMY]
    assert column(steps[0], EntityFeature.X) == [100 * 64, 105 * 64]
    assert column(steps[1], EntityFeature.ALLIANCE) == [Alliance.ENEMY]


def test_units_move_between_changes():
    walker = MARINE.copy()
    head_for(walker, 0, 110.0 * SUBCELLS, 100.0 * SUBCELLS, SUBCELLS / 8)
    steps = steps_of(game([0, 16, 80, 200], [[(0, walker)], [], [], []]))
    # An eighth of a cell a loop: two cells, then all ten.
    assert [column(step, EntityFeature.X)[0] for step in steps] == [6400, 6528, 7040, 7040]


def test_ages_grow_until_they_cannot():
    old = unit_row("Hatchery", Alliance.ENEMY, 90, 90, loop=10)
    steps = steps_of(game([10, 40, 50_000], [[(0, old)], [], []]))
    assert [column(step, EntityFeature.POSITION_AGE)[0] for step in steps] == [0, 30, 32767]


def test_orders_have_an_age_only_if_there_is_one():
    ordered = unit_row("Marine", Alliance.SELF, 9, 9, last_order=12, last_order_loop=5)
    (step,) = steps_of(game([45], [[(0, ordered), (1, MARINE)]]))
    assert column(step, EntityFeature.LAST_ORDER) == [12, UNKNOWN]
    assert column(step, EntityFeature.LAST_ORDER_AGE) == [40, UNKNOWN]


def test_a_building_progresses_and_is_finished_only_when_it_is_told():
    depot = unit_row("SupplyDepot", Alliance.SELF, 9, 9, build_start=100, build_loops=480)
    done = unit_row("SupplyDepot", Alliance.SELF, 9, 9)
    changes = [[(0, depot)], [], [], [], [(0, done)]]
    steps = steps_of(game([100, 220, 575, 600, 601], changes))
    # 120 of 480 loops are a quarter; 475 are 98.96 per cent, rounded down.
    assert [column(s, EntityFeature.BUILD_PROGRESS)[0] for s in steps] == [0, 25, 98, 99, 100]


def test_what_events_do_not_tell_is_unknown():
    (step,) = steps_of(game([0], [[(0, MARINE)]]))
    for feature in (EntityFeature.HEALTH, EntityFeature.ENERGY, EntityFeature.ORDER_0):
        assert column(step, feature) == [UNKNOWN]
    assert (step.observation.map_planes[MapPlane.CREEP] == UNKNOWN_CELL).all()
    assert scalar(step, ScalarFeature.ARMY_COUNT) == UNKNOWN


# Labels and the last action.


def test_labels_are_rows_of_entities():
    rows = [(3, MARINE), (5, DRONE), (7, MARINE)]
    (step,) = steps_of(game([0], [rows], selected=[[3, 7]], targets=[5], x=[17], y=[18]))
    assert step.action.selected_units.tolist() == [0, 2]
    assert step.action.target_unit == 1
    assert step.action.target_location == (17, 18)
    assert step.num_selected_missing == 0


def test_selected_units_that_are_not_known_are_counted_and_such_a_target_is_unknown():
    timeline = game([0], [[(3, MARINE)]], selected=[[3, 2, 99]], targets=[98])
    (step,) = steps_of(timeline)
    assert step.action.selected_units.tolist() == [0]
    assert step.action.target_unit == UNKNOWN
    assert step.num_selected_missing == 2


def test_the_last_action_is_an_input_to_the_next_step_alone():
    units = [(0, MARINE), (1, MARINE), (2, DRONE)]
    timeline = game(
        [0, 30, 300], [units, [], []], selected=[[0, 1], [], []], targets=[2, -1, -1],
        action_types=[3, 0, 2], queued=[1, -1, 0],
    )  # fmt: skip
    steps = steps_of(timeline)
    assert column(steps[0], EntityFeature.WAS_SELECTED) == [0, 0, 0]
    assert column(steps[1], EntityFeature.WAS_SELECTED) == [1, 1, 0]
    assert column(steps[1], EntityFeature.WAS_TARGETED) == [0, 0, 1]
    assert column(steps[2], EntityFeature.WAS_SELECTED) == [0, 0, 0]
    last = [ScalarFeature.LAST_ACTION_TYPE, ScalarFeature.LAST_DELAY, ScalarFeature.LAST_QUEUED]
    seen = [[scalar(step, feature) for feature in last] for step in steps]
    # The second wait is over the longest delay; a step that queues nothing has queued 0.
    assert seen == [[UNKNOWN] * 3, [3, 30, 1], [0, 127, 0]]


def test_delays_are_at_least_one_and_the_last_says_nothing():
    steps = steps_of(game([0, 0, 5, 400], [[(0, MARINE)], [], [], []]))
    assert [step.action.delay for step in steps] == [1, 5, 127, UNKNOWN]
    assert [step.is_last for step in steps] == [False, False, False, True]


def test_flags_are_kept():
    flags = [StepFlag.SYNTHETIC, StepFlag.CLEAN | StepFlag.MAPPED | StepFlag.REPEAT]
    steps = steps_of(game([0, 9], [[(0, MARINE)], []], flags=flags))
    assert [step.flags for step in steps] == flags


# Scalars.


def test_statistics_are_those_taken_before_the_loop():
    values = [(160, range(15)), (320, range(100, 115))]
    steps = steps_of(
        game([159, 160, 161, 320, 321], [[(0, MARINE)], [], [], [], []], statistics=values)
    )
    minerals = [scalar(step, ScalarFeature.MINERALS) for step in steps]
    assert minerals == [UNKNOWN, UNKNOWN, 0, 0, 100]
    killed = [scalar(step, ScalarFeature.VESPENE_KILLED) for step in steps]
    assert killed == [UNKNOWN, UNKNOWN, 14, 14, 114]
    ages = [scalar(step, ScalarFeature.STATISTICS_AGE) for step in steps]
    assert ages == [UNKNOWN, UNKNOWN, 1, 160, 1]


def test_upgrades_are_those_finished_before_the_loop():
    timeline = game([9, 10, 11, 50], [[(0, MARINE)], [], [], []], upgrades=[(10, 3), (20, 77)])
    known = [np.flatnonzero(step.observation.upgrades).tolist() for step in steps_of(timeline)]
    assert known == [[], [], [3], [3, 77]]


def test_races_time_and_rating_are_told():
    (step,) = steps_of(game([77], [[(0, MARINE)]], mmr=4321))
    features = [ScalarFeature.GAME_LOOP, ScalarFeature.HOME_RACE, ScalarFeature.AWAY_RACE]
    assert [scalar(step, feature) for feature in features] == [77, Race.TERRAN, Race.ZERG]
    assert scalar(step, ScalarFeature.MMR) == 4
    (unrated,) = steps_of(game([77], [[(0, MARINE)]]))
    assert scalar(unrated, ScalarFeature.MMR) == UNKNOWN


def test_z_is_shown_only_when_asked_for():
    timeline = game(
        [0], [[(0, MARINE)]], build_order=[5, 6, 5], units_built=[5, 6], upgrades=[(900, 3)]
    )
    (hidden,) = steps_of(timeline)
    assert (hidden.observation.build_order == UNKNOWN).all()
    assert (hidden.observation.cumulative_statistics == UNKNOWN).all()
    (shown,) = steps_of(timeline, show_z=True)
    assert shown.observation.build_order.tolist() == [5, 6, 5] + [0] * (BUILD_ORDER_LENGTH - 3)
    built = np.flatnonzero(shown.observation.cumulative_statistics)
    assert built.tolist() == [5, 6, NUM_UNIT_TYPES + 3]
    assert len(shown.observation.cumulative_statistics) == NUM_UNIT_TYPES + NUM_UPGRADES


# Planes.


def test_units_are_drawn_in_their_cells_own_over_enemy_over_neutral():
    neutral = unit_row("MineralField", Alliance.NEUTRAL, 10, 20)
    units = [
        (0, neutral),
        (1, unit_row("Drone", Alliance.ENEMY, 11, 21)),  # cells of four: the same one
        (2, unit_row("Drone", Alliance.ENEMY, 50, 60)),
        (3, unit_row("Marine", Alliance.SELF, 51, 61)),
        (4, unit_row("Drone", Alliance.ENEMY, 52, 60)),
        (5, unit_row("MineralField", Alliance.NEUTRAL, 200, 20)),
        (6, unit_row("Drone", Alliance.ENEMY, 50, 60)),
        (7, unit_row("MineralField", Alliance.NEUTRAL, 53, 60)),
    ]
    (step,) = steps_of(game([0], [units]))
    plane = step.observation.map_planes[MapPlane.PLAYER_RELATIVE]
    expected = np.zeros((64, 64), np.uint8)
    expected[5, 2], expected[15, 12], expected[15, 13], expected[5, 50] = 4, 1, 4, 3
    np.testing.assert_array_equal(plane, expected)


def test_cells_are_visible_while_seen_and_fogged_after_that():
    away = unit_row("Marine", Alliance.SELF, 200, 200, loop=5)
    steps = steps_of(game([0, 5], [[(0, MARINE)], [(0, away)]]))
    now, later = (step.observation.map_planes[MapPlane.VISIBILITY] for step in steps)
    # Nine cells of sight; a plane's cell is four wide and seen by its centre.
    expected = np.zeros((64, 64), np.uint8)
    for y in range(64):
        for x in range(64):
            if (4 * x + 2 - 100) ** 2 + (4 * y + 2 - 100) ** 2 <= 81:
                expected[y, x] = Visibility.VISIBLE
    np.testing.assert_array_equal(now, expected)
    assert now[25, 25] == Visibility.VISIBLE
    assert later[25, 25] == Visibility.FOGGED
    assert later[50, 50] == Visibility.VISIBLE
    assert later[0, 0] == Visibility.HIDDEN


def test_enemies_do_not_see_for_the_player():
    (step,) = steps_of(game([0], [[(0, DRONE)]]))
    assert not step.observation.map_planes[MapPlane.VISIBILITY].any()


def test_units_at_the_edge_of_the_world_are_drawn_within_it():
    corner = unit_row("Marine", Alliance.SELF, 255.9, 255.9)
    (step,) = steps_of(game([0], [[(0, corner), (1, unit_row("SCV", Alliance.SELF, 0, 0))]]))
    plane = step.observation.map_planes[MapPlane.PLAYER_RELATIVE]
    assert plane[63, 63] == plane[0, 0] == Alliance.SELF


@pytest.mark.parametrize("plane_size", [0, -1, 3, 100, 512])
def test_planes_that_do_not_divide_the_world_are_refused(plane_size: int):
    with pytest.raises(ValueError, match="plane_size must divide 256"):
        steps_of(game([0], [[(0, MARINE)]]), plane_size=plane_size)


# More units than fit.


def crowd() -> list[Change]:
    """Two own units in opposite corners, 400 enemies and 300 neutral units on a diagonal."""
    units = [
        (0, unit_row("Marine", Alliance.SELF, 0, 0)),
        (1, unit_row("Marine", Alliance.SELF, 255, 255)),
    ]
    for i in range(700):
        # Near the first corner, near the second, a little farther from the first, and so on.
        away = 0.15 * (i // 2)
        place = away if i % 2 == 0 else 255 - away
        enemy = i % 7 < 4
        name, alliance = ("Drone", Alliance.ENEMY) if enemy else ("MineralField", Alliance.NEUTRAL)
        units.append((2 + i, unit_row(name, alliance, place, place)))
    return units


def test_over_the_limit_own_units_then_enemies_then_the_nearest_neutral_ones_stay():
    units = crowd()
    (step,) = steps_of(game([0], [units]))
    alliances = column(step, EntityFeature.ALLIANCE)
    assert len(alliances) == MAX_ENTITIES
    assert alliances.count(Alliance.SELF) == 2
    assert alliances.count(Alliance.ENEMY) == 400
    neutral = [row for _, row in units if row[RowColumn.ALLIANCE] == Alliance.NEUTRAL]
    kept = sorted(neutral, key=lambda row: min(row[RowColumn.X], 255 * 64 - row[RowColumn.X]))
    expected = sorted(int(row[RowColumn.X]) for row in kept[:110])
    entities = step.observation.entities
    of_neutral = entities[:, EntityFeature.ALLIANCE] == Alliance.NEUTRAL
    assert sorted(entities[of_neutral, EntityFeature.X].tolist()) == expected


def test_own_units_come_before_nearer_enemies():
    own = [(i, unit_row("Marine", Alliance.SELF, i % 250, 100)) for i in range(500)]
    enemies = [(500 + i, unit_row("Drone", Alliance.ENEMY, 2 * i, 101 + i)) for i in range(100)]
    (step,) = steps_of(game([0], [enemies + own]))
    assert column(step, EntityFeature.ALLIANCE).count(Alliance.SELF) == 500
    kept = [y // 64 for y in column(step, EntityFeature.Y) if y != 100 * 64]
    assert kept == list(range(101, 113))


def test_fewer_units_can_be_asked_for():
    units = [(0, DRONE), (1, unit_row("Drone", Alliance.ENEMY, 103, 100)), (2, MARINE)]
    units.append((3, unit_row("MineralField", Alliance.NEUTRAL, 100, 100)))
    timeline = game([0], [units], selected=[[0, 2]])
    (step,) = steps_of(timeline, limits=EntityLimits(total=2))
    assert column(step, EntityFeature.X) == [103 * 64, 100 * 64]
    assert step.action.selected_units.tolist() == [1]
    assert step.num_selected_missing == 1
    (only,) = steps_of(timeline, limits=EntityLimits(total=1))
    assert column(only, EntityFeature.ALLIANCE) == [Alliance.SELF]


def test_fewer_neutral_units_can_be_asked_for_and_the_planes_show_them_all():
    units = crowd()
    (step,) = steps_of(game([0], [units]), limits=EntityLimits(neutral=4))
    entities = step.observation.entities
    alliances = entities[:, EntityFeature.ALLIANCE].tolist()
    assert alliances.count(Alliance.SELF) == 2
    assert alliances.count(Alliance.ENEMY) == 400
    neutral = [row for _, row in units if row[RowColumn.ALLIANCE] == Alliance.NEUTRAL]
    nearest = sorted(neutral, key=lambda row: min(row[RowColumn.X], 255 * 64 - row[RowColumn.X]))
    of_neutral = entities[:, EntityFeature.ALLIANCE] == Alliance.NEUTRAL
    expected = sorted(int(row[RowColumn.X]) for row in nearest[:4])
    assert sorted(entities[of_neutral, EntityFeature.X].tolist()) == expected

    (whole,) = steps_of(game([0], [units]))
    np.testing.assert_array_equal(step.observation.map_planes, whole.observation.map_planes)


@pytest.mark.parametrize("total", [0, -1, MAX_ENTITIES + 1])
def test_impossible_numbers_of_units_are_refused(total: int):
    with pytest.raises(ValueError, match=r"limits\.total must be 1 to 512"):
        steps_of(game([0], [[(0, MARINE)]]), limits=EntityLimits(total=total))


def test_a_negative_number_of_neutral_units_is_refused():
    with pytest.raises(ValueError, match=r"limits\.neutral must be at least 0, got -1"):
        steps_of(game([0], [[(0, MARINE)]]), limits=EntityLimits(neutral=-1))


def test_who_is_left_out_does_not_depend_on_the_action():
    units = crowd()
    plain = game([0], [units])
    (before,) = steps_of(plain)
    left_out = 701  # a neutral unit in the middle of the world
    chosen = game([0], [units], selected=[[left_out]], targets=[left_out - 1], x=[5], y=[5])
    (after,) = steps_of(chosen)
    np.testing.assert_array_equal(before.observation.entities, after.observation.entities)
    assert (after.num_selected_missing, after.action.target_unit) == (1, UNKNOWN)


# Reading.


def test_starting_later_gives_the_same_steps():
    timeline = reconstruct(small_game().parts()).timelines[0]
    everything = steps_of(timeline)
    for start in range(timeline.num_steps + 2):
        assert_equal(steps_of(timeline, start=start), everything[start:])


def test_steps_are_their_own_and_not_changed_by_reading_on():
    timeline = reconstruct(small_game().parts()).timelines[0]
    kept = []
    for step in timeline.steps(plane_size=PLANE_SIZE):
        kept.append((step, [part.copy() for part in step.observation]))
    for step, parts in kept:
        for part, copy in zip(step.observation, parts, strict=True):
            np.testing.assert_array_equal(part, copy)


def test_a_game_of_no_steps_has_none():
    assert steps_of(game([], [])) == []


@pytest.mark.parametrize("player", [0, 1])
def test_reading_equals_the_slow_reference(player: int):
    timeline = reconstruct(small_game().parts()).timelines[player]
    steps = steps_of(timeline)
    assert len(steps) > 10
    for i, step in enumerate(steps):
        entities, planes = slow_observation(timeline, i)
        np.testing.assert_array_equal(step.observation.entities, entities)
        for plane in (MapPlane.VISIBILITY, MapPlane.PLAYER_RELATIVE):
            np.testing.assert_array_equal(step.observation.map_planes[plane], planes[plane])


def slow_observation(
    timeline: Timeline, step: int
) -> tuple[NDArray[np.int16], dict[MapPlane, NDArray[np.uint8]]]:
    """Entities and planes of one step, from the very beginning and cell by cell."""
    visibility = np.zeros((PLANE_SIZE, PLANE_SIZE), np.uint8)
    for earlier in range(step + 1):
        visibility[visibility == Visibility.VISIBLE] = Visibility.FOGGED
        rows, loop = rows_at(timeline, earlier), int(timeline.step_loop[earlier])
        for row in rows.values():
            if row[RowColumn.ALLIANCE] == Alliance.SELF:
                sight = int(unit_types().sight[row[RowColumn.UNIT_TYPE]])
                for y in range(PLANE_SIZE):
                    for x in range(PLANE_SIZE):
                        away_x = (x + 0.5) * SUBCELLS_PER_CELL - x_at(row, loop)
                        away_y = (y + 0.5) * SUBCELLS_PER_CELL - y_at(row, loop)
                        if away_x**2 + away_y**2 <= sight**2:
                            visibility[y, x] = Visibility.VISIBLE
    marked = set(selected_at(timeline, step - 1)) if step else set()
    target = timeline.step_target_unit[step - 1] if step else UNKNOWN
    entities = []
    for unit, row in rows.items():
        features = dict.fromkeys(EntityFeature, UNKNOWN)
        features[EntityFeature.UNIT_TYPE] = row[RowColumn.UNIT_TYPE]
        features[EntityFeature.ALLIANCE] = row[RowColumn.ALLIANCE]
        features[EntityFeature.X] = x_at(row, loop)
        features[EntityFeature.Y] = y_at(row, loop)
        features[EntityFeature.POSITION_AGE] = loop - row[RowColumn.CERTAIN]
        features[EntityFeature.DISPLAY_TYPE] = row[RowColumn.DISPLAY_TYPE]
        needed = row[RowColumn.BUILD_LOOPS]
        passed = loop - row[RowColumn.BUILD_START]
        progress = min(99, 100 * passed // needed) if needed else 100
        features[EntityFeature.BUILD_PROGRESS] = progress
        features[EntityFeature.WAS_SELECTED] = unit in marked
        features[EntityFeature.WAS_TARGETED] = unit == target
        if row[RowColumn.LAST_ORDER] != UNKNOWN:
            features[EntityFeature.LAST_ORDER] = row[RowColumn.LAST_ORDER]
            features[EntityFeature.LAST_ORDER_AGE] = loop - row[RowColumn.LAST_ORDER_LOOP]
        entities.append([int(features[feature]) for feature in EntityFeature])
    entities_array = np.array(entities, np.int16).reshape(-1, len(EntityFeature))
    planes = {MapPlane.VISIBILITY: visibility, MapPlane.PLAYER_RELATIVE: drawn(entities)}
    return entities_array, planes


def rows_at(timeline: Timeline, step: int) -> dict[int, NDArray[np.int32]]:
    """The known units at a step, in order of their numbers."""
    rows: dict[int, NDArray[np.int32]] = {}
    end = int(timeline.step_num_changes[: step + 1].sum())
    for unit, row in zip(timeline.change_unit[:end], timeline.change_row[:end], strict=True):
        rows[int(unit)] = row
    return {unit: rows[unit] for unit in sorted(rows) if rows[unit][RowColumn.ALLIANCE]}


def selected_at(timeline: Timeline, step: int) -> list[int]:
    start = int(timeline.step_num_selected[:step].sum())
    return timeline.selected[start : start + timeline.step_num_selected[step]].tolist()


def drawn(entities: list[list[int]]) -> NDArray[np.uint8]:
    plane = np.zeros((PLANE_SIZE, PLANE_SIZE), np.uint8)
    for alliance in (Alliance.NEUTRAL, Alliance.ENEMY, Alliance.SELF):  # the last drawn stays
        for entity in entities:
            if entity[EntityFeature.ALLIANCE] == alliance:
                x, y = entity[EntityFeature.X], entity[EntityFeature.Y]
                plane[y // SUBCELLS_PER_CELL, x // SUBCELLS_PER_CELL] = alliance
    return plane


def assert_equal(steps: list[Step], others: list[Step]) -> None:
    assert len(steps) == len(others)
    for step, other in zip(steps, others, strict=True):
        for part, other_part in zip(step.observation, other.observation, strict=True):
            np.testing.assert_array_equal(part, other_part)
        np.testing.assert_array_equal(step.action.selected_units, other.action.selected_units)
        assert step.action[:3] == other.action[:3]
        assert step.action[4:] == other.action[4:]
        assert step[2:] == other[2:]


def test_every_upgrade_of_the_table_has_room():
    assert max(int(row["upgrade"]) for row in read_table("upgrades.csv")) < NUM_UPGRADES
