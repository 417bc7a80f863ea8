"""Win rates, their intervals, and stopping early without fooling oneself."""

import math
import random
from collections.abc import Callable

import numpy as np
import pytest

from training.evaluation.statistics import (
    Outcome,
    Stopping,
    Verdict,
    anytime_interval,
    games_until_settled,
    outcome_numbers,
    verdict,
)
from training.intervals import wilson_interval

LOOPS_A_MINUTE = 1344


def test_ties_and_undecided_games_are_not_won_and_crashes_are_no_games():
    results = ["win", "win", "win", "loss", "tie", "undecided", "crash", "crash"]
    numbers = outcome_numbers(Outcome(result, 5 * LOOPS_A_MINUTE) for result in results)
    assert numbers == {
        "games": 6,
        "wins": 3,
        "losses": 1,
        "ties": 1,
        "undecided": 1,
        "crashes": 2,
        "win_rate": 0.5,
        "interval": list(wilson_interval(3, 6)),
        "median_minutes": pytest.approx(5),
    }


def test_only_games_that_ended_have_a_length():
    outcomes = [Outcome("win", 10), *[Outcome("undecided", 99)] * 3, *[Outcome("crash", 1)] * 5]
    assert outcome_numbers(outcomes)["median_minutes"] == pytest.approx(10 / LOOPS_A_MINUTE)


def test_where_all_crashed_nothing_is_known():
    numbers = outcome_numbers([Outcome("crash", 0)])
    assert (numbers["win_rate"], numbers["interval"]) == (None, [0.0, 1.0])
    assert numbers["median_minutes"] is None


def test_eight_wins_in_a_row_settle_that_more_than_half_are_won():
    # all rates equally likely: 1 / (n + 1); one half: 1 / 2 ** n; 2 ** 7 / 8 = 16, 2 ** 8 / 9 = 28
    assert verdict(7, 7, threshold=0.5) is Verdict.OPEN
    assert verdict(8, 8, threshold=0.5) is Verdict.ABOVE
    assert verdict(0, 8, threshold=0.5) is Verdict.BELOW
    assert verdict(0, 0, threshold=0.5) is Verdict.OPEN


def test_bounds_after_wins_alone_solve_their_equation():
    low, high = anytime_interval(30, 30)
    assert low == pytest.approx((1 / (20 * 31)) ** (1 / 30))  # low ** 30 = 1 / (20 * 31)
    assert high == 1.0


def test_at_the_bounds_the_results_are_twenty_times_less_likely_than_on_average_over_all_rates():
    wins, losses = 61, 39
    shares = (np.arange(200_000) + 0.5) / 200_000
    average = np.mean(shares**wins * (1 - shares) ** losses)
    for bound in anytime_interval(wins, wins + losses):
        assert average / (bound**wins * (1 - bound) ** losses) == pytest.approx(20, rel=1e-6)


@pytest.mark.parametrize(("wins", "games"), [(0, 1), (3, 9), (50, 100), (99, 100), (870, 1000)])
def test_looking_always_costs_a_wider_interval(wins: int, games: int):
    low, high = anytime_interval(wins, games)
    once_low, once_high = wilson_interval(wins, games)
    assert low < once_low or low == once_low == 0.0
    assert high > once_high or high == once_high == 1.0


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.87])
def test_a_verdict_is_on_which_side_of_the_threshold_the_whole_interval_is(threshold: float):
    for games in range(1, 45):
        for wins in range(games + 1):
            low, high = anytime_interval(wins, games)
            expected = Verdict.ABOVE if low > threshold else Verdict.OPEN
            expected = Verdict.BELOW if high < threshold else expected
            assert verdict(wins, games, threshold=threshold) is expected


def chance_of_ever_leaving_out(
    rate: float, *, num_games: int, leaves_out: Callable[[int, int], bool]
) -> float:
    """The chance, by summing over all paths, that intervals ever leave out the true rate."""
    alive = np.array([1.0])  # by wins, of those that were never left out
    for games in range(1, num_games + 1):
        alive = np.append(alive, 0.0) * (1 - rate) + np.append(0.0, alive) * rate
        alive[[leaves_out(wins, games) for wins in range(games + 1)]] = 0.0
    return float(1 - alive.sum())


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.5, 0.87])
def test_looking_after_each_of_400_games_is_wrong_at_most_once_in_twenty(rate: float):
    chance = chance_of_ever_leaving_out(
        rate,
        num_games=400,
        leaves_out=lambda wins, games: verdict(wins, games, threshold=rate) is not Verdict.OPEN,
    )
    assert 0.005 < chance <= 0.05


def test_looking_at_intervals_that_are_made_for_one_look_would_be_wrong_far_more_often():
    def leaves_out(wins: int, games: int) -> bool:
        low, high = wilson_interval(wins, games)
        return not low <= 0.5 <= high

    assert chance_of_ever_leaving_out(0.5, num_games=400, leaves_out=leaves_out) > 0.2


def test_games_of_a_round_may_be_unlike_and_a_wrong_verdict_stays_as_seldom():
    generator = random.Random(0)
    rates = [1.0, 0.4, 0.1]  # 0.5 on average: there is no side to be on
    stopping = Stopping(threshold=0.5, round_games=3)
    wrong = 0
    for _ in range(400):
        results = ["win" if generator.random() < rates[i % 3] else "loss" for i in range(300)]
        wrong += games_until_settled(results, stopping) is not None
    assert wrong <= 20


def test_a_strong_player_is_settled_soon():
    generator = random.Random(1)
    stopping = Stopping(threshold=0.5)
    lengths = []
    for _ in range(200):
        results = ["win" if generator.random() < 0.8 else "loss" for _ in range(500)]
        lengths.append(games_until_settled(results, stopping) or math.inf)
    assert np.median(lengths) < 50


def test_games_count_in_the_order_of_the_plan_whichever_ends_first():
    results = [*["win"] * 4, "loss", *["win"] * 20]
    expected = games_until_settled(results, Stopping(threshold=0.5))
    assert expected is not None
    generator = random.Random(2)
    for _ in range(20):
        order = list(range(len(results)))
        generator.shuffle(order)
        known: list[str | None] = [None] * len(results)
        answers = []
        for place in order:
            known[place] = results[place]
            answers.append(games_until_settled(known, Stopping(threshold=0.5)))
        assert {answer for answer in answers if answer is not None} <= {expected}
        assert answers[-1] == expected


def test_quick_wins_do_not_settle_anything_while_an_earlier_game_is_still_played():
    assert games_until_settled([None, *["win"] * 50], Stopping(threshold=0.5)) is None


def test_crashes_keep_their_place_and_do_not_count():
    results = ["crash", *["win"] * 8]
    assert games_until_settled(results, Stopping(threshold=0.5)) == 9
    assert games_until_settled(["loss", *["win"] * 8], Stopping(threshold=0.5)) is None


def test_it_is_looked_after_whole_rounds_alone():
    assert games_until_settled(["win"] * 20, Stopping(threshold=0.5, round_games=6)) == 12


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ({"threshold": 1.0}, "threshold must be between 0 and 1, got 1.0"),
        ({"threshold": 0.5, "round_games": 0}, "round_games must be at least 1, got 0"),
    ],
)
def test_rules_that_cannot_be_are_refused(given: dict[str, float], refused: str):
    with pytest.raises(ValueError, match=refused):
        Stopping(**given)


def test_more_wins_than_games_are_refused_at_any_time():
    with pytest.raises(ValueError, match="wins must be between 0 and 4, got 5"):
        anytime_interval(5, 4)
