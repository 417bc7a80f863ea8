"""Replay files: what is written is read, both libraries find their version, damage is refused."""

import hashlib
import io
import json
import random
import tracemalloc
from dataclasses import replace

import mpyq
import pytest
from s2clientprotocol import common_pb2 as common_pb
from s2clientprotocol import debug_pb2 as debug_pb
from s2clientprotocol import raw_pb2 as raw_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine.errors import ReplayError
from envs.engine.match import LAST_LOOP
from envs.engine.mpq import MpqArchive, mpq_archive
from envs.engine.replay_file import (
    HASH_BYTES,
    MAX_ENTRIES,
    MAX_ENTRIES_BYTES,
    Contestant,
    Entry,
    EntryKind,
    Replay,
    Setting,
    check_rules,
    read_replay,
    write_replay,
)
from envs.engine.replay_requests import replay_info
from envs.engine.varints import varint
from envs.engine.versions import DEFAULT_VERSION

PLAYER = Contestant(
    is_computer=False, race_requested=4, race=1, difficulty=1, ai_build=1, name="Zoë"
)
ENTRIES = (
    Entry(
        0,
        1,
        EntryKind.COMMAND,
        raw_pb.ActionRaw(unit_command={"ability_id": 4}).SerializeToString(),
    ),
    Entry(0, 2, EntryKind.COMMAND, b""),
    Entry(300, 1, EntryKind.CHAT, sc_pb.ActionChat(message="x" * 200).SerializeToString()),
    Entry(70_000, 2, EntryKind.DEBUG, debug_pb.DebugCommand(game_state=1).SerializeToString()),
    Entry(70_000, 1, EntryKind.LEAVE, b""),
)


def small_replay(**changes: object) -> Replay:
    """A replay of two players; a test changes what it is about."""
    setting = Setting(
        map_data=b"a map",
        map_path="Melee/Simple64.SC2Map",
        map_name="Simple64",
        seed=4_000_000_000,
        disable_fog=False,
        contestants=(PLAYER, replace(PLAYER, is_computer=True, race=2, race_requested=2)),
    )
    replay = Replay(
        rules="abc",
        version=DEFAULT_VERSION,
        setting=setting,
        results={1: 2, 2: 1},
        loops=70_000,
        entries=ENTRIES,
        hashes=(b"h" * HASH_BYTES, b"i" * HASH_BYTES),
        final_hash=b"j" * HASH_BYTES,
    )
    return replace(replay, **changes)


def plausible_commands(count: int) -> list[Entry]:
    """Commands as bots give them: a unit or a few, a place or a unit to go to."""
    generator = random.Random(3)
    entries, loop = [], 0
    tags = [(16_384 + slot) << 18 | 1 for slot in range(1, 60)]
    for _ in range(count):
        loop += generator.choice([0, 4, 8, 8, 16, 24])
        command = raw_pb.ActionRawUnitCommand(
            ability_id=generator.choice([3674, 3794, 524, 560, 319, 3666]),
            unit_tags=[generator.choice(tags)],
        )
        if generator.random() < 0.5:
            command.target_world_space_pos.CopyFrom(
                common_pb.Point2D(x=generator.randrange(160) / 2, y=generator.randrange(160) / 2)
            )
        action = raw_pb.ActionRaw(unit_command=command)
        entries.append(Entry(loop, 1, EntryKind.COMMAND, action.SerializeToString()))
    return entries


def test_what_was_written_is_read():
    assert read_replay(write_replay(small_replay())) == small_replay()


def test_a_replay_of_nothing_is_read():
    empty = small_replay(entries=(), hashes=(), results={}, loops=0)
    assert read_replay(write_replay(empty)) == empty


def test_pysc2_and_python_sc2_find_the_version_that_it_is_of():
    archive = mpyq.MPQArchive(io.BytesIO(write_replay(small_replay()))).extract()
    metadata = json.loads(archive[b"replay.gamemetadata.json"].decode("utf-8"))
    assert metadata["GameVersion"] == "4.10.0.75689"
    assert metadata["BaseBuild"] == "Base75689"
    assert metadata["DataVersion"] == "B89B5D6FA7CBF6452E721311BFBC6CB2"


def test_a_command_takes_about_a_dozen_bytes():
    entries = tuple(plausible_commands(4000))
    with_commands = write_replay(small_replay(entries=entries, loops=entries[-1].loop))
    without = write_replay(small_replay(entries=()))
    assert (len(with_commands) - len(without)) / len(entries) < 12


def test_a_short_game_takes_little_room():
    entries = tuple(plausible_commands(200))
    replay = small_replay(entries=entries, loops=entries[-1].loop)
    assert len(write_replay(replay)) < 5000


def test_damage_anywhere_is_refused_or_does_no_harm():
    whole = write_replay(small_replay())
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 0x04
        try:
            assert read_replay(bytes(damaged)) == small_replay(), position
        except ReplayError:
            continue


def test_random_bytes_are_refused():
    generator = random.Random(1)
    for size in (0, 1, 31, 32, 33, 500, 5000):
        with pytest.raises(ReplayError):
            read_replay(b"MPQ\x1a"[:size] + generator.randbytes(max(size - 4, 0)))


