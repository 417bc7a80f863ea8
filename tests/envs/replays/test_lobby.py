"""Who plays: users and players, results, and games that are not one against one."""

import pytest

from envs.replays.archive import ReplayRefused
from envs.replays.events import protocol_for, tracker_events
from envs.replays.lobby import Lobby, read_lobby, read_protocol
from tests.replay_writer import OLD_BUILD, OLD_PROTOCOL, Script, small_game


def lobby_of(script: Script) -> Lobby:
    parts = script.parts()
    setups = tracker_events(read_protocol(parts), parts.tracker_events, {"SPlayerSetupEvent"})
    return read_lobby(parts, list(setups))


def refusal(script: Script) -> str:
    with pytest.raises(ReplayRefused) as refused:
        lobby_of(script)
    return refused.value.reason


def test_the_lobby_is_read():
    lobby = lobby_of(small_game())
    assert lobby.version == "5.0.3.80949"
    assert lobby.base_build == 80949
    assert lobby.game_loops == 2000
    assert lobby.map_name == "Tiny Île"
    assert lobby.map_size == (176, 160)
    assert lobby.random_seed == 1234


def test_users_and_players_are_numbered_apart():
    first, second = lobby_of(small_game(users=(3, 7))).players
    assert (first.player, first.user, first.name) == (1, 3, "Anna")
    assert (second.player, second.user, second.name) == (2, 7, "Боря")


def test_each_player_has_the_rating_and_league_of_the_user():
    first, second = lobby_of(small_game(users=(7, 2))).players
    assert (first.mmr, first.league) == (3500, 5)
    assert (second.mmr, second.league) == (None, None)


def test_without_setup_events_users_come_from_the_slot_that_names_itself():
    script = small_game(users=(2, 5))
    script.setups = False
    assert [player.user for player in lobby_of(script).players] == [2, 5]


def test_the_tracker_of_two_zero_eight_has_no_setup_events():
    written = small_game()
    script = Script(base_build=OLD_BUILD, protocol=OLD_PROTOCOL, users=(2, 5))
    script.game, script.tracker = [written.game[0]], [written.tracker[0]]
    assert protocol_for(OLD_BUILD).base_build == OLD_PROTOCOL
    assert [player.user for player in lobby_of(script).players] == [2, 5]


@pytest.mark.parametrize(("written", "read"), [(1, 1), (2, -1), (3, 0), (0, None)])
def test_results_are_won_lost_tied_or_unknown(written: int, read: int | None):
    assert lobby_of(small_game(results=(written, 2))).players[0].result == read


def test_ratings_come_from_the_metadata_where_the_lobby_has_none():
    script = small_game()
    script.mmr = (None, -36400)
    script.metadata = {"Players": [{"PlayerID": 1, "MMR": 4100}, {"PlayerID": 2, "MMR": -5}]}
    assert [player.mmr for player in lobby_of(script).players] == [4100, None]


@pytest.mark.parametrize(
    "metadata", [{}, {"Players": [{}]}, {"Players": [{"PlayerID": 1, "MMR": 10**30}]}]
)
def test_metadata_without_a_rating_tells_none(metadata: dict):
    script = small_game()
    script.mmr, script.metadata = (None, None), metadata
    assert lobby_of(script).players[0].mmr is None


@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff", b"[" * 100_000])
def test_damaged_metadata_does_not_matter(content: bytes):
    parts = small_game().parts()._replace(metadata=content)
    setups = tracker_events(read_protocol(parts), parts.tracker_events, {"SPlayerSetupEvent"})
    assert read_lobby(parts, list(setups)).players[0].name == "Anna"


def test_an_unreadable_lobby_leaves_ratings_unknown():
    parts = small_game().parts()._replace(init_data=b"\x05")
    setups = tracker_events(read_protocol(parts), parts.tracker_events, {"SPlayerSetupEvent"})
    lobby = read_lobby(parts, list(setups))
    assert (lobby.random_seed, lobby.map_size) == (None, None)
    assert [player.user for player in lobby.players] == [1, 4]
    assert [player.mmr for player in lobby.players] == [None, None]


def test_without_lobby_and_setup_events_nobody_is_known():
    parts = small_game().parts()._replace(init_data=None)
    with pytest.raises(ReplayRefused, match="unknown players"):
        read_lobby(parts, [])


def test_observers_are_not_players():
    script = small_game()
    watcher = script.seats[0] | {"m_observe": 1, "m_workingSetSlotId": 9}
    script.seats = [watcher, *script.seats]
    assert [player.player for player in lobby_of(script).players] == [1, 2]


@pytest.mark.parametrize("num_players", [0, 1, 3])
def test_other_numbers_of_players_are_refused(num_players: int):
    script = small_game()
    script.seats = (script.seats * 2)[:num_players]
    assert refusal(script) == "not one against one"


def test_a_game_against_the_built_in_ai_is_refused():
    script = small_game()
    script.seats[1]["m_control"] = 3
    assert refusal(script) == "against the built-in AI"


@pytest.mark.parametrize(
    ("loops", "reason"), [(19, "too short"), (671, "too short"), (1 << 31, "damaged header")]
)
def test_games_of_impossible_length_are_refused(loops: int, reason: str):
    assert refusal(small_game(game_loops=loops)) == reason


def test_half_a_minute_is_a_game():
    assert lobby_of(small_game(game_loops=672)).game_loops == 672


def test_an_anonymised_replay_is_refused():
    parts = small_game().parts()._replace(details=None)
    with pytest.raises(ReplayRefused, match="no details"):
        read_lobby(parts, [])


def test_a_header_without_a_version_is_refused():
    parts = small_game().parts()._replace(header=bytes([5, 0]))
    with pytest.raises(ReplayRefused, match="damaged header"):
        read_protocol(parts)
