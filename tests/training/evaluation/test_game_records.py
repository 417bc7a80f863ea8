"""Games are kept line by line, read back as they were, and never mixed with unlike ones."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from tests.game_records import finished_game, planned_game, some_settings
from training.evaluation.records import (
    GAMES_FILE,
    GameRecord,
    Result,
    append_game,
    missing_games,
    read_games,
    require_alike,
)

A, B, C = (planned_game(name) for name in "abc")


def test_games_are_read_back_as_they_were(tmp_path: Path):
    script = some_settings(checkpoint=None, temperature=None, rules=None)
    games = [finished_game("win", planned=A, settings=script)]
    games.append(
        dataclasses.replace(
            games[0], planned=B, result=Result.CRASH, actions_per_minute=None, detail='said "no"\n'
        )
    )
    for game in games:
        append_game(tmp_path, game)
    assert read_games(tmp_path) == games
    assert len((tmp_path / GAMES_FILE).read_text().splitlines()) == 2


def test_a_line_says_beside_each_other_what_was_planned_and_how_it_ended():
    table = finished_game("loss", planned=planned_game("x", seed=3)).to_json()
    assert (table["name"], table["seed"], table["result"]) == ("x", 3, "loss")
    assert table["settings"]["rules"] == "ac263c26"


def test_a_folder_without_games_has_none(tmp_path: Path):
    assert read_games(tmp_path) == []


def test_a_file_that_was_cut_loses_its_last_line_alone(tmp_path: Path):
    games = [finished_game("win", planned=game) for game in (A, B)]
    for game in games:
        append_game(tmp_path, game)
    path = tmp_path / GAMES_FILE
    path.write_bytes(path.read_bytes()[:-20])
    assert read_games(tmp_path) == games[:1]
    append_game(tmp_path, games[1])
    assert read_games(tmp_path) == games


def test_a_line_that_is_damaged_elsewhere_is_named(tmp_path: Path):
    append_game(tmp_path, finished_game("win"))
    path = tmp_path / GAMES_FILE
    path.write_text(path.read_text() + "{half\n")
    with pytest.raises(ValueError, match=r"games\.jsonl, line 2, is damaged"):
        read_games(tmp_path)


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"result": "won"}, "result must be one of win, loss, tie, undecided, crash, got 'won'"),
        ({"loops": "many"}, "loops must be int, got 'many'"),
        ({"loops": True}, "loops must be int, got True"),
        ({"seat": 3}, "seat must be 1 or 2, got 3"),
        ({"settings": None}, "wanted a table for Settings, got None"),
        ({"colour": "red"}, "GameRecord has unknown colour"),
    ],
)
def test_fields_that_cannot_be_are_named_with_file_and_line(
    tmp_path: Path, changes: dict[str, Any], refused: str
):
    line = json.dumps(finished_game("win").to_json() | changes)
    (tmp_path / GAMES_FILE).write_text(line + "\n")
    with pytest.raises(ValueError, match=f"line 1: {refused}"):
        read_games(tmp_path)


def test_fields_that_miss_are_named():
    table = finished_game("win").to_json()
    del table["map"]
    with pytest.raises(ValueError, match="PlannedGame misses map"):
        GameRecord.from_json(table)


@pytest.mark.parametrize(
    ("name", "value"),
    [("rules", "another"), ("max_loops", 5), ("checkpoint", None), ("temperature", 0.5)],
)
def test_games_of_unlike_settings_are_refused_and_the_setting_named(
    tmp_path: Path, name: str, value: Any
):
    for game, settings in ((A, some_settings()), (B, some_settings(**{name: value}))):
        append_game(tmp_path, finished_game("win", planned=game, settings=settings))
    with pytest.raises(ValueError, match=f"never merged: {name} is .* in one and {value!r}"):
        read_games(tmp_path)


def test_players_are_compared_though_they_differ_if_all_else_is_alike():
    one, other = some_settings(), some_settings(player="step 2000", checkpoint="ff")
    require_alike([one, other], where="here", free={"player", "checkpoint"})
    with pytest.raises(ValueError, match=r"here: .* player is 'step 1000'"):
        require_alike([one, other], where="here")


def test_the_same_game_twice_is_refused(tmp_path: Path):
    for result in ("win", "loss"):
        append_game(tmp_path, finished_game(result, planned=A))
    with pytest.raises(ValueError, match="holds game a twice"):
        read_games(tmp_path)


def test_a_crash_is_played_again_and_stays_on_record(tmp_path: Path):
    append_game(tmp_path, finished_game("win", planned=A))
    append_game(tmp_path, finished_game("crash", planned=B))
    games = read_games(tmp_path)
    assert missing_games([A, B, C], games, settings=some_settings()) == [B, C]
    append_game(tmp_path, finished_game("undecided", planned=B))
    games = read_games(tmp_path)
    assert missing_games([A, B, C], games, settings=some_settings()) == [C]
    assert [game.result for game in games] == ["win", "crash", "undecided"]


def test_going_on_with_other_settings_is_refused():
    with pytest.raises(ValueError, match=r"delay_rule is 'as the policy says' .*'fixed'"):
        missing_games([A], [finished_game("win")], settings=some_settings(delay_rule="fixed"))


def test_going_on_with_games_that_were_planned_otherwise_is_refused():
    games = [finished_game("win", planned=planned_game("a", seed=8))]
    with pytest.raises(ValueError, match="game a was planned otherwise: seed is 8 there and 7"):
        missing_games([A], games, settings=some_settings())
