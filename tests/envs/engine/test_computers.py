"""The built-in opponents: that they build up, attack and finish, and that levels differ."""

import pytest
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine.bots.levels import army_of, build_of, level
from envs.engine.layout import Trait
from envs.engine.match import Match, MatchOptions, PlayerKind, PlayerSetup
from envs.engine.terrain import map_bytes, read_map
from tests.envs.engine.scenes import PROTOSS, TERRAN, ZERG

VERY_EASY, MEDIUM, VERY_HARD = 1, 3, 7
LOOPS_A_MINUTE = round(22.4 * 60)


def new_match(*players: tuple[int, int], seed: int = 1, map_name: str = "Simple64") -> Match:
    setups = [
        PlayerSetup(kind=PlayerKind.COMPUTER, race=race, difficulty=difficulty)
        for race, difficulty in players
    ]
    return Match(read_map(map_bytes(map_name)), setups, seed=seed, options=MatchOptions())


def left_alone(race: int) -> Match:
    """A match in which the second player has nothing that could disturb the first."""
    setups = [
        PlayerSetup(kind=PlayerKind.COMPUTER, race=race, difficulty=VERY_HARD),
        PlayerSetup(kind=PlayerKind.PARTICIPANT, race=TERRAN),
    ]
    return Match(read_map(map_bytes("Simple96")), setups, seed=1, options=MatchOptions())


def num_workers(match: Match, player: int) -> int:
    game = match.game
    return sum(game.has_trait(slot, Trait.WORKER) for slot in game.slots(player))


def num_bases(match: Match, player: int) -> int:
    game = match.game
    return sum(
        game.has_trait(slot, Trait.TOWN_HALL) and not game.units["build_left"][slot]
        for slot in game.slots(player)
    )


@pytest.mark.xfail(reason="computers do not expand quickly enough yet")
@pytest.mark.parametrize("race", [TERRAN, ZERG, PROTOSS])
def test_very_hard_has_forty_workers_on_two_bases_by_six_minutes(race: int):
    match = left_alone(race)
    match.advance(6 * LOOPS_A_MINUTE)
    assert num_workers(match, 1) >= 40
    assert num_bases(match, 1) >= 2


@pytest.mark.xfail(reason="computers do not expand quickly enough yet")
@pytest.mark.parametrize("race", [TERRAN, ZERG, PROTOSS])
def test_very_hard_has_a_hundred_supply_by_nine_minutes(race: int):
    match = left_alone(race)
    most = 0
    while match.loop < 9 * LOOPS_A_MINUTE and not match.is_over:
        match.advance(LOOPS_A_MINUTE // 4)
        most = max(most, int(match.world.players["supply_used"][1]) // 2)
    assert most >= 100


@pytest.mark.parametrize("race", [TERRAN, ZERG, PROTOSS])
def test_very_hard_beats_very_easy_by_destroying_all_of_it(race: int):
    match = new_match((race, VERY_HARD), (race, VERY_EASY))
    match.advance(30 * LOOPS_A_MINUTE)
    assert match.results == {1: sc_pb.Victory, 2: sc_pb.Defeat}


def test_levels_that_are_not_there_play_as_the_nearest_below():
    assert [level(number).difficulty for number in range(1, 11)] == [1, 1, 3, 3, 3, 3, 7, 7, 7, 7]


def test_builds_and_armies_name_what_there_is():
    for race in (TERRAN, ZERG, PROTOSS):
        assert all(step.row or step.upgrade for step in build_of(race))
        assert all(share.row for share in army_of(race))
        supplies = [step.supply for step in build_of(race)]
        assert supplies == sorted(supplies)


def test_computers_command_only_what_they_may():
    match = new_match((TERRAN, VERY_HARD), (ZERG, VERY_HARD))
    match.advance(2000)
    assert match.log
    for entry in match.log:
        assert entry.player in (1, 2)


def test_computers_do_not_see_through_fog():
    match = new_match((TERRAN, VERY_HARD), (ZERG, VERY_HARD))
    assert not match.world.players["sees_all"].any()
