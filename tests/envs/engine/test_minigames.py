"""pysc2's mini-games, played on the engine through the door that clients have.

Where a test looks behind the fog or moves units about, it does so by ``units``, ``position``,
``place`` and ``put`` below, which use what a match offers to mini-games themselves; orders go
through ``Match.command``, deaths through ``Match.debug``, and scores are read from observations.
"""

import math
from collections.abc import Iterator

import pytest
from s2clientprotocol import debug_pb2 as debug_pb
from s2clientprotocol import query_pb2 as query_pb
from s2clientprotocol import raw_pb2 as raw_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine.data_response import data_response
from envs.engine.match import Match, MatchOptions, PlayerKind, PlayerSetup
from envs.engine.minigames import mini_games
from envs.engine.observe import Observer
from envs.engine.queries import query
from envs.engine.terrain import map_bytes, read_map

TERRAN, RANDOM_BUILD = 1, 1
SCV, COMMAND_CENTER, BARRACKS, MARINE = 45, 18, 21, 48
MINERAL_FIELD, SMALL_MINERAL_FIELD, GEYSER = 341, 483, 342
ZERGLING, BANELING, ROACH = 105, 9, 110
BEACON, SHARD = 317, 1680
MOVE, GATHER = 3794, 3666
TRAIN_MARINE, BUILD_SUPPLY_DEPOT, BUILD_ENGINEERING_BAY = 560, 319, 322
BUILD_COMMAND_CENTER, HALT, LOAD_ALL, UNLOAD_ALL = 318, 315, 416, 413
SUCCESS = 1

DURATIONS = {  # game loops: 16 a game second
    "BuildMarines": 900 * 16,
    "CollectMineralsAndGas": 420 * 16,
    "CollectMineralShards": 120 * 16,
    "DefeatRoaches": 120 * 16,
    "DefeatZerglingsAndBanelings": 120 * 16,
    "FindAndDefeatZerglings": 180 * 16,
    "MoveToBeacon": 120 * 16,
}


def new_match(name: str, seed: int = 3) -> Match:
    player = PlayerSetup(
        kind=PlayerKind.PARTICIPANT,
        race=TERRAN,
        difficulty=1,
        ai_build=RANDOM_BUILD,
        name="someone",
    )
    options = MatchOptions(disable_fog=False)
    return Match(read_map(map_bytes(name)), [player], seed=seed, options=options)


def observation(match: Match) -> sc_pb.ResponseObservation:
    options = sc_pb.InterfaceOptions(raw=True, score=True)
    data = Observer(match, 1, options).observation(disable_fog=False)
    return sc_pb.ResponseObservation.FromString(data)


def score(match: Match) -> int:
    return observation(match).observation.score.score


def order(match: Match, tag: int, ability: int, *, x: float = 0.0, y: float = 0.0) -> int | None:
    """Have a unit of the player do something at a point."""
    action = raw_pb.ActionRaw()
    action.unit_command.ability_id = ability
    action.unit_command.unit_tags.append(tag)
    action.unit_command.target_world_space_pos.x = x
    action.unit_command.target_world_space_pos.y = y
    return match.command(1, action)


def units(match: Match, unit_id: int) -> dict[int, tuple[float, float]]:
    """Tag -> position of all units of a type, whoever owns them."""
    game = match.game
    tags = game.units["tag"][game.slots(row=game.tables.row_of_id[unit_id])]
    return {int(tag): position(match, int(tag)) for tag in tags}


def position(match: Match, tag: int) -> tuple[float, float]:
    assert match.mini_game
    return match.mini_game.position(tag)


def place(match: Match, tag: int, at: tuple[float, float]) -> None:
    assert match.mini_game
    match.mini_game.place(tag, *at)


def put(match: Match, unit_id: int, at: tuple[float, float]) -> int:
    """Give the player a unit; return its tag."""
    assert match.mini_game
    return match.mini_game.spawn(unit_id, 1, *at)


def apart(places: list[tuple[float, float]]) -> float:
    return min(math.dist(a, b) for i, a in enumerate(places) for b in places[:i])


def loops_until(match: Match, loops: int) -> Iterator[int]:
    """Play loop by loop, until so many are over or the match is."""
    for loop in range(loops):
        if match.is_over:
            return
        match.advance(1)
        yield loop


