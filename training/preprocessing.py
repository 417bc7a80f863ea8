"""Replays to a dataset, in parallel on Ray: ``latentstar replays IN OUT``.

Replays are read from their event streams, without the game, or played back by a game: by the engine
those of its own games, by StarCraft II its own where SC2PATH has it in their build.

Each replay becomes one shard and one record, written when the game is done and never touched
again, so that a run that is stopped goes on where it was and ends in the same bytes. What
replays share (duplicates, the index, the report) is settled at the end, from the records.
"""

import hashlib
import logging
import math
import os
import resource
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, NamedTuple

from tyro.conf import EnumChoicesFromValues

from agent.scripted.player import ScriptedPlayer
from envs.connection import Connection
from envs.errors import GameError
from envs.interface import INTERFACE_VERSION, Knowledge
from envs.launch import in_process, launch
from envs.replays.archive import ReplayRefused
from envs.replays.quality import Quality
from envs.replays.reconstruction import ReplayGame, decode_replay
from envs.replays.rerun import RerunGame, base_build_of, rerun_replay
from envs.timeline import StepFlag
from training.cluster import ray_for
from training.dataset import DATASET_FILE, SHARD_FOLDER
from training.preprocessing_report import write_report
from training.progress import progress_bar
from training.records import (
    RECORD_FOLDER,
    is_done,
    read_records,
    refusal,
    shard_path,
    write_index,
    write_record,
)
from training.replay_files import ReplayFile, find_replays
from training.run_folder import LOCK_FILE, locked_run
from training.shard import AnyTimeline, PlayerFacts, write_shard
from training.whole_files import UNFINISHED_SUFFIX, read_json, write_json

logger = logging.getLogger(__name__)

RECORD_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class ReplaysConfig:
    """Decode replays to a dataset, without the game: ``latentstar replays IN OUT``."""

    replays: Path  # folder with .SC2Replay files, searched with its subfolders
    dataset: Path  # folder to write; what is already there is kept and completed
    # From the replays' events alone, or by playing them back: on the engine, or on SC2PATH's game.
    knowledge: Annotated[Knowledge, EnumChoicesFromValues] = Knowledge.EVENTS
    # Label each step with what the scripted player of this style would have done, played back only.
    teacher: str | None = None
    workers: int = max(1, os.cpu_count() or 1)  # processes
    timeout_seconds: float = 120.0  # a replay that takes longer is refused
    memory_mib: int = 4096  # a replay that would make its process larger is refused
    limit: int | None = None  # decode the first so many files only

    def __post_init__(self) -> None:
        if self.teacher is not None and self.knowledge is Knowledge.EVENTS:
            raise ValueError(
                f"teacher needs --knowledge game, which plays replays back, got {self.teacher!r}"
            )
        if self.workers < 1:
            raise ValueError(f"workers must be at least 1, got {self.workers}")
        if not 0 < self.timeout_seconds < math.inf:
            raise ValueError(
                f"timeout_seconds must be positive and finite, got {self.timeout_seconds}"
            )
        if self.memory_mib < 1:
            raise ValueError(f"memory_mib must be at least 1, got {self.memory_mib}")
        if self.limit is not None and self.limit < 1:
            raise ValueError(f"limit must be at least 1, got {self.limit}")


def run(config: ReplaysConfig) -> None:
    """Decode all replays in a folder.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: the folder has no replay, or the dataset is of another version or cannot be
            written.
    """
    replays = find_replays(config.replays, config.limit)
    _require_fitting(config)  # before the lock, which would be left in a refused folder
    try:
        with locked_run(config.dataset):
            report = _complete(replays, config)
    except OSError as error:
        raise ValueError(f"cannot complete {config.dataset}: {error}") from error
    logger.info(
        "%d games with %d commands, %d files refused: see %s",
        report["games"],
        report["commands"],
        sum(map(len, report["refused"].values())),
        config.dataset / "report.json",
    )


def _complete(replays: list[ReplayFile], config: ReplaysConfig) -> dict[str, Any]:
    """Decode what is not yet decoded, and return the report on all of it."""
    _prepare(config)
    readable = [replay for replay in replays if replay.problem is None]
    pending = [replay for replay in readable if not is_done(config.dataset, replay)]
    pending = list({replay.sha256: replay for replay in reversed(pending)}.values())[::-1]
    done = len(replays) - len(pending)
    if done:
        logger.info("%d of %d replays need no decoding", done, len(replays))
    with progress_bar("decoding replays") as bar:
        for decoded, _ in enumerate(_decode_all(pending, config), start=done + 1):
            bar.show(decoded / len(replays), f"{decoded} of {len(replays)}")
    records = read_records(replays, config.dataset)
    restored = _restore_shards(replays, records, config)
    if restored:
        records = read_records(replays, config.dataset)
    write_index(records, config.dataset)
    return write_report(records, config.dataset)


