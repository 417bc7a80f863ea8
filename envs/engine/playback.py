"""A replay that is played back: the same match, with its commands given from the record."""

from s2clientprotocol import debug_pb2 as debug_pb
from s2clientprotocol import raw_pb2 as raw_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine.errors import MapError, ReplayError
from envs.engine.match import Match
from envs.engine.recording import Computers, new_match, next_hash_loop, state_hash
from envs.engine.replay_file import HASH_PERIOD_LOOPS, Entry, EntryKind, Replay, check_rules
from envs.engine.rules_version import rules_hash
from envs.engine.terrain import read_map

_RACES = (1, 2, 3)


class Playback:
    """A match that goes as it was recorded, or says that it does not."""

    def __init__(self, replay: Replay) -> None:
        """Set up the match at its first loop.

        Raises:
            ReplayError: the replay is of other rules, or what it was made from is not possible.
        """
        check_rules(replay, rules_hash())
        try:
            game_map = read_map(replay.setting.map_data)
        except MapError as error:
            raise ReplayError(f"the replay's map cannot be read: {error}") from error
        contestants = replay.setting.contestants
        if not 1 <= len(contestants) <= game_map.num_players:
            raise ReplayError(f"the replay has {len(contestants)} players on {game_map.name}")
        if not all(contestant.race in _RACES for contestant in contestants):
            raise ReplayError("the replay has players of no race")
        self.replay = replay
        self.setting = replay.setting
        self.match: Match = new_match(game_map, replay.setting, Computers.ARE_PLAYED_BACK)
        self._next = 0
        self.advance_to(0)  # where it ended before it went on, nothing else would

    @property
    def loop(self) -> int:
        """Game loops since the start."""
        return self.match.loop

    @property
    def is_over(self) -> bool:
        """Whether the match, or the record of it, has ended."""
        return self.match.is_over or self.match.loop >= self.replay.loops

    def advance_to(self, loop: int) -> None:
        """Play back until a loop, or until the end.

        Raises:
            ReplayError: the state is not as it was when the match was recorded.
        """
        target = min(loop, self.replay.loops)
        while self.match.loop < target and not self.match.is_over:
            self._give_due_entries()
            stop = min(target, self._loop_of_next_entry(), next_hash_loop(self.match.loop))
            self.match.advance(stop - self.match.loop)
            if self.match.loop == stop:
                self._check_hash()
        if self.match.loop < target:
            raise self._difference()
        if self.match.loop == self.replay.loops:
            self._give_due_entries()
            self._check(self.replay.final_hash)

    def _loop_of_next_entry(self) -> int:
        entries = self.replay.entries
        return entries[self._next].loop if self._next < len(entries) else self.replay.loops

    def _give_due_entries(self) -> None:
        entries = self.replay.entries
        while self._next < len(entries) and entries[self._next].loop <= self.match.loop:
            if self.match.is_over:
                return
            self._next += 1
            _give(self.match, entries[self._next - 1])

    def _check_hash(self) -> None:
        index, rest = divmod(self.match.loop, HASH_PERIOD_LOOPS)
        if rest == 0 and 0 < index <= len(self.replay.hashes):
            self._check(self.replay.hashes[index - 1])

    def _check(self, recorded: bytes) -> None:
        if state_hash(self.match) != recorded:
            raise self._difference()

    def _difference(self) -> ReplayError:
        return ReplayError(
            "the replay does not play back as it was recorded: the game is another by loop "
            f"{self.match.loop}"
        )


def _give(match: Match, entry: Entry) -> None:
    if entry.kind is EntryKind.COMMAND:
        match.command(entry.player, raw_pb.ActionRaw.FromString(entry.data))
    elif entry.kind is EntryKind.LEAVE:
        match.leave(entry.player)
    elif entry.kind is EntryKind.DEBUG:
        match.debug(entry.player, debug_pb.DebugCommand.FromString(entry.data))
    else:
        message = sc_pb.ActionChat.FromString(entry.data)
        match.chat(entry.player, message.message, message.channel)
