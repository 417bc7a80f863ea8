"""Units put on a small map by hand, and how the network is shown them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from s2clientprotocol import common_pb2 as common_pb
from s2clientprotocol import raw_pb2 as raw_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.interface import (
    Race,
)
from envs.observations import GameMap, GameReader, ObservationMaker, Shown

SIDE = 32  # of the small map that units are put on by hand


def reader_of(game_map: GameMap) -> GameReader:
    return GameReader(game_map, home_race=Race.TERRAN, away_race=Race.RANDOM)


def small_map() -> GameMap:
    """A map of nothing."""
    cells = np.zeros((SIDE, SIDE), np.uint8)
    return GameMap("nowhere", SIDE, SIDE, cells, cells > 0, cells > 0, ())


def seen(*units: raw_pb.Unit, loop: int = 5, **parts: Any) -> bytes:
    """A response that shows units on the small map."""
    size = common_pb.Size2DI(x=SIDE, y=SIDE)
    blank = common_pb.ImageData(bits_per_pixel=8, size=size, data=bytes(SIDE * SIDE))
    raw = raw_pb.ObservationRaw(
        units=units, map_state=raw_pb.MapState(visibility=blank, creep=blank), **parts
    )
    observation = sc_pb.Observation(raw_data=raw, game_loop=loop)
    message = sc_pb.ResponseObservation(observation=observation)
    return sc_pb.Response(observation=message).SerializeToString()


def unit(tag: int, **changes: Any) -> raw_pb.Unit:
    """A Marine of the player's own."""
    values = {
        "display_type": raw_pb.Visible,
        "alliance": raw_pb.Self,
        "unit_type": 48,
        "pos": common_pb.Point(x=10, y=20),
        "build_progress": 1.0,
        **changes,
    }
    return raw_pb.Unit(tag=tag, **values)


def shown(followed: GameReader, data: bytes, **maker: Any) -> Shown:
    making = ObservationMaker(followed.game_map, **{"plane_size": 256, **maker})
    return making.observation(followed.known(followed.decode(data), data))


def tags_of(*tags: int) -> NDArray[np.int64]:
    return np.array(tags, np.int64)
