"""Scores of many commands in few numbers, with intervals that know games from commands."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.interface import LOOPS_PER_SECOND
from training.baselines import Predictions
from training.measurement import CommandScores

Values = NDArray[np.float64]

PHASES = ("0-4", "4-8", "8+")
"""Minutes of the game, at speed Faster."""

CLOSE_UNITS = 3.0

_PHASE_STARTS = (4.0, 8.0)
_INTERVAL = (2.5, 97.5)  # per cent


class Scored(NamedTuple):
    """All that was measured, command by command in the same order."""

    policy: CommandScores
    baselines: Mapping[str, Predictions]
    game_of_command: NDArray[np.int64]  # both players' views of a game are one
    race: NDArray[np.str_]


def summary(scored: Scored, *, num_bootstraps: int, seed: int) -> dict[str, Any]:
    """Return means and medians by head: overall, by race and by phase; intervals overall."""
    columns = _columns(scored)
    phases = phase_of(scored.policy.loop)
    return {
        **_of_commands(columns, np.ones(len(phases), bool)),
        "intervals": _intervals(
            columns, scored.game_of_command, num_bootstraps=num_bootstraps, seed=seed
        ),
        "by_race": {
            str(race): _of_commands(columns, scored.race == race) for race in np.unique(scored.race)
        },
        "by_phase": {
            name: _of_commands(columns, phases == i)
            for i, name in enumerate(PHASES)
            if (phases == i).any()
        },
    }


def phase_of(loop: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the index into ``PHASES`` of each loop."""
    return np.digitize(loop / (60 * LOOPS_PER_SECOND), _PHASE_STARTS)


class _Column(NamedTuple):
    values: Values
    of: Callable[[Values], float]


def _columns(scored: Scored) -> dict[tuple[str, ...], _Column]:
    """Return what is summarised, by its place in the nested result."""
    policy = scored.policy
    is_close = np.where(
        np.isnan(policy.target_location_distance),
        np.nan,
        policy.target_location_distance <= CLOSE_UNITS,
    )
    columns: dict[tuple[str, ...], _Column] = {
        ("action_type", "top1"): _Column(policy.action_type_top1, _mean),
        ("action_type", "top5"): _Column(policy.action_type_top5, _mean),
        ("action_type", "nll"): _Column(policy.action_type_nll, _mean),
        ("action_type", "forbidden"): _Column(policy.is_forbidden, _mean),
        ("delay", "nll"): _Column(policy.delay_nll, _mean),
        ("delay", "median_abs"): _Column(policy.delay_error, _median),
        ("queued", "top1"): _Column(policy.queued_top1, _mean),
        ("selected_units", "iou"): _Column(policy.selected_units_iou, _mean),
        ("selected_units", "exact"): _Column(policy.selected_units_exact, _mean),
        ("selected_units", "shown"): _Column(policy.selected_units_shown, _mean),
        ("target_unit", "top1"): _Column(policy.target_unit_top1, _mean),
        ("target_unit", "shown"): _Column(policy.target_unit_shown, _mean),
        ("target_location", "median_units"): _Column(policy.target_location_distance, _median),
        ("target_location", "within_3"): _Column(is_close, _mean),
    }
    for name, predictions in scored.baselines.items():
        columns["baseline", name, "top1"] = _Column(predictions.is_top1.astype(float), _mean)
        columns["baseline", name, "nll"] = _Column(predictions.nll, _mean)
    return columns


def _of_commands(
    columns: Mapping[tuple[str, ...], _Column], chosen: NDArray[np.bool_]
) -> dict[str, Any]:
    result: dict[str, Any] = {"commands": int(chosen.sum())}
    for path, column in columns.items():
        values = column.values[chosen]
        values = values[~np.isnan(values)]
        _put(result, path, column.of(values) if len(values) else None)
    return result


def _intervals(
    columns: Mapping[tuple[str, ...], _Column],
    game: NDArray[np.int64],
    *,
    num_bootstraps: int,
    seed: int,
) -> dict[str, Any]:
    """Return 95 % intervals of the means, by drawing games anew (Efron 1979).

    Commands of one game resemble each other, so games are drawn, not commands.
    """
    means = {path: column.values for path, column in columns.items() if column.of is _mean}
    policy = columns["action_type", "nll"].values, columns["action_type", "top1"].values
    if ("baseline", "trigram", "nll") in columns:
        nll, top1 = (columns["baseline", "trigram", name].values for name in ("nll", "top1"))
        means["better_than_trigram", "nll"] = nll - policy[0]
        means["better_than_trigram", "top1"] = policy[1] - top1
    num_games = int(game.max()) + 1
    generator = np.random.default_rng(seed)
    draws = generator.multinomial(num_games, np.full(num_games, 1 / num_games), num_bootstraps)
    result: dict[str, Any] = {}
    for path, values in means.items():
        known = ~np.isnan(values)
        sums = np.bincount(game[known], values[known], minlength=num_games)
        counts = np.bincount(game[known], minlength=num_games)
        totals = draws @ counts
        drawn = (draws @ sums)[totals > 0] / totals[totals > 0]
        _put(
            result,
            path,
            [float(q) for q in np.percentile(drawn, _INTERVAL)] if len(drawn) else None,
        )
    return result


def _mean(values: Values) -> float:
    return float(values.mean())


def _median(values: Values) -> float:
    return float(np.median(values))


def _put(tree: dict[str, Any], path: tuple[str, ...], value: object) -> None:
    for name in path[:-1]:
        tree = tree.setdefault(name, {})
    tree[path[-1]] = value
