"""Two players play each other, each in a game of its own, the same way every time."""

from collections.abc import Callable

import numpy as np
import pytest

from agent.duel import play_duel
from agent.match import MatchResult, Result
from agent.player import Player, Sight
from agent.scripted.player import ScriptedPlayer
from envs.connection import Connection
from envs.errors import GameError
from envs.game_client import GameClient
from envs.interface import LOOPS_PER_SECOND, UNKNOWN, Action, Observation, Race, ScalarFeature
from envs.launch import in_process, launch
from envs.observations import GameMap
from envs.two_players import DuelSetup

SHORT = 600  # game loops
LONG = round(25 * 60 * LOOPS_PER_SECOND)
RACES = (Race.ZERG, Race.PROTOSS)


class WaitingPlayer:
    """Does nothing but wait, always for the same time, and remembers when it was asked."""

    name = "waiting"
    sight = Sight(plane_size=1)

    def __init__(self, delay: int) -> None:
        self._delay = delay
        self.asked: list[int] = []

    def reset(self, game_map: GameMap, race: Race, *, seed: int) -> None:
        self.asked = []

    def act(self, observation: Observation) -> Action:
        self.asked.append(int(observation.scalars[ScalarFeature.GAME_LOOP]))
        return Action(0, self._delay, 0, np.zeros(0, np.int16), UNKNOWN, (UNKNOWN, UNKNOWN))


def scripted() -> tuple[Player, Player]:
    first, second = (ScriptedPlayer(race) for race in RACES)
    return first, second


def duel(
    players: tuple[Player, Player],
    *,
    max_loops: int = SHORT,
    seed: int = 5,
    map_path: str = "Melee/Simple64.SC2Map",
    game: Callable[[], Connection] = in_process,
) -> tuple[tuple[MatchResult, MatchResult], list[bytes]]:
    """Return how a duel went for both, and both games' replays."""
    setup = DuelSetup(map_path=map_path, races=RACES, seed=seed)
    with game() as one, game() as other:
        first, second = (
            GameClient(connection, plane_size=player.sight.plane_size, limits=player.sight.limits)
            for connection, player in zip((one, other), players, strict=True)
        )
        results = play_duel((first, second), players, setup, max_loops=max_loops)
        return results, [first.replay(), second.replay()]


def test_each_is_asked_when_its_own_delay_has_passed():
    players = WaitingPlayer(7), WaitingPlayer(10)
    (first, second), _ = duel(players, max_loops=70)
    assert players[0].asked == [0, 7, 14, 21, 28, 35, 42, 49, 56, 63]
    assert players[1].asked == [0, 10, 20, 30, 40, 50, 60]
    assert (first.num_decisions, second.num_decisions) == (10, 7)
    assert (first.result, first.loops) == (second.result, second.loops) == (Result.UNDECIDED, 70)


def test_the_same_setup_gives_the_same_game_and_another_seed_another():
    results, replays = duel(scripted())
    assert replays[0] == replays[1]
    assert results[0].num_actions > 3
    assert results[1].num_actions > 3
    assert duel(scripted()) == (results, replays)
    assert duel(scripted(), seed=6)[1] != replays


def test_games_in_processes_go_as_in_this_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SC2PATH", raising=False)
    assert duel(scripted(), game=launch) == duel(scripted())


def test_a_map_that_is_not_there_ends_the_duel_at_once():
    with pytest.raises((GameError, ValueError), match="Nowhere"):
        duel(scripted(), map_path="Melee/Nowhere.SC2Map")


@pytest.mark.slow
def test_a_duel_that_is_played_to_its_end_has_a_winner_and_a_loser():
    (first, second), replays = duel(scripted(), max_loops=LONG)
    assert {first.result, second.result} == {Result.WIN, Result.LOSS}
    assert first.loops == second.loops
    assert duel(scripted(), max_loops=LONG) == ((first, second), replays)
