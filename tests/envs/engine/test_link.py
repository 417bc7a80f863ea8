"""Two players, each with a session of their own: joined by a link, stepping together."""

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from s2clientprotocol import common_pb2 as common_pb
from s2clientprotocol import debug_pb2 as debug_pb
from s2clientprotocol import query_pb2 as query_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine import link
from envs.engine import session as session_module
from envs.engine.errors import LinkError
from envs.engine.link import Wait, connect_to_host, wait_for_guest
from envs.engine.replay_file import read_replay
from envs.engine.session import Session
from tests.envs.engine.api_client import (
    COMMAND_CENTER,
    PARTICIPANT,
    SECONDS,
    TRAIN_SCV,
    Client,
    Two,
    free_port,
    interface,
    joining,
    new_game,
    ports,
)


@pytest.fixture
def two() -> Iterator[Two]:
    players = Two()
    yield players
    players.close()


def test_both_are_in_one_game_each_with_its_own_eyes(two: Two):
    two.begin()
    views = [
        answer.observation.observation
        for answer in two.at_once(observation=sc_pb.RequestObservation())
    ]
    assert [view.player_common.player_id for view in views] == [1, 2]
    halls = [one.own(COMMAND_CENTER)[0] for one in (two.host, two.guest)]
    assert halls[0].tag != halls[1].tag
    infos = [a.game_info for a in two.at_once(game_info=sc_pb.RequestGameInfo())]
    assert [len(info.player_info) for info in infos] == [2, 2]
    assert infos[0].start_raw.start_locations[0].x == halls[1].pos.x


def test_the_game_goes_on_when_both_have_stepped(two: Two):
    two.begin()
    answers = two.at_once(step=sc_pb.RequestStep(count=8))
    assert [answer.step.simulation_loop for answer in answers] == [8, 8]


def test_steps_of_different_length_meet(two: Two):
    two.begin()
    loops: list[int] = []
    long = threading.Thread(target=lambda: loops.append(two.host.step(12).step.simulation_loop))
    long.start()
    assert [two.guest.step(4).step.simulation_loop for _ in range(3)] == [4, 8, 12]
    long.join(SECONDS)
    assert loops == [12]


def test_one_does_not_go_on_without_the_other(two: Two):
    two.begin()
    alone = threading.Thread(target=two.host.step, args=(8,))
    alone.start()
    alone.join(0.3)
    assert alone.is_alive()
    assert two.guest.observe().observation.game_loop == 0
    two.guest.step(8)
    alone.join(SECONDS)
    assert not alone.is_alive()


def test_each_commands_its_own_units_alone(two: Two):
    two.begin()
    hall = two.host.own(COMMAND_CENTER)[0].tag
    assert two.guest.command(TRAIN_SCV, hall) != 1
    assert two.host.command(TRAIN_SCV, hall) == 1


@pytest.mark.parametrize(
    ("channel", "hearers"), [(sc_pb.ActionChat.Broadcast, [1, 2]), (sc_pb.ActionChat.Team, [1])]
)
def test_what_is_said_to_the_own_team_is_not_for_the_enemy(
    two: Two, channel: "sc_pb.ActionChat.Channel.ValueType", hearers: list[int]
):
    two.begin()
    chat = sc_pb.Action(action_chat=sc_pb.ActionChat(channel=channel, message="attack now"))
    two.host.send(action=sc_pb.RequestAction(actions=[chat]))
    told = [
        [(said.player_id, said.message) for said in one.observe().chat]
        for one in (two.host, two.guest)
    ]
    assert told == [[(1, "attack now")] if player in hearers else [] for player in (1, 2)]
    two.at_once(step=sc_pb.RequestStep(count=1))
    replay = two.host.replay()
    for player, expected in ((0, 1), (1, 1), (2, len(hearers) - 1)):
        with Session() as session:
            watcher = Client(session)
            request = sc_pb.RequestStartReplay(
                replay_data=replay, observed_player_id=player, options=interface()
            )
            watcher.send(start_replay=request)
            watcher.step()
            assert len(watcher.observe().chat) == expected


@pytest.mark.parametrize("who_leaves", ["host", "guest"])
def test_who_leaves_has_lost_and_the_other_hears_of_it(two: Two, who_leaves: str):
    two.begin()
    leaver, other = (two.host, two.guest) if who_leaves == "host" else (two.guest, two.host)
    leaver.send(leave_game=sc_pb.RequestLeaveGame())
    assert leaver.status == sc_pb.launched
    other.step(8)
    assert other.status == sc_pb.ended
    winner = 2 if who_leaves == "host" else 1
    results = {result.player_id: result.result for result in other.observe().player_result}
    assert results == {winner: sc_pb.Victory, 3 - winner: sc_pb.Defeat}


