"""The two bit formats against s2protocol's own decoder, and by hand where that is wrong."""

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from s2protocol.decoders import BitPackedBuffer, BitPackedDecoder, VersionedDecoder

from envs.replays.archive import ReplayRefused
from envs.replays.bits import FAILED, POSITION, read_bits
from envs.replays.events import Protocol, decode_details, decode_init_data, protocol_for
from tests.event_encoder import VersionedEncoder, packed, versioned
from tests.replay_writer import written_protocol

BUILDS = [26490, 51702, 80949, 98310]

# s2protocol reads bit arrays over eight bits, or off a byte's edge, scrambled.
SCRAMBLED = "_bitarray"


def read_packed(protocol: Protocol, kind: int, content: bytes) -> Any:
    return decode_init_data(protocol._replace(init_data_type=kind), content)


def read_versioned(protocol: Protocol, kind: int, content: bytes) -> Any:
    return decode_details(protocol._replace(details_type=kind), content)


@cache
def reachable(build: int, *, is_versioned: bool) -> tuple[int, ...]:
    """The types that occur in the streams of one format."""
    protocol = written_protocol(build)
    if is_versioned:
        events = protocol.tracker_event_types.values()
        roots = [protocol.game_details_typeid, protocol.replay_header_typeid]
    else:
        events = [*protocol.game_event_types.values(), *protocol.message_event_types.values()]
        roots = [protocol.replay_initdata_typeid, protocol.replay_userid_typeid]
    waiting, found = [*roots, protocol.svaruint32_typeid, *(kind for kind, _ in events)], set()
    while waiting:
        kind = waiting.pop()
        if kind not in found:
            found.add(kind)
            waiting += inner_types(protocol, kind)
    return tuple(sorted(found))


def inner_types(protocol: ModuleType, kind: int) -> list[int]:
    name, arguments = protocol.typeinfos[kind]
    if name == "_optional":
        return [arguments[0]]
    if name == "_array":
        return [arguments[1]]
    if name == "_choice":
        return [inner for _, inner in arguments[1].values()]
    if name == "_struct":
        return [member[1] for member in arguments[0]]
    return []


def any_value(generator: np.random.Generator, protocol: ModuleType, kind: int) -> Any:
    """A random value of a type, complete: no member is left to a default."""

    def inner(element: int) -> Any:
        return any_value(generator, protocol, element)

    name, arguments = protocol.typeinfos[kind]
    if name == "_optional":
        return inner(arguments[0]) if generator.integers(2) else None
    if name == "_choice":
        label, chosen = list(arguments[1].values())[generator.integers(len(arguments[1]))]
        return {label: inner(chosen)}
    if name == "_struct":
        return {label: inner(member) for label, member, _ in arguments[0]}
    if name in ("_null", "_bool", "_fourcc"):
        return {"_null": None, "_bool": bool(generator.integers(2))}.get(name, generator.bytes(4))
    low, bits = arguments[0]
    return any_bounded(generator, name, low, bits, lambda: inner(arguments[1]))


def any_bounded(
    generator: np.random.Generator, name: str, low: int, bits: int, element: Callable[[], Any]
) -> Any:
    """A random integer, or anything that begins with its length."""
    if name == "_int":  # unsigned ones of 64 bits, which nothing reads, only up to 63
        return low + int(
            generator.integers(1 << min(bits, 63 if low == 0 else 64), dtype=np.uint64)
        )
    length = low + int(generator.integers(min(1 << bits, 20 if name == "_bitarray" else 4)))
    if name == "_blob":
        return generator.bytes(length)
    if name == "_bitarray":
        sizes = [min(8, length - start) for start in range(0, length, 8)]
        return length, [int(generator.integers(1 << size)) for size in sizes]
    return [element() for _ in range(length)]


def without_masks(value: Any) -> Any:
    """A value with bit arrays, ours or s2protocol's, reduced to their lengths."""
    if isinstance(value, tuple):
        return value[0]
    if isinstance(value, list):
        return [without_masks(item) for item in value]
    if isinstance(value, dict):
        return {key: without_masks(item) for key, item in value.items()}
    return value


