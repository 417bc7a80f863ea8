from typing import NamedTuple

import numpy as np
import pytest

from agent.match import MatchResult, Result, play_game
from agent.scripted.catalogue import product, types_of_kind
from agent.scripted.ground import Ground
from agent.scripted.player import ScriptedPlayer
from agent.scripted.styles import styles_of
from envs.actions import command_of
from envs.game_client import GameClient, GameSetup, Opponent
from envs.interface import (
    MAX_DELAY,
    MAX_SELECTED,
    SUBCELLS,
    Action,
    EntityFeature,
    Observation,
    Race,
    ScalarFeature,
    raw_functions,
)
from envs.launch import in_process
from envs.observations import GameMap, Shown

VERY_EASY, VERY_HARD = 1, 7
MINUTE = 1344  # loops
SIMPLE64 = "Melee/Simple64.SC2Map"
RACES = [race for race in Race if styles_of(race)]


class Game(NamedTuple):
    """A game that was played, and all that was seen and done."""

    game_map: GameMap
    observations: list[Observation]
    actions: list[Action]
    result: MatchResult


class Recorder:
    """A player that notes what another sees and does."""

    def __init__(self, player: ScriptedPlayer) -> None:
        self._player = player
        self.name, self.sight = player.name, player.sight
        self.game_map: GameMap
        self.observations: list[Observation] = []
        self.actions: list[Action] = []

    def reset(self, game_map: GameMap, race: Race, *, seed: int) -> None:
        self.game_map = game_map
        self._player.reset(game_map, race, seed=seed)

    def act(self, observation: Observation) -> Action:
        action = self._player.act(observation)
        self.observations.append(observation)
        self.actions.append(action)
        return action


def game_of(
    race: Race, *, seat: int = 1, level: int = VERY_EASY, enemy: Race = Race.TERRAN, minutes: float
) -> Game:
    player = Recorder(ScriptedPlayer(race))
    opponent = Opponent(race=enemy, difficulty=level)
    setup = GameSetup(map_path=SIMPLE64, race=race, opponent=opponent, seed=5, player=seat)
    with in_process() as game:
        client = GameClient(game, plane_size=player.sight.plane_size)
        result = play_game(client, player, setup, max_loops=round(minutes * MINUTE))
    return Game(player.game_map, player.observations, player.actions, result)


@pytest.fixture(scope="module", params=RACES, ids=lambda race: race.name)
def opening(request: pytest.FixtureRequest) -> Game:
    return game_of(request.param, minutes=4.5)


def race_of(game: Game) -> Race:
    return Race(int(game.observations[0].scalars[ScalarFeature.HOME_RACE]))


def player_of(game: Game) -> ScriptedPlayer:
    """A player that begins the same game, and has seen its first moment."""
    player = ScriptedPlayer(race_of(game))
    player.reset(game.game_map, race_of(game), seed=5)
    player.act(game.observations[0])
    return player


def same(a: Action, b: Action) -> bool:
    return a._replace(selected_units=a.selected_units.tolist()) == b._replace(
        selected_units=b.selected_units.tolist()
    )


def test_the_same_seed_gives_the_same_actions(opening: Game):
    player = ScriptedPlayer(race_of(opening))
    player.reset(opening.game_map, race_of(opening), seed=5)
    again = [player.act(observation) for observation in opening.observations]
    assert all(same(a, b) for a, b in zip(again, opening.actions, strict=True))


def test_a_decision_depends_on_nothing_but_the_present(opening: Game):
    player = player_of(opening)
    order = np.random.default_rng(0).permutation(len(opening.observations))[:300]
    for i in order.tolist():
        assert same(player.act(opening.observations[i]), opening.actions[i])


def test_actions_are_ones_that_the_game_can_be_asked_for(opening: Game):
    for observation, action in zip(opening.observations, opening.actions, strict=True):
        tags = np.arange(1, len(observation.entities) + 1)
        command_of(action, Shown(observation, tags))
        assert 1 <= action.delay <= MAX_DELAY
        assert len(action.selected_units) <= MAX_SELECTED


def test_few_actions_are_refused(opening: Game):
    assert opening.result.num_refused <= 0.03 * opening.result.num_actions


def test_workers_and_bases_come_quickly(opening: Game):
    scalars = opening.observations[-1].scalars
    assert scalars[ScalarFeature.FOOD_WORKERS] >= 30
    assert scalars[ScalarFeature.FOOD_USED] >= 45
    assert scalars[ScalarFeature.MINERALS] < 600


