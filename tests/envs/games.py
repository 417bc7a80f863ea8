"""Short games on the engine for tests: somebody does many things of all kinds, by a seed."""

from typing import NamedTuple

import numpy as np

from envs.connection import Connection
from envs.game_client import GameClient, GameSetup, Moment, Opponent
from envs.interface import (
    UNKNOWN,
    Action,
    Alliance,
    EntityFeature,
    EntityLimits,
    Race,
    raw_functions,
)

LIMITS = EntityLimits(total=512, neutral=48)
PLANE_SIZE = 32
MEDIUM = 3


class Done(NamedTuple):
    """A command that the game accepted, and the moment it was given in."""

    moment: Moment
    action: Action


class PlayedGame(NamedTuple):
    """A game that was played, as its player saw it."""

    done: list[Done]
    replay: bytes
    last_loop: int


def function(name: str) -> int:
    """Return the action type of a raw function."""
    return next(i for i, found in enumerate(raw_functions()) if found.name == name)


def setup(*, seed: int = 1, player: int = 1) -> GameSetup:
    """Return a game of Terran against a Medium Zerg."""
    opponent = Opponent(race=Race.ZERG, difficulty=MEDIUM)
    path = "Melee/Simple64.SC2Map"
    return GameSetup(map_path=path, race=Race.TERRAN, opponent=opponent, seed=seed, player=player)


def play_at_random(
    connection: Connection, *, seed: int, loops: int, longest_wait: int, player: int = 1
) -> PlayedGame:
    """Play some loops of a game, doing what comes to mind."""
    random = np.random.default_rng(seed)
    client = GameClient(connection, plane_size=PLANE_SIZE, limits=LIMITS)
    moment = client.start(setup(seed=seed, player=player))
    done = []
    while moment.loop < loops:
        action = random_action(moment, random, longest_wait=longest_wait)
        if client.act(action) is None:
            done.append(Done(moment, action))
        moment = client.step(action.delay)
    return PlayedGame(done, client.replay(), moment.loop)


def random_action(moment: Moment, random: np.random.Generator, *, longest_wait: int) -> Action:
    """Return an attack, a right click, a trained worker or a building, by some own units."""
    entities = moment.shown.observation.entities
    own = np.flatnonzero(entities[:, EntityFeature.ALLIANCE] == Alliance.SELF).astype(np.int16)
    some = random.choice(own, size=min(3, len(own)), replace=False)
    delay = int(random.integers(1, longest_wait))
    place = (int(random.integers(1000, 5000)), int(random.integers(1000, 5000)))
    nowhere = (UNKNOWN, UNKNOWN)
    kind = random.integers(4)
    if kind == 0:
        return Action(function("Attack_pt"), delay, 0, some, UNKNOWN, place)
    if kind == 1:
        target = int(random.integers(len(entities)))
        return Action(function("Smart_unit"), delay, 1, some, target, nowhere)
    if kind == 2:
        return Action(function("Train_SCV_quick"), delay, 0, own[:64], UNKNOWN, nowhere)
    x, y = entities[own[0], [EntityFeature.X, EntityFeature.Y]].tolist()
    return Action(function("Build_SupplyDepot_pt"), delay, 0, some, UNKNOWN, (x + 500, y + 300))
