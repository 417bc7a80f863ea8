"""The environment on games that go well: Gymnasium's rules, what passes, and what is refused."""

import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from numpy.typing import NDArray
from s2clientprotocol import debug_pb2 as debug_pb

from envs.errors import GameMissingError
from envs.game_client import GameClient, Opponent
from envs.interface import Alliance, EntityFeature, EntityLimits, Race, ScalarFeature
from envs.launch import in_process
from envs.registration import MELEE, mini_game_id
from envs.sc2_env import SC2Env, melee
from envs.spaces import SpaceDict, action_of_dict, observation_of_dict
from envs.tasks import MINI_GAMES, Melee, MiniGame
from tests.envs.env_games import (
    TERRAN,
    are_equal,
    assert_equal,
    attack,
    closing,
    end_game,
    interrupted,
    loop_of,
    no_op,
    play,
)
from tests.envs.games import function

ROOT = Path(__file__).parents[2]
MOVE_TO_BEACON = mini_game_id("MoveToBeacon")


@pytest.mark.parametrize("name", [MELEE, *map(mini_game_id, MINI_GAMES)])
def test_gymnasium_finds_no_fault_with_it(name: str):
    with closing(gymnasium.make(name)) as env:
        check_env(env.unwrapped)


def test_gymnasium_finds_no_fault_with_a_game_in_a_process(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SC2PATH", raising=False)
    with closing(gymnasium.make(MELEE, game="process")) as env:
        check_env(env.unwrapped)


def test_the_engine_plays_the_same_game_in_a_process(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SC2PATH", raising=False)
    with (
        closing(gymnasium.make(MELEE, race="zerg")) as here,
        closing(gymnasium.make(MELEE, race="zerg", game="process")) as there,
    ):
        seen, _ = here.reset(seed=3)
        assert_equal(seen, there.reset(seed=3)[0])
        for _ in range(8):
            action = attack(seen, 3000, 2000, delay=20)
            seen, *rest = here.step(action)
            seen_there, *rest_there = there.step(action)
            assert_equal(seen, seen_there)
            assert rest == rest_there


def test_a_name_with_its_module_is_enough_in_another_program():
    code = (
        "import gymnasium\n"
        "env = gymnasium.make('envs.sc2_env:latentstar/Melee-v0', max_loops=1)\n"
        "print(env.spec.id, sorted(n for n in gymnasium.registry if n.startswith('latentstar/')))"
    )
    command = [sys.executable, "-c", code]
    told = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True).stdout
    names = sorted([MELEE, *map(mini_game_id, MINI_GAMES)])
    assert told.strip() == f"{MELEE} {names}"


def test_a_melee_game_ends_with_the_reward_of_its_result():
    with closing(gymnasium.make(MELEE, race="terran", opponent="very_hard")) as env:
        episode = play(env, seed=1, delay=127)
    assert episode.terminated
    assert not episode.truncated
    assert episode.info["result"] == "defeat"
    assert episode.rewards == [0.0] * (len(episode.rewards) - 1) + [-1.0]


@pytest.mark.parametrize(
    ("how", "result", "reward"),
    [
        (debug_pb.DebugEndGame.DeclareVictory, "victory", 1.0),
        (debug_pb.DebugEndGame.Surrender, "defeat", -1.0),
    ],
)
def test_won_and_lost_games_are_told_apart(how: Any, result: str, reward: float):
    with closing(interrupted(partial(end_game, how), at_observation=2)) as env:
        env.reset(seed=0)
        _, rewarded, terminated, truncated, info = env.step(no_op(10))
    assert (rewarded, terminated, truncated, info["result"]) == (reward, True, False, result)


def test_a_mini_game_rewards_its_points_and_ends_by_itself():
    with closing(gymnasium.make(mini_game_id("CollectMineralShards"))) as env:
        episode = play(env, seed=0, delay=32)
    assert episode.info["loop"] == 1920
    assert sum(episode.rewards) == episode.info["score"] > 0
    assert episode.terminated
    assert not episode.truncated


def test_the_delay_decides_how_many_loops_pass():
    with closing(gymnasium.make(MOVE_TO_BEACON)) as env:
        loops = [loop_of(env.reset(seed=0)[0])]
        for delay in (1, 17, 127, 0):
            observation, *_, info = env.step(no_op(delay))
            loops.append(loop_of(observation))
            assert info["loop"] == loops[-1]
    assert np.diff(loops).tolist() == [1, 17, 127, 1]


def test_after_the_time_limit_an_episode_is_truncated_without_reward():
    with closing(gymnasium.make(MELEE, max_loops=100)) as env:
        env.reset(seed=0)
        assert env.step(no_op(64))[1:4] == (0.0, False, False)
        observation, *rest, info = env.step(no_op(64))
        assert loop_of(observation) == 100
        assert rest == [0.0, False, True]
        assert not {"result", "game_error"} & info.keys()
        with pytest.raises(gymnasium.error.ResetNeeded, match="call reset first"):
            env.step(no_op(1))
        assert loop_of(env.reset()[0]) == 0


def test_a_game_that_is_won_at_the_time_limit_is_won():
    win = partial(end_game, debug_pb.DebugEndGame.DeclareVictory)
    task = Melee(race=Race.TERRAN, player=1, max_loops=50)
    with closing(interrupted(win, at_observation=2, task=task)) as env:
        env.reset(seed=0)
        assert env.step(no_op(50))[1:4] == (1.0, True, False)


def illegal_actions(observation: SpaceDict) -> dict[str, SpaceDict]:
    """Return actions that cannot be done, by words of the reason."""
    right = attack(observation, 3000, 3000, delay=16)
    nobody = right | {"selected_units": np.full(64, -1)}
    someone_elses = np.full(64, -1)
    alliances = observation["entities"][:, EntityFeature.ALLIANCE]
    someone_elses[0] = np.argmax(alliances == Alliance.NEUTRAL)
    return {
        "needs selected_units, got none": nobody,
        "must be rows of": right | {"selected_units": np.full(64, 511)},
        "must be the player's own": right | {"selected_units": someone_elses},
        "needs a target_location": right | {"target_location": np.array([-1, -1])},
        "is not for players": right | {"action_type": np.int64(function("raw_move_camera"))},
    }


def test_an_illegal_action_is_none_and_its_reason_is_told():
    with (
        closing(gymnasium.make(MELEE, race="terran")) as env,
        closing(gymnasium.make(MELEE, race="terran")) as idle,
    ):
        observation, _ = env.reset(seed=5)
        assert_equal(observation, idle.reset(seed=5)[0])
        for reason, action in illegal_actions(observation).items():
            observation, *rest, info = env.step(action)
            assert reason in info.get("illegal_action", "nothing"), reason
            expected, *rest_idle, info_idle = idle.step(no_op(16))
            assert_equal(observation, expected)
            assert rest == rest_idle
            assert "illegal_action" not in info_idle


def test_what_the_game_refuses_is_illegal_too():
    with closing(SC2Env(TERRAN)) as env:
        observation, _ = env.reset(seed=0)
        command_center = np.argmax(own_health(observation))
        train = no_op(1) | {
            "action_type": np.int64(function("Train_SCV_quick")),
            "selected_units": np.array([command_center] + [-1] * 63),
        }
        assert "illegal_action" not in env.step(train)[-1]  # for the 50 minerals of the start
        assert env.step(train)[-1]["illegal_action"] == "NotEnoughMinerals"


def own_health(observation: SpaceDict) -> NDArray[np.int16]:
    """Return the health of own units, and 0 of others."""
    entities = observation["entities"]
    is_own = entities[:, EntityFeature.ALLIANCE] == Alliance.SELF
    return np.where(is_own, entities[:, EntityFeature.HEALTH], 0)


def test_what_is_no_action_at_all_is_refused():
    with closing(gymnasium.make(MOVE_TO_BEACON, disable_env_checker=True)) as env:
        env.reset(seed=0)
        with pytest.raises(ValueError, match="an action must be a dict of action_type, delay"):
            env.step({"action_type": 0})


@pytest.mark.parametrize("name", [MELEE, MOVE_TO_BEACON])
def test_the_same_seed_is_the_same_games(name: str):
    for one, same in zip(two_games(name, seed=7), two_games(name, seed=7), strict=True):
        assert_equal(one, same)


def test_other_seeds_are_other_games_and_so_are_games_after_the_first():
    games, others = two_games(MOVE_TO_BEACON, seed=7), two_games(MOVE_TO_BEACON, seed=8)
    assert not are_equal(games[0], others[0])
    assert not are_equal(games[0], games[3])


def two_games(name: str, *, seed: int) -> list[SpaceDict]:
    """Return what is seen in two games of three steps each, the first of them of a seed."""
    seen = []
    with closing(gymnasium.make(name)) as env:
        for first_seed in (seed, None):
            seen.append(env.reset(seed=first_seed)[0])
            for loops in (50, 100):
                seen.append(env.step(attack(seen[-1], 2000, 4000, delay=loops))[0])
    return seen


def test_what_is_seen_is_what_a_client_sees():
    limits = EntityLimits(total=100, neutral=20)
    env = SC2Env(TERRAN, plane_size=32, limits=limits)
    with closing(env), in_process() as connection:
        seen, _ = env.reset(seed=11)
        assert env.setup is not None
        client = GameClient(connection, plane_size=32, limits=limits)
        moment = client.start(env.setup)
        for _ in range(5):
            for ours, theirs in zip(
                observation_of_dict(seen), moment.shown.observation, strict=True
            ):
                np.testing.assert_array_equal(ours, theirs)
            action = attack(seen, 4000, 1000, delay=30)
            seen, *_ = env.step(action)
            client.act(action_of_dict(action))
            moment = client.step(30)


def test_both_starts_and_all_races_are_played_where_none_is_chosen():
    env = melee(max_loops=1)
    setups = []
    with closing(env):
        for seed in range(12):
            seen, _ = env.reset(seed=seed)
            assert env.setup is not None
            assert seen["scalars"][ScalarFeature.HOME_RACE] == env.setup.race
            assert seen["scalars"][ScalarFeature.AWAY_RACE] == Race.RANDOM
            setups.append(env.setup)
    assert {setup.player for setup in setups} == {1, 2}
    assert {setup.race for setup in setups} == {Race.TERRAN, Race.ZERG, Race.PROTOSS}


def test_what_was_chosen_is_played():
    env = melee(
        map="flat32",
        race="Protoss",
        opponent="cheat_insane",
        opponent_race="zerg",
        opponent_build="air",
        player=2,
    )
    with closing(env):
        env.reset(seed=0)
    assert env.setup is not None
    assert env.setup.map_path == "Melee/Flat32.SC2Map"
    assert (env.setup.race, env.setup.player) == (Race.PROTOSS, 2)
    assert env.setup.opponent == Opponent(race=Race.ZERG, difficulty=10, ai_build=6)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"race": "human"}, "race must be one of terran, zerg, protoss, random, got 'human'"),
        ({"race": "none"}, "race must be one of terran, zerg, protoss, random, got 'none'"),
        ({"opponent": "elite"}, "opponent must be one of very_easy, .*cheat_insane, got 'elite'"),
        ({"opponent_build": "cheese"}, "opponent_build must be one of random, rush, timing"),
        ({"player": 3}, "player must be 1, 2 or None, got 3"),
        ({"max_loops": 0}, "max_loops must be at least 1, got 0"),
        ({"game": "moon"}, "game must be one of in_process, process, got 'moon'"),
        ({"plane_size": 60}, "plane_size must divide 256, got 60"),
        ({"limits": EntityLimits(total=0)}, "limits must be at most 512 and positive"),
    ],
)
def test_what_cannot_be_is_refused_when_it_is_made(settings: dict[str, Any], told: str):
    with pytest.raises(ValueError, match=told):
        gymnasium.make(MELEE, **settings)


def test_an_unknown_map_is_refused_with_those_of_like_names():
    with (
        closing(gymnasium.make(MELEE, map="Simpel64")) as env,
        pytest.raises(GameMissingError, match=r"no map Simpel64: .*Melee/Simple64\.SC2Map"),
    ):
        env.reset(seed=0)


def test_a_map_goes_by_its_path_too():
    path = "mini_games/MoveToBeacon.SC2Map"
    with closing(SC2Env(MiniGame(map=path))) as env:
        env.reset(seed=0)
        assert env.setup is not None
        assert env.setup.map_path == path


def test_several_environments_are_played_side_by_side():
    envs = gymnasium.make_vec(MELEE, num_envs=2, max_loops=150, race="terran")
    envs.action_space.seed(0)
    try:
        observations, _ = envs.reset(seed=[1, 2])
        assert observations["entities"].shape == (2, 512, 46)
        for _ in range(20):
            observations, *_, info = envs.step(envs.action_space.sample())
        assert envs.observation_space.contains(observations)
        assert info["loop"].shape == (2,)
    finally:
        envs.close()
