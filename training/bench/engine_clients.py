"""Programs that talk to the engine as a benchmark does: in this process, and over the socket."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import websocket
from s2clientprotocol import common_pb2 as common_pb
from s2clientprotocol import debug_pb2 as debug_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine.session import Session

Ask = Callable[[bytes], bytes]
"""Sends a serialized Request and returns the serialized Response."""

OBSERVE = sc_pb.Request(observation=sc_pb.RequestObservation()).SerializeToString()

_ROOT = Path(__file__).parents[2]
_PATIENCE_SECONDS = 180.0
_HEAD_START_LOOPS = 2240
_MARINE, _ZERGLING = 48, 105
_MINIMAP = sc_pb.SpatialCameraSetup(
    resolution=common_pb.Size2DI(x=1, y=1), minimap_resolution=common_pb.Size2DI(x=128, y=128)
)
RAW = sc_pb.InterfaceOptions(raw=True, score=True)
RAW_AND_MINIMAP = sc_pb.InterfaceOptions(raw=True, score=True, feature_layer=_MINIMAP)


@contextmanager
def in_process() -> Iterator[Ask]:
    """Talk to a session in this process."""
    with Session() as session:
        yield session.handle


@contextmanager
def over_the_socket(cache: Path | None = None) -> Iterator[Ask]:
    """Talk to a server in a process of its own, with the client library that pysc2 uses.

    Args:
        cache: a folder for what is compiled, the user's own where none is given.
    """
    port = _free_port()
    environment = os.environ | {"PYTHONPATH": str(_ROOT)}
    if cache is not None:
        environment["XDG_CACHE_HOME"] = str(cache)
    command = [sys.executable, "-P", "-m", "envs.engine.server"]
    with subprocess.Popen(
        [*command, "-listen", "127.0.0.1", "-port", str(port)], env=environment
    ) as process:
        try:
            connection = _connected(process, port)

            def ask(request: bytes) -> bytes:
                connection.send_binary(request)
                answer = connection.recv()
                return answer.encode() if isinstance(answer, str) else answer

            yield ask
            connection.close()
        finally:
            process.kill()


def start_game(ask: Ask, options: sc_pb.InterfaceOptions, *, map_path: str, seed: int) -> None:
    """Begin a game of a Terran participant against a VeryHard Zerg, without fog."""
    players = [
        sc_pb.PlayerSetup(type=sc_pb.Participant),
        sc_pb.PlayerSetup(type=sc_pb.Computer, race=common_pb.Zerg, difficulty=sc_pb.VeryHard),
    ]
    create = sc_pb.RequestCreateGame(
        local_map=sc_pb.LocalMap(map_path=map_path),
        player_setup=players,
        disable_fog=True,
        random_seed=seed,
    )
    answered(ask, create_game=create)
    answered(ask, join_game=sc_pb.RequestJoinGame(race=common_pb.Terran, options=options))


def fill(ask: Ask, num_units: int) -> None:
    """Let the game get under way, and create what is missing of a number of players' units."""
    answered(ask, step=sc_pb.RequestStep(count=_HEAD_START_LOOPS))
    observation = answered(ask, observation=sc_pb.RequestObservation()).observation.observation
    units = [unit for unit in observation.raw_data.units if unit.owner in (1, 2)]
    missing = max(num_units - len(units), 0)
    commands = []
    for owner, unit_type in ((1, _MARINE), (2, _ZERGLING)):
        own = np.array([(unit.pos.x, unit.pos.y) for unit in units if unit.owner == owner])
        x, y = own.mean(axis=0).tolist()
        wanted = debug_pb.DebugCreateUnit(
            unit_type=unit_type,
            owner=owner,
            pos=common_pb.Point2D(x=x, y=y),
            quantity=missing // 2,
        )
        commands.append(debug_pb.DebugCommand(create_unit=wanted))
    if missing > 1:
        answered(ask, debug=sc_pb.RequestDebug(debug=commands))
    answered(ask, step=sc_pb.RequestStep(count=1))


def answered(ask: Ask, **request: Any) -> sc_pb.Response:
    """Return the answer to a request that must not be refused."""
    answer = sc_pb.Response.FromString(ask(sc_pb.Request(**request).SerializeToString()))
    details = answer.create_game.error_details or answer.join_game.error_details
    if answer.error or details:
        raise ValueError(f"the engine refused: {details or '; '.join(answer.error)}")
    return answer


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _connected(process: "subprocess.Popen[bytes]", port: int) -> websocket.WebSocket:
    """Connect to a server that may not listen yet."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return websocket.create_connection(
                f"ws://127.0.0.1:{port}/sc2api", timeout=_PATIENCE_SECONDS
            )
        except ConnectionRefusedError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.005)