def offered(match: Match, tag: int) -> set[int]:
    """The abilities that the player is told a unit of his can be given."""
    asked = query_pb.RequestQueryAvailableAbilities(unit_tag=tag)
    (answer,) = query(match, 1, query_pb.RequestQuery(abilities=[asked])).abilities
    return {ability.ability_id for ability in answer.abilities}


def kill(match: Match, tags: list[int]) -> None:
    """Have units die, and let a loop pass."""
    match.debug(1, debug_pb.DebugCommand(kill_unit=debug_pb.DebugKillUnit(tag=tags)))
    match.advance(1)


def test_there_are_the_seven_mini_games():
    assert set(mini_games()) == set(DURATIONS)


@pytest.mark.parametrize("name", ["CollectMineralShards", "MoveToBeacon"])
def test_a_game_ends_when_its_time_is_over(name: str):
    match = new_match(name)
    match.advance(DURATIONS[name] - 1)
    assert not match.is_over
    match.advance(10)
    assert match.is_over
    assert match.loop == DURATIONS[name]
    assert list(match.results) == [1]


@pytest.mark.parametrize("name", DURATIONS)
def test_games_last_as_long_as_pysc2_says(name: str):
    assert mini_games()[name]().stage.duration_loops == DURATIONS[name]


@pytest.mark.parametrize("name", DURATIONS)
def test_the_same_seed_gives_the_same_game(name: str):
    one, other = new_match(name), new_match(name)
    one.advance(50)
    other.advance(50)
    assert one.state_hash() == other.state_hash()


@pytest.mark.parametrize("name", ["CollectMineralShards", "FindAndDefeatZerglings", "MoveToBeacon"])
def test_other_seeds_give_other_games(name: str):
    assert new_match(name, seed=3).state_hash() != new_match(name, seed=4).state_hash()


@pytest.mark.parametrize("name", DURATIONS)
def test_a_game_begins_with_no_score(name: str):
    assert score(new_match(name)) == 0


def test_a_marine_scores_by_reaching_the_beacon_and_it_moves_away():
    match = new_match("MoveToBeacon")
    ((marine, start),) = units(match, MARINE).items()
    ((beacon, at),) = units(match, BEACON).items()
    assert math.dist(start, at) >= 3.99
    assert order(match, marine, MOVE, x=at[0], y=at[1]) == SUCCESS
    for _ in loops_until(match, 400):
        if position(match, beacon) != at:
            break
    assert score(match) == 1
    assert math.dist(position(match, marine), at) < 2
    assert math.dist(position(match, marine), position(match, beacon)) >= 4.9
    match.advance(100)  # nobody walks on
    assert score(match) == 1


def test_walking_from_beacon_to_beacon_scores_about_as_in_the_real_game():
    """A Marine walks 0.14 a loop: some 270 in all, at about 10 from beacon to beacon."""
    match = new_match("MoveToBeacon")
    (marine,) = units(match, MARINE)
    target = None
    for _ in loops_until(match, DURATIONS["MoveToBeacon"]):
        ((_, at),) = units(match, BEACON).items()
        if at != target:
            target = at
            order(match, marine, MOVE, x=at[0], y=at[1])
    assert 20 <= score(match) <= 40


def test_shards_score_one_each_and_come_anew_when_all_are_taken():
    match = new_match("CollectMineralShards")
    marines, shards = units(match, MARINE), units(match, SHARD)
    assert (len(marines), len(shards)) == (2, 20)
    gaps = [math.dist(a, b) for a in marines.values() for b in shards.values()]
    assert min(gaps) >= 1.99
    walker = min(marines)
    left = set(shards)
    while left:
        assert score(match) == 20 - len(left)
        place(match, walker, shards[min(left)])
        match.advance(1)
        left &= units(match, SHARD).keys()
    assert score(match) == 20
    fresh = units(match, SHARD)
    assert len(fresh) == 20
    assert not fresh.keys() & shards.keys()
    gaps = [math.dist(position(match, tag), at) for tag in marines for at in fresh.values()]
    assert min(gaps) >= 1.9


def test_zerglings_to_find_are_where_they_should_be():
    for seed in range(3):
        match = new_match("FindAndDefeatZerglings", seed)
        assert len(units(match, MARINE)) == 3
        places = list(units(match, ZERGLING).values())
        away = sorted(math.dist(at, (32, 32)) for at in places)
        assert len(away) == 25
        assert 7.4 <= away[0] <= away[1] <= 9.6
        assert away[2] >= 10.4
        assert apart(places) >= 4.9


