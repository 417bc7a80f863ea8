"""A player's game as a game showed it, stored as changes, and the steps read back from it.

What is read back is what the player was shown, number for number: both come from ``Known`` by way
of ``envs.observations.ObservationMaker``.
"""

from collections.abc import Iterator
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from envs.interface import (
    NUM_UPGRADES,
    UNKNOWN,
    Action,
    EntityFeature,
    EntityLimits,
    ScalarFeature,
)
from envs.observations import GameMap, Known, ObservationMaker, Shown
from envs.timeline import Step, StepFlag

_T = TypeVar("_T", bound=np.generic)
_CREEP_BIT = 4  # of a cell, above its visibility


class GameTimeline(NamedTuple):
    """One player's game. Units are numbered by their tags, cells row by row from y = 0."""

    race: int
    opponent_race: int
    mmr: int | None
    map_name: str
    map_width: int
    map_height: int
    terrain_height: NDArray[np.uint8]  # cells
    is_pathable: NDArray[np.uint8]  # cells, eight to a byte
    is_buildable: NDArray[np.uint8]
    step_loop: NDArray[np.int32]
    step_action_type: NDArray[np.int16]  # UNKNOWN where no raw function does it
    step_delay: NDArray[np.int16]  # UNKNOWN where nothing came after
    step_queued: NDArray[np.int8]
    step_target_unit: NDArray[np.int32]  # number of a unit
    step_target_x: NDArray[np.int16]  # subcells
    step_target_y: NDArray[np.int16]
    step_flags: NDArray[np.int16]
    step_num_selected: NDArray[np.int32]
    step_last_target: NDArray[np.int32]  # number of the unit that the last action was aimed at
    step_num_last_selected: NDArray[np.int32]  # units that the last action was given to
    step_num_changes: NDArray[np.int32]  # just before the step
    step_num_cells: NDArray[np.int32]
    selected: NDArray[np.int32]  # numbers of units, step after step
    last_selected: NDArray[np.int32]
    change_unit: NDArray[np.int32]
    change_row: NDArray[np.int32]  # changes, EntityFeature as in ``envs.game_rows``
    cell: NDArray[np.int32]  # cells that changed
    cell_value: NDArray[np.uint8]  # visibility, and whether there is creep
    scalars: NDArray[np.int32]  # steps, ScalarFeature
    upgrade_step: NDArray[np.int32]  # the first at which an upgrade is there
    upgrade: NDArray[np.int16]
    unit_tags: NDArray[np.int64]  # of all units ever shown, by number

    @property
    def num_steps(self) -> int:
        """How many steps the player takes, waiting included."""
        return len(self.step_loop)

    @property
    def game_map(self) -> GameMap:
        """The map; where the other players start is not kept."""
        shape = self.map_height, self.map_width
        size = self.map_height * self.map_width
        pathable = np.unpackbits(self.is_pathable, count=size).reshape(shape) > 0
        buildable = np.unpackbits(self.is_buildable, count=size).reshape(shape) > 0
        height = self.terrain_height.reshape(shape)
        return GameMap(self.map_name, *shape[::-1], height, pathable, buildable, ())

    def steps(
        self,
        start: int = 0,
        *,
        plane_size: int,
        limits: EntityLimits = EntityLimits(),
    ) -> Iterator[Step]:
        """Yield the steps from ``start`` on.

        Args:
            start: the first step wanted; those before are passed over quickly.
            plane_size: side of the map planes, in cells; divides the world's.
            limits: at most so many units; planes show them all.

        Raises:
            ValueError: the planes' side does not divide the world's, or a limit cannot be.
        """
        reader = _Reader(self, plane_size=plane_size, limits=limits)
        for step in range(self.num_steps):
            reader.advance(step)
            if step >= start:
                yield reader.read(step)


