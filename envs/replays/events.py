"""Decodes the event streams of a replay, whatever the build.

s2protocol ships, per base build, a table of types that says how each event is laid out. The
tables are used as they are; the bits are read here, by a compiled interpreter of these tables:
it is about thirty times faster than s2protocol's, reads selection masks byte by byte (s2protocol
returns masks over eight bits scrambled), bounds every length, and needs no module that newer
Pythons have dropped. The tests hold it against s2protocol event by event.
"""

import importlib.util
import re
from collections.abc import Callable, Collection, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.replays.archive import ReplayRefused
from envs.replays.bits import FAILED, WRITTEN, Kind, read_packed, read_stream, read_versioned

OLDEST_BASE_BUILD = 24944
"""Base build of 2.0.8, the first with tracker events of the present form."""

# Protocols that fail on their own build or are missing, and one that reads it.
_SUBSTITUTES = ((24944, 24944, 26490), (38215, 47185, 51702))

_UNREADABLE = range(32284, 38215)
"""Base builds without a table before 3.0; 37164 (2.5.5) failed with every neighbour's."""

Value = Any
"""What s2protocol gives: dicts, lists, integers, bytes and None."""


class Event(NamedTuple):
    """One decoded event."""

    loop: int
    user: int  # of the lobby, not a player; -1 in tracker events
    name: str  # as s2protocol names it, without its namespace: "SCmdEvent"
    fields: dict[str, Value]


class Protocol(NamedTuple):
    """The types of one base build, in tables that compiled code reads."""

    base_build: int
    types: NDArray[np.int64]  # type: kind, offset, bits, element or first field, number of fields
    fields: NDArray[np.int64]  # type, tag
    layout: list[tuple[str, list[Any]]]  # s2protocol's own table
    game_events: dict[int, tuple[int, str]]
    tracker_events: dict[int, tuple[int, str]]
    message_events: dict[int, tuple[int, str]]
    event_id_types: tuple[int, int, int]  # game, tracker, message
    loop_type: int
    user_type: int
    header_type: int
    details_type: int
    init_data_type: int


@cache
def protocol_for(base_build: int) -> Protocol:
    """Return the protocol that reads a build: its own, a known substitute, or the next lower.

    Raises:
        ReplayRefused: the build is older than any that can be read.
    """
    if base_build < OLDEST_BASE_BUILD:
        oldest = f"{OLDEST_BASE_BUILD} (2.0.8) is the oldest"
        raise ReplayRefused("build too old", f"base build {base_build}, {oldest}")
    for low, high, substitute in _SUBSTITUTES:
        if low <= base_build <= high:
            return _compiled(substitute)
    if _UNREADABLE.start <= base_build < _UNREADABLE.stop:
        raise ReplayRefused("no protocol", f"no type table reads base build {base_build}")
    return _compiled(max(build for build in _known_builds() if build <= base_build))


@cache
def latest_protocol() -> Protocol:
    """Return the newest protocol, which reads every build's header."""
    return _compiled(max(_known_builds()))


def decode_header(protocol: Protocol, content: bytes) -> dict[str, Value]:
    """Decode a replay's header."""
    return _decode_one(protocol, content, protocol.header_type, versioned=True)


def decode_details(protocol: Protocol, content: bytes) -> dict[str, Value]:
    """Decode ``replay.details``."""
    return _decode_one(protocol, content, protocol.details_type, versioned=True)


def decode_init_data(protocol: Protocol, content: bytes) -> dict[str, Value]:
    """Decode ``replay.initData``."""
    return _decode_one(protocol, content, protocol.init_data_type, versioned=False)


def game_events(protocol: Protocol, content: bytes, wanted: Collection[str]) -> Iterator[Event]:
    """Decode the game events whose names are wanted; the others are passed over."""
    return _events(protocol, content, protocol.game_events, 0, wanted)


def tracker_events(protocol: Protocol, content: bytes, wanted: Collection[str]) -> Iterator[Event]:
    """Decode the tracker events whose names are wanted."""
    return _events(protocol, content, protocol.tracker_events, 1, wanted)


