"""Writes values in a replay's two bit formats, from s2protocol's own tables of types.

Independent of what reads them: only the tables are shared. A member that a value leaves out gets
a default: zero, nothing, or the first choice. A bit array is ``(length, bytes)``, eight bits a
byte, as they lie in the stream.
"""

from types import ModuleType
from typing import Any

Types = list[tuple[str, list[Any]]]
Choices = dict[int, tuple[str, int]]  # tag: label, type
Members = list[tuple[str, int, int]]  # label, type, tag


class BitWriter:
    """Bits into bytes: each byte filled from its low end, values written high end first."""

    def __init__(self) -> None:
        self.data = bytearray()
        self._used = 8  # bits of the last byte

    def bits(self, value: int, count: int) -> None:
        assert 0 <= value < 1 << count, f"{value} has more than {count} bits"
        while count > 0:
            if self._used == 8:
                self.data.append(0)
                self._used = 0
            taken = min(count, 8 - self._used)
            count -= taken
            self.data[-1] |= (value >> count & ((1 << taken) - 1)) << self._used
            self._used += taken

    def align(self) -> None:
        self._used = 8

    def aligned_bytes(self, content: bytes) -> None:
        self.align()
        self.data += content


class PackedEncoder:
    """Fields one after the other; one method a kind of s2protocol's types."""

    def __init__(self, types: Types) -> None:
        self.out = BitWriter()
        self._types = types

    def write(self, kind: int, value: Any) -> None:
        name, arguments = self._types[kind]
        getattr(self, name)(value, *arguments)

    def _int(self, value: int | None, bounds: tuple[int, int]) -> None:
        low, bits = bounds
        self.out.bits((low if value is None else value) - low, bits)

    def _bool(self, value: bool | None) -> None:  # noqa: FBT001  # what is written
        self.out.bits(bool(value), 1)

    def _null(self, value: None) -> None:
        del value

    def _optional(self, value: Any, kind: int) -> None:
        self._bool(value is not None)
        if value is not None:
            self.write(kind, value)

    def _array(self, value: list[Any] | None, bounds: tuple[int, int], kind: int) -> None:
        items = [None] * bounds[0] if value is None else value
        self._int(len(items), bounds)
        for item in items:
            self.write(kind, item)

    def _blob(self, value: bytes | None, bounds: tuple[int, int]) -> None:
        content = bytes(bounds[0]) if value is None else value
        self._int(len(content), bounds)
        self.out.aligned_bytes(content)

    def _bitarray(self, value: tuple[int, list[int]] | None, bounds: tuple[int, int]) -> None:
        length, masked = value or (bounds[0], [0] * ((bounds[0] + 7) // 8))
        self._int(length, bounds)
        for i, byte in enumerate(masked):
            self.out.bits(byte, min(8, length - 8 * i))

    def _fourcc(self, value: bytes | None) -> None:
        for byte in value or bytes(4):
            self.out.bits(byte, 8)

    def _choice(self, value: Any, bounds: tuple[int, int], choices: Choices) -> None:
        tag, kind, inner = _chosen(choices, value)
        self._int(tag, bounds)
        self.write(kind, inner)

    def _struct(self, value: Any, members: Members) -> None:
        for label, kind, _ in members:
            self.write(kind, None if value is None else value.get(label))


class VersionedEncoder:
    """Every value behind its mark, every member behind its tag; absent members are left out."""

    def __init__(self, types: Types) -> None:
        self.out = BitWriter()
        self._types = types

    def write(self, kind: int, value: Any) -> None:
        name, arguments = self._types[kind]
        if name != "_null":
            self.out.bits(_MARKS[name], 8)
            getattr(self, name)(value, *arguments)

    def varint(self, value: int) -> None:
        """Write an integer as long as it needs: sign and six bits, then seven bits a byte."""
        rest = abs(value)
        byte = (rest & 0x3F) << 1 | (value < 0)
        rest >>= 6
        while rest:
            self.out.bits(byte | 0x80, 8)
            byte = rest & 0x7F
            rest >>= 7
        self.out.bits(byte, 8)

    def _int(self, value: int | None, bounds: tuple[int, int]) -> None:
        self.varint(bounds[0] if value is None else value)

    def _bool(self, value: bool | None) -> None:  # noqa: FBT001  # what is written
        self.out.bits(bool(value), 8)

    def _optional(self, value: Any, kind: int) -> None:
        self._bool(value is not None)
        if value is not None:
            self.write(kind, value)

    def _array(self, value: list[Any] | None, bounds: tuple[int, int], kind: int) -> None:
        del bounds
        self.varint(len(value or []))
        for item in value or []:
            self.write(kind, item)

    def _blob(self, value: bytes | None, bounds: tuple[int, int]) -> None:
        content = bytes(bounds[0]) if value is None else value
        self.varint(len(content))
        self.out.aligned_bytes(content)

    def _fourcc(self, value: bytes | None) -> None:
        self.out.aligned_bytes(value or bytes(4))

    def _choice(self, value: Any, bounds: tuple[int, int], choices: Choices) -> None:
        del bounds
        tag, kind, inner = _chosen(choices, value)
        self.varint(tag)
        self.write(kind, inner)

    def _struct(self, value: Any, members: Members) -> None:
        present = [member for member in members if value is None or member[0] in value]
        self.varint(len(present))
        for label, kind, tag in present:
            self.varint(tag)
            self.write(kind, None if value is None else value[label])


def packed(types: Types, kind: int, value: Any) -> bytes:
    encoder = PackedEncoder(types)
    encoder.write(kind, value)
    return bytes(encoder.out.data)


def versioned(types: Types, kind: int, value: Any) -> bytes:
    encoder = VersionedEncoder(types)
    encoder.write(kind, value)
    return bytes(encoder.out.data)


def game_stream(protocol: ModuleType, events: list[tuple[int, int, str, dict]]) -> bytes:
    """Write game events, each (loop, user, name, fields), in order of their loops."""
    return _packed_stream(protocol, events, "game")


def message_stream(protocol: ModuleType, events: list[tuple[int, int, str, dict]]) -> bytes:
    """Write message events, each (loop, user, name, fields)."""
    return _packed_stream(protocol, events, "message")


def tracker_stream(protocol: ModuleType, events: list[tuple[int, str, dict]]) -> bytes:
    """Write tracker events, each (loop, name, fields)."""
    encoder, before = VersionedEncoder(protocol.typeinfos), 0
    for loop, name, fields in events:
        key, kind = _event_type(protocol.tracker_event_types, name)
        encoder.write(protocol.svaruint32_typeid, _delta(loop - before))
        encoder.write(protocol.tracker_eventid_typeid, key)
        encoder.write(kind, fields)
        before = loop
    return bytes(encoder.out.data)


def _packed_stream(
    protocol: ModuleType, events: list[tuple[int, int, str, dict]], stream: str
) -> bytes:
    encoder, before = PackedEncoder(protocol.typeinfos), 0
    kinds = getattr(protocol, f"{stream}_event_types")
    for loop, user, name, fields in events:
        key, kind = _event_type(kinds, name)
        encoder.write(protocol.svaruint32_typeid, _delta(loop - before))
        encoder.write(protocol.replay_userid_typeid, {"m_userId": user})
        encoder.write(getattr(protocol, f"{stream}_eventid_typeid"), key)
        encoder.write(kind, fields)
        encoder.out.align()
        before = loop
    return bytes(encoder.out.data)


def _delta(loops: int) -> dict[str, int]:
    label = next(f"m_uint{bits}" for bits in (6, 14, 22, 32) if loops < 1 << bits)
    return {label: loops}


def _event_type(kinds: dict[int, tuple[int, str]], name: str) -> tuple[int, int]:
    return next((key, kind) for key, (kind, full) in kinds.items() if full.endswith(f".{name}"))


def _chosen(choices: Choices, value: Any) -> tuple[int, int, Any]:
    """Return the tag, type and value of what is chosen; the first where nothing is."""
    if value is None:
        tag, (_, kind) = next(iter(choices.items()))
        return tag, kind, None
    ((label, inner),) = value.items()
    return next((tag, kind, inner) for tag, (name, kind) in choices.items() if name == label)


_MARKS = {
    "_array": 0, "_bitarray": 1, "_blob": 2, "_choice": 3, "_optional": 4, "_struct": 5,
    "_bool": 6, "_fourcc": 7, "_real32": 7, "_real64": 8, "_int": 9,
}  # fmt: skip