def test_zerglings_stand_still_in_the_fog_until_they_are_found():
    match = new_match("FindAndDefeatZerglings")
    seen = {unit.tag for unit in observation(match).observation.raw_data.units}
    zerglings = units(match, ZERGLING)
    assert len(seen & zerglings.keys()) <= 2
    far = {tag: at for tag, at in zerglings.items() if math.dist(at, (32, 32)) > 16}
    match.advance(100)
    assert far
    assert all(position(match, tag) == at for tag, at in far.items())


def test_zerglings_score_and_marines_cost_a_point_and_new_ones_come_when_all_are_dead():
    match = new_match("FindAndDefeatZerglings")
    zerglings, marines = list(units(match, ZERGLING)), list(units(match, MARINE))
    kill(match, [*zerglings[:5], marines[0]])
    assert score(match) == 4
    kill(match, zerglings[5:])
    assert score(match) == 24
    fresh = units(match, ZERGLING)
    assert len(fresh) == 25
    assert apart(list(fresh.values())) >= 4.9
    assert all(
        math.dist(position(match, marine), at) >= 8.9
        for marine in marines[1:]
        for at in fresh.values()
    )


@pytest.mark.parametrize(
    "name", ["DefeatRoaches", "DefeatZerglingsAndBanelings", "FindAndDefeatZerglings"]
)
def test_a_game_ends_with_the_last_marine(name: str):
    match = new_match(name)
    marines = list(units(match, MARINE))
    kill(match, marines)
    assert match.is_over
    assert score(match) == -len(marines)


@pytest.mark.parametrize(
    ("name", "enemies", "points", "reinforcements"),
    [
        ("DefeatRoaches", {ROACH: 4}, 10, 5),
        ("DefeatZerglingsAndBanelings", {ZERGLING: 6, BANELING: 4}, 5, 4),
    ],
)
def test_waves_score_and_bring_reinforcements(
    name: str, enemies: dict[int, int], points: int, reinforcements: int
):
    match = new_match(name)
    marines = units(match, MARINE)
    assert len(marines) == 9
    assert {unit_id: len(units(match, unit_id)) for unit_id in enemies} == enemies
    first_wave = [tag for unit_id in enemies for tag in units(match, unit_id)]
    (side,) = {x > 32 for x, _ in marines.values()}
    assert all((position(match, tag)[0] > 32) != side for tag in first_wave)
    assert len({x for x, _ in marines.values()}) == 1  # a vertical line

    kill(match, [*first_wave, min(marines)])
    assert score(match) == points * sum(enemies.values()) - 1
    second_wave = [tag for unit_id in enemies for tag in units(match, unit_id)]
    assert {unit_id: len(units(match, unit_id)) for unit_id in enemies} == enemies
    assert not set(first_wave) & set(second_wave)
    marines = units(match, MARINE)
    assert len(marines) == 8 + reinforcements
    (side,) = {x > 32 for x, _ in marines.values()}
    assert all((position(match, tag)[0] > 32) != side for tag in second_wave)


def test_survivors_of_a_wave_keep_their_health():
    match = new_match("DefeatRoaches")
    hurt: dict[int, float] = {}
    for _ in loops_until(match, 600):
        hurt = {
            unit.tag: unit.health
            for unit in observation(match).observation.raw_data.units
            if unit.unit_type == MARINE and unit.health < 40
        }
        if hurt:
            break
    assert hurt
    kill(match, list(units(match, ROACH)))
    after = {unit.tag: unit.health for unit in observation(match).observation.raw_data.units}
    for tag, health in hurt.items():
        if tag in after:
            assert after[tag] <= health


@pytest.mark.parametrize(
    ("name", "enemy"), [("DefeatRoaches", ROACH), ("DefeatZerglingsAndBanelings", BANELING)]
)
def test_enemies_come_at_marines_that_do_nothing(name: str, enemy: int):
    match = new_match(name)
    ((marines_x, _), *_) = units(match, MARINE).values()
    before = units(match, enemy)
    match.advance(30)
    after = units(match, enemy)
    assert after.keys() == before.keys()
    for tag, (x, _) in after.items():
        assert abs(x - marines_x) < abs(before[tag][0] - marines_x) - 1