def _restore_shards(
    replays: list[ReplayFile], records: list[dict[str, Any]], config: ReplaysConfig
) -> int:
    """Decode again what was a later copy until the first one was taken away; return how many."""
    restored = 0
    for replay, record in zip(replays, records, strict=True):
        if "refused" not in record and not shard_path(config.dataset, replay).exists():
            decode_one(replay, config)
            restored += 1
    return restored


def _require_fitting(config: ReplaysConfig) -> None:
    """Refuse a folder that holds something else than a dataset that can be completed."""
    dataset = config.dataset
    path = dataset / DATASET_FILE
    if not path.exists():
        # A run that was stopped here leaves folders and parts of files. The description is any
        # run's first file, so one that has begun meanwhile is told by it.
        is_foreign = any(p.is_file() and not _is_ours(p) for p in dataset.rglob("*"))
        if is_foreign and not path.exists():
            raise ValueError(f"{dataset} must be empty or a dataset, it is neither")
        return
    remedy = "name another folder, or delete it and decode again"
    found = read_json(path, remedy=remedy)
    for key, wanted in _description(config).items():
        if found.get(key) != wanted:
            raise ValueError(
                f"{dataset} must be a dataset of {key} {wanted}, it has {found.get(key)}: {remedy}"
            )


def _prepare(config: ReplaysConfig) -> None:
    """Make the folder, or clear what a stopped run left in it."""
    dataset = config.dataset
    _require_fitting(config)  # again: what it holds may be another run's that has just ended
    for folder in (dataset, dataset / SHARD_FOLDER, dataset / RECORD_FOLDER):
        folder.mkdir(parents=True, exist_ok=True)
        for leftover in folder.glob(f"*{UNFINISHED_SUFFIX}"):
            leftover.unlink()
    write_json(dataset / DATASET_FILE, _description(config))


def _description(config: ReplaysConfig) -> dict[str, Any]:
    """Return what a dataset says of itself."""
    described = {
        "interface_version": INTERFACE_VERSION,
        "record_version": RECORD_VERSION,
        "knowledge": config.knowledge.value,
    }
    return described if config.teacher is None else {**described, "teacher": config.teacher}


def _is_ours(path: Path) -> bool:
    """Return whether a file may lie in a folder that is to become a dataset."""
    return path.name == LOCK_FILE or path.suffix == UNFINISHED_SUFFIX


def _decode_all(replays: list[ReplayFile], config: ReplaysConfig) -> Iterator[None]:
    """Decode files, on Ray where there is more than one worker to give them to."""
    if config.workers == 1 or len(replays) < 2:
        for replay in replays:
            decode_one(replay, config)
            yield
        return
    with ray_for(config.workers):
        yield from _decode_on_ray(replays, config)


def _decode_on_ray(replays: list[ReplayFile], config: ReplaysConfig) -> Iterator[None]:
    import ray  # see ray_for

    task = ray.remote(num_cpus=1, max_retries=1)(decode_one)
    waiting = iter(replays)
    running: dict[Any, ReplayFile] = {}
    for replay in islice(waiting, 2 * config.workers):
        running[task.remote(replay, config)] = replay
    while running:
        (finished,), _ = ray.wait(list(running), num_returns=1)
        replay = running.pop(finished)
        try:
            ray.get(finished)
        except (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError):
            _refuse(replay, config.dataset, "decoder died", "its process was killed", seconds=0.0)
        except ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, OSError):  # in its own words
                raise error.cause from error
            raise
        yield
        for following in islice(waiting, 1):
            running[task.remote(following, config)] = following


def decode_one(replay: ReplayFile, config: ReplaysConfig) -> None:
    """Decode one replay to its shard and its record, or to a record that says why not.

    Raises:
        OSError: what was decoded cannot be written.
    """
    started = time.process_time()
    try:
        with _bounded(config.timeout_seconds, config.memory_mib):
            game = _read_game(replay, config)
            _write_game(replay, game, config, started)
    except ReplayRefused as error:
        seconds = time.process_time() - started
        _refuse(replay, config.dataset, error.reason, str(error), seconds=seconds)
    except MemoryError:
        detail = f"its process would be larger than {config.memory_mib} MiB"
        _refuse(replay, config.dataset, "too much memory", detail, seconds=0.0)


