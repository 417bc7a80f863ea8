"""What is played in an environment: who against whom, for how long, and for what reward."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from envs.choices import PLAYABLE_RACES, Build, Difficulty
from envs.game_client import GameSetup, Moment, Opponent
from envs.interface import LOOPS_PER_SECOND, Race
from envs.rewards import score_gain, win_loss

MELEE_LOOPS = round(30 * 60 * LOOPS_PER_SECOND)

MINI_GAMES = (
    "MoveToBeacon",
    "CollectMineralShards",
    "FindAndDefeatZerglings",
    "DefeatRoaches",
    "DefeatZerglingsAndBanelings",
    "CollectMineralsAndGas",
    "BuildMarines",
)
"""pysc2's mini-games, in the order of their paper."""

_SEEDS = 1 << 31


class Task(Protocol):
    """What is played."""

    @property
    def map(self) -> str:
        """The map's name, or its path within the game's folder of maps."""

    @property
    def max_loops(self) -> int | None:
        """Game loops after which an episode is cut off; None where the game alone decides."""

    def setup(self, random: np.random.Generator) -> GameSetup:
        """Return the next game, whose map is yet to be looked up."""

    def reward(self, before: Moment, after: Moment) -> float:
        """Return the reward for a step from one moment to another."""


@dataclass(frozen=True, kw_only=True)
class Melee:
    """A game against a built-in opponent, for a reward of 1 or -1 at its end."""

    map: str = "Simple64"
    race: Race = Race.RANDOM
    opponent: Difficulty = Difficulty.VERY_EASY
    opponent_race: Race = Race.RANDOM
    opponent_build: Build = Build.RANDOM
    player: int | None = None  # 1 or 2, which decides where it starts; None is drawn each game
    max_loops: int | None = MELEE_LOOPS

    def __post_init__(self) -> None:
        """Refuse what no game can be."""
        if self.player not in (None, 1, 2):
            raise ValueError(f"player must be 1, 2 or None, got {self.player!r}")
        _check_max_loops(self.max_loops)

    def setup(self, random: np.random.Generator) -> GameSetup:
        """Return the next game; whoever plays a random race draws it here, and so knows it."""
        seed = int(random.integers(_SEEDS))
        player = int(random.integers(1, 3)) if self.player is None else self.player
        race = self.race
        if race is Race.RANDOM:
            race = PLAYABLE_RACES[random.integers(len(PLAYABLE_RACES))]
        opponent = Opponent(
            race=self.opponent_race, difficulty=self.opponent, ai_build=self.opponent_build
        )
        return GameSetup(map_path=self.map, race=race, opponent=opponent, seed=seed, player=player)

    def reward(self, before: Moment, after: Moment) -> float:
        """Return 1 when the game is won, -1 when it is lost."""
        del before
        return win_loss(after.result)


@dataclass(frozen=True, kw_only=True)
class MiniGame:
    """One of pysc2's mini-games, for its points; it ends by itself."""

    map: str
    max_loops: int | None = None

    def __post_init__(self) -> None:
        """Refuse what no game can be."""
        _check_max_loops(self.max_loops)

    def setup(self, random: np.random.Generator) -> GameSetup:
        """Return the next game."""
        seed = int(random.integers(_SEEDS))
        return GameSetup(map_path=self.map, race=Race.TERRAN, opponent=None, seed=seed)

    def reward(self, before: Moment, after: Moment) -> float:
        """Return the points that were made."""
        return score_gain(before.score, after.score)


def _check_max_loops(max_loops: int | None) -> None:
    if max_loops is not None and max_loops < 1:
        raise ValueError(f"max_loops must be at least 1, got {max_loops}")
