"""Observations as the network reads them against pysc2's features: ``latentstar bench features``.

Both start from the same bytes of a game: raw units and a minimap of 128 x 128, as most agents ask
for them. pysc2 parses them with protobuf and makes its arrays; we decode them, follow the units
and make the network's. The two take turns, so that neither finds its own data in the processor's
caches and a busy machine slows both alike; medians of CPU time are compared.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs import pysc2_compat
from envs.game_client import map_of_game_info
from envs.interface import Race
from envs.observations import GameReader, ObservationMaker
from training.bench.engine_clients import (
    OBSERVE,
    RAW_AND_MINIMAP,
    answered,
    fill,
    in_process,
    start_game,
)
from training.progress import progress_bar
from training.whole_files import write_json

PLANE_SIZE = 128

_WARM_UP = 5

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class FeaturesBenchConfig:
    """Measure observations against pysc2's features: ``latentstar bench features``."""

    out: Path | None = None  # write the numbers there too, as JSON
    map_path: str = "Melee/Simple64.SC2Map"
    units: tuple[int, ...] = (50, 150, 350)  # the players'; the map's own come on top
    rounds: int = 300  # for each number of units
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse values that cannot be."""
        if not self.units or min(self.units) < 1:
            raise ValueError(f"units must be at least 1 each, got {self.units}")
        if self.rounds < 1:
            raise ValueError(f"rounds must be at least 1, got {self.rounds}")
        if not 0 <= self.seed < 1 << 31:
            raise ValueError(f"seed must be below {1 << 31} and not negative, got {self.seed}")


class FeaturesTime(NamedTuple):
    """From the bytes of one observation to arrays; medians of CPU time."""

    num_units: int  # all that are in it
    ours_ms: float
    pysc2_ms: float  # protobuf's parsing and ``transform_obs``

    @property
    def ratio(self) -> float:
        """How many times our milliseconds pysc2 takes."""
        return self.pysc2_ms / self.ours_ms


class Scene(NamedTuple):
    """A moment of a game, and the two that read it."""

    num_units: int
    read: Callable[[], object]
    read_with_pysc2: Callable[[], Any]


def run(config: FeaturesBenchConfig) -> tuple[FeaturesTime, ...]:
    """Measure, and tell the numbers.

    Raises:
        ValueError: there is no such map.
    """
    times = []
    with progress_bar("measuring observations") as bar:
        for number, wanted in enumerate(config.units):
            bar.show(number / len(config.units), f"{wanted} units")
            times.append(_measured(scene(wanted, config), rounds=config.rounds))
    for line in table_lines(times):
        logger.info("%s", line)
    if config.out is not None:
        write_json(config.out, as_record(times))
    return tuple(times)


def scene(wanted: int, config: FeaturesBenchConfig) -> Scene:
    """Let a game get under way, with so many units of the players."""
    pysc2_compat.load()
    from pysc2.lib import features

    with in_process() as ask:
        start_game(ask, RAW_AND_MINIMAP, map_path=config.map_path, seed=config.seed)
        fill(ask, wanted)
        info = answered(ask, game_info=sc_pb.RequestGameInfo()).game_info
        data = ask(OBSERVE)
    game_map = map_of_game_info(info)
    reader = GameReader(game_map, home_race=Race.TERRAN, away_race=Race.ZERG)
    maker = ObservationMaker(game_map, plane_size=PLANE_SIZE)
    pysc2_features = features.features_from_game_info(
        info, use_raw_units=True, use_raw_actions=True
    )
    return Scene(
        num_units=len(reader.decode(data).units),
        read=lambda: maker.observation(reader.known(reader.decode(data), data)),
        read_with_pysc2=lambda: pysc2_features.transform_obs(
            sc_pb.Response.FromString(data).observation
        ),
    )


def table_lines(times: list[FeaturesTime]) -> list[str]:
    """Return the measurements as lines of a table."""
    rows = [
        f"{row.num_units:5}  {row.ours_ms:7.3f}  {row.pysc2_ms:8.2f}  {row.ratio:5.0f} x"
        for row in times
    ]
    return ["units  ours ms  pysc2 ms    ratio", *rows]


def as_record(times: list[FeaturesTime]) -> dict[str, Any]:
    """Return the measurements as plain values, ratios included."""
    return {"features": [{**row._asdict(), "ratio": row.ratio} for row in times]}


def _measured(moment: Scene, *, rounds: int) -> FeaturesTime:
    ours, theirs = [], []
    for _ in range(_WARM_UP):
        moment.read()
        moment.read_with_pysc2()
    for _ in range(rounds):
        ours.append(_seconds(moment.read))
        theirs.append(_seconds(moment.read_with_pysc2))
    return FeaturesTime(
        moment.num_units, 1000 * float(np.median(ours)), 1000 * float(np.median(theirs))
    )


def _seconds(read: Callable[[], object]) -> float:
    """Return CPU time, which the machine's other work adds little to."""
    started = time.process_time()
    read()
    return time.process_time() - started
