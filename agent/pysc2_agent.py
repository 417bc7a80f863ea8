"""Any player as an agent of pysc2's, for its ``pysc2.bin.agent`` and for its environments.

``python -m envs.pysc2_compat pysc2.bin.agent --agent agent.pysc2_agent.ScriptedAgent --map Simple64
--use_raw_units --action_space RAW --norender``.

pysc2 shows agents the map in a few pixels and units in whole world units; a player of ours is
shown the game's own messages, as everywhere else. pysc2 keeps those, and once there is an agent of
ours each environment hands them on beside what it makes of them, under a key of its own. What a
player does is given back as a message of the API, which pysc2 passes on as it is: its raw functions
would round places to whole world units.

The environment must be one of raw units and raw actions (``--use_raw_units --action_space RAW``):
with others pysc2 fails at the first command that the game reports. ``pysc2.bin.agent`` looks for
available actions, which pysc2 leaves out of raw observations: they are put in, empty.

A player that waits is not asked before its delay has passed, and pysc2 is told ``no_op`` until
then. pysc2 looks every ``--step_mul`` loops, eight by default: delays are lengthened to the next
multiple. With ``--step_mul 1`` they are kept, and a player sees what it would without pysc2, with
one difference: pysc2 tells no agent that an action was refused, so observations hold it for the
last one all the same.
"""

import functools
import importlib
import os
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from pysc2.agents import base_agent
from s2clientprotocol import sc2api_pb2 as sc_pb

from agent.checkpoint import load_policy, read_checkpoint
from agent.player import Player
from agent.policy_player import PolicyPlayer
from agent.run_checkpoints import CHECKPOINT_FOLDER, CheckpointChoice, chosen_checkpoint
from agent.scripted.player import ScriptedPlayer
from envs.game_client import GameClient
from envs.interface import MAX_DELAY, Race

RUN_VARIABLE = "LATENTSTAR_RUN"

_GAME = "_game"
_SUCCESS = 1
_patching = Lock()


class PlayerAgent(base_agent.BaseAgent):  # type: ignore[misc]  # pysc2 has no types
    """A player that answers pysc2's time steps."""

    def __init__(self, player_of_race: Callable[[Race], Player], *, seed: int = 0) -> None:
        """Prepare to play; make it before its environment is reset.

        Args:
            player_of_race: who plays a race; asked once for each.
            seed: from which comes that of each episode.
        """
        super().__init__()
        _have_games_shown()
        self._player_of_race = functools.cache(player_of_race)
        self._seed = seed
        self._game: _Game | None = None

    def step(self, obs: Any) -> Any:
        """Return what to do on a time step: a message of the API, or pysc2's ``no_op``."""
        no_op = super().step(obs)
        seen = obs.observation
        told = seen.get(_GAME) if isinstance(seen, dict) else None
        if not isinstance(told, _Told):
            raise ValueError(
                "an agent must be made before its environment is reset, and the environment must "
                "have an AgentInterfaceFormat, or it does not see the game"
            )
        if obs.first() or self._game is None:
            self._game = self._begin(told)
        if obs.last():
            return no_op
        return self._game.action(told) or no_op

    def _begin(self, told: "_Told") -> "_Game":
        if not told.is_raw:
            raise ValueError(
                "the environment must be of raw units and actions: "
                "--use_raw_units --action_space RAW"
            )
        race, opponent_race = _races(told)
        player = self._player_of_race(race)
        return _Game(told, player, races=(race, opponent_race), seed=self._seed + self.episodes)


class ScriptedAgent(PlayerAgent):
    """The scripted player of whichever race it is given, another style each episode."""

    def __init__(self) -> None:
        super().__init__(ScriptedPlayer)


class PolicyAgent(PlayerAgent):
    """The policy of the run, or of the one checkpoint, whose folder LATENTSTAR_RUN names."""

    def __init__(self) -> None:
        player = _policy_player(os.environ.get(RUN_VARIABLE, ""))
        super().__init__(lambda _: player)


