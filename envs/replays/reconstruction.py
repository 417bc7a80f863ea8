"""From a replay's events to each player's game: what was known at each command, and the command.

Both event streams are walked in order. Before anything that happens at loop L, the tracker's
events of loops before L are applied, never those of L itself: they describe the state after the
commands of their loop. Those of loop 0 are what the game starts with.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from envs.interface import Race
from envs.replays.archive import ReplayParts, ReplayRefused, read_parts
from envs.replays.commands import COMMAND_EVENTS, CommandReader
from envs.replays.events import Event, game_events, message_events, tracker_events
from envs.replays.lobby import Lobby, read_lobby, read_protocol, starting_race
from envs.replays.quality import Quality
from envs.replays.side import Side
from envs.replays.world import TRACKED, World
from envs.timeline import Timeline

_GAME = COMMAND_EVENTS | {"SHijackReplayGameEvent"}
_TRACKER = TRACKED | {"SPlayerSetupEvent", "SPlayerStatsEvent", "SUpgradeEvent"}


class ChatLine(NamedTuple):
    """Something a user of the lobby wrote."""

    loop: int
    user: int
    text: str


class ReplayGame(NamedTuple):
    """A replay, decoded."""

    lobby: Lobby
    timelines: tuple[Timeline, Timeline]
    logs: tuple[str, str]  # what happened to each player, a line each
    chat: list[ChatLine]
    quality: Quality


def decode_replay(path: Path) -> ReplayGame:
    """Decode the replay at ``path``.

    Raises:
        ReplayRefused: it cannot be used, and why.
        FileNotFoundError: there is no such file.
    """
    return reconstruct(read_parts(path))


def reconstruct(parts: ReplayParts) -> ReplayGame:
    """Decode a replay's parts; raises ``ReplayRefused``."""
    try:
        return _reconstruct(parts)
    # Damaged events can be of the right form and yet lack a field or hold a number too large.
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ReplayRefused("damaged events", f"{type(error).__name__}: {error}") from error


def _reconstruct(parts: ReplayParts) -> ReplayGame:
    protocol = read_protocol(parts)
    tracked = list(tracker_events(protocol, parts.tracker_events, _TRACKER))
    lobby = read_lobby(parts, [event for event in tracked if event.name == "SPlayerSetupEvent"])
    events = list(game_events(protocol, parts.game_events, _GAME))
    if any(event.name == "SHijackReplayGameEvent" for event in events):
        raise ReplayRefused("resumed from a replay", "its beginning was played by others")
    last_loop = max(event.loop for event in (*tracked[-1:], *events[-1:]))
    if last_loop > lobby.game_loops:
        detail = f"one is of loop {last_loop}, the game has {lobby.game_loops}"
        raise ReplayRefused("damaged events", detail)
    walk = _Walk(lobby, tracked)
    for event in events:
        walk.apply(event)
    sides = walk.sides
    if any(side.num_commands == 0 for side in sides):
        raise ReplayRefused("no commands", "one side never did anything")
    shown = [Race.RANDOM if side.player.chose_random else side.race for side in sides]
    timelines = (
        sides[0].timeline(walk.world, shown[1], tracked),
        sides[1].timeline(walk.world, shown[0], tracked),
    )
    for timeline in timelines:
        walk.quality.count_flags(timeline.step_flags)
    return ReplayGame(
        lobby=lobby,
        timelines=timelines,
        logs=(sides[0].log(), sides[1].log()),
        chat=list(_chat(parts)),
        quality=walk.quality,
    )


class _Walk:
    """A game being walked through, event by event."""

    def __init__(self, lobby: Lobby, tracked: list[Event]) -> None:
        births = [e for e in tracked if e.name == "SUnitBornEvent" and e.loop == 0]
        self.world = World(births)
        self.quality = Quality()
        self._tracked = tracked
        self._next_tracked = 0
        self.sides = tuple(
            Side(player, _race_of(player.player, births), self.world) for player in lobby.players
        )
        self._side_of_user = {side.player.user: side for side in self.sides}
        self._side_of_player = {side.player.player: side for side in self.sides}
        self._commands = {side.player.user: CommandReader(lobby.base_build) for side in self.sides}

    def apply(self, event: Event) -> None:
        """Take in a game event."""
        side = self._side_of_user.get(event.user)
        if side is None:
            return  # an observer's
        command = self._commands[event.user].read(event)
        if command is None:
            return
        self._wait_until(event.loop)
        self._track_before(event.loop)
        side.act(command, self.world, self.quality)

    def _wait_until(self, loop: int) -> None:
        """Let each side that has waited too long before ``loop`` take its synthetic steps."""
        while True:
            side = min(self.sides, key=lambda side: side.waits_until)
            if side.waits_until >= loop:
                return
            self._track_before(side.waits_until)
            side.wait(self.world)

    def _track_before(self, loop: int) -> None:
        """Apply the tracker's events of loops before ``loop``; those of loop 0 are the start."""
        while self._next_tracked < len(self._tracked):
            event = self._tracked[self._next_tracked]
            if event.loop >= max(loop, 1):
                return
            self._next_tracked += 1
            self._track(event)

    def _track(self, event: Event) -> None:
        if event.name in TRACKED:
            if event.name == "SUnitPositionsEvent":
                self.world.proceed(event.loop)
                self._measure(event)
            unit = self.world.apply(event)
            if unit is not None:
                owner = self._side_of_player.get(int(self.world.rows[unit, 1]))
                if owner is not None:
                    owner.note_unit(event, unit, self.world)

    def _measure(self, event: Event) -> None:
        """Compare reported positions with what was reckoned, before taking them over."""
        for unit, x, y in self.world.reported_positions(event):
            reckoned = self.world.place_of(unit, event.loop)
            known = tuple(self.world.reported[unit])
            owner = int(self.world.rows[unit, 1])
            for side in self.sides:
                if side.player.player == owner:
                    self.quality.own_error.add(reckoned, known, (x, y))
                elif (seen := side.place_seen(unit, event.loop)) is not None:
                    self.quality.enemy_error.add(seen, known, (x, y))


def _race_of(player: int, births: list[Event]) -> Race:
    for event in births:
        race = starting_race(event.fields["m_unitTypeName"].decode("utf-8", errors="replace"))
        if race is not None and event.fields["m_controlPlayerId"] == player:
            return race
    raise ReplayRefused("unknown race", f"player {player} starts without a town hall")


def _chat(parts: ReplayParts) -> Iterator[ChatLine]:
    if parts.message_events is None:
        return
    protocol = read_protocol(parts)
    try:
        for event in message_events(protocol, parts.message_events, {"SChatMessage"}):
            text = event.fields["m_string"].decode("utf-8", errors="replace")
            yield ChatLine(event.loop, event.user, text)
    except ReplayRefused:
        return  # what was said is not worth a game
