"""A game's program: it never outlives us nor writes to the terminal, and can be asked how it is."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from envs import tether
from envs.errors import LaunchError
from envs.process_table import listeners, memory_bytes, open_files, session_members

POLITE_SECONDS = 3.0
"""How long a program may take to end once it is asked to, before it is killed."""

DYING_SECONDS = 1.0
"""How long a program that has closed a connection may take to end, so that one learns how."""

LOG_NAME = "output.log"
MAX_LOG_BYTES = 1 << 20
LAST_WORDS_LINES = 5

_LAST_WORDS_BYTES = 4096
_LOOK_SECONDS = 0.01
_KILL = signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM

_KNOWN_CAUSES = (
    (
        r"version `(GLIBC_[\d.]+)' not found",
        "this system's C library is older than the game needs ({0}): use a newer Linux",
    ),
    (
        r"error while loading shared libraries: ([^:\s]+)",
        "the system lacks the library {0}: install it",
    ),
    (
        r"Exec format error",
        "the file is no program for this machine, or a part of one: unpack the game again",
    ),
    (
        r"SC2\S*: No such file or directory",
        "what the program itself is run by is missing: it needs a Linux with glibc",
    ),
    (r"e_fileCorruptRepairable", "the game's files are damaged: unpack the game again"),
    (r"e_errorIdMemoryUnknown|std::bad_alloc|MemoryError", "there is too little free memory"),
    (r"No space left on device", "a disk is full: make room in the temporary folder"),
)


class GameProcess:
    """A program that runs; it ends with ``stop``, with this object, and with this process."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        working_folder: str | None,
        environment: Mapping[str, str],
        temporary_folder: str,
    ) -> None:
        """Start a program.

        Args:
            command: the program and its arguments.
            working_folder: in which it runs; ours where none is given.
            environment: its variables.
            temporary_folder: where it may write, removed once it has ended; what it says is there.

        Raises:
            LaunchError: the system refuses to start it.
        """
        self._log = Path(temporary_folder, LOG_NAME)
        try:
            self._process = _start(command, working_folder, environment, self._log)
        except OSError as error:
            shutil.rmtree(temporary_folder, ignore_errors=True)
            raise LaunchError(f"cannot start {command[0]}: {error}") from error
        self.stop = weakref.finalize(self, _stop, self._process, temporary_folder, os.getpid())

    @property
    def pid(self) -> int:
        """The number of the process, which is that of its session and group too."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return not _has_ended(self._process)

    def kill(self) -> None:
        """End it at once, whatever it does; what it wrote can still be read."""
        if not _has_ended(self._process):
            _signal(self._process, _KILL)
            self._process.wait()

    def memory_bytes(self) -> int | None:
        """Return what it and its children hold in memory; nothing where the system does not say."""
        members = session_members(self.pid)
        return sum(memory_bytes(pid) for pid in members) if members else None

    def is_listener(self, port: int) -> bool | None:
        """Return whether this program listens on a port, or nothing where none seems to."""
        sockets = listeners(port)
        if not sockets:
            return None
        return any(sockets & open_files(pid) for pid in session_members(self.pid))

    def cut_log(self) -> None:
        """Forget what it wrote, but for the end, if that has become much."""
        if self._log.stat().st_size > MAX_LOG_BYTES:
            end = self._end_of_log()
            with self._log.open("wb") as file:
                file.write(end)

    def log(self) -> str:
        """Return the end of what it wrote to its outputs."""
        return self._end_of_log().decode(errors="replace")

    def obituary(self, *, patience_seconds: float = 0.0) -> str:
        """Say in a line how it is or how it ended, and its last words.

        Args:
            patience_seconds: how long it may take to end, if it is about to.
        """
        _await_end(self._process, patience_seconds)
        is_running = self.is_running
        code = self._process.returncode
        if is_running:
            state = "it is still running"
        elif code < 0:
            state = f"it was ended by {signal.Signals(-code).name}"
        else:
            state = f"it ended with status {code}"
        if code == -_KILL:
            state += " (the system does that where memory runs out)"
        return f"{state}; {self.last_words()}"

    def last_words(self) -> str:
        """Say what it wrote last, after what that means where we know it."""
        log = self.log()
        causes = [
            advice.format(*found.groups())
            for pattern, advice in _KNOWN_CAUSES
            if (found := re.search(pattern, log))
        ]
        lines = [line.strip() for line in log.splitlines() if line.strip()][-LAST_WORDS_LINES:]
        words = f"it last wrote: {' | '.join(lines)}" if lines else "it wrote nothing"
        return "; ".join([*causes, words])

    def _end_of_log(self) -> bytes:
        with self._log.open("rb") as file:
            file.seek(max(self._log.stat().st_size - _LAST_WORDS_BYTES, 0))
            return file.read()


def _start(
    command: Sequence[str],
    working_folder: str | None,
    environment: Mapping[str, str],
    log: Path,
) -> "subprocess.Popen[bytes]":
    if sys.platform == "linux":
        us = str(os.getpid())
        command = [sys.executable, "-I", "-S", tether.__file__, us, *command]

    def start() -> "subprocess.Popen[bytes]":
        with log.open("ab") as file:  # what appends goes on where we have cut
            return subprocess.Popen(
                command,
                cwd=working_folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is ours to answer
            )

    return _starter(os.getpid()).submit(start).result()


@cache
def _starter(pid: int) -> ThreadPoolExecutor:
    """Return the thread that starts all games of this process.

    A tethered program ends with the thread that started it, so that must be one that stays.
    """
    del pid  # threads are not inherited when processes fork
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="games")


def _stop(process: "subprocess.Popen[bytes]", temporary_folder: str, owner: int) -> None:
    """End a program, politely for a while; nothing in copies of the process that owns it."""
    if os.getpid() != owner:
        return
    if not _has_ended(process):
        _signal(process, signal.SIGTERM)
        _await_end(process, POLITE_SECONDS)
    if not _has_ended(process):
        _signal(process, _KILL)
        process.wait()
    shutil.rmtree(temporary_folder, ignore_errors=True)


def _await_end(process: "subprocess.Popen[bytes]", seconds: float) -> None:
    end = time.monotonic() + seconds
    while not _has_ended(process) and time.monotonic() < end:
        time.sleep(_LOOK_SECONDS)


def _has_ended(process: "subprocess.Popen[bytes]") -> bool:
    """Return whether a program has ended; what it started is ended with it."""
    if process.returncode is None and process.poll() is not None:
        _signal(process, _KILL)
    return process.returncode is not None


def _signal(process: "subprocess.Popen[bytes]", number: int) -> None:
    """Send a signal to a program and to all that it started."""
    try:
        if sys.platform == "win32":
            process.send_signal(number)
        else:
            os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):  # they have ended
        pass
