"""Creep: it spreads from hatcheries and tumours ring by ring, and dies back when they are gone."""

import numpy as np

from envs.engine.compiled import Array, Record, compiled, inlined
from envs.engine.layout import CELL_BITS, NUM_OWNERS, WORD, Clock, Trait

CREEP_LOOPS = 16
"""Creep spreads or dies back by a cell's ring every so many loops."""

HALL_RADIUS = 12
TUMOUR_RADIUS = 10
OVERLORD_RADIUS = 4

_NUM_ALIVE, _LOOP = int(Clock.NUM_ALIVE), int(Clock.LOOP)
_SPREADS, _TOWN_HALL = int(Trait.SPREADS_CREEP), int(Trait.TOWN_HALL)
_FED = 128  # mark on cells within reach of a source


@inlined
def spread_creep(world: Record) -> None:
    """Let creep spread and die back by one ring, and players remember what they see of it.

    Cells hold 1 where creep is; during the pass the mark ``_FED`` says that a source reaches them.
    """
    creep = world.creep
    height, width = world.rows, world.columns
    for i in range(world.clock[_NUM_ALIVE]):
        unit = world.units[world.alive[i]]
        kind = world.types[unit.owner, unit.type]
        if unit.generates_creep and unit.walks == 0:
            _feed(world, unit, OVERLORD_RADIUS)
        if kind.traits & _SPREADS and unit.build_left == 0 and unit.health > 0:
            age = (world.clock[_LOOP] - unit.born) // CREEP_LOOPS
            radius = HALL_RADIUS if kind.traits & _TOWN_HALL else TUMOUR_RADIUS
            _feed(world, unit, min(radius, 2 + age))
    eights = creep.view(np.int64)  # of cells in a row
    for row in range(height):
        for first in range(0, width, 8):
            if eights[row, first >> 3] == 0:
                continue
            for column in range(first, first + 8):
                if creep[row, column] == 1 and _is_rim(world, row, column):
                    creep[row, column] = 2  # dies back at the end of the pass
    for row in range(height):
        for first in range(0, width, 8):
            if eights[row, first >> 3] == 0:
                continue
            for column in range(first, first + 8):
                creep[row, column] = 1 if creep[row, column] & (_FED | 1) else 0
    for owner in range(1, NUM_OWNERS):
        for row in range(height):
            for first in range(0, width, WORD):
                bits = world.shown_bits[owner, row, first // WORD]
                if bits != 0:
                    for column in range(first, first + WORD):
                        if bits >> (column - first) & 1:
                            world.creep_seen[owner, row, column] = creep[row, column]


@compiled
def lay_creep(record: Array, x: int, y: int, radius: int) -> None:
    """Lay a full circle of creep at once, as around the first hatchery."""
    world = record[0]
    height, width = world.rows, world.columns
    centre_row, centre_column = y >> CELL_BITS, x >> CELL_BITS
    for row in range(max(0, centre_row - radius), min(height, centre_row + radius + 1)):
        for column in range(max(0, centre_column - radius), min(width, centre_column + radius + 1)):
            across, along = row - centre_row, column - centre_column
            if across * across + along * along <= radius * radius and world.pathable[row, column]:
                world.creep[row, column] = 1


@inlined
def _feed(world: Record, unit: Record, radius: int) -> None:
    height, width = world.rows, world.columns
    row_0, column_0 = unit.y >> CELL_BITS, unit.x >> CELL_BITS
    for row in range(max(0, row_0 - radius), min(height, row_0 + radius + 1)):
        for column in range(max(0, column_0 - radius), min(width, column_0 + radius + 1)):
            across, along = row - row_0, column - column_0
            if across * across + along * along <= radius * radius and world.pathable[row, column]:
                world.creep[row, column] |= _FED


@inlined
def _is_rim(world: Record, row: int, column: int) -> bool:
    creep = world.creep
    height, width = world.rows, world.columns
    if row == 0 or column == 0 or row == height - 1 or column == width - 1:
        return True
    return (
        creep[row - 1, column] == 0
        or creep[row + 1, column] == 0
        or creep[row, column - 1] == 0
        or creep[row, column + 1] == 0
    )
