"""Games between the engine's own computers, played in this process through its API."""

import logging
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, NamedTuple, cast

from s2clientprotocol import common_pb2 as common_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine.compiled import is_all_cached, note_all_cached
from envs.engine.session import Session

SMALL_MAP = "Melee/Simple64.SC2Map"
TERRAN, ZERG, PROTOSS = 1, 2, 3
VERY_HARD = 7

_PARTS_LOOPS = 2240
_COMPILING_LOOPS = 3000

logger = logging.getLogger(__name__)


class ComputerPlayer(NamedTuple):
    """A built-in opponent; race and difficulty are numbered as in the API."""

    race: int
    difficulty: int


class ComputerGame:
    """Two computers play and an observer looks on; a context manager."""

    def __init__(
        self,
        players: Sequence[ComputerPlayer],
        *,
        map_path: str = SMALL_MAP,
        seed: int = 0,
        options: sc_pb.InterfaceOptions | None = None,
    ) -> None:
        """Begin a game.

        Args:
            players: two, player 1 first.
            map_path: one of the engine's maps.
            seed: of all that is drawn in the game, below 2 ** 32.
            options: what the observer is told; the results alone where nothing is asked for.

        Raises:
            ValueError: the game cannot be, and why.
        """
        self.loop = 0
        self.results: dict[int, int] = {}
        self._session = Session()
        setups = [
            sc_pb.PlayerSetup(
                type=sc_pb.Computer,
                race=cast("common_pb.Race.ValueType", player.race),
                difficulty=cast("sc_pb.Difficulty.ValueType", player.difficulty),
            )
            for player in players
        ]
        create = sc_pb.RequestCreateGame(
            local_map=sc_pb.LocalMap(map_path=map_path),
            player_setup=[*setups, sc_pb.PlayerSetup(type=sc_pb.Observer)],
            random_seed=seed,
        )
        created = self._ask(create_game=create).create_game
        if created.HasField("error"):
            raise ValueError(created.error_details)
        join = sc_pb.RequestJoinGame(
            observed_player_id=0, options=options or sc_pb.InterfaceOptions(score=False)
        )
        joined = self._ask(join_game=join).join_game
        if joined.HasField("error"):
            raise ValueError(joined.error_details)

    def __enter__(self) -> "ComputerGame":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._session.close()

    @property
    def is_over(self) -> bool:
        """Whether the game has ended."""
        return bool(self.results)

    def play(self, until_loop: int) -> None:
        """Go on until a loop, or until the game is over."""
        while self.loop < until_loop and not self.is_over:
            count = min(until_loop - self.loop, _PARTS_LOOPS)
            answer = self._ask(step=sc_pb.RequestStep(count=count))
            self.loop = answer.step.simulation_loop
            if answer.status == sc_pb.ended:
                self.results = {
                    told.player_id: told.result
                    for told in self.observe().player_result
                    if told.player_id
                }

    def observe(self) -> sc_pb.ResponseObservation:
        """Return what the observer sees."""
        return self._ask(observation=sc_pb.RequestObservation()).observation

    def replay(self) -> bytes:
        """Return the replay of the game so far."""
        return self._ask(save_replay=sc_pb.RequestSaveReplay()).save_replay.data

    def _ask(self, **request: Any) -> sc_pb.Response:
        data = self._session.handle(sc_pb.Request(**request).SerializeToString())
        answer = sc_pb.Response.FromString(data)
        if answer.error:
            raise RuntimeError(f"the engine cannot go on: {'; '.join(answer.error)}")
        return answer


def compile_engine() -> None:
    """Have the engine compiled, unless an earlier run has left the machine code."""
    if is_all_cached():
        return
    logger.info("compiling the engine, once for this version of it: up to 90 seconds")
    started = time.monotonic()
    layers = sc_pb.SpatialCameraSetup(
        resolution=common_pb.Size2DI(x=1, y=1), minimap_resolution=common_pb.Size2DI(x=64, y=64)
    )
    options = sc_pb.InterfaceOptions(raw=True, score=True, feature_layer=layers)
    for races in ((TERRAN, ZERG), (PROTOSS, PROTOSS)):
        players = [ComputerPlayer(race, VERY_HARD) for race in races]
        with ComputerGame(players, options=options) as game:
            game.play(_COMPILING_LOOPS)
            game.observe()
    note_all_cached()
    logger.info("compiled in %.0f seconds", time.monotonic() - started)
