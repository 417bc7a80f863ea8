"""Replays seen through the API: for either side what was seen in the game, or a refusal."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from s2clientprotocol import common_pb2 as common_pb
from s2clientprotocol import debug_pb2 as debug_pb
from s2clientprotocol import raw_pb2 as raw_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine.replay_file import HASH_BYTES, EntryKind, read_replay, write_replay
from envs.engine.session import Session
from tests.envs.engine.api_client import (
    COMMAND_CENTER,
    COMPUTER,
    OBSERVER,
    PARTICIPANT,
    SCV,
    TRAIN_SCV,
    Client,
    Two,
    interface,
    joining,
    new_game,
)

STEP = 40
NUM_STEPS = 60
MARINE = 48


@pytest.fixture
def client() -> Iterator[Client]:
    with Session() as session:
        yield Client(session)


def watching(replay: bytes, player: int, **changes: object) -> sc_pb.RequestStartReplay:
    return sc_pb.RequestStartReplay(
        replay_data=replay, observed_player_id=player, options=interface(), **changes
    )


def seen_by(client: Client) -> bytes:
    """What a client is told of the game, but for who has won, which watchers are told otherwise."""
    told = client.observe()
    del told.player_result[:]
    return told.SerializeToString(deterministic=True)


def watched(client: Client, replay: bytes, player: int) -> list[bytes]:
    """Watch a replay with a player's eyes; return what is seen at the times of the game."""
    answer = client.send(start_replay=watching(replay, player)).start_replay
    assert not answer.error_details
    assert client.status == sc_pb.in_replay
    seen = [seen_by(client)]
    for _ in range(NUM_STEPS):
        assert not client.step(STEP).error
        seen.append(seen_by(client))
    assert client.status == sc_pb.ended
    return seen


def played(client: Client, *players: sc_pb.PlayerSetup) -> tuple[bytes, list[bytes]]:
    """Play a game; return its replay, and each observation before the commands that follow it."""
    client.start(new_game(*players), joining(common_pb.Terran))
    create = debug_pb.DebugCreateUnit(unit_type=MARINE, owner=1, quantity=3)
    create.pos.CopyFrom(common_pb.Point2D(x=40, y=40))
    seen = []
    for i in range(NUM_STEPS):
        seen.append(seen_by(client))
        halls, workers = client.own(COMMAND_CENTER), client.own(SCV)
        client.command(TRAIN_SCV, halls[0].tag)
        move = raw_pb.ActionRawUnitCommand(ability_id=3794, unit_tags=[workers[i % 5].tag])
        move.target_world_space_pos.CopyFrom(common_pb.Point2D(x=30 + i % 7, y=44))
        action = sc_pb.Action(action_raw=raw_pb.ActionRaw(unit_command=move))
        client.send(action=sc_pb.RequestAction(actions=[action]))
        if i == NUM_STEPS // 2:
            command = debug_pb.DebugCommand(create_unit=create)
            client.send(debug=sc_pb.RequestDebug(debug=[command]))
        client.step(STEP)
    seen.append(seen_by(client))
    return client.replay(), seen


@pytest.mark.parametrize(
    ("players", "number"), [((PARTICIPANT, COMPUTER), 1), ((COMPUTER, PARTICIPANT), 2)]
)
def test_a_player_sees_again_what_it_saw(
    client: Client, players: tuple[sc_pb.PlayerSetup, ...], number: int
):
    replay, seen = played(client, *players)
    assert watched(client, replay, number) == seen


def test_two_participants_see_again_what_they_saw(client: Client):
    with closing(Two()) as two:
        two.begin()
        sides = two.host, two.guest
        seen = [[seen_by(side)] for side in sides]
        for i in range(NUM_STEPS):
            units = [(side.own(COMMAND_CENTER)[0].tag, side.own(SCV)[i % 5].tag) for side in sides]
            for side, (hall, worker) in zip(sides, units, strict=True):
                side.command(TRAIN_SCV, hall)
                move = raw_pb.ActionRawUnitCommand(ability_id=3794, unit_tags=[worker])
                move.target_world_space_pos.CopyFrom(common_pb.Point2D(x=30 + i % 7, y=44))
                chat = sc_pb.ActionChat(message=f"move {i}", channel=sc_pb.ActionChat.Broadcast)
                actions = [
                    sc_pb.Action(action_raw=raw_pb.ActionRaw(unit_command=move)),
                    sc_pb.Action(action_chat=chat),
                ]
                side.send(action=sc_pb.RequestAction(actions=actions))
            two.at_once(step=sc_pb.RequestStep(count=STEP))
            for side, views in zip(sides, seen, strict=True):
                views.append(seen_by(side))
        replay = two.host.replay()
    for player, views in enumerate(seen, start=1):
        assert len(set(views)) == NUM_STEPS + 1
        assert watched(client, replay, player) == views


def test_an_observer_sees_again_what_it_saw(client: Client):
    join = sc_pb.RequestJoinGame(observed_player_id=0, options=interface())
    client.start(new_game(COMPUTER, COMPUTER, OBSERVER), join)
    seen = [seen_by(client)]
    for _ in range(NUM_STEPS):
        client.step(STEP)
        seen.append(seen_by(client))
    assert watched(client, client.replay(), 0) == seen