class GameTimelineWriter:
    """Collects the steps of one player's game."""

    def __init__(self, game_map: GameMap, *, race: int, opponent_race: int) -> None:
        self._map = game_map
        self._races = race, opponent_race
        self._numbers: dict[int, int] = {}  # of units, in order of appearance
        self._rows = np.zeros((0, len(EntityFeature)), np.int32)
        self._is_shown = np.zeros(0, np.bool_)
        self._cells = np.zeros(game_map.width * game_map.height, np.uint8)
        self._upgrades = np.zeros(NUM_UPGRADES, np.int8)
        self._steps: list[tuple[int, ...]] = []
        self._scalars: list[NDArray[np.int32]] = []
        self._selected: list[NDArray[np.int32]] = []
        self._last_selected: list[NDArray[np.int32]] = []
        self._change_units: list[NDArray[np.int32]] = []
        self._change_rows: list[NDArray[np.int32]] = []
        self._cell_changes: list[NDArray[np.int32]] = []
        self._cell_values: list[NDArray[np.uint8]] = []
        self._finished: list[tuple[int, int]] = []

    def add(
        self,
        known: Known,
        action: Action,
        flags: StepFlag,
        *,
        selected: NDArray[np.int64],
        target: int,
    ) -> None:
        """Add a step.

        Args:
            known: just before it.
            action: what is to be learned; its rows are not kept, but who they are.
            flags: what is to be said of the step.
            selected: tags of the units that the action was given to.
            target: tag of the unit it was aimed at, 0 for none.
        """
        num_changes = self._add_changes(known)
        num_cells = self._add_cells(known)
        step = len(self._steps)
        for upgrade in np.flatnonzero(known.upgrades > self._upgrades).tolist():
            self._finished.append((step, upgrade))
        self._upgrades = known.upgrades
        self._selected.append(self._numbers_of(selected))
        self._last_selected.append(self._numbers_of(known.selected))
        self._scalars.append(known.scalars)
        self._steps.append(
            (
                *(known.loop, int(flags), action.action_type, action.delay, action.queued),
                *action.target_location,
                self._numbers.get(target, UNKNOWN) if target else UNKNOWN,
                self._numbers.get(known.target, UNKNOWN) if known.target else UNKNOWN,
                *(len(selected), len(known.selected), num_changes, num_cells),
            )
        )

    def timeline(self) -> GameTimeline:
        """Return the whole game."""
        steps = np.array(self._steps, np.int64).reshape(-1, 13).T
        tags = np.array(list(self._numbers), np.int64)
        by_tag = np.argsort(tags.view(np.uint64))
        number = np.empty(len(tags) + 1, np.int32)  # the last for units that were never shown
        number[by_tag] = np.arange(len(tags))
        number[-1] = UNKNOWN
        finished = np.array(self._finished, np.int32).reshape(-1, 2)
        return GameTimeline(
            race=self._races[0],
            opponent_race=self._races[1],
            mmr=None,
            map_name=self._map.name,
            map_width=self._map.width,
            map_height=self._map.height,
            terrain_height=self._map.terrain_height.ravel(),
            is_pathable=np.packbits(self._map.is_pathable),
            is_buildable=np.packbits(self._map.is_buildable),
            step_loop=steps[0].astype(np.int32),
            step_flags=steps[1].astype(np.int16),
            step_action_type=steps[2].astype(np.int16),
            step_delay=steps[3].astype(np.int16),
            step_queued=steps[4].astype(np.int8),
            step_target_x=steps[5].astype(np.int16),
            step_target_y=steps[6].astype(np.int16),
            step_target_unit=number[steps[7]],
            step_last_target=number[steps[8]],
            step_num_selected=steps[9].astype(np.int32),
            step_num_last_selected=steps[10].astype(np.int32),
            step_num_changes=steps[11].astype(np.int32),
            step_num_cells=steps[12].astype(np.int32),
            selected=number[_joined(self._selected, np.int32)],
            last_selected=number[_joined(self._last_selected, np.int32)],
            change_unit=number[_joined(self._change_units, np.int32)],
            change_row=np.concatenate(
                [np.zeros((0, len(EntityFeature)), np.int32), *self._change_rows]
            ),
            cell=_joined(self._cell_changes, np.int32),
            cell_value=_joined(self._cell_values, np.uint8),
            scalars=np.array(self._scalars, np.int32).reshape(-1, len(ScalarFeature)),
            upgrade_step=finished[:, 0].copy(),
            upgrade=finished[:, 1].astype(np.int16),
            unit_tags=tags[by_tag],
        )

    def _numbers_of(self, tags: NDArray[np.int64]) -> NDArray[np.int32]:
        return np.array([self._numbers.get(tag, UNKNOWN) for tag in tags.tolist()], np.int32)

    def _add_changes(self, known: Known) -> int:
        for tag in known.tags.tolist():
            self._numbers.setdefault(tag, len(self._numbers))
        missing = len(self._numbers) - len(self._rows)
        if missing:
            more = np.zeros((missing, len(EntityFeature)), np.int32)
            self._rows = np.concatenate([self._rows, more])
        rows = np.zeros_like(self._rows)
        rows[[self._numbers[tag] for tag in known.tags.tolist()]] = known.rows
        changed = np.flatnonzero((rows != self._rows).any(axis=1)).astype(np.int32)
        self._change_units.append(changed)
        self._change_rows.append(rows[changed])
        self._rows = rows
        return len(changed)

    def _add_cells(self, known: Known) -> int:
        cells = (known.visibility | known.creep * _CREEP_BIT).ravel()
        changed = np.flatnonzero(cells != self._cells).astype(np.int32)
        self._cell_changes.append(changed)
        self._cell_values.append(cells[changed])
        self._cells = cells
        return len(changed)