@contextmanager
def _bounded(timeout_seconds: float, memory_mib: int) -> Iterator[None]:
    """Bound the wall clock and the address space of what runs inside."""

    def too_slow(_signal: int, _frame: FrameType | None) -> None:
        raise ReplayRefused("too slow", f"not decoded within {timeout_seconds:g} seconds")

    before = signal.signal(signal.SIGALRM, too_slow)
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    soft, _ = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (memory_mib << 20, hard))
    # Again each second, since the first can fall where a refusal is let pass: in the chat, say.
    signal.setitimer(signal.ITIMER_REAL, timeout_seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


class _Decoded(NamedTuple):
    """A game, however it was read."""

    timelines: Sequence[AnyTimeline]
    facts: tuple[PlayerFacts, ...]
    described: dict[str, Any]
    quality: Quality


def _read_game(replay: ReplayFile, config: ReplaysConfig) -> _Decoded:
    try:
        if config.knowledge is Knowledge.EVENTS:
            return _read_events(decode_replay(replay.path))
        content = replay.path.read_bytes()
        with _game_that_plays(content) as connection:
            teacher_of = None
            if config.teacher is not None:
                teacher_of = partial(ScriptedPlayer, style=config.teacher)
            return _read_rerun(rerun_replay(connection, content, teacher_of=teacher_of))
    except OSError as error:
        raise ReplayRefused("cannot be read", str(error)) from error
    except GameError as error:
        raise ReplayRefused("cannot be played back", str(error)) from error


def _game_that_plays(replay: bytes) -> Connection:
    """Return the game that SC2PATH has in a replay's build, or the engine where it has none."""
    return launch(base_build=base_build_of(replay)) if "SC2PATH" in os.environ else in_process()


def _read_events(game: ReplayGame) -> _Decoded:
    lobby = game.lobby
    chat = "\n".join(f"{line.loop} {line.user}: {line.text}" for line in game.chat)
    facts = tuple(
        PlayerFacts(player.player, player.name, player.result, player.league, log, chat)
        for player, log in zip(lobby.players, game.logs, strict=True)
    )
    described = {
        "map_name": lobby.map_name,
        "map_size": lobby.map_size,
        "version": lobby.version,
        "base_build": lobby.base_build,
        "game_loops": lobby.game_loops,
        "random_seed": lobby.random_seed,
    }
    return _Decoded(game.timelines, facts, described, game.quality)


def _read_rerun(game: RerunGame) -> _Decoded:
    results = {1: 1, 2: -1, 3: 0}  # of the API, as replays number them
    facts = tuple(
        PlayerFacts(player.player, "", results.get(player.result or 0), None, "", "")
        for player in game.players
    )
    of_map = game.timelines[0]
    described = {
        "map_name": game.map_name,
        "map_size": (of_map.map_width, of_map.map_height),
        "version": game.version,
        "base_build": game.base_build,
        "game_loops": game.game_loops,
        "random_seed": None,
    }
    return _Decoded(game.timelines, facts, described, game.quality)


def _write_game(replay: ReplayFile, game: _Decoded, config: ReplaysConfig, started: float) -> None:
    game_id = replay.sha256[:16]
    described = {"game_id": game_id, **game.described}
    path = shard_path(config.dataset, replay)
    write_shard(path, game.timelines, game.facts, described, config.knowledge)
    record = {
        "file": replay.name,
        "game": described,
        "players": [
            _player_record(row, timeline, fact)
            for row, (timeline, fact) in enumerate(zip(game.timelines, game.facts, strict=True))
        ],
        "quality": game.quality.as_record(),
        "replay_bytes": replay.num_bytes,
        "shard_bytes": path.stat().st_size,
        "shard_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    write_record(config.dataset, replay, record, cpu_seconds=time.process_time() - started)


def _player_record(row: int, timeline: AnyTimeline, fact: PlayerFacts) -> dict[str, Any]:
    flags = timeline.step_flags
    synthetic = (flags & StepFlag.SYNTHETIC) != 0
    scored = StepFlag.CLEAN | StepFlag.MAPPED
    return {
        "row": row,
        "player": fact.player,
        "race": timeline.race,
        "opponent_race": timeline.opponent_race,
        "result": fact.result,
        "mmr": timeline.mmr,
        "league": fact.league,
        "steps": timeline.num_steps,
        "synthetic": int(synthetic.sum()),
        "commands": int((~synthetic).sum()),
        "clean_mapped": int(((flags & scored) == scored).sum()),
    }


def _refuse(replay: ReplayFile, dataset: Path, reason: str, detail: str, *, seconds: float) -> None:
    write_record(dataset, replay, refusal(replay, reason, detail), cpu_seconds=seconds)
