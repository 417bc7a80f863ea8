"""The writer of test replays against s2protocol and mpyq, which know the real format."""

import io
from typing import Any

import mpyq
import pytest

from tests.mpq_writer import Compression, mpq_archive
from tests.replay_writer import NEWEST_PROTOCOL, Script, small_game, written_protocol

BUILDS = [26490, 51702, 76114, 80949, NEWEST_PROTOCOL]


def unmarked(event: dict[str, Any]) -> dict[str, Any]:
    """An event's own fields, without those that s2protocol adds."""
    return {name: value for name, value in event.items() if not name.startswith("_")}


def contains(decoded: Any, written: Any) -> bool:
    """Whether all that was written is in what was decoded; defaults may be more."""
    if isinstance(written, dict):
        return all(contains(decoded[key], value) for key, value in written.items())
    if isinstance(written, list):
        return len(decoded) == len(written) and all(map(contains, decoded, written))
    return decoded == written


def s2protocol_archive(script: Script) -> mpyq.MPQArchive:
    return mpyq.MPQArchive(io.BytesIO(script.content()), listfile=False)


@pytest.mark.parametrize("build", BUILDS)
def test_s2protocol_reads_back_the_game_events_that_were_written(build: int):
    script = simple_game(build)
    content = s2protocol_archive(script).read_file("replay.game.events")
    decoded = list(script.protocol.decode_replay_game_events(content))
    written = sorted(script.game, key=lambda event: event[0])
    assert len(decoded) == len(written)
    for event, (loop, user, name, fields) in zip(decoded, written, strict=True):
        assert event["_gameloop"] == loop
        assert event["_userid"] == {"m_userId": user}
        assert event["_event"] == f"NNet.Game.{name}"
        assert contains(event, fields)


@pytest.mark.parametrize("build", BUILDS)
def test_s2protocol_reads_back_the_tracker_events_that_were_written(build: int):
    script = simple_game(build)
    content = s2protocol_archive(script).read_file("replay.tracker.events")
    decoded = list(script.protocol.decode_replay_tracker_events(content))
    if script.setups:
        assert [event["m_userId"] for event in decoded[:2]] == list(script.users)
        del decoded[:2]
    written = sorted(script.tracker, key=lambda event: event[0])
    assert [(e["_gameloop"], e["_event"]) for e in decoded] == [
        (loop, f"NNet.Replay.Tracker.{name}") for loop, name, _ in written
    ]
    assert [unmarked(e) for e in decoded] == [fields for _, _, fields in written]


@pytest.mark.parametrize("build", BUILDS)
def test_s2protocol_reads_back_details_lobby_and_chat(build: int):
    script = simple_game(build)
    archive, protocol = s2protocol_archive(script), script.protocol
    details = protocol.decode_replay_details(archive.read_file("replay.details"))
    assert [seat["m_name"].decode() for seat in details["m_playerList"]] == ["Anna", "Боря"]
    lobby = protocol.decode_replay_initdata(archive.read_file("replay.initData"))
    assert lobby["m_syncLobbyState"]["m_gameDescription"]["m_randomValue"] == 1234
    messages = archive.read_file("replay.message.events")
    (chat,) = protocol.decode_replay_message_events(messages)
    assert (chat["_gameloop"], chat["m_string"]) == (900, b"gl hf")


def test_s2protocol_reads_back_the_header():
    content = s2protocol_archive(small_game()).header["user_data_header"]["content"]
    header = written_protocol(NEWEST_PROTOCOL).decode_replay_header(content)
    assert header["m_version"]["m_baseBuild"] == 80949
    assert header["m_elapsedGameLoops"] == 2000


@pytest.mark.parametrize("compression", Compression)
def test_mpyq_reads_back_every_compression(compression: Compression):
    script = small_game()
    content = mpq_archive(script.header(), script.stored(compression))
    archive = mpyq.MPQArchive(io.BytesIO(content), listfile=False)
    for name, part in script.streams().items():
        assert archive.read_file(name) == part


def simple_game(build: int) -> Script:
    """The small game in another build, whose catalogue of abilities does not matter here."""
    script = small_game()
    other = Script(base_build=build)
    other.tracker, other.messages = script.tracker, script.messages
    other.game = [
        event
        for event in script.game
        # Builds before Legacy of the Void have no repeats.
        if build >= 51702 or event[2].startswith(("SCmdEvent", "SSelection", "SControl"))
    ]
    # What the statistics hold differs from build to build.
    stats = [event for event in other.tracker if event[1] == "SPlayerStatsEvent"]
    other.tracker = [event for event in other.tracker if event not in stats]
    other.stats(160, 1, MineralsCurrent=75)
    return other
