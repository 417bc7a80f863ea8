"""What a player sees: by hand, and against a slow reference."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from envs.interface import SUBCELLS, UNKNOWN, WORLD_SIZE, Alliance, DisplayType
from envs.unit_rows import NUM_COLUMNS, RowColumn, halt, head_for, look, x_at, y_at
from envs.unit_types import unit_types

MARINE_SIGHT = 9  # cells, of unit_types.csv; an observer sees and detects 11


def unit(name: str, owner: int, x: float, y: float, *, loop: int = 0) -> NDArray[np.int32]:
    row = np.zeros(NUM_COLUMNS, np.int32)
    row[RowColumn.UNIT_TYPE] = unit_types().index[name]
    row[RowColumn.ALLIANCE] = owner
    row[RowColumn.X], row[RowColumn.Y] = round(x * SUBCELLS), round(y * SUBCELLS)
    row[RowColumn.SINCE] = row[RowColumn.UNTIL] = row[RowColumn.CERTAIN] = loop
    row[RowColumn.LAST_ORDER] = UNKNOWN
    return row


class Onlooker:
    """Player 1, looking at a world of rows."""

    def __init__(self, *rows: NDArray[np.int32]) -> None:
        self.world = np.stack(rows)
        self.alive = np.ones(len(rows), np.bool_)
        self.view = np.zeros_like(self.world)
        self._last_seen = np.zeros(len(rows), np.int32)

    def look(self, loop: int) -> list[int]:
        """Look, and return which units changed."""
        changed, types = np.zeros(len(self.world), np.int32), unit_types()
        arrays = types.sight, types.detects, types.is_cloaked
        count = look(self.world, self.alive, 1, loop, *arrays, self.view, self._last_seen, changed)
        return list(changed[:count])

    def place(self, number: int, x: float, y: float, loop: int) -> None:
        """Put a unit somewhere else at once."""
        halt(self.world[number], loop)
        self.world[number, [RowColumn.X, RowColumn.Y]] = round(x * SUBCELLS), round(y * SUBCELLS)

    def alliance(self, number: int) -> int:
        return int(self.view[number, RowColumn.ALLIANCE])

    def display(self, number: int) -> int:
        return int(self.view[number, RowColumn.DISPLAY_TYPE])

    def place_of(self, number: int, loop: int) -> tuple[float, float]:
        row = self.view[number]
        return x_at(row, loop) / SUBCELLS, y_at(row, loop) / SUBCELLS


def test_own_units_are_always_known():
    player = Onlooker(unit("Marine", 1, 10, 10), unit("Marine", 1, 200, 200))
    player.look(0)
    assert [player.alliance(i) for i in (0, 1)] == [Alliance.SELF, Alliance.SELF]
    assert player.display(1) == DisplayType.VISIBLE


def test_own_units_vanish_when_they_die():
    player = Onlooker(unit("Marine", 1, 10, 10), unit("Marine", 1, 20, 20))
    player.look(0)
    player.alive[1] = False
    assert player.look(5) == [1]
    assert not player.view[1].any()


@pytest.mark.parametrize(("distance", "is_seen"), [(8.98, True), (9.0, False), (30.0, False)])
def test_an_enemy_is_known_only_within_sight(distance: float, is_seen: bool):  # noqa: FBT001
    player = Onlooker(unit("Marine", 1, 100, 100), unit("Marine", 2, 100 + distance, 100))
    player.look(0)
    assert player.alliance(1) == (Alliance.ENEMY if is_seen else 0)
    assert bool(player.view[1].any()) == is_seen


def test_sight_is_a_circle():
    # 6.5 to the side and up are 9.2 away.
    player = Onlooker(unit("Marine", 1, 100, 100), unit("Marine", 2, 106.5, 106.5))
    player.look(0)
    assert player.alliance(1) == 0


def test_any_own_unit_will_do_but_no_dead_one():
    player = Onlooker(
        unit("Marine", 1, 10, 10), unit("Marine", 1, 100, 100), unit("Marine", 2, 105, 100)
    )
    player.look(0)
    assert player.alliance(2) == Alliance.ENEMY
    player.alive[1] = False
    player.look(1)
    assert player.display(2) == DisplayType.SNAPSHOT


def test_an_enemy_out_of_sight_stays_as_and_where_it_was_last_seen():
    player = Onlooker(unit("Marine", 1, 100, 100), unit("SCV", 2, 105, 100))
    player.look(0)
    head_for(player.world[1], 0, 200.0 * SUBCELLS, 100.0 * SUBCELLS, SUBCELLS / 10)
    player.look(20)  # two cells on, still in sight
    assert player.place_of(1, 20) == pytest.approx((107, 100), abs=0.02)
    player.world[1, RowColumn.UNIT_TYPE] = unit_types().index["MULE"]
    player.place(0, 80, 100, 60)
    assert player.look(60) == [0, 1]
    assert player.display(1) == DisplayType.SNAPSHOT
    assert player.view[1, RowColumn.UNIT_TYPE] == unit_types().index["SCV"]
    for loop in (60, 500):  # it no longer moves, since nobody saw it
        assert player.place_of(1, loop) == pytest.approx((107, 100), abs=0.02)
    assert player.view[1, RowColumn.CERTAIN] == 20


def test_an_enemy_vanishes_when_its_remembered_place_is_seen_without_it():
    player = Onlooker(unit("Marine", 1, 100, 100), unit("SCV", 2, 105, 100))
    player.look(0)
    player.place(0, 80, 100, 10)
    player.place(1, 200, 100, 10)
    player.look(10)
    assert player.alliance(1) == Alliance.ENEMY
    player.place(0, 98, 100, 20)
    player.look(20)
    assert player.alliance(1) == 0


def test_an_enemy_that_walks_out_of_sight_is_forgotten_when_its_place_is_still_seen():
    player = Onlooker(unit("Marine", 1, 100, 100), unit("SCV", 2, 108, 100))
    player.look(0)
    player.place(1, 110, 100, 10)
    player.look(10)
    assert player.alliance(1) == 0


def test_an_enemy_that_dies_in_sight_vanishes():
    player = Onlooker(unit("Marine", 1, 100, 100), unit("SCV", 2, 105, 100))
    player.look(0)
    player.alive[1] = False
    player.look(10)
    assert player.alliance(1) == 0


def test_an_enemy_that_dies_out_of_sight_is_still_believed_there():
    player = Onlooker(unit("Marine", 1, 100, 100), unit("Hatchery", 2, 105, 100))
    player.look(0)
    player.place(0, 10, 10, 10)
    player.alive[1] = False
    player.look(10)
    assert (player.alliance(1), player.display(1)) == (Alliance.ENEMY, DisplayType.SNAPSHOT)
    player.place(0, 100, 100, 20)
    player.look(20)
    assert player.alliance(1) == 0


def test_an_enemy_that_died_unseen_is_never_known():
    player = Onlooker(unit("Marine", 1, 100, 100), unit("SCV", 2, 105, 100))
    player.alive[1] = False
    player.look(0)
    assert player.alliance(1) == 0


@pytest.mark.parametrize("name", ["DarkTemplar", "Observer", "DroneBurrowed"])
def test_the_cloaked_need_a_detector(name: str):
    player = Onlooker(
        unit("Marine", 1, 100, 100), unit(name, 2, 103, 100), unit("Raven", 1, 200, 200)
    )
    player.look(0)
    assert player.alliance(1) == 0
    player.place(2, 103, 90, 5)  # ten away from it; a raven detects at eleven
    player.look(5)
    assert player.alliance(1) == Alliance.ENEMY
    player.place(2, 103, 88.9, 9)
    player.look(9)
    assert player.alliance(1) == 0


def test_ones_own_cloaked_units_are_known():
    player = Onlooker(unit("DarkTemplar", 1, 10, 10))
    player.look(0)
    assert player.display(0) == DisplayType.VISIBLE


def test_neutral_units_are_known_from_the_start():
    player = Onlooker(unit("Marine", 1, 10, 10), unit("MineralField", 0, 200, 200))
    player.look(0)
    assert (player.alliance(1), player.display(1)) == (Alliance.NEUTRAL, DisplayType.SNAPSHOT)
    player.place(0, 200, 195, 5)
    player.look(5)
    assert player.display(1) == DisplayType.VISIBLE


def test_minerals_mined_out_unseen_stay_until_they_are_seen_gone():
    player = Onlooker(unit("Marine", 1, 10, 10), unit("MineralField", 0, 200, 200))
    player.look(0)
    player.alive[1] = False
    player.look(5)
    assert player.alliance(1) == Alliance.NEUTRAL
    player.place(0, 200, 195, 9)
    player.look(9)
    assert player.alliance(1) == 0


def test_an_enemys_orders_are_not_seen():
    player = Onlooker(unit("Marine", 1, 100, 100), unit("Marine", 2, 103, 100))
    player.world[:, RowColumn.LAST_ORDER] = 5
    player.world[:, RowColumn.LAST_ORDER_LOOP] = 33
    player.look(40)
    assert player.view[0, RowColumn.LAST_ORDER] == 5
    assert player.view[1, RowColumn.LAST_ORDER] == UNKNOWN
    assert player.view[1, RowColumn.LAST_ORDER_LOOP] == 0


def test_a_unit_that_changes_sides_changes_for_the_onlooker():
    player = Onlooker(unit("Marine", 1, 100, 100), unit("SCV", 1, 200, 200))
    player.look(0)
    player.world[1, RowColumn.ALLIANCE] = 2
    player.look(5)
    assert (player.alliance(1), player.display(1)) == (Alliance.SELF, DisplayType.SNAPSHOT)
    player.place(0, 195, 200, 9)
    player.look(9)
    assert (player.alliance(1), player.display(1)) == (Alliance.ENEMY, DisplayType.VISIBLE)


def test_only_changes_are_told():
    player = Onlooker(unit("Marine", 1, 100, 100), unit("SCV", 2, 105, 100))
    assert player.look(0) == [0, 1]
    assert player.look(1) == []
    player.place(1, 104, 100, 2)
    assert player.look(2) == [1]


def test_positions_stay_within_the_world():
    row = unit("SCV", 1, 1, 255)
    head_for(row, 0, -500.0 * SUBCELLS, 900.0 * SUBCELLS, SUBCELLS / 4)
    assert x_at(row, 5000) == 0
    assert y_at(row, 5000) == WORLD_SIZE * SUBCELLS - 1


def test_halting_changes_nothing_of_the_present():
    row = unit("SCV", 1, 50, 50)
    head_for(row, 0, 70.0 * SUBCELLS, 90.0 * SUBCELLS, SUBCELLS / 6)
    here = x_at(row, 77), y_at(row, 77)
    halt(row, 77)
    assert (x_at(row, 77), y_at(row, 77)) == here
    assert (x_at(row, 900), y_at(row, 900)) == here


def test_a_walk_of_less_than_a_subcell_is_none():
    row = unit("SCV", 1, 50, 50)
    head_for(row, 3, 50.0 * SUBCELLS + 0.5, 50.0 * SUBCELLS, 10.0)
    assert row[RowColumn.UNTIL] == 3


def slow_look(player: Onlooker, loop: int, memory: dict[int, dict[str, Any]]) -> None:
    """The same in plain Python: ``memory`` holds what is believed, by unit."""
    types = unit_types()
    places = {i: (x_at(r, loop), y_at(r, loop)) for i, r in enumerate(player.world)}
    own = [i for i, row in enumerate(player.world) if player.alive[i] and row[1] == 1]

    def is_covered(place: tuple[int, int], ranges: NDArray[np.int64]) -> bool:
        return any(
            (places[i][0] - place[0]) ** 2 + (places[i][1] - place[1]) ** 2
            < int(ranges[player.world[i, 0]]) ** 2
            for i in own
        )

    for i, row in enumerate(player.world):
        kind, owner = int(row[0]), int(row[1])
        ranges = types.detects if types.is_cloaked[kind] and owner != 0 else types.sight
        if player.alive[i] and (owner == 1 or is_covered(places[i], ranges)):
            memory[i] = {"kind": kind, "owner": owner, "place": places[i], "seen": True}
        elif owner == 1:
            memory.pop(i, None)
        elif i in memory:
            memory[i]["seen"] = False
            if is_covered(memory[i]["place"], types.sight):
                del memory[i]
        elif player.alive[i] and owner == 0:
            memory[i] = {"kind": kind, "owner": owner, "place": places[i], "seen": False}


def test_looking_equals_the_slow_reference():
    generator = np.random.default_rng(3)
    names = ["Marine", "Raven", "DarkTemplar", "MineralField", "Hatchery", "Zergling"]
    rows = []
    for i in range(40):
        owner = int(generator.integers(3))
        name = "MineralField" if owner == 0 else names[i % 3 if owner == 1 else 2 + i % 4]
        rows.append(unit(name, owner, *generator.uniform(90, 130, 2)))
    player, memory = Onlooker(*rows), {}
    for loop in range(0, 600, 7):
        for i in generator.choice(40, 5):
            if player.world[i, RowColumn.ALLIANCE]:
                goal = generator.uniform(80, 140, 2) * SUBCELLS
                head_for(player.world[i], loop, *goal, float(generator.uniform(2, 20)))
        if loop % 10 == 0:
            player.alive[generator.integers(40)] = False
        player.look(loop)
        slow_look(player, loop, memory)
        known = {i for i in range(40) if player.alliance(i)}
        assert known == set(memory)
        for i, believed in memory.items():
            assert player.view[i, RowColumn.UNIT_TYPE] == believed["kind"]
            assert (x_at(player.view[i], loop), y_at(player.view[i], loop)) == believed["place"]
            expected = DisplayType.VISIBLE if believed["seen"] else DisplayType.SNAPSHOT
            assert player.display(i) == expected
    assert len(memory) > 5
