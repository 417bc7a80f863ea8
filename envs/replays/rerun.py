"""A replay -> each player's game, by having a game play it back: the exact observations.

Two passes for each player. The first goes through the replay in large steps and collects the
player's commands, which the game reports with the loop that each was given in. The second stops
at just those loops and looks, before the commands take effect.
"""

from typing import Any, NamedTuple

import numpy as np
from s2clientprotocol import raw_pb2 as raw_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.actions import action_of
from envs.connection import Connection
from envs.game_client import RAW, GameClient, RequestError
from envs.game_timeline import GameTimeline, GameTimelineWriter
from envs.interface import MAX_DELAY, UNKNOWN, Action, Race, legality
from envs.observations import Shown
from envs.replays.archive import ReplayRefused, metadata_of
from envs.replays.quality import Quality
from envs.timeline import StepFlag

_PASS_LOOPS = 2000
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


class _Given(NamedTuple):
    loop: int
    command: raw_pb.ActionRawUnitCommand


def rerun_replay(connection: Connection, replay: bytes) -> RerunGame:
    """Have a game play a replay back, once for each player that is no computer.

    Args:
        connection: to a game that can play it: of its build, with its map.
        replay: the file's bytes.

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
        timelines = tuple(_timeline(client, replay, player, info, quality) for player in players)
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
) -> GameTimeline:
    commands = _commands(client, replay, player, info.game_duration_loops)
    _start(client, replay, player, RAW)
    client.player = player.player
    client.enter(home_race=player.race, away_race=player.opponent_race)
    writer = GameTimelineWriter(
        client.game_map, race=int(player.race), opponent_race=int(player.opponent_race)
    )
    rerun = _Rerun(client, writer, quality)
    for given in commands:
        rerun.wait_until(given.loop)
        rerun.act(given.command)
    rerun.wait_until(info.game_duration_loops)
    timeline = writer.timeline()
    quality.count_flags(timeline.step_flags)
    return timeline


def _commands(
    client: GameClient, replay: bytes, player: RerunPlayer, game_loops: int
) -> list[_Given]:
    """Return a player's commands; those of the last loop, which change nothing, are left out."""
    _start(client, replay, player, sc_pb.InterfaceOptions(raw=False, score=False))
    found, loop = [], 0
    while loop < game_loops:
        client.request(step=sc_pb.RequestStep(count=_PASS_LOOPS))
        seen = client.request(observation=sc_pb.RequestObservation()).observation
        for action in seen.actions:
            if action.action_raw.HasField("unit_command"):
                found.append(_Given(action.game_loop, action.action_raw.unit_command))
        if seen.observation.game_loop <= loop:
            break
        loop = seen.observation.game_loop
    return [given for given in found if given.loop < game_loops]


def _start(client: GameClient, replay: bytes, player: RerunPlayer, options: Any) -> None:
    start = sc_pb.RequestStartReplay(
        replay_data=replay, observed_player_id=player.player, options=options
    )
    client.request(start_replay=start)


class _Rerun:
    """One player's game while it is played back."""

    def __init__(self, client: GameClient, writer: GameTimelineWriter, quality: Quality) -> None:
        self._client = client
        self._writer = writer
        self._quality = quality
        self._waits_until = 0

    def wait_until(self, loop: int) -> None:
        """Take the synthetic steps that are due before a loop, and look at that loop."""
        while self._waits_until < loop:
            self._look(self._waits_until)
            self._write(_NO_OP, StepFlag.SYNTHETIC, np.zeros(0, np.int64), 0)
        self._look(loop)

    def act(self, command: raw_pb.ActionRawUnitCommand) -> None:
        """Take a step: the present, and the command that the player gives now."""
        recorded = action_of(command, self._client.moment.shown, delay=UNKNOWN)
        shown = self._client.moment.shown
        flags = _judged(recorded.action, recorded.selected, shown)
        self._quality.counts["commands"] += 1
        if recorded.action.action_type == UNKNOWN:
            self._quality.unmapped[str(command.ability_id)] += 1
        else:
            self._quality.labels[recorded.action.action_type] += 1
            if not flags & StepFlag.PLAUSIBLE:
                self._quality.illegal_labels[recorded.action.action_type] += 1
        self._write(recorded.action, flags, recorded.selected, recorded.target)

    def _look(self, loop: int) -> None:
        present = self._client.moment.loop
        if loop > present:
            self._client.request(step=sc_pb.RequestStep(count=loop - present))
        self._client.observe()

    def _write(self, action: Action, flags: StepFlag, selected: Any, target: int) -> None:
        known = self._client.moment.known
        self._writer.add(known, action, flags, selected=selected, target=target)
        if not flags & StepFlag.SYNTHETIC:
            self._client.reader.note_action(known.loop, action, selected, target)
        self._waits_until = known.loop + MAX_DELAY


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
