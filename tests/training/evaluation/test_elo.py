"""Ratings against closed forms, known strengths, and the laws they obey."""

import math
import random
from itertools import combinations

import numpy as np
import pytest

from tests.game_records import finished_games
from training.evaluation.elo import (
    Meeting,
    Rating,
    elo_ratings,
    meetings_with_levels,
)


def games(first: str, second: str, wins: int, ties: int, losses: int) -> list[Meeting]:
    scores = [1.0] * wins + [0.5] * ties + [0.0] * losses
    return [Meeting(first, second, score) for score in scores]


def rated(
    meetings: list[Meeting], *, anchor: str, num_bootstraps: int = 50, seed: int = 0
) -> dict[str, Rating]:
    ratings = elo_ratings(meetings, anchor=anchor, num_bootstraps=num_bootstraps, seed=seed)
    return {rating.player: rating for rating in ratings}


def won_share(stronger: float, weaker: float) -> float:
    """The scale of Elo: 400 points are ten to one."""
    return 1 / (1 + 10 ** ((weaker - stronger) / 400))


@pytest.mark.parametrize(
    ("wins", "ties", "losses"), [(75, 0, 25), (10, 0, 0), (0, 0, 100), (3, 4, 1), (0, 6, 0)]
)
def test_two_players_are_as_far_apart_as_their_score_and_one_tie_more(
    wins: int, ties: int, losses: int
):
    ratings = rated(games("b", "a", wins, ties, losses), anchor="a")
    score, other = wins + ties / 2 + 0.5, losses + ties / 2 + 0.5
    assert ratings["a"] == Rating("a", 0.0, (0.0, 0.0), wins + ties + losses)
    assert ratings["b"].elo == pytest.approx(400 * math.log10(score / other), abs=1e-6)


def test_who_met_only_the_same_player_is_rated_by_that_score_alone():
    meetings = games("x", "weak", 90, 0, 10) + games("x", "strong", 20, 0, 80)
    ratings = rated(meetings, anchor="weak")
    x = 400 * math.log10(90.5 / 10.5)
    assert ratings["x"].elo == pytest.approx(x, abs=1e-6)
    assert ratings["strong"].elo == pytest.approx(x + 400 * math.log10(80.5 / 20.5), abs=1e-6)
    assert ratings["x"].games == 200


def test_where_all_met_everyone_scores_what_the_ratings_say():
    meetings = games("a", "b", 7, 1, 2) + games("b", "c", 12, 0, 8) + games("a", "c", 3, 2, 15)
    ratings = rated(meetings, anchor="b")
    for player in "abc":
        met = [m for m in meetings if player in m[:2]]
        scored = sum(m.score if m.first == player else 1 - m.score for m in met)
        others = [m.second if m.first == player else m.first for m in met] + sorted(
            set("abc") - {player}
        )
        expected = sum(won_share(ratings[player].elo, ratings[other].elo) for other in others)
        assert scored + 2 * 0.5 == pytest.approx(expected)


def test_another_anchor_moves_all_alike():
    meetings = games("a", "b", 7, 1, 2) + games("b", "c", 12, 0, 8) + games("a", "c", 3, 2, 15)
    by_a, by_c = rated(meetings, anchor="a"), rated(meetings, anchor="c")
    moved = {by_c[player].elo - by_a[player].elo for player in "abc"}
    assert max(moved) - min(moved) == pytest.approx(0, abs=1e-6)


def test_strengths_are_found_again_from_simulated_games():
    true = {"a": 0.0, "b": 120.0, "c": 250.0, "d": 420.0, "e": 600.0}
    generator = random.Random(0)
    meetings = [
        Meeting(one, other, float(generator.random() < won_share(true[one], true[other])))
        for one, other in combinations(true, 2)
        for _ in range(2000)
    ]
    ratings = rated(meetings, anchor="a")
    assert [rating.player for rating in sorted(ratings.values(), key=lambda r: r.elo)] == list(true)
    for player, elo in true.items():
        assert ratings[player].elo == pytest.approx(elo, abs=30)


@pytest.mark.parametrize("gap", [0.0, 350.0, 900.0])
def test_the_interval_holds_the_truth_about_nineteen_times_of_twenty(gap: float):
    generator = np.random.default_rng(5)
    held = 0
    for seed in range(200):
        wins = int(generator.binomial(60, won_share(gap, 0.0)))
        meetings = games("x", "a", wins, 0, 60 - wins)
        low, high = rated(meetings, anchor="a", num_bootstraps=200, seed=seed)["x"].interval
        held += low <= gap <= high
    assert held >= 180


def test_the_order_of_games_and_of_players_in_them_does_not_matter():
    meetings = games("a", "b", 7, 1, 2) + games("c", "b", 12, 0, 8) + games("a", "c", 3, 2, 15)
    other = [Meeting(m.second, m.first, 1 - m.score) for m in meetings]
    random.Random(3).shuffle(other)
    assert elo_ratings(other, anchor="b") == elo_ratings(meetings, anchor="b")


def test_a_score_of_a_hundred_to_none_is_finite_and_leaves_doubt():
    rating = rated(games("x", "a", 100, 0, 0), anchor="a", num_bootstraps=1000)["x"]
    assert rating.elo == pytest.approx(400 * math.log10(201))
    low, high = rating.interval
    # what scores 97.5 % still wins a hundred times of a hundred once in twelve; 95 % does not
    assert won_share(low, 0) == pytest.approx(0.975, abs=0.01)
    assert rating.elo + 300 < high < math.inf


def test_more_games_leave_less_doubt():
    few = rated(games("x", "a", 12, 0, 8), anchor="a", num_bootstraps=1000)["x"].interval
    many = rated(games("x", "a", 1200, 0, 800), anchor="a", num_bootstraps=1000)["x"].interval
    assert (many[1] - many[0]) * 7 < few[1] - few[0]
    # 1.96 standard errors of the log odds, in Elo points
    assert many[1] - many[0] == pytest.approx(
        2 * 1.96 * math.sqrt(1 / 1200 + 1 / 800) * 400 / math.log(10), rel=0.1
    )


def test_groups_that_never_met_are_refused():
    meetings = games("a", "b", 1, 0, 1) + games("c", "d", 1, 0, 1)
    with pytest.raises(ValueError, match="got groups that never did: a, b; c, d"):
        elo_ratings(meetings, anchor="a")


@pytest.mark.parametrize(
    ("meetings", "refused"),
    [
        ([], "wanted games to rate players by, got none"),
        ([Meeting("a", "a", 1.0)], "a met themselves"),
        ([Meeting("a", "b", 0.7)], "score must be 0, 0.5 or 1, got 0.7"),
        ([Meeting("b", "c", 1.0)], r"anchor must be one who played \(b, c\), got a"),
    ],
)
def test_what_cannot_be_rated_is_refused(meetings: list[Meeting], refused: str):
    with pytest.raises(ValueError, match=refused):
        elo_ratings(meetings, anchor="a")


def test_undecided_games_are_ties_and_crashes_are_left_out():
    records = finished_games("wltuc", level="medium", opponent_race="Zerg")
    scores = [meeting.score for meeting in meetings_with_levels(records)]
    assert scores == [1.0, 0.0, 0.5, 0.5]
    assert meetings_with_levels(records)[0][:2] == ("step 1000", "medium")
