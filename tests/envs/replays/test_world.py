"""The true world against arithmetic by hand.

Speeds are those of ``unit_types.csv``: an SCV walks 0.17578 cells a loop, which is 11.24992
subcells; to four hundred loops of that belong 4500 subcells, a little over seventy cells.
"""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from envs.interface import SUBCELLS, UNKNOWN, raw_functions
from envs.replays.archive import ReplayRefused
from envs.replays.events import Event
from envs.replays.world import FORMATION, MAX_UNITS, MAX_WAYPOINTS, World
from envs.unit_rows import RowColumn
from envs.unit_types import unit_types

SCV_SPEED = 0.17578 * SUBCELLS

# A unit stops at the end of the loop in which it arrives, at most one loop's way too far.
STEP = SCV_SPEED + 1


def cells(*place: float) -> tuple[float, ...]:
    return tuple(SUBCELLS * coordinate for coordinate in place)


def born(loop: int, index: int, name: str, x: int, y: int, **more: Any) -> Event:
    fields = {
        "m_unitTagIndex": index,
        "m_unitTagRecycle": 1,
        "m_unitTypeName": name.encode(),
        "m_controlPlayerId": 1,
        "m_x": x,
        "m_y": y,
        "m_creatorUnitTagIndex": None,
    }
    name = more.pop("event", "SUnitBornEvent")
    return Event(loop, -1, name, fields | more)


def about(loop: int, event: str, index: int, **more: Any) -> Event:
    return Event(loop, -1, event, {"m_unitTagIndex": index, "m_unitTagRecycle": 1} | more)


def positions(loop: int, first: int, items: list[int]) -> Event:
    return Event(loop, -1, "SUnitPositionsEvent", {"m_firstUnitIndex": first, "m_items": items})


def world_of(*births: Event) -> World:
    world = World([event for event in births if event.loop == 0])
    for event in births:
        world.apply(event)
    return world


def scv(x: int = 50, y: int = 100) -> World:
    return world_of(born(0, 0, "SCV", x, y), born(0, 1, "CommandCenter", 150, 150))


def units(*numbers: int) -> NDArray[np.int32]:
    return np.array(numbers, np.int32)


def send(world: World, x: float, y: float, loop: int = 0, **options: Any) -> None:
    settings = {"short": 0.0, "queued": False} | options
    world.send(units(0), loop, SUBCELLS * x, SUBCELLS * y, **settings)


def test_coordinates_are_rounded_down_to_cells_so_units_stand_in_their_middle():
    assert scv().place_of(0, 0) == cells(50.5, 100.5)


def test_old_builds_write_quarters_of_coordinates():
    # All of loop 0 below 64: coordinates are in steps of four cells.
    world = world_of(born(0, 0, "CommandCenter", 12, 63))
    assert world.cells_per_coordinate == 4
    assert world.place_of(0, 0) == cells(50, 254)


def test_one_coordinate_of_loop_zero_over_63_tells_the_scale():
    world = world_of(born(0, 0, "CommandCenter", 12, 64))
    assert world.cells_per_coordinate == 1


def test_minerals_are_two_cells_wide_so_their_centre_is_on_an_edge():
    world = world_of(born(0, 0, "MineralField", 30, 100, m_controlPlayerId=0))
    assert world.place_of(0, 0) == cells(30, 100.5)


def test_minerals_of_old_builds_are_where_their_quarter_is():
    world = world_of(born(0, 0, "MineralField", 30, 20, m_controlPlayerId=0))
    assert world.place_of(0, 0) == cells(122, 82)


def test_a_unit_walks_straight_at_its_speed():
    world = scv()
    send(world, 150.5, 100.5)
    x, y = world.place_of(0, 100)
    assert x == pytest.approx(50.5 * SUBCELLS + 100 * SCV_SPEED, abs=1)
    assert y == 100.5 * SUBCELLS


def test_a_diagonal_is_not_faster():
    world = scv()
    send(world, 80.5, 140.5)  # thirty right, forty up: fifty away
    x, y = world.place_of(0, 100)
    # The walk is spread over whole loops, 285 here, so that it ends at its goal.
    assert x == pytest.approx(50.5 * SUBCELLS + 100 * 30 * SUBCELLS / 285, abs=1)
    assert y == pytest.approx(100.5 * SUBCELLS + 100 * 40 * SUBCELLS / 285, abs=1)
    assert world.place_of(0, 285) == pytest.approx(cells(80.5, 140.5), abs=1)


def test_a_unit_arrives_and_stays():
    world = scv()
    send(world, 60.5, 100.5)
    # Ten cells are 640 subcells, 56.9 loops: it arrives in the 57th.
    assert world.rows[0, RowColumn.UNTIL] == 57
    for loop in (57, 58, 1000):
        assert world.place_of(0, loop) == pytest.approx(cells(60.5, 100.5), abs=STEP)


