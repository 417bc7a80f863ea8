"""What a client is told of the game as a whole: ResponseGameInfo."""

from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from s2clientprotocol import common_pb2 as common_pb
from s2clientprotocol import raw_pb2 as raw_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine.layout import ONE
from envs.engine.match import Match
from envs.engine.replay_file import Contestant, Setting
from envs.engine.terrain import GameMap

_SEEN_NOW = 2


class View(NamedTuple):
    """What a client may know of a game."""

    player: int  # whose eyes it has; 0 for an observer
    has_fog: bool
    knows_all_races: bool


class GameInfo:
    """The answer for one client, of which the grid of where one can walk alone changes.

    As in the real game, that grid has the buildings and resources that were there when the player
    last saw the place (and asked), and no others; where one may build it is told as the terrain
    alone allows.
    """

    def __init__(
        self,
        match: Match,
        setting: Setting,
        view: View,
        options: sc_pb.InterfaceOptions,
    ) -> None:
        """Make what does not change; a match must be at its start.

        Args:
            match: the match.
            setting: what it was made from.
            view: what the client may know.
            options: the interface that the client asked for.
        """
        self._match = match
        self._eyes = view.player if view.has_fog and not setting.disable_fog else 0
        self._blocked = np.zeros_like(match.world.blocked)
        self._constant = _constant_part(match, setting, view, options)

    def message(self) -> bytes:
        """Return the answer; the messages that protobuf finds twice it takes for parts of one."""
        world = self._match.world
        if not self._eyes or world.players["sees_all"][self._eyes]:
            self._blocked = world.blocked
        else:
            is_seen = world.visibility[self._eyes] == _SEEN_NOW
            self._blocked = np.where(is_seen, world.blocked, self._blocked)
        is_open = (self._blocked == 0) & (world.pathable != 0)
        changing = sc_pb.ResponseGameInfo(start_raw=raw_pb.StartRaw(pathing_grid=_bits(is_open)))
        return self._constant + changing.SerializeToString()


def _constant_part(
    match: Match, setting: Setting, view: View, options: sc_pb.InterfaceOptions
) -> bytes:
    game_map = match.game_map
    left, bottom, right, top = game_map.playable
    starts = _starts_of_others(match, game_map, view.player)
    height = match.world.height
    return sc_pb.ResponseGameInfo(
        map_name=setting.map_name,
        local_map_path=setting.map_path,
        player_info=[
            player_info(
                number, contestant, tells_race=view.knows_all_races or number == view.player
            )
            for number, contestant in enumerate(setting.contestants, start=1)
        ],
        start_raw=raw_pb.StartRaw(
            map_size=common_pb.Size2DI(x=game_map.width, y=game_map.height),
            terrain_height=common_pb.ImageData(
                bits_per_pixel=8, size=_size(height), data=height.tobytes()
            ),
            placement_grid=_bits(match.world.buildable != 0),
            playable_area=common_pb.RectangleI(
                p0=common_pb.PointI(x=left, y=bottom), p1=common_pb.PointI(x=right, y=top)
            ),
            start_locations=[common_pb.Point2D(x=x, y=y) for x, y in starts],
        ),
        options=options,
    ).SerializeToString()


def player_info(number: int, contestant: Contestant, *, tells_race: bool) -> sc_pb.PlayerInfo:
    """Return what is told of a player; the race that Random became only to those who may know."""
    info = sc_pb.PlayerInfo(
        player_id=number,
        type=sc_pb.Computer if contestant.is_computer else sc_pb.Participant,
        race_requested=cast("common_pb.Race.ValueType", contestant.race_requested),
        player_name=contestant.name,
    )
    if tells_race:
        info.race_actual = cast("common_pb.Race.ValueType", contestant.race)
    if contestant.is_computer:
        info.difficulty = cast("sc_pb.Difficulty.ValueType", contestant.difficulty)
        info.ai_build = cast("sc_pb.AIBuild.ValueType", contestant.ai_build)
    return info


def _starts_of_others(match: Match, game_map: GameMap, player: int) -> list[tuple[float, float]]:
    """Return the start locations, without the one about which a player's units stand."""
    starts = [(float(x), float(y)) for x, y in game_map.starts]
    units = match.world.units
    own = (units["tag"] != 0) & (units["owner"] == player)
    if not player or not own.any() or len(starts) < 2:
        return starts
    x, y = float(units["x"][own].mean()) / ONE, float(units["y"][own].mean()) / ONE
    starts.remove(min(starts, key=lambda start: (start[0] - x) ** 2 + (start[1] - y) ** 2))
    return starts


def _bits(grid: NDArray[np.bool_]) -> common_pb.ImageData:
    return common_pb.ImageData(
        bits_per_pixel=1, size=_size(grid), data=np.packbits(grid, axis=None).tobytes()
    )


def _size(grid: NDArray[np.generic]) -> common_pb.Size2DI:
    height, width = grid.shape
    return common_pb.Size2DI(x=width, y=height)
