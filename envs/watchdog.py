"""A game that is there whenever one is wanted: started again when it failed, and now and then.

Deadlines are the connection's own: what is silent for longer is killed. Here is what comes after:
another process, how often that is tried, and when a process has served long enough. Long runs of
StarCraft II grow in memory and lose their connections, which is why DI-star starts it anew every
ten games.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

from envs.connection import Connection
from envs.errors import CrashLoopError, GameError, GameHungError, GameMissingError, LaunchError

Result = TypeVar("Result")

_MAX_PAUSE_SECONDS = 30.0

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class WatchdogConfig:
    """When a game's process is replaced, and when that is given up."""

    max_games: int = 100  # in one process
    max_memory_bytes: int = 2 << 30  # of one process at the end of a game, as pysc2's leak check
    max_failures: int = 5  # in a row, without a game between them that went well
    pause_seconds: float = 1.0  # after a failure; twice as long after each further one

    def __post_init__(self) -> None:
        """Refuse values that cannot be."""
        for name in ("max_games", "max_memory_bytes", "max_failures"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.pause_seconds < 0:
            raise ValueError(f"pause_seconds must not be negative, got {self.pause_seconds}")


@dataclass
class GameCounts:
    """What has happened so far."""

    launches: int = 0
    failed_launches: int = 0
    crashes: int = 0
    hangs: int = 0
    recycled: int = 0


class Watchdog:
    """Keeps a game going over many episodes; a context manager, which ends it."""

    def __init__(
        self, launch: Callable[[], Connection], config: WatchdogConfig = WatchdogConfig()
    ) -> None:
        """Begin without a game.

        Args:
            launch: starts one, as ``envs.launch.launch`` does.
            config: when to start another.
        """
        self.counts = GameCounts()
        self._launch = launch
        self._config = config
        self._connection: Connection | None = None
        self._num_games = 0  # of this process
        self._last_failure: GameError | None = None  # of the game that is on
        self._num_failures = 0  # since a game went well

    def new_game(self, set_up: Callable[[Connection], Result]) -> Result:
        """Set up a game, in another process where that is due; what fails is tried again.

        Args:
            set_up: creates and joins the game on a connection, and returns what it likes.

        Raises:
            CrashLoopError: too many games in a row have failed.
            GameMissingError: there is no such game, and there will be none.
        """
        self._let_go_if_due()
        while True:
            try:
                connection = self._running()
                result = set_up(connection)
            except GameMissingError:
                raise
            except GameError as error:
                self.note_failure(error)
                self._let_go_if_due()
            else:
                self._num_games += 1
                return result

    def ask(self, request: bytes, *, deadline_seconds: float) -> bytes:
        """Return the game's answer, as ``Connection.ask`` does, and count what goes wrong.

        After an error the game is over; ``new_game`` has the next one.
        """
        if self._connection is None:
            raise RuntimeError("there is no game to ask: call new_game first")
        try:
            return self._connection.ask(request, deadline_seconds=deadline_seconds)
        except GameError as error:
            self.note_failure(error)
            raise

    def note_failure(self, failure: GameError) -> None:
        """Take the game that is on for failed, so that ``new_game`` starts another one.

        What ``new_game`` and ``ask`` raise is noted already; a game fails once, however often.
        """
        if self._last_failure is not None:
            return
        self._last_failure = failure
        self._num_failures += 1
        if isinstance(failure, LaunchError):
            self.counts.failed_launches += 1
        elif isinstance(failure, GameHungError):
            self.counts.hangs += 1
        else:
            self.counts.crashes += 1
        _logger.warning("%s", failure)

    def close(self) -> None:
        """End the game."""
        connection, self._connection = self._connection, None
        self._num_games = 0
        self._last_failure = None
        if connection is not None:
            connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _running(self) -> Connection:
        if self._connection is None:
            self._connection = self._launch()
            self.counts.launches += 1
        return self._connection

    def _let_go_if_due(self) -> None:
        """End a process that has failed or has served long enough; wait after failures."""
        failure = self._last_failure
        if failure is not None:
            self.close()
            if self._num_failures >= self._config.max_failures:
                raise CrashLoopError(
                    f"gave up after {self._num_failures} failures in a row ({self.counts}); "
                    f"the last one: {failure}"
                ) from failure
            pause = self._config.pause_seconds * 2 ** (self._num_failures - 1)
            time.sleep(min(pause, _MAX_PAUSE_SECONDS))
        elif self._connection is not None:
            if self._num_games:
                self._num_failures = 0
            if self._num_games >= self._config.max_games or self._is_too_large(self._connection):
                self.close()
                self.counts.recycled += 1

    def _is_too_large(self, connection: Connection) -> bool:
        size = connection.memory_bytes()
        return size is not None and size > self._config.max_memory_bytes
