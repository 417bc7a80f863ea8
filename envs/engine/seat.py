"""A client's place at a match: what it sees of it, what it does in it, whose eyes it has."""

from collections.abc import Callable
from enum import Enum
from typing import Literal, cast

from s2clientprotocol import error_pb2 as error_pb
from s2clientprotocol import query_pb2 as query_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine.errors import RequestRefused
from envs.engine.game_info_response import GameInfo, View
from envs.engine.observe import OBSERVER, Observer
from envs.engine.playback import Playback
from envs.engine.queries import query
from envs.engine.recording import SUCCESS, Recording
from envs.engine.replay_file import Replay
from envs.engine.shared_match import Pace, SharedMatch

_NOT_SUPPORTED = 2
_ACTIONS_ON_A_SCREEN: tuple[Literal["action_feature_layer", "action_render", "action_ui"], ...] = (
    "action_feature_layer",
    "action_render",
    "action_ui",
)


class Role(Enum):
    """What a client is to a match."""

    PLAYS = "gives a player's commands"
    WATCHES = "looks on, at computers or at a replay"


class Seat:
    """One client's place; its methods take the API's requests and return serialized answers."""

    def __init__(
        self,
        shared: SharedMatch,
        player: int,
        options: sc_pb.InterfaceOptions,
        role: Role,
        *,
        has_fog: bool = True,
    ) -> None:
        """Take a place at a match that is at its first loop.

        Args:
            shared: the match.
            player: whose eyes the client has; 0 for an observer.
            options: the interface that the client asked for.
            role: whether the client plays.
            has_fog: whether the client sees only what its player does.
        """
        self.shared = shared
        self.player = player
        self.options = options
        self.role = role
        course = shared.course
        view = View(player, has_fog=has_fog, knows_all_races=role is Role.WATCHES)
        self._has_fog = has_fog and not course.setting.disable_fog
        self._observer = Observer(course.match, player, options)
        self._game_info = GameInfo(course.match, course.setting, view=view, options=options)
        self._number = shared.sit_down()

    @property
    def recording(self) -> Recording | None:
        """The match in progress, nothing for a replay."""
        course = self.shared.course
        return course if isinstance(course, Recording) else None

    def game_info(self, request: sc_pb.RequestGameInfo) -> bytes:
        """Tell of the game as a whole."""
        del request
        with self.shared.turn():
            return self._game_info.message()

    def observe(self, request: sc_pb.RequestObservation, is_wanted: Callable[[], bool]) -> bytes:
        """Tell what the client sees; in real time, once the loop that it asks for has come."""
        if self.shared.pace is Pace.REAL_TIME and request.game_loop:
            self.shared.wait_for_loop(self._number, request.game_loop, is_wanted)
        with self.shared.turn():
            has_fog = self._has_fog and not request.disable_fog
            return self._observer.observation(disable_fog=not has_fog) + self._more_results()

    def act(self, request: sc_pb.RequestAction) -> bytes:
        """Give commands; there is one result for each, and nothing comes of it after the end."""
        with self.shared.turn():
            recording = self._played()
            is_over = recording.is_over
            results = [
                SUCCESS if is_over else self._result(recording, action)
                for action in request.actions
            ]
        return sc_pb.ResponseAction(
            result=cast("list[error_pb.ActionResult.ValueType]", results)
        ).SerializeToString()

    def watch(self, request: sc_pb.RequestObserverAction) -> bytes:
        """Move the camera; the other ways of looking on that the API has change nothing."""
        with self.shared.turn():
            for action in request.actions:
                if action.HasField("camera_move"):
                    place = action.camera_move.world_pos
                    self._look_at(place.x, place.y)
        return b""

    def step(self, request: sc_pb.RequestStep, is_wanted: Callable[[], bool]) -> bytes:
        """Go on by some loops, as long as the client is there."""
        if self.shared.pace is Pace.REAL_TIME:
            raise RequestRefused("step is not possible in real time: the game goes on by itself")
        num_loops = request.count if request.HasField("count") else 1
        loop = self.shared.step(self._number, num_loops, is_wanted)
        return sc_pb.ResponseStep(simulation_loop=loop).SerializeToString()

    def query(self, request: query_pb.RequestQuery) -> bytes:
        """Answer questions of paths, placements and abilities."""
        with self.shared.turn():
            return query(self.shared.course.match, self.player, request).SerializeToString()

    def debug(self, request: sc_pb.RequestDebug) -> bytes:
        """Change the game as no player can, while it goes on; drawings are taken and not drawn."""
        with self.shared.turn():
            recording = self._played()
            if self.role is Role.WATCHES:
                raise RequestRefused("an observer changes nothing")
            for command in request.debug:
                which = command.WhichOneof("command")
                if which == "test_process":
                    raise RequestRefused("debug test_process is not supported by this engine")
                if which not in ("draw", None) and not recording.is_over:
                    recording.debug(self.player, command)
        return b""

    def replay(self) -> Replay:
        """Return what there is to see again."""
        with self.shared.turn():
            course = self.shared.course
            if isinstance(course, Recording):
                return course.replay()
            assert isinstance(course, Playback)
            return course.replay

    def leave(self) -> None:
        """Give the place up; who plays gives the game up with it."""
        recording = self.recording
        if recording is not None and self.role is Role.PLAYS:
            with self.shared.turn():
                recording.leave(self.player)
        self.shared.stand_up(self._number)

    def _played(self) -> Recording:
        """Return the match in progress; a replay takes neither actions nor debug requests."""
        recording = self.recording
        assert recording is not None
        return recording

    def _result(self, recording: Recording, action: sc_pb.Action) -> int:
        if self.role is Role.WATCHES:
            return _NOT_SUPPORTED if action.ListFields() else SUCCESS
        if action.HasField("action_chat"):
            recording.chat(self.player, action.action_chat)
        if action.action_raw.HasField("camera_move"):
            place = action.action_raw.camera_move.center_world_space
            self._look_at(place.x, place.y)
        elif action.HasField("action_raw"):
            return recording.command(self.player, action.action_raw)
        is_other = any(action.HasField(kind) for kind in _ACTIONS_ON_A_SCREEN)
        return _NOT_SUPPORTED if is_other else SUCCESS

    def _look_at(self, x: float, y: float) -> None:
        game_map = self.shared.course.match.game_map
        if 0 <= x <= game_map.width and 0 <= y <= game_map.height:  # false for nan as well
            self._observer.look_at(x, y)

    def _more_results(self) -> bytes:
        """Return results that clients look for and the match has not got.

        These are the observer's, for whom python-sc2 takes everybody who watches a replay, and the
        players' where the replay ends before the game did.
        """
        course = self.shared.course
        if self.role is Role.PLAYS or not course.is_over:
            return b""
        players: list[int] = []
        if not course.match.is_over:
            players += range(OBSERVER, len(course.setting.contestants) + 1)
        elif self.player != OBSERVER:
            players.append(OBSERVER)
        return sc_pb.ResponseObservation(
            player_result=[
                sc_pb.PlayerResult(player_id=player, result=sc_pb.Undecided) for player in players
            ]
        ).SerializeToString()