def test_a_unit_stops_short_of_its_target():
    world = scv()
    send(world, 60.5, 100.5, short=4.0 * SUBCELLS)
    assert world.place_of(0, 1000) == pytest.approx(cells(56.5, 100.5), abs=STEP)


def test_a_unit_within_reach_stays():
    world = scv()
    send(world, 52.5, 100.5, short=4.0 * SUBCELLS)
    assert world.place_of(0, 1000) == cells(50.5, 100.5)


def test_a_new_order_starts_from_where_the_unit_is():
    world = scv()
    send(world, 150.5, 100.5)
    send(world, 50.5, 200.5, loop=40)
    x, y = world.place_of(0, 40)
    assert x == pytest.approx(50.5 * SUBCELLS + 40 * SCV_SPEED, abs=1)
    assert world.rows[0, RowColumn.SINCE] == 40
    # From there it is back to the left by 7.03 cells and up by 100.
    away = np.hypot(40 * SCV_SPEED, 100 * SUBCELLS)
    assert world.rows[0, RowColumn.UNTIL] - 40 == np.ceil(away / SCV_SPEED)
    assert y == 100.5 * SUBCELLS


def test_queued_orders_are_walked_one_after_the_other():
    world = scv()
    send(world, 60.5, 100.5)
    send(world, 60.5, 110.5, loop=1, queued=True)
    send(world, 70.5, 110.5, loop=2, queued=True)
    for loop in range(0, 400, 20):
        world.proceed(loop)
        if loop == 80:
            # 57 loops to the first place; 23 loops upwards then.
            expected = (60.5 * SUBCELLS, 100.5 * SUBCELLS + 23 * SCV_SPEED)
            assert world.place_of(0, loop) == pytest.approx(expected, abs=STEP)
    assert world.place_of(0, 400) == pytest.approx(cells(70.5, 110.5), abs=STEP)


def test_looking_seldom_or_often_gives_the_same_way():
    often, seldom = scv(), scv()
    for world in (often, seldom):
        send(world, 60.5, 100.5)
        for i in range(4):
            send(world, 60.5 + 3 * i, 110.5 - 2 * i, loop=1, queued=True)
    for loop in range(0, 301):
        often.proceed(loop)
    seldom.proceed(300)
    assert often.place_of(0, 300) == seldom.place_of(0, 300)


def test_queued_without_an_order_starts_at_once():
    world = scv()
    send(world, 60.5, 100.5, queued=True)
    assert world.place_of(0, 1000) == pytest.approx(cells(60.5, 100.5), abs=STEP)


def test_an_unqueued_order_forgets_the_queue():
    world = scv()
    send(world, 60.5, 100.5)
    send(world, 60.5, 200.5, loop=1, queued=True)
    send(world, 40.5, 100.5, loop=2)
    world.proceed(2000)
    assert world.place_of(0, 2000) == pytest.approx(cells(40.5, 100.5), abs=STEP)


def test_the_queue_has_an_end():
    world = scv()
    send(world, 60.5, 100.5)
    for i in range(MAX_WAYPOINTS + 3):
        send(world, 61.5 + i, 100.5, loop=1, queued=True)
    world.proceed(5000)
    assert world.place_of(0, 5000) == pytest.approx(cells(60.5 + MAX_WAYPOINTS, 100.5), abs=STEP)


def test_a_group_keeps_its_shape_up_to_a_packed_crowd():
    world = world_of(
        born(0, 0, "SCV", 50, 100), born(0, 1, "SCV", 90, 100), born(0, 2, "Nexus", 150, 150)
    )
    world.send(units(0, 1), 0, *cells(70.5, 200.5), short=0.0, queued=False)
    # Twenty cells from their centre, but two units are a crowd of half a cell's radius.
    crowd = FORMATION * np.sqrt(2 - 1)
    assert world.place_of(0, 5000) == pytest.approx(cells(70.5 - crowd, 200.5), abs=STEP)
    assert world.place_of(1, 5000) == pytest.approx(cells(70.5 + crowd, 200.5), abs=STEP)


