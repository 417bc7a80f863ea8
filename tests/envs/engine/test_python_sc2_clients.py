"""python-sc2 programs as they are: a bot that beats the weakest computer, bots, replays."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from envs.engine.replay_file import read_replay

PROGRAM = Path(__file__).with_name("python_sc2_program.py")
ROOT = Path(__file__).parents[3]
SECONDS = 900


def outcome(what: str, folder: Path, *arguments: str) -> dict[str, object]:
    """Run the program that plays or watches; return what it wrote down."""
    result = folder / "result.json"
    command = [sys.executable, str(PROGRAM), what, str(result), *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    found: dict[str, object] = json.loads(result.read_text())
    return found


@pytest.fixture(scope="module")
def short_replay(game_environment: Path) -> Path:
    """A replay of a game that was given up early, where python-sc2 looks for it on Linux."""
    folder = Path.home() / "Documents" / "StarCraft II" / "Replays"
    folder.mkdir(parents=True, exist_ok=True)
    replay = folder / "short.SC2Replay"
    played = outcome("resign", game_environment.parent, str(replay))
    assert played["result"] == "Defeat"
    return replay


def test_a_bot_builds_expands_attacks_and_beats_the_weakest_computer(
    game_environment: Path, tmp_path: Path
):
    played = outcome("win", tmp_path, str(tmp_path / "won.SC2Replay"))
    assert played["result"] == "Victory"
    assert played["most_bases"] >= 2
    assert played["most_marines"] >= 15
    replay = read_replay((tmp_path / "won.SC2Replay").read_bytes())
    assert replay.results == {1: 1, 2: 2}


def test_bots_play_each_other_in_two_processes(game_environment: Path, tmp_path: Path):
    played = outcome("duel", tmp_path)
    assert played["results"] == ["Victory", "Defeat"]


@pytest.mark.parametrize("who", ["host", "guest"])
@pytest.mark.parametrize("way", ["leave", "kill"])
def test_a_game_that_one_bot_ends_within_the_others_turn_has_two_results(
    game_environment: Path, tmp_path: Path, way: str, who: str
):
    played = outcome("quit", tmp_path, way, who)
    expected = ["Defeat", "Victory"]
    assert played["results"] == (expected if who == "host" else expected[::-1])


@pytest.mark.parametrize("who", ["host", "guest"])
def test_a_bot_that_has_left_saves_the_replay_as_its_opponent_does(
    game_environment: Path, tmp_path: Path, who: str
):
    file = tmp_path / "left.SC2Replay"
    outcome("quit", tmp_path, "leave", who, str(file))
    assert read_replay(file.read_bytes()).results == (
        {1: 2, 2: 1} if who == "host" else {1: 1, 2: 2}
    )


def test_a_replay_is_watched_to_its_end(short_replay: Path, tmp_path: Path):
    watched = outcome("watch", tmp_path, str(short_replay))
    assert watched["steps"] > 100
    assert watched["owners"] == [1, 2]


def test_a_played_out_time_limit_is_a_tie(game_environment: Path, tmp_path: Path):
    assert outcome("idle", tmp_path)["result"] == "Tie"


def test_the_expansions_that_a_bot_finds_are_the_maps_own(game_environment: Path, tmp_path: Path):
    from envs.engine.terrain import map_bytes, read_map

    found = outcome("look", tmp_path)
    expansions = {tuple(place) for place in found["expansions"]}
    assert expansions == set(read_map(map_bytes("AcropolisLE")).expansions)
    assert found["ramp_upper_points"] in (2, 5)
