"""Opening replay files: what is read, and how files made to harm are refused."""

import bz2
import resource
import struct
import tracemalloc
from pathlib import Path

import pytest

from envs.replays.archive import (
    MAX_FILE_BYTES,
    MAX_PART_BYTES,
    MAX_TABLE_ENTRIES,
    ReplayRefused,
    parts_of,
    read_parts,
)
from tests.mpq_writer import (
    COMPRESSED,
    ENCRYPTED,
    EXISTS,
    SINGLE_UNIT,
    Compression,
    StoredPart,
    mpq_archive,
    stored_part,
)
from tests.replay_writer import Script, small_game


def refusal(content: bytes) -> str:
    with pytest.raises(ReplayRefused) as refused:
        parts_of(content)
    return refused.value.reason


def with_part(script: Script, part: StoredPart) -> bytes:
    """The game's file with one part put in the place of its own."""
    kept = [other for other in script.stored() if other.name != part.name]
    return mpq_archive(script.header(), [*kept, part])


@pytest.mark.parametrize("compression", Compression)
def test_every_part_is_read_back_whatever_its_compression(compression: Compression):
    script = small_game()
    script.metadata = {"Players": []}
    parts = parts_of(mpq_archive(script.header(), script.stored(compression)))
    written = script.streams()
    assert parts.header == script.header()
    assert parts.details == written["replay.details"]
    assert parts.init_data == written["replay.initData"]
    assert parts.metadata == b'{"Players": []}'
    assert parts.game_events == written["replay.game.events"]
    assert parts.tracker_events == written["replay.tracker.events"]
    assert parts.message_events == written["replay.message.events"]


def test_absent_parts_are_none():
    script = small_game()
    parts = parts_of(script.content())
    assert parts.metadata is None


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"MPQ", bytes(5000)])
def test_what_does_not_begin_as_an_archive_is_no_replay(content: bytes):
    assert refusal(content) == "not a replay"


def test_an_archive_without_the_replay_header_is_refused():
    archive = small_game().content()[1024:]
    assert archive.startswith(b"MPQ\x1a")
    assert refusal(archive) == "damaged archive"


def test_a_file_cut_anywhere_is_refused():
    content = small_game().content()
    for length in range(4, len(content), 37):
        assert refusal(content[:length]) in ("damaged archive", "not a replay")


def test_a_file_that_ends_within_a_part_is_refused():
    events = small_game().streams()["replay.game.events"]
    part = StoredPart("replay.game.events", events, 10**6, EXISTS | SINGLE_UNIT, 10**6)
    assert refusal(with_part(small_game(), part)) == "damaged archive"


@pytest.mark.parametrize("missing", ["game", "tracker"])
def test_a_replay_without_events_is_refused_by_the_name_of_what_it_lacks(missing: str):
    script = small_game()
    kept = [part for part in script.stored() if part.name != f"replay.{missing}.events"]
    assert refusal(mpq_archive(script.header(), kept)) == f"no {missing} events"


def test_encrypted_parts_are_refused():
    part = StoredPart("replay.details", b"secret", 6, EXISTS | SINGLE_UNIT | ENCRYPTED)
    assert refusal(with_part(small_game(), part)) == "encrypted archive"


def test_an_unknown_compression_is_refused():
    part = StoredPart("replay.details", b"\x08abc", 100, EXISTS | SINGLE_UNIT | COMPRESSED)
    assert refusal(with_part(small_game(), part)) == "damaged archive"


@pytest.mark.parametrize("compression", [Compression.ZLIB, Compression.BZ2])
def test_a_part_that_says_a_wrong_size_is_refused(compression: Compression):
    honest = stored_part("replay.details", bytes(1000), compression)
    for size in (999, 1001):
        assert refusal(with_part(small_game(), honest._replace(size=size))) == "damaged archive"


def test_a_part_that_says_it_is_stored_as_it_is_must_have_its_size():
    part = StoredPart("replay.details", b"\x00abc", 100, EXISTS | SINGLE_UNIT | COMPRESSED)
    assert refusal(with_part(small_game(), part)) == "damaged archive"


def test_a_part_larger_than_allowed_is_refused_by_what_it_says():
    honest = stored_part("replay.details", bytes(1000))
    part = honest._replace(size=MAX_PART_BYTES + 1)
    assert refusal(with_part(small_game(), part)) == "part too large"


@pytest.mark.parametrize("compression", [Compression.ZLIB, Compression.BZ2])
def test_a_decompression_bomb_is_refused_within_its_stated_size(compression: Compression):
    honest = stored_part("replay.details", bytes(100 << 20), compression)
    assert len(honest.data) < 128 << 10
    part = honest._replace(size=1 << 20)
    content = with_part(small_game(), part)
    tracemalloc.start()
    assert refusal(content) == "damaged archive"
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 << 20


def test_sectors_that_overlap_cannot_multiply_a_part():
    # Two thousand sectors, of which every other one claims the whole of the part.
    sectors = 2000
    data = bytearray(1 << 20)
    positions = [0 if i % 2 == 0 else len(data) for i in range(sectors + 1)]
    struct.pack_into(f"<{sectors + 1}I", data, 0, *positions)
    part = StoredPart("replay.details", bytes(data), sectors * 512 << 5, EXISTS)
    content = with_part(small_game(), part)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert refusal(content) == "damaged archive"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10  # KiB


def test_parts_in_several_sectors_are_joined():
    sector_bytes = 512 << 5
    content = bytes(range(256)) * 150  # two whole sectors and a part of one
    pieces = [content[i : i + sector_bytes] for i in range(0, len(content), sector_bytes)]
    stored = [b"\x10" + bz2.compress(piece) for piece in pieces]
    starts = [4 * (len(pieces) + 1)]
    for piece in stored:
        starts.append(starts[-1] + len(piece))
    data = struct.pack(f"<{len(starts)}I", *starts) + b"".join(stored)
    part = StoredPart("replay.details", data, len(content), EXISTS | COMPRESSED)
    assert parts_of(with_part(small_game(), part)).details == content


@pytest.mark.parametrize("entries", [MAX_TABLE_ENTRIES + 1, 0xFFFFFFFF])
def test_an_oversized_table_is_refused_before_it_is_read(entries: int):
    script = small_game()
    content = mpq_archive(script.header(), script.stored(), table_entries=entries)
    # What follows the tables could be read as if it were more of them.
    with pytest.raises(ReplayRefused, match=f"{entries} entries in the hash table"):
        parts_of(content + bytes(1 << 20))


def test_a_file_larger_than_allowed_is_not_read(tmp_path: Path):
    path = tmp_path / "large.SC2Replay"
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(ReplayRefused, match="file too large"):
        read_parts(path)


def test_a_file_is_read_like_its_bytes(tmp_path: Path):
    script = small_game()
    path = script.write(tmp_path / "a.SC2Replay")
    assert read_parts(path) == parts_of(script.content())
