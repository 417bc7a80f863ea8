"""pysc2 programs as they are: environments of one and two agents, and replays."""

import runpy
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from s2clientprotocol import common_pb2 as common_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs import pysc2_compat

# pysc2 and what it brings warn of their own age.
pytestmark = pytest.mark.filterwarnings("ignore")

STEP_LOOPS, EPISODE_STEPS = 16, 40
TERRAN, SCV, COMMAND_CENTER, MARINE, BEACON = 1, 45, 18, 48, 317
SELF = 1
MINI_GAMES = {  # game loops
    "BuildMarines": 14_400,
    "CollectMineralsAndGas": 6_720,
    "CollectMineralShards": 1_920,
    "DefeatRoaches": 1_920,
    "DefeatZerglingsAndBanelings": 1_920,
    "FindAndDefeatZerglings": 2_880,
    "MoveToBeacon": 1_920,
}


@pytest.fixture(scope="module", autouse=True)
def pysc2_is_loaded(game_environment: Path) -> None:
    pysc2_compat.load()
    from absl import flags

    flags.FLAGS(["tests"])


def raw_interface() -> Any:
    """Raw units and actions with the feature minimap."""
    from pysc2.env import sc2_env

    return sc2_env.AgentInterfaceFormat(
        feature_dimensions=sc2_env.Dimensions(screen=1, minimap=64),
        use_raw_units=True,
        action_space=sc2_env.ActionSpace.RAW,
    )


@pytest.fixture
def make_environment() -> Iterator[Callable[..., Any]]:
    """Make environments that are closed after the test."""
    from pysc2.env import sc2_env

    made = []

    def make(map_name: str, *players: Any, **settings: Any) -> Any:
        environment = sc2_env.SC2Env(
            map_name=map_name,
            players=list(players),
            agent_interface_format=raw_interface(),
            **{"step_mul": STEP_LOOPS, "random_seed": 3, **settings},
        )
        made.append(environment)
        return environment

    yield make
    for environment in made:
        environment.close()


def agent(name: str = "agent") -> Any:
    from pysc2.env import sc2_env

    return sc2_env.Agent(sc2_env.Race.terran, name)


def computer() -> Any:
    from pysc2.env import sc2_env

    return sc2_env.Bot(sc2_env.Race.zerg, sc2_env.Difficulty.very_easy)


def own(observation: Any, unit_type: int) -> list[Any]:
    return [
        unit
        for unit in observation.raw_units
        if unit.unit_type == unit_type and unit.alliance == SELF
    ]


def train_scv(observation: Any) -> Any:
    from pysc2.lib import actions

    halls = own(observation, COMMAND_CENTER)
    if not halls or observation.player.minerals < 50:
        return actions.RAW_FUNCTIONS.no_op()
    return actions.RAW_FUNCTIONS.Train_SCV_quick("now", [halls[0].tag])


def test_an_agent_plays_episodes_against_a_computer(make_environment: Callable[..., Any]):
    length = STEP_LOOPS * EPISODE_STEPS
    environment = make_environment("Simple64", agent(), computer(), game_steps_per_episode=length)
    for _ in range(3):
        (time_step,) = environment.reset()
        assert time_step.first()
        assert len(own(time_step.observation, SCV)) == 12
        assert time_step.observation.player.minerals == 50
        while not time_step.last():
            (time_step,) = environment.step([train_scv(time_step.observation)])
        assert time_step.observation.game_loop[0] == length
        assert len(own(time_step.observation, SCV)) > 12
        assert time_step.reward == 0


def test_the_minimap_shows_what_the_units_say(make_environment: Callable[..., Any]):
    environment = make_environment("Simple64", agent(), computer())
    (time_step,) = environment.reset()
    minimap = time_step.observation.feature_minimap
    assert minimap.height_map.shape == (64, 64)
    assert minimap.height_map.max() > 0
    assert (minimap.player_relative == SELF).any()
    assert set(np.asarray(minimap.visibility_map).ravel().tolist()) <= {0, 1, 2, 3}
    assert (minimap.visibility_map == 2).any()
    assert minimap.pathable.any()
    assert minimap.buildable.any()


def test_a_mini_game_is_scored_and_restarted(make_environment: Callable[..., Any]):
    from pysc2.lib import actions

    environment = make_environment("MoveToBeacon", agent(), step_mul=8)
    for _ in range(2):
        (time_step,) = environment.reset()
        reward = 0
        while not time_step.last():
            units = time_step.observation.raw_units
            marine = next(unit for unit in units if unit.unit_type == MARINE)
            beacon = next(unit for unit in units if unit.unit_type == BEACON)
            target = [beacon.x, beacon.y]
            (time_step,) = environment.step(
                [actions.RAW_FUNCTIONS.Move_pt("now", [marine.tag], target)]
            )
            reward += time_step.reward
        assert reward > 5
        assert time_step.observation.score_cumulative.score == reward


