"""The built-in opponents: that they build up, attack and finish, and that levels differ."""

import numpy as np
import pytest
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine import rules
from envs.engine.bots.ground import Ground
from envs.engine.bots.levels import army_of, build_of, level
from envs.engine.bots.sites import Sites
from envs.engine.bots.view import View
from envs.engine.layout import ONE, Trait
from envs.engine.match import Match, MatchOptions, PlayerKind, PlayerSetup
from envs.engine.order_queue import Aim, point
from envs.engine.terrain import map_bytes, read_map
from tests.envs.engine.rushes import Rush, TwelvePool, TwoBarracks, play_rush
from tests.envs.engine.scenes import PROTOSS, TERRAN, ZERG

ATTACK = 3674
VERY_EASY, MEDIUM, VERY_HARD = 1, 3, 7
LOOPS_A_MINUTE = round(22.4 * 60)


def new_match(*players: tuple[int, int], seed: int = 1, map_name: str = "Simple64") -> Match:
    setups = [
        PlayerSetup(kind=PlayerKind.COMPUTER, race=race, difficulty=difficulty)
        for race, difficulty in players
    ]
    return Match(read_map(map_bytes(map_name)), setups, seed=seed, options=MatchOptions())


def left_alone(race: int, map_name: str, seed: int, difficulty: int = VERY_HARD) -> Match:
    """A match in which the second player does nothing that could disturb the first."""
    setups = [
        PlayerSetup(kind=PlayerKind.COMPUTER, race=race, difficulty=difficulty),
        PlayerSetup(kind=PlayerKind.PARTICIPANT, race=TERRAN),
    ]
    return Match(read_map(map_bytes(map_name)), setups, seed=seed, options=MatchOptions())


def num_workers(match: Match, player: int) -> int:
    game = match.game
    return sum(game.has_trait(slot, Trait.WORKER) for slot in game.slots(player))


def num_bases(match: Match, player: int) -> int:
    game = match.game
    return sum(
        game.has_trait(slot, Trait.TOWN_HALL) and not game.units["build_left"][slot]
        for slot in game.slots(player)
    )


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("map_name", ["Simple64", "Simple96"])
@pytest.mark.parametrize("race", [TERRAN, ZERG, PROTOSS])
def test_very_hard_left_alone_builds_up_quickly(race: int, map_name: str, seed: int):
    match = left_alone(race, map_name, seed)
    match.advance(6 * LOOPS_A_MINUTE)
    assert num_workers(match, 1) >= 40
    assert num_bases(match, 1) >= 2
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


@pytest.mark.parametrize("race", [TERRAN, ZERG, PROTOSS])
def test_very_hard_beats_medium(race: int):
    match = new_match((race, MEDIUM), (race, VERY_HARD))
    match.advance(30 * LOOPS_A_MINUTE)
    assert match.results == {1: sc_pb.Defeat, 2: sc_pb.Victory}


@pytest.mark.slow
@pytest.mark.parametrize("race", [TERRAN, ZERG, PROTOSS])
@pytest.mark.parametrize("kind", [TwelvePool, TwoBarracks])
def test_very_hard_holds_against_rushes_more_often_than_not(kind: type[Rush], race: int):
    games = [
        play_rush(kind, race, seed=seed, minutes=20, map_name=map_name)
        for map_name in ("Simple64", "Simple96")
        for seed in (1, 2, 3)
    ]
    assert sum(match.results.get(1) == sc_pb.Victory for match in games) > len(games) / 2


