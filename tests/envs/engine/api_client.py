"""A client of the API in the same process, and small games for any test of the engine."""

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

from s2clientprotocol import common_pb2 as common_pb
from s2clientprotocol import raw_pb2 as raw_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine.session import Session

MAP = "Melee/Simple64.SC2Map"
MINI_GAME = "mini_games/MoveToBeacon.SC2Map"
PARTICIPANT = sc_pb.PlayerSetup(type=sc_pb.Participant)
COMPUTER = sc_pb.PlayerSetup(
    type=sc_pb.Computer, race=common_pb.Zerg, difficulty=sc_pb.VeryEasy, ai_build=sc_pb.Macro
)
OBSERVER = sc_pb.PlayerSetup(type=sc_pb.Observer)
SCV, COMMAND_CENTER = 45, 18
TRAIN_SCV, STOP = 524, 3665
SECONDS = 60


class Client:
    """Speaks the API to a session, and keeps the last response."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.status = sc_pb.launched
        self._last_id = 0

    def send(self, **request: Any) -> sc_pb.Response:
        """Send one request, such as ``ping=sc_pb.RequestPing()``; return the whole response."""
        self._last_id += 1
        data = sc_pb.Request(id=self._last_id, **request).SerializeToString()
        response = sc_pb.Response.FromString(self.session.handle(data))
        assert response.id == self._last_id
        assert response.HasField("status")
        self.status = response.status
        return response

    def start(self, create: sc_pb.RequestCreateGame, join: sc_pb.RequestJoinGame) -> int:
        """Create a game and join it; return the number of this client's player."""
        created = self.send(create_game=create)
        assert not created.create_game.HasField("error"), created.create_game.error_details
        joined = self.send(join_game=join)
        assert not joined.join_game.HasField("error"), joined.join_game.error_details
        assert not joined.error
        return joined.join_game.player_id

    def observe(self, **request: Any) -> sc_pb.ResponseObservation:
        """Return an observation."""
        return self.send(observation=sc_pb.RequestObservation(**request)).observation

    def step(self, count: int = 1) -> sc_pb.Response:
        """Go on by some loops."""
        return self.send(step=sc_pb.RequestStep(count=count))

    def command(self, ability: int, *tags: int) -> int:
        """Give a command without a target; return its result."""
        command = raw_pb.ActionRawUnitCommand(ability_id=ability, unit_tags=tags)
        action = sc_pb.Action(action_raw=raw_pb.ActionRaw(unit_command=command))
        answer = self.send(action=sc_pb.RequestAction(actions=[action]))
        assert not answer.error, answer.error
        return answer.action.result[0]

    def own(self, unit_type: int) -> list[raw_pb.Unit]:
        """Return this client's units of a type."""
        return [
            unit
            for unit in self.observe().observation.raw_data.units
            if unit.unit_type == unit_type and unit.alliance == raw_pb.Self
        ]

    def replay(self) -> bytes:
        """Return the replay of the game so far."""
        return self.send(save_replay=sc_pb.RequestSaveReplay()).save_replay.data


class Two:
    """The clients of a host and a guest, who can be asked at the same time."""

    def __init__(self) -> None:
        self._sessions = ExitStack()
        self._threads = ThreadPoolExecutor(2)
        self.host, self.guest = (Client(self._sessions.enter_context(Session())) for _ in range(2))

    def at_once(self, **request: object) -> list[sc_pb.Response]:
        """Have both send one request; return the host's response and the guest's."""
        futures = [self._threads.submit(one.send, **request) for one in (self.host, self.guest)]
        return [future.result(SECONDS) for future in futures]

    def begin(self) -> None:
        """Create a game and join it."""
        self.host.send(create_game=new_game(PARTICIPANT, PARTICIPANT))
        joined = self.at_once(join_game=joining(common_pb.Terran, **ports()))
        assert [answer.join_game.player_id for answer in joined] == [1, 2], joined

    def close(self) -> None:
        self._sessions.close()
        self._threads.shutdown()


def interface(**changes: Any) -> sc_pb.InterfaceOptions:
    """Options as most clients send them."""
    return sc_pb.InterfaceOptions(**{"raw": True, "score": True, **changes})


def new_game(
    *players: sc_pb.PlayerSetup, map_path: str = MAP, **changes: Any
) -> sc_pb.RequestCreateGame:
    """Ask for a game, by default against a computer."""
    return sc_pb.RequestCreateGame(
        local_map=sc_pb.LocalMap(map_path=map_path),
        player_setup=players or (PARTICIPANT, COMPUTER),
        **{"random_seed": 7, **changes},
    )


def joining(race: "common_pb.Race.ValueType" = common_pb.Terran, **changes: Any) -> Any:
    """Ask to join with a race."""
    return sc_pb.RequestJoinGame(**{"race": race, "options": interface(), **changes})


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def ports() -> dict[str, Any]:
    """Return the ports of a two-player game, as both clients send them."""
    return {
        "server_ports": sc_pb.PortSet(game_port=free_port(), base_port=free_port()),
        "client_ports": [sc_pb.PortSet(game_port=free_port(), base_port=free_port())],
    }
