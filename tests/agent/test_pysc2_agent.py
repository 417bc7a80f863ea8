"""Players as agents of pysc2's: in its environments, and in its own program as it is."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from agent.checkpoint import Checkpoint, TrainingState, load_policy, save_checkpoint
from agent.match import play_game
from agent.player import Player
from agent.pysc2_agent import RUN_VARIABLE, PlayerAgent, PolicyAgent
from agent.scripted.player import ScriptedPlayer
from envs import pysc2_compat
from envs.choices import Difficulty
from envs.engine.replay_file import EntryKind, read_replay
from envs.game_client import GameClient, GameSetup, Opponent
from envs.interface import Action, Knowledge, Observation, Race, ScalarFeature
from envs.launch import in_process
from envs.observations import GameMap
from policies.policy import Policy
from tests.builders import small_policy_config

# pysc2 and what it brings warn of their own age.
pytestmark = pytest.mark.filterwarnings("ignore")

ROOT = Path(__file__).parents[2]
SEED, LOOPS = 3, 700
SCRIPTED = "agent.pysc2_agent.ScriptedAgent"


class RecordedPlayer:
    """A player whose decisions are remembered."""

    def __init__(self, player: Player) -> None:
        self._player = player
        self.name, self.sight = player.name, player.sight
        self.decisions: list[tuple[object, ...]] = []

    def reset(self, game_map: GameMap, race: Race, *, seed: int) -> None:
        self._player.reset(game_map, race, seed=seed)

    def act(self, observation: Observation) -> Action:
        action = self._player.act(observation)
        loop = int(observation.scalars[ScalarFeature.GAME_LOOP])
        self.decisions.append((loop, *action[:3], action.selected_units.tolist(), *action[4:]))
        return action

    @property
    def loops(self) -> list[int]:
        return [int(loop) for loop, *_ in self.decisions]

    @property
    def delays(self) -> list[int]:
        return [int(delay) for _, _, delay, *_ in self.decisions]


@pytest.fixture(scope="module", autouse=True)
def pysc2_is_loaded(game_environment: Path) -> None:
    pysc2_compat.load()
    from absl import flags

    flags.FLAGS(["tests"])


@pytest.fixture
def make_environment() -> Iterator[Callable[..., Any]]:
    """Make environments that are closed after the test."""
    from pysc2.env import sc2_env

    made = []

    def make(*, step_mul: int, raw: bool = True) -> Any:
        environment = sc2_env.SC2Env(
            map_name="Simple64",
            players=[
                sc2_env.Agent(sc2_env.Race.zerg),
                sc2_env.Bot(sc2_env.Race.terran, sc2_env.Difficulty.very_easy),
            ],
            agent_interface_format=sc2_env.AgentInterfaceFormat(
                feature_dimensions=sc2_env.Dimensions(screen=1, minimap=64),
                use_raw_units=raw,
                action_space=sc2_env.ActionSpace.RAW if raw else sc2_env.ActionSpace.FEATURES,
            ),
            step_mul=step_mul,
            random_seed=SEED,
        )
        made.append(environment)
        return environment

    yield make
    for environment in made:
        environment.close()


def play(environment: Any, agent: Any, *, num_steps: int) -> None:
    """Play the first steps of an episode, as pysc2's own loop does."""
    (time_step,) = environment.reset()
    agent.reset()
    for _ in range(num_steps):
        (time_step,) = environment.step([agent.step(time_step)])


def test_a_player_plays_through_pysc2_as_it_does_without(make_environment: Callable[..., Any]):
    directly = RecordedPlayer(ScriptedPlayer(Race.ZERG))
    opponent = Opponent(race=Race.TERRAN, difficulty=int(Difficulty.VERY_EASY))
    setup = GameSetup(
        map_path="Melee/Simple64.SC2Map", race=Race.ZERG, opponent=opponent, seed=SEED
    )
    with in_process() as connection:
        sight = directly.sight
        client = GameClient(connection, plane_size=sight.plane_size, limits=sight.limits)
        play_game(client, directly, setup, max_loops=LOOPS)

    through = RecordedPlayer(ScriptedPlayer(Race.ZERG))
    agent = PlayerAgent(lambda _: through, seed=SEED - 1)  # the first episode adds one
    play(make_environment(step_mul=1), agent, num_steps=LOOPS)
    assert len([kind for _, kind, *_ in directly.decisions if kind != 0]) > 3
    assert through.decisions == directly.decisions


