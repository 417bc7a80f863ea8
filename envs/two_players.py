"""Games of two players over the API: one creates a game, and each joins as a client of its own.

The same for StarCraft II and the engine. Each player has a game of its own to talk to, a program
or the engine in this process; the two games find each other by ports that both clients name. The
other player may be any program that speaks the API and names the same ports.
"""

import socket
from contextlib import ExitStack
from dataclasses import dataclass
from typing import NamedTuple, cast

from s2clientprotocol import common_pb2 as common_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.game_client import RAW, GameClient
from envs.interface import Race
from envs.message_socket import HOST


@dataclass(frozen=True, kw_only=True)
class DuelSetup:
    """One game of two players; the first creates it."""

    map_path: str  # within the game's folder of maps
    races: tuple[Race, Race]
    seed: int


class Ports(NamedTuple):
    """By what two games find each other: each has a pair, for the game and for its base."""

    server: tuple[int, int]
    client: tuple[int, int]


def free_ports() -> Ports:
    """Return ports that are free, for as long as nobody takes them."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(4)]
        for one in sockets:
            one.bind((HOST, 0))
        first, second, third, fourth = (one.getsockname()[1] for one in sockets)
    return Ports((first, second), (third, fourth))


def create_duel(client: GameClient, setup: DuelSetup) -> None:
    """Create a game that two players are to join, this one first.

    Raises:
        RequestError: the game refused, and why.
    """
    create = sc_pb.RequestCreateGame(
        local_map=sc_pb.LocalMap(map_path=setup.map_path),
        player_setup=[sc_pb.PlayerSetup(type=sc_pb.Participant) for _ in range(2)],
        random_seed=setup.seed,
    )
    client.request(create_game=create)


def join_duel(client: GameClient, race: Race, *, ports: Ports) -> None:
    """Join a game and look; it lasts until the other player has joined too.

    Args:
        client: of the game that was created, or of another that has none.
        race: to play.
        ports: the same for both players.

    Raises:
        RequestError: the game refused, or nobody else joined.
        GameError: the game is gone, or does not answer.
    """
    join = sc_pb.RequestJoinGame(
        race=cast("common_pb.Race.ValueType", int(race)),
        options=RAW,
        server_ports=_port_set(ports.server),
        client_ports=[_port_set(ports.client)],
    )
    client.player = client.request(join_game=join).join_game.player_id
    info = client.request(game_info=sc_pb.RequestGameInfo()).game_info
    (other,) = (one for one in info.player_info if one.player_id != client.player)
    client.enter(home_race=race, away_race=Race(other.race_requested))


def _port_set(ports: tuple[int, int]) -> sc_pb.PortSet:
    game_port, base_port = ports
    return sc_pb.PortSet(game_port=game_port, base_port=base_port)
