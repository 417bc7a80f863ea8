"""The decoder on observations of whole games, the engine's and the real one's."""

import lzma
from collections.abc import Generator
from pathlib import Path

import pytest
from s2clientprotocol import common_pb2 as common_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine.session import Session
from envs.wire import decode_observation, decode_response, pysc2_pixels
from tests.envs.engine.api_client import OBSERVER, PARTICIPANT, Client, interface, new_game
from tests.envs.wire_observations import PIXELS, assert_same, assert_same_pictures

# pysc2 and what it brings warn of their own age.
pytestmark = pytest.mark.filterwarnings("ignore")

RECORDINGS = Path(__file__).parents[3] / "shared" / "recordings"
TERRAN, ZERG, PROTOSS = common_pb.Terran, common_pb.Zerg, common_pb.Protoss


def game(
    *races: "common_pb.Race.ValueType", join_as: int
) -> Generator[tuple[bytes, Client], None, None]:
    """A game of computers, or against one, as bytes of observations and the client that asks."""
    computers = [
        sc_pb.PlayerSetup(type=sc_pb.Computer, race=race, difficulty=sc_pb.VeryHard)
        for race in races
    ]
    layers = sc_pb.SpatialCameraSetup(
        width=24,
        resolution=common_pb.Size2DI(x=1, y=1),
        minimap_resolution=common_pb.Size2DI(x=64, y=64),
    )
    options = interface(feature_layer=layers)
    if join_as:
        players = [PARTICIPANT, computers[0]]
        join = sc_pb.RequestJoinGame(race=TERRAN, options=options)
    else:
        players = [*computers, OBSERVER]
        join = sc_pb.RequestJoinGame(observed_player_id=0, options=options)
    with Session() as session:
        client = Client(session)
        client.start(new_game(*players), join)
        request = sc_pb.Request(id=3, observation=sc_pb.RequestObservation()).SerializeToString()
        while True:
            yield session.handle(request), client


@pytest.mark.parametrize(
    ("races", "join_as"),
    [((TERRAN, ZERG), 0), ((PROTOSS, PROTOSS), 0), ((ZERG,), 1), ((PROTOSS,), 1)],
)
def test_observations_of_the_engine_are_read_as_pysc2_reads_them(
    races: tuple["common_pb.Race.ValueType", ...], join_as: int
):
    observations = game(*races, join_as=join_as)
    most = 0
    for _ in range(9):
        data, client = next(observations)
        message = sc_pb.Response.FromString(data).observation
        decoded = decode_response(data, PIXELS)
        assert_same(decoded, message)
        assert_same_pictures(data, decoded, message)
        most = max(most, len(decoded.units))
        if client.step(800).error:
            break
    observations.close()
    assert most > 40


def recordings() -> list[Path]:
    return sorted(RECORDINGS.glob("*.observation.pb.xz"))


@pytest.mark.skipif(not recordings(), reason=f"needs recordings of the real game in {RECORDINGS}")
@pytest.mark.parametrize("path", recordings(), ids=lambda path: path.name.split(".")[0])
def test_observations_of_the_real_game_are_read_as_pysc2_reads_them(path: Path):
    data = lzma.decompress(path.read_bytes())
    message = sc_pb.ResponseObservation.FromString(data)
    for map_size in ((176, 184), (200, 176)):
        decoded = decode_observation(data, pysc2_pixels(map_size))
        assert len(decoded.units) > 50
        assert_same(decoded, message, map_size)
        assert_same_pictures(data, decoded, message)
