"""The engine's one door: a request of the SC2 API in, as bytes; its response out, as bytes.

A session is what one client talks to: in the same process, behind the websocket, or, for the guest
of a two-player game, behind the link from the guest's process. It knows which requests are legal
when, sets games and replays up, and passes everything else on to its seat at the match.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine.bots.levels import level
from envs.engine.data_response import data_response
from envs.engine.errors import GameRefused, LinkError, ReplayError, RequestRefused
from envs.engine.game_folder import MAX_MAP_BYTES, GameFolder
from envs.engine.link import (
    GREETING_SECONDS,
    Link,
    Wait,
    connect_to_host,
    serve_guest,
    wait_for_guest,
)
from envs.engine.lobby import (
    Participation,
    PlannedGame,
    following_seed,
    participation,
    planned_game,
    problem_with_options,
    setting,
)
from envs.engine.playback import Playback
from envs.engine.recording import Recording
from envs.engine.replay_file import write_replay
from envs.engine.replay_requests import asked_replay, replay_info
from envs.engine.seat import Role, Seat
from envs.engine.shared_match import Pace, SharedMatch
from envs.engine.varints import varint
from envs.engine.versions import DEFAULT_VERSION, GameVersion

JOIN_TIMEOUT_SECONDS = 300.0
"""How long the players of a two-player game wait for each other."""

_GAME_HAS_ENDED = "Game has already ended"
"""Clients look for these words."""

_FAREWELL_SECONDS = 5.0
"""How long who quits waits for the other to hear the end: clients then kill both processes."""

_WIRE_TYPE_MESSAGE = 2

_ALWAYS = frozenset({"available_maps", "create_game", "ping", "quit", "replay_info", "save_map"})
_OF_A_GAME = frozenset({"data", "game_info", "leave_game", "observation", "query", "save_replay"})
_WHILE_IT_GOES_ON = frozenset({"obs_action", "step"})
_OF_A_PLAYER = frozenset({"action", "debug"})
_ACCEPTED: dict[int, frozenset[str]] = {
    sc_pb.launched: _ALWAYS | {"join_game", "start_replay"},
    sc_pb.init_game: _ALWAYS | {"join_game", "leave_game", "start_replay"},
    sc_pb.in_game: _ALWAYS
    | _OF_A_GAME
    | _WHILE_IT_GOES_ON
    | _OF_A_PLAYER
    | {"restart_game", "start_replay"},
    sc_pb.in_replay: _ALWAYS | _OF_A_GAME | _WHILE_IT_GOES_ON | {"start_replay"},
    sc_pb.ended: _ALWAYS | _OF_A_GAME | {"restart_game", "start_replay"},
    sc_pb.quit: frozenset(),
}
_RELAYED = _OF_A_GAME | _WHILE_IT_GOES_ON | _OF_A_PLAYER | {"restart_game"}
_TELLS_OF_THE_END = frozenset({"observation", "step"})
"""What a client hears from that its game is over: none looks for that in other answers."""

_UNSUPPORTED = frozenset({"map_command", "quick_load", "quick_save"})

_PREFIXES = {
    field.name: varint(field.number << 3 | _WIRE_TYPE_MESSAGE)
    for field in sc_pb.Response.DESCRIPTOR.oneofs_by_name["response"].fields
}

_logger = logging.getLogger(__name__)


class Session:
    """One client's conversation with the engine; a context manager, which leaves at the end."""

    def __init__(
        self,
        *,
        version: GameVersion = DEFAULT_VERSION,
        data_folder: Path | None = None,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        """Begin at status ``launched``.

        Args:
            version: the release of StarCraft II to give itself out for.
            data_folder: the StarCraft II folder in which to look for maps and replays.
            is_wanted: whether the client is still there; what takes long is given up without it.
        """
        self._version = version
        self._folder = GameFolder(data_folder)
        self._is_wanted = is_wanted
        self._status: sc_pb.Status.ValueType = sc_pb.launched
        self._planned: PlannedGame | None = None
        self._seat: Seat | None = None
        self._last_seat: Seat | None = None  # what was left can still be saved
        self._relay: Link | None = None  # to the host, for the guest's process
        # What seats a guest, in the host's process.
        self._invitation: Callable[[sc_pb.RequestJoinGame], Seat] | None = None
        self._handlers: dict[str, Callable[[Any], bytes]] = {
            "action": lambda request: self._taken_seat().act(request),
            "available_maps": lambda _: self._available_maps(),
            "create_game": self._create_game,
            "data": data_response,
            "debug": lambda request: self._taken_seat().debug(request),
            "game_info": lambda request: self._taken_seat().game_info(request),
            "join_game": self._join_game,
            "leave_game": lambda _: self._leave_game(),
            "obs_action": lambda request: self._taken_seat().watch(request),
            "observation": lambda request: self._taken_seat().observe(request, is_wanted),
            "ping": lambda _: self._ping(),
            "query": lambda request: self._taken_seat().query(request),
            "quit": lambda _: self._quit(),
            "replay_info": self._replay_info,
            "restart_game": lambda _: self._restart_game(),
            "save_map": self._save_map,
            "save_replay": lambda _: self._save_replay(),
            "start_replay": self._start_replay,
            "step": lambda request: self._taken_seat().step(request, is_wanted),
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def status(self) -> int:
        """The API's status, as the last response told it."""
        return self._status

    @property
    def has_quit(self) -> bool:
        """Whether the client has asked for the end of the program."""
        return self._status == sc_pb.quit

    def handle(self, request: bytes) -> bytes:
        """Answer a serialized Request with a serialized Response; never raises."""
        try:
            message = sc_pb.Request.FromString(request)
        except Exception:  # protobuf's DecodeError, which only protobuf itself could name
            return self._error(None, None, "the request cannot be decoded")
        request_id = message.id if message.HasField("id") else None
        name = message.WhichOneof("request")
        try:
            if name is None:
                raise RequestRefused("the request is empty or unknown")
            if not _is_text_throughout(message):
                raise RequestRefused("the request holds text that is not UTF-8")
            self._check_status(name)
            if name in _RELAYED and self._relay is not None:
                return self._ask_host(self._relay, request, Wait(is_wanted=self._is_wanted))
            if name == "join_game" and self._is_hosted_elsewhere(message.join_game):
                return self._join_host(message.join_game, request)
            payload = self._handlers[name](getattr(message, name))
            return self._answer(request_id, name, payload)
        except (RequestRefused, ReplayError, LinkError) as refused:
            return self._error(request_id, name, str(refused))
        # A fault of the engine's must cost its client one request, not the server or a training.
        except Exception as error:
            _logger.exception("a request failed: %s", name)
            text = f"internal error: {type(error).__name__}: {error}"
            return self._error(request_id, name, text)

    def close(self) -> None:
        """Leave the game, if there is one, and let go of everything."""
        self._leave_match()
        self._planned = self._last_seat = None
        if self._relay is not None:
            self._relay.close()
            self._relay = None

    # What responses are made of.

    def _check_status(self, name: str) -> None:
        if name in _ACCEPTED[self._status]:
            return
        if name == "save_replay" and self._has_left():
            return
        if name in _UNSUPPORTED:
            raise RequestRefused(f"{name} is not supported by this engine")
        if self._status == sc_pb.ended and name in _WHILE_IT_GOES_ON | _OF_A_PLAYER:
            raise RequestRefused(_GAME_HAS_ENDED)
        if self._status in (sc_pb.launched, sc_pb.init_game):
            raise RequestRefused("Not in a game")
        raise RequestRefused(f"{name} is not possible at status {sc_pb.Status.Name(self._status)}")

    def _has_left(self) -> bool:
        """Return whether the client has left a game of which there is still a record."""
        has_record = self._last_seat is not None or self._relay is not None
        return self._status == sc_pb.launched and has_record

    def _answer(self, request_id: int | None, name: str, payload: bytes) -> bytes:
        self._notice_end(name)
        head = sc_pb.Response(id=request_id, status=self._status).SerializeToString()
        return head + _PREFIXES[name] + varint(len(payload)) + payload

    def _error(self, request_id: int | None, name: str | None, text: str) -> bytes:
        self._notice_end(name)
        return sc_pb.Response(id=request_id, status=self._status, error=[text]).SerializeToString()

    def _notice_end(self, name: str | None) -> None:
        """Go on to status ``ended`` with an answer in which clients look for it.

        A game may end in the middle of a client's turn, when the other leaves or a unit is killed
        by a debug request. The client's turn ends first.
        """
        is_on = self._status in (sc_pb.in_game, sc_pb.in_replay)
        if not is_on or name not in _TELLS_OF_THE_END or self._seat is None:
            return
        if self._seat.shared.course.is_over:
            self._status = sc_pb.ended

    # Games that are played here.

    def _create_game(self, request: sc_pb.RequestCreateGame) -> bytes:
        try:
            planned = planned_game(request, self._folder)
        except GameRefused as refused:
            return sc_pb.ResponseCreateGame(
                error=refused.code, error_details=str(refused)
            ).SerializeToString()
        _warn_of_computers(planned)
        self.close()
        self._planned = planned
        self._status = sc_pb.init_game
        return b""

    def _join_game(self, request: sc_pb.RequestJoinGame) -> bytes:
        return _join_answer(lambda: self._join_planned(request))

    def _join_planned(self, request: sc_pb.RequestJoinGame) -> int:
        """Join the game that was created here; return the number of this client's player."""
        if self._invitation is not None:
            seat = self._invitation(request)
            self._take(seat)
            return seat.player
        planned = self._planned
        if planned is None:
            code = sc_pb.ResponseJoinGame.MissingPorts
            raise GameRefused(code, "no game was created here, and ports of another's are missing")
        own = participation(request, planned)
        players = planned.participants()
        if len(players) > 1:
            return self._host(request.server_ports.base_port, planned, own)
        if not players:
            self._begin(planned, {}, own.observed_player, own, Role.WATCHES)
            return own.observed_player
        self._begin(planned, {players[0]: own}, players[0], own, Role.PLAYS)
        return players[0]

    def _begin(
        self,
        planned: PlannedGame,
        joined: dict[int, Participation],
        player: int,
        own: Participation,
        role: Role,
    ) -> SharedMatch:
        recording = Recording(planned.game_map, setting(planned, joined), self._version)
        shared = SharedMatch(recording, planned.pace)
        self._planned = None
        self._take(Seat(shared, player, own.options, role, has_fog=player > 0))
        return shared

    def _restart_game(self) -> bytes:
        seat = self._taken_seat()
        recording = seat.recording
        if recording is None:
            raise RequestRefused("a replay is started again with start_replay")
        contestants = recording.setting.contestants
        if sum(not contestant.is_computer for contestant in contestants) > 1:
            raise RequestRefused("restart_game is for games of one participant: create a new one")
        again = replace(recording.setting, seed=following_seed(recording.setting.seed))
        recording = Recording(recording.game_map, again, self._version)
        self._leave_match()
        shared = SharedMatch(recording, seat.shared.pace)
        self._take(Seat(shared, seat.player, seat.options, seat.role, has_fog=seat.player > 0))
        return b""

    def _leave_game(self) -> bytes:
        self._leave_match()
        self._planned = None
        self._status = sc_pb.launched
        return b""

    def _take(self, seat: Seat) -> None:
        self._seat = seat
        self._last_seat = seat
        self._status = sc_pb.in_game if seat.recording is not None else sc_pb.in_replay

    def _taken_seat(self) -> Seat:
        if self._seat is None:
            raise RequestRefused("Not in a game")
        return self._seat

    def _leave_match(self) -> None:
        if self._seat is not None:
            seat, self._seat = self._seat, None
            seat.leave()

    # Games of two processes.

    def _host(self, port: int, planned: PlannedGame, own: Participation) -> int:
        """Wait for the guest, begin the game, and answer the guest from a thread of its own."""
        if not port:
            code = sc_pb.ResponseJoinGame.MissingPorts
            raise GameRefused(code, "two participants need server_ports and client_ports")
        host, guest = planned.participants()
        link = wait_for_guest(port, Wait(JOIN_TIMEOUT_SECONDS, is_wanted=self._is_wanted))
        guest_session = Session(version=self._version, is_wanted=link.is_connected)

        def seat_for(join: sc_pb.RequestJoinGame) -> Seat:
            theirs = participation(join, planned)
            shared = self._begin(planned, {host: own, guest: theirs}, host, own, Role.PLAYS)
            return Seat(shared, guest, theirs.options, Role.PLAYS)

        guest_session._invitation = seat_for
        try:
            request, _ = link.receive(Wait(GREETING_SECONDS))
            link.send(guest_session.handle(request), status=guest_session.status)
            if guest_session.status != sc_pb.in_game:
                raise LinkError("the other player could not join")
        except LinkError:
            guest_session.close()
            link.close()
            self._leave_match()
            self._planned, self._status = planned, sc_pb.init_game
            raise
        threading.Thread(
            target=serve_guest, args=(link, guest_session), name="guest", daemon=True
        ).start()
        return host

    def _is_hosted_elsewhere(self, join: sc_pb.RequestJoinGame) -> bool:
        has_ports = bool(join.server_ports.base_port and join.client_ports)
        return has_ports and self._planned is None and self._invitation is None

    def _join_host(self, join: sc_pb.RequestJoinGame, request: bytes) -> bytes:
        """Join the game that another process has created, and be its relay from then on."""
        self.close()
        wait = Wait(JOIN_TIMEOUT_SECONDS, is_wanted=self._is_wanted)
        self._relay = connect_to_host(join.server_ports.base_port, wait)
        response = self._ask_host(self._relay, request, wait)
        if self._status == sc_pb.launched:  # it was refused
            self.close()
        return response

    def _ask_host(self, relay: Link, request: bytes, wait: Wait) -> bytes:
        try:
            response, status = relay.ask(request, wait)
        except LinkError:
            self.close()
            self._status = sc_pb.launched
            raise
        self._status = cast("sc_pb.Status.ValueType", status)
        return response

    # Replays.

    def _start_replay(self, request: sc_pb.RequestStartReplay) -> bytes:
        codes = sc_pb.ResponseStartReplay
        try:
            if not request.HasField("options"):
                raise GameRefused(codes.MissingOptions, "options are missing")
            problem = problem_with_options(request.options)
            if problem is not None:
                raise GameRefused(codes.LaunchError, problem)
            replay = asked_replay(request, self._folder, codes)
            player = request.observed_player_id
            if not 0 <= player <= len(replay.setting.contestants):
                raise GameRefused(codes.InvalidObservedPlayerId, f"there is no player {player}")
            try:
                playback = Playback(replay)
            except ReplayError as error:
                raise GameRefused(codes.InvalidReplayData, str(error)) from error
        except GameRefused as refused:
            return codes(error=refused.code, error_details=str(refused)).SerializeToString()
        self.close()
        shared = SharedMatch(playback, Pace.REAL_TIME if request.realtime else Pace.STEPS)
        has_fog = player > 0 and not request.disable_fog
        self._take(Seat(shared, player, request.options, Role.WATCHES, has_fog=has_fog))
        return b""

    def _replay_info(self, request: sc_pb.RequestReplayInfo) -> bytes:
        codes = sc_pb.ResponseReplayInfo
        try:
            return replay_info(asked_replay(request, self._folder, codes)).SerializeToString()
        except GameRefused as refused:
            return codes(error=refused.code, error_details=str(refused)).SerializeToString()

    def _save_replay(self) -> bytes:
        if self._last_seat is None:
            raise RequestRefused("Not in a game")
        data = write_replay(self._last_seat.replay())
        return sc_pb.ResponseSaveReplay(data=data).SerializeToString()

    # The rest.

    def _ping(self) -> bytes:
        return sc_pb.ResponsePing(
            game_version=self._version.full_version,
            data_version=self._version.data_version,
            data_build=self._version.base_build,
            base_build=self._version.base_build,
        ).SerializeToString()

    def _available_maps(self) -> bytes:
        return sc_pb.ResponseAvailableMaps(
            local_map_paths=self._folder.map_paths(), battlenet_map_names=self._folder.map_names()
        ).SerializeToString()

    def _save_map(self, request: sc_pb.RequestSaveMap) -> bytes:
        if not request.map_path or not 0 < len(request.map_data) <= MAX_MAP_BYTES:
            code = sc_pb.ResponseSaveMap.InvalidMapData
            return sc_pb.ResponseSaveMap(error=code).SerializeToString()
        self._folder.save_map(request.map_path, request.map_data)
        return b""

    def _quit(self) -> bytes:
        """Say goodbye, but not before the other player has heard how the game ended, and left."""
        self._leave_match()
        if self._relay is not None:
            goodbye = sc_pb.Request(quit=sc_pb.RequestQuit()).SerializeToString()
            with suppress(LinkError):
                self._relay.ask(goodbye, Wait(2 * _FAREWELL_SECONDS))
        elif self._last_seat is not None:
            self._last_seat.shared.wait_until_empty(timeout_seconds=_FAREWELL_SECONDS)
        self.close()
        self._status = sc_pb.quit
        return b""


def _is_text_throughout(message: Any) -> bool:
    """Return whether all text in a message is: protobuf hands on what is not as bytes."""
    for field, value in message.ListFields():
        if field.message_type is not None:
            parts = [value] if hasattr(value, "ListFields") else value
            if not all(_is_text_throughout(part) for part in parts):
                return False
        elif field.type == field.TYPE_STRING and isinstance(value, bytes):
            return False
    return True


def _warn_of_computers(planned: PlannedGame) -> None:
    """Log, in one line, how the computers of a game will play otherwise than was asked."""
    other = []
    for player, setup in enumerate(planned.players, start=1):
        if setup.type != sc_pb.Computer:
            continue
        played = level(setup.difficulty)
        if played.difficulty != setup.difficulty:
            asked = sc_pb.Difficulty.Name(setup.difficulty)
            other.append(f"player {player} plays as {played.name}, since there is no {asked}")
        if setup.ai_build != sc_pb.RandomBuild:
            asked = sc_pb.AIBuild.Name(setup.ai_build)
            other.append(f"player {player} builds what its race always does, not {asked}")
    if other:
        _logger.warning("the engine's computers differ from what was asked: %s", "; ".join(other))


def _join_answer(join: Callable[[], int]) -> bytes:
    """Return the answer to a request to join, which is done by calling ``join``."""
    try:
        return sc_pb.ResponseJoinGame(player_id=join()).SerializeToString()
    except GameRefused as refused:
        return sc_pb.ResponseJoinGame(
            error=refused.code, error_details=str(refused)
        ).SerializeToString()
    except LinkError as error:
        code = sc_pb.ResponseJoinGame.NetworkError
        return sc_pb.ResponseJoinGame(error=code, error_details=str(error)).SerializeToString()
