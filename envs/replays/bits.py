"""Compiled reading of a replay's two bit formats, by tables of types.

"Packed" is the format of game and message events: fields follow each other without marks.
"Versioned" is that of headers and tracker events: every value is marked with its kind and every
member with its tag, so that unknown members can be skipped. Both are restated from s2protocol's
``decoders.py``. Values land in one flat array of integers, in the order of the types:
an array gives its length first, a choice the index of what was chosen, a blob its place and
length in the content, a bit array its length, the number of bytes and the bytes.
"""

from enum import IntEnum

import numpy as np
from numba import njit
from numpy.typing import NDArray

MAX_EVENTS = 4_000_000
MAX_VALUES_PER_EVENT = 1 << 16
MAX_PENDING = 512
MAX_MEMBERS = 128

# The reader's state, as columns of one array.
POSITION, NEXT, NEXT_BITS, WRITTEN, FAILED = range(5)


class Kind(IntEnum):
    """Kinds of types."""

    INTEGER = 0
    ARRAY = 1
    BIT_ARRAY = 2
    BLOB = 3
    CHOICE = 4
    FOURCC = 5
    NULL = 6
    OPTIONAL = 7
    STRUCT = 8
    REAL32 = 9
    REAL64 = 10
    BOOLEAN = 11


_INTEGER, _ARRAY, _BIT_ARRAY, _BLOB, _CHOICE, _FOURCC = range(6)
_NULL, _OPTIONAL, _STRUCT, _REAL32, _REAL64, _BOOLEAN = range(6, 12)


@njit(cache=True)
def read_bits(data: NDArray[np.uint8], state: NDArray[np.int64], bits: int) -> int:
    """Return the next ``bits`` bits: taken low end first from each byte, joined high end first."""
    result = np.int64(0)
    missing = bits
    while missing > 0:
        if state[NEXT_BITS] == 0:
            if state[POSITION] >= len(data):
                state[FAILED] = 1
                return 0
            state[NEXT] = data[state[POSITION]]
            state[POSITION] += 1
            state[NEXT_BITS] = 8
        taken = min(missing, state[NEXT_BITS])
        missing -= taken
        result |= (state[NEXT] & ((1 << taken) - 1)) << missing
        state[NEXT] >>= taken
        state[NEXT_BITS] -= taken
    return int(result)


@njit(cache=True)
def _read_varint(data: NDArray[np.uint8], state: NDArray[np.int64]) -> int:
    byte = read_bits(data, state, 8)
    negative = byte & 1
    result = (byte >> 1) & 0x3F
    shift = 6
    while byte & 0x80 and shift < 70:
        byte = read_bits(data, state, 8)
        result |= (byte & 0x7F) << min(shift, 63)
        shift += 7
    return -result if negative else result


@njit(cache=True)
def _write(values: NDArray[np.int64], state: NDArray[np.int64], value: int) -> None:
    if state[WRITTEN] >= len(values):
        state[FAILED] = 1
        return
    values[state[WRITTEN]] = value
    state[WRITTEN] += 1


@njit(cache=True)
def _take_bytes(
    data: NDArray[np.uint8], state: NDArray[np.int64], values: NDArray[np.int64], length: int
) -> None:
    """Step over whole bytes and write down where they are."""
    state[NEXT_BITS] = 0
    if length < 0 or state[POSITION] + length > len(data):
        state[FAILED] = 1
        return
    _write(values, state, state[POSITION])
    _write(values, state, length)
    state[POSITION] += length


