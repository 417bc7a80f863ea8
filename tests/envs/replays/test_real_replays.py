"""Real replays, where they are at hand: against s2protocol, their MANIFEST, and themselves."""

from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from envs.interface import Race
from envs.replays.archive import ReplayParts, ReplayRefused, read_parts
from envs.replays.events import game_events, protocol_module, tracker_events
from envs.replays.lobby import read_protocol
from envs.replays.reconstruction import ReplayGame, decode_replay, reconstruct
from envs.timeline import Step, StepFlag
from tests.event_encoder import game_stream
from tests.real_replays import manifest, real_folder, small_real_game

# From the first that can be read to the newest; those in the second line have no protocol.
EXACT = [32283, 59587, 76114, 88500]
SUBSTITUTED = [24944, 39576, 76811, 94137]

BAD = {
    "116a6d027f33.SC2Replay": None,  # a Russian client's, which is fine
    "1ad2afd5a111.SC2Replay": "not one against one",  # archon mode
    "27fec10bd8cd.SC2Replay": "not one against one",  # a co-operative mission
    "3f3809ca9ab1.SC2Replay": "too short",
    "6c50698a70a8.SC2Replay": "no tracker events",  # an anonymised one
    "a8478720c9ab.SC2Replay": "not one against one",  # a team game
    "b423d55aa9d3.SC2Replay": "damaged archive",  # cut
    "c167da8c5f1f.SC2Replay": "damaged archive",  # bytes flipped in its middle
    "fdb23e937433.SC2Replay": "against the built-in AI",
}


@cache
def decoded(path: Path) -> ReplayGame:
    return decode_replay(path)


@pytest.mark.parametrize(("name", "reason"), BAD.items())
def test_awkward_files_are_accepted_or_refused_with_their_reason(name: str, reason: str | None):
    path = real_folder("replays-bad") / name
    if reason is None:
        timelines = decode_replay(path).timelines
        assert {timeline.race for timeline in timelines} == {Race.TERRAN, Race.ZERG}
        return
    with pytest.raises(ReplayRefused) as refused:
        decode_replay(path)
    assert refused.value.reason == reason


def test_every_awkward_file_is_among_those_tried():
    assert {row["file"] for row in manifest(real_folder("replays-bad"))} == BAD.keys()


def without_masks(value: Any) -> Any:
    """A value with its bit arrays, which s2protocol scrambles, reduced to their lengths."""
    if isinstance(value, tuple):
        return value[0]
    if isinstance(value, list):
        return [without_masks(item) for item in value]
    if isinstance(value, dict):
        return {name: without_masks(v) for name, v in value.items() if not name.startswith("_")}
    return value


@pytest.mark.parametrize("build", EXACT + SUBSTITUTED)
def test_events_equal_those_of_s2protocol(build: int):
    parts = read_parts(small_real_game(build)[0])
    protocol = read_protocol(parts)
    module = protocol_module(protocol.base_build)
    assert (protocol.base_build == build) == (build in EXACT)
    cut = cut_at(module, parts.game_events, 3000)
    names = {name for _, name in protocol.game_events.values()}
    ours = game_events(protocol, cut, names)
    theirs = module.decode_replay_game_events(cut)
    for event, other in zip(ours, theirs, strict=True):
        assert event.loop == other["_gameloop"]
        assert event.user == other["_userid"]["m_userId"]
        assert other["_event"] == f"NNet.Game.{event.name}"
        assert without_masks(event.fields) == without_masks(other)
    names = {name for _, name in protocol.tracker_events.values()}
    ours = tracker_events(protocol, parts.tracker_events, names)
    theirs = module.decode_replay_tracker_events(parts.tracker_events)
    for event, other in zip(ours, theirs, strict=True):
        assert (event.loop, event.user) == (other["_gameloop"], -1)
        assert event.fields == without_masks(other)


