"""The websocket server: what clients need of it, and what it bears from those who mean no good."""

import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
import websocket
from s2clientprotocol import common_pb2 as common_pb
from s2clientprotocol import raw_pb2 as raw_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine.replay_file import read_replay
from envs.engine.server import (
    DEFAULT_PORT,
    MAX_CONNECTIONS,
    MAX_MESSAGE_BYTES,
    ServerConfig,
    config_of,
)
from envs.engine.session import Session
from envs.engine.versions import DEFAULT_VERSION
from tests.envs.engine.api_client import PARTICIPANT, free_port, joining, new_game, ports

ROOT = Path(__file__).parents[3]
SECONDS = 60
PING = sc_pb.Request(ping=sc_pb.RequestPing())
MEMORY_BYTES = 1 << 30


class Server:
    """An engine in a process of its own."""

    def __init__(self) -> None:
        self.port = free_port()
        command = [sys.executable, "-P", "-m", "envs.engine.server"]
        self.process = subprocess.Popen(
            [*command, "-listen", "127.0.0.1", "-port", str(self.port)],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        self.await_listening()

    def await_listening(self) -> None:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            try:
                self.raw().close()
                return
            except ConnectionRefusedError:
                time.sleep(0.02)
        raise TimeoutError("the server does not listen")

    def raw(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS)

    def connect(self, path: str = "/sc2api", **options: object) -> websocket.WebSocket:
        url = f"ws://127.0.0.1:{self.port}{path}"
        return websocket.create_connection(url, timeout=SECONDS, **options)

    def is_well(self) -> bool:
        """Whether a new client is answered."""
        connection = self.connect()
        answer = ask(connection, sc_pb.Request(ping=sc_pb.RequestPing(), id=9))
        connection.close()
        return answer.id == 9 and answer.HasField("ping")

    def peak_memory(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found
        return int(found[1]) << 10

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


def ask(connection: websocket.WebSocket, request: sc_pb.Request) -> sc_pb.Response:
    connection.send_binary(request.SerializeToString())
    return sc_pb.Response.FromString(connection.recv())


def is_closed_by_the_server(connection: websocket.WebSocket) -> bool:
    """Read on until the server has closed; there is an error when it does not."""
    try:
        while connection.recv():
            pass
    except (websocket.WebSocketConnectionClosedException, ConnectionError):
        pass
    return True


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server for all tests that leave it as it was."""
    running = Server()
    yield running
    running.close()


@pytest.fixture
def own_server() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()


def test_importing_the_server_imports_nothing_heavy():
    heavy = ("numba", "numpy", "s2clientprotocol", "websockets")
    code = "import sys, envs.engine.server; sys.stdout.write(' '.join(sys.modules))"
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert not set(heavy) & set(result.stdout.split())


def test_the_flags_of_the_real_game_are_understood_or_ignored():
    flags = "-listen ::1 -port 77 -dataDir /a/b/ -tempDir /tmp/x/ -ipv6 -displayMode 0 -verboseMP"
    more = "-windowwidth 640 -headlessNoRender -osmesapath libOSMesa.so -dataVersion ABC --odd 1"
    config = config_of(f"{flags} {more}".split())
    assert (config.host, config.port, config.data_folder) == ("::1", 77, Path("/a/b"))
    assert config.version == DEFAULT_VERSION._replace(data_version="ABC")
    assert config_of([]) == ServerConfig(port=DEFAULT_PORT)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "example.org", "::"])
def test_it_serves_the_loopback_interface_alone(host: str):
    with pytest.raises(ValueError, match="loopback"):
        ServerConfig(host=host)


def test_requests_sent_at_once_are_answered_in_order(server: Server):
    connection = server.connect()
    for number in range(1, 30):
        request = sc_pb.Request(ping=sc_pb.RequestPing(), id=number)
        connection.send_binary(request.SerializeToString())
    answers = [sc_pb.Response.FromString(connection.recv()).id for _ in range(1, 30)]
    assert answers == list(range(1, 30))
    connection.close()


def test_each_client_has_a_game_of_its_own(server: Server):
    first, second = server.connect(), server.connect()
    assert ask(first, sc_pb.Request(create_game=new_game())).status == sc_pb.init_game
    assert ask(second, PING).status == sc_pb.launched
    assert ask(first, sc_pb.Request(join_game=joining())).status == sc_pb.in_game
    first.close()
    second.close()


@pytest.mark.parametrize("path", ["/", "/sc2api/more", "/../sc2api", "/SC2API"])
def test_other_paths_are_not_found(server: Server, path: str):
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        server.connect(path)
    assert refused.value.status_code == 404


@pytest.mark.parametrize(
    "origin", ["http://example.org", "https://127.0.0.1.example.org", "null", "http://[", "file://"]
)
def test_pages_of_other_sites_are_refused(server: Server, origin: str):
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        server.connect(origin=origin)
    assert refused.value.status_code == 403


@pytest.mark.parametrize("origin", ["http://localhost:8000", "http://127.0.0.1", "http://[::1]:5"])
def test_pages_of_this_machine_are_welcome(server: Server, origin: str):
    connection = server.connect(origin=origin)
    assert ask(connection, PING).HasField("ping")
    connection.close()


def test_no_origin_is_welcome(server: Server):
    server.connect(suppress_origin=True).close()
    assert server.is_well()


def test_an_oversized_message_ends_its_connection_alone(server: Server):
    connection = server.connect()
    with suppress(OSError):  # it may close before all is sent
        connection.send_binary(bytes(MAX_MESSAGE_BYTES + 1))
    assert is_closed_by_the_server(connection)
    connection.shutdown()
    assert server.is_well()


def test_a_large_message_within_bounds_is_answered(server: Server):
    connection = server.connect()
    request = sc_pb.Request(
        save_map=sc_pb.RequestSaveMap(map_path="a", map_data=bytes(MAX_MESSAGE_BYTES - 100))
    )
    assert ask(connection, request).save_map.HasField("error")
    connection.close()


def test_random_bytes_are_answered_with_an_error(server: Server):
    generator = random.Random(4)
    connection = server.connect()
    for _ in range(200):
        connection.send_binary(b"\xff" + generator.randbytes(generator.randrange(200)))
        assert sc_pb.Response.FromString(connection.recv()).error
    connection.send("text instead of bytes")
    assert sc_pb.Response.FromString(connection.recv()).error
    connection.close()


def test_noise_instead_of_a_handshake_is_dropped(server: Server):
    generator = random.Random(5)
    for size in (1, 100, 10_000):
        with server.raw() as noise:
            noise.sendall(generator.randbytes(size))
    assert server.is_well()


def test_half_and_slow_clients_do_not_hold_up_others(server: Server):
    with ExitStack() as clients:
        for beginning in (b"", b"GET /sc2api HTTP/1.1\r\n", b"GET /sc2api HTT"):
            half = clients.enter_context(server.raw())
            half.sendall(beginning)
        slow = server.connect()
        clients.callback(slow.shutdown)
        slow.sock.sendall(b"\x82\xfe\xff\xff")  # the head of a long message, and no more
        begun = time.monotonic()
        assert server.is_well()
        assert time.monotonic() - begun < 5


def test_a_client_that_never_reads_does_not_hold_up_others(server: Server):
    deaf = server.connect()
    request = sc_pb.Request(data=sc_pb.RequestData(unit_type_id=True))
    ask(deaf, sc_pb.Request(create_game=new_game()))
    ask(deaf, sc_pb.Request(join_game=joining()))
    deaf.settimeout(1)
    with suppress(websocket.WebSocketTimeoutException, OSError):
        for _ in range(1000):
            deaf.send_binary(request.SerializeToString())
    assert server.is_well()
    deaf.shutdown()


def test_a_hundred_connections_are_served_or_turned_away(server: Server):
    with ExitStack() as clients:
        answered = 0
        for _ in range(100):
            try:
                connection = server.connect()
                clients.callback(connection.shutdown)
                answered += ask(connection, PING).HasField("ping")
            except (websocket.WebSocketException, OSError, TypeError):  # it was closed
                continue
        assert MAX_CONNECTIONS - 2 <= answered <= MAX_CONNECTIONS
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            assert server.is_well()
            return
        except (websocket.WebSocketException, OSError):
            time.sleep(0.1)
    pytest.fail("nobody is served after the crowd has gone")


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc to measure memory")
def test_memory_stays_bounded_under_a_flood(own_server: Server):
    with ExitStack() as clients:
        for _ in range(MAX_CONNECTIONS):
            connection = own_server.connect()
            clients.callback(connection.shutdown)
            connection.settimeout(0.2)
            frame = websocket.ABNF.create_frame(
                bytes(MAX_MESSAGE_BYTES - 1), websocket.ABNF.OPCODE_BINARY
            ).format()
            try:
                for _ in range(6):  # the last one stays unfinished
                    connection.sock.sendall(frame[: len(frame) - 1])
            except OSError:
                continue
        time.sleep(1)
    assert own_server.peak_memory() < MEMORY_BYTES
    assert own_server.is_well()


def test_what_a_client_waits_for_ends_when_it_goes(own_server: Server):
    connection = own_server.connect()
    ask(connection, sc_pb.Request(create_game=new_game(PARTICIPANT, PARTICIPANT)))
    shared = ports()
    join = sc_pb.Request(join_game=joining(**shared))  # waits for minutes for the other
    connection.send_binary(join.SerializeToString())
    port = shared["server_ports"].base_port
    await_that(lambda: is_listened_to(port))
    connection.shutdown()
    await_that(lambda: not is_listened_to(port))
    assert own_server.is_well()


def is_listened_to(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=SECONDS).close()
    except ConnectionRefusedError:
        return False
    return True


def await_that(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline, "it does not come to that"
        time.sleep(0.05)


def test_the_same_commands_in_another_process_and_over_the_socket_give_the_same_game(
    server: Server,
):
    connection = server.connect()

    def over_the_socket(request: bytes) -> bytes:
        connection.send_binary(request)
        answer: bytes = connection.recv()
        return answer

    with Session() as session:
        replays = [read_replay(played(handle)) for handle in (session.handle, over_the_socket)]
    connection.close()
    assert len(replays[0].hashes) == 2
    assert replays[0].hashes == replays[1].hashes
    assert replays[0].final_hash == replays[1].final_hash
    assert replays[0] == replays[1]


def played(handle: Callable[[bytes], bytes]) -> bytes:
    """Play a game in which both sides do something; return its replay."""

    def ask(**request: Any) -> sc_pb.Response:
        return sc_pb.Response.FromString(handle(sc_pb.Request(**request).SerializeToString()))

    computer = sc_pb.PlayerSetup(
        type=sc_pb.Computer, race=common_pb.Random, difficulty=sc_pb.VeryHard
    )
    ask(create_game=new_game(PARTICIPANT, computer))
    ask(join_game=joining(common_pb.Random))
    for i in range(40):
        units = ask(observation=sc_pb.RequestObservation()).observation.observation.raw_data.units
        own = sorted(unit.tag for unit in units if unit.alliance == raw_pb.Self)
        attack = raw_pb.ActionRawUnitCommand(ability_id=3674, unit_tags=own[i % len(own) :][:3])
        attack.target_world_space_pos.CopyFrom(common_pb.Point2D(x=20 + i, y=60 - i))
        action = sc_pb.Action(action_raw=raw_pb.ActionRaw(unit_command=attack))
        ask(action=sc_pb.RequestAction(actions=[action]))
        ask(step=sc_pb.RequestStep(count=60))
    return ask(save_replay=sc_pb.RequestSaveReplay()).save_replay.data


def test_quitting_ends_the_program(own_server: Server):
    connection = own_server.connect()
    connection.send_binary(
        sc_pb.Request(quit=sc_pb.RequestQuit(), id=999999999).SerializeToString()
    )
    connection.shutdown()  # pysc2 does not wait for an answer
    assert own_server.process.wait(SECONDS) == 0


def test_quitting_is_answered_for_those_who_wait(own_server: Server):
    connection = own_server.connect()
    assert ask(connection, sc_pb.Request(quit=sc_pb.RequestQuit())).status == sc_pb.quit
    connection.shutdown()
    assert own_server.process.wait(SECONDS) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_the_program_even_within_a_long_step(own_server: Server, number: int):
    connection = own_server.connect()
    ask(connection, sc_pb.Request(create_game=new_game()))
    ask(connection, sc_pb.Request(join_game=joining()))
    ask(connection, sc_pb.Request(step=sc_pb.RequestStep(count=1)))
    step = sc_pb.Request(step=sc_pb.RequestStep(count=300_000))
    connection.send_binary(step.SerializeToString())
    time.sleep(0.5)
    own_server.process.send_signal(number)
    assert own_server.process.wait(10) == 0
    connection.shutdown()


def test_a_taken_port_is_told_in_one_line(server: Server):
    command = [sys.executable, "-P", "-m", "envs.engine.server", "-port", str(server.port)]
    result = subprocess.run(
        command,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
