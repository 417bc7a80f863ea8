"""How one talks to a game: a request of the SC2 API in, as bytes, its response out, as bytes.

The same whether the game is the engine in this process or a program of its own. A connection
belongs to one thread at a time, and is a context manager: closing it ends the game.
"""

from contextlib import suppress
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.errors import GameCrashedError, GameHungError
from envs.game_process import DYING_SECONDS, GameProcess
from envs.message_socket import MessageSocket


class Askable(Protocol):
    """A game that can be asked, whoever sees to it that there is one."""

    def ask(self, request: bytes, *, deadline_seconds: float) -> bytes:
        """Return the serialized Response to a serialized Request.

        Raises:
            GameHungError: it did not answer within the time, and has been killed.
            GameCrashedError: it is gone.
        """


@runtime_checkable
class Connection(Askable, Protocol):
    """A way to one game."""

    def memory_bytes(self) -> int | None:
        """Return what the game's own process holds in memory, where it has one and can tell."""

    def close(self) -> None:
        """End the game, whatever state it is in; again, it does nothing."""

    def __enter__(self) -> Self:
        """Return the connection."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""


class Answerer(Protocol):
    """A game in this process, as ``envs.engine.session.Session`` is one."""

    def handle(self, request: bytes) -> bytes:
        """Return the serialized Response to a serialized Request."""

    def close(self) -> None:
        """Leave the game."""


class InProcessConnection:
    """A game in this process; nothing can stop it, so its deadlines are not kept."""

    def __init__(self, session: Answerer) -> None:
        """Take a session, to be closed with this."""
        self._session: Answerer | None = session
        self._failure = "the game is closed"

    def ask(self, request: bytes, *, deadline_seconds: float) -> bytes:
        """Return the session's answer.

        Raises:
            GameCrashedError: it raised; it is not asked again.
        """
        del deadline_seconds
        if self._session is None:
            raise GameCrashedError(f"no answer to {_name(request)}: {self._failure}")
        try:
            return self._session.handle(request)
        except Exception as error:
            self._failure = (
                f"the game in this process failed at {_name(request)}: "
                f"{type(error).__name__}: {error}"
            )
            self.close()
            raise GameCrashedError(self._failure) from error

    def memory_bytes(self) -> None:
        """Return nothing: its memory is this process's own."""

    def close(self) -> None:
        """Leave the game."""
        session, self._session = self._session, None
        if session is not None:
            # One that has failed may fail again, and nobody is left to hear of it.
            with suppress(Exception):
                session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class ProcessConnection:
    """A game in a process of its own."""

    def __init__(self, process: GameProcess, messages: MessageSocket) -> None:
        """Take a game that runs and an open way to it, to be ended with this."""
        self._process = process
        self._messages = messages
        self._failure = ""

    @property
    def pid(self) -> int:
        """The number of the game's process."""
        return self._process.pid

    def ask(self, request: bytes, *, deadline_seconds: float) -> bytes:
        """Return the game's answer; a game that does not give it in time is killed.

        Raises:
            GameHungError: it did not answer in time.
            GameCrashedError: its process or the connection is gone.
        """
        if self._failure:
            raise GameCrashedError(f"no answer to {_name(request)}: {self._failure}")
        try:
            answer = self._messages.ask(request, seconds=deadline_seconds)
        except TimeoutError:
            self._process.kill()
            self._end(
                f"the game had not answered {_name(request)} after {deadline_seconds:g} s and was "
                f"killed; {self._process.last_words()}"
            )
            raise GameHungError(self._failure) from None
        except OSError as error:
            state = self._process.obituary(patience_seconds=DYING_SECONDS)
            self._end(f"the game was lost at {_name(request)}: {error}; {state}")
            raise GameCrashedError(self._failure) from error
        except BaseException:
            # Its answer, when it comes, would be taken for that to another question.
            self._end(f"the game was ended when {_name(request)} was interrupted")
            raise
        self._process.cut_log()
        return answer

    def memory_bytes(self) -> int | None:
        """Return what the game's process holds in memory, if the system tells."""
        return None if self._failure else self._process.memory_bytes()

    def close(self) -> None:
        """End the game: it is asked to, and killed if it does not in three seconds."""
        self._end(self._failure or "the game is closed")

    def _end(self, failure: str) -> None:
        self._failure = failure
        self._messages.close()
        self._process.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _name(request: bytes) -> str:
    """Return which request it is, for people to read."""
    try:
        return sc_pb.Request.FromString(request).WhichOneof("request") or "an empty request"
    except Exception:  # protobuf's DecodeError, which only protobuf itself could name
        return "a request that cannot be decoded"
