"""Archives that mpyq reads as we do, and refusals of those that are damaged."""

import io
import random
import zlib

import mpyq
import pytest

from envs.engine.errors import ReplayError
from envs.engine.mpq import LISTFILE, MpqArchive, mpq_archive
from tests.mpq_writer import mpq_archive as archive_as_the_game_writes_it
from tests.mpq_writer import stored_part

FILES = {
    "replay.gamemetadata.json": b'{"BaseBuild":"Base75689"}' * 20,
    "small": b"\x00\x01\x02",
    "empty": b"",
    "noise": random.Random(5).randbytes(10_000),
    "long": b"abc" * 100_000,
}
LIMIT = 1 << 20


def test_what_was_written_is_read():
    archive = MpqArchive(mpq_archive(FILES))
    assert {name: archive.read(name, max_bytes=LIMIT) for name in FILES} == FILES


def test_mpyq_finds_every_file_by_the_list():
    archive = mpyq.MPQArchive(io.BytesIO(mpq_archive(FILES)))
    extracted = archive.extract()
    assert {name.decode(): content or b"" for name, content in extracted.items()} == FILES


def test_names_are_found_whatever_their_number_and_case():
    files = {f"file{i}": bytes([i]) * i for i in range(100)}
    archive = MpqArchive(mpq_archive(files))
    assert all(archive.read(f"FILE{i}", max_bytes=LIMIT) == files[f"file{i}"] for i in range(100))


def test_files_are_compressed_where_that_makes_them_smaller():
    overhead = len(mpq_archive({}))
    assert len(mpq_archive({"long": FILES["long"]})) < overhead + 1000
    assert len(mpq_archive({"noise": FILES["noise"]})) < overhead + len(FILES["noise"]) + 100


def test_the_list_names_each_file_on_a_line():
    listed = MpqArchive(mpq_archive(FILES)).read(LISTFILE, max_bytes=LIMIT)
    assert listed.decode().split("\r\n") == list(FILES)


def test_an_absent_file_is_refused_by_name():
    with pytest.raises(ReplayError, match="no nothing"):
        MpqArchive(mpq_archive(FILES)).read("nothing", max_bytes=LIMIT)


def test_no_more_is_decompressed_than_the_limit():
    with pytest.raises(ReplayError, match="at most 1000"):
        MpqArchive(mpq_archive(FILES)).read("long", max_bytes=1000)


def test_a_file_that_grows_beyond_what_it_says_is_refused():
    bomb = stored_part("long", b"")._replace(
        data=b"\x02" + zlib.compress(bytes(1 << 20)), size=5000, flags=1 << 31 | 1 << 24 | 0x200
    )
    content = archive_as_the_game_writes_it(b"", [bomb])[1024:]  # without the user data in front
    with pytest.raises(ReplayError, match="long"):
        MpqArchive(content).read("long", max_bytes=LIMIT)


@pytest.mark.parametrize(
    "content", [b"", b"MPQ", b"MPQ\x1a", b"\x89PNG" + bytes(100), b"MPQ\x1a" + b"\xff" * 28]
)
def test_what_is_no_archive_is_refused(content: bytes):
    with pytest.raises(ReplayError, match="replay"):
        MpqArchive(content)


def test_a_replay_of_the_real_game_is_told_apart():
    with pytest.raises(ReplayError, match="StarCraft II, not of the engine"):
        MpqArchive(archive_as_the_game_writes_it(b"header", [stored_part("a", b"b")]))


def test_damage_is_refused_or_changes_nothing_that_is_compressed():
    whole = mpq_archive({"long": FILES["long"]})
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 0x10
        try:
            content = MpqArchive(bytes(damaged)).read("long", max_bytes=LIMIT)
        except ReplayError:
            continue
        assert content == FILES["long"], position


def test_cut_off_archives_are_refused():
    whole = mpq_archive({"long": FILES["long"]})
    for length in range(len(whole)):
        with pytest.raises(ReplayError):
            MpqArchive(whole[:length]).read("long", max_bytes=LIMIT)