@pytest.mark.parametrize("who_leaves", ["host", "guest"])
def test_whose_enemy_leaves_within_its_turn_ends_the_turn_first(two: Two, who_leaves: str):
    two.begin()
    leaver, other = (two.host, two.guest) if who_leaves == "host" else (two.guest, two.host)
    hall = other.own(COMMAND_CENTER)[0].tag
    leaver.send(leave_game=sc_pb.RequestLeaveGame())
    assert other.send(game_info=sc_pb.RequestGameInfo()).game_info.map_name
    query = query_pb.RequestQuery(
        abilities=[query_pb.RequestQueryAvailableAbilities(unit_tag=hall)]
    )
    assert other.send(query=query).query.abilities[0].abilities
    assert other.command(TRAIN_SCV, hall) == 1
    assert not other.send(debug=sc_pb.RequestDebug()).error
    assert other.status == sc_pb.in_game
    assert not other.step(8).error
    assert other.status == sc_pb.ended


@pytest.mark.parametrize("who_leaves", ["host", "guest"])
def test_who_has_left_can_still_save_the_replay(two: Two, who_leaves: str):
    two.begin()
    two.at_once(step=sc_pb.RequestStep(count=8))
    leaver = two.host if who_leaves == "host" else two.guest
    leaver.send(leave_game=sc_pb.RequestLeaveGame())
    replay = read_replay(leaver.replay())
    assert leaver.status == sc_pb.launched
    assert replay.loops == 8
    lost = 1 if who_leaves == "host" else 2
    assert replay.results == {lost: sc_pb.Defeat, 3 - lost: sc_pb.Victory}


def test_a_guest_who_is_cut_off_has_left(two: Two):
    two.begin()
    waiting = threading.Thread(target=two.host.step, args=(8,))
    waiting.start()
    two.guest.session.close()
    waiting.join(SECONDS)
    assert not waiting.is_alive()
    assert two.host.status == sc_pb.ended


def test_they_play_again_on_the_same_ports(two: Two):
    join = joining(common_pb.Terran, **ports())
    for _ in range(3):
        two.host.send(create_game=new_game(PARTICIPANT, PARTICIPANT))
        joined = two.at_once(join_game=join)
        assert [answer.join_game.player_id for answer in joined] == [1, 2], joined
        two.at_once(step=sc_pb.RequestStep(count=4))
        two.at_once(leave_game=sc_pb.RequestLeaveGame())
        assert [two.host.status, two.guest.status] == [sc_pb.launched] * 2


def test_a_game_of_two_is_not_restarted(two: Two):
    two.begin()
    for answer in two.at_once(restart_game=sc_pb.RequestRestartGame()):
        assert "one participant" in answer.error[0]


def test_both_quit_without_waiting_long(two: Two):
    two.begin()
    two.at_once(leave_game=sc_pb.RequestLeaveGame())
    two.at_once(quit=sc_pb.RequestQuit())
    assert two.host.session.has_quit
    assert two.guest.session.has_quit


@pytest.mark.parametrize("who_quits", ["host", "guest"])
def test_who_quits_goes_when_the_other_has_heard_the_end_and_left(
    two: Two, monkeypatch: pytest.MonkeyPatch, who_quits: str
):
    monkeypatch.setattr(session_module, "_FAREWELL_SECONDS", 10 * SECONDS)
    two.begin()
    quitter, other = (two.host, two.guest) if who_quits == "host" else (two.guest, two.host)
    quitting = threading.Thread(target=quitter.send, kwargs={"quit": sc_pb.RequestQuit()})
    quitting.start()
    assert other.step(8).status == sc_pb.ended
    assert other.observe().player_result
    assert quitting.is_alive()
    other.send(leave_game=sc_pb.RequestLeaveGame())
    quitting.join(SECONDS)
    assert not quitting.is_alive()
    assert quitter.session.has_quit


@pytest.mark.parametrize("who_quits", ["host", "guest"])
def test_who_quits_does_not_wait_long_for_who_says_nothing(
    two: Two, monkeypatch: pytest.MonkeyPatch, who_quits: str
):
    monkeypatch.setattr(session_module, "_FAREWELL_SECONDS", 0.2)
    two.begin()
    quitter = two.host if who_quits == "host" else two.guest
    begun = time.monotonic()
    quitter.send(quit=sc_pb.RequestQuit())
    assert 0.2 <= time.monotonic() - begun < SECONDS
    assert quitter.session.has_quit


def test_a_guest_who_is_cut_off_within_a_step_has_left(two: Two):
    two.begin()
    stepping = threading.Thread(target=two.guest.step, args=(100_000,))
    stepping.start()
    seat = two.host.session._seat
    assert seat is not None
    deadline = time.monotonic() + SECONDS
    while 100_000 not in seat.shared._targets.values():
        assert time.monotonic() < deadline, "the guest's step has not come"
        time.sleep(0.01)
    two.guest.session.close()
    stepping.join(SECONDS)
    while two.host.step(1).status != sc_pb.ended:
        assert time.monotonic() < deadline
    assert two.host.observe().observation.game_loop < 100_000


