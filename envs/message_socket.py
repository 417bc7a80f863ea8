"""Messages to a program on this machine and back, over a websocket, each within a time."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Self

import websocket

HOST = "127.0.0.1"
MAX_ANSWER_BYTES = 64 << 20
"""Far above the largest answers, which are replays and the table of all units."""

_PATH = "/sc2api"
_NOT_FOUND = 404


class NotListeningError(OSError):
    """Nobody listens on the port, or the API is not there yet; it may be in a moment."""


class MessageSocket:
    """An open websocket; it is of no more use after any error."""

    def __init__(self, stream: "_TimedStream", opened: websocket.WebSocket) -> None:
        self._stream = stream
        self._websocket = opened

    @classmethod
    def open(cls, port: int, *, seconds: float) -> Self:
        """Connect to a port of the loopback interface.

        Raises:
            NotListeningError: nobody is there yet.
            TimeoutError: somebody is there, and does not answer in time.
            OSError: the connection was lost, or the other side does not speak this protocol.
        """
        stream = _TimedStream()
        url = f"ws://{HOST}:{port}{_PATH}"
        try:
            with _errors_of_sockets():
                stream.allow(seconds)
                stream.connect((HOST, port))
                stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                opened = websocket.WebSocket(skip_utf8_validation=True)
                opened.connect(url, socket=stream, redirect_limit=0)  # type: ignore[no-untyped-call]
        except BaseException:
            stream.close()
            raise
        return cls(stream, opened)

    def ask(self, message: bytes, *, seconds: float) -> bytes:
        """Send a message and return the next one that comes.

        Raises:
            TimeoutError: the whole of the answer was not there in time.
            OSError: the connection was lost, or nonsense came.
        """
        with _errors_of_sockets():
            self._stream.allow(seconds)
            self._websocket.send_binary(message)
            kind, answer = self._websocket.recv_data()
        if kind == websocket.ABNF.OPCODE_CLOSE:
            raise ConnectionResetError("it closed the connection")
        return bytes(answer)

    def close(self) -> None:
        """Let go of the connection; the other side notices by itself."""
        with suppress(OSError):
            self._stream.close()


class _TimedStream(socket.socket):
    """A TCP connection whose every read and write ends at one point in time, however many."""

    def __init__(self) -> None:
        super().__init__(socket.AF_INET, socket.SOCK_STREAM)
        self._end = time.monotonic()
        self._num_bytes = 0

    def allow(self, seconds: float) -> None:
        """Give everything from here on so much time, and the largest answer's bytes."""
        self._end = time.monotonic() + seconds
        self._num_bytes = 0
        self.settimeout(seconds)

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        self._wait_no_longer()
        received = super().recv(size, flags)
        self._num_bytes += len(received)
        if self._num_bytes > MAX_ANSWER_BYTES:
            raise ConnectionAbortedError(f"its answer is longer than {MAX_ANSWER_BYTES} bytes")
        return received

    def send(self, data: bytes, flags: int = 0, /) -> int:  # type: ignore[override]  # bytes only
        self._wait_no_longer()
        return super().send(data, flags)

    def _wait_no_longer(self) -> None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.settimeout(left)


@contextmanager
def _errors_of_sockets() -> Iterator[None]:
    """Tell failures of the library by the errors that sockets have."""
    try:
        yield
    except ConnectionRefusedError as error:
        raise NotListeningError("nobody listens") from error
    except websocket.WebSocketBadStatusException as error:
        if error.status_code == _NOT_FOUND:
            raise NotListeningError(f"there is no {_PATH} yet") from error
        raise ConnectionAbortedError(f"it refused us with {error.status_code}") from error
    except websocket.WebSocketTimeoutException as error:
        raise TimeoutError from error
    except (
        websocket.WebSocketConnectionClosedException,
        ConnectionResetError,
        BrokenPipeError,
    ) as error:
        raise ConnectionResetError("it closed the connection") from error
    # What comes may be anything, and the library trips over some of it.
    except (websocket.WebSocketException, ValueError, LookupError) as error:
        raise ConnectionAbortedError(f"it speaks no websocket: {error}") from error
