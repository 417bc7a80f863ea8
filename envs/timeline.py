"""A player's whole game as changes, and the steps read back from it.

What is stored is small: the rows of units that changed since the step before, each command, the
economy now and then. Positions between changes, ages, build progress, the visibility and unit
planes and the last action's marks follow from these and are computed on reading.
"""

from collections.abc import Iterator
from enum import IntFlag
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.entity_arrays import draw_units, explore, write_entities
from envs.interface import (
    BUILD_ORDER_LENGTH,
    MAX_DELAY,
    MAX_ENTITIES,
    NUM_UNIT_TYPES,
    NUM_UPGRADES,
    SUBCELLS,
    UNKNOWN,
    UNKNOWN_CELL,
    WORLD_SIZE,
    Action,
    EntityFeature,
    EntityLimits,
    MapPlane,
    Observation,
    ScalarFeature,
)
from envs.unit_rows import NUM_COLUMNS
from envs.unit_types import unit_types


class StepFlag(IntFlag):
    """What is to be said of a step."""

    SYNTHETIC = 1  # a no_op that fills a wait, not a command
    REPEAT = 2  # the player pressed the last command again
    CLEAN = 4  # selection and target are known units, somebody selected is alive, ability named
    MAPPED = 8  # a raw function does it
    PLAUSIBLE = 16  # some selected unit can do it
    NO_EFFECT = 32  # an order to larvae that have all become eggs


STATISTICS = (
    ScalarFeature.MINERALS,
    ScalarFeature.VESPENE,
    ScalarFeature.FOOD_USED,
    ScalarFeature.FOOD_CAP,
    ScalarFeature.FOOD_WORKERS,
    ScalarFeature.MINERALS_RATE,
    ScalarFeature.VESPENE_RATE,
    ScalarFeature.MINERALS_IN_PROGRESS,
    ScalarFeature.VESPENE_IN_PROGRESS,
    ScalarFeature.MINERALS_IN_ARMY,
    ScalarFeature.VESPENE_IN_ARMY,
    ScalarFeature.MINERALS_LOST,
    ScalarFeature.VESPENE_LOST,
    ScalarFeature.MINERALS_KILLED,
    ScalarFeature.VESPENE_KILLED,
)
"""Columns of ``Timeline.statistics``."""


class Step(NamedTuple):
    """One decision: what was known just before, and what was done."""

    observation: Observation
    action: Action
    flags: StepFlag
    loop: int
    is_last: bool  # its delay says nothing
    num_selected_missing: int  # selected units that the observation lacks


class Timeline(NamedTuple):
    """One player's game. Units are numbered within the game, the same for both players."""

    race: int
    opponent_race: int
    mmr: int | None
    step_loop: NDArray[np.int32]
    step_action_type: NDArray[np.int16]  # UNKNOWN where no raw function does it
    step_queued: NDArray[np.int8]
    step_target_unit: NDArray[np.int32]  # number of a unit
    step_target_x: NDArray[np.int16]  # subcells
    step_target_y: NDArray[np.int16]
    step_flags: NDArray[np.int16]
    step_num_selected: NDArray[np.int32]
    step_num_changes: NDArray[np.int32]  # just before the step
    selected: NDArray[np.int32]  # numbers of units, step after step
    change_unit: NDArray[np.int32]
    change_row: NDArray[np.int32]  # changes, RowColumn
    statistics_loop: NDArray[np.int32]
    statistics: NDArray[np.int32]  # taken, STATISTICS
    upgrade_loop: NDArray[np.int32]
    upgrade: NDArray[np.int16]
    build_order: NDArray[np.int16]  # unit types, at most BUILD_ORDER_LENGTH
    units_built: NDArray[np.int16]  # unit types ever built
    unit_tags: NDArray[np.int64]  # of all the game's units, by number

    @property
    def num_steps(self) -> int:
        """How many steps the player takes, waiting included."""
        return len(self.step_loop)

    def steps(
        self,
        start: int = 0,
        *,
        plane_size: int,
        limits: EntityLimits = EntityLimits(),
        show_z: bool = False,
    ) -> Iterator[Step]:
        """Yield the steps from ``start`` on.

        Args:
            start: the first step wanted; those before are passed over quickly.
            plane_size: side of the map planes, in cells; divides ``WORLD_SIZE``.
            limits: at most so many units; own ones are kept first, then enemies, then neutral
                ones, those near own units before those far away. Planes show them all.
            show_z: whether observations tell the build order and the units built.

        Raises:
            ValueError: the planes' side does not divide the world's, or a limit cannot be.
        """
        if plane_size < 1 or WORLD_SIZE % plane_size:
            raise ValueError(f"plane_size must divide {WORLD_SIZE}, got {plane_size}")
        if not 1 <= limits.total <= MAX_ENTITIES:
            raise ValueError(f"limits.total must be 1 to {MAX_ENTITIES}, got {limits.total}")
        if limits.neutral < 0:
            raise ValueError(f"limits.neutral must be at least 0, got {limits.neutral}")
        reader = _Reader(self, plane_size=plane_size, limits=limits, show_z=show_z)
        for step in range(self.num_steps):
            reader.advance(step)
            if step >= start:
                yield reader.read(step)


