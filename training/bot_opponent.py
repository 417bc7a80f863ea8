"""A bot of python-sc2's as the opponent, in a process of its own that joins over the API."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from envs.connection import Connection
from envs.errors import GameError
from envs.game_client import GameClient
from envs.two_players import DuelSetup, Ports, create_duel, free_ports, join_duel

_LOOK_SECONDS = 0.2
_FAREWELL_SECONDS = 15.0


@contextmanager
def joined_by_bot(
    client: GameClient, connection: Connection, setup: DuelSetup, *, source: str, log: Path
) -> Iterator[None]:
    """Begin a game that a bot has joined; at the end it is left, and the bot waited for.

    Args:
        client: of the game, as the first player.
        connection: the client's, to a process.
        setup: the game; the bot plays the second race.
        source: the bot, as ``FILE.py:CLASS``.
        log: file for what the bot says.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the bot cannot join, or ended before it had.
        GameError: the game refused, or is gone.
    """
    _require_bot(source)
    create_duel(client, setup)
    ports = free_ports()
    with log.open("wb") as said:
        bot = _started(source, setup, ports, said.fileno())
    try:
        with _given_up_without(bot, connection):
            try:
                join_duel(client, setup.races[0], ports=ports)
            except GameError as error:
                if bot.poll() is None:
                    raise
                raise ValueError(
                    f"{source} ended before it had joined: {_last_line(log)}; see {log}"
                ) from error
        yield
    finally:
        connection.close()
        with suppress(subprocess.TimeoutExpired):
            bot.wait(_FAREWELL_SECONDS)
        bot.kill()
        bot.wait()


def _require_bot(source: str) -> None:
    file, _, name = source.rpartition(":")
    if not file or not name:
        raise ValueError(f"bot must be FILE.py:CLASS, got {source!r}")
    if not Path(file).expanduser().is_file():
        raise FileNotFoundError(f"{file}: no such file")
    if not os.environ.get("SC2PATH"):
        raise ValueError(
            "python-sc2 starts the bot's game from SC2PATH, which is not set: "
            "latentstar engine --install DIR, then export SC2PATH=DIR"
        )


def _started(
    source: str, setup: DuelSetup, ports: Ports, output: int
) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "agent.python_sc2_bot", source, setup.races[1].name.lower()]
    command += [str(port) for port in (*ports.server, *ports.client)]
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,  # Ctrl-C is ours to answer
    )


@contextmanager
def _given_up_without(bot: "subprocess.Popen[bytes]", connection: Connection) -> Iterator[None]:
    """End the game, so that nobody waits for it, if the bot ends meanwhile."""
    is_done = threading.Event()

    def watch() -> None:
        while not is_done.wait(_LOOK_SECONDS):
            if bot.poll() is not None:
                connection.close()
                return

    watcher = threading.Thread(target=watch, name="bot watcher", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        is_done.set()
        watcher.join()


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