@pytest.mark.parametrize("build", BUILDS)
@given(seed=st.integers(0, 1 << 32))
@settings(max_examples=60, deadline=None)
def test_packed_values_of_every_type_are_read_as_written_and_as_s2protocol_does(
    build: int, seed: int
):
    generator, module = np.random.default_rng(seed), written_protocol(build)
    kind = int(generator.choice(reachable(build, is_versioned=False)))
    value = any_value(generator, module, kind)
    content = packed(module.typeinfos, kind, value)
    assert read_packed(protocol_for(build), kind, content) == value
    theirs = BitPackedDecoder(content, module.typeinfos).instance(kind)
    assert without_masks(theirs) == without_masks(value)


@pytest.mark.parametrize("build", BUILDS)
@given(seed=st.integers(0, 1 << 32))
@settings(max_examples=60, deadline=None)
def test_versioned_values_of_every_type_are_read_as_written_and_as_s2protocol_does(
    build: int, seed: int
):
    generator, module = np.random.default_rng(seed), written_protocol(build)
    kind = int(generator.choice(reachable(build, is_versioned=True)))
    value = any_value(generator, module, kind)
    content = versioned(module.typeinfos, kind, value)
    assert read_versioned(protocol_for(build), kind, content) == value
    assert VersionedDecoder(content, module.typeinfos).instance(kind) == value


@pytest.mark.parametrize("build", BUILDS)
def test_every_kind_of_type_is_among_those_tried(build: int):
    module = written_protocol(build)
    names = {module.typeinfos[kind][0] for kind in reachable(build, is_versioned=False)}
    names |= {module.typeinfos[kind][0] for kind in reachable(build, is_versioned=True)}
    assert names == {name for name, _ in module.typeinfos}
    versioned_names = {module.typeinfos[k][0] for k in reachable(build, is_versioned=True)}
    assert SCRAMBLED not in versioned_names


@given(content=st.binary(min_size=1, max_size=30), widths=st.lists(st.integers(0, 32), max_size=12))
def test_bits_are_taken_as_s2protocol_takes_them(content: bytes, widths: list[int]):
    theirs, state = BitPackedBuffer(content), np.zeros(5, np.int64)
    left = 8 * len(content)
    for width in widths:
        ours = read_bits(np.frombuffer(content, np.uint8), state, width)
        if width > left:
            assert state[FAILED]
            return
        left -= width
        assert ours == theirs.read_bits(width)


def test_bits_come_low_end_first_from_a_byte_and_join_high_end_first():
    # 0b10110_011 0b000001_01: three bits, then seven over the edge of the byte.
    data, state = np.array([0b10110_011, 0b000001_01], np.uint8), np.zeros(5, np.int64)
    assert read_bits(data, state, 3) == 0b011
    assert read_bits(data, state, 7) == 0b10110_01
    assert read_bits(data, state, 6) == 0b000001
    assert state[POSITION] == 2
    assert not state[FAILED]


def mask_type(protocol: Protocol) -> int:
    """The bit array of selection masks: nine bits of length, then the bits."""
    return next(i for i, entry in enumerate(protocol.layout) if entry == ("_bitarray", [(0, 9)]))


def test_a_mask_that_begins_within_a_byte_is_read_eight_bits_at_a_time():
    # Nine bits of length: 0b000001101 = 13. The first byte holds its upper eight bits; the second
    # holds its last bit lowest, then the low seven bits of the mask's first byte, high end first.
    # Its eighth bit is the lowest of the third byte; then come five bits of the second mask byte.
    first, second = 0b1100_1010, 0b1_0011
    content = bytes([0b00000110, (first >> 1) << 1 | 1, second << 1 | (first & 1)])
    protocol = protocol_for(80949)
    assert read_packed(protocol, mask_type(protocol), content) == (13, [first, second])


def test_s2protocol_scrambles_the_mask_that_is_read_right_here():
    first, second = 0b1100_1010, 0b1_0011
    content = bytes([0b00000110, (first >> 1) << 1 | 1, second << 1 | (first & 1)])
    protocol = protocol_for(80949)
    decoder = BitPackedDecoder(content, protocol.layout)
    length, value = decoder.instance(mask_type(protocol))
    assert length == 13
    assert value != first | second << 8  # what its bits mean


