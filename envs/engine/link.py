"""Two players in two processes: one has the match, the other passes on what its client says.

The host listens on the port that both clients have agreed on until the guest has joined. From then
on the guest's process is a relay: each request goes to the host as it came, and is answered there
by a session of the guest's own. Both processes are on one machine.

A message is its length in four bytes, the status of the host's session in one, and the request or
response as the API has it.
"""

import logging
import math
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from envs.engine.errors import LinkError

LOOPBACK = "127.0.0.1"

_GREETING = b"LatentStar link 1"
_HEADER = struct.Struct("<IB")
_MAX_MESSAGE_BYTES = 64 << 20
GREETING_SECONDS = 5.0
"""How long whoever connects may take over that, over its greeting, and then its first request."""

_SENDING_SECONDS = 60.0
_LOOK_SECONDS = 0.5
_RETRY_SECONDS = 0.05
_PIECE_BYTES = 1 << 16
_NO_STATUS = 0

_logger = logging.getLogger(__name__)


class Answering(Protocol):
    """A session as its guest's link uses it."""

    @property
    def status(self) -> int:
        """The API's status."""

    def handle(self, request: bytes) -> bytes:
        """Answer a request."""

    def close(self) -> None:
        """Leave the game, if there is one."""


class Wait:
    """How long to wait for the other process: for some time, and while somebody wants it."""

    def __init__(
        self, seconds: float = math.inf, *, is_wanted: Callable[[], bool] = lambda: True
    ) -> None:
        self.seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._is_wanted = is_wanted

    def next_look(self) -> float:
        """Return how many seconds to wait before asking again.

        Raises:
            TimeoutError: time is up.
            LinkError: nobody wants it any more.
        """
        if not self._is_wanted():
            raise LinkError("nobody waits for the other player any more")
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"nothing came within {self.seconds:g} s")
        return min(left, _LOOK_SECONDS)


class Link:
    """One end of the connection between two processes."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection = connection

    def send(self, message: bytes, *, status: int = _NO_STATUS) -> None:
        """Send a message.

        Raises:
            LinkError: the other end is gone, or does not read.
        """
        try:
            self._connection.settimeout(_SENDING_SECONDS)
            self._connection.sendall(_HEADER.pack(len(message), status) + message)
        except OSError as error:
            raise LinkError(f"the other player's process is gone ({error})") from error

    def receive(self, wait: Wait) -> tuple[bytes, int]:
        """Return the next message and the status that it came with.

        Raises:
            LinkError: the other end is gone, sends something else or nothing in time.
        """
        try:
            header = _received(self._connection, _HEADER.size, wait)
            if len(header) == _HEADER.size:
                size, status = _HEADER.unpack(header)
                if size > _MAX_MESSAGE_BYTES:
                    raise LinkError(f"a message of {size} bytes came from the other process")
                message = _received(self._connection, size, wait)
                if len(message) == size:
                    return message, status
        except LinkError:
            raise
        except TimeoutError as error:
            raise LinkError(f"the other player's process does not answer: {error}") from error
        except OSError as error:
            raise LinkError(f"the other player's process is gone ({error})") from error
        raise LinkError("the other player's process is gone")

    def ask(self, request: bytes, wait: Wait) -> tuple[bytes, int]:
        """Send a request; return the response and the status that goes with it."""
        self.send(request)
        return self.receive(wait)

    def is_connected(self) -> bool:
        """Return whether the other end is still there."""
        try:
            self._connection.setblocking(False)
            return self._connection.recv(1, socket.MSG_PEEK) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    def close(self) -> None:
        """End the connection."""
        with suppress(OSError):  # it has ended already
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()


def wait_for_guest(port: int, wait: Wait) -> Link:
    """Listen on a port until the other process joins.

    Raises:
        LinkError: the port is taken, nobody has joined in time, or nobody waits any more.
    """
    try:
        listener = socket.create_server((LOOPBACK, port), backlog=4)
    except (OSError, OverflowError) as error:
        raise LinkError(f"cannot listen for the other player on port {port}: {error}") from error
    with listener:
        while True:
            try:
                listener.settimeout(wait.next_look())
            except TimeoutError:
                raise LinkError(
                    f"no other player joined on port {port} within {wait.seconds:.0f} s"
                ) from None
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            except OSError as error:
                raise LinkError(f"cannot wait for the other player: {error}") from error
            if _is_greeted(connection):
                return Link(connection)
            connection.close()


def connect_to_host(port: int, wait: Wait) -> Link:
    """Connect to the process that has the match, as soon as it listens.

    Raises:
        LinkError: it did not in time, or nobody waits any more.
    """
    while True:
        try:
            return Link(_greeting_connection(port))
        except (OSError, OverflowError) as error:
            try:
                wait.next_look()
            except TimeoutError:
                raise LinkError(
                    f"no game was created that can be joined on port {port}: {error}"
                ) from error
            time.sleep(_RETRY_SECONDS)


def serve_guest(link: Link, session: Answering) -> None:
    """Answer what the guest's client asks, until its process hangs up."""
    try:
        while True:
            request, _ = link.receive(Wait())
            response = session.handle(request)
            link.send(response, status=session.status)
    except LinkError as error:
        _logger.info("the guest has left: %s", error)
    finally:
        session.close()
        link.close()


def _greeting_connection(port: int) -> socket.socket:
    connection = socket.create_connection((LOOPBACK, port), timeout=GREETING_SECONDS)
    try:
        if connection.getsockname() == connection.getpeername():
            raise ConnectionRefusedError("nobody listens there")  # it has met itself
        connection.sendall(_GREETING)
    except OSError:
        connection.close()
        raise
    return connection


def _is_greeted(connection: socket.socket) -> bool:
    """Return whether it is a guest who connects, who greets at once."""
    try:
        return _received(connection, len(_GREETING), Wait(GREETING_SECONDS)) == _GREETING
    except OSError:
        return False


def _received(connection: socket.socket, size: int, wait: Wait) -> bytes:
    """Return as many bytes as are wanted, or those that came before the other end closed."""
    data = bytearray()
    while len(data) < size:
        connection.settimeout(wait.next_look())
        try:
            piece = connection.recv(min(size - len(data), _PIECE_BYTES))
        except TimeoutError:
            continue
        if not piece:
            break
        data += piece
    return bytes(data)
