"""One player's conversation with a game over the SC2 API: join, observe, act, go on.

The environment, matches, evaluation and the reading of replays all talk to a game through this,
and cannot tell StarCraft II from the engine.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from s2clientprotocol import common_pb2 as common_pb
from s2clientprotocol import query_pb2 as query_pb
from s2clientprotocol import raw_pb2 as raw_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.actions import IllegalActionError, command_of
from envs.connection import Askable
from envs.game_numbers import ability_of_unit
from envs.interface import MAX_DELAY, Action, EntityFeature, EntityLimits, Race, raw_functions
from envs.observations import GameMap, GameReader, Known, ObservationMaker, Shown
from envs.wire import WireObservation

RAW = sc_pb.InterfaceOptions(raw=True, score=True)

DEADLINE_SECONDS = 60.0
"""How long a game may take to answer, unless it is to start one."""

_START_SECONDS = 300.0
_STARTING = frozenset({"create_game", "join_game", "start_replay"})
_OBSERVE = sc_pb.Request(observation=sc_pb.RequestObservation()).SerializeToString()
_SNAP_REACH = 2
_PLACED = ("Build_", "TrainWarp_", "Land_")


class RequestError(ValueError):
    """The game refused a request, and the message has its words; or its answer is none."""


@dataclass(frozen=True, kw_only=True)
class Opponent:
    """A built-in opponent, numbered as the API numbers races, levels and builds."""

    race: Race
    difficulty: int
    ai_build: int = 1  # RandomBuild


@dataclass(frozen=True, kw_only=True)
class GameSetup:
    """One game of one player."""

    map_path: str  # within the game's folder of maps
    race: Race
    opponent: Opponent | None  # None in mini-games
    seed: int
    player: int = 1  # its number, which decides where it starts

    def __post_init__(self) -> None:
        """Refuse what no game can be."""
        if self.player not in (1, 2) or (self.opponent is None and self.player != 1):
            raise ValueError(f"player must be 1, or 2 against an opponent, got {self.player}")


class Moment(NamedTuple):
    """What the player knows and is shown, and how the game stands."""

    known: Known
    shown: Shown
    loop: int
    score: int
    result: int | None  # of the API's Result, once the game is over


class GameClient:
    """A player in a game."""

    def __init__(
        self,
        connection: Askable,
        *,
        plane_size: int,
        limits: EntityLimits = EntityLimits(),
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        """Prepare to talk to a game.

        Args:
            connection: to the game; it is not closed here.
            plane_size: side of the map planes, in cells.
            limits: how many units are shown.
            deadline_seconds: for each answer, but for those to what starts a game.
        """
        self._connection = connection
        self._deadline_seconds = deadline_seconds
        self._plane_size = plane_size
        self._limits = limits
        self.player = 0
        self.reader: GameReader
        self.game_map: GameMap
        self._maker: ObservationMaker
        self.moment: Moment  # the present

    def start(self, setup: GameSetup) -> Moment:
        """Create a game, join it and look.

        Raises:
            RequestError: the game refused, and why.
        """
        participant = sc_pb.PlayerSetup(type=sc_pb.Participant)
        players = [participant]
        if setup.opponent is not None:
            computer = sc_pb.PlayerSetup(
                type=sc_pb.Computer,
                race=cast("common_pb.Race.ValueType", int(setup.opponent.race)),
                difficulty=cast("sc_pb.Difficulty.ValueType", setup.opponent.difficulty),
                ai_build=cast("sc_pb.AIBuild.ValueType", setup.opponent.ai_build),
            )
            players.insert(2 - setup.player, computer)
        create = sc_pb.RequestCreateGame(
            local_map=sc_pb.LocalMap(map_path=setup.map_path),
            player_setup=players,
            random_seed=setup.seed,
        )
        self.request(create_game=create)
        join = sc_pb.RequestJoinGame(
            race=cast("common_pb.Race.ValueType", int(setup.race)), options=RAW
        )
        self.player = self.request(join_game=join).join_game.player_id
        away = Race.NONE if setup.opponent is None else setup.opponent.race
        return self.enter(home_race=setup.race, away_race=away)

    def enter(self, *, home_race: Race, away_race: Race) -> Moment:
        """Look around in a game that was joined, or a replay that was started."""
        info = self.request(game_info=sc_pb.RequestGameInfo()).game_info
        self.game_map = map_of_game_info(info)
        self.reader = GameReader(self.game_map, home_race=home_race, away_race=away_race)
        self._maker = ObservationMaker(
            self.game_map, plane_size=self._plane_size, limits=self._limits
        )
        return self.observe()

    def observe(self) -> Moment:
        """Return what the player is shown now.

        Raises:
            RequestError: the game shows nothing, and its words, or what cannot be read.
            GameError: the game is gone, or does not answer.
        """
        response = self._connection.ask(_OBSERVE, deadline_seconds=self._deadline_seconds)
        try:
            wire = self.reader.decode(response)
            known = self.reader.known(wire, response)
        except ValueError as error:
            raise RequestError(f"{'; '.join(_message(response).error) or error}") from error
        shown = self._maker.observation(known)
        self.moment = Moment(known, shown, wire.game_loop, wire.score, self._result(wire))
        return self.moment

    def act(self, action: Action) -> str | None:
        """Do an action on what was last observed; return why it is none, if so.

        What the game refuses leaves no trace in later observations, as replays do not hold it.

        Where a building is placed and the game says that it does not fit, the place is moved to
        the nearest at which it does, up to two world units to each side: policies choose among
        cells, which are coarser than places.
        """
        moment = self.moment
        try:
            command = command_of(action, moment.shown)
        except IllegalActionError as error:
            return str(error)
        if command is None:
            return None
        if raw_functions()[action.action_type].name.startswith(_PLACED) and command.place:
            placer = moment.shown.observation.entities[action.selected_units[0]]
            ability = ability_of_unit(action.action_type, int(placer[EntityFeature.UNIT_TYPE]))
            tag = command.selected.view(np.uint64)[0].item()
            command = command._replace(place=self._fitting_place(ability, tag, command.place))
        reason = self._send(command.message())
        if reason is None:
            self.reader.note_action(moment.loop, action, command.selected, command.target)
        return reason

    def step(self, loops: int) -> Moment:
        """Let game loops pass, and look."""
        self.advance(loops)
        return self.observe()

    def advance(self, loops: int) -> None:
        """Let game loops pass; where another player is in the game, once that one does too."""
        self.request(step=sc_pb.RequestStep(count=min(max(loops, 1), MAX_DELAY)))

    def version(self) -> str:
        """Return the release that the game gives itself out for."""
        return self.request(ping=sc_pb.RequestPing()).ping.game_version

    def replay(self) -> bytes:
        """Return the replay of the game so far."""
        return self.request(save_replay=sc_pb.RequestSaveReplay()).save_replay.data

    def request(self, **request: Any) -> sc_pb.Response:
        """Send a request that must not be refused.

        Raises:
            RequestError: it was, with the game's words.
            GameError: the game is gone, or does not answer.
        """
        (name,) = request
        deadline = _START_SECONDS if name in _STARTING else self._deadline_seconds
        content = sc_pb.Request(**request).SerializeToString()
        response = _message(self._connection.ask(content, deadline_seconds=deadline))
        part = getattr(response, name)
        words = list(response.error)
        if "error" in part.DESCRIPTOR.fields_by_name and part.HasField("error"):
            kind = part.DESCRIPTOR.fields_by_name["error"].enum_type.values_by_number[part.error]
            words.append(f"{kind.name} {part.error_details}".strip())
        if words:
            raise RequestError(f"the game refused {name}: {'; '.join(words)}")
        return response

    def _send(self, action: raw_pb.ActionRaw) -> str | None:
        actions = [sc_pb.Action(action_raw=action)]
        results = self.request(action=sc_pb.RequestAction(actions=actions)).action.result
        refused = [result for result in results if result != _SUCCESS]
        return _ACTION_RESULTS[refused[0]] if refused else None

    def _fitting_place(
        self, ability_id: int, placer: int, place: tuple[float, float]
    ) -> tuple[float, float]:
        """Return the nearest place at which a building fits; the place itself if there is none.

        Args:
            ability_id: the specific one of the unit, since buildings that fly differ in size.
            placer: tag of the unit that is told to build or land.
            place: in world units.
        """
        x, y = place
        places = [(x + away_x, y + away_y) for away_x, away_y in _OFFSETS]
        placements = [
            query_pb.RequestQueryBuildingPlacement(
                ability_id=ability_id,
                target_pos=common_pb.Point2D(x=there[0], y=there[1]),
                placing_unit_tag=placer,
            )
            for there in places
        ]
        query = query_pb.RequestQuery(placements=placements)
        answers = self.request(query=query).query.placements
        fitting = (
            there
            for there, answer in zip(places, answers, strict=True)
            if answer.result == _SUCCESS
        )
        return next(fitting, place)

    def _result(self, wire: WireObservation) -> int | None:
        of_player = wire.results[wire.results[:, 0] == self.player, 1]
        return int(of_player[0]) if len(of_player) else None


_SUCCESS = 1
_ACTION_RESULTS = {
    number: value.name
    for number, value in sc_pb.ResponseAction.DESCRIPTOR.fields_by_name[
        "result"
    ].enum_type.values_by_number.items()
}
_SIDE = range(-_SNAP_REACH, _SNAP_REACH + 1)
_OFFSETS = sorted(((x, y) for x in _SIDE for y in _SIDE), key=lambda o: (o[0] ** 2 + o[1] ** 2, o))


def _message(response: bytes) -> sc_pb.Response:
    try:
        return sc_pb.Response.FromString(response)
    except Exception as error:  # protobuf's DecodeError, which only protobuf itself could name
        raise RequestError(f"the game answered {response[:40]!r}, which is no response") from error


def map_of_game_info(info: sc_pb.ResponseGameInfo) -> GameMap:
    """Read what a game tells of its map at the start."""
    raw = info.start_raw
    return GameMap(
        name=info.map_name,
        width=raw.map_size.x,
        height=raw.map_size.y,
        terrain_height=_grid(raw.terrain_height),
        is_pathable=_grid(raw.pathing_grid) > 0,
        is_buildable=_grid(raw.placement_grid) > 0,
        starts=tuple((start.x, start.y) for start in raw.start_locations),
    )


def _grid(image: Any) -> NDArray[np.uint8]:
    """Return a picture of a start message by row and column.

    Raises:
        ValueError: it is not one bit or one byte a cell, or has other bytes than its size asks for.
    """
    content = np.frombuffer(image.data, np.uint8)
    size = image.size.x * image.size.y
    if image.bits_per_pixel not in (1, 8) or len(content) != (size * image.bits_per_pixel + 7) // 8:
        raise ValueError(
            f"the game must describe its map in 1 or 8 bits a cell, it sent {len(content)} bytes "
            f"for {image.size.x} x {image.size.y} cells of {image.bits_per_pixel} bits"
        )
    cells = np.unpackbits(content, count=size) if image.bits_per_pixel == 1 else content
    return cells.reshape(image.size.y, image.size.x)
