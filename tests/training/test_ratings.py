"""``latentstar ratings``: evaluated players and the levels they met, on one scale."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import matplotlib.image
import pytest

from tests.game_records import finished_games, some_settings
from training import ratings
from training.evaluation.records import append_game
from training.ratings import RatingsConfig


def evaluation(folder: Path, results: dict[str, str], **settings: Any) -> Path:
    """A folder of games with these results against these levels."""
    folder.mkdir()
    for level, letters in results.items():
        for record in finished_games(letters, level=level):
            changed = dataclasses.replace(record.settings, **settings)
            planned = dataclasses.replace(record.planned, name=f"{level} {record.planned.name}")
            append_game(folder, dataclasses.replace(record, settings=changed, planned=planned))
    return folder


def rate(tmp_path: Path, *folders: Path) -> dict[str, Any]:
    ratings.run(RatingsConfig(evaluations=folders, output=tmp_path / "out"))
    return json.loads((tmp_path / "out" / "ratings.json").read_text())


def test_checkpoints_and_levels_are_rated_together(tmp_path: Path, capsys: pytest.CaptureFixture):
    early = evaluation(tmp_path / "a", {"easy": "wwll"}, player="step 1", checkpoint="a" * 64)
    later = evaluation(
        tmp_path / "b", {"easy": "wwww", "hard": "wwlc"}, player="step 2", checkpoint="b" * 64
    )
    numbers = rate(tmp_path, early, later)
    assert numbers["anchor"] == "easy"
    assert numbers["rules"] == some_settings().rules
    found = {rating["player"]: rating for rating in numbers["ratings"]}
    assert found["step 2"]["elo"] > found["step 1"]["elo"]
    assert found["step 1"]["elo"] == pytest.approx(0)  # two of four against who is at 0
    assert {player: rating["games"] for player, rating in found.items()} == {
        "easy": 8,
        "hard": 3,
        "step 1": 4,
        "step 2": 7,
    }
    assert "| step 2 |" in capsys.readouterr().out
    assert matplotlib.image.imread(tmp_path / "out" / "ratings.png").std() > 0.05


def test_games_of_other_rules_are_not_rated_together(tmp_path: Path):
    one = evaluation(tmp_path / "a", {"easy": "wl"}, player="step 1")
    other = evaluation(tmp_path / "b", {"easy": "wl"}, player="step 2", rules="other")
    with pytest.raises(ValueError, match=r"rules is .* in one and 'other' in another; rate them"):
        rate(tmp_path, one, other)


def test_two_players_of_one_name_are_refused(tmp_path: Path):
    one = evaluation(tmp_path / "a", {"easy": "wl"}, checkpoint="a" * 64)
    other = evaluation(tmp_path / "b", {"easy": "wl"}, checkpoint="b" * 64)
    with pytest.raises(ValueError, match="two players are named 'step 1000', with other weights"):
        rate(tmp_path, one, other)


def test_a_folder_without_games_is_refused(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="no games there; wanted a folder written by"):
        rate(tmp_path, tmp_path)
    crashed = evaluation(tmp_path / "a", {"easy": "cc"})
    with pytest.raises(FileNotFoundError, match="no games there"):
        rate(tmp_path, crashed)
    with pytest.raises(ValueError, match="wanted at least one evaluation, got none"):
        RatingsConfig(evaluations=())
