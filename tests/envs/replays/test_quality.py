"""Counts and medians of how well a replay was read, by hand."""

import json

import numpy as np
import pytest

from envs.interface import SUBCELLS
from envs.replays.quality import PositionError, Quality, histogram_from, median_of
from envs.timeline import StepFlag


def error_of(*distances: float) -> PositionError:
    """Reports at these distances from what was believed; all straight up from the origin."""
    error = PositionError()
    for distance in distances:
        error.add((0, round(distance * SUBCELLS)), (0, 0), (0, 0))
    return error


def test_a_median_lies_in_the_bin_of_the_middle_report():
    # Bins are eighths: the middle one of 1.0, 5.0 and 9.0 is in the bin from 5 to 5.125.
    assert median_of(error_of(1, 5, 9).reckoned) == pytest.approx(5 + 0.125 / 2)


def test_a_median_of_an_even_number_ends_the_lower_half():
    # Two of four reports fill the first two bins, so half is reached at the end of the second.
    assert median_of(error_of(0, 0.125, 3, 4).reckoned) == pytest.approx(0.25)


def test_a_median_of_nothing_is_none():
    assert median_of(PositionError().reckoned) is None


def test_distances_are_straight():
    error = PositionError()
    error.add((3 * SUBCELLS, 4 * SUBCELLS), (0, 0), (0, 0))
    assert np.flatnonzero(error.reckoned).tolist() == [5 * 8]
    assert np.flatnonzero(error.last_known).tolist() == [0]


def test_the_farthest_distance_has_a_bin():
    error = error_of(10**6)
    assert error.reckoned[-1] == 1


def test_flags_of_commands_are_counted_and_those_of_waiting_are_not():
    quality = Quality()
    clean, mapped = StepFlag.CLEAN, StepFlag.MAPPED
    flags = [StepFlag.SYNTHETIC, clean, mapped, clean | mapped, StepFlag.REPEAT | clean]
    quality.count_flags(np.array(flags, np.int16))
    counts = {name: n for name, n in quality.counts.items() if n}
    assert counts == {"clean": 3, "mapped": 2, "clean_mapped": 1, "repeat": 1}


def test_players_are_added_up():
    quality = Quality()
    for _ in range(2):
        quality.count_flags(np.array([StepFlag.CLEAN], np.int16))
    assert quality.counts["clean"] == 2


def test_a_record_survives_json():
    quality = Quality()
    quality.own_error = error_of(1, 1, 300)
    quality.labels.update([2, 2, 3])
    quality.unmapped["Salvage"] += 1
    record = json.loads(json.dumps(quality.as_record()))
    assert record["labels"] == {"2": 2, "3": 1}
    assert record["unmapped"] == {"Salvage": 1}
    own = record["position_error"]["own_reckoned"]
    assert own == {"8": 2, "2047": 1}
    np.testing.assert_array_equal(histogram_from(own), quality.own_error.reckoned)
