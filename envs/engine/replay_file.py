"""Replays: what a game was made from and every command, in a file that clients take for theirs.

The archive has the metadata by which pysc2 and python-sc2 choose a version of the game, and four
files of our own: a header, the map, the commands, and a hash of the state every 1,024 loops.
Nothing else is needed to see the game again, as long as the rules are the same. s2protocol and
sc2reader find none of the event streams that they read.

Entries lie in columns, since like compresses best next to like: their number, the loops from each
to the next, who and what, lengths, and then the messages one after the other.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

from envs.engine.errors import ReplayError
from envs.engine.mpq import MpqArchive, mpq_archive
from envs.engine.varints import read_varint, varint
from envs.engine.versions import GameVersion

FORMAT = 1
HASH_PERIOD_LOOPS = 1024
HASH_BYTES = 16
MAX_REPLAY_BYTES = 32 << 20

_METADATA = "replay.gamemetadata.json"
_HEADER = "latentstar.header.json"
_MAP = "latentstar.map"
_ENTRIES = "latentstar.commands"
_HASHES = "latentstar.hashes"
_MAX_HEADER_BYTES = 1 << 16
_MAX_MAP_BYTES = 1 << 22
_MAX_ENTRIES_BYTES = 64 << 20
_MAX_HASHES_BYTES = 1 << 16
_LEAST_ENTRY_BYTES = 3
_PLAYER_SHIFT = 4

_RACES = {1: "Terr", 2: "Zerg", 3: "Prot", 4: "Rand"}
_RESULTS = {1: "Win", 2: "Loss", 3: "Tie"}


class EntryKind(IntEnum):
    """What somebody did to a game from outside it."""

    COMMAND = 0  # data: ActionRaw
    LEAVE = 1
    DEBUG = 2  # data: DebugCommand
    CHAT = 3  # data: ActionChat


class Entry(NamedTuple):
    """One thing that was done, in the order of the game."""

    loop: int
    player: int
    kind: EntryKind
    data: bytes


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """One player; races, difficulty and build are numbered as in the API."""

    is_computer: bool
    race_requested: int
    race: int
    difficulty: int
    ai_build: int
    name: str


@dataclass(frozen=True, kw_only=True)
class Setting:
    """All that a game is made from."""

    map_data: bytes
    map_path: str
    map_name: str
    seed: int
    disable_fog: bool
    contestants: tuple[Contestant, ...]  # player 1 first


@dataclass(frozen=True, kw_only=True)
class Replay:
    """A recorded game."""

    rules: str
    version: GameVersion
    setting: Setting
    results: dict[int, int]  # by player; empty where the game was not over
    loops: int
    entries: tuple[Entry, ...]
    hashes: tuple[bytes, ...]  # of the state at each multiple of HASH_PERIOD_LOOPS
    final_hash: bytes


def write_replay(replay: Replay) -> bytes:
    """Return the file of a replay."""
    entries, hashes = _packed_entries(replay.entries), b"".join(replay.hashes)
    header = {
        "format": FORMAT,
        "rules": replay.rules,
        "version": list(replay.version),
        "map_path": replay.setting.map_path,
        "map_name": replay.setting.map_name,
        "seed": replay.setting.seed,
        "disable_fog": replay.setting.disable_fog,
        "contestants": [vars(contestant) for contestant in replay.setting.contestants],
        "results": {str(player): result for player, result in replay.results.items()},
        "loops": replay.loops,
        "final_hash": replay.final_hash.hex(),
        "digest": _digest(replay.setting.map_data, entries, hashes),
    }
    return mpq_archive(
        {
            _METADATA: _json(_metadata(replay)),
            _HEADER: _json(header),
            _MAP: replay.setting.map_data,
            _ENTRIES: entries,
            _HASHES: hashes,
        }
    )


def read_replay(content: bytes) -> Replay:
    """Read a replay of any rules.

    Raises:
        ReplayError: it is not one of the engine's, or damaged.
    """
    if len(content) > MAX_REPLAY_BYTES:
        raise ReplayError(f"the replay has {len(content)} bytes, at most {MAX_REPLAY_BYTES} do")
    archive = MpqArchive(content)
    header = archive.read(_HEADER, max_bytes=_MAX_HEADER_BYTES)
    map_data = archive.read(_MAP, max_bytes=_MAX_MAP_BYTES)
    entries = archive.read(_ENTRIES, max_bytes=_MAX_ENTRIES_BYTES)
    hashes = archive.read(_HASHES, max_bytes=_MAX_HASHES_BYTES)
    try:
        table = json.loads(header)
        if table["format"] != FORMAT:
            raise ReplayError(f"the replay has format {table['format']}, {FORMAT} is read")
        if table["digest"] != _digest(map_data, entries, hashes):
            raise ReplayError("the replay is damaged: its parts are not the ones it was saved with")
        return _replay(table, map_data, _unpacked_entries(entries), hashes)
    except ReplayError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ReplayError(f"the replay is damaged: {type(error).__name__}: {error}") from error


def check_rules(replay: Replay, rules: str) -> None:
    """Refuse a replay that was recorded under other rules than the engine's own.

    Raises:
        ReplayError: it was.
    """
    if replay.rules != rules:
        raise ReplayError(
            f"the replay was recorded under rules {replay.rules}, and the engine plays by {rules}: "
            "use the version of LatentStar that recorded it"
        )


def _metadata(replay: Replay) -> dict[str, object]:
    """Return what the game itself tells of a replay, as far as we know it."""
    version = replay.version
    return {
        "Title": replay.setting.map_name,
        "GameVersion": version.full_version,
        "DataBuild": str(version.base_build),
        "DataVersion": version.data_version,
        "BaseBuild": f"Base{version.base_build}",
        "IsNotAvailable": False,
        "Engine": "LatentStar",
        "Players": [
            {
                "PlayerID": player,
                "SelectedRace": _RACES.get(contestant.race_requested, ""),
                "AssignedRace": _RACES.get(contestant.race, ""),
                "Result": _RESULTS.get(replay.results.get(player, 0), "Undecided"),
            }
            for player, contestant in enumerate(replay.setting.contestants, start=1)
        ],
    }


def _replay(
    table: dict[str, Any], map_data: bytes, entries: tuple[Entry, ...], hashes: bytes
) -> Replay:
    game_version, base_build, data_version = table["version"]
    if len(hashes) % HASH_BYTES:
        raise ValueError("hashes are cut off")
    return Replay(
        rules=_typed(table["rules"], str),
        version=GameVersion(
            _typed(game_version, str), _typed(base_build, int), _typed(data_version, str)
        ),
        setting=Setting(
            map_data=map_data,
            map_path=_typed(table["map_path"], str),
            map_name=_typed(table["map_name"], str),
            seed=_typed(table["seed"], int),
            disable_fog=_typed(table["disable_fog"], bool),
            contestants=tuple(_contestant(line) for line in table["contestants"]),
        ),
        results={int(player): _typed(value, int) for player, value in table["results"].items()},
        loops=_typed(table["loops"], int),
        entries=entries,
        hashes=tuple(
            hashes[start : start + HASH_BYTES] for start in range(0, len(hashes), HASH_BYTES)
        ),
        final_hash=bytes.fromhex(table["final_hash"]),
    )


def _contestant(line: dict[str, Any]) -> Contestant:
    return Contestant(
        is_computer=_typed(line["is_computer"], bool),
        race_requested=_typed(line["race_requested"], int),
        race=_typed(line["race"], int),
        difficulty=_typed(line["difficulty"], int),
        ai_build=_typed(line["ai_build"], int),
        name=_typed(line["name"], str),
    )


def _typed(value: Any, kind: type[object]) -> Any:
    if type(value) is not kind:
        raise TypeError(f"{value!r} should be of type {kind.__name__}")
    return value


def _packed_entries(entries: Sequence[Entry]) -> bytes:
    loops = [0, *(entry.loop for entry in entries)]
    return b"".join(
        [
            varint(len(entries)),
            *(varint(entry.loop - before) for entry, before in zip(entries, loops, strict=False)),
            bytes(entry.player << _PLAYER_SHIFT | entry.kind for entry in entries),
            *(varint(len(entry.data)) for entry in entries),
            *(entry.data for entry in entries),
        ]
    )


def _unpacked_entries(packed: bytes) -> tuple[Entry, ...]:
    count, position = read_varint(packed, 0)
    if count * _LEAST_ENTRY_BYTES > len(packed):
        raise ValueError(f"{count} entries are more than fit")
    loops, loop = [], 0
    for _ in range(count):
        delta, position = read_varint(packed, position)
        loop += delta
        loops.append(loop)
    heads = packed[position : position + count]
    position += count
    lengths = []
    for _ in range(count):
        length, position = read_varint(packed, position)
        lengths.append(length)
    entries = []
    for loop, head, length in zip(loops, heads, lengths, strict=True):
        kind = EntryKind(head & (1 << _PLAYER_SHIFT) - 1)
        data = packed[position : position + length]
        position += length
        entries.append(Entry(loop, head >> _PLAYER_SHIFT, kind, data))
    if position != len(packed):
        raise ValueError("the entries are not as long as they say")
    return tuple(entries)


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()


def _json(table: dict[str, object]) -> bytes:
    return json.dumps(table, separators=(",", ":")).encode()
