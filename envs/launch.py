"""Where games come from: the engine in this process, or a game in a process of its own.

``launch`` starts StarCraft II, or the engine where it was installed in a folder like the game's,
from the folder that SC2PATH names; without SC2PATH it starts the engine. pysc2 resolves where the
game is, its versions and what its program needs around it. The program is started here, with the
arguments that pysc2 gives it: pysc2's own launcher leaves what the game says to the terminal, waits
six minutes for a program that never listens, and hands out messages, not bytes.
"""

import importlib
import os
import re
import socket
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from s2clientprotocol import sc2api_pb2 as sc_pb

from envs import pysc2_compat
from envs.connection import InProcessConnection, ProcessConnection
from envs.errors import GameMissingError, LaunchError
from envs.game_process import DYING_SECONDS, GameProcess
from envs.message_socket import HOST, MessageSocket, NotListeningError

START_SECONDS = 60.0
"""How long a game may take from its start to its first answer."""

MAX_PORTS_TRIED = 5

_LOOK_SECONDS = 0.05
_CAN_TELL = sys.platform == "linux"  # who listens on a port
_PROJECT = Path(__file__).parents[1]
_PING = sc_pb.Request(ping=sc_pb.RequestPing()).SerializeToString()
_SERVING = re.compile(r"serving ws://[^\s/]*:(\d+)/")


def in_process() -> InProcessConnection:
    """Return the engine in this process, at status ``launched``."""
    from envs.engine.session import Session  # brings numba, and programs need neither

    return InProcessConnection(Session())


def launch(
    *,
    base_build: int | None = None,
    data_version: str | None = None,
    start_seconds: float = START_SECONDS,
) -> ProcessConnection:
    """Start a game in a process of its own; return it once it has answered.

    It listens on the loopback interface alone, and ends with the connection or with this process,
    however that ends.

    Args:
        base_build: the release to start, as replays name theirs; the newest where none is given.
        data_version: that release's data, as replays name theirs.
        start_seconds: how long to wait for the first answer.

    Raises:
        GameMissingError: SC2PATH does not lead to such a game.
        LaunchError: it was started and ended, was silent or spoke another language.
    """
    folder = _folder()
    if folder is None:
        return _started(_engine(base_build, data_version), 0, start_seconds)
    program = _installed(folder, base_build, data_version)
    for _ in range(MAX_PORTS_TRIED - 1):
        with suppress(_PortTakenError):
            return _started(program, _free_port(), start_seconds)
    return _started(program, _free_port(), start_seconds)


class _Program(NamedTuple):
    """What to start."""

    name: str  # for people
    command: list[str]  # what comes before and after the port matters to no game
    working_folder: str | None
    environment: Mapping[str, str]


class _PortTakenError(LaunchError):
    """Somebody else had the port when the game wanted it."""


def _folder() -> Path | None:
    """Return the folder that SC2PATH names, if it names one."""
    name = os.environ.get("SC2PATH")
    if name is None:
        return None
    wanted = "name the folder with StarCraft II's Versions in it, or unset it to play on the engine"
    if not name:
        raise GameMissingError(f"SC2PATH is set to nothing: {wanted}")
    folder = Path(name).expanduser()
    if not folder.is_dir():
        raise GameMissingError(f"SC2PATH is {name!r}, which is no folder: {wanted}")
    if not _builds(folder):
        raise GameMissingError(f"SC2PATH is {name!r}, which has no Versions/Base* in it: {wanted}")
    return folder


def _builds(folder: Path) -> list[int]:
    """Return the releases that are installed in a folder."""
    found = (re.fullmatch(r"Base(\d+)", path.name) for path in folder.glob("Versions/*"))
    return sorted(int(name[1]) for name in found if name)


def _installed(folder: Path, base_build: int | None, data_version: str | None) -> _Program:
    """Return what starts the game in the folder that SC2PATH names."""
    builds = _builds(folder)
    if base_build is not None and base_build not in builds:
        raise GameMissingError(
            f"base build {base_build} was wanted, and {folder} has {', '.join(map(str, builds))}: "
            "install that release of the game beside them"
        )
    config, releases = _pysc2_configuration(folder)
    if base_build is not None and data_version is None:
        # The last of them: a build's later releases hold the data of the earlier ones.
        known = [
            release.data_version for release in releases if release.build_version == base_build
        ]
        data_version = known[-1] if known else None
    build = config.version.build_version if base_build is None else base_build
    path = Path(config.data_dir, "Versions", f"Base{build:05d}", config._exec_name)
    if not path.is_file():
        raise GameMissingError(f"{path} is missing: unpack StarCraft II again")
    if not os.access(path, os.X_OK):
        raise GameMissingError(f"{path} may not be executed: chmod +x '{path}'")
    command = [str(path), "-dataDir", str(Path(config.data_dir, "_"))[:-1]]
    if sys.platform != "linux":
        command += ["-displayMode", "0", "-windowwidth", "640", "-windowheight", "480"]
    if data_version is not None:
        command += ["-dataVersion", data_version.upper()]
    return _Program(str(path), command, config.cwd, config.env or os.environ)


