"""What players see in games: of the engine's, recorded once for all tests, and of the real one."""

import lzma
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from s2clientprotocol import common_pb2 as common_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine.session import Session
from envs.game_client import RAW, map_of_game_info
from envs.observations import GameMap
from tests.envs.engine.api_client import OBSERVER, Client, interface, new_game

TERRAN, ZERG, PROTOSS = common_pb.Terran, common_pb.Zerg, common_pb.Protoss
RACES = {TERRAN: ZERG, ZERG: PROTOSS, PROTOSS: TERRAN}
RECORDINGS = Path(__file__).parents[3] / "shared" / "recordings"
OBSERVE = sc_pb.Request(observation=sc_pb.RequestObservation()).SerializeToString()

_LOOPS, _STEP_LOOPS = 8400, 600


class PlayedGame(NamedTuple):
    """A game as one player saw it."""

    game_map: GameMap
    info: sc_pb.ResponseGameInfo
    responses: tuple[bytes, ...]

    @property
    def messages(self) -> list[sc_pb.ResponseObservation]:
        """What was seen, as protobuf reads it."""
        return [sc_pb.Response.FromString(data).observation for data in self.responses]


@cache
def engine_game(race: "common_pb.Race.ValueType") -> PlayedGame:
    """What the first of two computers saw of their game, six minutes of it, fog and all."""
    computers = [
        sc_pb.PlayerSetup(type=sc_pb.Computer, race=race, difficulty=sc_pb.VeryHard)
        for race in (race, RACES[race])
    ]
    with Session() as session:
        client = Client(session)
        watching = sc_pb.RequestJoinGame(observed_player_id=0, options=interface())
        client.start(new_game(*computers, OBSERVER), watching)
        client.step(_LOOPS)
        replay = client.replay()
    with Session() as session:
        client = Client(session)
        start = sc_pb.RequestStartReplay(replay_data=replay, observed_player_id=1, options=RAW)
        assert not client.send(start_replay=start).start_replay.HasField("error")
        info = client.send(game_info=sc_pb.RequestGameInfo()).game_info
        responses = []
        while client.status == sc_pb.in_replay:
            responses.append(session.handle(OBSERVE))
            client.step(_STEP_LOOPS)
    return PlayedGame(map_of_game_info(info), info, tuple(responses))


def real_games() -> list[Path]:
    """Recorded observations of the real game whose map is recorded too."""
    return sorted(
        path for path in RECORDINGS.glob("*.observation.pb.xz") if _info_beside(path).is_file()
    )


def needs_real_games() -> pytest.MarkDecorator:
    """Skip a test where there are no recordings."""
    return pytest.mark.skipif(
        not real_games(), reason=f"needs recordings of the real game in {RECORDINGS}"
    )


def real_game(path: Path) -> PlayedGame:
    """A recorded moment of the real game."""
    message = sc_pb.ResponseObservation.FromString(lzma.decompress(path.read_bytes()))
    info = sc_pb.Response.FromString(lzma.decompress(_info_beside(path).read_bytes())).game_info
    response = sc_pb.Response(observation=message).SerializeToString()
    return PlayedGame(map_of_game_info(info), info, (response,))


def _info_beside(path: Path) -> Path:
    return path.with_name(path.name.replace("observation", "game_info"))
