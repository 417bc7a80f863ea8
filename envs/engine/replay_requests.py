"""What requests about replays come down to: the file that is meant, and what is told of it."""

from collections.abc import Sequence
from typing import Any, cast

from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine.errors import GameRefused, ReplayError
from envs.engine.game_folder import GameFolder
from envs.engine.game_info_response import player_info
from envs.engine.replay_file import Entry, EntryKind, Replay, read_replay
from envs.engine.shared_match import LOOPS_PER_SECOND

PLAUSIBLE_RATING = 3000
"""Told as everybody's, since the engine knows none and clients take low ones for damage."""


def asked_replay(
    request: sc_pb.RequestReplayInfo | sc_pb.RequestStartReplay, folder: GameFolder, codes: Any
) -> Replay:
    """Read the replay that a request gives or names.

    Args:
        request: gives its bytes or its path.
        folder: where paths are looked for.
        codes: the type of the answer, with its error codes.

    Raises:
        GameRefused: there is none, or it cannot be read.
    """
    which = request.WhichOneof("replay")
    if which is None:
        raise GameRefused(codes.MissingReplay, "no replay is given")
    content: bytes | None = request.replay_data
    if which == "replay_path":
        content = folder.replay_at(request.replay_path)
        if content is None:
            raise GameRefused(codes.InvalidReplayPath, "there is no replay at this path")
    assert content is not None
    try:
        return read_replay(content)
    except ReplayError as error:
        raise GameRefused(codes.InvalidReplayData, str(error)) from error


def replay_info(replay: Replay) -> sc_pb.ResponseReplayInfo:
    """Return what is told of a replay without playing it back."""
    seconds = replay.loops / LOOPS_PER_SECOND
    return sc_pb.ResponseReplayInfo(
        map_name=replay.setting.map_name,
        local_map_path=replay.setting.map_path,
        player_info=[
            sc_pb.PlayerInfoExtra(
                player_info=player_info(player, contestant, tells_race=True),
                player_result=_result(player, replay.results),
                player_mmr=PLAUSIBLE_RATING,
                player_apm=_commands_a_minute(replay.entries, player, seconds),
            )
            for player, contestant in enumerate(replay.setting.contestants, start=1)
        ],
        game_duration_loops=replay.loops,
        game_duration_seconds=seconds,
        game_version=replay.version.full_version,
        data_version=replay.version.data_version,
        data_build=replay.version.base_build,
        base_build=replay.version.base_build,
    )


def _result(player: int, results: dict[int, int]) -> sc_pb.PlayerResult:
    result = results.get(player, sc_pb.Undecided)
    return sc_pb.PlayerResult(player_id=player, result=cast("sc_pb.Result.ValueType", result))


def _commands_a_minute(entries: Sequence[Entry], player: int, seconds: float) -> int:
    count = sum(entry.player == player and entry.kind is EntryKind.COMMAND for entry in entries)
    return round(count * 60 / seconds) if seconds else 0
