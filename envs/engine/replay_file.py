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

from s2clientprotocol import common_pb2 as common_pb
from s2clientprotocol import debug_pb2 as debug_pb
from s2clientprotocol import raw_pb2 as raw_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine.errors import ReplayError
from envs.engine.match import LAST_LOOP
from envs.engine.mpq import MpqArchive, mpq_archive
from envs.engine.varints import read_varint, varint
from envs.engine.versions import GameVersion

FORMAT = 1
HASH_PERIOD_LOOPS = 1024
HASH_BYTES = 16
MAX_REPLAY_BYTES = 32 << 20
MAX_ENTRIES_BYTES = 8 << 20
MAX_ENTRIES = 1 << 19
"""One for each loop of the longest game, and as many as fit: a command takes some 16 bytes."""

_METADATA = "replay.gamemetadata.json"
_HEADER = "latentstar.header.json"
_MAP = "latentstar.map"
_ENTRIES = "latentstar.commands"
_HASHES = "latentstar.hashes"
_MAX_HEADER_BYTES = 1 << 16
_MAX_MAP_BYTES = 1 << 22
_MAX_HASHES_BYTES = 1 << 16
_MAX_SEED = (1 << 32) - 1
_MAX_BUILD = (1 << 32) - 1
_PLAYER_SHIFT = 4

_RACES = {1: "Terr", 2: "Zerg", 3: "Prot", 4: "Rand"}
_RESULTS = {1: "Win", 2: "Loss", 3: "Tie"}


class EntryKind(IntEnum):
    """What somebody did to a game from outside it."""

    COMMAND = 0  # data: ActionRaw
    LEAVE = 1
    DEBUG = 2  # data: DebugCommand
    CHAT = 3  # data: ActionChat


_MESSAGES: dict[EntryKind, Any] = {
    EntryKind.COMMAND: raw_pb.ActionRaw,
    EntryKind.DEBUG: debug_pb.DebugCommand,
    EntryKind.CHAT: sc_pb.ActionChat,
}


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
    """Return the file of a replay.

    Raises:
        ReplayError: more was done in the game than a replay holds.
    """
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
    entries = archive.read(_ENTRIES, max_bytes=MAX_ENTRIES_BYTES)
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
    loops = _number(table["loops"], LAST_LOOP)
    contestants = tuple(_contestant(line) for line in table["contestants"])
    _check_entries(entries, num_players=len(contestants), loops=loops)
    return Replay(
        rules=_text(table["rules"]),
        version=GameVersion(
            _text(game_version), _number(base_build, _MAX_BUILD), _text(data_version)
        ),
        setting=Setting(
            map_data=map_data,
            map_path=_text(table["map_path"]),
            map_name=_text(table["map_name"]),
            seed=_number(table["seed"], _MAX_SEED),
            disable_fog=_typed(table["disable_fog"], bool),
            contestants=contestants,
        ),
        results={
            _number(int(player), len(contestants)): _named(value, sc_pb.Result)
            for player, value in table["results"].items()
        },
        loops=loops,
        entries=entries,
        hashes=tuple(
            hashes[start : start + HASH_BYTES] for start in range(0, len(hashes), HASH_BYTES)
        ),
        final_hash=bytes.fromhex(table["final_hash"]),
    )


def _contestant(line: dict[str, Any]) -> Contestant:
    return Contestant(
        is_computer=_typed(line["is_computer"], bool),
        race_requested=_named(line["race_requested"], common_pb.Race),
        race=_named(line["race"], common_pb.Race),
        difficulty=_named(line["difficulty"], sc_pb.Difficulty),
        ai_build=_named(line["ai_build"], sc_pb.AIBuild),
        name=_text(line["name"]),
    )


def _check_entries(entries: Sequence[Entry], *, num_players: int, loops: int) -> None:
    """Refuse what nobody can have done."""
    for entry in entries:
        if entry.loop > loops:
            raise ValueError(f"something was done at loop {entry.loop} of {loops}")
        if not 1 <= entry.player <= num_players:
            raise ValueError(f"player {entry.player} of {num_players} did something")
        message = _MESSAGES.get(entry.kind)
        if message is None and entry.data:
            raise ValueError(f"{len(entry.data)} bytes say how somebody left")
        if message is not None:
            try:
                message.FromString(entry.data)
            except Exception as error:  # protobuf's DecodeError, which only protobuf could name
                raise ValueError(f"what was done at loop {entry.loop} is unreadable") from error


def _number(value: Any, most: int) -> int:
    number: int = _typed(value, int)
    if not 0 <= number <= most:
        raise ValueError(f"{number} should be from 0 to {most}")
    return number


def _named(value: Any, kind: Any) -> int:
    """Return a value of one of the API's enumerations."""
    number: int = _typed(value, int)
    kind.Name(number)
    return number


def _text(value: Any) -> str:
    text: str = _typed(value, str)
    text.encode()  # which half a pair of surrogates cannot be
    return text


def _typed(value: Any, kind: type[object]) -> Any:
    if type(value) is not kind:
        raise TypeError(f"{value!r} should be of type {kind.__name__}")
    return value


def _packed_entries(entries: Sequence[Entry]) -> bytes:
    loops = [0, *(entry.loop for entry in entries)]
    packed = b"".join(
        [
            varint(len(entries)),
            *(varint(entry.loop - before) for entry, before in zip(entries, loops, strict=False)),
            bytes(entry.player << _PLAYER_SHIFT | entry.kind for entry in entries),
            *(varint(len(entry.data)) for entry in entries),
            *(entry.data for entry in entries),
        ]
    )
    if len(entries) > MAX_ENTRIES or len(packed) > MAX_ENTRIES_BYTES:
        raise ReplayError(
            f"a replay holds {MAX_ENTRIES} commands and {MAX_ENTRIES_BYTES} bytes of them, "
            f"and the game has {len(entries)} and {len(packed)}"
        )
    return packed


def _unpacked_entries(packed: bytes) -> tuple[Entry, ...]:
    count, position = read_varint(packed, 0)
    if count > MAX_ENTRIES:
        raise ReplayError(f"the replay has {count} commands, at most {MAX_ENTRIES} are read")
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