def test_an_archive_of_something_else_is_refused_by_what_it_lacks():
    with pytest.raises(ReplayError, match="not one of the engine's"):
        read_replay(mpq_archive({"replay.gamemetadata.json": b"{}"}))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("format", 2),
        ("seed", "seven"),
        ("contestants", None),
        ("contestants", [{"name": "alone"}]),
        ("results", []),
        ("final_hash", "no hexadecimal"),
        ("version", ["4.10.0"]),
        ("digest", "0" * 64),
        ("loops", 1 << 40),
        ("loops", -1),
        ("loops", 100),  # less than commands were given at
        ("seed", -1),
        ("results", {"1": 9}),
        ("results", {"3": 1}),
        ("map_name", "\ud800"),
        ("contestants", [vars(PLAYER)]),  # and commands of two
        ("contestants", [vars(PLAYER), vars(PLAYER) | {"difficulty": 99}]),
        ("contestants", [vars(PLAYER), vars(PLAYER) | {"race": -1}]),
    ],
)
def test_headers_that_do_not_hold_what_they_should_are_refused(key: str, value: object):
    assert "\n" not in refusal(with_files(header={key: value}))


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (Entry(70_001, 1, EntryKind.COMMAND, b""), "at loop 70001 of 70000"),
        (Entry(5, 0, EntryKind.LEAVE, b""), "player 0 of 2"),
        (Entry(5, 9, EntryKind.DEBUG, b""), "player 9 of 2"),
        (Entry(5, 1, EntryKind.COMMAND, b"\x0a\xff"), "at loop 5 is unreadable"),
        (Entry(5, 1, EntryKind.DEBUG, b"\x00"), "at loop 5 is unreadable"),
        (Entry(5, 1, EntryKind.CHAT, b"\xff"), "at loop 5 is unreadable"),
        (Entry(5, 1, EntryKind.LEAVE, b"more"), "4 bytes say how"),
    ],
)
def test_what_nobody_can_have_done_is_refused(entry: Entry, reason: str):
    text = refusal(write_replay(small_replay(entries=(entry,))))
    assert reason in text
    assert "\n" not in text


def test_a_small_file_of_very_many_commands_is_refused_before_they_are_made():
    many = varint(MAX_ENTRIES + 1) + bytes(3 * (MAX_ENTRIES + 1))
    bomb = with_files(commands=many)
    assert len(bomb) < 10_000
    tracemalloc.start()
    try:
        assert f"at most {MAX_ENTRIES}" in refusal(bomb)
        assert tracemalloc.get_traced_memory()[1] < 4 * len(many)
    finally:
        tracemalloc.stop()
    large = with_files(commands=bytes(MAX_ENTRIES_BYTES + 1))
    assert f"at most {MAX_ENTRIES_BYTES}" in refusal(large)


def test_as_many_commands_as_a_replay_holds_are_read():
    most = small_replay(entries=ENTRIES[1:2] * MAX_ENTRIES)
    assert len(read_replay(write_replay(most)).entries) == MAX_ENTRIES
    with pytest.raises(ReplayError, match=f"holds {MAX_ENTRIES} commands"):
        write_replay(small_replay(entries=ENTRIES[1:2] * (MAX_ENTRIES + 1)))


def test_the_longest_game_is_read():
    longest = small_replay(loops=LAST_LOOP)
    assert read_replay(write_replay(longest)) == longest


def with_files(*, commands: bytes | None = None, header: dict[str, object] | None = None) -> bytes:
    """The small replay with other commands, their digest made to fit, or other header lines."""
    archive = MpqArchive(write_replay(small_replay()))
    names = [f"latentstar.{part}" for part in ("header.json", "map", "commands", "hashes")]
    files = {name: archive.read(name, max_bytes=1 << 20) for name in names}
    table = json.loads(files[names[0]])
    if commands is not None:
        files[names[2]] = commands
        digest = hashlib.sha256()
        for name in names[1:]:
            digest.update(len(files[name]).to_bytes(8, "little") + files[name])
        table["digest"] = digest.hexdigest()
    files[names[0]] = json.dumps(table | (header or {})).encode()
    return mpq_archive(files)


def refusal(replay: bytes) -> str:
    """Why a replay is not read."""
    with pytest.raises(ReplayError) as refused:
        read_replay(replay)
    return str(refused.value)


def test_replays_of_other_rules_are_refused_naming_both():
    check_rules(small_replay(), "abc")
    with pytest.raises(ReplayError, match=r"rules abc.* plays by def"):
        check_rules(small_replay(), "def")


def test_replay_info_tells_what_pysc2s_filter_asks_for():
    entries = tuple(Entry(16 * i, 1 + i % 2, EntryKind.COMMAND, b"") for i in range(2000))
    info = replay_info(small_replay(entries=entries, loops=32_000))
    assert info.base_build == 75689
    assert info.game_duration_loops == 32_000
    assert info.game_duration_seconds == pytest.approx(32_000 / 22.4)
    assert [player.player_info.player_id for player in info.player_info] == [1, 2]
    assert [player.player_result.result for player in info.player_info] == [2, 1]
    # 1,000 commands each in 23.81 minutes
    assert [player.player_apm for player in info.player_info] == [42, 42]
    assert all(player.player_mmr >= 1000 for player in info.player_info)
    assert [player.player_info.race_actual for player in info.player_info] == [1, 2]
