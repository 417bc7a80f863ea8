"""Games of two players over the API: one creates a game, and each joins as a client of its own.

The same for StarCraft II and the engine. Each player has a game of its own to talk to, a program
or the engine in this process; the two games find each other by ports that both clients name. The
other player may be any program that speaks the API and names the same ports.
"""

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import NamedTuple, Self, cast

from s2clientprotocol import common_pb2 as common_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.game_client import RAW, GameClient, Moment
from envs.interface import Race


@dataclass(frozen=True, kw_only=True)
class DuelSetup:
    """One game of two players; the first creates it."""

    map_path: str  # within the game's folder of maps
    races: tuple[Race, Race]
    seed: int


class Ports(NamedTuple):
    """By what two games find each other, a pair of ports for the first and one for the second."""

    server: tuple[int, int]
    client: tuple[int, int]


def free_ports() -> Ports:
    """Return ports that are free, for as long as nobody takes them."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(4)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        first, second, third, fourth = (one.getsockname()[1] for one in sockets)
    return Ports((first, second), (third, fourth))


class Duel:
    """Two clients who play each other, asked at the same time; a context manager."""

    def __init__(self, clients: tuple[GameClient, GameClient]) -> None:
        """Take two clients, in games of their own."""
        self._clients = clients
        self._threads = ThreadPoolExecutor(2)

    def start(self, setup: DuelSetup) -> tuple[Moment, Moment]:
        """Create a game of the two, join it with both, and look with both.

        Raises:
            RequestError: a game refused, and why.
            GameError: a game is gone, or does not answer.
        """
        ports = free_ports()
        create_duel(self._clients[0], setup)
        first, second = (
            self._threads.submit(join_duel, client, race, ports=ports)
            for client, race in zip(self._clients, setup.races, strict=True)
        )
        return first.result(), second.result()

    def step(self, loops: int) -> None:
        """Let game loops pass; neither looks."""
        step = sc_pb.RequestStep(count=loops)
        stepping = [self._threads.submit(one.request, step=step) for one in self._clients]
        for one in stepping:
            one.result()

    def close(self) -> None:
        """Wait for what is still asked; the games stay as they are."""
        self._threads.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


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


def join_duel(client: GameClient, race: Race, *, ports: Ports) -> Moment:
    """Join a game, which lasts until the other player has joined too, and look.

    Args:
        client: of the game that was created, or of another that has none.
        race: to play.
        ports: the same for both players.

    Raises:
        RequestError: the game refused, or nobody else joined.
    """
    join = sc_pb.RequestJoinGame(
        race=cast("common_pb.Race.ValueType", int(race)),
        options=RAW,
        server_ports=_port_set(ports.server),
        client_ports=[_port_set(ports.client)],
    )
    client.player = client.request(join_game=join).join_game.player_id
    info = client.request(game_info=sc_pb.RequestGameInfo()).game_info
    others = [one for one in info.player_info if one.player_id != client.player]
    return client.enter(home_race=race, away_race=Race(others[0].race_requested))


def _port_set(ports: tuple[int, int]) -> sc_pb.PortSet:
    game_port, base_port = ports
    return sc_pb.PortSet(game_port=game_port, base_port=base_port)