def test_the_state_is_checked_every_1024_loops(client: Client):
    replay = read_replay(played(client)[0])
    assert len(replay.hashes) == STEP * NUM_STEPS // 1024 == 2
    for i, loop in enumerate((1024, 2048)):
        hashes = list(replay.hashes)
        hashes[i] = bytes(HASH_BYTES)
        client.send(start_replay=watching(write_replay(replace(replay, hashes=tuple(hashes))), 1))
        assert not client.step(loop - 1).error
        assert f"another by loop {loop}" in client.step().error[0]


def test_both_sides_and_an_observer_watch_one_replay_after_the_other(client: Client):
    replay, _ = played(client)
    for player in (2, 0, 1):
        client.send(start_replay=watching(replay, player))
        client.step(STEP * NUM_STEPS // 2)
        answer = client.observe()
        alliances = {unit.alliance for unit in answer.observation.raw_data.units}
        assert (raw_pb.Self in alliances) == (player > 0)
        assert player in (0, answer.observation.player_common.player_id)
        info = client.send(game_info=sc_pb.RequestGameInfo()).game_info
        assert all(known.HasField("race_actual") for known in info.player_info)
        assert not answer.player_result
    client.step(STEP * NUM_STEPS)
    results = {result.player_id: result.result for result in client.observe().player_result}
    assert results == {0: sc_pb.Undecided, 1: sc_pb.Undecided, 2: sc_pb.Undecided}
    assert list(client.step().error) == ["Game has already ended"]


@pytest.mark.parametrize("loops", [0, 100])
def test_a_game_that_was_given_up_ends_so_again(client: Client, loops: int):
    client.start(new_game(), joining())
    if loops:
        client.step(loops)
    end = debug_pb.DebugEndGame(end_result=debug_pb.DebugEndGame.Surrender)
    client.send(debug=sc_pb.RequestDebug(debug=[debug_pb.DebugCommand(end_game=end)]))
    replay = client.replay()
    client.send(start_replay=watching(replay, 0))
    client.step(1000)
    results = {result.player_id: result.result for result in client.observe().player_result}
    assert results == {0: sc_pb.Undecided, 1: sc_pb.Defeat, 2: sc_pb.Victory}


def test_a_replay_is_saved_again_as_it_was(client: Client):
    replay, _ = played(client)
    client.send(start_replay=watching(replay, 1))
    assert client.replay() == replay
    assert client.send(action=sc_pb.RequestAction()).error


def test_replay_info_needs_no_game(client: Client):
    replay, _ = played(client)
    client.send(leave_game=sc_pb.RequestLeaveGame())
    info = client.send(replay_info=sc_pb.RequestReplayInfo(replay_data=replay)).replay_info
    assert info.game_duration_loops == STEP * NUM_STEPS
    assert info.map_name
    assert info.player_info[1].player_info.type == sc_pb.Computer


def test_a_game_that_goes_another_way_is_noticed(client: Client):
    replay = read_replay(played(client)[0])
    kept = [entry for entry in replay.entries if entry.kind is not EntryKind.DEBUG]
    assert len(kept) < len(replay.entries)
    changed = write_replay(replace(replay, entries=tuple(kept)))
    client.send(start_replay=watching(changed, 1))
    errors = [error for _ in range(NUM_STEPS) for error in client.step(STEP).error]
    assert errors
    assert "does not play back" in errors[0]


def test_replays_of_other_rules_are_told_of_but_not_played_back(client: Client):
    other = write_replay(replace(read_replay(played(client)[0]), rules="of old"))
    told = client.send(replay_info=sc_pb.RequestReplayInfo(replay_data=other)).replay_info
    assert not told.HasField("error")
    answer = client.send(start_replay=watching(other, 1)).start_replay
    assert answer.error == sc_pb.ResponseStartReplay.InvalidReplayData
    assert "of old" in answer.error_details
    assert client.status == sc_pb.in_game


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (sc_pb.RequestStartReplay(options=interface()), "MissingReplay"),
        (sc_pb.RequestStartReplay(replay_data=b"MPQ\x1a"), "MissingOptions"),
        (watching(b"MPQ\x1b" + bytes(100), 1), "InvalidReplayData"),
        (
            sc_pb.RequestStartReplay(replay_path="../none.SC2Replay", options=interface()),
            "InvalidReplayPath",
        ),
    ],
)
def test_what_cannot_be_played_back_is_refused(
    client: Client, request_: sc_pb.RequestStartReplay, code: str
):
    answer = client.send(start_replay=request_).start_replay
    assert answer.error == sc_pb.ResponseStartReplay.Error.Value(code)
    assert client.status == sc_pb.launched


def test_there_are_no_more_players_to_watch_than_played(client: Client):
    replay, _ = played(client)
    answer = client.send(start_replay=watching(replay, 3)).start_replay
    assert answer.error == sc_pb.ResponseStartReplay.InvalidObservedPlayerId


def test_replays_are_found_in_the_folder_by_name(client: Client, tmp_path: Path):
    replay, _ = played(client)
    (tmp_path / "Replays").mkdir()
    (tmp_path / "Replays" / "one.SC2Replay").write_bytes(replay)
    with Session(data_folder=tmp_path) as session:
        found = Client(session)
        request = sc_pb.RequestStartReplay(
            replay_path="one.SC2Replay", observed_player_id=1, options=interface()
        )
        found.send(start_replay=request)
        assert found.status == sc_pb.in_replay
