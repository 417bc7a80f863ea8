"""Games of a player against built-in opponents, one at a time or many side by side."""

from collections import Counter
from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from agent.player import Player
from agent.policy_player import PolicyTeam
from envs.errors import GameError
from envs.game_client import GameClient, GameSetup, Moment
from envs.interface import LOOPS_PER_SECOND, Action

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


class Match:
    """A game under way, as one of its players plays it."""

    def __init__(self, client: GameClient, *, max_loops: int) -> None:
        """Take a game that has begun.

        Args:
            client: in the game; it shows what the player's sight asks for.
            max_loops: after which the game is left undecided.
        """
        self._client = client
        self._max_loops = max_loops
        self._num_decisions = self._num_actions = 0
        self._refusals: Counter[str] = Counter()

    @property
    def moment(self) -> Moment:
        """What the player was last shown."""
        return self._client.moment

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to decide."""
        return self.moment.result is not None or self.moment.loop >= self._max_loops

    def act(self, action: Action) -> str | None:
        """Do what the player decides; return why it is not done, if so."""
        reason = self._client.act(action)
        self._num_decisions += 1
        self._num_actions += action.action_type != 0
        if reason is not None:
            self._refusals[reason] += 1
        return reason

    def do(self, action: Action) -> str | None:
        """Act, and go on until the player is to be asked again."""
        reason = self.act(action)
        self._client.step(action.delay)
        return reason

    def result(self) -> MatchResult:
        """Return how it went."""
        told = self.moment.result
        return MatchResult(
            result=Result.UNDECIDED if told is None else _RESULTS[told],
            loops=self.moment.loop,
            num_decisions=self._num_decisions,
            num_actions=self._num_actions,
            num_refused=self._refusals.total(),
            refusals=tuple(self._refusals.most_common(_MOST_REASONS)),
        )


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
    client.start(setup)
    player.reset(client.game_map, setup.race, seed=setup.seed)
    match = Match(client, max_loops=max_loops)
    while not match.is_over:
        match.do(player.act(match.moment.shown.observation))
    return match.result()


def play_side_by_side(
    clients: Sequence[GameClient],
    team: PolicyTeam,
    setups: Sequence[GameSetup],
    *,
    max_loops: int,
) -> list[MatchResult | GameError]:
    """Play games of one policy at once, which decides in all of them together.

    Args:
        clients: one a game; they show what the team's sight asks for.
        team: its chance comes from the first setup's seed, so that the same games side by side go
            the same way.
        setups: the games.
        max_loops: after which a game is left undecided.

    Returns:
        How each game went, or why it broke.
    """
    team.reset(len(setups), seed=setups[0].seed)
    matches: dict[int, Match] = {}
    outcomes: dict[int, MatchResult | GameError] = {}
    for number, (client, setup) in enumerate(zip(clients, setups, strict=True)):
        try:
            client.start(setup)
            matches[number] = Match(client, max_loops=max_loops)
        except GameError as error:
            outcomes[number] = error
    while matches:
        actions = team.act({n: m.moment.shown.observation for n, m in matches.items()})
        for number, action in actions.items():
            match = matches[number]
            try:
                match.do(action)
            except GameError as error:
                outcomes[number] = error
                del matches[number]
                continue
            if match.is_over:
                outcomes[number] = matches.pop(number).result()
    return [outcomes[number] for number in range(len(setups))]
