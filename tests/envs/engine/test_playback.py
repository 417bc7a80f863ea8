"""Replays seen through the API: for either side what was seen in the game, or a refusal."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from s2clientprotocol import common_pb2 as common_pb
from s2clientprotocol import debug_pb2 as debug_pb
from s2clientprotocol import raw_pb2 as raw_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine.replay_file import EntryKind, read_replay, write_replay
from envs.engine.session import Session
from tests.envs.engine.api_client import (
    COMMAND_CENTER,
    SCV,
    TRAIN_SCV,
    Client,
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


def played(client: Client) -> tuple[bytes, list[bytes]]:
    """Play a game; return its replay, and each observation before the commands that follow it."""
    client.start(new_game(), joining(common_pb.Terran))
    create = debug_pb.DebugCreateUnit(unit_type=MARINE, owner=1, quantity=3)
    create.pos.CopyFrom(common_pb.Point2D(x=40, y=40))
    seen = []
    for i in range(NUM_STEPS):
        seen.append(client.observe().observation.SerializeToString(deterministic=True))
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
    seen.append(client.observe().observation.SerializeToString(deterministic=True))
    return client.replay(), seen


def test_a_player_sees_again_what_it_saw(client: Client):
    replay, seen = played(client)
    assert not client.send(start_replay=watching(replay, 1)).start_replay.error_details
    assert client.status == sc_pb.in_replay
    for expected in seen:
        observation = client.observe().observation
        assert observation.SerializeToString(deterministic=True) == expected
        client.step(STEP)
    assert client.status == sc_pb.ended


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


def test_a_game_that_was_given_up_ends_so_again(client: Client):
    client.start(new_game(), joining())
    client.step(100)
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