class _Reader:
    """The state that reading carries from step to step."""

    def __init__(self, timeline: GameTimeline, *, plane_size: int, limits: EntityLimits) -> None:
        self._timeline = timeline
        game_map = timeline.game_map
        self._maker = ObservationMaker(game_map, plane_size=plane_size, limits=limits)
        self._change_ends = np.cumsum(timeline.step_num_changes)
        self._cell_ends = np.cumsum(timeline.step_num_cells)
        self._selected_ends = np.cumsum(timeline.step_num_selected)
        self._last_selected_ends = np.cumsum(timeline.step_num_last_selected)
        self._rows = np.zeros((len(timeline.unit_tags), len(EntityFeature)), np.int32)
        self._cells = np.zeros((game_map.height, game_map.width), np.uint8)

    def advance(self, step: int) -> None:
        """Take in what changed between the last step and this one."""
        timeline = self._timeline
        end = self._change_ends[step]
        changes = slice(end - timeline.step_num_changes[step], end)
        self._rows[timeline.change_unit[changes]] = timeline.change_row[changes]
        end = self._cell_ends[step]
        cells = slice(end - timeline.step_num_cells[step], end)
        self._cells.ravel()[timeline.cell[cells]] = timeline.cell_value[cells]

    def read(self, step: int) -> Step:
        """Return a step, all changes up to which have been taken in."""
        timeline = self._timeline
        loop = int(timeline.step_loop[step])
        upgrades = np.zeros(NUM_UPGRADES, np.int8)
        upgrades[timeline.upgrade[timeline.upgrade_step <= step]] = 1
        end = self._last_selected_ends[step]
        last = timeline.last_selected[end - timeline.step_num_last_selected[step] : end]
        shown = self._maker.observation(
            Known(
                loop=loop,
                rows=self._rows,
                tags=timeline.unit_tags,
                visibility=self._cells % _CREEP_BIT,
                creep=self._cells // _CREEP_BIT,
                scalars=timeline.scalars[step],
                upgrades=upgrades,
                selected=np.sort(self._tags_of(last)),
                target=self._tag_of(timeline.step_last_target[step]),
            )
        )
        action, num_missing = self._action(step, shown)
        return Step(
            observation=shown.observation,
            action=action,
            flags=StepFlag(int(timeline.step_flags[step])),
            loop=loop,
            is_last=step == timeline.num_steps - 1,
            num_selected_missing=num_missing,
        )

    def _action(self, step: int, shown: Shown) -> tuple[Action, int]:
        """Return the action, and how many selected units are missing."""
        timeline = self._timeline
        end = self._selected_ends[step]
        selected = timeline.selected[end - timeline.step_num_selected[step] : end]
        rows = _rows_of(self._tags_of(selected), shown.tags)
        target = self._tag_of(timeline.step_target_unit[step])
        action = Action(
            action_type=int(timeline.step_action_type[step]),
            delay=int(timeline.step_delay[step]),
            queued=int(timeline.step_queued[step]),
            selected_units=rows[rows >= 0].astype(np.int16),
            target_unit=int(_rows_of(np.array([target]), shown.tags)[0]) if target else UNKNOWN,
            target_location=(int(timeline.step_target_x[step]), int(timeline.step_target_y[step])),
        )
        return action, int((rows < 0).sum())

    def _tags_of(self, units: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return the tags of units; 0 for those that were never shown."""
        return np.where(units >= 0, self._timeline.unit_tags[units], 0)

    def _tag_of(self, unit: int) -> int:
        return int(self._timeline.unit_tags[unit]) if unit >= 0 else 0


def _rows_of(tags: NDArray[np.int64], shown: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the rows of units among those shown, which are sorted; UNKNOWN for others."""
    if not len(shown):
        return np.full(len(tags), UNKNOWN)
    places = np.searchsorted(shown.view(np.uint64), tags.view(np.uint64))
    rows = np.minimum(places, len(shown) - 1)
    return np.where(shown[rows] == tags, rows, UNKNOWN)


def _joined(parts: list[NDArray[_T]], dtype: type[_T]) -> NDArray[_T]:
    return np.concatenate([np.zeros(0, dtype), *parts])