@pytest.mark.parametrize("race", [TERRAN, ZERG, PROTOSS])
@pytest.mark.parametrize("difficulty", [VERY_EASY, MEDIUM])
def test_the_lower_levels_too_make_soldiers_and_attack(difficulty: int, race: int):
    match = left_alone(race, "Simple64", 1, difficulty)
    units = match.game.units
    x, y = (round(side * ONE) for side in match.game_map.starts[1])
    while match.loop < 15 * LOOPS_A_MINUTE and not match.is_over:
        match.advance(LOOPS_A_MINUTE // 4)
        own = match.game.slots(1)
        kinds = match.world.types[1][units["type"][own]]
        is_soldier = (kinds["supply"] > 0) & (kinds["traits"] & Trait.WORKER == 0)
        soldiers = [slot for slot, is_one in zip(own, is_soldier, strict=True) if is_one]
        if any(match.game.distance(slot, x, y) < 20 * ONE for slot in soldiers):
            break
    else:
        assert match.is_over, "nobody came"
    assert len(soldiers) >= 3


def test_computers_build_beside_what_does_not_make_room():
    match = left_alone(TERRAN, "Simple64", 1)
    view = View(match, 1)
    sites = Sites(view, Ground(view, np.random.default_rng(1)))
    depot = match.game.tables.row["SupplyDepot"]
    site = sites.site_for(depot)
    assert site is not None
    mine = match.game.tables.row["WidowMineBurrowed"]
    match.game.spawn(mine, 1, site.x, site.y)
    assert rules.seems_placeable(match.game, 1, depot, site.x, site.y) != rules.OK
    sites.give_up(depot, site)
    match.advance(400)
    other = sites.site_for(depot)
    assert other is not None
    assert rules.seems_placeable(match.game, 1, depot, other.x, other.y) == rules.OK


def test_levels_that_are_not_there_play_as_the_nearest_below():
    assert [level(number).difficulty for number in range(1, 11)] == [1, 1, 3, 3, 3, 3, 7, 7, 7, 7]


def test_builds_and_armies_name_what_there_is():
    for race in (TERRAN, ZERG, PROTOSS):
        assert all(step.row or step.upgrade for step in build_of(race))
        assert all(
            share.row
            for difficulty in (VERY_EASY, MEDIUM, VERY_HARD)
            for share in army_of(race, difficulty)
        )
        supplies = [step.supply for step in build_of(race)]
        assert supplies == sorted(supplies)


def test_computers_command_their_own_units_at_what_they_know(monkeypatch: pytest.MonkeyPatch):
    given: list[tuple[bool, bool]] = []
    give = Match.order

    def watched(
        match: Match, player: int, ability: int, slots: list[int], aim: Aim, **queued: bool
    ) -> int:
        units, world = match.game.units, match.world
        is_own = all(units["owner"][slot] == player for slot in slots)
        target = units[aim.slot]
        is_seen = target["owner"] == 0 or bool(target["visible_to"] & (1 << player))
        is_remembered = world.snapshots["tag"][player, aim.slot] == target["tag"]
        given.append((is_own, not aim.slot or is_seen or bool(is_remembered)))
        return give(match, player, ability, slots, aim, **queued)

    monkeypatch.setattr(Match, "order", watched)
    match = new_match((TERRAN, VERY_HARD), (ZERG, VERY_HARD))
    match.advance(10_000)
    assert len(given) > 500
    assert all(is_own for is_own, _ in given)
    assert all(is_known for _, is_known in given)


@pytest.mark.parametrize("race", [TERRAN, ZERG, PROTOSS])
def test_computers_decide_the_same_whatever_the_fog_hides(race: int):
    logs = []
    for name, base in (("Zealot", -1), ("Medivac", -3)):
        match = left_alone(race, "Simple96", 1)
        match.advance(100)
        x, y = (round(side * ONE) for side in match.game_map.expansions[base])
        hidden = match.game.units[put(match, name, 2, x, y, 6)]["tag"].tolist()
        while match.loop < 4 * LOOPS_A_MINUTE:
            match.advance(20)
            slots = [match.game.slot(tag) for tag in hidden]
            assert not (match.game.units["visible_to"][slots] & 1 << 1).any()
        logs.append([entry for entry in match.log if entry.player == 1])
    assert len(logs[0]) > 80
    assert logs[0] == logs[1]


def put(match: Match, name: str, player: int, x: int, y: int, number: int = 1) -> list[int]:
    row = match.game.tables.row[name]
    return [match.game.spawn(row, player, *match.game.open_place(row, x, y)) for _ in range(number)]


def test_miners_flee_from_a_base_that_cannot_be_held():
    match = left_alone(TERRAN, "Simple64", 1)
    x, y = (round(side * ONE) for side in match.game_map.expansions[2])
    match.game.spawn(match.game.tables.row["CommandCenter"], 1, x, y)
    settlers = match.game.units["tag"][put(match, "SCV", 1, x, y + 4 * ONE, 8)].tolist()
    match.advance(200)
    raiders = put(match, "Zealot", 2, x, y + 14 * ONE, 10)
    match.order(2, ATTACK, raiders, point(x, y + 4 * ONE))
    match.advance(400)
    assert sum(match.game.slot(tag) > 0 for tag in settlers) >= 6


def test_workers_leave_gas_that_piles_up():
    match = left_alone(TERRAN, "Simple64", 1)
    units, row = match.game.units, match.game.tables.row["Refinery"]
    while not any(units["harvesters"][slot] == 3 for slot in match.game.slots(1, row)):
        match.advance(50)
    match.world.players["gas"][1] = 2000
    match.world.players["minerals"][1] = 0
    match.advance(200)
    assert units["harvesters"][match.game.slots(1, row)[0]] == 1


def test_computers_take_a_base_for_free_until_they_see_a_building_there():
    match = left_alone(TERRAN, "Simple64", 1)
    view = View(match, 1)
    ground = Ground(view, np.random.default_rng(1))
    row = match.game.tables.row
    place = ground.next_base(row["CommandCenter"])
    assert place is not None
    match.game.spawn(row["Pylon"], 2, *place)
    match.advance(8)
    assert ground.next_base(row["CommandCenter"]) == place
    match.game.spawn(row["Medivac"], 1, *place)
    match.advance(8)
    assert ground.next_base(row["CommandCenter"]) != place
