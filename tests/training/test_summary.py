"""Summaries of scores, by hand."""

import numpy as np
import pytest

from training.baselines import Predictions
from training.measurement import CommandScores
from training.summary import Scored, phase_of, summary

NAN = float("nan")
LOOPS_A_MINUTE = 22.4 * 60


def scored(**columns: list[float]) -> Scored:
    """Four commands: two games, two races, in minutes 1, 5, 9 and 9."""
    plain = {name: np.array([NAN] * 4) for name in CommandScores._fields}
    plain |= {
        "game": np.array([0, 0, 1, 1]),
        "step": np.array([0, 1, 0, 1]),
        "loop": (np.array([1, 5, 9, 9]) * LOOPS_A_MINUTE).astype(int),
        "action_type_top1": np.array([1.0, 0.0, 1.0, 1.0]),
        "action_type_nll": np.array([1.0, 2.0, 3.0, 2.0]),
    }
    plain |= {name: np.array(values) for name, values in columns.items()}
    return Scored(
        policy=CommandScores(**plain),
        baselines={
            "trigram": Predictions(np.array([False, False, True, True]), np.full(4, 3.0)),
        },
        game_of_command=np.array([0, 0, 1, 1]),
        race=np.array(["terran", "terran", "zerg", "zerg"]),
    )


def result(**columns: list[float]):
    return summary(scored(**columns), num_bootstraps=200, seed=0)


def test_means_are_over_all_commands():
    found = result()
    assert found["commands"] == 4
    assert found["action_type"]["top1"] == 0.75
    assert found["action_type"]["nll"] == 2.0
    assert found["baseline"]["trigram"] == {"top1": 0.5, "nll": 3.0}


def test_commands_without_the_argument_are_left_out_of_its_mean():
    found = result(selected_units_iou=[0.5, NAN, 1.0, NAN])
    assert found["selected_units"]["iou"] == 0.75
    assert found["target_unit"]["top1"] is None


def test_places_are_near_within_three_units():
    found = result(target_location_distance=[1.0, 3.0, 8.0, NAN])
    assert found["target_location"]["median_units"] == 3.0
    assert found["target_location"]["within_3"] == pytest.approx(2 / 3)


def test_races_and_phases_have_numbers_of_their_own():
    found = result()
    assert found["by_race"]["terran"]["action_type"]["top1"] == 0.5
    assert found["by_race"]["zerg"]["action_type"]["top1"] == 1.0
    assert [found["by_phase"][p]["commands"] for p in ("0-4", "4-8", "8+")] == [1, 1, 2]


def test_phases_begin_at_four_and_eight_minutes():
    loops = np.array([0, 3.99, 4.01, 7.99, 8.01, 60]) * LOOPS_A_MINUTE
    assert phase_of(loops.astype(np.int64)).tolist() == [0, 0, 1, 1, 2, 2]


def test_intervals_come_from_games_not_commands():
    # A draw of two games has one of three outcomes: both the first, both the second, or each.
    low, high = result()["intervals"]["action_type"]["top1"]
    assert (low, high) == (0.5, 1.0)


def test_the_lead_over_trigrams_is_paired():
    # By game: (3+3-1-2)/2 = 1.5 and (3+3-3-2)/2 = 0.5 nats.
    assert result()["intervals"]["better_than_trigram"]["nll"] == [0.5, 1.5]
