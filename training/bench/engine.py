"""The engine against real time, its decoder against pysc2: ``latentstar bench engine``.

Loops are counted in CPU seconds of one process, so that a busy machine slows nothing but the
clock; steps and starts are what a program waits for. Everything is compiled before, except where
the compilation is what is measured.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs import pysc2_compat
from envs.engine.layout import ONE
from envs.engine.match import Match, PlayerKind, PlayerSetup
from envs.engine.rules_version import rules_hash
from envs.engine.terrain import map_bytes, read_map
from envs.interface import LOOPS_PER_SECOND
from envs.wire import decode_response, pysc2_pixels
from training.bench.engine_clients import (
    OBSERVE,
    RAW,
    RAW_AND_MINIMAP,
    Ask,
    answered,
    fill,
    in_process,
    over_the_socket,
    start_game,
)
from training.engine_games import PROTOSS, TERRAN, VERY_HARD, ZERG, compile_engine
from training.engine_maps import two_player_map
from training.progress import ProgressBar, progress_bar
from training.whole_files import require_place, write_json

STEP_LOOPS = 8
"""Between two observations of an agent."""

_MATCH_UPS = ((TERRAN, ZERG), (PROTOSS, TERRAN), (ZERG, PROTOSS))
_SOLDIERS = {TERRAN: "Marine", ZERG: "Zergling", PROTOSS: "Zealot"}
_NUMBERS_OF_UNITS = (50, 200, 400)
_LONGEST_START_LOOPS = 8064  # 6 minutes; what is missing then is put in
_PART_LOOPS = 224
_ENOUGH, _TOO_MANY = 0.8, 1.2  # of the units wanted
_NUM_DECODED = 200
_STEP_UNITS = 200

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class EngineBenchConfig:
    """Measure the engine: ``latentstar bench engine``."""

    out: Path | None = None  # write the numbers there too, as JSON
    map_path: str = "Ladder2019Season3/AcropolisLE.SC2Map"  # or the map's name alone
    loops: int = 6720  # game loops for each number of units
    steps: int = 300  # steps of 8 loops for each way to talk to the engine
    first_start: bool = True  # measure the first start too, which compiles for a minute or so
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse values that cannot be."""
        for name in ("loops", "steps"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not 0 <= self.seed < 1 << 31:
            raise ValueError(f"seed must be below {1 << 31} and not negative, got {self.seed}")


class LoopRate(NamedTuple):
    """Two VeryHard computers with fog, orders and production."""

    wanted_units: int
    mean_units: float  # the players'
    loops_per_second: float  # of CPU time

    @property
    def times_real_time(self) -> float:
        """How many times as fast as a game at speed Faster."""
        return self.loops_per_second / LOOPS_PER_SECOND


class StepTime(NamedTuple):
    """A step of 8 loops and the observation after it, as a program waits for them."""

    way: str
    median_ms: float
    ninetieth_ms: float  # percentile


class DecodeTime(NamedTuple):
    """An observation of raw units, from bytes to arrays."""

    num_units: int
    decode_ms: float
    pysc2_ms: float  # protobuf's parsing and ``transform_obs``

    @property
    def ratio(self) -> float:
        """How many times our milliseconds pysc2 takes."""
        return self.pysc2_ms / self.decode_ms


class EngineBench(NamedTuple):
    """All that was measured."""

    version: str
    loops: tuple[LoopRate, ...]
    steps: tuple[StepTime, ...]
    decoding: tuple[DecodeTime, ...]
    starts_seconds: dict[str, float]  # of the server, to the first observation after a step


def run(config: EngineBenchConfig) -> EngineBench:
    """Measure, and tell the numbers.

    Raises:
        ValueError: there is no such map for two players, or the numbers cannot be written.
    """
    config = replace(config, map_path=two_player_map(config.map_path))
    if config.out is not None:
        require_place(config.out)
    pysc2_compat.load()
    compile_engine()
    with progress_bar("measuring the engine") as bar:
        bench = EngineBench(
            version=rules_hash(),
            loops=tuple(_loop_rate(wanted, config, bar) for wanted in _NUMBERS_OF_UNITS),
            steps=tuple(_step_times(config, bar)),
            decoding=tuple(_decode_time(wanted, config, bar) for wanted in _NUMBERS_OF_UNITS),
            starts_seconds=_starts(config, bar),
        )
    for name, value in table_rows(bench):
        logger.info("%-50s %s", name, value)
    if config.out is not None:
        write_json(config.out, as_record(bench))
    return bench


def table_rows(bench: EngineBench) -> list[tuple[str, str]]:
    """Return the measurements as lines of a table."""
    rows = [("the engine's rules", bench.version)]
    rows += [
        (
            f"loops a CPU second, {rate.mean_units:.0f} units",
            f"{rate.loops_per_second:,.0f} = {rate.times_real_time:,.0f} x real time",
        )
        for rate in bench.loops
    ]
    rows += [
        (
            f"step of {STEP_LOOPS} loops and observation, {step.way}",
            f"{step.median_ms:.2f} ms (90 % within {step.ninetieth_ms:.2f})",
        )
        for step in bench.steps
    ]
    rows += [
        (
            f"decoding {time_.num_units} units",
            f"{time_.decode_ms:.3f} ms, pysc2 {time_.pysc2_ms:.2f} = {time_.ratio:.0f} x",
        )
        for time_ in bench.decoding
    ]
    return rows + [(name, f"{value:.1f} s") for name, value in bench.starts_seconds.items()]


def as_record(bench: EngineBench) -> dict[str, Any]:
    """Return the measurements as plain values, ratios included."""
    return {
        "version": bench.version,
        "loops": [
            {**rate._asdict(), "times_real_time": rate.times_real_time} for rate in bench.loops
        ],
        "steps": [step._asdict() for step in bench.steps],
        "decoding": [{**time_._asdict(), "ratio": time_.ratio} for time_ in bench.decoding],
        "starts_seconds": bench.starts_seconds,
    }


def _loop_rate(wanted: int, config: EngineBenchConfig, bar: ProgressBar) -> LoopRate:
    """Let matches go on with about so many units, and put in what is missing between parts."""
    seconds, loops, units, seed = 0.0, 0, 0.0, config.seed
    for number, races in enumerate(_MATCH_UPS, start=1):
        match: Match | None = None
        while loops < config.loops * number // len(_MATCH_UPS):
            if match is None or match.is_over or num_units(match) > _TOO_MANY * wanted:
                match = _match_under_way(races, wanted, config, seed)
                seed += 1
            top_up(match, wanted)
            before, loop = num_units(match), match.loop
            started = time.process_time()
            match.advance(_PART_LOOPS)
            seconds += time.process_time() - started
            loops += match.loop - loop
            units += (match.loop - loop) * (before + num_units(match)) / 2
            bar.show(0.6 * loops / config.loops, f"loops with {wanted} units")
    return LoopRate(wanted, units / loops, loops / max(seconds, 1e-9))


def _match_under_way(
    races: tuple[int, int], wanted: int, config: EngineBenchConfig, seed: int
) -> Match:
    players = [
        PlayerSetup(kind=PlayerKind.COMPUTER, race=race, difficulty=VERY_HARD) for race in races
    ]
    match = Match(read_map(map_bytes(config.map_path)), players, seed=seed)
    while num_units(match) < _ENOUGH * wanted and match.loop < _LONGEST_START_LOOPS:
        match.advance(_PART_LOOPS)
    return match


def num_units(match: Match) -> int:
    """Return how many units and buildings the players have."""
    return int((match.world.units["owner"][match.game.alive()] > 0).sum())


def top_up(match: Match, wanted: int) -> None:
    """Give both players soldiers until there are so many units, near their starts."""
    game = match.game
    for i in range(max(wanted - num_units(match), 0)):
        player = 1 + i % 2
        row = game.tables.row[_SOLDIERS[match.races[player - 1]]]
        start_x, start_y = match.game_map.starts[player - 1]
        x = round((start_x + i // 2 % 8 - 4) * ONE)
        y = round((start_y + i // 16 % 8 - 4) * ONE)
        game.spawn(row, player, *game.open_place(row, x, y))
    game.count_supply()


def _step_times(config: EngineBenchConfig, bar: ProgressBar) -> list[StepTime]:
    ways: dict[str, tuple[Callable[[], Any], sc_pb.InterfaceOptions]] = {
        "in process, raw": (in_process, RAW),
        "in process, raw and minimap": (in_process, RAW_AND_MINIMAP),
        "over the socket, raw": (over_the_socket, RAW),
        "over the socket, raw and minimap": (over_the_socket, RAW_AND_MINIMAP),
    }
    times = []
    for way, (connect, options) in ways.items():
        bar.show(0.6, f"steps {way}")
        with connect() as ask:
            start_game(ask, options, map_path=config.map_path, seed=config.seed)
            fill(ask, _STEP_UNITS)
            seconds = [_timed(_step, ask) for _ in range(config.steps)]
        median, ninetieth = np.percentile(seconds, [50, 90])
        times.append(StepTime(way, 1000 * float(median), 1000 * float(ninetieth)))
    return times


_STEP = sc_pb.Request(step=sc_pb.RequestStep(count=STEP_LOOPS)).SerializeToString()


def _step(ask: Ask) -> None:
    ask(_STEP)
    ask(OBSERVE)


def _timed(function: Callable[..., object], *arguments: object) -> float:
    started = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - started


def _decode_time(wanted: int, config: EngineBenchConfig, bar: ProgressBar) -> DecodeTime:
    """Read one observation again and again, in turns with pysc2; the best time of each counts."""
    from pysc2.lib import features  # needs what run() has loaded

    bar.show(0.8, f"decoding {wanted} units")
    with in_process() as ask:
        start_game(ask, RAW, map_path=config.map_path, seed=config.seed)
        fill(ask, wanted)
        info = answered(ask, game_info=sc_pb.RequestGameInfo()).game_info
        data = ask(OBSERVE)
    reader = features.features_from_game_info(info, use_raw_units=True, use_raw_actions=True)
    size = info.start_raw.map_size
    pixels = pysc2_pixels((size.x, size.y))
    ours, theirs = [], []
    for _ in range(_NUM_DECODED):
        ours.append(_timed(decode_response, data, pixels))
        theirs.append(_timed(_read_with_pysc2, reader, data))
    num_rows = len(decode_response(data, pixels).units)
    return DecodeTime(num_rows, 1000 * min(ours), 1000 * min(theirs))


def _read_with_pysc2(reader: Any, data: bytes) -> None:
    reader.transform_obs(sc_pb.Response.FromString(data).observation)


def _starts(config: EngineBenchConfig, bar: ProgressBar) -> dict[str, float]:
    """Start the server with an empty cache, and again with what the first start has left there."""
    times = {}
    with TemporaryDirectory() as folder:
        cache = Path(folder) if config.first_start else None
        if config.first_start:
            bar.show(0.85, "the first start")
            times["first start, which compiles"] = _timed(_start_up, cache, config)
        bar.show(0.95, "a later start")
        times["later start"] = _timed(_start_up, cache, config)
    return times


def _start_up(cache: Path | None, config: EngineBenchConfig) -> None:
    with over_the_socket(cache) as ask:
        start_game(ask, RAW_AND_MINIMAP, map_path=config.map_path, seed=config.seed)
        _step(ask)
