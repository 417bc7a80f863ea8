"""A game in progress: the arrays, and the few ways in which plain code changes them.

Everything here keeps the arrays consistent: a building blocks its cells for as long as it stands,
tags are never used twice, supply is what the units on the map and in production need.
"""

import heapq
import math
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from envs.engine.layout import (
    CELL_BITS,
    FIRST_INDEX,
    MAX_UNITS,
    NUM_MARKS,
    NUM_OWNERS,
    NUM_TYPES,
    ONE,
    TICK,
    UNIT,
    Clock,
    Trait,
    World,
    new_world,
)
from envs.engine.pathfinding import open_place
from envs.engine.production import count_supply
from envs.engine.terrain import GameMap
from envs.engine.unit_tables import owned_tables, unit_tables, upgraded
from envs.engine.units import GENERATION_BITS
from envs.engine.vision import notice_now, remember_gone, survey_heights


class WorldFullError(Exception):
    """There is no room for another unit."""


class Game:
    """The world, and what may be done to it from outside the loop."""

    def __init__(self, game_map: GameMap, *, seed: int) -> None:
        self.map = game_map
        self.tables = unit_tables()
        self.world = _empty_world(game_map, seed)
        self.units = self.world.units
        self._tags, self._owners = self.units["tag"], self.units["owner"]
        self._rows, self._traits = self.units["type"], self.world.types["traits"]
        self.made: Counter[tuple[int, int]] = Counter()
        """How many units of each row each player has made: (player, row)."""
        self.killed = np.zeros((NUM_OWNERS, NUM_TYPES), np.int64)
        """How many enemies of each row each player has killed."""
        self.lost = np.zeros_like(self.killed)
        self.num_removed = 0
        """How many units have left the map."""
        self.asked_over: NDArray[np.uint8] | None = None
        """The blocked cells that the fields for questions of ways were made for."""
        self._free = list(range(1, MAX_UNITS))
        self._generations = [0] * MAX_UNITS

    @property
    def loop(self) -> int:
        """Game loops since the start."""
        return int(self.world.clock[_LOOP])

    @property
    def is_full(self) -> bool:
        """Whether there is no room for another unit."""
        return not self._free

    def slot(self, tag: int) -> int:
        """Return the slot of the unit with a tag, 0 if there is none any more."""
        slot = (tag >> GENERATION_BITS) - FIRST_INDEX
        if 0 < slot < MAX_UNITS and tag and self._tags[slot] == tag:
            return slot
        return 0

    def kind(self, slot: int) -> np.void:
        """Return the figures of a unit's type, with its owner's upgrades."""
        found: np.void = self.world.types[self._owners[slot], self._rows[slot]]
        return found

    def has_trait(self, slot: int, trait: Trait) -> bool:
        """Return whether a unit's type has a trait."""
        return int(self._traits[self._owners[slot], self._rows[slot]]) & int(trait) != 0

    def slots(self, owner: int | None = None, row: int | None = None) -> list[int]:
        """Return the slots of living units, of one owner, of one type."""
        alive = self.alive()
        if owner is not None:
            alive = alive[self._owners[alive] == owner]
        if row is not None:
            alive = alive[self._rows[alive] == row]
        found: list[int] = alive.tolist()
        return found

    def alive(self) -> NDArray[np.int32]:
        """Return the slots in use, in order."""
        found: NDArray[np.int32] = self.world.alive[: self.world.clock[_NUM_ALIVE]]
        return found

    def spawn(self, row: int, owner: int, x: int, y: int, *, is_finished: bool = True) -> int:
        """Put a new unit on the map and return its slot.

        Raises:
            WorldFullError: all slots are in use.
        """
        if self.is_full:
            raise WorldFullError(f"there is no room for more than {MAX_UNITS - 1} units")
        slot = heapq.heappop(self._free)
        self._generations[slot] += 1
        kind = self.world.types[owner, row]
        unit = self.units[slot]
        self.units[slot] = np.zeros((), UNIT)
        unit["tag"] = (FIRST_INDEX + slot) << GENERATION_BITS | self._generations[slot]
        unit["type"], unit["owner"] = row, owner
        unit["x"], unit["y"] = x, y
        unit["heading_y"] = -ONE
        unit["health"] = unit["health_max"] = kind["health"]
        unit["shield"] = unit["shield_max"] = kind["shield"]
        unit["energy"] = kind["energy_start"]
        unit["born"] = self.loop
        unit["last_hit"] = -10_000
        unit["way_goal"] = -1
        unit["powered"] = 1
        if kind["timed_life"]:
            unit["dies"] = self.loop + int(kind["timed_life"])
        if not is_finished:
            unit["build_total"] = unit["build_left"] = max(int(kind["build_loops"]), 1) * TICK
            unit["health"] = kind["health"] // 10
            unit["shield"] = kind["shield"] // 10
            unit["energy"] = 0
        if kind["traits"] & Trait.BURROWED:
            unit["cloaked"] = 1
        self._list_alive()
        self._block(slot, 1)
        notice_now(self.world.record, slot)
        return slot

    def remove(self, slot: int) -> None:
        """Take a unit off the map."""
        self._block(slot, 0)
        remember_gone(self.world.record, slot)
        self.units[slot] = np.zeros((), UNIT)
        heapq.heappush(self._free, slot)
        self.num_removed += 1
        self._list_alive()

    def transform(self, slot: int, row: int) -> None:
        """Make a unit one of another type, with the same share of its health."""
        unit = self.units[slot]
        self._block(slot, 0)
        kind = self.world.types[unit["owner"], row]
        for vital in ("health", "shield"):
            full, new = int(unit[f"{vital}_max"]), int(kind[vital])
            unit[vital] = int(unit[vital]) * new // full if full else new
            unit[f"{vital}_max"] = new
        if unit["health"] <= 0:
            unit["health"] = 1
        unit["type"] = row
        if not kind["energy"]:
            unit["energy"] = 0
        elif unit["energy"] == 0:
            unit["energy"] = kind["energy_start"]
        unit["cloaked"] = 1 if kind["traits"] & Trait.BURROWED else 0
        unit["target"] = 0
        self._block(slot, 1)

    def place(self, slot: int, x: int, y: int) -> None:
        """Move a unit to a position at once."""
        self._block(slot, 0)
        self.units["x"][slot], self.units["y"][slot] = x, y
        self.units["way_goal"][slot] = -1
        self._block(slot, 1)

    def footprint(self, row: int, x: int, y: int) -> tuple[slice, slice]:
        """Return rows and columns of the cells on which a building with a centre would stand."""
        kind = self.tables.types[row]
        width, height = int(kind["footprint"]), int(kind["footprint_height"])
        left = (2 * x - width * ONE + ONE) // (2 * ONE)
        bottom = (2 * y - height * ONE + ONE) // (2 * ONE)
        return slice(bottom, bottom + height), slice(left, left + width)

    def research(self, owner: int, upgrade: int) -> None:
        """Give a player an upgrade."""
        if self.world.upgrades[owner, upgrade]:
            return
        self.world.upgrades[owner, upgrade] = 1
        before = self.world.types["health"][owner].copy()
        upgraded(self.world.types[owner], self.world.weapons[owner], upgrade)
        more = self.world.types["health"][owner] - before
        for slot in self.slots(owner):
            extra = int(more[self.units["type"][slot]])
            if extra:
                self.units["health"][slot] += extra
                self.units["health_max"][slot] += extra

    def count_supply(self) -> None:
        """Work out what supply each player has and uses, from the units there are."""
        count_supply(self.world.record)

    def note_made(self, player: int, row: int) -> None:
        """Count a unit that a player has made."""
        self.made[player, row] += 1

    def note_kill(self, player: int, slot: int) -> None:
        """Count an enemy's unit that a player has killed."""
        self.killed[player, self._rows[slot]] += 1

    def note_loss(self, slot: int) -> None:
        """Count a unit that its player has lost."""
        self.lost[self._owners[slot], self._rows[slot]] += 1

    def sees(self, player: int, column: int, line: int) -> bool:
        """Return whether a player sees a cell now."""
        height, width = self.world.pathable.shape
        if not (0 <= column < width and 0 <= line < height):
            return False
        sees_all = self.world.players["sees_all"][player]
        return bool(sees_all or self.world.visibility[player, line, column] == _SEEN)

    def knows_place_of(self, player: int, slot: int) -> bool:
        """Return whether a player knows where a unit is: sees it, or knows that it never moves."""
        unit = self.units[slot]
        return bool(unit["owner"] == 0 or unit["visible_to"] & (1 << player))

    def resources(self) -> list[int]:
        """Return the slots of mineral fields and geysers."""
        alive = self.alive()
        traits = self.tables.types["traits"][self.units["type"][alive]]
        found: list[int] = alive[(traits & (Trait.MINERALS | Trait.GEYSER)) > 0].tolist()
        return found

    def gas_building_on(self, geyser: int) -> int:
        """Return the slot of the building on a geyser, 0 if there is none."""
        tag = self.units["tag"][geyser]
        alive = self.alive()
        for slot in alive[self.units["home"][alive] == tag].tolist():
            if self.has_trait(slot, Trait.GAS_BUILDING):
                return int(slot)
        return 0

    def hold_ground(self, slot: int) -> None:
        """Have a building that comes down keep the cells on which it will stand."""
        self._block(slot, 1)
        self.clear_ground(slot)

    def clear_ground(self, building: int) -> None:
        """Put units that stand where a building comes to stand beside it."""
        unit = self.units[building]
        row = self._standing_as(building)
        rows, columns = self.footprint(row, int(unit["x"]), int(unit["y"]))
        alive = self.alive()
        line, column = self.units["y"][alive] >> CELL_BITS, self.units["x"][alive] >> CELL_BITS
        is_there = (line >= rows.start) & (line < rows.stop)
        is_there &= (column >= columns.start) & (column < columns.stop)
        for slot in alive[is_there].tolist():
            other, kind = self.units[slot], self.kind(slot)
            if slot != building and kind["speed"] and not kind["flying"] and not other["carrier"]:
                place = self.open_place(int(other["type"]), int(other["x"]), int(other["y"]))
                self.place(slot, *place)

    def open_place(self, row: int, x: int, y: int) -> tuple[int, int]:
        """Return the position nearest to another at which a unit of a type can stand."""
        if self.tables.types["flying"][row]:
            return x, y
        found_x, found_y = open_place(self.world.record, x, y)
        return int(found_x), int(found_y)

    def distance(self, slot: int, x: int, y: int) -> float:
        """Return the distance between a unit's centre and a position, in 1/ONE."""
        unit = self.units[slot]
        return math.hypot(int(unit["x"]) - x, int(unit["y"]) - y)

    def _block(self, slot: int, value: int) -> None:
        unit = self.units[slot]
        row = self._standing_as(slot)
        if not self.tables.takes_cells[row]:
            return
        rows, columns = self.footprint(row, int(unit["x"]), int(unit["y"]))
        self.world.occupied[rows, columns] = value
        if self.tables.walked_over[row]:
            return
        self.world.blocked[rows, columns] = value * (1 + slot % NUM_MARKS)
        self.world.clock[Clock.TERRAIN_VERSION] += 1

    def _standing_as(self, slot: int) -> int:
        """Return the type whose cells a unit holds: one that comes down has its next form's."""
        unit = self.units[slot]
        row, becoming = int(unit["type"]), int(unit["morph_type"])
        takes_cells = self.tables.takes_cells
        return becoming if takes_cells[becoming] and not takes_cells[row] else row

    def _list_alive(self) -> None:
        alive = np.flatnonzero(self.units["tag"])
        self.world.alive[: len(alive)] = alive
        self.world.clock[Clock.NUM_ALIVE] = len(alive)


_SEEN = 2
_LOOP, _NUM_ALIVE = int(Clock.LOOP), int(Clock.NUM_ALIVE)


def _empty_world(game_map: GameMap, seed: int) -> World:
    world = new_world(*game_map.pathable.shape)
    world.types[:], world.weapons[:] = owned_tables()
    world.random[0] = (seed * 0x9E3779B97F4A7C15 + 0xD1B54A32D192ED03) % 2**64 or 1
    world.height[:] = game_map.terrain_height
    survey_heights(world)
    world.pathable[:] = game_map.pathable
    world.buildable[:] = game_map.buildable
    world.field_goals[:] = -1
    world.players["income"] = 100
    return world
