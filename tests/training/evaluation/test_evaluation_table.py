"""An evaluation's numbers, tables and pictures."""

from itertools import product
from pathlib import Path
from typing import Any

import matplotlib.image
import pytest

from tests.game_records import (
    LOOPS_A_MINUTE,
    finished_game,
    finished_games,
    planned_game,
    some_settings,
)
from training.evaluation.plot import plot_evaluation, plot_ratings
from training.evaluation.records import Game, GameRecord
from training.evaluation.statistics import Stopping, anytime_interval
from training.evaluation.table import elo_table, evaluation_table, summary
from training.intervals import wilson_interval


def summed_up(records: list[GameRecord], **options: Any) -> dict[str, Any]:
    planned = list({record.planned.name: record.planned for record in records}.values())
    return summary(planned, records, seed=5, **options)


def an_evaluation() -> dict[str, Any]:
    records = []
    for level, results in (("very_easy", "wwww"), ("medium", "wltu"), ("very_hard", "lllc")):
        for race, seat in product(("Terran", "Zerg"), (1, 2)):
            records += finished_games(results, level=level, race=race, seat=seat)
    return summed_up(records)


def test_a_row_for_each_level_and_race_has_counts_rate_and_interval():
    result = an_evaluation()
    rows = {(row["level"], row["race"]): row for row in result["rows"]}
    assert list(rows) == list(product(("very_easy", "medium", "very_hard"), ("Terran", "Zerg")))
    assert rows["medium", "Zerg"] == {
        "level": "medium",
        "race": "Zerg",
        "planned": 8,
        "games": 8,
        "wins": 2,
        "losses": 2,
        "ties": 2,
        "undecided": 2,
        "crashes": 0,
        "win_rate": 0.25,
        "interval": list(wilson_interval(2, 8)),
        "median_minutes": pytest.approx(10),
    }
    hard = rows["very_hard", "Terran"]
    assert (hard["games"], hard["crashes"], hard["win_rate"]) == (6, 2, 0.0)


def test_levels_are_the_sum_of_their_races_and_are_told_apart_by_seat_and_opponent():
    level = an_evaluation()["levels"][1]
    assert (level["level"], level["games"], level["wins"]) == ("medium", 16, 4)
    assert {seat: numbers["games"] for seat, numbers in level["by_seat"].items()} == {
        "1": 8,
        "2": 8,
    }
    assert level["by_opponent"]["Zerg"]["games"] == 16
    assert level["by_map"]["Melee/Simple64.SC2Map"]["games"] == 16


def test_what_was_played_stands_beside_the_numbers():
    result = an_evaluation()
    expected = {
        "game": "engine",
        "build": "4.10.0",
        "rules": "ac263c26",
        "maps": ["Melee/Simple64.SC2Map"],
        "seed": 5,
        "delay_rule": "as the policy says",
        "max_loops": 30 * LOOPS_A_MINUTE,
        "checkpoint": "0123456789abcdef",
        "interval_method": "Wilson score, 95 %",
        "stopping": None,
    }
    assert {name: result[name] for name in expected} == expected


def test_where_it_could_stop_early_intervals_are_those_that_may_be_looked_at():
    records = finished_games("wwwwwwwl")
    result = summed_up(records, stopping=Stopping(threshold=0.5))
    assert result["rows"][0]["interval"] == list(anytime_interval(7, 8))
    assert result["stopping"] == {"threshold": 0.5, "round_games": 1}
    assert "confidence sequence" in evaluation_table(result)


def test_games_that_were_not_planned_are_left_out_and_planned_ones_are_counted():
    records = finished_games("wwwll")
    planned = [record.planned for record in records[:2]] + [planned_game("not yet")]
    row = summary(planned, records, seed=0)["rows"][0]
    assert (row["games"], row["wins"], row["planned"]) == (2, 2, 3)


def test_a_crash_that_was_played_again_is_counted_and_so_is_the_game():
    crash, again = finished_game("crash"), finished_game("win")
    row = summed_up([crash, again])["rows"][0]
    assert (row["games"], row["wins"], row["crashes"], row["planned"]) == (1, 1, 1, 1)


def test_unlike_settings_are_not_summed_up():
    games = [
        finished_game("win", planned=planned_game("a")),
        finished_game("win", planned=planned_game("b"), settings=some_settings(rules="another")),
    ]
    with pytest.raises(ValueError, match="rules is 'ac263c26' in one and 'another' in another"):
        summed_up(games)


def test_nothing_to_sum_up_is_refused():
    with pytest.raises(ValueError, match="none of those planned was played"):
        summary([planned_game()], [], seed=0)


def test_the_table_says_what_was_played_and_how_sure_it_is():
    table = evaluation_table(an_evaluation())
    low, high = (100 * bound for bound in wilson_interval(4, 16))
    assert (
        f"| medium | all | 16 | 4 | 25 % ({low:.0f} to {high:.0f}) | 4 | 4 | 4 | 0 | 10.0 |"
        in table
    )
    assert "step 1000 (checkpoint 0123456789ab) on LatentStar's own engine, not Blizzard's" in table
    assert "rules ac263c26" in table
    assert "at most 30 minutes" in table


def test_every_line_of_a_table_has_a_cell_a_column():
    table = evaluation_table(an_evaluation()) + elo_table(an_evaluation()["elo"]["ratings"])
    widths = [line.count("|") for line in table.splitlines() if line.startswith("|")]
    assert widths == [11] * 11 + [4] * 6


def test_one_race_needs_no_line_of_its_own():
    table = evaluation_table(summed_up(finished_games("wl")))
    assert "| medium | Terran | 2 | 1 | 50 %" in table
    assert "| all |" not in table


def test_starcraft_is_called_so():
    settings = some_settings(game=Game.STARCRAFT, rules=None, build="4.10.0 (75689)")
    table = evaluation_table(summed_up([finished_game("win", settings=settings)]))
    assert "on StarCraft II (build 4.10.0 (75689))." in table


def test_ratings_put_the_weakest_level_at_none_and_the_strongest_first():
    elo = an_evaluation()["elo"]
    assert elo["anchor"] == "very_easy"
    assert [rating["player"] for rating in elo["ratings"]] == [
        "very_hard",
        "medium",
        "step 1000",
        "very_easy",
    ]
    assert elo["ratings"][-1]["elo"] == 0
    assert elo_table(elo["ratings"]).splitlines()[-1] == "| very_easy | 0 | 16 |"


def test_games_that_all_crashed_have_no_rate_no_rating_and_still_a_table_and_a_picture(
    tmp_path: Path,
):
    result = summed_up(finished_games("cc"))
    assert result["elo"] == {"anchor": None, "ratings": []}
    assert "| medium | Terran | 0 | 0 | - | 0 | 0 | 0 | 2 | - |" in evaluation_table(result)
    plot_evaluation(result, tmp_path / "rates.png")
    assert matplotlib.image.imread(tmp_path / "rates.png").min() < 0.5


def test_pictures_are_drawn(tmp_path: Path):
    result = an_evaluation()
    plot_evaluation(result, tmp_path / "rates.png")
    ratings = result["elo"]["ratings"]
    plot_ratings(ratings, tmp_path / "elo.png", anchor="very_easy", title="all")
    for name in ("rates.png", "elo.png"):
        assert matplotlib.image.imread(tmp_path / name).std() > 0.05
    assert len(list(tmp_path.iterdir())) == 2
