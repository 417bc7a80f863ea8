"""The true world of a replay, as far as its events tell: who exists, where, doing what.

Tracker events say when units are born, change and die, and now and then where they are; between
those moments units are dead-reckoned from the orders that they were given. Nothing here looks
ahead: a row at loop L depends on events before L alone.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from envs.interface import SUBCELLS, UNKNOWN
from envs.replays.archive import ReplayRefused
from envs.replays.events import Event
from envs.unit_rows import NUM_COLUMNS, RowColumn, halt, head_for, x_at, y_at
from envs.unit_types import unit_types

MAX_UNITS = 20_000
MAX_WAYPOINTS = 8

FORMATION = 0.5
"""Radius of a packed crowd of n units over sqrt(n - 1), in world units; fitted on the corpus."""

TRACKED = frozenset(
    {
        "SUnitBornEvent",
        "SUnitInitEvent",
        "SUnitDoneEvent",
        "SUnitTypeChangeEvent",
        "SUnitOwnerChangeEvent",
        "SUnitDiedEvent",
        "SUnitPositionsEvent",
    }
)
"""Tracker events that ``World.apply`` understands."""

_OUTDATED_COORDINATE = 64
_OUTDATED_SCALE = 4
_RALLY_DISTANCE = 5 * SUBCELLS
_ROW_TYPE, _ROW_UNTIL = int(RowColumn.UNIT_TYPE), int(RowColumn.UNTIL)
_X, _Y, _CERTAIN, _UNTIL = RowColumn.X, RowColumn.Y, RowColumn.CERTAIN, RowColumn.UNTIL


class World:
    """Every unit of a game, each with its number, in order of first appearance."""

    def __init__(self, births: list[Event]) -> None:
        """Prepare for a game.

        Args:
            births: of loop 0. They tell the scale: up to 2.0.11 the tracker's coordinates are
                quarters of cells, later whole cells; both are rounded down.
        """
        largest = max((max(e.fields["m_x"], e.fields["m_y"]) for e in births), default=255)
        self.cells_per_coordinate = _OUTDATED_SCALE if largest < _OUTDATED_COORDINATE else 1
        self.rows = np.zeros((1024, NUM_COLUMNS), np.int32)
        self.alive = np.zeros(1024, np.bool_)
        self.reported = np.zeros((1024, 2), np.int32)  # where the tracker last said it was
        self.count = 0
        self.tags: list[int] = []
        self.names: list[str] = []
        self.unit_with_tag: dict[int, int] = {}
        self._newest_with_index: dict[int, int] = {}
        self._waypoints = np.zeros((1024, MAX_WAYPOINTS, 2), np.float64)
        self._num_waypoints = np.zeros(1024, np.int32)
        self._rally: dict[int, tuple[float, float]] = {}
        self._cell_centre = self.cells_per_coordinate * SUBCELLS / 2

    def unit_of(self, event: Event) -> int | None:
        """Return the unit an event is about; None for scenery."""
        fields = event.fields
        tag = (fields["m_unitTagIndex"] << 18) + fields["m_unitTagRecycle"]
        return self.unit_with_tag.get(tag)

    def apply(self, event: Event) -> int | None:
        """Apply a tracker event; return the unit it was about, if one."""
        if event.name == "SUnitPositionsEvent":
            for reported, x, y in self.reported_positions(event):
                self._correct(reported, event.loop, x, y)
            return None
        if event.name in ("SUnitBornEvent", "SUnitInitEvent"):
            return self._appear(event)
        unit = self.unit_of(event)
        if unit is None:
            return None
        if event.name == "SUnitDiedEvent":
            self.alive[unit] = False
        elif event.name == "SUnitDoneEvent":
            self.rows[unit, RowColumn.BUILD_LOOPS] = 0
        elif event.name == "SUnitTypeChangeEvent":
            self._become(unit, event)
        elif event.name == "SUnitOwnerChangeEvent":
            self.rows[unit, RowColumn.ALLIANCE] = event.fields["m_controlPlayerId"]
        return unit

    def reported_positions(self, event: Event) -> list[tuple[int, int, int]]:
        """Return the units of an ``SUnitPositionsEvent`` and where they are, in subcells."""
        items: list[int] = event.fields["m_items"]
        index = event.fields["m_firstUnitIndex"]
        positions = []
        for i in range(0, len(items) - 2, 3):
            index += items[i]
            unit = self._newest_with_index.get(index)
            if unit is not None:
                positions.append((unit, self._subcells(items[i + 1]), self._subcells(items[i + 2])))
        return positions

    def send(
        self, units: NDArray[np.int32], loop: int, x: float, y: float, *, short: float, queued: bool
    ) -> None:
        """Order units to a place; those that cannot walk stay.

        Args:
            units: their numbers.
            loop: the present.
            x: of the place, in subcells.
            y: of the place, in subcells.
            short: how far from the place they stop, in subcells.
            queued: after what they were ordered before.
        """
        walking = units[unit_types().speed[self.rows[units, RowColumn.UNIT_TYPE]] > 0]
        if len(walking):
            waypoints = (self._waypoints, self._num_waypoints)
            _send(self.rows, *waypoints, walking, loop, x, y, unit_types().speed, short, queued)

    def rally(self, units: NDArray[np.int32], x: float, y: float) -> None:
        """Let what units make walk to a place, in subcells; those that walk make none."""
        for unit in units[unit_types().speed[self.rows[units, RowColumn.UNIT_TYPE]] == 0]:
            self._rally[int(unit)] = (x, y)

    def stop(self, units: NDArray[np.int32], loop: int) -> None:
        """Let units stand where they are."""
        for unit in units:
            halt(self.rows[unit], loop)
        self._num_waypoints[units] = 0

    def leap(self, units: NDArray[np.int32], loop: int, x: float, y: float, reach: float) -> None:
        """Put units towards a place at once, as far as they can leap, in subcells."""
        for unit in units:
            here_x, here_y = self.place_of(int(unit), loop)
            distance = float(np.hypot(x - here_x, y - here_y))
            share = min(1.0, reach / distance) if distance else 0.0
            halt(self.rows[unit], loop)
            self.rows[unit, _X] = here_x + share * (x - here_x)
            self.rows[unit, _Y] = here_y + share * (y - here_y)
        self._num_waypoints[units] = 0

    def note_order(self, units: NDArray[np.int32], loop: int, action_type: int) -> None:
        """Remember what units were last told to do."""
        self.rows[units, RowColumn.LAST_ORDER] = action_type
        self.rows[units, RowColumn.LAST_ORDER_LOOP] = loop

    def note_position(self, unit: int, loop: int, x: int, y: int) -> None:
        """Take an exact position, in subcells, as a command's target shows it."""
        self._place(unit, loop, x, y)

    def proceed(self, loop: int) -> None:
        """Send units that have arrived on to their next waypoints."""
        if self._num_waypoints[: self.count].any():
            _proceed(
                self.rows[: self.count],
                self._waypoints,
                self._num_waypoints,
                unit_types().speed,
                loop,
            )

    def place_of(self, unit: int, loop: int) -> tuple[int, int]:
        """Return where a unit is at a loop, in subcells."""
        return x_at(self.rows[unit], loop), y_at(self.rows[unit], loop)

    def _appear(self, event: Event) -> int | None:
        fields = event.fields
        name = fields["m_unitTypeName"].decode("utf-8", errors="replace")
        kind = unit_types().index.get(name, 0)
        if unit_types().is_scenery[kind] or (kind == 0 and fields["m_controlPlayerId"] == 0):
            return None
        if self.count == MAX_UNITS:
            raise ReplayRefused("too many units", f"more than {MAX_UNITS} appear in one game")
        if self.count == len(self.rows):
            self._grow()
        unit = self.count
        self.count += 1
        tag = (fields["m_unitTagIndex"] << 18) + fields["m_unitTagRecycle"]
        self.tags.append(tag)
        self.names.append(name)
        self.unit_with_tag[tag] = unit
        self._newest_with_index[fields["m_unitTagIndex"]] = unit
        self.alive[unit] = True
        row = self.rows[unit]
        row[RowColumn.UNIT_TYPE] = kind
        row[RowColumn.ALLIANCE] = fields["m_controlPlayerId"]
        row[RowColumn.X] = self._subcells(fields["m_x"])
        row[RowColumn.Y] = self._subcells(fields["m_y"])
        if unit_types().is_mineral[kind] and self.cells_per_coordinate == 1:
            row[RowColumn.X] -= SUBCELLS // 2  # two cells wide, so its centre is on an edge
        self.reported[unit] = row[RowColumn.X], row[RowColumn.Y]
        row[RowColumn.SINCE] = row[RowColumn.UNTIL] = row[RowColumn.CERTAIN] = event.loop
        row[RowColumn.LAST_ORDER] = UNKNOWN
        if event.name == "SUnitInitEvent":
            row[RowColumn.BUILD_START] = event.loop
            row[RowColumn.BUILD_LOOPS] = unit_types().build_loops[kind] or UNKNOWN
        elif event.loop > 0:
            self._rally_from_birth(unit, event)
        return unit

    def _rally_from_birth(self, unit: int, event: Event) -> None:
        """Send a new unit to the rally point of what made it, or of the nearest that could have."""
        index = event.fields.get("m_creatorUnitTagIndex")
        if index is not None:
            maker = self._newest_with_index.get(index)
        else:
            maker = self._nearest_rallying(unit)
        if maker in self._rally and maker is not None and self.alive[maker]:
            x, y = self._rally[maker]
            numbers = np.array([unit], np.int32)
            self.send(numbers, event.loop, x, y, short=0.0, queued=False)

    def _nearest_rallying(self, unit: int) -> int | None:
        here = self.rows[unit]
        nearest, distance = None, _RALLY_DISTANCE**2
        for maker in self._rally:
            row = self.rows[maker]
            away = int(row[_X] - here[_X]) ** 2 + int(row[_Y] - here[_Y]) ** 2
            same_owner = row[RowColumn.ALLIANCE] == here[RowColumn.ALLIANCE]
            if same_owner and self.alive[maker] and away < distance:
                nearest, distance = maker, away
        return nearest

    def _become(self, unit: int, event: Event) -> None:
        name = event.fields["m_unitTypeName"].decode("utf-8", errors="replace")
        kind = unit_types().index.get(name, 0)
        self.names[unit] = name
        self.rows[unit, RowColumn.UNIT_TYPE] = kind
        if unit_types().speed[kind] == 0:
            halt(self.rows[unit], event.loop)
            self._num_waypoints[unit] = 0

    def _correct(self, unit: int, loop: int, x: int, y: int) -> None:
        """Take a reported position; a reckoned one in the same cell is better and stays."""
        here_x, here_y = self.place_of(unit, loop)
        self.reported[unit] = x, y
        reach = self._cell_centre
        if abs(here_x - x) > reach or abs(here_y - y) > reach:
            self._place(unit, loop, x, y)
        else:
            self.rows[unit, _CERTAIN] = loop

    def _place(self, unit: int, loop: int, x: int, y: int) -> None:
        """Put a unit at a place; if it was on its way, it goes on from there."""
        row = self.rows[unit]
        if row[_UNTIL] > loop:
            goal_x, goal_y = x_at(row, int(row[_UNTIL])), y_at(row, int(row[_UNTIL]))
            halt(row, loop)
            row[_X], row[_Y] = x, y
            kind = row[RowColumn.UNIT_TYPE]
            head_for(row, loop, float(goal_x), float(goal_y), float(unit_types().speed[kind]))
        else:
            halt(row, loop)
            row[_X], row[_Y] = x, y
        row[_CERTAIN] = loop

    def _subcells(self, coordinate: int) -> int:
        cells = coordinate * self.cells_per_coordinate
        return int(cells * SUBCELLS + self._cell_centre)

    def _grow(self) -> None:
        def doubled(array: NDArray[Any]) -> NDArray[Any]:
            return np.concatenate([array, np.zeros_like(array)])

        self.rows, self.alive = doubled(self.rows), doubled(self.alive)
        self.reported = doubled(self.reported)
        self._waypoints, self._num_waypoints = (
            doubled(self._waypoints),
            doubled(self._num_waypoints),
        )


