"""Protobuf's wire format, read from compiled code: fields, numbers, floats and lengths.

Every field begins with a mark that says its number and its kind. The functions here take the
position they read from and the end of the message, check before they read, and return the
position they have come to; where the message is cut short or damaged that is behind its end.
So a message is whole when its reader comes out exactly at its end.

numba keeps what it has compiled until the text of the file that calls changes: the number in
``wire_readers.py`` is to be raised after a change here.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

VARINT, FIXED_64, BYTES, FIXED_32 = 0, 1, 2, 5
"""Kinds of fields."""

SKIPPED, TRUTH, SIGNED, UNSIGNED, WHOLE, FROM_0_TO_4, FROM_1_TO_4 = range(7)
"""How numbers are kept; the last two are enumerations, WHOLE is 64 bits, SKIPPED not at all."""

LOW_32 = 0xFFFFFFFF
_BIT_31 = 0x80000000


@njit(cache=True)
def read_number(data: NDArray[np.uint8], at: int, end: int) -> tuple[int, int]:
    """Return a number, as 64 bits with a sign, and the position after it."""
    value = np.int64(0)
    shift = 0
    while at < end and shift < 64:  # a loop over a range takes five times as long
        byte = np.int64(data[at])
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return int(value), at
        shift += 7
    return 0, end + 1


@njit(cache=True)
def read_head(data: NDArray[np.uint8], at: int, end: int) -> tuple[int, int, int]:
    """Return a field's number, its kind and the position of its content."""
    mark, at = read_number(data, at, end)
    if mark < 8 or mark > LOW_32:
        return 0, 0, end + 1
    return mark >> 3, mark & 7, at


@njit(cache=True)
def read_span(data: NDArray[np.uint8], at: int, end: int) -> tuple[int, int]:
    """Return where bytes begin that follow their length, and the position after them."""
    length, at = read_number(data, at, end)
    if length < 0 or length > end - at:
        return at, end + 1
    return at, at + length


@njit(cache=True)
def skip(data: NDArray[np.uint8], at: int, end: int, kind: int) -> int:
    """Return the position after a field's content."""
    if kind == VARINT:
        _, at = read_number(data, at, end)
    elif kind == BYTES:
        _, at = read_span(data, at, end)
    elif kind == FIXED_64:
        at += 8
    elif kind == FIXED_32:
        at += 4
    else:  # a group, which the API has not got, or no kind at all
        at = end + 1
    return min(at, end + 1)


@njit(cache=True)
def read_float(data: NDArray[np.uint8], at: int, end: int) -> tuple[float, int]:
    """Return a float of 32 bits and the position after it; what is not finite is damage."""
    if at + 4 > end:
        return 0.0, end + 1
    bits = np.uint32(data[at]) | np.uint32(data[at + 1]) << np.uint32(8)
    bits |= np.uint32(data[at + 2]) << np.uint32(16) | np.uint32(data[at + 3]) << np.uint32(24)
    value = np.float64(np.uint32(bits).view(np.float32))
    if not np.isfinite(value):
        return 0.0, end + 1
    return float(value), at + 4


@njit(cache=True)
def narrowed(value: int, width: int, before: int) -> int:
    """Return a number as protobuf keeps it in a field of some width.

    Args:
        value: as it was read.
        width: SIGNED, say.
        before: what the field held: an enumeration keeps it where it is sent none of its own.
    """
    if width == TRUTH:
        return 1 if value != 0 else 0
    if width == UNSIGNED:
        return value & LOW_32
    if width == WHOLE:
        return value
    value = ((value & LOW_32) ^ _BIT_31) - _BIT_31
    if width == SIGNED:
        return value
    lowest = 1 if width == FROM_1_TO_4 else 0
    return value if lowest <= value <= 4 else before


@njit(cache=True)
def append_numbers(
    data: NDArray[np.uint8],
    at: int,
    end: int,
    kind: int,
    mask: int,
    values: NDArray[np.int64],
    count: int,
) -> tuple[int, int]:
    """Append a repeated number, or all of a packed field, as far as there is room.

    Returns:
        How many there are with these, and the position after the field.
    """
    if kind == VARINT:
        value, at = read_number(data, at, end)
        if count < len(values):
            values[count] = value & mask
        return count + 1, at
    at, stop = read_span(data, at, end)
    if stop > end:
        return count, stop
    while at < stop:
        value, at = read_number(data, at, stop)
        if count < len(values):
            values[count] = value & mask
        count += 1
    return count, (at if at == stop else end + 1)


@njit(cache=True)
def read_floats(data: NDArray[np.uint8], at: int, end: int, values: NDArray[np.float64]) -> int:
    """Read a message of floats that are numbered from 1, such as a point."""
    while at < end:
        field, kind, at = read_head(data, at, end)
        if kind == FIXED_32 and field <= len(values):
            values[field - 1], at = read_float(data, at, end)
        else:
            at = skip(data, at, end, kind)
    return at


@njit(cache=True)
def read_scalars(
    data: NDArray[np.uint8],
    at: int,
    end: int,
    columns: NDArray[np.int64],
    width: int,
    values: NDArray[np.int64],
) -> int:
    """Read a message's numbers to the columns that their fields have, -1 for none."""
    while at < end:
        field, kind, at = read_head(data, at, end)
        if kind == VARINT and field < len(columns) and columns[field] >= 0:
            value, at = read_number(data, at, end)
            values[columns[field]] = narrowed(value, width, values[columns[field]])
        else:
            at = skip(data, at, end, kind)
    return at


@njit(cache=True)
def read_repeated(
    data: NDArray[np.uint8],
    at: int,
    end: int,
    wanted: int,
    mask: int,
    values: NDArray[np.int64],
    counts: NDArray[np.int64],
    which: int,
) -> int:
    """Read one repeated number of a message, and count how many there are in all."""
    while at < end:
        field, kind, at = read_head(data, at, end)
        if field == wanted and kind in (VARINT, BYTES):
            counts[which], at = append_numbers(data, at, end, kind, mask, values, counts[which])
        else:
            at = skip(data, at, end, kind)
    return at
