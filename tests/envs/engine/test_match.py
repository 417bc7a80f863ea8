"""Matches as a whole: how they end, that they are the same every time, what clients are told."""

import numpy as np
import pytest
from s2clientprotocol import debug_pb2 as debug_pb
from s2clientprotocol import error_pb2 as result
from s2clientprotocol import raw_pb2 as raw_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine.commands import commands_of, spells
from envs.engine.layout import ONE, Clock, Happening
from envs.engine.match import Match, MatchOptions, PlayerKind, PlayerSetup
from envs.engine.observe import Observer
from envs.engine.terrain import map_bytes, read_map
from tests.envs.engine.scenes import PROTOSS, TERRAN, ZERG, Scene

SNIPE, SIEGE = 2714, 388
UNHEARD_OF = 99


def computers(seed: int, *levels: int, races: tuple[int, int] = (TERRAN, ZERG)) -> Match:
    players = [
        PlayerSetup(kind=PlayerKind.COMPUTER, race=race, difficulty=level)
        for race, level in zip(races, levels, strict=True)
    ]
    game_map = read_map(map_bytes("Simple64"))
    return Match(game_map, players, seed=seed, options=MatchOptions())


def observed(match: Match, player: int, *, disable_fog: bool = False) -> sc_pb.ResponseObservation:
    options = sc_pb.InterfaceOptions(raw=True, score=True)
    data = Observer(match, player, options).observation(disable_fog=disable_fog)
    return sc_pb.ResponseObservation.FromString(data)


def test_who_has_no_building_left_has_lost():
    scene = Scene()
    for name in scene.row:
        if not name:
            continue
        for tag in scene.all_of(name, 2):
            if scene.game.kind(scene.game.slot(tag))["traits"] & 1:
                scene.match.aftermath.kill(scene.game.slot(tag))
    scene.match.lose_without_structures()
    assert scene.match.results == {1: sc_pb.Victory, 2: sc_pb.Defeat}


def test_who_leaves_has_lost():
    scene = Scene()
    scene.match.leave(1)
    assert scene.match.results == {1: sc_pb.Defeat, 2: sc_pb.Victory}


def test_the_same_seed_gives_the_same_game():
    first, second = (computers(5, 7, 3) for _ in range(2))
    for _ in range(6):
        first.advance(500)
        for _ in range(50):
            second.advance(10)
        assert first.loop == second.loop
        assert first.state_hash() == second.state_hash()


def test_another_seed_gives_another_game():
    first, second = computers(5, 7, 3), computers(6, 7, 3)
    first.advance(3000)
    second.advance(3000)
    assert first.state_hash() != second.state_hash()


def test_looking_changes_nothing():
    first, second = (computers(5, 3, 3) for _ in range(2))
    for _ in range(20):
        first.advance(50)
        second.advance(50)
        observed(first, 1)
        observed(first, 2, disable_fog=True)
    assert first.state_hash() == second.state_hash()


def test_recorded_commands_give_the_same_game_without_the_computers():
    first = computers(7, 7, 7, races=(PROTOSS, TERRAN))
    first.advance(4000)
    again = Match(first.game_map, first.setups, seed=7, options=MatchOptions(playback=True))
    for entry in first.log:
        again.advance(entry.loop - again.loop)
        assert again.command(entry.player, raw_pb.ActionRaw.FromString(entry.data)) == 1
    again.advance(first.loop - again.loop)
    assert again.state_hash() == first.state_hash()


def test_a_refused_order_changes_nothing():
    """A death by the snipe before it is seen to in the loop in which it happens."""
    with_refused, without = Scene(), Scene()
    for scene in (with_refused, without):
        ghost = scene.put("Ghost", 1, 40, 40, energy=200 * ONE)
        marine = scene.put("Marine", 2, 44, 40)
        scene.order("hold", ghost)
        scene.order(SNIPE, ghost, on=marine)
        for _ in range(40):
            scene.run(1)
            if scene is with_refused:
                assert scene.order(SIEGE, ghost) == result.NotSupported
            assert not scene.world.clock[Clock.NUM_EVENTS]
        assert not scene.lives(marine)
    assert with_refused.match.state_hash() == without.match.state_hash()


def test_what_happened_is_seen_to_though_something_else_went_wrong():
    scene = Scene()
    marine = scene.put("Marine", 2, 44, 40, health=0)
    other = scene.put("Marine", 2, 46, 40)
    scene.world.events[0] = (UNHEARD_OF, scene.game.slot(other), other, 0)
    scene.world.events[1] = (Happening.DIED, scene.game.slot(marine), marine, 0)
    scene.world.clock[Clock.NUM_EVENTS] = 2
    with pytest.raises(KeyError):
        scene.run(1)
    assert scene.lives(marine)
    scene.run(1)
    assert not scene.lives(marine)


