"""Figures of unit types, as arrays by the row of ``unit_types.csv``."""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.interface import NUM_UNIT_TYPES, SUBCELLS, read_table


class UnitTypes(NamedTuple):
    """One value a unit type; row 0 is any unit that the table lacks."""

    # Name in replays and the game's catalogue -> row.
    index: dict[str, int]  # type: ignore[assignment]  # nobody looks values up in the tuple
    is_mineral: NDArray[np.bool_]
    is_scenery: NDArray[np.bool_]  # no unit of the game: beacons, zones, dummies
    sight: NDArray[np.int64]  # subcells
    detects: NDArray[np.int64]  # range of detection, subcells
    is_cloaked: NDArray[np.bool_]  # seen only by detectors: burrowed, Observer, Dark Templar
    speed: NDArray[np.float64]  # subcells per game loop, without upgrades
    build_loops: NDArray[np.int64]  # 0 where unknown


@cache
def unit_types() -> UnitTypes:
    """Read the table."""
    rows = read_table("unit_types.csv")

    def column(name: str) -> NDArray[np.float64]:
        values = np.zeros(NUM_UNIT_TYPES)
        values[: len(rows)] = [float(row[name]) for row in rows]
        return values

    def kind_is(kind: str) -> NDArray[np.bool_]:
        values = np.zeros(NUM_UNIT_TYPES, np.bool_)
        values[: len(rows)] = [row["kind"] == kind for row in rows]
        return values

    is_scenery = kind_is("other")
    is_scenery[0] = False  # what a player owns is a unit, though the table lacks it
    return UnitTypes(
        index={row["name"]: int(row["unit_type"]) for row in rows if row["name"]},
        is_mineral=kind_is("mineral"),
        is_scenery=is_scenery,
        sight=np.round(column("sight") * SUBCELLS).astype(np.int64),
        detects=np.round(column("detects") * SUBCELLS).astype(np.int64),
        is_cloaked=column("cloaked") > 0,
        speed=column("speed") * SUBCELLS,
        build_loops=column("build_loops").astype(np.int64),
    )
