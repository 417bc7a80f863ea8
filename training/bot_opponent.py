"""A bot of python-sc2's as the opponent, in a process of its own that joins over the API."""

import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from pathlib import Path

from envs.connection import ProcessConnection
from envs.errors import GameError
from envs.game_client import GameClient
from envs.two_players import DuelSetup, Ports, create_duel, free_ports, join_duel

_LOOK_SECONDS = 0.2
_FAREWELL_SECONDS = 15.0
_PROJECT = Path(__file__).parents[1]


def require_bot(source: str) -> None:
    """Refuse what cannot be a bot, before any game is started.

    Args:
        source: ``FILE.py:CLASS``.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is named otherwise, or python-sc2 or its game is missing.
    """
    file, _, name = source.rpartition(":")
    if not file.endswith(".py") or not name:
        raise ValueError(f"bot must be FILE.py:CLASS, got {source!r}")
    if not Path(file).expanduser().is_file():
        raise FileNotFoundError(f"{file}: no such file")
    if importlib.util.find_spec("sc2") is None:
        raise ValueError("bots need python-sc2, which is not installed: pip install burnysc2")
    if not os.environ.get("SC2PATH"):
        raise ValueError(
            "python-sc2 starts the bot's game from SC2PATH, which is not set: "
            "latentstar engine --install DIR, then export SC2PATH=DIR"
        )


@contextmanager
def joined_by_bot(
    client: GameClient, connection: ProcessConnection, setup: DuelSetup, *, source: str, log: Path
) -> Iterator[None]:
    """Begin a game that a bot has joined; at the end it is left, and the bot waited for.

    Args:
        client: of the game, as the first player.
        connection: the client's.
        setup: the game; the bot plays the second race.
        source: the bot, as ``FILE.py:CLASS``.
        log: file for what the bot says.

    Raises:
        ValueError: the bot ended before it had joined.
        GameError: the game refused, or is gone.
    """
    create_duel(client, setup)
    ports = free_ports()
    bot = _started(source, setup, ports, log)
    try:
        try:
            _join(client, connection, setup, ports=ports, bot=bot)
        except GameError as error:
            if bot.poll() is None:
                raise
            raise ValueError(
                f"{source} ended before it had joined: {_last_line(log)}; see {log}"
            ) from error
        try:
            yield
        finally:
            connection.close()
            with suppress(subprocess.TimeoutExpired):
                bot.wait(_FAREWELL_SECONDS)
    finally:
        _kill_group(bot.pid)  # with the game that it started
        bot.wait()


def _started(source: str, setup: DuelSetup, ports: Ports, log: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-P", "-m", "agent.python_sc2_bot", source]
    command += [setup.races[1].name.lower(), *map(str, (*ports.server, *ports.client))]
    path = [str(_PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])]
    with log.open("wb") as said:
        return subprocess.Popen(
            command,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(path)},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,  # Ctrl-C is ours to answer
        )


def _join(
    client: GameClient,
    connection: ProcessConnection,
    setup: DuelSetup,
    *,
    ports: Ports,
    bot: "subprocess.Popen[bytes]",
) -> None:
    """Join the game, unless the bot ends while one waits for it: then the game is ended too."""
    with ThreadPoolExecutor(1) as thread:
        joining = thread.submit(join_duel, client, setup.races[0], ports=ports)
        try:
            while not joining.done() and bot.poll() is None:
                wait([joining], timeout=_LOOK_SECONDS)
        finally:
            if not joining.done():
                _kill_group(connection.pid)
    joining.result()


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
