"""The ladder: who plays whom, what the games come to, and that it goes on where it was."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from training import cli
from training.bench.ladder import (
    GAMES_FILE,
    PLOT_FILE,
    REPLAY_FOLDER,
    RESULT_FILE,
    TABLE_FILE,
    LadderConfig,
    Level,
    planned_games,
    play,
    run,
)
from training.bench.ladder_table import ladder_table, plot_ladder, summary
from training.intervals import wilson_interval

LOOPS_A_MINUTE = 1344


def game(result: str, **changes: Any) -> dict[str, Any]:
    """The record of one game."""
    record = {
        "stronger": "medium",
        "weaker": "very-easy",
        "stronger_race": "Terran",
        "weaker_race": "Zerg",
        "stronger_seat": 1,
        "result": result,
        "loops": 10 * LOOPS_A_MINUTE,
    }
    return record | changes


def summarised(*games: dict[str, Any]) -> dict[str, Any]:
    return summary(games, version="abc", minutes=30.0, seed=0)


def test_each_level_plays_the_one_below_as_all_races_and_from_both_seats():
    plans = planned_games(LadderConfig(games=36))
    assert Counter((plan.stronger, plan.weaker) for plan in plans) == {
        ("medium", "very-easy"): 36,
        ("very-hard", "medium"): 36,
    }
    meetings = Counter(
        (
            plan.stronger,
            plan.stronger_player.race,
            plan.weaker_player.race,
            plan.stronger_seat,
        )
        for plan in plans
    )
    assert len(meetings) == 2 * 9 * 2
    assert set(meetings.values()) == {2}


def test_every_game_has_a_name_and_a_seed_of_its_own():
    plans = planned_games(LadderConfig(games=50))
    assert len({plan.name for plan in plans}) == len({plan.seed for plan in plans}) == len(plans)
    assert planned_games(LadderConfig(games=50)) == plans
    assert planned_games(LadderConfig(games=50, seed=1)) != plans


def test_crashes_are_no_games_and_undecided_ones_are_not_won():
    games = [game("win"), game("win", loops=20 * LOOPS_A_MINUTE), game("undecided"), game("crash")]
    (pair,) = summarised(*games, game("loss", stronger_race="Protoss", stronger_seat=2))["pairs"]
    assert (pair["games"], pair["wins"], pair["crashes"]) == (4, 2, 1)
    assert pair["win_rate"] == 0.5
    assert pair["interval"] == list(wilson_interval(2, 4))
    assert pair["median_minutes"] == pytest.approx(10)
    assert pair["by_race"]["Terran"]["games"] == 3
    assert pair["by_race"]["Protoss"]["losses"] == 1
    assert pair["by_seat"]["2"]["win_rate"] == 0


def test_the_table_says_what_was_played_and_how_sure_it_is():
    table = ladder_table(summarised(*[game("win")] * 9, game("loss")))
    low, high = (100 * bound for bound in wilson_interval(9, 10))
    assert "Ladder abc" in table
    assert f"90 % ({low:.0f} to {high:.0f})" in table


def test_games_that_all_crashed_have_no_rate_and_still_a_table(tmp_path: Path):
    result = summarised(game("crash"))
    (line,) = [line for line in ladder_table(result).splitlines() if line.startswith("| medium")]
    assert line == "| medium | very-easy | 0 | - | 0 | 0 | 0 | 1 | - |"
    plot_ladder(result, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 1000


def test_a_game_that_is_not_over_in_time_is_undecided_and_can_be_seen():
    plan = planned_games(LadderConfig(games=1, minutes=0.1))[0]
    record, replay = play(plan)
    assert (record["result"], record["loops"]) == ("undecided", plan.max_loops)
    assert replay.startswith(b"MPQ")


def test_the_ladder_is_played_once_and_goes_on_where_it_was(tmp_path: Path):
    config = LadderConfig(
        out=tmp_path, levels=(Level.VERY_EASY, Level.MEDIUM), games=2, minutes=0.2, workers=2
    )
    run(config)
    games = (tmp_path / GAMES_FILE).read_text().splitlines()
    assert len(games) == 2
    assert {json.loads(line)["result"] for line in games} == {"undecided"}
    for name in (TABLE_FILE, RESULT_FILE, PLOT_FILE):
        assert (tmp_path / name).stat().st_size > 0
    assert len(list((tmp_path / REPLAY_FOLDER).iterdir())) == 2
    with (tmp_path / GAMES_FILE).open("a") as file:
        file.write('{"name": "a line that was not fini')
    run(config)
    assert (tmp_path / GAMES_FILE).read_text().splitlines() == games


def test_a_ladder_of_crashes_alone_fails_in_a_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    options = ["--levels", "very-easy", "medium", "--games", "1", "--workers", "1"]
    no_time = ["--timeout-minutes", "0.0001"]
    assert cli.run(["bench", "ladder", "--out", str(tmp_path), *options, *no_time]) == 1
    assert caplog.messages[-1] == "there were no games: all 1 crashed"
    assert "| - |" in (tmp_path / TABLE_FILE).read_text()


def test_games_of_another_ladder_are_not_mixed_in(tmp_path: Path):
    config = LadderConfig(out=tmp_path, games=1, minutes=0.1, workers=1)
    record, _ = play(planned_games(config)[0])
    other = json.dumps(record | {"version": "another"})
    (tmp_path / GAMES_FILE).write_text(other + "\n")
    with pytest.raises(ValueError, match="another ladder"):
        run(config)


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ({"levels": (Level.MEDIUM,)}, "two or more"),
        ({"levels": (Level.MEDIUM, Level.MEDIUM)}, "two or more different"),
        ({"levels": ()}, "two or more different ones, got none"),
        ({"games": 0}, "games must be at least 1"),
        ({"minutes": 0.0}, "minutes must be positive"),
        ({"maps": ()}, "maps must be at least one"),
    ],
)
def test_impossible_values_are_refused(given: dict[str, Any], refused: str):
    with pytest.raises(ValueError, match=refused):
        LadderConfig(**given)


def test_a_map_that_is_not_there_is_refused_before_anything_is_played(tmp_path: Path):
    with pytest.raises(ValueError, match="there is no 'Melee/Nowhere"):
        run(LadderConfig(out=tmp_path, maps=("Melee/Nowhere.SC2Map",)))
    assert not list(tmp_path.iterdir())


def test_a_map_may_go_by_its_name_alone(tmp_path: Path):
    levels = (Level.VERY_EASY, Level.MEDIUM)
    run(
        LadderConfig(out=tmp_path, levels=levels, games=1, minutes=0.1, workers=1, maps=("Flat32",))
    )
    (game,) = (tmp_path / GAMES_FILE).read_text().splitlines()
    assert json.loads(game)["map"] == "Melee/Flat32.SC2Map"
