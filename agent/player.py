"""Whoever plays: what a match asks of a policy or a script."""

from typing import NamedTuple, Protocol, runtime_checkable

from envs.interface import Action, EntityLimits, Observation, Race
from envs.observations import GameMap


class Sight(NamedTuple):
    """How much of the game a player is shown."""

    plane_size: int  # side of the map planes, in cells
    limits: EntityLimits = EntityLimits()


@runtime_checkable
class Player(Protocol):
    """Someone who plays games, one after another."""

    @property
    def name(self) -> str:
        """Who it is, in results: the same name plays the same way."""

    @property
    def sight(self) -> Sight:
        """How much it is to be shown."""

    def reset(self, game_map: GameMap, race: Race, *, seed: int) -> None:
        """Begin a game; all chance in it comes from the seed."""

    def act(self, observation: Observation) -> Action:
        """Return what to do, and in its delay after how many loops to be asked again."""
