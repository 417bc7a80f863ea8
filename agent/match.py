"""One game of a player against a built-in opponent."""

from collections import Counter
from enum import Enum
from typing import NamedTuple

from agent.player import Player
from envs.game_client import GameClient, GameSetup
from envs.interface import LOOPS_PER_SECOND

_MOST_REASONS = 5


class Result(Enum):
    """How a game ended for the player."""

    WIN = "win"
    LOSS = "loss"
    TIE = "tie"
    UNDECIDED = "undecided"  # it was not over when the match was


_RESULTS = {1: Result.WIN, 2: Result.LOSS, 3: Result.TIE, 4: Result.UNDECIDED}
"""By the API's numbers."""


class MatchResult(NamedTuple):
    """How a game went."""

    result: Result
    loops: int
    num_decisions: int
    num_actions: int  # all decisions but no_op
    num_refused: int  # illegal, or refused by the game
    refusals: tuple[tuple[str, int], ...]  # the most frequent reasons, and how often

    @property
    def actions_per_minute(self) -> float:
        """How often the player acted."""
        return self.num_actions / max(self.loops, 1) * LOOPS_PER_SECOND * 60


def play_game(
    client: GameClient, player: Player, setup: GameSetup, *, max_loops: int
) -> MatchResult:
    """Play a game to its end, or until so many loops have passed.

    Args:
        client: shows what the player's sight asks for.
        player: it begins with the setup's seed.
        setup: the game.
        max_loops: after which the game is left undecided.
    """
    moment = client.start(setup)
    player.reset(client.game_map, setup.race, seed=setup.seed)
    num_decisions = num_actions = 0
    refusals: Counter[str] = Counter()
    while moment.result is None and moment.loop < max_loops:
        action = player.act(moment.shown.observation)
        reason = client.act(action)
        num_decisions += 1
        num_actions += action.action_type != 0
        if reason is not None:
            refusals[reason] += 1
        moment = client.step(action.delay)
    return MatchResult(
        result=Result.UNDECIDED if moment.result is None else _RESULTS[moment.result],
        loops=moment.loop,
        num_decisions=num_decisions,
        num_actions=num_actions,
        num_refused=refusals.total(),
        refusals=tuple(refusals.most_common(_MOST_REASONS)),
    )
