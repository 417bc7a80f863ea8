"""Writes MPQ archives as the game writes replays: a header in front, single-unit files."""

import bz2
import struct
import zlib
from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

EXISTS, SINGLE_UNIT, COMPRESSED, ENCRYPTED = 1 << 31, 1 << 24, 0x200, 1 << 16
_MASK = 0xFFFFFFFF
_HEADER_OFFSET = 1024
_MPQ_HEADER_BYTES = 32


class Compression(Enum):
    """How a part is stored; the value is the method byte in front of it."""

    NONE = None
    ZLIB = 2
    BZ2 = 16


class StoredPart(NamedTuple):
    """A file of an archive, as it lies there."""

    name: str
    data: bytes
    size: int  # before compression
    flags: int
    claimed_bytes: int | None = None  # length of ``data`` that the table gives, if untrue


def stored_part(
    name: str, content: bytes, compression: Compression = Compression.BZ2
) -> StoredPart:
    """Compress a file where that makes it smaller, as the game does."""
    data = content
    if compression is Compression.ZLIB:
        data = b"\x02" + zlib.compress(content)
    elif compression is Compression.BZ2:
        data = b"\x10" + bz2.compress(content)
    if len(data) < len(content):
        return StoredPart(name, data, len(content), EXISTS | SINGLE_UNIT | COMPRESSED)
    return StoredPart(name, content, len(content), EXISTS | SINGLE_UNIT)


def mpq_archive(header: bytes, parts: Iterable[StoredPart], *, table_entries: int = 16) -> bytes:
    """Return an archive with the replay's ``header`` as user data and these files.

    Args:
        header: what s2protocol reads as the replay's header.
        parts: the files.
        table_entries: size of the hash table that its header claims; a power of two.
    """
    parts = list(parts)
    front = struct.pack("<4s3I", b"MPQ\x1b", 512, _HEADER_OFFSET, len(header)) + header
    front = front.ljust(_HEADER_OFFSET, b"\0")
    assert len(front) == _HEADER_OFFSET, "the header must fit before the archive"
    body, blocks = b"", b""
    hashes = [struct.pack("<2I2HI", _MASK, _MASK, 0xFFFF, 0xFFFF, _MASK)] * 16
    for i, part in enumerate(parts):
        offset = _MPQ_HEADER_BYTES + len(body)
        length = len(part.data) if part.claimed_bytes is None else part.claimed_bytes
        blocks += struct.pack("<4I", offset, length, part.size, part.flags)
        hashes[i] = struct.pack("<2I2HI", _hash(part.name, 1), _hash(part.name, 2), 0, 0, i)
        body += part.data
    hash_offset = _MPQ_HEADER_BYTES + len(body)
    block_offset = hash_offset + 16 * len(hashes)
    counts = table_entries, len(parts)
    size = block_offset + len(blocks)
    archive = struct.pack(
        "<4s2I2H4I", b"MPQ\x1a", 32, size, 0, 5, hash_offset, block_offset, *counts
    )
    tables = _encrypted(b"".join(hashes), _hash("(hash table)", 3))
    return front + archive + body + tables + _encrypted(blocks, _hash("(block table)", 3))


def _encryption_table() -> list[int]:
    table, seed = [0] * 0x500, 0x00100001
    for i in range(256):
        for j in range(5):
            seed = (seed * 125 + 3) % 0x2AAAAB
            high = (seed & 0xFFFF) << 16
            seed = (seed * 125 + 3) % 0x2AAAAB
            table[i + 0x100 * j] = high | (seed & 0xFFFF)
    return table


_TABLE = _encryption_table()


def _hash(text: str, kind: int) -> int:
    first, second = 0x7FED7FED, 0xEEEEEEEE
    for character in text.upper().encode():
        first = (_TABLE[(kind << 8) + character] ^ (first + second)) & _MASK
        second = (character + first + second + (second << 5) + 3) & _MASK
    return first


def _encrypted(data: bytes, key: int) -> bytes:
    second, result = 0xEEEEEEEE, b""
    for (word,) in struct.iter_unpack("<I", data):
        second = (second + _TABLE[0x400 + (key & 0xFF)]) & _MASK
        result += struct.pack("<I", (word ^ (key + second)) & _MASK)
        key = (((~key << 0x15) + 0x11111111) | (key >> 0x0B)) & _MASK
        second = (word + second + (second << 5) + 3) & _MASK
    return result