def cut_at(module: Any, content: bytes, num_events: int) -> bytes:
    """The first so many events of a stream, since s2protocol is slow."""
    events = module.decode_replay_game_events(content)
    return content[: sum(event["_bits"] for event, _ in zip(events, range(num_events))) // 8]  # noqa: B905  # the shorter one


@pytest.mark.parametrize("build", EXACT + SUBSTITUTED)
def test_the_lobby_is_as_the_manifest_says(build: int):
    path, row = small_real_game(build)
    game = decoded(path)
    assert game.lobby.base_build == build
    assert game.lobby.version == row["version"]
    assert game.lobby.game_loops == int(row["game_loops"])
    winner = {"p1": (1, -1), "p2": (-1, 1)}[row["winner"]]
    assert tuple(player.result for player in game.lobby.players) == winner
    letters = {Race.TERRAN: "T", Race.ZERG: "Z", Race.PROTOSS: "P"}
    matchup = "v".join(letters[Race(timeline.race)] for timeline in game.timelines)
    assert matchup in (row["matchup"], row["matchup"][::-1])
    if game.lobby.map_size is not None:
        assert "{}x{}".format(*game.lobby.map_size) == row["map_size"]


@pytest.mark.parametrize("build", EXACT + SUBSTITUTED)
def test_every_command_of_the_manifest_is_found_and_most_are_understood(build: int):
    path, row = small_real_game(build)
    game = decoded(path)
    for i, timeline in enumerate(game.timelines, start=1):
        flags = timeline.step_flags
        commands = int(((flags & (StepFlag.SYNTHETIC | StepFlag.REPEAT)) == 0).sum())
        repeats = int(((flags & StepFlag.REPEAT) != 0).sum())
        assert commands == int(row[f"commands_p{i}"])
        assert repeats == int(row[f"repeats_p{i}"] or 0)
    counts = game.quality.counts
    assert counts["clean"] / counts["commands"] > 0.95
    assert counts["plausible"] / counts["commands"] > 0.9
    assert counts["productions_by_producer"] / counts["productions"] > 0.95


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_no_observation_of_a_real_game_knows_its_command_or_what_comes_after(share: float):
    path, _ = small_real_game(76114)
    parts, game = read_parts(path), decoded(path)
    user, cut = until_command(parts, game, share)
    player = next(i for i, seat in enumerate(game.lobby.players) if seat.user == user)
    steps = list(reconstruct(cut).timelines[player].steps(plane_size=32))
    whole = list(game.timelines[player].steps(plane_size=32))
    assert 10 < len(steps) < len(whole)
    for step, other in zip(steps, whole, strict=False):
        assert step.loop == other.loop
        assert observed(step) == observed(other)
    assert labels(steps[-1]) != labels(whole[len(steps) - 1])


def until_command(parts: ReplayParts, game: ReplayGame, share: float) -> tuple[int, ReplayParts]:
    """The user of a command, and the game cut before it, with another command in its place.

    Of the tracker's events only those of earlier loops are left, since the others describe what
    came after the command.
    """
    module = protocol_module(read_protocol(parts).base_build)
    events = list(module.decode_replay_game_events(parts.game_events))
    ends = list(accumulate(event["_bits"] // 8 for event in events))
    users = {seat.user for seat in game.lobby.players}
    commands = [
        i
        for i, event in enumerate(events)
        if event["_event"].endswith(".SCmdEvent") and event["_userid"]["m_userId"] in users
    ]
    chosen = commands[int(share * len(commands))]
    loop, user = events[chosen]["_gameloop"], events[chosen]["_userid"]["m_userId"]
    other = {"m_data": {"TargetPoint": {"x": 81920, "y": 4096 * 61, "z": 0}}}  # a right click
    since = loop - events[chosen - 1]["_gameloop"]
    written = game_stream(module, [(since, user, "SCmdEvent", other)])
    tracked = list(module.decode_replay_tracker_events(parts.tracker_events))
    bits = sum(event["_bits"] for event in tracked if event["_gameloop"] < loop)
    return user, parts._replace(
        game_events=parts.game_events[: ends[chosen - 1]] + written,
        tracker_events=parts.tracker_events[: bits // 8],
    )


def observed(step: Step) -> bytes:
    return b"".join(np.ascontiguousarray(part).tobytes() for part in step.observation)


def labels(step: Step) -> tuple[object, ...]:
    return step.action.action_type, step.action.target_location, step.action.target_unit