def test_a_close_group_keeps_its_distances():
    births = [born(0, i, "SCV", 50 + i % 2, 100 + i // 2) for i in range(4)]
    world = world_of(*births, born(0, 9, "Nexus", 150, 150))
    # Their places are 0.707 from the centre, within a crowd of 0.5 * sqrt(3).
    world.send(units(0, 1, 2, 3), 0, *cells(90, 130), short=0.0, queued=False)
    expected = [(89.5, 129.5), (90.5, 129.5), (89.5, 130.5), (90.5, 130.5)]
    for unit, place in enumerate(expected):
        assert world.place_of(unit, 5000) == pytest.approx(cells(*place), abs=STEP)


def test_stop_halts_and_forgets_the_queue():
    world = scv()
    send(world, 60.5, 100.5)
    send(world, 60.5, 150.5, loop=1, queued=True)
    world.stop(units(0), 10)
    here = world.place_of(0, 10)
    world.proceed(500)
    assert world.place_of(0, 500) == here
    assert here[0] == pytest.approx(50.5 * SUBCELLS + 10 * SCV_SPEED, abs=1)


def test_a_leap_goes_at_once_as_far_as_it_can():
    world = scv()
    world.leap(units(0), 5, *cells(50.5, 120.5), reach=8.0 * SUBCELLS)
    assert world.place_of(0, 5) == cells(50.5, 108.5)
    world.leap(units(0), 6, *cells(50.5, 110.5), reach=8.0 * SUBCELLS)
    assert world.place_of(0, 6) == cells(50.5, 110.5)
    world.leap(units(0), 7, *cells(50.5, 110.5), reach=8.0 * SUBCELLS)
    assert world.place_of(0, 7) == cells(50.5, 110.5)


def test_a_reported_position_moves_a_unit():
    world = scv()
    world.apply(positions(240, 0, [0, 70, 90]))
    assert world.place_of(0, 240) == cells(70.5, 90.5)
    assert world.rows[0, RowColumn.CERTAIN] == 240


def test_a_reckoned_place_in_the_reported_cell_is_kept():
    world = scv()
    send(world, 60.25, 100.5)
    world.apply(positions(240, 0, [0, 60, 100]))
    assert world.place_of(0, 240) == pytest.approx(cells(60.25, 100.5), abs=STEP)
    assert world.rows[0, RowColumn.CERTAIN] == 240


def test_a_unit_on_its_way_goes_on_from_where_it_was_reported():
    world = scv()
    send(world, 150.5, 100.5)
    world.apply(positions(240, 0, [0, 60, 80]))
    assert world.place_of(0, 240) == cells(60.5, 80.5)
    assert world.place_of(0, 5000) == pytest.approx(cells(150.5, 100.5), abs=STEP)


def test_reports_give_differences_of_indices():
    world = world_of(*(born(0, 10 * i, "SCV", 100, 100) for i in range(4)))
    event = positions(240, 10, [0, 1, 2, 20, 3, 4])
    assert world.reported_positions(event) == [
        (1, *cells(1.5, 2.5)),
        (3, *cells(3.5, 4.5)),
    ]


def test_reports_are_of_the_newest_unit_with_an_index():
    world = world_of(born(0, 5, "SCV", 100, 100), born(9, 5, "SCV", 90, 90, m_unitTagRecycle=2))
    assert [unit for unit, _, _ in world.reported_positions(positions(240, 5, [0, 1, 1]))] == [1]


def test_reports_of_old_builds_are_quarters_too():
    world = world_of(born(0, 0, "SCV", 12, 20))
    world.apply(positions(240, 0, [0, 10, 10]))
    assert world.place_of(0, 240) == cells(42, 42)


def test_a_commands_target_tells_exactly_where_a_unit_is():
    world = scv()
    world.note_position(0, 30, 5000, 6000)
    assert world.place_of(0, 30) == (5000, 6000)
    assert world.rows[0, RowColumn.CERTAIN] == 30


def test_a_new_unit_walks_to_the_rally_point_of_what_made_it():
    world = scv()
    world.rally(units(1), *cells(120.5, 150.5))
    assert world.place_of(1, 500) == cells(150.5, 150.5)
    world.apply(born(100, 2, "SCV", 148, 150))
    assert world.place_of(2, 100) == cells(148.5, 150.5)
    assert world.place_of(2, 5000) == pytest.approx(cells(120.5, 150.5), abs=STEP)


def test_an_order_to_what_cannot_walk_moves_nobody():
    world = scv()
    world.send(units(1), 10, *cells(120.5, 150.5), short=0.0, queued=False)
    world.apply(born(100, 2, "SCV", 148, 150))
    assert world.place_of(1, 500) == cells(150.5, 150.5)
    assert world.place_of(2, 5000) == cells(148.5, 150.5)


def test_a_new_unit_takes_the_rally_of_what_made_it_rather_than_of_the_nearest():
    world = world_of(
        born(0, 0, "Hatchery", 100, 100),
        born(0, 1, "Hatchery", 104, 100),
        born(0, 2, "Egg", 104, 98),
    )
    world.rally(units(0), *cells(50, 100))
    world.rally(units(1), *cells(150, 100))
    world.apply(born(100, 3, "Drone", 104, 98, m_creatorUnitTagIndex=0))
    assert world.place_of(3, 5000) == pytest.approx(cells(50, 100), abs=STEP)
    world.apply(born(100, 4, "Drone", 104, 98))
    assert world.place_of(4, 5000) == pytest.approx(cells(150, 100), abs=STEP)


@pytest.mark.parametrize(
    ("place", "owner"), [((158, 150), 1), ((148, 150), 2)], ids=["far away", "of another player"]
)
def test_no_rally_is_taken_from(place: tuple[int, int], owner: int):
    world = scv()
    world.rally(units(1), *cells(120.5, 150.5))
    world.apply(born(100, 2, "SCV", *place, m_controlPlayerId=owner))
    assert world.place_of(2, 5000) == cells(place[0] + 0.5, place[1] + 0.5)


def test_a_dead_building_rallies_nobody():
    world = scv()
    world.rally(units(1), *cells(120.5, 150.5))
    world.apply(about(50, "SUnitDiedEvent", 1))
    world.apply(born(100, 2, "SCV", 148, 150))
    assert world.place_of(2, 5000) == cells(148.5, 150.5)


def test_the_units_of_loop_zero_stand():
    world = scv()
    assert world.rows[0, RowColumn.UNTIL] == 0
    assert world.rows[0, RowColumn.LAST_ORDER] == UNKNOWN


def test_a_building_is_begun_and_done():
    world = scv()
    world.apply(born(100, 2, "SupplyDepot", 40, 40, event="SUnitInitEvent"))
    assert world.rows[2, RowColumn.BUILD_START] == 100
    assert world.rows[2, RowColumn.BUILD_LOOPS] == 480  # of unit_types.csv
    world.apply(about(580, "SUnitDoneEvent", 2))
    assert world.rows[2, RowColumn.BUILD_LOOPS] == 0


def test_a_unit_that_becomes_immobile_stops_where_it_is():
    world = world_of(born(0, 0, "Drone", 50, 100), born(0, 1, "Hatchery", 150, 150))
    send(world, 150.5, 100.5)
    world.apply(about(100, "SUnitTypeChangeEvent", 0, m_unitTypeName=b"DroneBurrowed"))
    here = world.place_of(0, 100)
    assert world.rows[0, RowColumn.UNIT_TYPE] == unit_types().index["DroneBurrowed"]
    assert world.place_of(0, 500) == here


def test_a_unit_changes_its_owner():
    world = scv()
    world.apply(about(9, "SUnitOwnerChangeEvent", 0, m_controlPlayerId=2))
    assert world.rows[0, RowColumn.ALLIANCE] == 2


def test_a_dead_unit_is_known_but_not_alive():
    world = scv()
    world.apply(about(9, "SUnitDiedEvent", 0))
    assert not world.alive[0]
    assert world.unit_with_tag[1] == 0


def test_scenery_is_no_unit():
    world = scv()
    assert world.apply(born(0, 7, "BeaconArmy", 1, 1)) is None
    assert world.apply(born(0, 8, "NobodyKnowsThis", 1, 1, m_controlPlayerId=0)) is None
    assert world.count == 2
    assert world.apply(about(9, "SUnitDiedEvent", 7)) is None


def test_a_players_unit_of_an_unknown_type_is_a_unit():
    world = scv()
    assert world.apply(born(5, 7, "NobodyKnowsThis", 1, 1)) == 2
    assert world.rows[2, RowColumn.UNIT_TYPE] == 0


def test_the_last_order_is_remembered():
    world = scv()
    stop = next(i for i, f in enumerate(raw_functions()) if f.name == "Stop_quick")
    world.note_order(units(0), 77, stop)
    assert world.rows[0, RowColumn.LAST_ORDER] == stop
    assert world.rows[0, RowColumn.LAST_ORDER_LOOP] == 77


def test_more_units_than_there_was_room_for_keep_all_they_had():
    world = scv()
    send(world, 150.5, 100.5)
    send(world, 150.5, 150.5, loop=1, queued=True)
    for i in range(2000):
        world.apply(born(5, 10 + i, "Marine", 100, 100))
    assert world.count == 2002
    world.proceed(5000)
    assert world.place_of(0, 5000) == pytest.approx(cells(150.5, 150.5), abs=STEP)
    assert world.place_of(2001, 5) == cells(100.5, 100.5)


def test_a_game_of_endless_units_is_refused():
    world = scv()
    world.count = MAX_UNITS
    with pytest.raises(ReplayRefused, match="too many units"):
        world.apply(born(5, 10, "Marine", 100, 100))
