"""Talking to games that end, hang or talk nonsense in the middle of a game."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.connection import InProcessConnection, ProcessConnection
from envs.errors import GameCrashedError, GameHungError
from envs.game_process import MAX_LOG_BYTES, POLITE_SECONDS
from envs.launch import launch
from tests.envs.fake_games import OBSERVE, PING, folder_with, shell, speaking

SECONDS = 60.0
BRIEFLY = 1.0
STEP_FOR_LONG = sc_pb.Request(step=sc_pb.RequestStep(count=100_000)).SerializeToString()

Started = Callable[[str], ProcessConnection]


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Started]:
    """Start a game that misbehaves when it is asked for anything but a ping."""
    games = []

    def start(misbehaviour: str) -> ProcessConnection:
        monkeypatch.setenv("SC2PATH", str(folder_with(tmp_path, speaking(misbehaviour))))
        games.append(launch())
        return games[-1]

    yield start
    for game in games:
        game.close()


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[ProcessConnection]:
    monkeypatch.delenv("SC2PATH", raising=False)
    with launch() as connection:
        yield connection


def start_game(connection: ProcessConnection) -> None:
    create = sc_pb.RequestCreateGame(
        local_map=sc_pb.LocalMap(map_path="Melee/Simple64.SC2Map"),
        player_setup=[sc_pb.PlayerSetup(type=sc_pb.Participant)],
    )
    join = sc_pb.RequestJoinGame(race=1, options=sc_pb.InterfaceOptions(raw=True))
    for request in (sc_pb.Request(create_game=create), sc_pb.Request(join_game=join)):
        answer = connection.ask(request.SerializeToString(), deadline_seconds=4 * SECONDS)
        assert not sc_pb.Response.FromString(answer).error


def later(pid: int, number: int) -> None:
    """Send a signal in a moment, when the question has been asked."""
    threading.Timer(0.3, os.kill, (pid, number)).start()


def step_until_it_fails(engine: ProcessConnection, *, deadline_seconds: float) -> None:
    """Ask for steps until an answer does not come; one may be done before the signal is sent."""
    while True:
        engine.ask(STEP_FOR_LONG, deadline_seconds=deadline_seconds)


def test_bytes_come_as_they_were_sent(started: Started):
    connection = started("connection.send(bytes(range(256)) * 40_000)")
    assert connection.ask(OBSERVE, deadline_seconds=SECONDS) == bytes(range(256)) * 40_000


def test_an_answer_in_parts_and_as_text_is_one_answer(started: Started):
    connection = started("connection.send(iter(['one ', 'and two']))")
    assert connection.ask(OBSERVE, deadline_seconds=SECONDS) == b"one and two"


def test_an_engine_that_is_killed_in_a_step_is_a_crash(engine: ProcessConnection):
    start_game(engine)
    later(engine.pid, signal.SIGKILL)
    with pytest.raises(GameCrashedError, match=r"lost at step: .*ended by SIGKILL"):
        step_until_it_fails(engine, deadline_seconds=SECONDS)
    with pytest.raises(GameCrashedError, match=r"no answer to ping: the game was lost at step"):
        engine.ask(PING, deadline_seconds=SECONDS)
    assert engine.memory_bytes() is None


def test_a_game_that_hangs_is_killed_when_its_time_is_up(started: Started):
    connection = started("time.sleep(60)")
    begin = time.monotonic()
    told = r"had not answered observation after 1 s and was killed; it wrote nothing$"
    with pytest.raises(GameHungError, match=told):
        connection.ask(OBSERVE, deadline_seconds=BRIEFLY)
    assert BRIEFLY <= time.monotonic() - begin < BRIEFLY + 1
    with pytest.raises(ProcessLookupError):
        os.kill(connection.pid, 0)
    with pytest.raises(GameCrashedError):
        connection.ask(PING, deadline_seconds=SECONDS)


def test_an_engine_that_is_stopped_in_a_game_is_killed_when_its_time_is_up(
    engine: ProcessConnection,
):
    start_game(engine)
    later(engine.pid, signal.SIGSTOP)
    begin = time.monotonic()
    with pytest.raises(GameHungError, match="had not answered step"):
        step_until_it_fails(engine, deadline_seconds=BRIEFLY)
    assert time.monotonic() - begin < BRIEFLY + POLITE_SECONDS  # it hears no polite request
    with pytest.raises(ProcessLookupError):
        os.kill(engine.pid, 0)


def test_a_drop_now_and_then_is_no_answer(started: Started):
    drip = r"""