def crowd(seed: int) -> Scene:
    """Some of every kind of unit that can be told to do anything, of both players."""
    scene = Scene(ZERG, PROTOSS, seed=seed, disable_fog=False)
    for switch in ("no_tech", "no_food", "no_cooldown"):
        scene.world.players[switch][1:] = 1
    names = [
        name
        for row, name in enumerate(scene.game.tables.names)
        if commands_of(row) and scene.game.tables.types["race"][row]
    ]
    random = np.random.default_rng(seed)
    for name in names:
        for player in (1, 2):
            scene.give(player, minerals=200, gas=200)
            x, y = random.integers(24, 60, 2)
            scene.put(name, player, *(float(v) for v in (x, y)), energy=200 * ONE)
    scene.run(8)
    return scene


def random_action(scene: Scene, random: np.random.Generator) -> tuple[int, raw_pb.ActionRaw]:
    """A command for up to three units, sensible or not."""
    player = int(random.integers(1, 3))
    mine = np.array(scene.game.slots(player))
    slots = random.choice(mine, int(random.integers(1, 4)))
    action = raw_pb.ActionRaw()
    command = action.unit_command
    known = [
        ability
        for slot in slots
        for ability in sorted(commands_of(int(scene.game.units["type"][slot])))
    ]
    casts = [ability for spell in spells() for ability in spell.abilities]
    command.ability_id = int(random.choice(known * 4 + casts if known else casts))
    command.unit_tags.extend(int(tag) for tag in scene.game.units["tag"][slots])
    command.queue_command = bool(random.random() < 0.3)
    aim = random.random()
    if aim < 0.4:
        anyone = np.array(scene.game.slots())
        command.target_unit_tag = int(scene.game.units["tag"][random.choice(anyone)])
    elif aim < 0.8:
        x, y = random.uniform(20, 64, 2)
        command.target_world_space_pos.x, command.target_world_space_pos.y = x, y
    return player, action


@pytest.mark.parametrize("seed", [1, 2])
def test_any_commands_at_all_give_the_same_game_again(seed: int):
    first, again = crowd(seed), crowd(seed)
    random = np.random.default_rng(seed)
    num_refused = 0
    for _ in range(60):
        for _ in range(20):
            num_refused += first.match.command(*random_action(first, random)) != result.Success
        first.run(7)
    assert min(num_refused, len(first.match.log)) > 100
    for entry in first.match.log:
        again.run(entry.loop - again.match.loop)
        action = raw_pb.ActionRaw.FromString(entry.data)
        assert again.match.command(entry.player, action) == result.Success
    again.run(first.match.loop - again.match.loop)
    assert again.match.state_hash() == first.match.state_hash()


def test_more_units_than_there_is_room_for_are_not_created():
    scene = Scene()
    create = debug_pb.DebugCreateUnit(unit_type=48, owner=1, quantity=200)
    create.pos.x, create.pos.y = 40, 40
    answers = [scene.match.debug(1, debug_pb.DebugCommand(create_unit=create)) for _ in range(11)]
    assert answers[:9] == [result.Success] * 9
    assert answers[10] == result.CouldntAllocateUnit
    scene.run(1)


def test_an_observation_tells_the_units_as_they_are():
    scene = Scene(TERRAN, ZERG, map_name="Simple64")
    scene.run(100)
    told = observed(scene.match, 1)
    units = {unit.tag: unit for unit in told.observation.raw_data.units}
    assert told.observation.game_loop == 100
    assert len(units) == len(told.observation.raw_data.units)
    for tag in scene.all_of("SCV", 1):
        unit = units[tag]
        assert (unit.pos.x, unit.pos.y) == scene.place(tag)
        assert unit.health == scene.health(tag)
        assert unit.alliance == raw_pb.Self
        assert unit.orders[0].ability_id == 295
    hall = units[scene.all_of("CommandCenter", 1)[0]]
    assert (hall.assigned_harvesters, hall.ideal_harvesters) == (12, 16)
    assert hall.health_max == 1500
    assert hall.radius == 2.75
    minerals = [unit for unit in units.values() if unit.unit_type in (341, 483)]
    assert all(unit.owner == 16 and unit.alliance == raw_pb.Neutral for unit in minerals)


def test_enemies_in_the_fog_are_not_told_and_resources_are_as_snapshots():
    players = [PlayerSetup(kind=PlayerKind.PARTICIPANT, race=race) for race in (TERRAN, ZERG)]
    match = Match(read_map(map_bytes("Simple64")), players, seed=1, options=MatchOptions())
    told = observed(match, 1).observation.raw_data.units
    assert not [unit for unit in told if unit.owner == 2]
    shown = {unit.display_type for unit in told if unit.unit_type == 341}
    assert shown == {raw_pb.Visible, raw_pb.Snapshot}
    everything = observed(match, 1, disable_fog=True).observation.raw_data.units
    assert len([unit for unit in everything if unit.owner == 2 and unit.unit_type == 104]) == 12


