"""A replay -> each player's game, by having a game play it back: the exact observations.

Two passes for each player. The first goes through the replay in large steps and collects the
player's commands, which the game reports with the loop that each was given in. The second stops
at just those loops and looks, before the commands take effect.
"""

from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from s2clientprotocol import raw_pb2 as raw_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.actions import action_of
from envs.connection import Connection
from envs.game_client import RAW, GameClient, RequestError
from envs.game_timeline import GameTimeline, GameTimelineWriter
from envs.interface import (
    MAX_DELAY,
    UNKNOWN,
    Action,
    EntityLimits,
    Observation,
    Race,
    legality,
)
from envs.observations import GameMap, ObservationMaker, Shown
from envs.replays.archive import ReplayRefused, metadata_of
from envs.replays.quality import Quality
from envs.timeline import StepFlag

_PASS_LOOPS = 2000
_NOBODY = np.zeros(0, np.int64)
_NO_OP = Action(0, UNKNOWN, UNKNOWN, np.zeros(0, np.int16), UNKNOWN, (UNKNOWN, UNKNOWN))


class RerunPlayer(NamedTuple):
    """What a replay tells of a player."""

    player: int
    race: Race
    opponent_race: Race  # as the opponent chose it
    result: int | None  # as the API numbers results
    is_computer: bool


class RerunGame(NamedTuple):
    """A replay, played back."""

    map_name: str
    version: str
    base_build: int
    game_loops: int
    players: tuple[RerunPlayer, ...]  # those that are no computers
    timelines: tuple[GameTimeline, ...]
    quality: Quality


class Teacher(Protocol):
    """Somebody who says what they would have done, as an ``agent.player.Player`` can."""

    @property
    def sight(self) -> tuple[int, EntityLimits]:
        """How much it is to be shown: the side of the planes, and how many units."""

    def reset(self, game_map: GameMap, race: Race, *, seed: int) -> None:
        """Begin a game."""

    def act(self, observation: Observation) -> Action:
        """Return what to do."""


class _Given(NamedTuple):
    loop: int
    command: raw_pb.ActionRawUnitCommand


class _Planned(NamedTuple):
    """A step to come: what the player does then, nothing in a synthetic one."""

    loop: int
    command: raw_pb.ActionRawUnitCommand | None


TeacherOf = Callable[[Race], Teacher]


def rerun_replay(
    connection: Connection, replay: bytes, *, teacher_of: TeacherOf | None = None
) -> RerunGame:
    """Have a game play a replay back, once for each player that is no computer.

    Args:
        connection: to a game that can play it: of its build, with its map.
        replay: the file's bytes.
        teacher_of: who says for a race what is to be learned, in place of what the player did;
            it is asked as often as it wants, waits included (Ross et al. 2011, arXiv:1011.0686).

    Raises:
        ReplayRefused: the game cannot play it, and its words; or nobody but computers played.
    """
    client = GameClient(connection, plane_size=1)
    try:
        info = client.request(replay_info=sc_pb.RequestReplayInfo(replay_data=replay)).replay_info
        players = _players(info)
        if not players:
            raise ReplayRefused("no players", "only computers played")
        quality = Quality()
        timelines = tuple(
            _timeline(client, replay, player, info, quality, teacher_of) for player in players
        )
    except RequestError as error:
        raise ReplayRefused("cannot be played back", str(error)) from error
    return RerunGame(
        map_name=info.map_name,
        version=info.game_version,
        base_build=info.base_build,
        game_loops=info.game_duration_loops,
        players=players,
        timelines=timelines,
        quality=quality,
    )


def _players(info: sc_pb.ResponseReplayInfo) -> tuple[RerunPlayer, ...]:
    known = {extra.player_info.player_id: extra for extra in info.player_info}
    players = []
    for number, extra in known.items():
        others = [other.player_info for key, other in known.items() if key != number]
        players.append(
            RerunPlayer(
                player=number,
                race=Race(extra.player_info.race_actual or extra.player_info.race_requested),
                opponent_race=Race(others[0].race_requested) if others else Race.NONE,
                result=extra.player_result.result or None,
                is_computer=extra.player_info.type == sc_pb.Computer,
            )
        )
    return tuple(player for player in players if not player.is_computer)


def base_build_of(replay: bytes) -> int:
    """Return the base build of the game that a replay asks for.

    Raises:
        ReplayRefused: it does not say.
    """
    name = str(metadata_of(replay).get("BaseBuild", ""))
    digits = name.removeprefix("Base")
    if not digits.isdecimal():
        raise ReplayRefused("no build", f"its metadata names the build {name!r}")
    return int(digits)


def _timeline(
    client: GameClient,
    replay: bytes,
    player: RerunPlayer,
    info: sc_pb.ResponseReplayInfo,
    quality: Quality,
    teacher_of: TeacherOf | None,
) -> GameTimeline:
    commands = _commands(client, replay, player, info)
    _start(client, replay, player, RAW)
    client.player = player.player
    client.enter(home_race=player.race, away_race=player.opponent_race)
    writer = GameTimelineWriter(
        client.game_map, race=int(player.race), opponent_race=int(player.opponent_race)
    )
    if teacher_of is None:
        _write_commands(client, writer, _planned(commands, info.game_duration_loops), quality)
    else:
        lessons = _Lessons(client, teacher_of(player.race), player.race)
        _write_lessons(client, writer, commands, info.game_duration_loops, lessons, quality)
    timeline = writer.timeline()
    quality.count_flags(timeline.step_flags)
    return timeline