@pytest.mark.parametrize(
    "words", [b"", b"LatentStar", b"LatentStar link 1", b"LatentStar link 1\x09"]
)
def test_who_greets_and_says_no_more_does_not_hold_the_host(
    two: Two, monkeypatch: pytest.MonkeyPatch, words: bytes
):
    monkeypatch.setattr(link, "GREETING_SECONDS", 0.3)
    monkeypatch.setattr(session_module, "GREETING_SECONDS", 0.3)
    monkeypatch.setattr(session_module, "JOIN_TIMEOUT_SECONDS", 10.0)
    two.host.send(create_game=new_game(PARTICIPANT, PARTICIPANT))
    shared = ports()
    begun = time.monotonic()
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(two.host.send, join_game=joining(**shared))
        with stranger_at(shared["server_ports"].base_port) as stranger:
            stranger.sendall(words)
            told = waiting.result(SECONDS).join_game
    assert told.error == sc_pb.ResponseJoinGame.NetworkError
    assert two.host.status == sc_pb.init_game
    assert time.monotonic() - begun < SECONDS


def test_a_greeting_that_trickles_in_has_one_deadline_for_all_of_it(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(link, "GREETING_SECONDS", 0.4)
    port = free_port()
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(wait_for_guest, port, Wait(SECONDS))
        with stranger_at(port) as stranger:
            for byte in b"LatentStar link 1":
                with suppress(OSError):  # it hangs up in between
                    stranger.sendall(bytes([byte]))
                time.sleep(0.05)
            monkeypatch.undo()  # the guest may take longer
            guest = connect_to_host(port, Wait(SECONDS))
            host = waiting.result(SECONDS)
    guest.send(b"hello")
    assert host.receive(Wait(SECONDS))[0] == b"hello"
    guest.close()
    host.close()


@pytest.mark.parametrize("is_host", [True, False])
def test_nobody_waits_for_a_player_on_behalf_of_a_client_who_has_gone(is_host: bool):  # noqa: FBT001
    gone = threading.Event()
    with ThreadPoolExecutor(1) as thread, Session(is_wanted=lambda: not gone.is_set()) as session:
        client = Client(session)
        if is_host:
            client.send(create_game=new_game(PARTICIPANT, PARTICIPANT))
        waiting = thread.submit(client.send, join_game=joining(**ports()))
        time.sleep(0.2)
        assert not waiting.done()
        gone.set()
        waiting.result(5)


def test_nobody_steps_on_behalf_of_a_client_who_has_gone():
    gone = threading.Event()
    with ThreadPoolExecutor(1) as thread, Session(is_wanted=lambda: not gone.is_set()) as session:
        client = Client(session)
        client.start(new_game(), joining())
        unhurt = debug_pb.DebugCommand(game_state=debug_pb.god)  # so that the game has no end
        client.send(debug=sc_pb.RequestDebug(debug=[unhurt]))
        client.step()
        stepping = thread.submit(client.step, 500_000)
        time.sleep(0.2)
        assert not stepping.done()
        gone.set()
        assert stepping.result(SECONDS).step.simulation_loop < 500_000


def test_a_guest_who_may_not_join_is_told_and_so_is_the_host(two: Two):
    two.host.send(create_game=new_game(PARTICIPANT, PARTICIPANT))
    shared = ports()
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(two.host.send, join_game=joining(common_pb.Terran, **shared))
        told = two.guest.send(join_game=joining(common_pb.NoRace, **shared)).join_game
        host_told = waiting.result(SECONDS).join_game
    assert told.error == sc_pb.ResponseJoinGame.OtherError
    assert host_told.error == sc_pb.ResponseJoinGame.NetworkError
    assert (two.host.status, two.guest.status) == (sc_pb.init_game, sc_pb.launched)


def test_two_participants_need_ports(two: Two):
    two.host.send(create_game=new_game(PARTICIPANT, PARTICIPANT))
    answer = two.host.send(join_game=joining()).join_game
    assert answer.error == sc_pb.ResponseJoinGame.MissingPorts


def test_waiting_for_the_other_has_an_end(two: Two, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(session_module, "JOIN_TIMEOUT_SECONDS", 0.2)
    two.host.send(create_game=new_game(PARTICIPANT, PARTICIPANT))
    answer = two.host.send(join_game=joining(**ports())).join_game
    assert answer.error == sc_pb.ResponseJoinGame.NetworkError
    answer = two.guest.send(join_game=joining(**ports()))
    assert answer.error
    assert two.guest.status == sc_pb.launched


def test_strangers_on_the_port_are_not_taken_for_the_guest():
    port = free_port()
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(wait_for_guest, port, Wait(SECONDS))
        with stranger_at(port) as stranger:
            stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
        guest = connect_to_host(port, Wait(SECONDS))
        host = waiting.result(SECONDS)
    guest.send(b"hello", status=3)
    assert host.receive(Wait(SECONDS)) == (b"hello", 3)
    guest.close()
    with pytest.raises(LinkError, match="gone"):
        host.receive(Wait(SECONDS))
    host.close()


def stranger_at(port: int) -> socket.socket:
    """Connect to a port as soon as somebody listens."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "nobody listens"
            time.sleep(0.01)