def test_a_player_is_asked_at_the_first_look_after_its_delay(
    make_environment: Callable[..., Any],
):
    player = RecordedPlayer(ScriptedPlayer(Race.ZERG))
    play(make_environment(step_mul=8), PlayerAgent(lambda _: player), num_steps=60)
    expected = [0]
    for delay in player.delays[:-1]:
        expected.append(-(-(expected[-1] + delay) // 8) * 8)
    assert player.loops == expected


def test_an_episode_begins_anew_with_the_next_seed(make_environment: Callable[..., Any]):
    seeds = []

    class SeededPlayer(RecordedPlayer):
        def reset(self, game_map: GameMap, race: Race, *, seed: int) -> None:
            seeds.append(seed)
            super().reset(game_map, race, seed=seed)

    player = SeededPlayer(ScriptedPlayer(Race.ZERG))
    agent, environment = PlayerAgent(lambda _: player, seed=10), make_environment(step_mul=8)
    for _ in range(2):
        play(environment, agent, num_steps=3)
    assert seeds == [11, 12]
    assert player.loops.count(0) == 2


def test_an_environment_without_raw_actions_is_refused(make_environment: Callable[..., Any]):
    agent = PlayerAgent(ScriptedPlayer)
    with pytest.raises(ValueError, match=r"--use_raw_units --action_space RAW$"):
        play(make_environment(step_mul=8, raw=False), agent, num_steps=1)


def test_an_environment_that_shows_no_game_is_refused():
    time_step = SimpleNamespace(reward=0, observation=object())
    with pytest.raises(ValueError, match="made before its environment is reset"):
        PlayerAgent(ScriptedPlayer).step(time_step)


def save_policy(run: Path, *, step: int) -> None:
    save_checkpoint(
        run / "checkpoints",
        step=step,
        policy=Policy(small_policy_config()),
        knowledge=Knowledge.EVENTS,
        seed=0,
        training=TrainingState({}, {}),
    )


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    save_policy(tmp_path / "run", step=7)
    return tmp_path / "run"


@pytest.mark.parametrize("part", ["", "checkpoints/step_7"])
def test_a_policy_plays_from_its_run_or_its_checkpoint(
    make_environment: Callable[..., Any],
    run_folder: Path,
    part: str,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv(RUN_VARIABLE, str(run_folder / part))
    agent = PolicyAgent()
    play(make_environment(step_mul=8), agent, num_steps=20)
    assert agent.steps == 20


def test_a_run_plays_by_its_best_checkpoint_though_there_are_newer(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    (run_folder / "checkpoints" / "best.json").write_text('{"step": 7, "loss": 0.5}')
    save_policy(run_folder, step=9)
    loaded: list[int] = []

    def load_and_note(checkpoint: Checkpoint) -> Policy:
        loaded.append(checkpoint.step)
        return load_policy(checkpoint)

    monkeypatch.setattr("agent.pysc2_agent.load_policy", load_and_note)
    monkeypatch.setenv(RUN_VARIABLE, str(run_folder))
    PolicyAgent()
    assert loaded == [7]


def test_a_policy_that_nobody_names_or_that_is_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv(RUN_VARIABLE, raising=False)
    with pytest.raises(ValueError, match=r"^LATENTSTAR_RUN must name the folder"):
        PolicyAgent()
    monkeypatch.setenv(RUN_VARIABLE, str(tmp_path / "none"))
    with pytest.raises(FileNotFoundError, match="none: no checkpoint there"):
        PolicyAgent()


def bin_agent(*options: str) -> str:
    """Run pysc2's own program and return all that it said."""
    command = [sys.executable, "-m", "envs.pysc2_compat", "pysc2.bin.agent", "--norender"]
    command += ["--map", "Simple64", "--use_raw_units", "--action_space", "RAW"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*command, *options],
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout + done.stderr


def test_the_scripted_agent_plays_in_pysc2s_own_program(game_environment: Path):
    options = ["--agent", SCRIPTED, "--agent_race", "zerg", "--max_agent_steps", "300"]
    assert "for 300 steps" in bin_agent(*options)
    (file,) = (game_environment / "Replays" / "ScriptedAgent").iterdir()
    replay = read_replay(file.read_bytes())
    file.unlink()
    assert len([entry for entry in replay.entries if entry.kind is EntryKind.COMMAND]) > 10


@pytest.mark.slow
def test_two_agents_of_ours_play_each_other_to_the_end(game_environment: Path):
    options = ["--agent", SCRIPTED, "--agent_race", "zerg"]
    options += ["--agent2", SCRIPTED, "--agent2_race", "terran"]
    said = bin_agent(*options, "--max_episodes", "1", "--agent_name", "Both")
    assert "Outcome: [1, -1]" in said or "Outcome: [-1, 1]" in said