class _Told(NamedTuple):
    """What the game said to an agent's side, and how to ask it more."""

    message: sc_pb.ResponseObservation
    info: sc_pb.ResponseGameInfo
    controller: Any
    is_raw: bool  # whether it can be told raw actions


class _Game:
    """An episode under way."""

    def __init__(self, told: _Told, player: Player, *, races: tuple[Race, Race], seed: int) -> None:
        self._connection = _Pysc2Connection(told)
        sight = player.sight
        self._client = GameClient(
            self._connection, plane_size=sight.plane_size, limits=sight.limits
        )
        self._client.enter(home_race=races[0], away_race=races[1])
        self._player = player
        self._player.reset(self._client.game_map, races[0], seed=seed)
        self._due = 0  # the loop from which on to ask the player

    def action(self, told: _Told) -> sc_pb.Action | None:
        """Return what the player does, if it is time for it to decide and it does anything."""
        loop = told.message.observation.game_loop
        if loop < self._due:
            return None
        self._connection.told = told
        if loop != self._client.moment.loop:
            self._client.observe()
        action = self._player.act(self._client.moment.shown.observation)
        self._due = loop + min(max(action.delay, 1), MAX_DELAY)
        self._client.act(action)
        return self._connection.taken()


class _Pysc2Connection:
    """pysc2's environment in place of a game: it tells what it was told, and keeps actions."""

    def __init__(self, told: _Told) -> None:
        self.told = told
        self._action: sc_pb.Action | None = None

    def ask(self, request: bytes, *, deadline_seconds: float) -> bytes:
        """Return the answer that the game gave pysc2, or gives it to a query."""
        del deadline_seconds
        asked = sc_pb.Request.FromString(request)
        response = sc_pb.Response()
        if asked.HasField("observation"):
            response.observation.CopyFrom(self.told.message)
        elif asked.HasField("game_info"):
            response.game_info.CopyFrom(self.told.info)
        elif asked.HasField("action"):
            (self._action,) = asked.action.actions
            response.action.result.append(_SUCCESS)
        else:
            response.query.CopyFrom(self.told.controller.query(asked.query))
        return response.SerializeToString()

    def taken(self) -> sc_pb.Action | None:
        """Return the action that was kept, once."""
        action, self._action = self._action, None
        return action


def _have_games_shown() -> None:
    """Have pysc2's environments hand on what the game says, from the next reset on."""
    environments: Any = importlib.import_module("pysc2.env.sc2_env").SC2Env
    with _patching:
        observe = environments._get_observations
        if getattr(observe, "shows_the_game", False):
            return

        @functools.wraps(observe)
        def observe_and_tell(self: Any, target_game_loop: Any) -> None:
            observe(self, target_game_loop)
            parts = zip(self._agent_obs, self._obs, self._game_info, self._controllers, strict=True)
            for shown, message, info, controller in parts:
                if isinstance(shown, dict):
                    is_raw = "available_actions" not in shown
                    shown[_GAME] = _Told(message, info, controller, is_raw)
                    shown.setdefault("available_actions", np.zeros(0, np.int32))

        observe_and_tell.shows_the_game = True  # type: ignore[attr-defined]  # a mark of ours
        environments._get_observations = observe_and_tell


def _races(told: _Told) -> tuple[Race, Race]:
    """Return the player's race, and the opponent's as it was chosen."""
    own, other = Race.NONE, Race.NONE
    for info in told.info.player_info:
        if info.player_id == told.message.observation.player_common.player_id:
            own = Race(info.race_actual or info.race_requested)
        elif info.type != sc_pb.Observer:
            other = Race(info.race_requested)
    return own, other


def _policy_player(folder: str) -> PolicyPlayer:
    if not folder:
        raise ValueError(f"{RUN_VARIABLE} must name the folder of a run or checkpoint, it is unset")
    path = Path(folder).expanduser()
    is_run = (path / CHECKPOINT_FOLDER).is_dir()
    best = CheckpointChoice.BEST
    checkpoint = chosen_checkpoint(path, best) if is_run else read_checkpoint(path)
    return PolicyPlayer(load_policy(checkpoint), name=checkpoint.digest)
