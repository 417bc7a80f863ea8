"""The benchmark of observations: both read the same moment, and its numbers add up."""

import json
from pathlib import Path

import numpy as np
import pytest

from envs.observations import Shown
from training.bench.features import (
    PLANE_SIZE,
    FeaturesBenchConfig,
    FeaturesTime,
    as_record,
    run,
    scene,
    table_lines,
)

# pysc2 and what it brings warn of their own age.
pytestmark = pytest.mark.filterwarnings("ignore")


def test_both_read_all_units_and_a_minimap_of_the_same_size():
    moment = scene(60, FeaturesBenchConfig())
    ours, theirs = moment.read(), moment.read_with_pysc2()
    assert isinstance(ours, Shown)
    assert len(ours.tags) == len(theirs["raw_units"]) == moment.num_units >= 60
    assert ours.observation.map_planes.shape[1:] == (PLANE_SIZE, PLANE_SIZE)
    minimap = np.asarray(theirs["feature_minimap"])
    assert minimap.shape[1:] == (PLANE_SIZE, PLANE_SIZE)
    assert minimap.any()


def test_a_small_run_writes_what_it_measured(tmp_path: Path):
    out = tmp_path / "features.json"
    times = run(FeaturesBenchConfig(units=(30, 60), rounds=2, out=out))
    assert [row.num_units for row in times] == sorted(row.num_units for row in times)
    assert all(row.ours_ms > 0 for row in times)
    assert json.loads(out.read_text()) == as_record(list(times))


def test_the_table_and_the_record_have_the_ratio():
    row = FeaturesTime(num_units=160, ours_ms=0.1, pysc2_ms=2.5)
    assert row.ratio == pytest.approx(25)
    assert table_lines([row])[1].split() == ["160", "0.100", "2.50", "25", "x"]
    assert as_record([row])["features"][0]["ratio"] == pytest.approx(25)


@pytest.mark.parametrize("given", [{"units": ()}, {"units": (0,)}, {"rounds": 0}, {"seed": -1}])
def test_impossible_values_are_refused(given: dict[str, int]):
    with pytest.raises(ValueError, match="must be"):
        FeaturesBenchConfig(**given)