class _Reader:
    """The state that reading carries from step to step."""

    def __init__(
        self, timeline: Timeline, *, plane_size: int, limits: EntityLimits, show_z: bool
    ) -> None:
        self._timeline = timeline
        self._cell = WORLD_SIZE // plane_size
        self._change_ends = np.cumsum(timeline.step_num_changes)
        self._selected_ends = np.cumsum(timeline.step_num_selected)
        num_units = int(timeline.change_unit.max(initial=-1)) + 1
        self._rows = np.zeros((num_units, NUM_COLUMNS), np.int32)
        self._explored = np.zeros((plane_size, plane_size), np.bool_)
        self._max_neutrals = limits.neutral
        self._entities = np.full((limits.total, len(EntityFeature)), UNKNOWN, np.int16)
        self._place_of_unit = np.full(num_units, -1, np.int32)
        self._planes = np.full((len(MapPlane), plane_size, plane_size), UNKNOWN_CELL, np.uint8)
        self._scalars = np.full(len(ScalarFeature), UNKNOWN, np.int32)
        self._scalars[ScalarFeature.HOME_RACE] = timeline.race
        self._scalars[ScalarFeature.AWAY_RACE] = timeline.opponent_race
        if timeline.mmr is not None:
            self._scalars[ScalarFeature.MMR] = min(timeline.mmr // 1000, 7)
        self._upgrades = np.zeros(NUM_UPGRADES, np.int8)
        self._num_statistics = 0
        self._num_upgrades = 0
        self._build_order, self._built = _z(timeline) if show_z else _unknown_z()

    def advance(self, step: int) -> None:
        """Take in what changed between the last step and this one."""
        timeline = self._timeline
        end = self._change_ends[step]
        changes = slice(end - timeline.step_num_changes[step], end)
        self._rows[timeline.change_unit[changes]] = timeline.change_row[changes]
        explore(
            self._rows,
            timeline.step_loop[step],
            unit_types().sight,
            SUBCELLS * self._cell,
            self._planes[MapPlane.VISIBILITY],
            self._explored,
        )

    def read(self, step: int) -> Step:
        """Return a step, all changes up to which have been taken in."""
        timeline = self._timeline
        loop = int(timeline.step_loop[step])
        self._place_of_unit.fill(-1)
        count = write_entities(
            self._rows, loop, self._max_neutrals, self._entities, self._place_of_unit
        )
        entities = self._entities[:count].copy()
        self._mark_last_action(entities, step)
        relative = self._planes[MapPlane.PLAYER_RELATIVE]
        draw_units(self._rows, loop, SUBCELLS * self._cell, relative)
        action, num_selected_missing = self._action(step)
        return Step(
            observation=Observation(
                entities=entities,
                map_planes=self._planes.copy(),
                scalars=self._read_scalars(step, loop),
                upgrades=self._upgrades.copy(),
                build_order=self._build_order,
                cumulative_statistics=self._built,
            ),
            action=action,
            flags=StepFlag(int(timeline.step_flags[step])),
            loop=loop,
            is_last=step == timeline.num_steps - 1,
            num_selected_missing=num_selected_missing,
        )

    def _mark_last_action(self, entities: NDArray[np.int16], step: int) -> None:
        entities[:, EntityFeature.WAS_SELECTED] = 0
        entities[:, EntityFeature.WAS_TARGETED] = 0
        if step == 0:
            return
        rows = self._place_of_unit[self._selected(step - 1)]
        entities[rows[rows >= 0], EntityFeature.WAS_SELECTED] = 1
        target = self._timeline.step_target_unit[step - 1]
        if target >= 0 and self._place(target) >= 0:
            entities[self._place(target), EntityFeature.WAS_TARGETED] = 1

    def _read_scalars(self, step: int, loop: int) -> NDArray[np.int32]:
        timeline, scalars = self._timeline, self._scalars
        scalars[ScalarFeature.GAME_LOOP] = loop
        if step > 0:
            waited = loop - int(timeline.step_loop[step - 1])
            scalars[ScalarFeature.LAST_ACTION_TYPE] = timeline.step_action_type[step - 1]
            scalars[ScalarFeature.LAST_DELAY] = min(waited, MAX_DELAY)
            scalars[ScalarFeature.LAST_QUEUED] = max(timeline.step_queued[step - 1], 0)
        # Taken at a loop means: after the commands of that loop.
        taken = int(np.searchsorted(timeline.statistics_loop, loop))
        if taken:
            scalars[list(STATISTICS)] = timeline.statistics[taken - 1]
            age = loop - int(timeline.statistics_loop[taken - 1])
            scalars[ScalarFeature.STATISTICS_AGE] = age
        finished = int(np.searchsorted(timeline.upgrade_loop, loop))
        self._upgrades[timeline.upgrade[self._num_upgrades : finished]] = 1
        self._num_upgrades = max(self._num_upgrades, finished)
        return scalars.copy()

    def _action(self, step: int) -> tuple[Action, int]:
        """Return the action, and how many selected units are missing."""
        timeline = self._timeline
        rows = self._place_of_unit[self._selected(step)]
        rows = rows[rows >= 0]
        target = int(timeline.step_target_unit[step])
        target_row = self._place(target) if target >= 0 else UNKNOWN
        if step + 1 < timeline.num_steps:
            wait = int(timeline.step_loop[step + 1] - timeline.step_loop[step])
            delay = min(max(wait, 1), MAX_DELAY)
        else:
            delay = UNKNOWN
        action = Action(
            action_type=int(timeline.step_action_type[step]),
            delay=delay,
            queued=int(timeline.step_queued[step]),
            selected_units=rows.astype(np.int16),
            target_unit=target_row,
            target_location=(int(timeline.step_target_x[step]), int(timeline.step_target_y[step])),
        )
        return action, int(timeline.step_num_selected[step]) - len(rows)

    def _selected(self, step: int) -> NDArray[np.int32]:
        end = self._selected_ends[step]
        units = self._timeline.selected[end - self._timeline.step_num_selected[step] : end]
        return units[units < len(self._place_of_unit)]

    def _place(self, unit: int) -> int:
        return int(self._place_of_unit[unit]) if unit < len(self._place_of_unit) else UNKNOWN


def _z(timeline: Timeline) -> tuple[NDArray[np.int16], NDArray[np.int8]]:
    order = np.zeros(BUILD_ORDER_LENGTH, np.int16)
    order[: len(timeline.build_order)] = timeline.build_order
    built = np.zeros(NUM_UNIT_TYPES + NUM_UPGRADES, np.int8)
    built[timeline.units_built] = 1
    built[NUM_UNIT_TYPES + timeline.upgrade] = 1
    return order, built


def _unknown_z() -> tuple[NDArray[np.int16], NDArray[np.int8]]:
    return (
        np.full(BUILD_ORDER_LENGTH, UNKNOWN, np.int16),
        np.full(NUM_UNIT_TYPES + NUM_UPGRADES, UNKNOWN, np.int8),
    )