raw.sendall(b"\x82\x7e\x10\x00")
for _ in range(600):
    raw.sendall(b".")
    time.sleep(0.1)"""
    connection = started(drip)
    begin = time.monotonic()
    with pytest.raises(GameHungError):
        connection.ask(OBSERVE, deadline_seconds=BRIEFLY)
    assert time.monotonic() - begin < BRIEFLY + 1


@pytest.mark.parametrize(
    ("misbehaviour", "told"),
    [
        ("connection.close()", "it closed the connection"),
        (r"raw.sendall(b'\x82\x7e\x10\x00..'); os._exit(7)", "it ended with status 7"),
        (r"print('a tale of woe', flush=True); os._exit(1)", "it last wrote: a tale of woe"),
        (r"raw.sendall(b'\xf3\x05hello')", "speaks no websocket"),
        (r"raw.sendall(b'HTTP/1.1 200 OK\r\n' * 9)", "speaks no websocket"),
        (r"raw.sendall(b'\x82\x7f\x01' + bytes(65 << 20))", "longer than 67108864 bytes"),
    ],
    ids=["closes", "half a frame", "last words", "reserved bits", "another protocol", "endless"],
)
def test_a_connection_that_breaks_is_a_crash(started: Started, misbehaviour: str, told: str):
    connection = started(misbehaviour)
    with pytest.raises(GameCrashedError, match="the game was lost at observation") as failed:
        connection.ask(OBSERVE, deadline_seconds=SECONDS)
    assert told in str(failed.value)
    with pytest.raises(ProcessLookupError):
        os.kill(connection.pid, 0)


def test_an_answer_to_an_interrupted_question_is_never_taken_for_another(started: Started):
    connection = started("time.sleep(0.6); connection.send(b'late')")
    main = threading.main_thread().ident
    assert main is not None
    threading.Timer(0.2, signal.pthread_kill, (main, signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        connection.ask(OBSERVE, deadline_seconds=SECONDS)
    with pytest.raises(GameCrashedError, match="observation was interrupted"):
        connection.ask(PING, deadline_seconds=SECONDS)


def test_what_a_game_writes_takes_little_room_and_keeps_its_end(started: Started):
    write = "print('x' * int(1e6), vars(connection).setdefault('begin', 'the end'), flush=True)"
    connection = started(f"{write}; connection.send(b'')")
    log = (Path(f"/proc/{connection.pid}/fd") / "2").readlink()
    for _ in range(9):
        connection.ask(OBSERVE, deadline_seconds=SECONDS)
        assert log.stat().st_size <= MAX_LOG_BYTES
    os.kill(connection.pid, signal.SIGKILL)
    os.waitid(os.P_PID, connection.pid, os.WEXITED | os.WNOWAIT)
    with pytest.raises(GameCrashedError, match="the end"):
        connection.ask(OBSERVE, deadline_seconds=SECONDS)


def test_memory_is_that_of_the_game_and_of_what_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    size = 200_000_000
    program = speaking(f"connection.hoard = b'x' * {size}; connection.send(b'')")
    folder = folder_with(tmp_path, program)
    hidden = folder / "hidden"
    game = next(folder.glob("Versions/*/*"))
    game.rename(hidden)
    game.write_text(shell(f"'{hidden}' \"$@\"; exit $?"))
    game.chmod(0o755)
    monkeypatch.setenv("SC2PATH", str(folder))
    with launch() as connection:
        before = connection.memory_bytes()
        assert before is not None
        connection.ask(OBSERVE, deadline_seconds=SECONDS)
        after = connection.memory_bytes()
        assert after is not None
        assert size * 0.9 < after - before < size * 1.3


def test_a_polite_request_to_end_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    farewell = tmp_path / "farewell"
    end = f"Path({str(farewell)!r}).touch(), os._exit(0)"
    polite = f"import signal; signal.signal(signal.SIGTERM, lambda *_: ({end}))"
    program = speaking("pass").replace("\nwith serve", f"\n{polite}\nwith serve")
    monkeypatch.setenv("SC2PATH", str(folder_with(tmp_path, program)))
    launch().close()
    assert farewell.exists()


# In this process.


class Failing:
    """A session with a fault, as none should have."""

    def __init__(self) -> None:
        self.num_closed = 0

    def handle(self, request: bytes) -> bytes:
        raise IndexError(f"{len(request)} is too much")

    def close(self) -> None:
        self.num_closed += 1
        raise ValueError("and that too")


def test_a_fault_in_this_process_is_a_crash_and_the_session_is_let_go():
    session = Failing()
    with InProcessConnection(session) as connection:
        with pytest.raises(GameCrashedError, match="failed at ping: IndexError: 3 is too much"):
            connection.ask(PING, deadline_seconds=SECONDS)
        with pytest.raises(GameCrashedError, match="no answer to observation: the game in this"):
            connection.ask(OBSERVE, deadline_seconds=SECONDS)
    assert session.num_closed == 1