def test_buildings_are_placed_away_from_resources(opening: Game):
    placed = 0
    for observation, action in zip(opening.observations, opening.actions, strict=True):
        name = raw_functions()[action.action_type].name
        if not name.startswith("Build_") or action.target_location[0] < 0:
            continue
        placed += 1
        entities = observation.entities
        types = entities[:, EntityFeature.UNIT_TYPE]
        is_resource = types_of_kind("mineral")[types] | types_of_kind("geyser")[types]
        places = entities[is_resource][:, [EntityFeature.X, EntityFeature.Y]]
        away = np.abs(places - np.array(action.target_location)) / SUBCELLS
        assert away.max(1).min() >= 3
        assert all(at % (2 * SUBCELLS) == SUBCELLS for at in action.target_location)
    assert placed >= 3


def test_any_part_of_a_position_can_be_acted_on(opening: Game):
    player = player_of(opening)
    chance = np.random.default_rng(1)
    for observation in opening.observations[:: len(opening.observations) // 150]:
        kept = chance.random(len(observation.entities)) < chance.uniform(0, 1)
        part = observation._replace(entities=observation.entities[kept])
        assert player.act(part).delay >= 1


def test_a_base_is_found_where_each_player_starts(opening: Game):
    first = opening.observations[0].entities
    types = first[:, EntityFeature.UNIT_TYPE]
    is_resource = types_of_kind("mineral")[types] | types_of_kind("geyser")[types]
    hall = first[first[:, EntityFeature.IDEAL_HARVESTERS] > 8][0]
    home = hall[EntityFeature.X] / SUBCELLS, hall[EntityFeature.Y] / SUBCELLS
    ground = Ground(opening.game_map, first[is_resource], home)
    assert ground.bases[0].hall == home
    assert opening.game_map.starts[0] in [base.hall for base in ground.bases]
    assert ground.way_from_home(home) == 0
    nearer = ground.towards_enemy(home, 12)
    assert ground.way_to_enemy(home) - ground.way_to_enemy(nearer) >= 8


def test_a_race_without_styles_is_refused():
    with pytest.raises(ValueError, match="expected a style of RANDOM"):
        ScriptedPlayer(Race.RANDOM)


def test_a_style_is_asked_for_by_its_name():
    player = ScriptedPlayer(Race.ZERG, style="roach")
    assert player.name == "scripted zerg roach"
    with pytest.raises(ValueError, match="'mass larva'"):
        ScriptedPlayer(Race.ZERG, style="mass larva")


def test_another_race_than_its_own_is_refused(opening: Game):
    with pytest.raises(ValueError, match="plays ZERG, got TERRAN"):
        ScriptedPlayer(Race.ZERG).reset(opening.game_map, Race.TERRAN, seed=0)


def test_a_game_that_is_not_over_is_undecided():
    result = game_of(Race.ZERG, minutes=0.5).result
    assert result.result is Result.UNDECIDED
    assert MINUTE / 2 <= result.loops <= MINUTE / 2 + MAX_DELAY
    assert 0 < result.num_actions < result.num_decisions
    assert result.actions_per_minute == pytest.approx(result.num_actions / (result.loops / MINUTE))


def test_what_the_game_refuses_is_counted():
    class Spendthrift:
        name, sight = "spendthrift", ScriptedPlayer(Race.ZERG).sight

        def reset(self, game_map: GameMap, race: Race, *, seed: int) -> None:
            pass

        def act(self, observation: Observation) -> Action:
            larvae = np.flatnonzero(observation.entities[:, EntityFeature.UNIT_TYPE] == 185)
            roach = product("Roach").action_type
            return Action(roach, 8, 0, larvae.astype(np.int16), -1, (-1, -1))

    opponent = Opponent(race=Race.ZERG, difficulty=VERY_EASY)
    setup = GameSetup(map_path=SIMPLE64, race=Race.ZERG, opponent=opponent, seed=1)
    with in_process() as game:
        client = GameClient(game, plane_size=128)
        result = play_game(client, Spendthrift(), setup, max_loops=80)
    assert result.num_refused == result.num_actions == 10
    assert sum(count for _, count in result.refusals) == 10


@pytest.mark.slow
@pytest.mark.parametrize("enemy", [Race.TERRAN, Race.ZERG, Race.PROTOSS])
@pytest.mark.parametrize("race", RACES)
def test_the_strongest_computer_is_beaten(race: Race, enemy: Race):
    game = game_of(race, seat=2, level=VERY_HARD, enemy=enemy, minutes=20)
    assert game.result.result is Result.WIN
    assert game.result.num_refused <= 0.03 * game.result.num_actions
