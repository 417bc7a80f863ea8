"""``latentstar engine``: it serves, it installs, and what it cannot do it says in one line."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import websocket
from s2clientprotocol import sc2api_pb2 as sc_pb

from training import cli
from training.engine_server import EngineConfig

ROOT = Path(__file__).parents[2]
SECONDS = 180


@contextmanager
def started(*options: str) -> Iterator["subprocess.Popen[str]"]:
    """The command in a process of its own."""
    command = [sys.executable, "-m", "training.cli", "engine", *options]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def address(process: "subprocess.Popen[str]") -> str:
    """Where it serves, as it tells."""
    assert process.stderr is not None
    for line in process.stderr:
        found = re.search(r"ws://\S+", line)
        if found:
            return found[0]
    raise AssertionError("it ended without having served")


def ask(connection: websocket.WebSocket, request: sc_pb.Request) -> sc_pb.Response:
    connection.send_binary(request.SerializeToString())
    return sc_pb.Response.FromString(connection.recv())


def test_it_serves_until_it_is_interrupted_even_with_clients_there():
    with started("--port", "0") as process:
        connection = websocket.create_connection(address(process), timeout=SECONDS)
        answer = ask(connection, sc_pb.Request(ping=sc_pb.RequestPing()))
        assert answer.ping.base_build == 75689
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 0
        connection.shutdown()


def test_a_client_that_quits_ends_it_and_the_log_says_so():
    with started("--port", "0") as process:
        place = address(process)
        connection, other = (websocket.create_connection(place, timeout=SECONDS) for _ in range(2))
        for one in (connection, other):
            ask(one, sc_pb.Request(ping=sc_pb.RequestPing()))
        assert ask(connection, sc_pb.Request(quit=sc_pb.RequestQuit())).status == sc_pb.quit
        assert process.wait(SECONDS) == 0
        assert process.stderr is not None
        assert "a client asked to quit: the engine ends, 1 more connected" in process.stderr.read()
        connection.shutdown()
        other.shutdown()


def test_a_taken_port_is_refused_in_one_line(capsys: pytest.CaptureFixture[str]):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert cli.run(["engine", "--port", str(port)]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"latentstar engine: cannot listen on 127.0.0.1:{port}")


def test_it_installs_a_folder_that_clients_find(tmp_path: Path):
    folder = tmp_path / "game"
    assert cli.run(["engine", "--install", str(folder), "--builds", "75689", "81433"]) == 0
    launchers = sorted(folder.glob("Versions/*/*"))
    assert [path.parent.name for path in launchers] == ["Base75689", "Base81433"]
    assert all(os.access(path, os.X_OK) for path in launchers if path.is_file())
    assert (folder / "Maps" / "Melee" / "Simple64.SC2Map").is_file()


def test_the_folder_of_the_game_itself_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    launcher = tmp_path / "Versions" / "Base75689" / "SC2_x64"
    launcher.parent.mkdir(parents=True)
    launcher.write_bytes(b"\x7fELF")
    assert cli.run(["engine", "--install", str(tmp_path)]) == 2
    assert "StarCraft II itself" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "file").write_text("no folder")
    assert cli.run(["engine", "--install", str(tmp_path / "file" / "game")]) == 2
    assert "cannot install the engine" in capsys.readouterr().err


def test_a_missing_folder_of_maps_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert cli.run(["engine", "--data", str(tmp_path / "nowhere")]) == 2
    assert "there is no such folder" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert cli.run(["engine", "--data", str(tmp_path / "file")]) == 2
    told = f"latentstar engine: {tmp_path / 'file'}: wanted a folder, it is a file\n"
    assert capsys.readouterr().err == told


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ({"listen": "0.0.0.0"}, "loopback"),
        ({"port": 70_000}, "port must be from 0 to 65535, got 70000"),
        ({"port": -1}, "port must be from 0 to 65535, got -1"),
        ({"install": Path()}, "install must name a folder"),
        ({"install": Path("there"), "port": 99}, "port is for serving, not for --install"),
        ({"install": Path("there"), "data": Path("maps")}, "data is for serving"),
        ({"builds": (75689, 81433)}, "builds are what --install"),
        ({"builds": (1,)}, "builds must be some of"),
        ({"builds": ()}, "builds must be some of"),
    ],
)
def test_impossible_values_are_refused(given: dict[str, object], refused: str):
    with pytest.raises(ValueError, match=refused):
        EngineConfig(**given)
