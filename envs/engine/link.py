"""Two players in two processes: one has the match, the other passes on what its client says.

The host listens on the port that both clients have agreed on until the guest has joined. From then
on the guest's process is a relay: each request goes to the host as it came, and is answered there
by a session of the guest's own. Both processes are on one machine.

A message is its length in four bytes, the status of the host's session in one, and the request or
response as the API has it.
"""

import logging
import socket
import struct
import time
from contextlib import suppress
from typing import Protocol

from envs.engine.errors import LinkError

LOOPBACK = "127.0.0.1"

_GREETING = b"LatentStar link 1"
_HEADER = struct.Struct("<IB")
_MAX_MESSAGE_BYTES = 64 << 20
_GREETING_SECONDS = 5.0
_RETRY_SECONDS = 0.05
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


class Link:
    """One end of the connection between two processes."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(None)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection = connection
        self._reader = connection.makefile("rb")

    def send(self, message: bytes, *, status: int = _NO_STATUS) -> None:
        """Send a message.

        Raises:
            LinkError: the other end is gone.
        """
        try:
            self._connection.sendall(_HEADER.pack(len(message), status) + message)
        except OSError as error:
            raise LinkError(f"the other player's process is gone ({error})") from error

    def receive(self) -> tuple[bytes, int]:
        """Return the next message and the status that it came with.

        Raises:
            LinkError: the other end is gone, or sends something else.
        """
        try:
            header = self._reader.read(_HEADER.size)
            if len(header) == _HEADER.size:
                size, status = _HEADER.unpack(header)
                if size > _MAX_MESSAGE_BYTES:
                    raise LinkError(f"a message of {size} bytes came from the other process")
                message = self._reader.read(size)
                if len(message) == size:
                    return message, status
        except (OSError, ValueError) as error:  # ValueError: closed from another thread
            raise LinkError(f"the other player's process is gone ({error})") from error
        raise LinkError("the other player's process is gone")

    def ask(self, request: bytes) -> tuple[bytes, int]:
        """Send a request; return the response and the status that goes with it."""
        self.send(request)
        return self.receive()

    def close(self) -> None:
        """End the connection."""
        with suppress(OSError):  # it has ended already
            self._connection.shutdown(socket.SHUT_RDWR)
        self._reader.close()
        self._connection.close()


def wait_for_guest(port: int, *, timeout_seconds: float) -> Link:
    """Listen on a port until the other process joins.

    Raises:
        LinkError: the port is taken, or nobody has joined in time.
    """
    deadline = time.monotonic() + timeout_seconds
    try:
        listener = socket.create_server((LOOPBACK, port), backlog=4)
    except (OSError, OverflowError) as error:
        raise LinkError(f"cannot listen for the other player on port {port}: {error}") from error
    with listener:
        while True:
            listener.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                raise LinkError(
                    f"no other player joined on port {port} within {timeout_seconds:.0f} s"
                ) from None
            except OSError as error:
                raise LinkError(f"cannot wait for the other player: {error}") from error
            if _is_greeted(connection):
                return Link(connection)
            connection.close()


def connect_to_host(port: int, *, timeout_seconds: float) -> Link:
    """Connect to the process that has the match, as soon as it listens.

    Raises:
        LinkError: it did not in time.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            return Link(_greeting_connection(port))
        except (OSError, OverflowError) as error:
            if time.monotonic() >= deadline:
                raise LinkError(
                    f"no game was created that can be joined on port {port}: {error}"
                ) from error
            time.sleep(_RETRY_SECONDS)


def serve_guest(link: Link, session: Answering) -> None:
    """Answer what the guest's client asks, until its process hangs up."""
    try:
        while True:
            request, _ = link.receive()
            response = session.handle(request)
            link.send(response, status=session.status)
    except LinkError as error:
        _logger.info("the guest has left: %s", error)
    finally:
        session.close()
        link.close()


def _greeting_connection(port: int) -> socket.socket:
    connection = socket.create_connection((LOOPBACK, port), timeout=_GREETING_SECONDS)
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
    connection.settimeout(_GREETING_SECONDS)
    greeting = b""
    try:
        while len(greeting) < len(_GREETING):
            part = connection.recv(len(_GREETING) - len(greeting))
            if not part:
                return False
            greeting += part
    except OSError:
        return False
    return greeting == _GREETING
