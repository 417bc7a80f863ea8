"""Baselines against counts that a reader can make by hand."""

import numpy as np
import pytest

from envs.interface import NUM_ACTION_TYPES
from training.baselines import START, discounted, fit_baselines, predict

A, B, C = 1, 2, 3


def commands(*action_types: int) -> np.ndarray:
    return np.array(action_types, np.int64)


def fitted():
    """Fitted on A B A B A: A follows B, B follows A, and A comes first."""
    return fit_baselines([commands(A, B, A, B, A)], [commands(A, B, A, B, A)])


def test_the_most_frequent_is_right_where_it_stands():
    assert predict(fitted(), commands(A, B, B, A))["most_frequent"].is_top1.tolist() == [
        *[True, False, False, True]
    ]


def test_frequencies_are_counts_with_a_little_added():
    total = 5 + 0.1 * NUM_ACTION_TYPES
    expected = -np.log([3.1 / total, 2.1 / total, 0.1 / total])
    np.testing.assert_allclose(predict(fitted(), commands(A, B, C))["most_frequent"].nll, expected)


def test_repeating_the_last_starts_with_the_most_frequent():
    found = predict(fitted(), commands(A, A, B, B, C))["repeat_last"]
    assert found.is_top1.tolist() == [True, True, False, True, False]


def test_bigrams_know_what_follows_what():
    found = predict(fitted(), commands(A, B, A, A))["bigram"]
    assert found.is_top1.tolist() == [True, True, True, False]


def test_trigrams_tell_apart_what_bigrams_cannot():
    game = commands(A, B, B, A, B, B, A, B, B)
    baselines = fit_baselines([game], [game])
    of_trigrams = predict(baselines, game)["trigram"].is_top1
    assert of_trigrams.all()
    assert not predict(baselines, game)["bigram"].is_top1.all()


def test_a_context_never_seen_falls_back():
    found = predict(fitted(), commands(C, C, C))
    np.testing.assert_allclose(found["trigram"].nll[2], found["most_frequent"].nll[2])


def test_discounting_by_hand():
    counts = np.array([[3.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    fallback = np.array([[0.2, 0.3, 0.5]])
    # Half a count from each of two goes to the fallback: one of four.
    first = [2.5 / 4 + 0.25 * 0.2, 0.5 / 4 + 0.25 * 0.3, 0.25 * 0.5]
    np.testing.assert_allclose(discounted(counts, fallback, 0.5), [first, fallback[0]])


@pytest.mark.parametrize("table", ["most_frequent", "repeat_last", "bigram", "trigram"])
def test_every_distribution_sums_to_one_and_forbids_nothing(table: str):
    probabilities = getattr(fitted(), table)
    np.testing.assert_allclose(probabilities.sum(1), 1)
    assert (probabilities > 0).all()


def test_a_game_begins_after_the_start_symbol():
    baselines = fit_baselines([commands(B, A), commands(B, A)], [commands(B, A)])
    assert baselines.bigram[START].argmax() == B