@pytest.mark.slow
@pytest.mark.parametrize("name", MINI_GAMES)
def test_every_mini_game_is_played_to_its_end(make_environment: Callable[..., Any], name: str):
    from pysc2.lib import actions

    environment = make_environment(name, agent(), step_mul=8)
    (time_step,) = environment.reset()
    reward = 0
    while not time_step.last():
        (time_step,) = environment.step([actions.RAW_FUNCTIONS.no_op()])
        reward += time_step.reward
    assert time_step.observation.score_cumulative.score == reward
    loops = time_step.observation.game_loop[0]
    marines = own(time_step.observation, MARINE)
    if name.startswith("Defeat"):  # nobody tells them what to do: they do not live so long
        assert loops < MINI_GAMES[name]
        assert not marines
    else:
        assert loops == MINI_GAMES[name]


def test_two_agents_play_each_other_in_two_processes(make_environment: Callable[..., Any]):
    environment = make_environment(
        "Simple64", agent("one"), agent("two"), game_steps_per_episode=STEP_LOOPS * EPISODE_STEPS
    )
    for _ in range(2):
        time_steps = environment.reset()
        assert [step.observation.player.player_id for step in time_steps] == [1, 2]
        while not time_steps[0].last():
            time_steps = environment.step([train_scv(step.observation) for step in time_steps])
            loops = [int(step.observation.game_loop[0]) for step in time_steps]
            assert loops[0] == loops[1]
        assert all(len(own(step.observation, SCV)) > 12 for step in time_steps)


def test_replays_are_read_and_watched_for_both_players(
    make_environment: Callable[..., Any], tmp_path: Path
):
    import pysc2
    from pysc2 import run_configs
    from pysc2.lib import features

    environment = make_environment("Simple64", agent(), computer())
    (time_step,) = environment.reset()
    num_scvs = []
    for _ in range(80):
        num_scvs.append(len(own(time_step.observation, SCV)))
        (time_step,) = environment.step([train_scv(time_step.observation)])
    replay = Path(environment.save_replay(str(tmp_path))).read_bytes()

    # Its module is hidden by a package of the same name.
    versions = runpy.run_path(str(Path(pysc2.__file__).parent / "lib" / "replay.py"))
    assert versions["get_replay_version"](replay).game_version == "4.10.0"

    config = run_configs.get(version="4.10.0")
    with config.start(want_rgb=False) as controller:
        ping, info = controller.ping(), controller.replay_info(replay)
        assert info.base_build == ping.base_build
        assert info.game_duration_loops == 80 * STEP_LOOPS
        assert len(info.player_info) == 2
        for player in (1, 2):
            controller.start_replay(
                sc_pb.RequestStartReplay(
                    replay_data=replay,
                    map_data=config.map_data(info.local_map_path),
                    observed_player_id=player,
                    options=replay_options(),
                )
            )
            reader = features.features_from_game_info(
                controller.game_info(), use_raw_units=True, use_raw_actions=True
            )
            seen, done = [], 0
            while not (observed := controller.observe()).player_result:
                observation = reader.transform_obs(observed)
                seen.append(len(own(observation, SCV)))
                done += len(observed.actions)
                controller.step(STEP_LOOPS)
            assert len(seen) == 80
            if player == 1:
                assert seen == num_scvs
                assert done > 0


def replay_options() -> sc_pb.InterfaceOptions:
    return sc_pb.InterfaceOptions(
        raw=True,
        score=True,
        feature_layer=sc_pb.SpatialCameraSetup(
            width=24,
            resolution=common_pb.Size2DI(x=1, y=1),
            minimap_resolution=common_pb.Size2DI(x=64, y=64),
        ),
    )


def test_a_game_goes_on_in_real_time(make_environment: Callable[..., Any]):
    from pysc2.lib import actions

    # What is compiled at first use must not fall into the time that is measured.
    warm = make_environment("Simple64", agent(), computer())
    warm.reset()
    warm.step([actions.RAW_FUNCTIONS.no_op()])
    with closing(make_environment("Simple64", agent(), computer(), realtime=True)) as environment:
        environment.reset()
        for _ in range(4):
            (time_step,) = environment.step([actions.RAW_FUNCTIONS.no_op()])
        assert time_step.observation.game_loop[0] >= 4 * STEP_LOOPS
