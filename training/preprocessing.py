"""Replays to a dataset, in parallel on Ray: ``latentstar replays IN OUT``.

Each replay becomes one shard and one record, written when the game is done and never touched
again, so that a run that is stopped goes on where it was and ends in the same bytes. What
replays share (duplicates, the index, the report) is settled at the end, from the records.
"""

import hashlib
import json
import logging
import os
import resource
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from envs.interface import INTERFACE_VERSION, Knowledge
from envs.replays.archive import ReplayRefused
from envs.replays.reconstruction import ReplayGame, decode_replay
from envs.timeline import StepFlag, Timeline
from training.preprocessing_report import write_report
from training.progress import progress_bar
from training.shard import PlayerFacts, write_shard

logger = logging.getLogger(__name__)

RECORD_VERSION = 1

# Of a hundred games, this many train, and the next few validate; the rest test.
_TRAIN_PERCENT, _VALIDATION_PERCENT = 80, 10


@dataclass(frozen=True, kw_only=True)
class ReplaysConfig:
    """Decode replays to a dataset, without the game: ``latentstar replays IN OUT``."""

    replays: Path  # folder with .SC2Replay files, searched with its subfolders
    dataset: Path  # folder to write; what is already there is kept and completed
    workers: int = max(1, os.cpu_count() or 1)  # processes
    timeout_seconds: float = 120.0  # a replay that takes longer is refused
    memory_mib: int = 4096  # a replay that would make its process larger is refused
    limit: int | None = None  # decode the first so many files only

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise ValueError(f"workers must be at least 1, got {self.workers}")
        if self.timeout_seconds <= 0:
            raise ValueError(f"timeout_seconds must be positive, got {self.timeout_seconds}")
        if self.limit is not None and self.limit < 1:
            raise ValueError(f"limit must be at least 1, got {self.limit}")


class ReplayFile(NamedTuple):
    """A file to decode."""

    path: Path
    name: str  # within the folder
    sha256: str


def run(config: ReplaysConfig) -> None:
    """Decode all replays in a folder.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: the folder has no replay, or the dataset is of another version.
    """
    replays = find_replays(config.replays)[: config.limit]
    _prepare(config.dataset)
    pending = [replay for replay in replays if not _record_path(config.dataset, replay).exists()]
    pending = list({replay.sha256: replay for replay in reversed(pending)}.values())[::-1]
    done = len(replays) - len(pending)
    if done:
        logger.info("%d of %d replays were decoded before", done, len(replays))
    with progress_bar("decoding replays") as bar:
        for decoded, _ in enumerate(_decode_all(pending, config), start=done + 1):
            bar.show(decoded / len(replays), f"{decoded} of {len(replays)}")
    records = _without_duplicates(replays, config)
    _write_index(records, config.dataset)
    report = write_report(records, config.dataset)
    logger.info(
        "%d games with %d commands, %d files refused: see %s",
        report["games"],
        report["commands"],
        sum(map(len, report["refused"].values())),
        config.dataset / "report.json",
    )


def game_split(game_id: str) -> str:
    """Return the split of a game: by the hash of the game alone, never by player or row."""
    place = int(hashlib.sha256(f"split {game_id}".encode()).hexdigest()[:8], 16) % 100
    if place < _TRAIN_PERCENT:
        return "train"
    return "validation" if place < _TRAIN_PERCENT + _VALIDATION_PERCENT else "test"