def test_every_bit_of_a_long_mask_is_its_own():
    protocol = protocol_for(80949)
    kind = mask_type(protocol)
    for bit in range(20):
        masked = [0, 0, 0]
        masked[bit // 8] = 1 << bit % 8
        content = packed(protocol.layout, kind, (20, masked))
        # By hand: one byte and a bit of length; then mask byte i at 9 + 8 i, high end first,
        # the low end of each stream byte first.
        length_bits = [int(b) for b in f"{20:09b}"]
        mask_bits = [
            int(b) for byte, n in zip(masked, (8, 8, 4), strict=True) for b in f"{byte:0{n}b}"
        ]
        assert content == joined(length_bits[:8], length_bits[8:] + mask_bits)
        assert read_packed(protocol, kind, content) == (20, masked)


def joined(aligned: list[int], rest: list[int]) -> bytes:
    """A byte of high-end-first bits, then bits that fill bytes from the low end in groups.

    A group is what one read takes of one byte; within a group the high end comes first.
    """
    result = [int("".join(map(str, aligned)), 2)]
    # Reads after the length's ninth bit: 8, 8 and 4 bits, each split at the edge of a byte.
    groups = [rest[:1], rest[1:8], rest[8:9], rest[9:16], rest[16:17], rest[17:21]]
    byte, used = 0, 0
    for group in groups:
        byte |= int("".join(map(str, group)), 2) << used
        used += len(group)
        if used == 8:
            result.append(byte)
            byte, used = 0, 0
    return bytes(result + [byte] * (used > 0))


def test_unknown_members_are_skipped_whatever_they_hold():
    module, protocol = written_protocol(80949), protocol_for(80949)
    _, [members] = module.typeinfos[module.replay_header_typeid]
    kinds = {name: kind for name, kind, _ in members}
    unknown = {
        90: bytes([0, 2 << 1, 9, 2, 9, 4]),  # an array of two integers
        91: bytes([1, 13 << 1, 255, 31]),  # thirteen bits
        92: bytes([2, 3 << 1]) + b"abc",  # a blob
        93: bytes([3, 7 << 1, 9, 2]),  # a choice, its tag 7
        94: bytes([4, 1, 9, 2]),  # an optional that is there
        95: bytes([4, 0]),  # and one that is not
        96: bytes([5, 2 << 1, 0, 9, 2, 2, 6, 1]),  # a struct of an integer and a boolean
        97: bytes([6, 1]),
        98: bytes([7, 1, 2, 3, 4]),
        99: bytes([8, 1, 2, 3, 4, 5, 6, 7, 8]),
        100: bytes([9, 0x80 | 2, 0x80 | 3, 1]),
        101: bytes([0, 1 << 1, 0, 1 << 1, 5, 1 << 1, 4, 2, 1 << 1]) + b"x",  # nested
    }
    encoder = VersionedEncoder(module.typeinfos)
    encoder.out.bits(5, 8)
    encoder.varint(len(unknown) + 2)
    encoder.varint(3)
    encoder.write(kinds["m_elapsedGameLoops"], 4321)
    for tag, content in unknown.items():
        encoder.varint(tag)
        encoder.out.aligned_bytes(content)
    encoder.varint(2)
    encoder.write(kinds["m_type"], 2)
    content = bytes(encoder.out.data)
    expected = {"m_elapsedGameLoops": 4321, "m_type": 2}
    assert read_versioned(protocol, module.replay_header_typeid, content) == expected


@pytest.mark.parametrize("build", [26490, 98310])
def test_truncated_values_are_refused_at_every_length(build: int):
    module, protocol = written_protocol(build), protocol_for(build)
    generator = np.random.default_rng(build)
    kind = module.game_details_typeid
    content = versioned(module.typeinfos, kind, any_value(generator, module, kind))
    for length in range(len(content)):
        with pytest.raises(ReplayRefused):
            read_versioned(protocol, kind, content[:length])


def test_a_length_beyond_the_end_is_refused():
    protocol = protocol_for(80949)
    blob = next(i for i, (name, _) in enumerate(protocol.layout) if name == "_blob")
    for length in (4, 1 << 20, (1 << 62) + 5):
        encoder = VersionedEncoder(protocol.layout)
        encoder.out.bits(2, 8)
        encoder.varint(length)
        encoder.out.aligned_bytes(b"abc")
        with pytest.raises(ReplayRefused):
            read_versioned(protocol, blob, bytes(encoder.out.data))


@given(content=st.binary(max_size=200), seed=st.integers(0, 1 << 32))
@settings(max_examples=300, deadline=None)
def test_random_bytes_are_read_or_refused(content: bytes, seed: int):
    protocol = protocol_for(80949)
    kind = int(np.random.default_rng(seed).integers(len(protocol.layout)))
    for read in (read_packed, read_versioned):
        with suppress(ReplayRefused):
            read(protocol, kind, content)
