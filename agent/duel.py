"""Games between two players of ours."""

from agent.match import Match, MatchResult
from agent.player import Player
from envs.game_client import GameClient
from envs.interface import MAX_DELAY
from envs.two_players import Duel, DuelSetup


def play_duel(
    clients: tuple[GameClient, GameClient],
    players: tuple[Player, Player],
    setup: DuelSetup,
    *,
    max_loops: int,
) -> tuple[MatchResult, MatchResult]:
    """Play a game between two players to its end, or until so many loops have passed.

    The same setup gives the same game: where both decide in one loop, the first goes first.

    Args:
        clients: in games of their own; each shows what its player's sight asks for.
        players: they begin with the setup's seed and the one after it.
        setup: the game.
        max_loops: after which the game is left undecided.

    Returns:
        How it went for each.
    """
    with Duel(clients) as duel:
        duel.start(setup)
        for number, player in enumerate(players):
            game_map, race = clients[number].game_map, setup.races[number]
            player.reset(game_map, race, seed=setup.seed + number)
        matches = [Match(client, max_loops=max_loops) for client in clients]
        loop, due = 0, [0, 0]  # when each is to be asked
        while not any(match.is_over for match in matches):
            for number, match in enumerate(matches):
                if due[number] == loop:
                    action = players[number].act(match.moment.shown.observation)
                    match.act(action)
                    due[number] = loop + min(max(action.delay, 1), MAX_DELAY)
            duel.step(min(due) - loop)
            loop = min(due)
            for number, client in enumerate(clients):
                if due[number] == loop:
                    client.observe()
        for client in clients:
            client.observe()
        first, second = (match.result() for match in matches)
        return first, second
