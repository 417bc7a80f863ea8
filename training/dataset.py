"""A dataset folder: whose games it holds, how they are split, and each game's steps.

``latentstar replays`` writes ``dataset.json`` (what its steps can know), ``index.parquet`` (a
row for each player of each game) and ``shards/GAME.parquet``. Nothing here knows of replays.
"""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow
import pyarrow.parquet

from envs.interface import INTERFACE_VERSION, Knowledge, Race
from training.seeding import random_generator
from training.shard import AnyTimeline, read_timeline
from training.whole_files import read_json

DATASET_FILE = "dataset.json"
INDEX_FILE = "index.parquet"

SHARD_FOLDER = "shards"

_COLUMNS = [
    *("game_id", "shard", "shard_sha256", "row", "split", "race", "opponent_race", "steps"),
]

_log = logging.getLogger(__name__)


class Split(Enum):
    """What a game is for; both its players' views go to the same."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


class PlayerGame(NamedTuple):
    """One player's view of one game."""

    game_id: str
    shard: str  # path from the dataset's folder
    row: int  # of the shard
    race: Race
    opponent_race: Race
    num_steps: int
    split: Split
    shard_sha256: str


class Dataset(NamedTuple):
    """What a dataset folder says of itself."""

    folder: Path
    knowledge: Knowledge
    identity: str  # changes with any game, split or interface
    games: tuple[PlayerGame, ...]

    def of_split(self, split: Split) -> tuple[PlayerGame, ...]:
        """Return the games of a split."""
        return tuple(game for game in self.games if game.split is split)

    def of_needed_split(self, split: Split) -> tuple[PlayerGame, ...]:
        """Return the games of a split that cannot be done without.

        Raises:
            ValueError: it has none.
        """
        games = self.of_split(split)
        if not games:
            raise ValueError(f"{self.folder}: no games in the {split.value} split")
        return games


def read_dataset(folder: Path) -> Dataset:
    """Return the description of a dataset.

    Raises:
        FileNotFoundError: no dataset there.
        ValueError: it is empty, damaged, or of another interface version.
    """
    header = _read_header(folder)
    version = header.get("interface_version")
    if version != INTERFACE_VERSION:
        raise ValueError(
            f"{folder}: interface_version is {version} there and {INTERFACE_VERSION} here; "
            "decode the replays again"
        )
    games = _read_index(folder)
    _require_whole_games(folder, games)
    try:
        knowledge = Knowledge(header.get("knowledge"))
    except ValueError as error:
        raise ValueError(f"{folder / DATASET_FILE}: {error}") from error
    return Dataset(folder, knowledge, _identity(knowledge, games), games)


def read_datasets(folders: Sequence[Path]) -> Dataset:
    """Return the description of several datasets as of one; the first is where it lies.

    Raises:
        FileNotFoundError: no dataset there.
        ValueError: one is empty, damaged, or of another interface version or knowledge.
    """
    first, *others = (read_dataset(folder) for folder in folders)
    if not others:
        return first
    games = list(first.games)
    for other in others:
        if other.knowledge is not first.knowledge:
            raise ValueError(
                f"{other.folder} must have the knowledge of {first.folder}, "
                f"{first.knowledge.value}, it has {other.knowledge.value}"
            )
        root = other.folder.resolve()
        games += [game._replace(shard=str(root / game.shard)) for game in other.games]
    identities = " ".join(dataset.identity for dataset in (first, *others))
    identity = hashlib.sha256(identities.encode()).hexdigest()[:16]
    return Dataset(first.folder, first.knowledge, identity, tuple(games))


def open_game(folder: Path, game: PlayerGame) -> AnyTimeline:
    """Return one player's whole game; the only place where steps come from."""
    return read_timeline(folder / game.shard, game.row)


def sample_of_games(
    games: tuple[PlayerGame, ...], size: int, *, seed: int
) -> tuple[PlayerGame, ...]:
    """Return a fixed sample of games, in their order; all of them if there are no more."""
    order = random_generator(seed, "sample_of_games").permutation(len(games))
    return tuple(games[i] for i in sorted(order[:size]))


def _read_header(folder: Path) -> Mapping[str, Any]:
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder")
    for name in (DATASET_FILE, INDEX_FILE):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder}: not a dataset, it has no {name}")
    return read_json(folder / DATASET_FILE, remedy="delete the folder and decode again")


def _read_index(folder: Path) -> tuple[PlayerGame, ...]:
    try:
        rows = pyarrow.parquet.read_table(folder / INDEX_FILE, columns=_COLUMNS).to_pylist()
        games = [
            PlayerGame(
                game_id=row["game_id"],
                shard=row["shard"],
                row=int(row["row"]),
                race=Race(row["race"]),
                opponent_race=Race(row["opponent_race"]),
                num_steps=int(row["steps"]),
                split=Split(row["split"]),
                shard_sha256=row["shard_sha256"],
            )
            for row in sorted(rows, key=lambda row: (row["game_id"], row["row"]))
        ]
    except (OSError, pyarrow.ArrowException, ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{folder / INDEX_FILE}: {error}") from error
    present = [game for game in games if (folder / game.shard).is_file()]
    if len(present) < len(games):
        _log.info("%s: %d of %d shards are here", folder, len(present) // 2, len(games) // 2)
    games = [game for game in present if game.num_steps > 0]
    if not games:
        raise ValueError(f"{folder}: the dataset holds no steps")
    return tuple(games)


def _require_whole_games(folder: Path, games: tuple[PlayerGame, ...]) -> None:
    """Refuse a dataset in which one game teaches and tests."""
    splits: dict[str, Split] = {}
    for game in games:
        if splits.setdefault(game.game_id, game.split) is not game.split:
            raise ValueError(f"{folder}: game {game.game_id} is in more than one split")


def _identity(knowledge: Knowledge, games: tuple[PlayerGame, ...]) -> str:
    rows = [
        [game.split.value, *(part for part in game if part is not game.split)] for game in games
    ]
    content = json.dumps([INTERFACE_VERSION, knowledge.value, rows])
    return hashlib.sha256(content.encode()).hexdigest()[:16]
