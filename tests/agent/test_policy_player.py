"""A policy plays several games at once just as it plays each alone."""

import numpy as np
import pytest
import torch

from agent.policy_player import Choosing, PolicyPlayer, PolicyTeam
from envs.interface import Action, Observation, Race
from envs.observations import GameMap
from policies.distributions import Sampling
from policies.policy import Policy
from tests.builders import make_observation, small_policy_config

GREEDY = Choosing(sampling=Sampling.GREEDY)


@pytest.fixture(scope="module")
def policy() -> Policy:
    torch.manual_seed(0)
    return Policy(small_policy_config())


def game_map() -> GameMap:
    cells = np.ones((8, 8), np.uint8)
    return GameMap("flat", 8, 8, cells, cells > 0, cells > 0, ())


def observations(seed: int, count: int) -> list[Observation]:
    generator = np.random.default_rng(seed)
    size = small_policy_config().plane_size
    return [make_observation(generator, plane_size=size) for _ in range(count)]


def told(action: Action) -> tuple[object, ...]:
    return (*action[:3], action.selected_units.tolist(), *action[4:])


def alone(policy: Policy, game: list[Observation], *, choosing: Choosing) -> list[object]:
    player = PolicyPlayer(policy, name="somebody", choosing=choosing)
    player.reset(game_map(), Race.ZERG, seed=1)
    return [told(player.act(observation)) for observation in game]


def test_games_side_by_side_go_as_each_would_alone(policy: Policy):
    first, second = observations(1, 6), observations(2, 6)
    team = PolicyTeam(policy, choosing=GREEDY)
    team.reset(2, seed=1)
    together = [team.act({0: a, 1: b}) for a, b in zip(first, second, strict=True)]
    for number, game in enumerate((first, second)):
        assert [told(step[number]) for step in together] == alone(policy, game, choosing=GREEDY)


def test_a_game_that_is_not_asked_about_keeps_its_memory(policy: Policy):
    first, second = observations(1, 4), observations(2, 2)
    team = PolicyTeam(policy, choosing=GREEDY)
    team.reset(2, seed=1)
    steps = [team.act({0: first[0], 1: second[0]})[0]]
    steps += [team.act({0: first[1]})[0]]
    team.act({1: second[1]})
    steps += [team.act({0: observation})[0] for observation in first[2:]]
    assert [told(step) for step in steps] == alone(policy, first, choosing=GREEDY)


def test_a_new_game_begins_without_the_memory_of_the_last(policy: Policy):
    game = observations(1, 3)
    player = PolicyPlayer(policy, name="somebody", choosing=GREEDY)
    player.reset(game_map(), Race.ZERG, seed=1)
    first = [told(player.act(observation)) for observation in game]
    player.reset(game_map(), Race.ZERG, seed=1)
    assert [told(player.act(observation)) for observation in game] == first


def test_the_seed_decides_what_is_drawn(policy: Policy):
    game = observations(3, 8)
    drawn = Choosing()
    assert alone(policy, game, choosing=drawn) == alone(policy, game, choosing=drawn)
    player = PolicyPlayer(policy, name="somebody", choosing=drawn)
    player.reset(game_map(), Race.ZERG, seed=2)
    other = [told(player.act(observation)) for observation in game]
    assert other != alone(policy, game, choosing=drawn)


def test_actions_name_rows_of_the_observation(policy: Policy):
    for observation in observations(4, 20):
        player = PolicyPlayer(policy, name="somebody")
        player.reset(game_map(), Race.ZERG, seed=5)
        action = player.act(observation)
        assert all(0 <= row < len(observation.entities) for row in action.selected_units)
        assert action.target_unit < len(observation.entities)
        assert 1 <= action.delay <= 127


def test_a_temperature_of_nothing_is_refused():
    with pytest.raises(ValueError, match="temperature must be positive, got 0"):
        Choosing(temperature=0.0)
