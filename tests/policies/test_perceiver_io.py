"""Perceiver IO as a general machine, and the arithmetic it saves."""

from dataclasses import replace

import pytest
import torch

from policies.config import PerceiverConfig, TransformerConfig
from policies.entity_encoder import encoder_flops, entity_mixer
from policies.perceiver_io import PerceiverDecoder, PerceiverEncoder, PerceiverIO

CONFIG = PerceiverConfig(latents=4, latent_width=16, layers=2)


def test_inputs_and_queries_of_any_number_and_width_are_answered():
    torch.manual_seed(0)
    perceiver = PerceiverIO(CONFIG, input_width=12, query_width=20)
    output = perceiver(torch.randn(3, 30, 12), None, torch.randn(3, 7, 20))
    assert output.outputs.shape == (3, 7, 20)
    assert output.latents.shape == (3, 4, 16)


def test_one_encoding_serves_any_number_of_decoders():
    torch.manual_seed(0)
    latents = PerceiverEncoder(CONFIG, input_width=12)(torch.randn(3, 30, 12))
    for width in (8, 40):
        decoder = PerceiverDecoder(CONFIG, query_width=width)
        assert decoder(torch.randn(3, 5, width), latents).shape == (3, 5, width)


def test_the_order_of_inputs_does_not_matter_and_answers_follow_their_queries():
    torch.manual_seed(0)
    perceiver = PerceiverIO(CONFIG, input_width=12, query_width=20).double()
    inputs, queries = torch.randn(2, 9, 12).double(), torch.randn(2, 7, 20).double()
    order, turn = torch.randperm(9), torch.randperm(7)
    one = perceiver(inputs, None, queries).outputs
    two = perceiver(inputs[:, order], None, queries[:, turn]).outputs
    torch.testing.assert_close(one[:, turn], two, rtol=0, atol=1e-12)


def test_masked_inputs_are_never_seen():
    torch.manual_seed(0)
    encoder = PerceiverEncoder(CONFIG, input_width=12).double()
    inputs = torch.randn(2, 9, 12).double()
    mask = torch.arange(9) < torch.tensor([[5], [9]])
    shortened = encoder(inputs[:1, :5])
    torch.testing.assert_close(encoder(inputs, mask)[:1], shortened, rtol=0, atol=1e-12)


def test_without_inputs_the_latents_think_of_nothing_but_themselves():
    encoder = PerceiverEncoder(CONFIG, input_width=12)
    nothing = torch.zeros(2, 9, dtype=torch.bool)
    one = encoder(torch.randn(2, 9, 12), nothing)
    two = encoder(torch.randn(2, 9, 12), nothing)
    assert torch.equal(one, two)


def test_the_residual_is_what_passes_by_the_latents():
    queries, latents = torch.randn(2, 5, 8), torch.randn(2, 4, 16)
    for residual, passes in ((True, True), (False, False)):
        torch.manual_seed(0)
        decoder = PerceiverDecoder(replace(CONFIG, query_residual=residual), query_width=8)
        torch.nn.init.zeros_(decoder.writing.output.weight)
        torch.nn.init.zeros_(decoder.perceptron[2].weight)
        torch.nn.init.zeros_(decoder.perceptron[2].bias)
        torch.nn.init.zeros_(decoder.writing.output.bias)
        answers = decoder(queries, latents)
        expected = queries if passes else torch.zeros_like(queries)
        torch.testing.assert_close(answers, expected)


def test_full_size_has_the_papers_parameters_but_the_idle_biases():
    # Weights and biases of the plain form, by hand: 8,192 latents; reading 1,024 norms, 263,168
    # projections, 526,080 normed perceptron; three layers of 789,760; writing 1,024 norms,
    # 263,168 projections, 132,096 normed perceptron. Two times three biases of 256 are left out.
    plain = 8_192 + 1_024 + 263_168 + 526_080 + 3 * 789_760 + 1_024 + 263_168 + 132_096
    perceiver = entity_mixer(PerceiverConfig(), width=256)
    assert sum(parameter.numel() for parameter in perceiver.parameters()) == plain - 6 * 256


def test_the_transformer_counts_what_arithmetic_says():
    # Per layer: 4 projections of 256 x 256 and a perceptron of 2 x 256 x 1,024 for each of 512
    # units, and 2 products of 512 x 512 x 256; a multiplication and an addition each.
    by_hand = 3 * 2 * (512 * (4 * 256**2 + 2 * 256 * 1024) + 2 * 512**2 * 256)
    assert encoder_flops(TransformerConfig(), 512) == by_hand


def test_the_perceiver_costs_at_most_a_fifth_of_the_transformer():
    ratio = encoder_flops(PerceiverConfig(), 512) / encoder_flops(TransformerConfig(), 512)
    assert ratio <= 0.22


@pytest.mark.parametrize("entities", [128, 1024])
def test_each_further_unit_costs_the_perceiver_the_same(entities):
    def cost(number: int) -> int:
        return encoder_flops(PerceiverConfig(), number)

    # Reading and writing, 2 x 2 x 64 x 256, and the unit's own perceptron, 2 x 256 x 256.
    per_unit = 2 * (4 * 64 * 256 + 2 * 256**2)
    assert cost(entities + 1) - cost(entities) == per_unit
