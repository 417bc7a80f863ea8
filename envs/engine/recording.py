"""A match that is played, and what is written down of it so that it can be seen again."""

from enum import Enum

from s2clientprotocol import debug_pb2 as debug_pb
from s2clientprotocol import raw_pb2 as raw_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine.match import Match, MatchOptions, PlayerKind, PlayerSetup
from envs.engine.replay_file import (
    HASH_BYTES,
    HASH_PERIOD_LOOPS,
    Entry,
    EntryKind,
    Replay,
    Setting,
)
from envs.engine.rules_version import rules_hash
from envs.engine.terrain import GameMap
from envs.engine.versions import GameVersion

SUCCESS = 1
"""The API's ActionResult for what was done as asked."""


class Computers(Enum):
    """Where the commands of computer players come from."""

    PLAY = "they give them"
    ARE_PLAYED_BACK = "whoever runs the match gives them, from a record"


def new_match(game_map: GameMap, setting: Setting, computers: Computers) -> Match:
    """Return a match at its first loop."""
    players = [
        PlayerSetup(
            kind=PlayerKind.COMPUTER if contestant.is_computer else PlayerKind.PARTICIPANT,
            race=contestant.race,
            difficulty=contestant.difficulty,
            ai_build=contestant.ai_build,
            name=contestant.name,
        )
        for contestant in setting.contestants
    ]
    options = MatchOptions(
        disable_fog=setting.disable_fog,
        playback=computers is Computers.ARE_PLAYED_BACK,
    )
    return Match(game_map, players, seed=setting.seed, options=options)


class Recording:
    """A match in progress with its record; every change from outside goes through here."""

    def __init__(self, game_map: GameMap, setting: Setting, version: GameVersion) -> None:
        self.game_map = game_map
        self.setting = setting
        self.match = new_match(game_map, setting, Computers.PLAY)
        self._version = version
        self._hashes: list[bytes] = []
        # What the match's own log lacks, with the length that the log had at the time.
        self._interventions: list[tuple[int, Entry]] = []

    @property
    def loop(self) -> int:
        """Game loops since the start."""
        return self.match.loop

    @property
    def is_over(self) -> bool:
        """Whether the match has ended."""
        return self.match.is_over

    def advance_to(self, loop: int) -> None:
        """Play until a loop, or until the match is over."""
        while self.match.loop < loop and not self.match.is_over:
            stop = next_hash_loop(self.match.loop)
            self.match.advance(min(loop, stop) - self.match.loop)
            if self.match.loop == stop:
                self._hashes.append(state_hash(self.match))

    def command(self, player: int, action: raw_pb.ActionRaw) -> int:
        """Pass on a player's command; return the API's ActionResult."""
        result = self.match.command(player, action)
        return SUCCESS if result is None else result

    def chat(self, player: int, message: sc_pb.ActionChat) -> None:
        """Pass on what a player says."""
        self._intervene(player, EntryKind.CHAT, message.SerializeToString())
        self.match.chat(player, message.message, message.channel)

    def debug(self, player: int, command: debug_pb.DebugCommand) -> None:
        """Pass on a debugging command."""
        self._intervene(player, EntryKind.DEBUG, command.SerializeToString())
        self.match.debug(player, command)

    def leave(self, player: int) -> None:
        """Let a player give up, unless the match is over."""
        if not self.match.is_over:
            self._intervene(player, EntryKind.LEAVE, b"")
            self.match.leave(player)

    def replay(self) -> Replay:
        """Return what was recorded so far."""
        return Replay(
            rules=rules_hash(),
            version=self._version,
            setting=self.setting,
            results={player: int(result) for player, result in self.match.results.items()},
            loops=self.match.loop,
            entries=tuple(self._entries()),
            hashes=tuple(self._hashes),
            final_hash=state_hash(self.match),
        )

    def _intervene(self, player: int, kind: EntryKind, data: bytes) -> None:
        entry = Entry(self.match.loop, player, kind, data)
        self._interventions.append((len(self.match.log), entry))

    def _entries(self) -> list[Entry]:
        entries, done = [], 0
        for position, intervention in self._interventions:
            entries += self._commands(done, position)
            entries.append(intervention)
            done = position
        return entries + self._commands(done, len(self.match.log))

    def _commands(self, start: int, stop: int) -> list[Entry]:
        return [
            Entry(loop, player, EntryKind.COMMAND, data)
            for loop, player, data in self.match.log[start:stop]
        ]


def state_hash(match: Match) -> bytes:
    """Return the hash of a match's state as replays hold it."""
    return match.state_hash()[:HASH_BYTES]


def next_hash_loop(loop: int) -> int:
    """Return the first loop after another at which replays hold a hash."""
    return (loop // HASH_PERIOD_LOOPS + 1) * HASH_PERIOD_LOOPS
