"""What can be said about the next command from the ones before it, without seeing the game.

Four predictors of the action type, fitted by counting: the most frequent, the last again, and
bigrams and trigrams with interpolated absolute discounting (Ney, Essen and Kneser 1994), whose
discounts are tuned on validation games. A policy that does not beat them has learned little.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.interface import NUM_ACTION_TYPES

Commands = NDArray[np.int64]
"""The action types of one player's game, in order."""

Probabilities = NDArray[np.float64]
"""contexts, action types"""

START = NUM_ACTION_TYPES
"""Stands before a game's first command."""

_NUM_SYMBOLS = NUM_ACTION_TYPES + 1
_ADDED_COUNT = 0.1  # to each action type's own, so that none is impossible
_SHARES = np.linspace(0.05, 0.95, 19)  # tried for what is tuned


class Predictions(NamedTuple):
    """How well each command of a game was predicted."""

    is_top1: NDArray[np.bool_]
    nll: NDArray[np.float64]  # nats


class Baselines(NamedTuple):
    """Fitted predictors."""

    most_frequent: Probabilities  # one context
    repeat_last: Probabilities  # context: the command before
    bigram: Probabilities  # the same
    trigram_contexts: NDArray[np.int64]  # codes of the two before, ascending: those seen
    trigram: Probabilities


def fit_baselines(training: Sequence[Commands], validation: Sequence[Commands]) -> Baselines:
    """Count in the training games, and tune on the validation games."""
    counts = np.bincount(np.concatenate(training), minlength=NUM_ACTION_TYPES) + _ADDED_COUNT
    most_frequent = (counts / counts.sum())[None]
    last = np.concatenate([_contexts(commands)[0] for commands in validation])
    labels = np.concatenate(validation)

    repeat_last = _tuned(
        lambda share: _repeating(most_frequent, share), lambda table: table[last, labels]
    )
    counts_after_one = np.zeros((_NUM_SYMBOLS, NUM_ACTION_TYPES))
    for commands in training:
        np.add.at(counts_after_one, (_contexts(commands)[0], commands), 1)
    bigram = _tuned(
        lambda discount: discounted(counts_after_one, most_frequent, discount),
        lambda table: table[last, labels],
    )

    seen, counts_after_two = _trigram_counts(training)
    before = bigram[seen % _NUM_SYMBOLS]
    codes = np.concatenate([_contexts(commands)[1] for commands in validation])
    rows, is_seen = _look_up(seen, codes)
    trigram = _tuned(
        lambda discount: discounted(counts_after_two, before, discount),
        lambda table: np.where(is_seen, table[rows, labels], bigram[last, labels]),
    )
    return Baselines(most_frequent, repeat_last, bigram, seen, trigram)


def predict(baselines: Baselines, commands: Commands) -> dict[str, Predictions]:
    """Return how each baseline predicts the commands of one game."""
    last, codes = _contexts(commands)
    rows, is_seen = _look_up(baselines.trigram_contexts, codes)
    bigram = baselines.bigram[last]
    tables = {
        "most_frequent": np.broadcast_to(baselines.most_frequent, bigram.shape),
        "repeat_last": baselines.repeat_last[last],
        "bigram": bigram,
        "trigram": np.where(is_seen[:, None], baselines.trigram[rows], bigram),
    }
    each = np.arange(len(commands))
    predictions = {
        name: Predictions(table.argmax(1) == commands, -np.log(table[each, commands]))
        for name, table in tables.items()
    }
    repeated = np.where(last == START, baselines.most_frequent[0].argmax(), last)
    repeat_last = predictions["repeat_last"]._replace(is_top1=repeated == commands)
    return predictions | {"repeat_last": repeat_last}


def discounted(counts: Probabilities, fallback: Probabilities, discount: float) -> Probabilities:
    """Return distributions in which each count gives up ``discount`` to a broader distribution.

    p(a | c) = max(n(c, a) - d, 0) / n(c) + d N(c) / n(c) p'(a), with N(c) the number of
    different action types seen after c; where c was never seen, p'.
    """
    totals = counts.sum(1, keepdims=True)
    given_up = discount * (counts > 0).sum(1, keepdims=True)
    mixed = (np.maximum(counts - discount, 0) + given_up * fallback) / np.maximum(totals, 1)
    return np.where(totals > 0, mixed, fallback)


def _repeating(most_frequent: Probabilities, share: float) -> Probabilities:
    """Return the command before with probability ``share``, else any by its frequency."""
    table = np.repeat(most_frequent, _NUM_SYMBOLS, axis=0)
    table[:START] *= 1 - share
    table[:START] += share * np.eye(NUM_ACTION_TYPES)
    return table


def _trigram_counts(training: Sequence[Commands]) -> tuple[NDArray[np.int64], Probabilities]:
    codes = np.concatenate([_contexts(commands)[1] for commands in training])
    seen, rows = np.unique(codes, return_inverse=True)
    counts = np.zeros((len(seen), NUM_ACTION_TYPES))
    np.add.at(counts, (rows, np.concatenate(training)), 1)
    return seen, counts


def _contexts(commands: Commands) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the command before each, and a code for the two before it."""
    padded = np.concatenate([[START, START], commands])[: len(commands) + 1]
    last, before_last = padded[1:], padded[:-1]
    return last, before_last * _NUM_SYMBOLS + last


def _look_up(
    seen: NDArray[np.int64], codes: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    rows = np.minimum(np.searchsorted(seen, codes), len(seen) - 1)
    return rows, seen[rows] == codes


def _tuned(
    table_of: Callable[[float], Probabilities],
    of_labels: Callable[[Probabilities], NDArray[np.float64]],
) -> Probabilities:
    """Return the table under which the validation commands are likeliest."""

    def nll(share: float) -> float:
        return float(-np.log(of_labels(table_of(share))).sum())

    return table_of(min(map(float, _SHARES), key=nll))
