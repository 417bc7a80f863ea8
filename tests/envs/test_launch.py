"""Starting games: what is found, what is said where it is not, and that nothing is left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from s2clientprotocol import common_pb2 as common_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.connection import Connection
from envs.engine.install import install
from envs.errors import GameCrashedError, GameMissingError, LaunchError
from envs.game_process import LOG_NAME
from envs.launch import in_process, launch
from tests.envs.fake_games import (
    PING,
    folder_with,
    ping_version,
    program_in,
    python,
    shell,
    speaking,
)

SECONDS = 60.0
BRIEFLY = 3.0
GLIBC = (
    "SC2_x64: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.18' not found (required by SC2_x64)"
)
SILENT = """
with socket.create_server(("127.0.0.1", port)):
    time.sleep(60)
"""
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's /proc and prctl")

SetPath = Callable[[Path | str], None]


@pytest.fixture
def set_path(monkeypatch: pytest.MonkeyPatch) -> SetPath:
    return lambda path: monkeypatch.setenv("SC2PATH", str(path))


@pytest.fixture
def no_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SC2PATH", raising=False)


def is_alive(pid: int) -> bool:
    """Return whether a process runs; one that has ended and waits to be counted does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def dies(pid: int, seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_alive(pid)


def play(connection: Connection) -> int:
    """Play a few loops of a game on the engine; return the loop it came to."""

    def ask(**request: object) -> sc_pb.Response:
        data = sc_pb.Request(**request).SerializeToString()
        answer = sc_pb.Response.FromString(connection.ask(data, deadline_seconds=4 * SECONDS))
        assert not answer.error
        return answer

    create = sc_pb.RequestCreateGame(
        local_map=sc_pb.LocalMap(map_path="Melee/Simple64.SC2Map"),
        player_setup=[sc_pb.PlayerSetup(type=sc_pb.Participant)],
    )
    ask(create_game=create)
    options = sc_pb.InterfaceOptions(raw=True)
    ask(join_game=sc_pb.RequestJoinGame(race=common_pb.Terran, options=options))
    ask(step=sc_pb.RequestStep(count=7))
    return ask(observation=sc_pb.RequestObservation()).observation.observation.game_loop


def test_a_game_is_played_in_this_process():
    with in_process() as connection:
        assert play(connection) == 7
        assert connection.memory_bytes() is None


@pytest.mark.usefixtures("no_path")
def test_without_a_path_the_engine_is_started_and_ended():
    with launch() as connection:
        assert play(connection) == 7
        assert is_alive(connection.pid)
    assert not is_alive(connection.pid)


def test_the_engines_own_folder_is_started_as_the_game_would_be(tmp_path: Path, set_path: SetPath):
    folder = tmp_path / "mit Leerzeichen und Übermut 星"
    install(folder)
    set_path(folder)
    with launch(base_build=75689) as connection:
        assert play(connection) == 7
    assert not is_alive(connection.pid)


@pytest.mark.usefixtures("no_path")
def test_the_engine_gives_itself_out_for_the_release_that_is_wanted():
    with launch(base_build=70154, data_version="0123ABCD") as connection:
        ping = sc_pb.Response.FromString(connection.ask(PING, deadline_seconds=SECONDS)).ping
    assert (ping.base_build, ping.data_version) == (70154, "0123ABCD")


@pytest.mark.starcraft
def test_starcraft_itself_answers():
    folder = Path(os.environ.get("SC2PATH", ""))
    programs = list(folder.glob("Versions/Base*/SC2_x64")) if os.environ.get("SC2PATH") else []
    if not any(path.read_bytes()[:4] == b"\x7fELF" for path in programs):
        pytest.skip("SC2PATH does not lead to StarCraft II for Linux")
    with launch() as connection:
        assert ping_version(connection.ask(PING, deadline_seconds=SECONDS))
        assert (connection.memory_bytes() or 0) > 100e6
    assert not is_alive(connection.pid)


# What the path may lead to.


def test_an_empty_path_is_told(set_path: SetPath):
    set_path("")
    with pytest.raises(GameMissingError, match=r"^SC2PATH is set to nothing: .*unset it"):
        launch()


def test_a_path_to_nowhere_or_to_a_file_is_told(tmp_path: Path, set_path: SetPath):
    (tmp_path / "empty").touch()
    for name in ("nowhere", "empty"):
        set_path(tmp_path / name)
        with pytest.raises(GameMissingError, match=rf"{name}', which is no folder"):
            launch()


def test_a_folder_without_versions_is_told(tmp_path: Path, set_path: SetPath):
    set_path(tmp_path)
    with pytest.raises(GameMissingError, match=r"has no Versions/Base\* in it"):
        launch()


def test_a_folder_that_pysc2_cannot_read_is_told(tmp_path: Path, set_path: SetPath):
    set_path(folder_with(tmp_path, shell("exit")))
    (tmp_path / "Versions" / "Base75689.old").mkdir()
    with pytest.raises(GameMissingError, match=r"pysc2 finds no game in .*75689\.old"):
        launch()


def test_a_missing_program_is_told(tmp_path: Path, set_path: SetPath):
    set_path(folder_with(tmp_path, shell("exit")))
    program_in(tmp_path).unlink()
    with pytest.raises(GameMissingError, match=rf"^{program_in(tmp_path)} is missing"):
        launch()


def test_a_program_that_may_not_be_executed_is_told_with_the_remedy(
    tmp_path: Path, set_path: SetPath
):
    set_path(folder_with(tmp_path, shell("exit"), mode=0o644))
    with pytest.raises(GameMissingError, match=rf"chmod \+x '{program_in(tmp_path)}'"):
        launch()


def test_a_release_that_is_not_there_is_told_with_those_that_are(tmp_path: Path, set_path: SetPath):
    set_path(folder_with(tmp_path, shell("exit"), base_build=75689))
    folder_with(tmp_path, shell("exit"), base_build=70154)
    with pytest.raises(GameMissingError, match=r"base build 71663 was wanted.* 70154, 75689:"):
        launch(base_build=71663)


def test_the_wanted_release_is_started_with_its_data_and_else_the_newest(
    tmp_path: Path, set_path: SetPath
):
    tell = shell('echo "$0" "$@"; exit 3')
    set_path(folder_with(tmp_path, tell, base_build=75689))
    folder_with(tmp_path, tell, base_build=70154)
    with pytest.raises(LaunchError, match=r"Base75689/\S+ -dataDir") as newest:
        launch()
    assert "-dataVersion" not in str(newest.value)
    # the data of 4.7.1, the later one of that build, as Blizzard's table has it
    table = "94596A85191583AD2EBFAE28C5D532DB"
    with pytest.raises(LaunchError, match=rf"Base70154/\S+ .*-dataVersion {table} "):
        launch(base_build=70154)
    with pytest.raises(LaunchError, match=r"Base70154/\S+ .*-dataVersion 0123ABCD "):
        launch(base_build=70154, data_version="0123abcd")


# What the program may do.


def test_the_arguments_are_those_that_pysc2_gives(tmp_path: Path, set_path: SetPath):
    set_path(folder_with(tmp_path, shell('printf "[%s]" "$@"; exit 3')))
    expected = (
        rf"\[-dataDir\]\[{tmp_path}/\].*"
        r"\[-listen\]\[127\.0\.0\.1\]\[-port\]\[\d+\]\[-tempDir\]\[/[^\]]+/\]"
    )
    with pytest.raises(LaunchError, match=expected):
        launch()


@pytest.mark.parametrize(
    ("program", "told"),
    [
        (shell(f"cat >&2 <<'END'\n{GLIBC}\nEND\nexit 1"), "older than the game needs (GLIBC_2.18)"),
        (shell("echo one; echo two >&2; exit 4"), "status 4; it last wrote: one | two"),
        (shell("kill -9 $$"), "SIGKILL"),
        (shell("exit 0"), "it wrote nothing"),
        ("", "no program for this machine"),
        ("#!/no/such/interpreter\n", "what the program itself is run by is missing"),
    ],
    ids=["old C library", "exits", "killed", "says nothing", "empty file", "no interpreter"],
)
def test_a_program_that_ends_at_once_is_told_at_once_with_the_cause(
    tmp_path: Path, set_path: SetPath, program: str, told: str
):
    set_path(folder_with(tmp_path, program))
    begin = time.monotonic()
    with pytest.raises(LaunchError) as failed:
        launch()
    assert told in str(failed.value)
    assert "\n" not in str(failed.value)
    assert time.monotonic() - begin < SECONDS / 4


def pings_answered_by(answer: str) -> str:
    """Return a program that answers a ping in another way."""
    return speaking("pass").replace("connection.send(PONG)", answer)


@pytest.mark.parametrize(
    ("program", "told"),
    [
        (shell("echo $$; exec sleep 60"), "did not listen on port"),
        (
            python("print(os.getpid(), flush=True)" + SILENT),
            "took a connection, but gave no answer",
        ),
        (pings_answered_by("print(os.getpid(), flush=True)"), "asked for a ping"),
    ],
    ids=["never listens", "never shakes hands", "never answers"],
)
def test_a_program_that_stays_silent_is_ended_in_time(
    tmp_path: Path, set_path: SetPath, program: str, told: str
):
    set_path(folder_with(tmp_path, program))
    begin = time.monotonic()
    ending = r"it is still running; it last wrote: \d+$"
    with pytest.raises(LaunchError, match=rf"{told}.*{ending}") as failed:
        launch(start_seconds=BRIEFLY)
    assert BRIEFLY - 0.1 < time.monotonic() - begin < BRIEFLY + 5
    assert not is_alive(int(str(failed.value).rpartition(" ")[2]))


NO_WEBSOCKET = """
with socket.create_server(("127.0.0.1", port)) as listener:
    connection, _ = listener.accept()
    connection.recv(999)
    connection.sendall(b"\\xff\\xfe\\n" * 99)
    time.sleep(60)
"""
HALF_A_FRAME = r"raw.sendall(b'\x82\x7e\x10'); raw.shutdown(2); time.sleep(0.3); os._exit(5)"


@pytest.mark.parametrize(
    ("program", "told"),
    [
        (python(NO_WEBSOCKET), "it speaks no websocket"),
        (pings_answered_by(r"connection.send(b'\xff' * 50)"), "is no StarCraft II"),
        (pings_answered_by("connection.send('')"), "is no StarCraft II"),
        (pings_answered_by(HALF_A_FRAME), "it ended with status 5"),
    ],
    ids=["no handshake", "no message", "an empty answer", "half a frame"],
)
def test_a_program_that_talks_nonsense_is_told(
    tmp_path: Path, set_path: SetPath, program: str, told: str
):
    set_path(folder_with(tmp_path, program))
    with pytest.raises(LaunchError) as failed:
        launch()
    assert told in str(failed.value)


# Ports.


HOLDER = """
    if os.fork() == 0:
        os.setsid()
        holder = socket.socket()
        holder.bind(("127.0.0.1", port))
        os.write(told, b".")
        time.sleep(3)
        os._exit(0)
    os.read(ready, 1)
    sys.exit("the address is in use")
"""
ANOTHER_GAME = """
    import signal
    if os.fork() != 0:
        time.sleep(60)
    os.setsid()
    signal.alarm(10)
"""
SILENT_LISTENER = """
    if os.fork() != 0:
        time.sleep(60)
    os.setsid()
    with socket.create_server(("127.0.0.1", port)):
        time.sleep(3)
    os._exit(0)
"""


@ON_LINUX
@pytest.mark.parametrize("theft", [HOLDER, ANOTHER_GAME, SILENT_LISTENER])
def test_a_port_that_another_takes_first_is_not_used(
    tmp_path: Path, set_path: SetPath, monkeypatch: pytest.MonkeyPatch, theft: str
):
    once = (
        '\nif not Path("stolen").exists():\n'
        '    Path("stolen").touch()\n'
        f"    ready, told = os.pipe(){theft}"
    )
    program = speaking("pass").replace("\nfrom websockets", f"{once}\nfrom websockets", 1)
    set_path(folder_with(tmp_path, program))
    monkeypatch.chdir(tmp_path)
    with launch() as connection:
        version = ping_version(connection.ask(PING, deadline_seconds=SECONDS))
        assert version == str(connection.pid)
    assert (tmp_path / "stolen").exists()


@ON_LINUX
def test_games_that_start_together_are_each_their_own_and_outlive_their_threads(
    tmp_path: Path, set_path: SetPath
):
    set_path(folder_with(tmp_path, speaking("pass")))
    with ThreadPoolExecutor(8) as threads:
        games = list(threads.map(lambda _: launch(), range(8)))
    time.sleep(0.2)  # for what a thread's end would do to them
    try:
        versions = [ping_version(game.ask(PING, deadline_seconds=SECONDS)) for game in games]
        assert versions == [str(game.pid) for game in games]
        assert len(set(versions)) == 8
    finally:
        for game in games:
            game.close()


# What is left behind.

LAUNCH_AND = """
from envs.game_process import LOG_NAME
from envs.launch import launch
game = launch()
print(game.pid, flush=True)
"""


def parent(script: str, temporary: Path) -> "subprocess.Popen[str]":
    """Start a program that launches a game and then does something."""
    return subprocess.Popen(
        [sys.executable, "-c", LAUNCH_AND + script],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"TMPDIR": str(temporary)},
    )


