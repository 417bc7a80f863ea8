"""One vector a unit, and one for all of them."""

import pytest
import torch

from envs.interface import Alliance, EntityFeature, Knowledge, read_table
from policies.entity_encoder import (
    ATTRIBUTES,
    STATES_TOGETHER,
    EntityEncoder,
    unit_attributes,
)
from tests.policies.policy_batches import PERCEIVER, TRANSFORMER, random_batch

ENCODERS = pytest.mark.parametrize("config", [PERCEIVER, TRANSFORMER], ids=["perceiver", "plain"])


def encoder_and_units(config) -> tuple[EntityEncoder, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    observations = random_batch(time=1, batch=3).observations
    encoder = EntityEncoder(config, width=8, knowledge=Knowledge.GAME)
    return encoder, observations.entities[0], observations.entity_mask[0]


@ENCODERS
def test_units_that_do_not_exist_are_embedded_as_zero(config):
    encoder, entities, mask = encoder_and_units(config)
    embeddings = encoder(entities, mask).entity_embeddings
    assert (embeddings[~mask] == 0).all()
    assert (embeddings[mask] != 0).any(-1).all()


@ENCODERS
def test_each_state_is_encoded_as_if_it_were_alone(config):
    torch.manual_seed(0)
    count = STATES_TOGETHER + 9
    observations = random_batch(time=1, batch=count, entities=12).observations
    entities, exists = observations.entities[0], torch.rand(count, 12) < torch.rand(count, 1)
    encoder = EntityEncoder(config, width=8, knowledge=Knowledge.GAME)
    together = encoder(entities, exists)
    for i in range(0, count, 7):
        alone = encoder(entities[i : i + 1, exists[i]], exists[i : i + 1, exists[i]])
        found, expected = together.entity_embeddings[i, exists[i]], alone.entity_embeddings[0]
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
        torch.testing.assert_close(
            together.embedded_entity[i], alone.embedded_entity[0], rtol=0, atol=1e-5
        )
        if config is PERCEIVER:
            torch.testing.assert_close(together.latents[i], alone.latents[0], rtol=0, atol=1e-5)


@ENCODERS
def test_units_see_each_other(config):
    encoder, entities, mask = encoder_and_units(config)
    other = entities.clone()
    other[:, 0, EntityFeature.HEALTH] = 1 + 4 * (entities[:, 0, EntityFeature.HEALTH] < 4)
    one, two = (encoder(units, mask).entity_embeddings for units in (entities, other))
    assert (one[:, 1] - two[:, 1]).abs().max() > 1e-6


@ENCODERS
def test_the_pooled_vector_does_not_shift_with_the_number_of_equal_units(config):
    encoder, entities, _ = encoder_and_units(config)
    alike = entities[:1, :1].expand(1, 6, -1)
    one = encoder(alike[:, :2], torch.ones(1, 2, dtype=torch.bool))
    two = encoder(alike, torch.ones(1, 6, dtype=torch.bool))
    torch.testing.assert_close(one.embedded_entity, two.embedded_entity)


def test_own_units_are_pooled_apart():
    encoder, entities, mask = encoder_and_units(PERCEIVER)
    traitor = entities.clone()
    traitor[:, 0, EntityFeature.ALLIANCE] = Alliance.ALLY
    assert not torch.allclose(
        encoder(entities, mask).embedded_entity, encoder(traitor, mask).embedded_entity
    )


def test_attributes_are_those_of_the_unit_types():
    table = unit_attributes()
    assert table.shape[1] == 13
    by_name = {entry["name"]: int(entry["unit_type"]) for entry in read_table("unit_types.csv")}
    marine = table[by_name["Marine"]]
    known = {name for name, has in zip(ATTRIBUTES, marine, strict=False) if has}
    assert known == {"Light", "Biological"}
    assert marine[-2:].tolist() == [0, 0]
    assert table[by_name["Medivac"], -2] == 1
    assert table[by_name["ZerglingBurrowed"], -1] == 1
    assert (table[0] == 0).all()
