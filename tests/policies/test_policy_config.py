"""Sizes that fit together, and configurations that come back as they were written."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from envs.interface import Knowledge
from policies.config import (
    PRESETS,
    FeedForwardConfig,
    HeadsConfig,
    LstmConfig,
    PerceiverConfig,
    PolicyConfig,
    SpatialConfig,
    TransformerConfig,
    preset,
)
from policies.config_dict import config_from_dict, config_to_dict


def test_full_has_the_sizes_of_the_nature_supplement():
    full = preset("full")
    assert full.entity_width == 256
    assert full.entity_encoder == PerceiverConfig(latents=32, layers=3, latent_width=256, heads=2)
    assert TransformerConfig() == TransformerConfig(
        layers=3, heads=2, head_width=128, mlp_width=1024
    )
    assert (full.plane_size, full.spatial.smallest_size) == (128, 16)
    assert full.spatial.down_channels == (64, 128, 128)
    assert full.core == LstmConfig(layers=3, width=384)
    assert full.heads.action_type_blocks == 16
    assert full.heads.autoregressive_width == 1024
    assert full.location_size == 256


@pytest.mark.parametrize("name", PRESETS)
def test_presets_come_back_from_json(name):
    config = replace(preset(name), knowledge=Knowledge.EVENTS)
    text = json.dumps(config_to_dict(config))
    assert config_from_dict(PolicyConfig, json.loads(text)) == config


@pytest.mark.parametrize("core", [LstmConfig(width=8), FeedForwardConfig(width=8)])
@pytest.mark.parametrize("encoder", [PerceiverConfig(latents=4), TransformerConfig(layers=1)])
def test_alternatives_come_back_as_the_type_they_were(encoder, core):
    config = PolicyConfig(entity_encoder=encoder, core=core)
    assert config_from_dict(PolicyConfig, config_to_dict(config)) == config


def test_an_unknown_preset_is_refused_by_naming_those_there_are():
    with pytest.raises(ValueError, match="tiny, small, full, got 'nonsense'"):
        preset("nonsense")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"widht": 3}, "PolicyConfig has no setting 'widht'"),
        ({"heads": {"speed": 1}}, "heads has no setting 'speed'"),
        ({"entity_width": "wide"}, "entity_width must be int, got 'wide'"),
        ({"entity_width": True}, "entity_width must be int, got True"),
        ({"entity_width": 8.0}, "entity_width must be int, got 8.0"),
        ({"entity_width": 0}, "entity_width must be at least 1, got 0"),
        ({"knowledge": "psychic"}, "knowledge must be one of 'events', 'game', got 'psychic'"),
        ({"core": {"type": "Elephant"}}, "core.type must be one of LstmConfig, FeedForwardConfig"),
        ({"core": {"width": 8}}, "core.type must be one of"),
        ({"core": {"type": "LstmConfig", "blocks": 1}}, "core has no setting 'blocks'"),
        ({"spatial": 3}, "spatial must be SpatialConfig, got 3"),
        ({"spatial": {"down_channels": [1, "2"]}}, r"spatial.down_channels\[1\] must be int"),
        ({"heads": {"location_size": 100}}, "location_size must divide the world's 256, got 100"),
        ([], "PolicyConfig must be a table of settings"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(values, message):
    with pytest.raises(ValueError, match=message):
        config_from_dict(PolicyConfig, values)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: SpatialConfig(plane_size=100), "plane_size must halve 3 times, got 100"),
        (lambda: PerceiverConfig(latent_width=30, heads=4), "latent_width must be a multiple of 4"),
        (
            lambda: PolicyConfig(heads=HeadsConfig(location_size=64)),
            "location_size must be a multiple of 128",
        ),
        (
            lambda: PolicyConfig(heads=HeadsConfig(autoregressive_width=300)),
            "autoregressive_width must be a multiple of 256",
        ),
        (
            lambda: PolicyConfig(entity_width=31),
            "entity_width must be a multiple of 2, got 31",
        ),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()


@dataclass(frozen=True, kw_only=True)
class Journey:
    """A tree with what training's configurations have besides."""

    to: Path
    pace: float = 1.0
    stops: int | None = None
    legs: tuple[int, str] = (1, "a")


def test_paths_floats_and_nothing_are_read_back():
    journey = Journey(to=Path("a/b"), pace=2.5, stops=3, legs=(2, "b"))
    assert config_from_dict(Journey, json.loads(json.dumps(config_to_dict(journey)))) == journey
    assert config_from_dict(Journey, {"to": "x", "pace": 2}) == Journey(to=Path("x"), pace=2.0)


def test_a_missing_setting_without_default_is_refused():
    with pytest.raises(ValueError, match=r"Journey: .*'to'"):
        config_from_dict(Journey, {})
