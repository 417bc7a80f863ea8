"""Writing protobuf's wire format from compiled code: numbers, floats and messages within messages.

A message's length is written after it, into room kept before it: two bytes, which hold up to
16,383, and which every reader accepts for smaller numbers too.
"""

import numpy as np

from envs.engine.compiled import Array, inlined

LENGTH_BYTES = 2
_VARINT, _FIXED_32, _BYTES = 0, 5, 2
_LOWEST = np.uint32(255)
_BYTE, _TWO_BYTES, _THREE_BYTES = np.uint32(8), np.uint32(16), np.uint32(24)


@inlined
def put_varint(out: Array, at: int, value: int) -> int:
    """Write a number that is not negative; return the position after it."""
    while value >= 128:
        out[at] = (value & 127) | 128
        value >>= 7
        at += 1
    out[at] = value
    return at + 1


@inlined
def put_number(out: Array, at: int, field: int, value: int) -> int:
    """Write a field that holds a number, an enumeration or a truth."""
    at = put_varint(out, at, field << 3 | _VARINT)
    return put_varint(out, at, value)


@inlined
def put_float(out: Array, at: int, field: int, value: float) -> int:
    """Write a field that holds a float of 32 bits."""
    at = put_varint(out, at, field << 3 | _FIXED_32)
    bits = np.float32(value).view(np.uint32)
    out[at] = bits & _LOWEST
    out[at + 1] = (bits >> _BYTE) & _LOWEST
    out[at + 2] = (bits >> _TWO_BYTES) & _LOWEST
    out[at + 3] = bits >> _THREE_BYTES
    return at + 4


@inlined
def begin(out: Array, at: int, field: int) -> int:
    """Begin a message within a message; return where its content starts."""
    return put_varint(out, at, field << 3 | _BYTES) + LENGTH_BYTES


@inlined
def end(out: Array, start: int, at: int) -> int:
    """End a message that began at ``start``: write its length. Return the position after it."""
    length = at - start
    out[start - 2] = (length & 127) | 128
    out[start - 1] = length >> 7
    return at
