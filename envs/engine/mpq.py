"""MPQ archives, the container that clients expect of a replay: written plainly, read within bounds.

Every file of an archive is a single unit, compressed with zlib where that makes it smaller. The
format is described at https://www.zezula.net/en/mpq/mpqformat.html. Archives may come from
anybody: nothing in them is trusted, and a file is decompressed up to a limit and no further.
"""

import struct
import zlib
from collections.abc import Callable, Mapping
from enum import IntEnum
from functools import cache
from typing import NamedTuple

from envs.engine.errors import ReplayError

LISTFILE = "(listfile)"

_HEADER = struct.Struct("<4s2I2H4I")
_HASH_ENTRY = struct.Struct("<2I2HI")
_BLOCK_ENTRY = struct.Struct("<4I")
_MAGIC, _MAGIC_WITH_USER_DATA = b"MPQ\x1a", b"MPQ\x1b"
_EXISTS, _SINGLE_UNIT, _COMPRESSED = 1 << 31, 1 << 24, 1 << 9
_ZLIB = b"\x02"
_MASK = 0xFFFFFFFF
_NO_BLOCK = _MASK
_SECTOR_SIZE_SHIFT = 5
_MAX_TABLE_ENTRIES = 256


class _HashKind(IntEnum):
    """What a name is hashed for."""

    PLACE = 0
    FIRST = 1
    SECOND = 2
    KEY = 3


class _Block(NamedTuple):
    """Where a file lies in its archive, and how."""

    offset: int
    stored_bytes: int
    size: int
    flags: int


def mpq_archive(files: Mapping[str, bytes]) -> bytes:
    """Return an archive of these files and a list of their names."""
    contents = {**files, LISTFILE: "\r\n".join(files).encode()}
    body, blocks = bytearray(), []
    for content in contents.values():
        stored, flags = _stored(content)
        blocks.append(_Block(_HEADER.size + len(body), len(stored), len(content), flags))
        body += stored
    hashes = _hash_table(list(contents))
    hash_offset = _HEADER.size + len(body)
    block_offset = hash_offset + len(hashes)
    packed_blocks = b"".join(_BLOCK_ENTRY.pack(*block) for block in blocks)
    header = _HEADER.pack(
        _MAGIC,
        _HEADER.size,
        block_offset + len(packed_blocks),
        0,
        _SECTOR_SIZE_SHIFT,
        hash_offset,
        block_offset,
        len(hashes) // _HASH_ENTRY.size,
        len(blocks),
    )
    return (
        header
        + bytes(body)
        + _encrypted(hashes, _hash("(hash table)", _HashKind.KEY))
        + _encrypted(packed_blocks, _hash("(block table)", _HashKind.KEY))
    )


class MpqArchive:
    """An archive held in memory."""

    def __init__(self, content: bytes) -> None:
        """Read the tables.

        Raises:
            ReplayError: this is no archive, or it is damaged.
        """
        if content.startswith(_MAGIC_WITH_USER_DATA):
            raise ReplayError("this is a replay of StarCraft II, not of the engine")
        if not content.startswith(_MAGIC) or len(content) < _HEADER.size:
            raise ReplayError("this is no replay: it does not begin as an MPQ archive")
        header = _HEADER.unpack_from(content)
        hash_offset, block_offset, num_hashes, num_blocks = header[5:]
        self._content = content
        hashes = self._table(hash_offset, num_hashes, "(hash table)")
        blocks = self._table(block_offset, num_blocks, "(block table)")
        self._blocks = [_Block(*entry) for entry in _BLOCK_ENTRY.iter_unpack(blocks)]
        self._block_of = {
            (first, second): block
            for first, second, _, _, block in _HASH_ENTRY.iter_unpack(hashes)
            if block != _NO_BLOCK
        }

    def read(self, name: str, *, max_bytes: int) -> bytes:
        """Return a file of the archive.

        Raises:
            ReplayError: there is no such file, it is damaged, or larger than ``max_bytes``.
        """
        index = self._block_of.get((_hash(name, _HashKind.FIRST), _hash(name, _HashKind.SECOND)))
        if index is None or index >= len(self._blocks):
            raise ReplayError(f"the replay has no {name}: it is not one of the engine's")
        block = self._blocks[index]
        stored = self._content[block.offset : block.offset + block.stored_bytes]
        if block.flags & ~_COMPRESSED != _EXISTS | _SINGLE_UNIT or len(stored) < block.stored_bytes:
            raise ReplayError(f"the replay is damaged: {name} is not stored as it should be")
        if block.size > max_bytes:
            raise ReplayError(f"{name} would be {block.size} bytes, at most {max_bytes} are read")
        if block.flags & _COMPRESSED and block.stored_bytes < block.size:
            stored = _decompressed(name, stored, block.size)
        if len(stored) != block.size:
            raise ReplayError(f"the replay is damaged: {name} has another length")
        return stored

    def _table(self, offset: int, num_entries: int, key: str) -> bytes:
        end = offset + num_entries * _BLOCK_ENTRY.size
        if not 0 < num_entries <= _MAX_TABLE_ENTRIES or end > len(self._content):
            raise ReplayError("the replay is damaged: its tables are not within the file")
        return _decrypted(self._content[offset:end], _hash(key, _HashKind.KEY))


