"""One game told as it goes: against the engine's opponents, and against bots of python-sc2's."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from agent.checkpoint import TrainingState, save_checkpoint
from envs.engine.replay_file import read_replay
from envs.interface import Knowledge, Race
from policies.policy import Policy
from tests.builders import small_policy_config
from training.cli import run as run_command_line
from training.dataset import read_dataset

ROOT = Path(__file__).parents[2]
BOTS = ROOT / "tests" / "envs" / "engine" / "python_sc2_program.py"
SHORT = ["--minutes", "1"]
WON = {1: 1, 2: 2}

BOT_FILE = """
from sc2.bot_ai import BotAI

class NeverMade(BotAI):
    def __init__(self):
        raise RuntimeError("I never play")

class Vanishing(BotAI):
    async def on_step(self, iteration):
        if iteration == 20:
            import os
            os._exit(3)

class Unrelated:
    pass
"""


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to play in, where SC2PATH leads nowhere unless a test asks for it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def no_game(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SC2PATH", raising=False)


@pytest.fixture
def bot_file(tmp_path: Path) -> Path:
    path = tmp_path / "bots.py"
    path.write_text(BOT_FILE)
    return path


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    folder = tmp_path / "run"
    save_checkpoint(
        folder / "checkpoints",
        step=7,
        policy=Policy(small_policy_config()),
        knowledge=Knowledge.EVENTS,
        seed=0,
        training=TrainingState({}, {}),
    )
    return folder


def play(*words: str) -> int:
    return run_command_line(["play", *words])


def test_a_game_is_told_and_its_replay_becomes_a_dataset(
    no_game: None, capsys: pytest.CaptureFixture[str]
):
    assert play(*SHORT, "--race", "zerg", "--level", "very_easy", "--seed", "4") == 0
    first, heading, *lines, ending, last = capsys.readouterr().out.splitlines()
    assert first == "scripted zerg against very_easy terran"
    assert heading.split()[:2] == ["time", "supply"]
    assert any("Train Drone" in line for line in lines)
    assert ending.startswith("undecided at 1:0")
    replay = Path("games/scripted-zerg-against-very_easy-terran-Simple64-4.SC2Replay")
    assert last == f"the replay is {replay}"
    options = ["--knowledge", "game", "--workers", "1"]
    assert run_command_line(["replays", "games", "dataset", *options]) == 0
    (game,) = read_dataset(Path("dataset")).games
    assert (game.race, game.opponent_race) == (Race.ZERG, Race.TERRAN)


def test_the_same_game_is_the_same_in_a_process(no_game: None):
    assert play(*SHORT, "--replay", "here.SC2Replay") == 0
    assert play(*SHORT, "--replay", "there.SC2Replay", "--place", "process") == 0
    assert Path("here.SC2Replay").read_bytes() == Path("there.SC2Replay").read_bytes()


def test_a_policy_plays_and_its_replay_lies_in_its_run(
    run_folder: Path, no_game: None, capsys: pytest.CaptureFixture[str]
):
    assert play(str(run_folder), *SHORT, "--race", "protoss", "--map", "flat 64") == 0
    assert capsys.readouterr().out.startswith("run step 7 protoss against very_hard terran\n")
    (replay,) = (run_folder / "games").iterdir()
    assert replay.name == "run-step-7-protoss-against-very_hard-terran-Flat64-0.SC2Replay"
    assert read_replay(replay.read_bytes()).results == {}


def playing_in_a_process(*words: str) -> subprocess.Popen[str]:
    """A game under way, in which workers are made already."""
    playing = subprocess.Popen(
        [sys.executable, "-m", "training.cli", "play", *words],
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert playing.stdout is not None
    for line in playing.stdout:
        if "Train Drone" in line:
            break
    time.sleep(0.2)
    return playing


def test_a_game_that_is_stopped_keeps_its_replay(tmp_path: Path, no_game: None):
    playing = playing_in_a_process("--replay", "stopped.SC2Replay")
    playing.send_signal(signal.SIGINT)
    said, errors = playing.communicate(timeout=60)
    assert playing.returncode == 130, errors
    assert "undecided at " in said
    assert errors.splitlines()[-1] == "latentstar play: stopped"
    assert read_replay((tmp_path / "stopped.SC2Replay").read_bytes()).loops > 0


def test_a_game_whose_program_dies_is_told_in_one_line(tmp_path: Path, no_game: None):
    playing = playing_in_a_process("--replay", "lost.SC2Replay", "--place", "process")
    threads = Path(f"/proc/{playing.pid}/task").iterdir()
    (game,) = " ".join((thread / "children").read_text() for thread in threads).split()
    os.kill(int(game), signal.SIGKILL)
    said, errors = playing.communicate(timeout=60)
    assert playing.returncode == 1, errors
    last = said.splitlines()[-1]
    assert re.match(r"the game broke at \d+:\d\d, and has no replay: .*SIGKILL", last)
    assert "Traceback" not in errors
    assert not (tmp_path / "lost.SC2Replay").exists()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--race", "human"], "invalid choice 'human'"),
        (["--style", "tickle"], "expected a style of ZERG among"),
        (["--map", "Nowhere"], "there is no 'Nowhere'"),
        (["--minutes", "0"], "minutes must be positive, got 0"),
        (["--temperature", "0"], "temperature must be positive, got 0"),
        (["--seed", "-1"], "seed must be from 0 to 2 ** 32 - 1, got -1"),
        (["none"], "none: no such folder"),
        (["none", "--style", "roach"], "style is the scripted player's"),
        (["--bot", "bots.py"], "bot must be FILE.py:CLASS, got 'bots.py'"),
        (["--bot", "none.py:Bot"], "none.py: no such file"),
        (["--bot", f"{BOTS}:IdleBot"], "SC2PATH, which is not set"),
        (["--replay", "bots.py/game"], "wanted a folder, it is a file"),
    ],
)
def test_what_cannot_be_played_is_refused_in_one_line(
    words: list[str],
    reason: str,
    no_game: None,
    bot_file: Path,
    capsys: pytest.CaptureFixture[str],
):
    assert play(*words) == 2
    printed = capsys.readouterr()
    assert reason in printed.err
    assert printed.err.count("\n") == 1
    assert printed.out == ""
    assert not Path("games").exists()


def test_a_game_that_is_not_there_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("SC2PATH", "/nowhere")
    assert play("--place", "process") == 2
    assert capsys.readouterr().err.startswith("latentstar play: SC2PATH is '/nowhere', which is no")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("NeverMade", "ended before it had joined: RuntimeError: I never play; see games/"),
        ("Unrelated", "bots.py must have a subclass of BotAI named 'Unrelated', it has none"),
    ],
)
def test_a_bot_that_ends_at_once_is_told_in_one_line(
    name: str,
    reason: str,
    game_environment: Path,
    bot_file: Path,
    capsys: pytest.CaptureFixture[str],
):
    assert play("--bot", f"{bot_file}:{name}") == 2
    printed = capsys.readouterr().err
    assert reason in printed
    assert printed.count("\n") == 1


@pytest.mark.parametrize("name", ["Vanishing", "ResigningBot"])
def test_a_bot_that_leaves_has_lost(name: str, game_environment: Path, bot_file: Path):
    file = bot_file if name in BOT_FILE else BOTS
    assert play("--bot", f"{file}:{name}", "--replay", "won.SC2Replay") == 0
    assert read_replay(Path("won.SC2Replay").read_bytes()).results == WON
    assert Path("won.bot.log").stat().st_size > 0


@pytest.mark.slow
def test_a_game_with_a_bot_is_played_to_its_end_and_read_for_both(game_environment: Path):
    Path("games").mkdir()
    options = ["--race", "zerg", "--replay", "games/bot.SC2Replay"]
    assert play("--bot", f"{BOTS}:MarineBot", *options) == 0
    replay = read_replay(Path("games/bot.SC2Replay").read_bytes())
    assert sorted(replay.results.values()) == [1, 2]
    assert replay.loops > 4000
    assert run_command_line(["replays", "games", "dataset", "--knowledge", "game"]) == 0
    games = read_dataset(Path("dataset")).games
    assert sorted(game.race for game in games) == [Race.TERRAN, Race.ZERG]
