"""Games that fail again and again, and games that have served long enough."""

import os
import signal
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from envs.connection import Connection
from envs.errors import (
    CrashLoopError,
    GameCrashedError,
    GameHungError,
    GameMissingError,
    LaunchError,
)
from envs.launch import in_process, launch
from envs.maps import missing_map
from envs.watchdog import GameCounts, Watchdog, WatchdogConfig
from tests.envs.fake_games import (
    OBSERVE,
    PING,
    folder_with,
    ping_version,
    program_in,
    shell,
    speaking,
)

SECONDS = 60.0
BRIEFLY = 0.5
AT_ONCE = WatchdogConfig(pause_seconds=0)
WELL = "connection.send(b'well')"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A game that answers everything."""
    monkeypatch.setenv("SC2PATH", str(tmp_path))
    return folder_with(tmp_path, speaking(WELL))


def be(folder: Path, program: str) -> None:
    """Let the next game of a folder be this program."""
    program_in(folder).write_text(program)


def ping(connection: Connection) -> int:
    """Set up a game as simple as can be; return the number of its process."""
    return int(ping_version(connection.ask(PING, deadline_seconds=SECONDS)))


def observe(connection: Connection) -> bytes:
    return connection.ask(OBSERVE, deadline_seconds=SECONDS)


def kill(pid: int) -> None:
    """End a game, and wait until it has ended."""
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def test_one_process_serves_many_games(folder: Path):
    with Watchdog(launch, AT_ONCE) as watchdog:
        assert len({watchdog.new_game(ping) for _ in range(5)}) == 1
        assert watchdog.ask(OBSERVE, deadline_seconds=SECONDS) == b"well"
        assert watchdog.counts == GameCounts(launches=1)


def test_a_game_that_was_killed_is_followed_by_one_that_works(folder: Path):
    with Watchdog(launch, AT_ONCE) as watchdog:
        first = watchdog.new_game(ping)
        kill(first)
        for _ in range(2):  # it counts once, however often it is asked
            with pytest.raises(GameCrashedError):
                watchdog.ask(OBSERVE, deadline_seconds=SECONDS)
        assert watchdog.new_game(ping) != first
        assert watchdog.ask(OBSERVE, deadline_seconds=SECONDS) == b"well"
        assert watchdog.counts == GameCounts(launches=2, crashes=1)


def test_a_game_that_hangs_is_followed_by_one_that_works(folder: Path):
    with Watchdog(launch, AT_ONCE) as watchdog:
        first = watchdog.new_game(ping)
        os.kill(first, signal.SIGSTOP)
        os.waitid(os.P_PID, first, os.WSTOPPED | os.WNOWAIT)
        begin = time.monotonic()
        with pytest.raises(GameHungError):
            watchdog.ask(OBSERVE, deadline_seconds=BRIEFLY)
        assert watchdog.new_game(ping) != first
        assert time.monotonic() - begin < SECONDS / 4
        assert watchdog.counts == GameCounts(launches=2, hangs=1)


def test_a_game_that_died_unnoticed_between_games_is_replaced(folder: Path):
    with Watchdog(launch, AT_ONCE) as watchdog:
        first = watchdog.new_game(ping)
        kill(first)
        assert watchdog.new_game(ping) != first
        assert watchdog.counts == GameCounts(launches=2, crashes=1)


def test_after_so_many_games_the_process_is_replaced(folder: Path):
    config = WatchdogConfig(max_games=2, pause_seconds=0)
    with Watchdog(launch, config) as watchdog:
        processes = [watchdog.new_game(ping) for _ in range(5)]
        assert watchdog.counts == GameCounts(launches=3, recycled=2)
    a, b, c, d, e = processes
    assert a == b != c == d != e


def test_a_process_that_has_grown_is_replaced_between_games(folder: Path):
    grow = f"connection.hoard = [*vars(connection).get('hoard', []), b'x' * 100_000_000]; {WELL}"
    be(folder, speaking(grow))
    config = WatchdogConfig(max_memory_bytes=350_000_000, pause_seconds=0)
    with Watchdog(launch, config) as watchdog:
        first = watchdog.new_game(ping)
        for _ in range(2):
            watchdog.ask(OBSERVE, deadline_seconds=SECONDS)
        assert watchdog.new_game(ping) == first
        for _ in range(2):
            watchdog.ask(OBSERVE, deadline_seconds=SECONDS)
        assert watchdog.new_game(ping) != first
        assert watchdog.counts == GameCounts(launches=2, recycled=1)


def test_a_game_that_never_starts_is_given_up_with_the_cause(folder: Path):
    be(folder, shell("echo the disk is on fire; exit 1"))
    config = WatchdogConfig(max_failures=3, pause_seconds=0)
    with Watchdog(launch, config) as watchdog:
        with pytest.raises(CrashLoopError, match=r"after 3 failures in a row.*disk is on fire"):
            watchdog.new_game(ping)
        assert watchdog.counts == GameCounts(failed_launches=3)


def test_each_further_failure_is_followed_by_a_longer_pause():
    tried = []

    def fail() -> Connection:
        tried.append(time.monotonic())
        raise LaunchError("no")

    config = WatchdogConfig(max_failures=4, pause_seconds=0.1)
    with Watchdog(fail, config) as watchdog, pytest.raises(CrashLoopError):
        watchdog.new_game(ping)
    for pause, (before, after) in zip((0.1, 0.2, 0.4), pairwise(tried), strict=True):
        assert after - before >= pause


def test_a_game_that_fails_when_it_is_set_up_is_given_up(folder: Path):
    be(folder, speaking("os._exit(9)"))
    config = WatchdogConfig(max_failures=3, pause_seconds=0)
    with Watchdog(launch, config) as watchdog:
        with pytest.raises(CrashLoopError, match=r"the last one: .*ended with status 9"):
            watchdog.new_game(observe)
        assert watchdog.counts == GameCounts(launches=3, crashes=3)


def test_games_that_all_fail_in_the_middle_are_given_up(folder: Path):
    be(folder, speaking("os._exit(9)"))
    config = WatchdogConfig(max_failures=3, pause_seconds=0)
    with Watchdog(launch, config) as watchdog:
        for _ in range(3):
            watchdog.new_game(ping)
            with pytest.raises(GameCrashedError):
                watchdog.ask(OBSERVE, deadline_seconds=SECONDS)
        with pytest.raises(CrashLoopError):
            watchdog.new_game(ping)


def test_failures_with_good_games_between_them_are_borne(folder: Path):
    config = WatchdogConfig(max_failures=2, pause_seconds=0)
    with Watchdog(launch, config) as watchdog:
        for _ in range(3):
            kill(watchdog.new_game(ping))
            with pytest.raises(GameCrashedError):
                watchdog.ask(OBSERVE, deadline_seconds=SECONDS)
            watchdog.new_game(ping)
        assert watchdog.counts == GameCounts(launches=4, crashes=3)


def test_a_game_that_starts_at_the_second_try_is_taken(folder: Path):
    once = f'[ -e "{folder}/tried" ] && exec "{folder}/good" "$@"; touch "{folder}/tried"; exit 1'
    good = folder / "good"
    good.write_text(speaking(WELL))
    good.chmod(0o755)
    be(folder, shell(once))
    with Watchdog(launch, AT_ONCE) as watchdog:
        watchdog.new_game(ping)
        assert watchdog.counts == GameCounts(launches=1, failed_launches=1)


def test_what_is_missing_is_not_tried_again(folder: Path):
    program_in(folder).unlink()
    with Watchdog(launch, AT_ONCE) as watchdog:
        with pytest.raises(GameMissingError):
            watchdog.new_game(ping)
        assert watchdog.counts == GameCounts()


def test_a_missing_map_is_told_with_those_of_like_names():
    def set_up(connection: Connection) -> None:
        raise missing_map(connection, "Ladder/Simpel64.SC2Map")

    told = r"no map Ladder/Simpel64\.SC2Map: the game has Melee/Simple64\.SC2Map"
    with Watchdog(in_process, AT_ONCE) as watchdog, pytest.raises(GameMissingError, match=told):
        watchdog.new_game(set_up)


def test_a_game_is_set_up_before_it_is_asked(folder: Path):
    with Watchdog(launch) as watchdog, pytest.raises(RuntimeError, match="call new_game first"):
        watchdog.ask(OBSERVE, deadline_seconds=SECONDS)


def test_rules_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="max_games must be at least 1, got 0"):
        WatchdogConfig(max_games=0)
    with pytest.raises(ValueError, match=r"pause_seconds must not be negative, got -1"):
        WatchdogConfig(pause_seconds=-1)
