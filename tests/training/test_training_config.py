"""Settings that cannot be are refused; presets and choices make networks."""

import math
from pathlib import Path
from typing import Any

import pytest

from envs.interface import Knowledge
from policies.config import PerceiverConfig, TransformerConfig
from policies.config_dict import config_from_dict, config_to_dict
from training.config import (
    BehaviourCloningConfig,
    EntityEncoder,
    HeadWeights,
    OptimizerConfig,
    ScoreConfig,
)


def config(**changes: Any) -> BehaviourCloningConfig:
    return BehaviourCloningConfig(**({"dataset": Path("data"), "steps": 100} | changes))


def test_a_run_without_an_end_of_its_own_takes_an_hour():
    assert config(steps=None).minutes == 60
    assert config(steps=100).minutes is None
    assert config(steps=None, resume=True).minutes is None  # it has its own


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 0}, "steps must be at least 1, got 0"),
        ({"minutes": 0.0}, "minutes must be positive, got 0"),
        ({"preset": "huge"}, "preset must be one of tiny, small, full, got 'huge'"),
        ({"streams": 0}, "num_streams must be at least 1, got 0"),
        ({"seed": -1}, "seed must be at least 0"),
        (
            {"entity_encoder": EntityEncoder.TRANSFORMER, "query_residual": False},
            "query_residual belongs to the perceiver",
        ),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        config(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"learning_rate": 0.0},
        {"final_share": 2.0},
        {"momentum": 1.0},
        {"betas": (0.9, 1.0)},
        {"epsilon": -1.0},
    ],
)
def test_an_optimizer_that_cannot_be_is_refused(changes: dict[str, Any]):
    with pytest.raises(ValueError, match=next(iter(changes))):
        OptimizerConfig(**changes)


@pytest.mark.parametrize("weight", [-1.0, math.nan, math.inf])
def test_a_head_weight_that_cannot_be_is_refused(weight: float):
    with pytest.raises(ValueError, match="delay must be a finite number of at least 0"):
        HeadWeights(delay=weight)


def test_the_encoder_is_chosen_by_a_word():
    perceiver = config(query_residual=False).policy(Knowledge.EVENTS)
    assert perceiver.knowledge is Knowledge.EVENTS
    assert isinstance(perceiver.entity_encoder, PerceiverConfig)
    assert not perceiver.entity_encoder.query_residual
    transformer = config(preset="full", entity_encoder=EntityEncoder.TRANSFORMER)
    # AlphaStar's: 3 layers of 2 heads of 128, perceptrons of 1024.
    assert transformer.policy(Knowledge.GAME).entity_encoder == TransformerConfig(
        layers=3, heads=2, head_width=128, mlp_width=1024
    )


def test_a_preset_brings_sizes_and_what_is_given_replaces_them():
    assert config().batch.num_streams == 16
    changed = config(streams=4, unroll_steps=7).batch
    assert (changed.num_streams, changed.unroll_steps) == (4, 7)
    assert changed.micro_batch_streams == config().batch.micro_batch_streams


def test_a_configuration_survives_its_file():
    chosen = config(minutes=1.5, entity_encoder=EntityEncoder.TRANSFORMER)
    assert config_from_dict(BehaviourCloningConfig, config_to_dict(chosen)) == chosen
    score = ScoreConfig(run=Path("run"), dataset=Path("data"))
    assert config_from_dict(ScoreConfig, config_to_dict(score)) == score