def _write_commands(
    client: GameClient, writer: GameTimelineWriter, steps: list[_Planned], quality: Quality
) -> None:
    """Write what the player did, with a synthetic ``no_op`` where it waited long."""
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        _look(client, step.loop)
        known = client.moment.known
        wait = UNKNOWN
        if following is not None:
            wait = min(max(following.loop - step.loop, 1), MAX_DELAY)
        if step.command is None:
            no_op = _NO_OP._replace(delay=wait)
            writer.add(known, no_op, StepFlag.SYNTHETIC, selected=_NOBODY, target=0)
            continue
        done = action_of(step.command, client.moment.shown, delay=wait)
        flags = _judged(done.action, done.selected, client.moment.shown)
        writer.add(known, done.action, flags, selected=done.selected, target=done.target)
        client.reader.note_action(known.loop, done.action, done.selected, done.target)
        if done.action.action_type == UNKNOWN:
            quality.counts["commands"] += 1
            quality.unmapped[str(step.command.ability_id)] += 1
        else:
            _count_label(quality, done.action, flags)


def _write_lessons(
    client: GameClient,
    writer: GameTimelineWriter,
    commands: list[_Given],
    game_loops: int,
    lessons: "_Lessons",
    quality: Quality,
) -> None:
    """Write what the teacher would have done, asked when it wants to be and at each command."""
    waiting = deque(commands)
    loop = 0
    while loop < game_loops:
        _look(client, loop)
        known = client.moment.known
        label = lessons.label()
        writer.add(known, label.action, label.flags, selected=label.selected, target=label.target)
        if label.action.action_type:
            _count_label(quality, label.action, label.flags)
        while waiting and waiting[0].loop <= loop:
            done = action_of(waiting.popleft().command, client.moment.shown, delay=UNKNOWN)
            client.reader.note_action(known.loop, done.action, done.selected, done.target)
        loop += max(label.action.delay, 1)
        if waiting:
            loop = min(loop, waiting[0].loop)


def _planned(commands: list[_Given], game_loops: int) -> list[_Planned]:
    """Return all steps: the commands, a synthetic one at the start, and one a ``MAX_DELAY``."""
    steps: list[_Planned] = []
    waits_until = 0

    def wait_until(loop: int) -> None:
        nonlocal waits_until
        while waits_until < loop:
            steps.append(_Planned(waits_until, None))
            waits_until += MAX_DELAY

    for given in commands:
        wait_until(given.loop)
        steps.append(_Planned(given.loop, given.command))
        waits_until = given.loop + MAX_DELAY
    wait_until(game_loops)
    return steps


def _commands(
    client: GameClient, replay: bytes, player: RerunPlayer, info: sc_pb.ResponseReplayInfo
) -> list[_Given]:
    """Return a player's commands; those of the last loop, which change nothing, are left out."""
    _start(client, replay, player, sc_pb.InterfaceOptions(raw=False, score=False))
    found, loop = [], 0
    while loop < info.game_duration_loops:
        client.request(step=sc_pb.RequestStep(count=_PASS_LOOPS))
        seen = client.request(observation=sc_pb.RequestObservation()).observation
        for action in seen.actions:
            if action.action_raw.HasField("unit_command"):
                found.append(_Given(action.game_loop, action.action_raw.unit_command))
        if seen.observation.game_loop <= loop:
            break
        loop = seen.observation.game_loop
    return [given for given in found if given.loop < info.game_duration_loops]


def _start(client: GameClient, replay: bytes, player: RerunPlayer, options: Any) -> None:
    start = sc_pb.RequestStartReplay(
        replay_data=replay, observed_player_id=player.player, options=options
    )
    client.request(start_replay=start)


def _look(client: GameClient, loop: int) -> None:
    if loop > client.moment.loop:
        client.request(step=sc_pb.RequestStep(count=loop - client.moment.loop))
    client.observe()


class _Label(NamedTuple):
    """What is to be learned at a step."""

    action: Action
    flags: StepFlag
    selected: NDArray[np.int64]  # tags
    target: int  # tag, 0 for none


class _Lessons:
    """What a teacher says of each moment."""

    def __init__(self, client: GameClient, teacher: Teacher, race: Race) -> None:
        self._client = client
        self._teacher = teacher
        plane_size, limits = teacher.sight
        self._maker = ObservationMaker(client.game_map, plane_size=plane_size, limits=limits)
        teacher.reset(client.game_map, race, seed=0)

    def label(self) -> _Label:
        """Return what the teacher would do now."""
        shown = self._maker.observation(self._client.moment.known)
        action = self._teacher.act(shown.observation)
        if action.action_type == 0:
            return _Label(action, StepFlag.SYNTHETIC, _NOBODY, 0)
        selected = shown.tags[action.selected_units]
        target = int(shown.tags[action.target_unit]) if action.target_unit >= 0 else 0
        return _Label(action, _judged(action, selected, shown), selected, target)


def _count_label(quality: Quality, action: Action, flags: StepFlag) -> None:
    quality.counts["commands"] += 1
    quality.labels[action.action_type] += 1
    if not flags & StepFlag.PLAUSIBLE:
        quality.illegal_labels[action.action_type] += 1


def _judged(action: Action, selected: Any, shown: Shown) -> StepFlag:
    """Say how far a command is understood."""
    flags = StepFlag(0)
    is_known = len(action.selected_units) == len(selected) and len(selected) > 0
    if is_known:
        flags |= StepFlag.CLEAN
    if action.action_type == UNKNOWN:
        return flags
    flags |= StepFlag.MAPPED
    kinds = shown.observation.entities[action.selected_units, 0]
    if legality()[kinds, action.action_type].any():
        flags |= StepFlag.PLAUSIBLE
    return flags
