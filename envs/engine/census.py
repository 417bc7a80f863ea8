"""What a player has, counted by compiled code in one pass: for his score and what he is told."""

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.engine.compiled import Array, compiled
from envs.engine.layout import NUM_TYPES, Clock, Makes, Trait, World

_NUM_ALIVE = int(Clock.NUM_ALIVE)
_WORKER, _LARVA, _WARP_GATE = int(Trait.WORKER), int(Trait.LARVA), int(Trait.WARP_GATE)
_UNIT = int(Makes.UNIT)


class _Column(IntEnum):
    WORKER_SUPPLY = 0
    COMING_SUPPLY = 1
    IDLE_WORKERS = 2
    SOLDIERS = 3
    WARP_GATES = 4
    LARVAE = 5
    NUM_COLUMNS = 6


class Census(NamedTuple):
    """One player's units, counted; supply in half points."""

    units: NDArray[np.int64]  # by type
    finished: NDArray[np.int64]  # by type
    worker_supply: int
    coming_worker_supply: int  # of workers in production
    idle_workers: int
    soldiers: int
    warp_gates: int
    larvae: int


def take_census(world: World, player: int) -> Census:
    """Count what a player has."""
    by_type = np.zeros((2, NUM_TYPES), np.int64)
    columns = np.zeros(_Column.NUM_COLUMNS, np.int64)
    _count(world.record, player, by_type[0], by_type[1], columns)
    return Census(by_type[0], by_type[1], *columns.tolist())


_WORKER_SUPPLY, _COMING = int(_Column.WORKER_SUPPLY), int(_Column.COMING_SUPPLY)
_IDLE, _SOLDIERS = int(_Column.IDLE_WORKERS), int(_Column.SOLDIERS)
_GATES, _LARVAE = int(_Column.WARP_GATES), int(_Column.LARVAE)


@compiled
def _count(record: Array, player: int, units: Array, finished: Array, columns: Array) -> None:
    world = record[0]
    for i in range(world.clock[_NUM_ALIVE]):
        slot = world.alive[i]
        unit = world.units[slot]
        if unit.owner != player:
            continue
        kind = world.types[player, unit.type]
        units[unit.type] += 1
        if unit.build_left == 0:
            finished[unit.type] += 1
        if kind.traits & _WORKER:
            columns[_WORKER_SUPPLY] += kind.supply
            columns[_IDLE] += unit.num_orders == 0
        elif kind.supply > 0:
            columns[_SOLDIERS] += 1
        columns[_GATES] += kind.traits & _WARP_GATE != 0
        columns[_LARVAE] += kind.traits & _LARVA != 0
        for place in range(unit.num_production):
            entry = world.production[slot, place]
            if entry.makes == _UNIT and entry.started:
                if world.types[player, entry.what].traits & _WORKER:
                    columns[_COMING] += entry.supply