@ON_LINUX
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_game_ends_with_the_program_that_started_it(
    tmp_path: Path, set_path: SetPath, number: int
):
    # It ignores all polite requests.
    ignore = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    program = speaking("pass").replace("\nfrom websockets", f"\n{ignore}from websockets", 1)
    set_path(folder_with(tmp_path, program))
    with parent("import time; time.sleep(60)", tmp_path) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        assert is_alive(pid)
        process.send_signal(number)
        assert dies(pid)


@ON_LINUX
def test_a_game_ends_when_its_owner_forgets_it(tmp_path: Path, set_path: SetPath):
    set_path(folder_with(tmp_path, speaking("pass")))
    with parent("", tmp_path) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        assert process.wait(SECONDS) == 0
    assert dies(pid)


@ON_LINUX
def test_a_copy_of_the_owner_does_not_end_the_game(tmp_path: Path, set_path: SetPath):
    set_path(folder_with(tmp_path, speaking("pass")))
    fork = """
import os, sys, time
from tests.envs.fake_games import PING
if os.fork() == 0:
    sys.exit()
os.wait()
game.ask(PING, deadline_seconds=10)
print("well", flush=True)
"""
    with parent(fork, tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.read().split()[1:] == ["well"]


def test_temporary_files_go_with_the_game(
    tmp_path: Path, set_path: SetPath, monkeypatch: pytest.MonkeyPatch
):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    write = '\n(Path(options["-tempDir"]) / "map").write_text("of the game")\n'
    program = speaking("pass").replace("\nfrom websockets", f"{write}from websockets", 1)
    set_path(folder_with(tmp_path / "game", program))
    with launch():
        assert {path.name for path in temporary.glob("*/*")} == {"map", LOG_NAME}
    assert list(temporary.iterdir()) == []
    set_path(folder_with(tmp_path / "other", shell("exit 1")))
    with pytest.raises(LaunchError):
        launch()
    assert list(temporary.iterdir()) == []


@ON_LINUX
def test_the_terminal_hears_nothing_of_the_game(
    tmp_path: Path, set_path: SetPath, capfd: pytest.CaptureFixture[str]
):
    noisy = "\nprint('out', flush=True)\nprint('err', file=sys.stderr, flush=True)\n"
    program = speaking("pass").replace("\nfrom websockets", f"{noisy}from websockets", 1)
    set_path(folder_with(tmp_path, program))
    with launch():
        pass
    assert capfd.readouterr() == ("", "")


@ON_LINUX
@pytest.mark.usefixtures("no_path")
def test_the_engine_listens_on_the_loopback_interface_alone():
    with launch() as connection:
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        rows += [line.split() for line in Path("/proc/net/tcp6").read_text().splitlines()[1:]]
        files = Path(f"/proc/{connection.pid}/fd").iterdir()
        inodes = {str(link.readlink()) for link in files}
        local = [r[1] for r in rows if r[3] == "0A" and f"socket:[{r[9]}]" in inodes]
    assert [address.rpartition(":")[0] for address in local] == ["0100007F"]


@pytest.mark.usefixtures("no_path")
def test_a_closed_game_says_so():
    with launch() as connection:
        pass
    with pytest.raises(GameCrashedError, match="no answer to ping: the game is closed"):
        connection.ask(PING, deadline_seconds=SECONDS)
    connection.close()
