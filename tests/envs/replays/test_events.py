"""Event streams: which protocol reads a build, and what damage does."""

from contextlib import suppress

import numpy as np
import pytest

from envs.replays.archive import ReplayParts, ReplayRefused
from envs.replays.events import (
    Event,
    game_events,
    latest_protocol,
    message_events,
    protocol_for,
    tracker_events,
)
from envs.replays.reconstruction import reconstruct
from tests.replay_writer import Script, small_game

SEVENTEEN = [0b10100101, 0b00011000, 0b1]  # a mask of seventeen units


@pytest.mark.parametrize(
    ("build", "reader"),
    [
        (24944, 26490),  # its own protocol cannot read it
        (26490, 26490),  # exact
        (38215, 51702),  # Legacy of the Void before 3.8 has no protocol
        (44401, 51702),
        (47185, 51702),
        (51702, 51702),
        (76811, 76114),  # missing: the next lower
        (81433, 81009),
        (98310, 98310),
        (999999, 98310),
    ],
)
def test_each_build_has_its_protocol(build: int, reader: int):
    assert protocol_for(build).base_build == reader


@pytest.mark.parametrize("build", [0, 15405, 24943, -1])
def test_builds_before_tracker_events_are_refused(build: int):
    with pytest.raises(ReplayRefused) as refused:
        protocol_for(build)
    assert refused.value.reason == "build too old"


def test_headers_are_read_by_the_newest_protocol():
    assert latest_protocol().base_build == 98310


def test_events_come_in_order_with_loop_user_and_name():
    script = small_game()
    names = {name for _, _, name, _ in script.game}
    decoded = list(game_events(protocol_for(80949), script.parts().game_events, names))
    written = sorted(script.game, key=lambda event: event[0])
    assert [event[:3] for event in decoded] == [event[:3] for event in written]


def test_tracker_events_have_no_user():
    content = small_game().parts().tracker_events
    decoded = tracker_events(protocol_for(80949), content, {"SUnitBornEvent"})
    assert {event.user for event in decoded} == {-1}


def test_events_that_are_not_wanted_are_passed_over():
    script = small_game()
    content = script.parts().game_events
    everything = {name for _, _, name, _ in script.game}
    all_events = list(game_events(protocol_for(80949), content, everything))
    commands = list(game_events(protocol_for(80949), content, {"SCmdEvent"}))
    assert commands == [event for event in all_events if event.name == "SCmdEvent"]
    assert list(game_events(protocol_for(80949), content, set())) == []


def test_masks_of_many_units_are_read_bit_by_bit():
    script = Script()
    script.delta(0, 1, mask={"Mask": (17, SEVENTEEN)})
    script.command(0, 1, ("stop", 0))
    stream = script.streams()["replay.game.events"]
    (event,) = game_events(protocol_for(80949), stream, {"SSelectionDeltaEvent"})
    assert event.fields["m_delta"]["m_removeMask"] == {"Mask": (17, SEVENTEEN)}


def test_chat_is_read():
    content = small_game().parts().message_events
    (event,) = message_events(protocol_for(80949), content or b"", {"SChatMessage"})
    assert event == Event(900, 1, "SChatMessage", {"m_recipient": 0, "m_string": b"gl hf"})


def test_long_waits_between_events_are_added_up():
    script = Script(game_loops=10**6)
    loops = [0, 63, 64 + 63, 17_000, 5_000_000, 400_000_000]
    for loop in loops:
        script.chat(loop, 1, "x")
    stream = script.streams()["replay.message.events"]
    decoded = message_events(protocol_for(80949), stream, {"SChatMessage"})
    assert [event.loop for event in decoded] == loops


def test_streams_cut_within_an_event_are_refused():
    content = small_game().parts().game_events
    ends = {0}
    for length in range(1, len(content)):
        try:
            list(game_events(protocol_for(80949), content[:length], {"SCmdEvent"}))
        except ReplayRefused:
            continue
        ends.add(length)
    # A stream does not say its length, so the edge of an event cannot be told from its end.
    assert len(ends) == len(small_game().game)


def test_time_that_runs_backwards_is_refused():
    # Of the versioned format, whose integers have a sign: loop difference, event id, chat.
    backwards = bytes([3, 0, 9, 0b11]) + bytes([9, 14, 5, 0])
    with pytest.raises(ReplayRefused, match="damaged events"):
        list(tracker_events(protocol_for(80949), backwards, {"SUnitDoneEvent"}))


@pytest.mark.parametrize("build", [26490, 80949])
def test_mutated_streams_are_decoded_or_refused(build: int):
    script = Script(base_build=build)
    written = small_game()
    script.tracker = [event for event in written.tracker if event[1] != "SPlayerStatsEvent"]
    script.game = [event for event in written.game if "CommandManager" not in event[2]]
    script.game = [event for event in script.game if "Update" not in event[2]]
    protocol, streams = protocol_for(build), script.streams()
    generator = np.random.default_rng(build)
    refused = 0
    for number in range(1000):
        reader, name = [(game_events, "game"), (tracker_events, "tracker")][number % 2]
        content = mutated(generator, streams[f"replay.{name}.events"])
        try:
            list(reader(protocol, content, {"SCmdEvent", "SSelectionDeltaEvent", "SUnitBornEvent"}))
        except ReplayRefused:
            refused += 1
    assert 100 < refused < 1000


@pytest.mark.parametrize(
    "part", ["game_events", "tracker_events", "details", "init_data", "header"]
)
def test_replays_with_a_mutated_part_are_decoded_or_refused(part: str):
    parts = small_game().parts()
    generator = np.random.default_rng(7)
    decoded = 0
    for _ in range(200):
        content = mutated(generator, getattr(parts, part))
        changed: ReplayParts = parts._replace(**{part: content})
        with suppress(ReplayRefused):
            reconstruct(changed)
            decoded += 1
    assert decoded > 0


def mutated(generator: np.random.Generator, content: bytes) -> bytes:
    """A stream with a few bytes changed, and sometimes cut or extended."""
    data = bytearray(content)
    for _ in range(int(generator.integers(1, 4))):
        data[generator.integers(len(data))] = int(generator.integers(256))
    if generator.integers(4) == 0:
        del data[generator.integers(1, len(data)) :]
    if generator.integers(4) == 0:
        data += generator.bytes(int(generator.integers(1, 40)))
    return bytes(data)
