"""The installed folder: what clients look for is there, and its launchers start the engine."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import websocket
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs import pysc2_compat
from envs.engine.install import install
from envs.engine.server import FORSAKEN_SECONDS
from envs.engine.terrain import map_files, read_map
from envs.engine.versions import DEFAULT_VERSION, KNOWN_VERSIONS
from tests.envs.engine.api_client import free_port

SECONDS = 60
NAME = "SC2_x64" if sys.platform == "linux" else "SC2.app/Contents/MacOS/SC2"


def launcher(folder: Path, base_build: int = 75689) -> Path:
    return folder / "Versions" / f"Base{base_build}" / NAME


def snapshot(folder: Path) -> dict[Path, tuple[int, bytes]]:
    return {
        path: (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_there_are_a_launcher_maps_and_a_place_for_replays(installed: Path):
    assert os.access(launcher(installed), os.X_OK)
    assert (installed / "Replays").is_dir()
    for file in map_files():
        assert read_map((installed / "Maps" / file.path).read_bytes()).name == file.name


def test_installing_again_changes_nothing_and_leaves_nothing_behind(tmp_path: Path):
    install(tmp_path)
    before = snapshot(tmp_path)
    install(tmp_path)
    assert snapshot(tmp_path) == before
    assert not [path for path in before if path.suffix == ".partial"]


def test_installing_again_mends_what_was_damaged(tmp_path: Path):
    install(tmp_path)
    whole = launcher(tmp_path).read_bytes()
    map_file = tmp_path / "Maps" / "Melee" / "Simple64.SC2Map"
    good_map = map_file.read_bytes()
    launcher(tmp_path).write_bytes(whole + b"\nexit 1\n")
    launcher(tmp_path).chmod(0o600)
    map_file.write_bytes(b"")
    install(tmp_path)
    assert launcher(tmp_path).read_bytes() == whole
    assert stat.S_IMODE(launcher(tmp_path).stat().st_mode) == 0o755
    assert map_file.read_bytes() == good_map


def test_the_folder_of_the_game_itself_is_left_alone(tmp_path: Path):
    launcher(tmp_path).parent.mkdir(parents=True)
    launcher(tmp_path).write_bytes(b"\x7fELF" + bytes(10_000))
    with pytest.raises(FileExistsError, match="StarCraft II itself"):
        install(tmp_path)
    assert not (tmp_path / "Maps").exists()


def test_there_is_a_launcher_for_each_version_asked_for(tmp_path: Path):
    install(tmp_path, KNOWN_VERSIONS)
    for version in KNOWN_VERSIONS:
        text = launcher(tmp_path, version.base_build).read_text()
        assert version.data_version in text


def test_pysc2_finds_the_version_and_the_maps(game_environment: Path):
    pysc2_compat.load()
    from absl import flags
    from pysc2 import maps, run_configs

    flags.FLAGS(["tests"])
    config = run_configs.get()
    assert config.data_dir == str(game_environment)
    assert set(config.get_versions()) == {"4.10.0", "latest"}
    assert run_configs.get(version="4.10.0").version.data_version == DEFAULT_VERSION.data_version
    for name, map_class in maps.get_maps().items():
        if map_class.players in (1, 2):
            assert map_class().data(config), name


def test_python_sc2_finds_the_launcher_and_the_maps(game_environment: Path):
    code = (
        "from sc2.paths import Paths; from sc2 import maps; import sys;"
        "sys.stdout.write(f'{Paths.EXECUTABLE}|{maps.get(\"AcropolisLE\").relative_path}')"
    )
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    executable, map_path = found.splitlines()[-1].split("|")
    assert executable == str(launcher(game_environment))
    assert map_path.endswith("AcropolisLE.SC2Map")


def test_the_launcher_becomes_an_engine_that_poses_as_its_version(
    game_environment: Path, tmp_path: Path
):
    (tmp_path / "envs").mkdir()  # a folder of the user's that is called as ours
    (tmp_path / "envs" / "__init__.py").write_text("raise SystemExit('the wrong package')")
    port = free_port()
    command = [
        *(launcher(game_environment), "-listen", "127.0.0.1", "-port", str(port)),
        *("-dataDir", f"{game_environment}/", "-tempDir", f"{tmp_path}/"),
        *("-displayMode", "0", "-windowwidth", "640", "-verbose", "-eglpath", "libEGL.so"),
    ]
    with subprocess.Popen(command, cwd=tmp_path) as process:
        try:
            connection = connected(port)
            connection.send_binary(sc_pb.Request(ping=sc_pb.RequestPing()).SerializeToString())
            ping = sc_pb.Response.FromString(connection.recv()).ping
            assert ping.base_build == 75689
            connection.close()
            process.terminate()
            assert process.wait(SECONDS) == 0
        finally:
            process.kill()


@contextmanager
def start_and_die(command: list[str]) -> Iterator[int]:
    """Have a program start the launcher, and be killed when the block ends: the engine's process.

    The launcher looks for who has started it, so the program must live until it has.
    """
    code = (
        "import subprocess, sys, time\n"
        f"process = subprocess.Popen({command!r})\n"
        "sys.stdout.write(f'{process.pid}\\n')\n"
        "sys.stdout.flush()\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as who:
        assert who.stdout
        try:
            yield int(who.stdout.readline())
        finally:
            who.kill()


def is_listening(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def test_the_engine_ends_when_its_starter_was_killed_and_nobody_is_connected(
    game_environment: Path,
):
    port = free_port()
    command = [str(launcher(game_environment)), "-listen", "127.0.0.1", "-port", str(port)]
    with start_and_die(command) as engine:
        connection = connected(port)
    try:
        time.sleep(FORSAKEN_SECONDS + 2)
        assert is_listening(port)
        connection.close()
        deadline = time.monotonic() + FORSAKEN_SECONDS + SECONDS
        while is_listening(port):
            assert time.monotonic() < deadline, "the engine goes on though nobody is there"
            time.sleep(0.1)
    finally:
        with suppress(ProcessLookupError):
            os.kill(engine, signal.SIGKILL)


def test_the_engine_goes_on_while_its_starter_lives(game_environment: Path):
    port = free_port()
    command = [str(launcher(game_environment)), "-listen", "127.0.0.1", "-port", str(port)]
    with subprocess.Popen(command) as process:
        try:
            connected(port).close()
            time.sleep(FORSAKEN_SECONDS + 2)
            assert process.poll() is None
            connected(port).close()
        finally:
            process.kill()


def test_users_are_told_that_the_engine_is_still_to_be_compiled(
    game_environment: Path, tmp_path: Path
):
    port = free_port()
    command = [str(launcher(game_environment)), "-listen", "127.0.0.1", "-port", str(port)]
    errors = tmp_path / "errors"
    with errors.open("w") as file:
        environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path)}
        with subprocess.Popen(command, stderr=file, env=environment) as process:
            try:
                connection = connected(port)
                connection.send_binary(sc_pb.Request(ping=sc_pb.RequestPing()).SerializeToString())
                connection.recv()
                connection.close()
                process.terminate()
                process.wait(SECONDS)
            finally:
                process.kill()
    lines = errors.read_text().splitlines()
    assert len(lines) == 1
    assert "90 seconds" in lines[0]


def connected(port: int) -> websocket.WebSocket:
    """Connect to a server that may not listen yet."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            return websocket.create_connection(f"ws://127.0.0.1:{port}/sc2api", timeout=SECONDS)
        except (ConnectionRefusedError, TimeoutError):
            assert time.monotonic() < deadline
            time.sleep(0.05)