def find_replays(folder: Path) -> list[ReplayFile]:
    """Return the replays in a folder and its subfolders, by name.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: it has no replay.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"replays must be a folder, there is none at {folder}")
    found = (path for path in folder.rglob("*") if path.suffix.lower() == ".sc2replay")
    files = sorted(path for path in found if path.is_file())
    if not files:
        raise ValueError(f"{folder} must hold .SC2Replay files, it holds none")
    return [
        ReplayFile(
            file, str(file.relative_to(folder)), hashlib.sha256(file.read_bytes()).hexdigest()
        )
        for file in files
    ]


def _prepare(dataset: Path) -> None:
    """Make the folder, or check that it is a dataset that can be completed."""
    description = {
        "interface_version": INTERFACE_VERSION,
        "record_version": RECORD_VERSION,
        "knowledge": Knowledge.EVENTS.value,
    }
    path = dataset / "dataset.json"
    if path.exists():
        found = json.loads(path.read_text(encoding="utf-8"))
        for key, wanted in description.items():
            if found.get(key) != wanted:
                raise ValueError(
                    f"{dataset} must be a dataset of {key} {wanted}, it has {found.get(key)}: "
                    "name another folder, or delete it and decode again"
                )
    # A run that was stopped here leaves folders and parts of files, but no file.
    elif any(p.is_file() and p.suffix != ".partial" for p in dataset.rglob("*")):
        raise ValueError(f"{dataset} must be empty or a dataset, it is neither")
    (dataset / "shards").mkdir(parents=True, exist_ok=True)
    (dataset / "records").mkdir(exist_ok=True)
    for leftover in dataset.rglob("*.partial"):
        leftover.unlink()
    _write_json(path, description)


def _decode_all(replays: list[ReplayFile], config: ReplaysConfig) -> Iterator[None]:
    """Decode files, on Ray where there is more than one worker to give them to."""
    if config.workers == 1 or len(replays) < 2:
        for replay in replays:
            decode_one(replay, config)
            yield
        return
    import ray  # takes seconds, and one worker needs none

    started_here = not ray.is_initialized()
    if started_here:
        ray.init(
            num_cpus=config.workers,
            include_dashboard=False,
            _node_ip_address="127.0.0.1",
            logging_level=logging.ERROR,
            configure_logging=False,
        )
    try:
        yield from _decode_on_ray(replays, config)
    finally:
        if started_here:
            ray.shutdown()


def _decode_on_ray(replays: list[ReplayFile], config: ReplaysConfig) -> Iterator[None]:
    import ray  # see _decode_all

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
        yield
        for following in islice(waiting, 1):
            running[task.remote(following, config)] = following


def decode_one(replay: ReplayFile, config: ReplaysConfig) -> None:
    """Decode one replay to its shard and its record, or to a record that says why not."""
    started = time.process_time()
    try:
        with _bounded(config.timeout_seconds, config.memory_mib):
            game = decode_replay(replay.path)
            _write_game(replay, game, config.dataset, started)
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


def _write_game(replay: ReplayFile, game: ReplayGame, dataset: Path, started: float) -> None:
    game_id = replay.sha256[:16]
    lobby = game.lobby
    chat = "\n".join(f"{line.loop} {line.user}: {line.text}" for line in game.chat)
    facts = tuple(
        PlayerFacts(player.player, player.name, player.result, player.league, log, chat)
        for player, log in zip(lobby.players, game.logs, strict=True)
    )
    described = {
        "game_id": game_id,
        "map_name": lobby.map_name,
        "map_size": lobby.map_size,
        "version": lobby.version,
        "base_build": lobby.base_build,
        "game_loops": lobby.game_loops,
        "random_seed": lobby.random_seed,
    }
    path = dataset / "shards" / f"{game_id}.parquet"
    write_shard(path, game.timelines, facts, described, Knowledge.EVENTS)
    record = {
        "file": replay.name,
        "game": described,
        "players": [
            _player_record(row, timeline, fact)
            for row, (timeline, fact) in enumerate(zip(game.timelines, facts, strict=True))
        ],
        "quality": game.quality.as_record(),
        "replay_bytes": replay.path.stat().st_size,
        "shard_bytes": path.stat().st_size,
    }
    seconds = time.process_time() - started
    _write_record(_record_path(dataset, replay), record, cpu_seconds=seconds)


def _player_record(row: int, timeline: Timeline, fact: PlayerFacts) -> dict[str, Any]:
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
    record = {
        "file": replay.name,
        "refused": reason,
        "detail": detail,
        "replay_bytes": replay.path.stat().st_size,
    }
    _write_record(_record_path(dataset, replay), record, cpu_seconds=seconds)


def _record_path(dataset: Path, replay: ReplayFile) -> Path:
    return dataset / "records" / f"{replay.sha256[:16]}.json"


def _write_record(path: Path, record: dict[str, Any], *, cpu_seconds: float) -> None:
    """Write a record; the time it took goes to a file beside it, as it differs from run to run."""
    _write_json(path.with_suffix(".time"), {"cpu_seconds": cpu_seconds})
    _write_json(path, record)


def _write_json(path: Path, value: dict[str, Any]) -> None:
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1)
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _without_duplicates(replays: list[ReplayFile], config: ReplaysConfig) -> list[dict[str, Any]]:
    """Return the records of all files, refusing all but the first copy of a game.

    Two people who save the same game write different bytes; its random seed tells.
    """
    dataset = config.dataset
    first: dict[Any, str] = {}
    records = []
    for replay in replays:
        path = _record_path(dataset, replay)
        record = json.loads(path.read_text(encoding="utf-8"))
        record["cpu_seconds"] = json.loads(path.with_suffix(".time").read_text())["cpu_seconds"]
        keys: list[Any] = [replay.sha256]
        if "refused" not in record and record["game"]["random_seed"] is not None:
            races = [player["race"] for player in record["players"]]
            keys.append((record["game"]["random_seed"], record["game"]["base_build"], *races))
        copies = [first[key] for key in keys if key in first]
        shard = dataset / "shards" / f"{replay.sha256[:16]}.parquet"
        if not copies and "refused" not in record and not shard.exists():
            decode_one(replay, config)  # a later copy, until the first one was taken away
        if copies and "refused" not in record:
            if keys[0] not in first:
                shard.unlink(missing_ok=True)
            detail = f"the same game as {copies[0]}"
            record = {"refused": "duplicate", "detail": detail, "cpu_seconds": 0.0} | {
                "replay_bytes": record["replay_bytes"]
            }
        for key in keys:
            first.setdefault(key, replay.name)
        records.append({**record, "file": replay.name})
    return records


def _write_index(records: Iterable[dict[str, Any]], dataset: Path) -> None:
    rows = [
        {
            "game_id": record["game"]["game_id"],
            "shard": f"shards/{record['game']['game_id']}.parquet",
            "split": game_split(record["game"]["game_id"]),
            "map_name": record["game"]["map_name"],
            "version": record["game"]["version"],
            "game_loops": record["game"]["game_loops"],
            **player,
        }
        for record in records
        if "refused" not in record
        for player in record["players"]
    ]
    rows.sort(key=lambda row: (row["game_id"], row["row"]))
    schema = pa.schema(
        [(name, pa.string()) for name in ("game_id", "shard", "split", "map_name", "version")]
        + [
            (name, pa.int32())
            for name in (
                "game_loops",
                "row",
                "player",
                "race",
                "opponent_race",
                "result",
                "mmr",
                "league",
                "steps",
                "synthetic",
                "commands",
                "clean_mapped",
            )
        ]
    )
    partial = dataset / "index.parquet.partial"
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), partial)
    partial.replace(dataset / "index.parquet")
