"""The engine as a program: a websocket in front of ``session.handle``, for any client of the API.

It is started as StarCraft II is, with the same flags, and serves ``/sc2api`` on the loopback
interface alone. It listens before anything heavy is imported, so that clients need not try again.
Each connection is a session of its own in a thread of its own; the first that quits ends the
program, as it does in the real game.
"""

import argparse
import importlib
import ipaddress
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlsplit

from envs.engine.versions import DEFAULT_VERSION, GameVersion

if TYPE_CHECKING:
    from websockets.http11 import Request, Response
    from websockets.sync.server import Server, ServerConnection

PATH = "/sc2api"
DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 5000
MAX_MESSAGE_BYTES = 4 << 20
"""Of a request; the largest are replays and maps."""

MAX_CONNECTIONS = 16
MAX_WAITING_FRAMES = 2
OPENING_SECONDS = 10.0
"""How long a client may take over its first words."""

FORSAKEN_SECONDS = 5.0
"""For how long a server goes on that nobody is connected to and whose starter has gone."""

_CLOSING_SECONDS = 1.0
_LOOK_SECONDS = 1.0
_TRY_AGAIN_LATER = 1013  # a close code of RFC 6455's registry
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ServerConfig:
    """How the server runs."""

    host: str = DEFAULT_HOST  # an address of this machine's own
    port: int = DEFAULT_PORT
    data_folder: Path | None = None  # a StarCraft II folder, for its maps and replays
    version: GameVersion = DEFAULT_VERSION
    parent: int | None = None  # the process without which, and without clients, it ends

    def __post_init__(self) -> None:
        if not _is_loopback(self.host):
            raise ValueError(f"host must be of the loopback interface, got {self.host!r}")
        if not 0 <= self.port < 1 << 16:
            raise ValueError(f"port must be from 0 to {(1 << 16) - 1}, got {self.port}")


def run_server(config: ServerConfig) -> None:
    """Serve until a client quits or the program is told to end (SIGTERM, SIGINT).

    With a parent in the configuration it also ends when that process has gone and no client is
    connected: programs that are killed do not tell the game that they started.

    Threads that serve clients who are still there may live on for as long as the program does.

    Raises:
        OSError: it cannot listen on the port.
    """
    stop = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        del number, frame
        stop.set()

    conversations = _Conversations(config, stop)
    with listening(config) as listener, _serving(listener, conversations):
        before = [signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)]
        try:
            host, port = listener.getsockname()[:2]
            _logger.info("serving ws://%s:%d%s", f"[{host}]" if ":" in host else host, port, PATH)
            # The first game need not wait for these.
            importlib.import_module("envs.engine.session")
            _tell_of_compiling()
            _await_end(conversations, config.parent, stop)
        finally:
            for number, handler in zip((signal.SIGTERM, signal.SIGINT), before, strict=True):
                signal.signal(number, handler)


@contextmanager
def listening(config: ServerConfig) -> Iterator[socket.socket]:
    """Listen on the configured port; on port 0, on one that is free."""
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    with socket.create_server((config.host, config.port), family=family, backlog=128) as listener:
        yield listener


@contextmanager
def _serving(listener: socket.socket, conversations: "_Conversations") -> Iterator[None]:
    """Serve a listening socket from threads until the block ends."""
    from websockets.sync.server import serve

    server = serve(
        conversations,
        sock=listener,
        process_request=_refusal,
        compression=None,
        server_header=None,
        open_timeout=OPENING_SECONDS,
        ping_interval=None,  # clients that think for minutes answer no pings
        close_timeout=_CLOSING_SECONDS,
        max_size=MAX_MESSAGE_BYTES,
        max_queue=MAX_WAITING_FRAMES,
    )
    accepting = threading.Thread(target=server.serve_forever, name="accept", daemon=True)
    accepting.start()
    try:
        yield
    finally:
        _close(server)


def _tell_of_compiling() -> None:
    """Say why the first game will be slow to start, where it will be."""
    from envs.engine import compiled

    if not compiled.is_all_cached():
        _logger.warning(
            "the engine is compiled as it is first used, up to 90 seconds in all;"
            " latentstar engine --install does that beforehand"
        )


