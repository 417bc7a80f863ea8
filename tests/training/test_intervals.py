"""Intervals against figures of the literature and the laws they obey."""

import pytest

from training.intervals import mean_interval, wilson_interval


def test_eight_of_ten_is_the_textbooks_example():
    assert wilson_interval(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)


def test_nothing_of_ten_still_leaves_room():
    assert wilson_interval(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)


def test_wins_and_losses_mirror_each_other():
    low, high = wilson_interval(95, 100)
    assert wilson_interval(5, 100) == pytest.approx((1 - high, 1 - low))


def test_nothing_tried_says_nothing():
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_more_wins_than_games_are_refused():
    with pytest.raises(ValueError, match="between 0 and 4, got 5"):
        wilson_interval(5, 4)


def test_a_means_interval_is_two_standard_errors_to_either_side():
    values = [0.0, 1.0] * 200  # deviation 0.5, standard error 0.025
    assert mean_interval(values) == pytest.approx((0.5 - 0.049, 0.5 + 0.049), abs=0.004)


def test_values_that_are_all_the_same_leave_no_doubt_about_their_mean():
    assert mean_interval([3.0] * 5) == (3.0, 3.0)


def test_the_mean_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        mean_interval([])
