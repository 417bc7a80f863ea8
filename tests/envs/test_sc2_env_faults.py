"""The environment on games that crash, hang, talk nonsense or have served long enough."""

import os
import re
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import gymnasium
import pytest
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.connection import InProcessConnection, ProcessConnection
from envs.engine.session import Session
from envs.errors import CrashLoopError, LaunchError
from envs.launch import launch
from envs.sc2_env import SC2Env
from envs.watchdog import WatchdogConfig
from tests.envs.env_games import (
    AT_ONCE,
    TERRAN,
    Interrupted,
    assert_equal,
    closing,
    interrupted,
    loop_of,
    no_op,
)

DEADLINE_SECONDS = 3.0


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> list[ProcessConnection]:
    """The games that ``start`` has started."""
    monkeypatch.delenv("SC2PATH", raising=False)
    return []


def start(processes: list[ProcessConnection]) -> ProcessConnection:
    processes.append(launch())
    return processes[-1]


def in_processes(processes: list[ProcessConnection], watchdog: WatchdogConfig = AT_ONCE) -> SC2Env:
    return SC2Env(
        TERRAN,
        start_game=partial(start, processes),
        watchdog=watchdog,
        deadline_seconds=DEADLINE_SECONDS,
    )


def is_running(connection: ProcessConnection) -> bool:
    try:
        os.kill(connection.pid, 0)
    except ProcessLookupError:
        return False
    return True


def strike(connection: ProcessConnection, number: signal.Signals) -> None:
    """Kill or stop a game; return once it does nothing more."""
    os.kill(connection.pid, number)
    stat = Path("/proc", str(connection.pid), "stat")
    while stat.read_text().rpartition(")")[2].split()[0] not in "TZ":
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("number", "count", "told"),
    [
        (signal.SIGKILL, "crashes", "ended by SIGKILL"),
        (signal.SIGSTOP, "hangs", "had not answered step after 3 s"),
    ],
)
def test_a_lost_game_truncates_its_episode_and_another_is_played(
    processes: list[ProcessConnection], number: signal.Signals, count: str, told: str
):
    with closing(in_processes(processes)) as env:
        first, _ = env.reset(seed=4)
        seen, *_ = env.step(no_op(40))
        strike(processes[0], number)
        begin = time.monotonic()
        last, reward, terminated, truncated, info = env.step(no_op(40))
        assert time.monotonic() - begin < 4 * DEADLINE_SECONDS
        assert_equal(last, seen)
        assert (reward, terminated, truncated) == (0.0, False, True)
        assert told in info["game_error"]
        assert info["loop"] == 40
        assert info["game_counts"][count] == 1
        assert not is_running(processes[0])
        with pytest.raises(gymnasium.error.ResetNeeded):
            env.step(no_op(1))
        again, info = env.reset(seed=4)
        assert_equal(again, first)
        assert "game_error" not in info
        assert info["game_counts"] | {count: 0} == {
            "launches": 2,
            "failed_launches": 0,
            "crashes": 0,
            "hangs": 0,
            "recycled": 0,
        }
        assert loop_of(env.step(no_op(40))[0]) == 40
    assert not any(map(is_running, processes))


def test_closing_leaves_no_process_behind_and_a_closed_one_can_go_on(
    processes: list[ProcessConnection],
):
    env = in_processes(processes)
    with closing(env):
        env.reset(seed=0)
        env.close()
        env.close()
        assert not is_running(processes[0])
        assert loop_of(env.reset(seed=0)[0]) == 0
    assert len(processes) == 2
    assert not is_running(processes[1])


def raise_an_error(session: Session) -> bytes:
    raise ZeroDivisionError("of the world")


def say_internal_error(session: Session) -> bytes:
    return sc_pb.Response(error=["internal error: the world is gone"]).SerializeToString()


def say_nonsense(session: Session) -> bytes:
    return b"\xff\xff nonsense"


def show_nothing(session: Session) -> bytes:
    return sc_pb.Response(status=sc_pb.in_game).SerializeToString()


@pytest.mark.parametrize(
    ("happens", "told"),
    [
        (raise_an_error, "ZeroDivisionError: of the world"),
        (say_internal_error, "internal error: the world is gone"),
        (say_nonsense, "which is no response"),
        (show_nothing, "holds no observation|damaged"),
    ],
)
def test_a_fault_in_this_process_truncates_the_episode_and_the_world_is_rebuilt(
    happens: Callable[[Session], bytes], told: str
):
    with closing(interrupted(happens, at_observation=3)) as env:
        for episode in range(1, 3):
            first, _ = env.reset(seed=2)
            seen, *_ = env.step(no_op(20))
            last, *rest, info = env.step(no_op(20))
            assert_equal(last, seen)
            assert rest == [0.0, False, True]
            assert re.search(told, info["game_error"])
            assert info["game_counts"]["crashes"] == episode
            assert info["game_counts"]["launches"] == episode
            assert loop_of(first) == 0


def test_games_that_never_begin_are_given_up_with_the_cause():
    def fail() -> InProcessConnection:
        raise LaunchError("the disk is on fire")

    env = SC2Env(TERRAN, start_game=fail, watchdog=WatchdogConfig(pause_seconds=0, max_failures=3))
    with closing(env), pytest.raises(CrashLoopError, match=r"after 3 failures .*disk is on fire"):
        env.reset(seed=0)


def test_a_game_that_fails_at_its_start_is_tried_again():
    happenings = iter([say_internal_error, None])

    def start_game() -> InProcessConnection:
        happens = next(happenings)
        at = 1 if happens else 1_000_000
        return InProcessConnection(Interrupted(happens or say_nonsense, at_observation=at))

    with closing(SC2Env(TERRAN, start_game=start_game, watchdog=AT_ONCE)) as env:
        _, info = env.reset(seed=0)
        assert info["game_counts"]["crashes"] == 1
        assert info["game_counts"]["launches"] == 2


def test_after_so_many_games_the_world_is_rebuilt_and_the_old_one_left():
    sessions: list[Interrupted] = []

    def start_game() -> InProcessConnection:
        sessions.append(Interrupted(say_nonsense, at_observation=1_000_000))
        return InProcessConnection(sessions[-1])

    config = WatchdogConfig(max_games=2, pause_seconds=0)
    with closing(SC2Env(TERRAN, start_game=start_game, watchdog=config)) as env:
        for _ in range(5):
            _, info = env.reset()
            env.step(no_op(1))
        assert info["game_counts"]["recycled"] == 2
        assert [session.is_closed for session in sessions] == [True, True, False]
    assert sessions[-1].is_closed
