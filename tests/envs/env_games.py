"""Environments for tests: what to do in them, and games in them that go wrong."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from s2clientprotocol import debug_pb2 as debug_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.choices import Difficulty
from envs.connection import InProcessConnection
from envs.engine.session import Session
from envs.interface import UNKNOWN, Action, Alliance, EntityFeature, Race, ScalarFeature
from envs.sc2_env import SC2Env
from envs.spaces import SpaceDict, action_dict, observation_of_dict
from envs.tasks import Melee
from envs.watchdog import WatchdogConfig
from tests.envs.games import function

NOWHERE = (UNKNOWN, UNKNOWN)
AT_ONCE = WatchdogConfig(pause_seconds=0)
TERRAN = Melee(race=Race.TERRAN, opponent=Difficulty.VERY_EASY, player=1, max_loops=None)


def no_op(delay: int) -> SpaceDict:
    """Wait."""
    return action_dict(Action(0, delay, 0, np.zeros(0, np.int16), UNKNOWN, NOWHERE))


def attack(observation: SpaceDict, x: int, y: int, *, delay: int) -> SpaceDict:
    """Send all own units somewhere."""
    entities = observation_of_dict(observation).entities
    own = np.flatnonzero(entities[:, EntityFeature.ALLIANCE] == Alliance.SELF)[:64]
    return action_dict(
        Action(function("Attack_pt"), delay, 0, own.astype(np.int16), UNKNOWN, (x, y))
    )


def loop_of(observation: SpaceDict) -> int:
    """Return the loop that an observation tells."""
    return int(observation["scalars"][ScalarFeature.GAME_LOOP])


def assert_equal(first: SpaceDict, second: SpaceDict) -> None:
    """Check that two observations are the same."""
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)


def are_equal(first: SpaceDict, second: SpaceDict) -> bool:
    """Return whether two observations are the same."""
    return all(np.array_equal(first[name], second[name]) for name in first)


@contextmanager
def closing(env: gymnasium.Env[Any, Any]) -> Iterator[gymnasium.Env[Any, Any]]:
    """Close an environment at the end."""
    try:
        yield env
    finally:
        env.close()


class Episode(NamedTuple):
    """What came of an episode."""

    rewards: list[float]
    terminated: bool
    truncated: bool
    info: dict[str, Any]


def play(env: gymnasium.Env[Any, Any], *, seed: int, delay: int) -> Episode:
    """Play an episode, attacking here and there."""
    random = np.random.default_rng(seed)
    observation, _ = env.reset(seed=seed)
    rewards = []
    while True:
        x, y = (int(value) for value in random.integers(0, 6000, size=2))
        observation, reward, terminated, truncated, info = env.step(
            attack(observation, x, y, delay=delay)
        )
        assert env.observation_space.contains(observation)
        rewards.append(float(reward))
        if terminated or truncated:
            return Episode(rewards, terminated, truncated, info)


class Interrupted:
    """The engine in this process, with something else that happens in one of its games."""

    def __init__(self, happens: Callable[[Session], bytes | None], *, at_observation: int) -> None:
        """Prepare.

        Args:
            happens: at that observation; what it returns is the answer, if it returns any.
            at_observation: counted from one, of this session.
        """
        self.session = Session()
        self.is_closed = False
        self._happens = happens
        self._num_left = at_observation

    def handle(self, request: bytes) -> bytes:
        """Answer."""
        if sc_pb.Request.FromString(request).HasField("observation"):
            self._num_left -= 1
            if self._num_left == 0:
                answer = self._happens(self.session)
                if answer is not None:
                    return answer
        return self.session.handle(request)

    def close(self) -> None:
        """Leave."""
        self.is_closed = True
        self.session.close()


def interrupted(
    happens: Callable[[Session], bytes | None], *, at_observation: int, task: Melee = TERRAN
) -> SC2Env:
    """Return an environment in whose every game something happens."""

    def start() -> InProcessConnection:
        return InProcessConnection(Interrupted(happens, at_observation=at_observation))

    return SC2Env(task, start_game=start, watchdog=AT_ONCE)


def end_game(result: "debug_pb.DebugEndGame.EndResult.ValueType", session: Session) -> None:
    """Let a game end at once."""
    command = debug_pb.DebugCommand(end_game=debug_pb.DebugEndGame(end_result=result))
    request = sc_pb.Request(debug=sc_pb.RequestDebug(debug=[command]))
    session.handle(request.SerializeToString())
