"""Games between two players of ours."""

from concurrent.futures import ThreadPoolExecutor

from agent.match import Match, MatchResult
from agent.player import Player
from envs.game_client import GameClient
from envs.interface import MAX_DELAY
from envs.two_players import DuelSetup, create_duel, free_ports, join_duel


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
        players: two, since each has a memory; they begin with the setup's seed and the one after.
        setup: the game.
        max_loops: after which the game is left undecided.

    Returns:
        How it went for each.

    Raises:
        RequestError: a game refused, and why.
        GameError: a game is gone, or does not answer.
    """
    with ThreadPoolExecutor(2) as threads:  # each game waits for the other
        create_duel(clients[0], setup)
        ports = free_ports()
        joining = threads.map(lambda *who: join_duel(*who, ports=ports), clients, setup.races)
        list(joining)
        for number, player in enumerate(players):
            player.reset(clients[number].game_map, setup.races[number], seed=setup.seed + number)
        matches = [Match(client, max_loops=max_loops) for client in clients]
        loop, due = 0, [0, 0]  # when each is to be asked
        while not any(match.is_over for match in matches):
            for number, match in enumerate(matches):
                if due[number] == loop:
                    action = players[number].act(match.moment.shown.observation)
                    match.act(action)
                    due[number] = loop + min(max(action.delay, 1), MAX_DELAY)
            passing = min(due) - loop
            list(threads.map(lambda client, loops=passing: client.advance(loops), clients))
            loop += passing
            for number, client in enumerate(clients):
                if due[number] == loop:
                    client.observe()
        for client in clients:
            client.observe()
    first, second = (match.result() for match in matches)
    return first, second
