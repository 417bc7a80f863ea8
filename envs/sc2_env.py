"""StarCraft II, or the engine, as a Gymnasium environment.

Importing this module registers ``latentstar/Melee-v0`` and a ``latentstar/MoveToBeacon-v0`` for
each mini-game, so that ``gymnasium.make("envs.sc2_env:latentstar/Melee-v0")`` needs no import.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypedDict, Unpack

import gymnasium
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.choices import Build, Difficulty, GamePlace, chosen
from envs.connection import Connection
from envs.errors import GameCrashedError, GameError
from envs.game_client import DEADLINE_SECONDS, GameClient, GameSetup, Moment, RequestError
from envs.interface import EntityLimits, Race
from envs.launch import in_process, launch
from envs.maps import found_map
from envs.registration import register_environments
from envs.spaces import SpaceDict, action_of_dict, action_space, observation_dict, observation_space
from envs.tasks import MELEE_LOOPS, Melee, MiniGame, Task
from envs.watchdog import Watchdog, WatchdogConfig

PLANE_SIZE = 64

_LAUNCHERS: dict[GamePlace, Callable[[], Connection]] = {
    GamePlace.IN_PROCESS: in_process,
    GamePlace.PROCESS: launch,
}


_RESULTS = {number: name.lower() for name, number in sc_pb.Result.items()}


class SC2EnvOptions(TypedDict, total=False):
    """What every environment can be made with, whatever is played in it."""

    plane_size: int  # side of the map planes, in cells
    limits: EntityLimits  # how many units are shown
    game: str | GamePlace
    watchdog: WatchdogConfig
    deadline_seconds: float  # for each answer of a game in a process of its own


class SC2Env(gymnasium.Env[SpaceDict, SpaceDict]):
    """One player's games, one after another.

    A game that crashes or hangs ends its episode with ``truncated`` and ``info["game_error"]``;
    the next ``reset`` starts another one. Such a last step tells nothing and is not to be learned.
    """

    def __init__(
        self,
        task: Task,
        *,
        start_game: Callable[[], Connection] = in_process,
        plane_size: int = PLANE_SIZE,
        limits: EntityLimits = EntityLimits(),
        watchdog: WatchdogConfig = WatchdogConfig(),
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        """Prepare; no game is started yet.

        Args:
            task: what is played.
            start_game: returns a game to play on.
            plane_size: side of the map planes, in cells.
            limits: how many units are shown.
            watchdog: when the game's process, or the game in this process, is replaced.
            deadline_seconds: for each answer of a game in a process of its own.
        """
        self.observation_space = observation_space(plane_size=plane_size, limits=limits)
        self.action_space = action_space(limits=limits)
        self._task = task
        self._limits = limits
        self._watchdog = Watchdog(start_game, watchdog)
        self._client = GameClient(
            self._watchdog,
            plane_size=plane_size,
            limits=limits,
            deadline_seconds=deadline_seconds,
        )
        self._map_path: str | None = None
        self._moment: Moment | None = None  # of the episode that is on
        self._observation: SpaceDict = {}
        self.setup: GameSetup | None = None  # of the last game

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[SpaceDict, dict[str, Any]]:
        """Begin a game; there are no options.

        Raises:
            GameMissingError: there is no such game or map.
            CrashLoopError: too many games in a row have failed.
        """
        super().reset(seed=seed)
        self._moment = None
        planned = self._task.setup(self.np_random)
        moment = self._watchdog.new_game(lambda _: self._begin(planned))
        return self._see(moment), self._info(moment)

    def step(self, action: SpaceDict) -> tuple[SpaceDict, float, bool, bool, dict[str, Any]]:
        """Do an action, let as many loops pass as its delay says, and look.

        An action that cannot be done is none, and ``info["illegal_action"]`` says why.

        Raises:
            ValueError: it is no element of the action space at all.
        """
        if self._moment is None:
            raise gymnasium.error.ResetNeeded("no episode is on: call reset first")
        before, asked = self._moment, action_of_dict(action)
        try:
            with _blamed_on_the_game():
                reason = self._client.act(asked)
                after = self._client.step(self._loops(asked.delay, before.loop))
        except GameError as error:
            return self._fail(error, before)
        observation, info = self._see(after), self._info(after)
        if reason is not None:
            info["illegal_action"] = reason
        terminated = after.result is not None
        truncated = not terminated and self._is_out_of_time(after.loop)
        if terminated or truncated:
            self._moment = None
        return observation, self._task.reward(before, after), terminated, truncated, info

    def close(self) -> None:
        """End the game."""
        self._moment = None
        self._watchdog.close()

    def _begin(self, planned: GameSetup) -> Moment:
        with _blamed_on_the_game():
            if self._map_path is None:
                self._map_path = found_map(self._watchdog, planned.map_path)
            self.setup = replace(planned, map_path=self._map_path)
            return self._client.start(self.setup)

    def _see(self, moment: Moment) -> SpaceDict:
        self._moment = moment
        self._observation = observation_dict(moment.shown.observation, limits=self._limits)
        return self._observation

    def _fail(
        self, error: GameError, before: Moment
    ) -> tuple[SpaceDict, float, bool, bool, dict[str, Any]]:
        """Return the step after which a game is gone."""
        self._watchdog.note_failure(error)
        self._moment = None
        info = self._info(before) | {"game_error": str(error)}
        return self._observation, 0.0, False, True, info

    def _info(self, moment: Moment) -> dict[str, Any]:
        info: dict[str, Any] = {
            "loop": moment.loop,
            "score": moment.score,
            "game_counts": dict(vars(self._watchdog.counts)),
        }
        if moment.result is not None:
            info["result"] = _RESULTS[moment.result]
        if self._client.reader.unknown_types:
            info["unknown_unit_types"] = dict(self._client.reader.unknown_types)
        return info

    def _loops(self, delay: int, loop: int) -> int:
        most = self._task.max_loops
        return max(delay, 1) if most is None else min(max(delay, 1), most - loop)

    def _is_out_of_time(self, loop: int) -> bool:
        return self._task.max_loops is not None and loop >= self._task.max_loops


def melee(
    *,
    map: str = "Simple64",
    race: str | Race = "random",
    opponent: str | Difficulty = "very_easy",
    opponent_race: str | Race = "random",
    opponent_build: str | Build = "random",
    player: int | None = None,
    max_loops: int | None = MELEE_LOOPS,
    **options: Unpack[SC2EnvOptions],
) -> SC2Env:
    """Return the environment ``latentstar/Melee-v0``: ``envs.tasks.Melee``, chosen by names."""
    task = Melee(
        map=map,
        race=chosen("race", Race, race),
        opponent=chosen("opponent", Difficulty, opponent),
        opponent_race=chosen("opponent_race", Race, opponent_race),
        opponent_build=chosen("opponent_build", Build, opponent_build),
        player=player,
        max_loops=max_loops,
    )
    return _environment(task, options)


def mini_game(
    *, map: str, max_loops: int | None = None, **options: Unpack[SC2EnvOptions]
) -> SC2Env:
    """Return an environment such as ``latentstar/MoveToBeacon-v0``."""
    return _environment(MiniGame(map=map, max_loops=max_loops), options)


def _environment(task: Task, options: SC2EnvOptions) -> SC2Env:
    place = chosen("game", GamePlace, options.get("game", GamePlace.IN_PROCESS))
    return SC2Env(
        task,
        start_game=_LAUNCHERS[place],
        plane_size=options.get("plane_size", PLANE_SIZE),
        limits=EntityLimits(*options.get("limits", EntityLimits())),
        watchdog=options.get("watchdog", WatchdogConfig()),
        deadline_seconds=options.get("deadline_seconds", DEADLINE_SECONDS),
    )


@contextmanager
def _blamed_on_the_game() -> Iterator[None]:
    """Take refusals for failures: what we ask can be done, so the game is in no good state."""
    try:
        yield
    except RequestError as error:
        raise GameCrashedError(str(error)) from error


register_environments()