def _await_end(conversations: "_Conversations", parent: int | None, stop: threading.Event) -> None:
    """Wait until the server is to stop, or until nobody is left whom it could be for."""
    forsaken_since = time.monotonic()
    while not stop.wait(None if parent is None else _LOOK_SECONDS):
        if os.getppid() == parent or conversations.num_clients:
            forsaken_since = time.monotonic()
        elif time.monotonic() - forsaken_since >= FORSAKEN_SECONDS:
            _logger.info("who started the engine has gone, and nobody is connected")
            return


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run as StarCraft II's executable does: the same flags, and what we do not know is ignored."""
    arguments = sys.argv[1:] if arguments is None else arguments
    level = logging.INFO if "-verbose" in arguments else logging.WARNING
    logging.basicConfig(format="%(levelname)s: %(message)s", level=level, stream=sys.stderr)
    logging.getLogger("websockets").setLevel(logging.CRITICAL)  # others' bad manners are no news
    status = 0
    try:
        run_server(config_of(arguments))
    except (OSError, ValueError) as error:
        _logger.error("%s", error)
        status = 1
    # Threads may be in the middle of a long step, and clients kill what does not end in time.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def config_of(arguments: Sequence[str]) -> ServerConfig:
    """Read the flags of StarCraft II's executable, and the ones that our launchers add."""
    parser = argparse.ArgumentParser(prog="SC2_x64", allow_abbrev=False, add_help=False)
    parser.add_argument("-listen", default=DEFAULT_HOST)
    parser.add_argument("-port", type=int, default=DEFAULT_PORT)
    parser.add_argument("-dataDir")
    parser.add_argument("-dataVersion")
    parser.add_argument("--game-version", default=DEFAULT_VERSION.game_version)
    parser.add_argument("--base-build", type=int, default=DEFAULT_VERSION.base_build)
    parser.add_argument("--data-version", default=DEFAULT_VERSION.data_version)
    parser.add_argument("--parent", type=int)
    known, _ = parser.parse_known_args(arguments)
    return ServerConfig(
        host=known.listen,
        port=known.port,
        data_folder=Path(known.dataDir) if known.dataDir else None,
        version=GameVersion(
            known.game_version, known.base_build, known.dataVersion or known.data_version
        ),
        parent=known.parent,
    )


class _Conversations:
    """What the websocket server calls for each client, in a thread of the client's own."""

    def __init__(self, config: ServerConfig, stop: threading.Event) -> None:
        """Begin without clients; those that quit set ``stop``."""
        self.num_clients = 0
        self._config = config
        self._stop = stop
        self._counting = threading.Lock()
        self._places = threading.BoundedSemaphore(MAX_CONNECTIONS)

    def __call__(self, connection: "ServerConnection") -> None:
        """Answer a client until it goes or quits."""
        from websockets.exceptions import ConnectionClosed

        if not self._places.acquire(blocking=False):
            connection.close(_TRY_AGAIN_LATER, "too many clients")
            return
        self._count(1)
        try:
            with suppress(ConnectionClosed):
                self._converse(connection)
        finally:
            self._count(-1)
            self._places.release()

    def _count(self, change: int) -> None:
        with self._counting:
            self.num_clients += change

    def _converse(self, connection: "ServerConnection") -> None:
        from websockets.protocol import State

        from envs.engine.session import Session

        config = self._config
        with Session(
            version=config.version,
            data_folder=config.data_folder,
            is_wanted=lambda: connection.state is State.OPEN,
        ) as session:
            while not session.has_quit:
                # pysc2 sends its bytes as text, which they are not.
                response = session.handle(connection.recv(decode=False))
                try:
                    connection.send(response)
                finally:
                    if session.has_quit:
                        self._end()

    def _end(self) -> None:
        """Have the program end, and say why: others may lose their games by it."""
        others = self.num_clients - 1
        left = f", {others} more connected" if others else ""
        _logger.info("a client asked to quit: the engine ends%s", left)
        self._stop.set()


def _refusal(connection: "ServerConnection", request: "Request") -> "Response | None":
    """Return why a connection is not opened, or nothing where it is."""
    if urlsplit(request.path).path != PATH:
        return connection.respond(HTTPStatus.NOT_FOUND, f"There is {PATH} here, nothing else.\n")
    if not all(_is_own(origin) for origin in request.headers.get_all("Origin")):
        text = "Pages of other sites may not talk to the engine.\n"
        return connection.respond(HTTPStatus.FORBIDDEN, text)
    return None


def _is_own(origin: str) -> bool:
    """Return whether an Origin header names this machine."""
    try:
        return urlsplit(origin).hostname in _LOOPBACK_NAMES
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _close(server: "Server") -> None:
    """Stop accepting clients and close their connections, as far as that goes quickly."""
    closing = threading.Thread(target=server.shutdown, name="close", daemon=True)
    closing.start()
    closing.join(_CLOSING_SECONDS)


if __name__ == "__main__":
    main()