def test_what_is_brought_home_scores_and_spending_does_not_count():
    match = new_match("CollectMineralsAndGas")
    assert len(units(match, SCV)) == 12
    assert len(units(match, COMMAND_CENTER)) == 1
    common = observation(match).observation.player_common
    assert (common.minerals, common.food_used, common.food_cap) == (50, 12, 15)
    field = min(units(match, MINERAL_FIELD))
    for tag in units(match, SCV):
        action = raw_pb.ActionRaw()
        action.unit_command.ability_id = GATHER
        action.unit_command.unit_tags.append(tag)
        action.unit_command.target_unit_tag = field
        assert match.command(1, action) == SUCCESS
    match.advance(1000)
    gained = score(match)
    assert gained > 0
    assert observation(match).observation.player_common.minerals == 50 + gained
    depot = order(match, min(units(match, SCV)), BUILD_SUPPLY_DEPOT, x=32, y=32)
    assert depot == SUCCESS
    match.advance(400)
    assert score(match) >= gained


@pytest.mark.parametrize("number", range(8))
def test_workers_sent_to_one_patch_spread_and_none_stands_about(number: int):
    match = new_match("CollectMineralsAndGas")
    ((_, hall),) = units(match, COMMAND_CENTER).items()
    patches = units(match, MINERAL_FIELD) | units(match, SMALL_MINERAL_FIELD)
    near_home = sorted(patches, key=lambda tag: math.dist(patches[tag], hall))[:8]
    action = raw_pb.ActionRaw()
    action.unit_command.ability_id = GATHER
    action.unit_command.unit_tags.extend(units(match, SCV))
    action.unit_command.target_unit_tag = near_home[number]
    assert match.command(1, action) == SUCCESS
    match.advance(672)  # half a minute until each has its patch
    before = score(match)
    match.advance(1344)  # a minute
    assert 55 * 12 <= score(match) - before <= 63 * 12


def test_units_are_offered_only_what_they_can_do_in_the_mini_game():
    match = new_match("BuildMarines")
    match.debug(1, debug_pb.DebugCommand(game_state=debug_pb.all_resources))
    scv, hall = min(units(match, SCV)), min(units(match, COMMAND_CENTER))
    assert BUILD_SUPPLY_DEPOT in offered(match, scv)
    assert not {BUILD_COMMAND_CENTER, BUILD_ENGINEERING_BAY, HALT} & offered(match, scv)
    assert order(match, scv, BUILD_SUPPLY_DEPOT, x=36, y=30) == SUCCESS
    match.advance(200)
    assert HALT in offered(match, scv)  # it has begun
    assert UNLOAD_ALL not in offered(match, hall)
    assert order(match, hall, LOAD_ALL) == SUCCESS
    match.advance(100)
    assert UNLOAD_ALL in offered(match, hall)


@pytest.mark.parametrize("name", ["BuildMarines", "CollectMineralsAndGas"])
def test_what_units_are_offered_is_in_the_games_data(name: str):
    match = new_match(name)
    request = sc_pb.RequestData(ability_id=True)
    data = sc_pb.ResponseData.FromString(data_response(request))
    known = {ability.ability_id for ability in data.abilities}
    for unit_id in (SCV, COMMAND_CENTER):
        assert offered(match, min(units(match, unit_id))) <= known


def test_only_what_marines_take_can_be_built():
    match = new_match("BuildMarines")
    assert len(units(match, SCV)) == 12
    assert units(match, GEYSER) == {}
    scv = min(units(match, SCV))
    match.debug(1, debug_pb.DebugCommand(game_state=debug_pb.all_resources))
    assert order(match, scv, BUILD_ENGINEERING_BAY, x=40.5, y=40.5) not in (SUCCESS, None)
    assert order(match, scv, BUILD_SUPPLY_DEPOT, x=40, y=40) == SUCCESS


def test_marines_that_are_trained_score_even_when_they_die():
    match = new_match("BuildMarines")
    barracks = put(match, BARRACKS, (40.5, 40.5))
    action = raw_pb.ActionRaw()
    action.unit_command.ability_id = TRAIN_MARINE
    action.unit_command.unit_tags.append(barracks)
    assert match.command(1, action) == SUCCESS
    match.advance(25 * 16 + 10)  # a Marine takes 25 game seconds
    assert score(match) == 1
    kill(match, list(units(match, MARINE)))
    assert score(match) == 1