@njit(cache=True)
def _send(
    rows: NDArray[np.int32],
    waypoints: NDArray[np.float64],
    num_waypoints: NDArray[np.int32],
    units: NDArray[np.int32],
    loop: int,
    x: float,
    y: float,
    speeds: NDArray[np.float64],
    short: float,
    queued: bool,  # noqa: FBT001  # compiled code takes no keywords
) -> None:
    """Send a group to a place: each keeps its side of the group, closer than a packed crowd."""
    centre_x, centre_y = 0.0, 0.0
    for unit in units:
        centre_x += x_at(rows[unit], loop) / len(units)
        centre_y += y_at(rows[unit], loop) / len(units)
    crowd = SUBCELLS * FORMATION * np.sqrt(len(units) - 1.0)
    for unit in units:
        row = rows[unit]
        offset_x, offset_y = x_at(row, loop) - centre_x, y_at(row, loop) - centre_y
        offset = np.sqrt(offset_x * offset_x + offset_y * offset_y)
        kept = min(1.0, crowd / offset) if offset > 0 else 0.0
        goal_x, goal_y = x + kept * offset_x, y + kept * offset_y
        if short > 0:
            away_x, away_y = goal_x - x_at(row, loop), goal_y - y_at(row, loop)
            distance = np.sqrt(away_x * away_x + away_y * away_y)
            kept = max(0.0, distance - short) / distance if distance > 0 else 0.0
            goal_x, goal_y = goal_x - (1 - kept) * away_x, goal_y - (1 - kept) * away_y
        if queued and (row[_ROW_UNTIL] > loop or num_waypoints[unit] > 0):
            if num_waypoints[unit] < MAX_WAYPOINTS:
                waypoints[unit, num_waypoints[unit], 0] = goal_x
                waypoints[unit, num_waypoints[unit], 1] = goal_y
                num_waypoints[unit] += 1
        else:
            num_waypoints[unit] = 0
            head_for(row, loop, goal_x, goal_y, speeds[row[_ROW_TYPE]])


@njit(cache=True)
def _proceed(
    rows: NDArray[np.int32],
    waypoints: NDArray[np.float64],
    num_waypoints: NDArray[np.int32],
    speeds: NDArray[np.float64],
    loop: int,
) -> None:
    for unit in range(len(rows)):
        row = rows[unit]
        while num_waypoints[unit] > 0 and row[_ROW_UNTIL] < loop:
            head_for(
                row,
                row[_ROW_UNTIL],
                waypoints[unit, 0, 0],
                waypoints[unit, 0, 1],
                speeds[row[_ROW_TYPE]],
            )
            num_waypoints[unit] -= 1
            for i in range(num_waypoints[unit]):
                waypoints[unit, i] = waypoints[unit, i + 1]
