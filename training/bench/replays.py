"""Replay decoding against s2protocol: ``latentstar bench replays IN``.

The peer only decodes the game and tracker events; decoding to a shard does that, rebuilds the
world at every command and writes it. Both take their turn on each file, in one process, measured
in CPU seconds, so that a busy machine slows both.
"""

import logging
import random
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from envs.replays.archive import ReplayRefused, read_parts
from envs.replays.events import protocol_module
from envs.replays.lobby import read_protocol
from policies.config import PRESETS, preset
from training.preprocessing import ReplaysConfig, decode_one
from training.progress import progress_bar
from training.replay_files import ReplayFile, find_replays
from training.shard import read_timeline

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ReplaysBenchConfig:
    """Measure replay decoding against s2protocol: ``latentstar bench replays IN``."""

    replays: Path  # folder with .SC2Replay files
    games: int = 40  # how many of them, drawn at random
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse values that cannot be."""
        if self.games < 1:
            raise ValueError(f"games must be at least 1, got {self.games}")


class ReplaysBench(NamedTuple):
    """What was measured, over all games."""

    games: int
    decode_seconds: float  # CPU
    peer_seconds: float  # CPU, s2protocol
    bytes_per_replay_byte: float
    steps_per_second: dict[str, float]  # read back, by preset

    @property
    def ratio(self) -> float:
        """How many times the peer's CPU seconds decoding takes."""
        return self.decode_seconds / self.peer_seconds


def run(config: ReplaysBenchConfig) -> ReplaysBench:
    """Measure; the first replay is decoded and read once before, to compile."""
    replays = [replay for replay in find_replays(config.replays) if replay.problem is None]
    random.Random(config.seed).shuffle(replays)
    replays = replays[: config.games]
    tally = _Tally()
    with TemporaryDirectory() as folder, progress_bar("decoding twice") as bar:
        settings = ReplaysConfig(replays=config.replays, dataset=Path(folder), workers=1)
        for name in ("shards", "records"):
            (settings.dataset / name).mkdir()
        _measure(replays[0], settings, _Tally())
        for number, replay in enumerate(replays, start=1):
            bar.show(number / len(replays), replay.name)
            _measure(replay, settings, tally)
    if not tally.games:
        raise ValueError(f"{config.replays} holds no replay that can be decoded")
    bench = ReplaysBench(
        games=tally.games,
        decode_seconds=tally.decode_seconds,
        peer_seconds=tally.peer_seconds,
        bytes_per_replay_byte=tally.shard_bytes / max(tally.replay_bytes, 1),
        steps_per_second={
            name: tally.steps / max(seconds, 1e-9) for name, seconds in tally.read_seconds.items()
        },
    )
    for name, value in table_rows(bench):
        logger.info("%-45s %s", name, value)
    return bench


@dataclass
class _Tally:
    games: int = 0
    steps: int = 0
    replay_bytes: int = 0
    shard_bytes: int = 0
    decode_seconds: float = 0.0
    peer_seconds: float = 0.0
    read_seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PRESETS, 0.0))


def _measure(replay: ReplayFile, settings: ReplaysConfig, tally: _Tally) -> None:
    """Let both decode one replay, and read the shard back; leave out what is refused."""
    started = time.process_time()
    try:
        _decode_with_s2protocol(replay.path)
    except ReplayRefused:
        return
    decoding = time.process_time()
    decode_one(replay, settings)
    decoded = time.process_time()
    shard = settings.dataset / "shards" / f"{replay.sha256[:16]}.parquet"
    if not shard.exists():
        return
    tally.games += 1
    tally.peer_seconds += decoding - started
    tally.decode_seconds += decoded - decoding
    tally.replay_bytes += replay.path.stat().st_size
    tally.shard_bytes += shard.stat().st_size
    timelines = [read_timeline(shard, row) for row in (0, 1)]
    tally.steps += sum(timeline.num_steps for timeline in timelines)
    for name in PRESETS:
        started = time.process_time()
        for row in (0, 1):
            deque(read_timeline(shard, row).steps(plane_size=preset(name).plane_size), maxlen=0)
        tally.read_seconds[name] += time.process_time() - started
    shard.unlink()


def table_rows(bench: ReplaysBench) -> list[tuple[str, str]]:
    """Return the measurements as lines of a table."""
    rows = [
        ("games", str(bench.games)),
        ("CPU seconds a game, replay to shard", f"{bench.decode_seconds / bench.games:.3f}"),
        ("CPU seconds a game, s2protocol alone", f"{bench.peer_seconds / bench.games:.3f}"),
        ("ratio", f"{bench.ratio:.2f}"),
        ("shard bytes to a replay byte", f"{bench.bytes_per_replay_byte:.2f}"),
    ]
    return rows + [
        (f"steps read back a CPU second, planes of {name}", f"{rate:,.0f}")
        for name, rate in bench.steps_per_second.items()
    ]


def _decode_with_s2protocol(path: Path) -> None:
    parts = read_parts(path)
    protocol = protocol_module(read_protocol(parts).base_build)
    for _ in protocol.decode_replay_game_events(parts.game_events):
        pass
    for _ in protocol.decode_replay_tracker_events(parts.tracker_events):
        pass
