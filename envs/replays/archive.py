"""Opens a replay file within bounds of size and memory; refuses with a reason.

A replay is an MPQ archive that may come from anybody. Nothing in it is trusted: tables are
bounded before they are read, and every part is decompressed up to a limit and no further.
"""

import bz2
import io
import json
import struct
import zlib
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import mpyq

MAX_FILE_BYTES = 32 << 20
MAX_PART_BYTES = 64 << 20
MAX_TABLE_ENTRIES = 4096


class ReplayRefused(Exception):
    """A replay that cannot be used.

    Attributes:
        reason: short and fixed, to count by; the message says more.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


class ReplayParts(NamedTuple):
    """The raw parts of a replay file; an absent part is None."""

    header: bytes
    details: bytes | None
    init_data: bytes | None
    metadata: bytes | None
    game_events: bytes
    tracker_events: bytes
    message_events: bytes | None


def read_parts(path: Path) -> ReplayParts:
    """Read the parts of the replay at ``path``.

    Raises:
        ReplayRefused: it is no replay, is damaged, or lacks the events that are needed.
    """
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise ReplayRefused("file too large", f"{size} bytes, at most {MAX_FILE_BYTES} are read")
    return parts_of(path.read_bytes())


def parts_of(content: bytes) -> ReplayParts:
    """Read the parts of a replay held in memory; raises as ``read_parts`` does."""
    if not content.startswith((b"MPQ\x1b", b"MPQ\x1a")):
        raise ReplayRefused("not a replay", "the file does not begin as an MPQ archive")
    try:
        archive = _BoundedArchive(io.BytesIO(content), listfile=False)
        header = archive.header.get("user_data_header", {}).get("content")
        parts = {
            name: archive.read_file(f"replay.{name}")
            for name in (
                "details",
                "initData",
                "gamemetadata.json",
                "game.events",
                "tracker.events",
                "message.events",
            )
        }
    except (ReplayRefused, MemoryError):
        raise
    # What mpyq raises on damage is not documented: struct, index, key, attribute and type errors.
    except Exception as error:
        raise ReplayRefused("damaged archive", f"{type(error).__name__}: {error}") from error
    if not parts["game.events"]:
        detail = "nobody's commands are in the file; the engine's are read with --knowledge game"
        raise ReplayRefused("no game events", detail)
    if not parts["tracker.events"]:
        raise ReplayRefused("no tracker events", "units are not in the file")
    if header is None:
        raise ReplayRefused("damaged archive", "it has no header of a replay")
    return ReplayParts(
        header=header,
        details=parts["details"],
        init_data=parts["initData"],
        metadata=parts["gamemetadata.json"],
        game_events=parts["game.events"],
        tracker_events=parts["tracker.events"],
        message_events=parts["message.events"],
    )


def metadata_of(content: bytes) -> dict[str, Any]:
    """Return what a replay held in memory says of itself in ``replay.gamemetadata.json``.

    Raises:
        ReplayRefused: it is no replay, or says nothing.
    """
    if not content.startswith((b"MPQ\x1b", b"MPQ\x1a")):
        raise ReplayRefused("not a replay", "the file does not begin as an MPQ archive")
    try:
        archive = _BoundedArchive(io.BytesIO(content), listfile=False)
        return dict(json.loads(archive.read_file("replay.gamemetadata.json") or b"{}"))
    except (ReplayRefused, MemoryError):
        raise
    except Exception as error:  # see parts_of
        raise ReplayRefused("damaged archive", f"{type(error).__name__}: {error}") from error


class _BoundedArchive(mpyq.MPQArchive):  # type: ignore[misc]  # mpyq is untyped
    """mpyq's archive with limits on tables and on decompression, which it lacks."""

    def read_table(self, table_type: str) -> list[tuple[int, ...]]:
        entries = self.header[f"{table_type}_table_entries"]
        if entries > MAX_TABLE_ENTRIES:
            raise ReplayRefused("damaged archive", f"{entries} entries in the {table_type} table")
        return super().read_table(table_type)

    def read_file(self, filename: str, force_decompress: bool = False) -> bytes | None:  # noqa: FBT001, FBT002  # mpyq's signature
        hashed = self.get_hash_table_entry(filename)
        if hashed is None:
            return None
        block = self.block_table[hashed.block_table_index]
        if not block.flags & mpyq.MPQ_FILE_EXISTS or block.archived_size == 0:
            return None
        if block.flags & mpyq.MPQ_FILE_ENCRYPTED:
            raise ReplayRefused("encrypted archive", filename)
        if block.size > MAX_PART_BYTES:
            raise ReplayRefused("part too large", f"{filename} would be {block.size} bytes")
        self.file.seek(block.offset + self.header["offset"])
        data: bytes = self.file.read(block.archived_size)
        if len(data) != block.archived_size:
            raise ReplayRefused("damaged archive", f"the file ends within {filename}")
        compressed = bool(block.flags & mpyq.MPQ_FILE_COMPRESS)
        if block.flags & mpyq.MPQ_FILE_SINGLE_UNIT:
            if compressed and block.size > block.archived_size:
                return _decompress(data, block.size)
            return data
        return self._joined_sectors(data, block, compressed=compressed)

    def _joined_sectors(self, data: bytes, block: tuple[int, ...], *, compressed: bool) -> bytes:
        size = block.size  # type: ignore[attr-defined]  # a namedtuple of mpyq's
        sector_bytes = 512 << min(self.header["sector_size_shift"], 16)
        count = max(1, -(-size // sector_bytes))
        positions = struct.unpack_from(f"<{count + 1}I", data)
        result = bytearray()
        for start, end in pairwise(positions):
            expected = min(sector_bytes, size - len(result))
            sector = data[start:end]
            if compressed and len(sector) < expected:
                sector = _decompress(sector, expected)
            if len(sector) != expected:
                raise ReplayRefused("damaged archive", f"a sector of {expected} bytes is another")
            result += sector
        return bytes(result)


def _decompress(data: bytes, size: int) -> bytes:
    """Decompress one sector to exactly ``size`` bytes, never holding more."""
    method = data[0]
    if method == 0:
        result = data[1:]
    elif method == 2:
        result = zlib.decompressobj().decompress(data[1:], size + 1)
    elif method == 16:
        result = bz2.BZ2Decompressor().decompress(data[1:], size + 1)
    else:
        raise ReplayRefused("damaged archive", f"unknown compression method {method}")
    if len(result) != size:
        raise ReplayRefused("damaged archive", f"a part of {size} bytes has another length")
    return result