def _pysc2_configuration(folder: Path) -> tuple[Any, list[Any]]:
    """Return how pysc2 runs what is in the folder that SC2PATH names, and the releases it knows."""
    pysc2_compat.load()
    run_configs: Any = importlib.import_module("pysc2.run_configs")
    if not run_configs.FLAGS.is_parsed():  # pysc2 reads its command line in passing
        run_configs.FLAGS.mark_as_parsed()
    try:
        return run_configs.get(version="latest"), list(run_configs.lib.VERSIONS.values())
    except (OSError, ValueError, run_configs.sc_process.SC2LaunchError) as error:
        raise GameMissingError(f"pysc2 finds no game in {folder}: {error}") from error


def _engine(base_build: int | None, data_version: str | None) -> _Program:
    """Return what starts the engine."""
    command = [sys.executable, "-P", "-m", "envs.engine.server", "-verbose"]
    command += ["--parent", str(os.getpid())]
    if base_build is not None:
        command += ["--base-build", str(base_build)]
    if data_version is not None:
        command += ["-dataVersion", data_version]
    path = [str(_PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path)}
    return _Program("the engine", command, None, environment)


def _free_port() -> int:
    """Return a port that is free, for as long as nobody takes it."""
    with socket.socket() as unused:
        unused.bind((HOST, 0))
        port: int = unused.getsockname()[1]
        return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _started(program: _Program, port: int, seconds: float) -> ProcessConnection:
    """Start a program on a port, or on one that it takes and tells where it is 0."""
    try:
        folder = tempfile.mkdtemp(prefix="latentstar-game-")
    except OSError as error:
        raise LaunchError(f"no temporary folder for {program.name}: {error}") from error
    arguments = ["-listen", HOST, "-port", str(port), "-tempDir", f"{folder}{os.sep}"]
    process = GameProcess(
        [*program.command, *arguments],
        working_folder=program.working_folder,
        environment=program.environment,
        temporary_folder=folder,
    )
    start = _Start(program.name, process, time.monotonic() + seconds, seconds)
    try:
        messages = start.connected(port or start.announced_port())
        try:
            start.expect_answer(messages)
        except BaseException:
            messages.close()
            raise
    except BaseException:
        process.kill()
        process.stop()
        raise
    return ProcessConnection(process, messages)


class _Start(NamedTuple):
    """A program that has been started and has until a deadline to answer."""

    name: str
    process: GameProcess
    deadline: float
    seconds: float

    def announced_port(self) -> int:
        """Wait for the program to tell which port it took."""
        while True:
            found = _SERVING.search(self.process.log())
            if found is not None:
                return int(found[1])
            self._wait_a_little("told no port")

    def connected(self, port: int) -> MessageSocket:
        """Wait until it listens on a port, and connect."""
        while True:
            self._expect_owner(port)
            try:
                messages = MessageSocket.open(port, seconds=self._left())
            except NotListeningError as error:
                reason = str(error)
            except OSError as error:
                failure = self._lost("took a connection", error)
                self._expect_owner(port)
                if _CAN_TELL and self.process.is_running and not self.process.is_listener(port):
                    raise self._taken(port) from error  # by somebody who has gone
                raise failure from error
            else:
                try:
                    self._expect_owner(port)
                except _PortTakenError:
                    messages.close()
                    raise
                return messages
            if not self.process.is_running and not _is_free(port):
                raise self._taken(port)
            self._wait_a_little(f"did not listen on port {port} ({reason})")

    def expect_answer(self, messages: MessageSocket) -> None:
        """Ask for a first answer, which must be a game's."""
        try:
            answer = messages.ask(_PING, seconds=self._left())
        except OSError as error:
            raise self._lost("was asked for a ping", error) from error
        try:
            is_answer = sc_pb.Response.FromString(answer).HasField("ping")
        except Exception:  # protobuf's DecodeError, which only protobuf itself could name
            is_answer = False
        if not is_answer:
            raise self._failed(f"answered a ping with {answer[:40]!r}: it is no StarCraft II")

    def _left(self) -> float:
        return max(self.deadline - time.monotonic(), _LOOK_SECONDS)

    def _wait_a_little(self, problem: str) -> None:
        if not self.process.is_running:
            raise self._failed("could not be talked to")
        if time.monotonic() > self.deadline:
            raise self._failed(f"{problem} within {self.seconds:g} s")
        self.process.cut_log()
        time.sleep(_LOOK_SECONDS)

    def _expect_owner(self, port: int) -> None:
        """Refuse a port on which somebody else listens, which may begin at any time."""
        if self.process.is_listener(port) is False:
            raise self._taken(port)

    def _taken(self, port: int) -> _PortTakenError:
        return _PortTakenError(f"port {port} was taken by another before {self.name} had it")

    def _lost(self, event: str, error: OSError) -> LaunchError:
        if isinstance(error, TimeoutError):
            return self._failed(f"{event}, but gave no answer within {self.seconds:g} s")
        return self._failed(f"{event}, but {error}", patience_seconds=DYING_SECONDS)

    def _failed(self, problem: str, *, patience_seconds: float = 0.0) -> LaunchError:
        state = self.process.obituary(patience_seconds=patience_seconds)
        return LaunchError(f"{self.name} {problem}: {state}")