@njit(cache=True)
def read_packed(  # noqa: C901  # one case a kind
    kind: int,
    data: NDArray[np.uint8],
    state: NDArray[np.int64],
    values: NDArray[np.int64],
    types: NDArray[np.int64],
    fields: NDArray[np.int64],
) -> None:
    """Read one instance of the type ``kind`` in the packed format."""
    # What is still to be read: a type and how many of it. Not recursive: numba's cache of
    # recursive functions crashes.
    stack = np.empty((MAX_PENDING, 2), np.int64)
    stack[0] = kind, 1
    height = 1
    while height > 0:
        if state[FAILED] or height > MAX_PENDING - MAX_MEMBERS:
            state[FAILED] = 1
            return
        what, offset, bits, first, count = types[stack[height - 1, 0]]
        stack[height - 1, 1] -= 1
        if stack[height - 1, 1] == 0:
            height -= 1
        if what == _INTEGER:
            _write(values, state, offset + read_bits(data, state, bits))
        elif what == _BOOLEAN:
            _write(values, state, read_bits(data, state, 1))
        elif what == _STRUCT:
            for i in range(first + count - 1, first - 1, -1):
                stack[height] = fields[i, 0], 1
                height += 1
        elif what == _OPTIONAL:
            exists = read_bits(data, state, 1)
            _write(values, state, exists)
            if exists:
                stack[height] = first, 1
                height += 1
        elif what == _CHOICE:
            chosen = _member_with_tag(fields, first, count, offset + read_bits(data, state, bits))
            if chosen < 0:
                state[FAILED] = 1
                return
            _write(values, state, chosen)
            stack[height] = fields[first + chosen, 0], 1
            height += 1
        elif what == _ARRAY:
            length = offset + read_bits(data, state, bits)
            _write(values, state, length)
            if length > 0:
                stack[height] = first, length
                height += 1
        elif what == _BIT_ARRAY:
            length = offset + read_bits(data, state, bits)
            _write(values, state, length)
            _write(values, state, (length + 7) // 8)
            for start in range(0, length, 8):
                if state[FAILED]:
                    return
                _write(values, state, read_bits(data, state, min(8, length - start)))
        elif what == _BLOB:
            _take_bytes(data, state, values, offset + read_bits(data, state, bits))
        elif what != _NULL:  # unaligned bytes, which nothing of ours reads
            read_bits(data, state, 32)
            if what == _REAL64:
                read_bits(data, state, 32)
            _write(values, state, 0)
            _write(values, state, 0)


@njit(cache=True)
def _member_with_tag(fields: NDArray[np.int64], first: int, count: int, tag: int) -> int:
    for i in range(count):
        if fields[first + i, 1] == tag:
            return i
    return -1


# What a pending entry of the versioned format is: instances of a type, members of a struct of a
# type, unknown instances, or members of an unknown struct.
_READ, _MEMBERS, _SKIP, _SKIP_MEMBERS = range(4)


@njit(cache=True)
def read_versioned(  # noqa: C901  # one case a kind
    kind: int,
    data: NDArray[np.uint8],
    state: NDArray[np.int64],
    values: NDArray[np.int64],
    types: NDArray[np.int64],
    fields: NDArray[np.int64],
) -> None:
    """Read one instance of the type ``kind`` in the versioned format."""
    stack = np.empty((MAX_PENDING, 4), np.int64)  # entry, type, how many, where to count
    stack[0] = _READ, kind, 1, 0
    height = 1
    while height > 0:
        if state[FAILED] or height > MAX_PENDING - 2:
            state[FAILED] = 1
            return
        entry, of_type, remaining, place = stack[height - 1]
        if remaining <= 0:
            height -= 1
            continue
        stack[height - 1, 2] -= 1
        if entry in (_SKIP, _SKIP_MEMBERS):
            if entry == _SKIP_MEMBERS:
                _read_varint(data, state)
            next_entry, length = _skip(data, state)
            if length > 0:
                stack[height] = next_entry, 0, length, 0
                height += 1
            continue
        what, _, _, first, count = types[of_type]
        if entry == _MEMBERS:
            known = _member_with_tag(fields, first, count, _read_varint(data, state))
            if known < 0:
                stack[height] = _SKIP, 0, 1, 0
            else:
                values[place] += 1
                _write(values, state, known)
                stack[height] = _READ, fields[first + known, 0], 1, 0
            height += 1
            continue
        if what == _NULL:
            continue
        mark = read_bits(data, state, 8)
        if what == _INTEGER and mark == 9:
            _write(values, state, _read_varint(data, state))
        elif what == _BOOLEAN and mark == 6:
            _write(values, state, read_bits(data, state, 8))
        elif what == _STRUCT and mark == 5:
            stack[height] = _MEMBERS, of_type, _read_varint(data, state), state[WRITTEN]
            _write(values, state, 0)
            height += 1
        elif what == _OPTIONAL and mark == 4:
            exists = read_bits(data, state, 8)
            _write(values, state, exists)
            if exists:
                stack[height] = _READ, first, 1, 0
                height += 1
        elif what == _CHOICE and mark == 3:
            chosen = _member_with_tag(fields, first, count, _read_varint(data, state))
            _write(values, state, chosen)
            if chosen < 0:
                stack[height] = _SKIP, 0, 1, 0
            else:
                stack[height] = _READ, fields[first + chosen, 0], 1, 0
            height += 1
        elif what == _ARRAY and mark == 0:
            length = _read_varint(data, state)
            _write(values, state, length)
            stack[height] = _READ, first, length, 0
            height += 1
        elif what == _BLOB and mark == 2:
            _take_bytes(data, state, values, _read_varint(data, state))
        elif what in (_FOURCC, _REAL32) and mark == 7:
            _take_bytes(data, state, values, 4)
        elif what == _REAL64 and mark == 8:
            _take_bytes(data, state, values, 8)
        else:
            state[FAILED] = 1


@njit(cache=True)
def _skip(  # noqa: C901  # one case a kind
    data: NDArray[np.uint8], state: NDArray[np.int64]
) -> tuple[int, int]:
    """Step over an instance of an unknown type; return what of it is still to be skipped."""
    mark = read_bits(data, state, 8)
    whole_bytes = 0
    if mark == 0:
        return _SKIP, _read_varint(data, state)
    if mark == 5:
        return _SKIP_MEMBERS, _read_varint(data, state)
    if mark == 3:
        _read_varint(data, state)
        return _SKIP, 1
    if mark == 4:
        return _SKIP, min(1, read_bits(data, state, 8))
    if mark == 1:
        whole_bytes = (_read_varint(data, state) + 7) // 8
    elif mark == 2:
        whole_bytes = _read_varint(data, state)
    elif mark == 6:
        whole_bytes = 1
    elif mark == 7:
        whole_bytes = 4
    elif mark == 8:
        whole_bytes = 8
    elif mark == 9:
        _read_varint(data, state)
    else:
        state[FAILED] = 1
    if whole_bytes < 0 or state[POSITION] + whole_bytes > len(data):
        state[FAILED] = 1
        return _SKIP, 0
    state[POSITION] += whole_bytes
    return _SKIP, 0


@njit(cache=True)
def read_stream(  # noqa: C901  # one check a part of an event
    data: NDArray[np.uint8],
    types: NDArray[np.int64],
    fields: NDArray[np.int64],
    event_types: NDArray[np.int64],
    keep: NDArray[np.bool_],
    prefix_types: NDArray[np.int64],
    versioned: bool,  # noqa: FBT001  # compiled code takes no keywords
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Read a whole event stream, keeping the values of some events.

    Args:
        data: the stream's bytes.
        types: of the protocol, as ``events.Protocol`` has them.
        fields: of the protocol.
        event_types: event id to type; -1 where there is none.
        keep: event id to whether its values are wanted.
        prefix_types: types of the loop difference, the user and the event id.
        versioned: the stream is in the versioned format and without users.

    Returns:
        For each kept event its loop, user (-1 without) and event id; the values of all; and the
        byte at which reading failed, or -1.
    """
    state = np.zeros(5, np.int64)
    values = np.empty(1 << 18, np.int64)
    index = np.empty((1 << 14, 3), np.int64)
    kept = 0
    loop = 0
    user = -1
    for _ in range(MAX_EVENTS):
        if state[POSITION] >= len(data):
            return index[:kept].copy(), values[: state[WRITTEN]].copy(), -1
        start = state[WRITTEN]
        if len(values) - start < MAX_VALUES_PER_EVENT:
            grown = np.empty(2 * len(values), np.int64)
            grown[:start] = values[:start]
            values = grown
        if versioned:
            read_versioned(prefix_types[0], data, state, values, types, fields)
        else:
            read_packed(prefix_types[0], data, state, values, types, fields)
        if state[FAILED] or state[WRITTEN] != start + 2 or values[start + 1] < 0:
            break  # time cannot run backwards
        loop += values[start + 1]
        if versioned:
            read_versioned(prefix_types[2], data, state, values, types, fields)
        else:
            read_packed(prefix_types[1], data, state, values, types, fields)
            user = values[state[WRITTEN] - 1]
            read_packed(prefix_types[2], data, state, values, types, fields)
        key = values[state[WRITTEN] - 1]
        state[WRITTEN] = start
        if state[FAILED] or key < 0 or key >= len(event_types) or event_types[key] < 0:
            break
        if versioned:
            read_versioned(event_types[key], data, state, values, types, fields)
        else:
            read_packed(event_types[key], data, state, values, types, fields)
        if state[FAILED]:
            break
        state[NEXT_BITS] = 0
        if not keep[key]:
            state[WRITTEN] = start
            continue
        if kept == len(index):
            more = np.empty((2 * kept, 3), np.int64)
            more[:kept] = index
            index = more
        index[kept] = loop, user, key
        kept += 1
    return index[:kept].copy(), values[: state[WRITTEN]].copy(), state[POSITION]