def message_events(protocol: Protocol, content: bytes, wanted: Collection[str]) -> Iterator[Event]:
    """Decode the message events whose names are wanted."""
    return _events(protocol, content, protocol.message_events, 2, wanted)


def _known_builds() -> list[int]:
    names = (path.name for path in _versions_folder().iterdir())
    return [int(m[1]) for name in names if (m := re.fullmatch(r"protocol(\d+)\.py", name))]


def _versions_folder() -> Path:
    spec = importlib.util.find_spec("s2protocol")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("s2protocol is not installed")
    return Path(spec.origin).parent / "versions"


def protocol_module(base_build: int) -> ModuleType:
    """Load s2protocol's module of a build by its file.

    ``s2protocol.versions`` itself imports ``imp``, which Python 3.12 no longer has.
    """
    path = _versions_folder() / f"protocol{base_build:05d}.py"
    spec = importlib.util.spec_from_file_location(f"latentstar_protocol_{base_build}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def _compiled(base_build: int) -> Protocol:
    module = protocol_module(base_build)
    types = np.zeros((len(module.typeinfos), 5), np.int64)
    fields: list[tuple[int, int]] = []
    for row, (name, arguments) in zip(types, module.typeinfos, strict=True):
        _compile_type(row, fields, name, arguments)

    def named(events: dict[int, tuple[int, str]]) -> dict[int, tuple[int, str]]:
        return {key: (kind, name.rsplit(".", 1)[-1]) for key, (kind, name) in events.items()}

    return Protocol(
        base_build=base_build,
        types=types,
        fields=np.array(fields, np.int64),
        layout=module.typeinfos,
        game_events=named(module.game_event_types),
        tracker_events=named(module.tracker_event_types),
        message_events=named(module.message_event_types),
        event_id_types=(
            module.game_eventid_typeid,
            module.tracker_eventid_typeid,
            module.message_eventid_typeid,
        ),
        loop_type=module.svaruint32_typeid,
        user_type=module.replay_userid_typeid,
        header_type=module.replay_header_typeid,
        details_type=module.game_details_typeid,
        init_data_type=module.replay_initdata_typeid,
    )


def _compile_type(
    row: NDArray[np.int64], fields: list[tuple[int, int]], name: str, arguments: list[Any]
) -> None:
    """Fill one row of ``Protocol.types`` from s2protocol's entry."""
    kind = {
        "_int": Kind.INTEGER,
        "_bool": Kind.BOOLEAN,
        "_array": Kind.ARRAY,
        "_bitarray": Kind.BIT_ARRAY,
        "_blob": Kind.BLOB,
        "_choice": Kind.CHOICE,
        "_fourcc": Kind.FOURCC,
        "_null": Kind.NULL,
        "_optional": Kind.OPTIONAL,
        "_struct": Kind.STRUCT,
        "_real32": Kind.REAL32,
        "_real64": Kind.REAL64,
    }[name]
    row[0] = kind
    if kind in (Kind.INTEGER, Kind.ARRAY, Kind.BIT_ARRAY, Kind.BLOB, Kind.CHOICE):
        row[1:3] = arguments[0]
    if kind == Kind.ARRAY:
        row[3] = arguments[1]
    elif kind == Kind.OPTIONAL:
        row[3] = arguments[0]
    elif kind == Kind.CHOICE:
        row[3:5] = len(fields), len(arguments[1])
        fields.extend((field[1], tag) for tag, field in arguments[1].items())
    elif kind == Kind.STRUCT:
        row[3:5] = len(fields), len(arguments[0])
        fields.extend((field[1], field[2]) for field in arguments[0])


def _events(
    protocol: Protocol,
    content: bytes,
    kinds: dict[int, tuple[int, str]],
    stream: int,
    wanted: Collection[str],
) -> Iterator[Event]:
    """Decode a stream's wanted events; ``stream`` is 0 game, 1 tracker, 2 message."""
    event_types = np.full(max(kinds) + 1, -1, np.int64)
    keep = np.zeros(max(kinds) + 1, np.bool_)
    for key, (kind, name) in kinds.items():
        event_types[key] = kind
        keep[key] = name in wanted
    data = np.frombuffer(content, np.uint8)
    versioned = stream == 1
    index, values, failed_at = read_stream(
        data,
        protocol.types,
        protocol.fields,
        event_types,
        keep,
        np.array([protocol.loop_type, protocol.user_type, protocol.event_id_types[stream]]),
        versioned,
    )
    if failed_at >= 0:
        what = ("game", "tracker", "message")[stream]
        raise ReplayRefused("damaged events", f"{what} events cannot be read past byte {failed_at}")
    readers = {
        key: (name, _reader(protocol, kind, content, versioned=versioned))
        for key, (kind, name) in kinds.items()
        if name in wanted
    }
    cursor = iter(values.tolist())
    for loop, user, key in index.tolist():
        name, read = readers[key]
        yield Event(loop, user, name, read(cursor))


def _decode_one(
    protocol: Protocol, content: bytes, kind: int, *, versioned: bool
) -> dict[str, Value]:
    values = np.zeros(8 * len(content) + 1024, np.int64)  # a value takes at least a bit
    state = np.zeros(5, np.int64)
    read = read_versioned if versioned else read_packed
    read(kind, np.frombuffer(content, np.uint8), state, values, protocol.types, protocol.fields)
    if state[FAILED]:
        raise ReplayRefused("damaged header", "the header, details or lobby cannot be read")
    fields: dict[str, Value] = _reader(protocol, kind, content, versioned=versioned)(
        iter(values[: state[WRITTEN]].tolist())
    )
    return fields


def _reader(  # noqa: C901  # one case a kind
    protocol: Protocol, kind: int, content: bytes, *, versioned: bool
) -> Callable[[Iterator[int]], Value]:
    """Return a function that builds an instance of a type from the values read for it."""
    name, arguments = protocol.layout[kind]

    def inner(element: int) -> Callable[[Iterator[int]], Value]:
        return _reader(protocol, element, content, versioned=versioned)

    if name == "_int":
        return next
    if name == "_bool":
        return lambda cursor: next(cursor) != 0
    if name == "_null":
        return lambda _: None
    if name in ("_blob", "_fourcc", "_real32", "_real64"):

        def read_bytes(cursor: Iterator[int]) -> bytes:
            start = next(cursor)
            return content[start : start + next(cursor)]

        return read_bytes
    if name == "_bitarray":
        return lambda cursor: (next(cursor), [next(cursor) for _ in range(next(cursor))])
    if name == "_array":
        read = inner(arguments[1])
        return lambda cursor: [read(cursor) for _ in range(next(cursor))]
    if name == "_optional":
        read = inner(arguments[0])
        return lambda cursor: read(cursor) if next(cursor) else None
    if name == "_choice":
        choices = [(field[0], inner(field[1])) for field in arguments[1].values()]

        def read_choice(cursor: Iterator[int]) -> dict[str, Value]:
            chosen = next(cursor)
            if chosen < 0:
                return {}
            label, read = choices[chosen]
            return {label: read(cursor)}

        return read_choice
    members = [(field[0], inner(field[1])) for field in arguments[0]]
    return _struct_reader(members, versioned=versioned)


def _struct_reader(
    members: list[tuple[str, Callable[[Iterator[int]], Value]]], *, versioned: bool
) -> Callable[[Iterator[int]], Value]:
    """Return a reader of a struct; a member named ``__parent`` is merged into it."""

    def read_in_order(cursor: Iterator[int]) -> Value:
        return _merged([(name, read(cursor)) for name, read in members], len(members))

    def read_tagged(cursor: Iterator[int]) -> Value:
        pairs = []
        for _ in range(next(cursor)):
            name, read = members[next(cursor)]
            pairs.append((name, read(cursor)))
        return _merged(pairs, len(members))

    if not versioned and all(name != "__parent" for name, _ in members):
        return lambda cursor: {name: read(cursor) for name, read in members}
    return read_tagged if versioned else read_in_order


def _merged(pairs: list[tuple[str, Value]], num_members: int) -> Value:
    result: dict[str, Value] = {}
    for name, value in pairs:
        if name != "__parent":
            result[name] = value
        elif isinstance(value, dict):
            result.update(value)
        elif num_members == 1:
            return value
        else:
            result[name] = value
    return result
