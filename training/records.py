"""What was found in each replay file, and what follows from all of them: copies and the index.

A record is written once per file, when it is done, and never touched again; it is what makes a
stopped run go on. Times differ from run to run and lie in a file beside it.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from training.dataset import INDEX_FILE, SHARD_FOLDER, Split
from training.replay_files import ReplayFile
from training.whole_files import read_json, whole_file, write_json

RECORD_FOLDER = "records"

# Of a hundred games, this many train, and the next few validate; the rest test.
_TRAIN_PERCENT, _VALIDATION_PERCENT = 80, 10

_REMEDY = "delete it and decode again"

# Reasons that may not hold the next time.
_PASSING = frozenset({"too slow", "too much memory", "decoder died", "cannot be read"})


def game_split(game_key: str) -> Split:
    """Return the split of a game: by the hash of the game alone, never by player or row."""
    place = int(hashlib.sha256(f"split {game_key}".encode()).hexdigest()[:8], 16) % 100
    if place < _TRAIN_PERCENT:
        return Split.TRAIN
    return Split.VALIDATION if place < _TRAIN_PERCENT + _VALIDATION_PERCENT else Split.TEST


def game_key(record: dict[str, Any]) -> str:
    """Return what every copy of a game has in common; a game without a seed has no known copy."""
    game = record["game"]
    if game["random_seed"] is None:
        return str(game["game_id"])
    races = [player["race"] for player in record["players"]]
    return "-".join(map(str, [game["random_seed"], game["base_build"], *races]))


def is_done(dataset: Path, replay: ReplayFile) -> bool:
    """Return whether a file needs no more work; one refused for a passing reason does."""
    path = record_path(dataset, replay)
    return path.exists() and read_json(path, remedy=_REMEDY).get("refused") not in _PASSING


def record_path(dataset: Path, replay: ReplayFile) -> Path:
    """Return where a file's record is."""
    return dataset / RECORD_FOLDER / f"{replay.sha256[:16]}.json"


def shard_path(dataset: Path, replay: ReplayFile) -> Path:
    """Return where a file's game is."""
    return dataset / SHARD_FOLDER / f"{replay.sha256[:16]}.parquet"


def write_record(
    dataset: Path, replay: ReplayFile, record: dict[str, Any], *, cpu_seconds: float
) -> None:
    """Write a file's record."""
    path = record_path(dataset, replay)
    write_json(path.with_suffix(".time"), {"cpu_seconds": cpu_seconds})
    write_json(path, record)


def refusal(replay: ReplayFile, reason: str, detail: str) -> dict[str, Any]:
    """Return the record of a file that is not used."""
    return {
        "file": replay.name,
        "refused": reason,
        "detail": detail,
        "replay_bytes": replay.num_bytes,
    }


def read_records(replays: list[ReplayFile], dataset: Path) -> list[dict[str, Any]]:
    """Return the records of all files, refusing all but the first copy of a game.

    Two people who save the same game write different bytes; its random seed tells. The shards of
    later copies are removed.
    """
    first: dict[str, str] = {}
    records = []
    for replay in replays:
        if replay.problem is not None:
            records.append({**refusal(replay, *replay.problem), "cpu_seconds": 0.0})
            continue
        path = record_path(dataset, replay)
        record = read_json(path, remedy=_REMEDY)
        times = read_json(path.with_suffix(".time"), remedy=_REMEDY)
        record["cpu_seconds"] = times["cpu_seconds"]
        keys = [replay.sha256] if "refused" in record else [replay.sha256, game_key(record)]
        copies = [first[key] for key in keys if key in first]
        if copies and "refused" not in record:
            if replay.sha256 not in first:
                shard_path(dataset, replay).unlink(missing_ok=True)
            detail = f"the same game as {copies[0]}"
            record = {**refusal(replay, "duplicate", detail), "cpu_seconds": 0.0}
        for key in keys:
            first.setdefault(key, replay.name)
        records.append({**record, "file": replay.name})
    return records


def write_index(records: Iterable[dict[str, Any]], dataset: Path) -> None:
    """Write one row for each player of each game that is used."""
    rows = [
        {
            "game_id": record["game"]["game_id"],
            "shard": f"{SHARD_FOLDER}/{record['game']['game_id']}.parquet",
            "shard_sha256": record["shard_sha256"],
            "split": game_split(game_key(record)).value,
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
    texts = ("game_id", "shard", "shard_sha256", "split", "map_name", "version")
    numbers = (
        *("game_loops", "row", "player", "race", "opponent_race", "result", "mmr", "league"),
        *("steps", "synthetic", "commands", "clean_mapped"),
    )
    schema = pa.schema(
        [(name, pa.string()) for name in texts] + [(name, pa.int32()) for name in numbers]
    )
    with whole_file(dataset / INDEX_FILE) as unfinished:
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), unfinished)