def test_player_figures_are_told():
    scene = Scene(ZERG, ZERG, map_name="Simple64")
    common = observed(scene.match, 1).observation.player_common
    assert (common.minerals, common.vespene) == (50, 0)
    assert (common.food_cap, common.food_used, common.food_workers) == (14, 12, 12)
    assert common.larva_count == 3
    assert common.idle_worker_count == 0


def test_accepted_commands_are_echoed_with_the_specific_ability():
    scene = Scene()
    marine = scene.put("Marine", 1, 40, 40)
    observer = Observer(scene.match, 1, sc_pb.InterfaceOptions(raw=True))
    observer.observation()
    scene.order("attack", marine, at=(50, 40))
    scene.run(4)
    told = sc_pb.ResponseObservation.FromString(observer.observation())
    (action,) = told.actions
    assert action.action_raw.unit_command.ability_id == 23
    assert list(action.action_raw.unit_command.unit_tags) == [marine]
    assert not sc_pb.ResponseObservation.FromString(observer.observation()).actions


@pytest.mark.parametrize(
    ("name", "minerals", "gas"),
    [
        ("Zergling", 25, 0),
        ("ZerglingBurrowed", 25, 0),
        ("Baneling", 50, 25),
        ("SiegeTankSieged", 150, 125),
        ("OverlordTransport", 125, 25),
        ("AutoTurret", 0, 0),
    ],
)
def test_killed_units_count_with_all_that_they_have_cost(name: str, minerals: int, gas: int):
    scene = Scene(TERRAN, ZERG)
    killer, victim = scene.put("Marine", 1, 40, 40), scene.put(name, 2, 44, 40)
    before = observed(scene.match, 2).observation.score.score_details
    scene.match.aftermath.kill(scene.game.slot(victim), scene.game.slot(killer))
    killed = observed(scene.match, 1).observation.score.score_details
    lost = observed(scene.match, 2).observation.score.score_details
    for parts in (
        (killed.killed_minerals, killed.killed_vespene),
        (lost.lost_minerals, lost.lost_vespene),
    ):
        assert [part.army + part.economy for part in parts] == [minerals, gas]
    assert killed.killed_value_units + killed.killed_value_structures == minerals + gas
    values = (before.total_value_units, before.total_value_structures)
    assert sum(values) - lost.total_value_units - lost.total_value_structures == minerals + gas


def test_the_dead_are_told_to_those_who_saw_them_die():
    scene = Scene()
    marine = scene.put("Marine", 2, 40, 40)
    observer = Observer(scene.match, 2, sc_pb.InterfaceOptions(raw=True))
    observer.observation()
    scene.match.aftermath.kill(scene.game.slot(marine))
    told = sc_pb.ResponseObservation.FromString(observer.observation())
    assert list(told.observation.raw_data.event.dead_units) == [marine]


def test_targets_that_nobody_sees_and_wild_positions_are_refused():
    players = [PlayerSetup(kind=PlayerKind.PARTICIPANT, race=TERRAN) for _ in range(2)]
    match = Match(read_map(map_bytes("Simple64")), players, seed=1, options=MatchOptions())
    mine = int(match.world.units["tag"][match.game.slots(1, match.game.tables.row["SCV"])[0]])
    theirs = int(match.world.units["tag"][match.game.slots(2)[0]])
    action = raw_pb.ActionRaw()
    action.unit_command.ability_id = 3674
    action.unit_command.unit_tags.append(mine)
    action.unit_command.target_unit_tag = theirs
    assert match.command(1, action) != 1
    action.unit_command.unit_tags[0] = theirs
    assert match.command(1, action) != 1, "nobody commands the other's units"
    for x in (float("nan"), float("inf"), 1e30):
        action = raw_pb.ActionRaw()
        action.unit_command.ability_id = 3794
        action.unit_command.unit_tags.append(mine)
        action.unit_command.target_world_space_pos.x = x
        assert match.command(1, action) != 1


@pytest.mark.parametrize("race", [TERRAN, ZERG, PROTOSS])
def test_every_race_starts_with_what_the_game_gives_it(race: int):
    scene = Scene(race, race, map_name="Simple64")
    assert scene.minerals(1) == 50
    workers = scene.all_of({TERRAN: "SCV", ZERG: "Drone", PROTOSS: "Probe"}[race], 1)
    assert len(workers) == 12
    assert all(scene.value(tag, "num_orders") == 1 for tag in workers)
    x, y = scene.match.game_map.starts[0]
    places = np.array([scene.place(tag) for tag in workers])
    assert np.hypot(*(places - (x, y)).T).max() < 7
