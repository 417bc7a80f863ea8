"""What a player has, counted by compiled code in one pass: for his score and what he is told."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.engine.compiled import Array, compiled
from envs.engine.layout import NUM_TYPES, Clock, Makes, Trait, World

_NUM_ALIVE = int(Clock.NUM_ALIVE)
_WORKER, _LARVA, _WARP_GATE = int(Trait.WORKER), int(Trait.LARVA), int(Trait.WARP_GATE)
_UNIT = int(Makes.UNIT)


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


_TOTALS = np.dtype([(name, "i8") for name in Census._fields[2:]])


def take_census(world: World, player: int) -> Census:
    """Count what a player has."""
    units, finished = np.zeros((2, NUM_TYPES), np.int64)
    totals = np.zeros(1, _TOTALS)
    _count(world.record, player, units, finished, totals)
    return Census(units, finished, *totals[0].tolist())


@compiled
def _count(record: Array, player: int, units: Array, finished: Array, totals: Array) -> None:
    world, total = record[0], totals[0]
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
            total.worker_supply += kind.supply
            total.idle_workers += unit.num_orders == 0
        elif kind.supply > 0:
            total.soldiers += 1
        total.warp_gates += kind.traits & _WARP_GATE != 0
        total.larvae += kind.traits & _LARVA != 0
        for place in range(unit.num_production):
            entry = world.production[slot, place]
            if entry.makes == _UNIT and entry.started:
                if world.types[player, entry.what].traits & _WORKER:
                    total.coming_worker_supply += entry.supply