def _stored(content: bytes) -> tuple[bytes, int]:
    compressed = _ZLIB + zlib.compress(content, 9)
    if len(compressed) < len(content):
        return compressed, _EXISTS | _SINGLE_UNIT | _COMPRESSED
    return content, _EXISTS | _SINGLE_UNIT


def _decompressed(name: str, stored: bytes, size: int) -> bytes:
    if stored[:1] != _ZLIB:
        raise ReplayError(f"the replay is damaged: {name} is compressed by another method")
    decompressor = zlib.decompressobj()
    try:
        content = decompressor.decompress(stored[1:], size + 1)
    except zlib.error as error:
        raise ReplayError(f"the replay is damaged: {name} does not decompress") from error
    if not decompressor.eof or decompressor.unused_data:
        raise ReplayError(f"the replay is damaged: {name} is cut off or too long")
    return content


def _hash_table(names: list[str]) -> bytes:
    """Return a table in which readers find each name at its place, or in the next free one."""
    num_entries = 16
    while num_entries < 2 * len(names):
        num_entries *= 2
    entries = [_HASH_ENTRY.pack(_MASK, _MASK, 0xFFFF, 0xFFFF, _NO_BLOCK)] * num_entries
    taken = set()
    for block, name in enumerate(names):
        place = _hash(name, _HashKind.PLACE) % num_entries
        while place in taken:
            place = (place + 1) % num_entries
        taken.add(place)
        first, second = _hash(name, _HashKind.FIRST), _hash(name, _HashKind.SECOND)
        entries[place] = _HASH_ENTRY.pack(first, second, 0, 0, block)
    return b"".join(entries)


@cache
def _cipher_table() -> tuple[int, ...]:
    table, seed = [0] * 0x500, 0x00100001

    def half() -> int:
        nonlocal seed
        seed = (seed * 125 + 3) % 0x2AAAAB
        return seed & 0xFFFF

    for column in range(0x100):
        for row in range(5):
            table[row * 0x100 + column] = half() << 16 | half()
    return tuple(table)


def _hash(name: str, kind: _HashKind) -> int:
    table = _cipher_table()
    first, second = 0x7FED7FED, 0xEEEEEEEE
    for character in name.upper().encode():
        first = (table[kind * 0x100 + character] ^ (first + second)) & _MASK
        second = (character + first + second * 33 + 3) & _MASK
    return first


def _encrypted(data: bytes, key: int) -> bytes:
    return _ciphered(data, key, plain_word=lambda word, _: word)


def _decrypted(data: bytes, key: int) -> bytes:
    return _ciphered(data, key, plain_word=lambda word, mask: word ^ mask)


def _ciphered(data: bytes, key: int, *, plain_word: Callable[[int, int], int]) -> bytes:
    """Mask the words of ``data`` with a stream that goes on from each plain word."""
    table, second, words = _cipher_table(), 0xEEEEEEEE, []
    for (word,) in struct.iter_unpack("<I", data):
        second = (second + table[0x400 + (key & 0xFF)]) & _MASK
        mask = (key + second) & _MASK
        words.append(word ^ mask)
        second = (plain_word(word, mask) + second * 33 + 3) & _MASK
        key = (((~key << 21) + 0x11111111) | (key >> 11)) & _MASK
    return struct.pack(f"<{len(words)}I", *words)
