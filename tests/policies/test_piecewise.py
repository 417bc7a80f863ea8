"""Numbers read piece by piece, against pieces filled by hand."""

import torch

from envs.interface import SCALAR_FEATURES, UNKNOWN, Encoding, ScalarFeature
from policies.piecewise import EVEN_PIECES, GROWING_PIECES, PiecewiseEmbedding, pieces

NUM_PIECES = EVEN_PIECES + GROWING_PIECES
MINERALS = {ScalarFeature.MINERALS: SCALAR_FEATURES[ScalarFeature.MINERALS]}


def embedding_of(minerals: int) -> tuple[torch.Tensor, PiecewiseEmbedding]:
    module = PiecewiseEmbedding(MINERALS, width=4)
    scalars = torch.zeros(1, len(ScalarFeature), dtype=torch.int32)
    scalars[0, ScalarFeature.MINERALS] = minerals
    return module(scalars)[0], module


def test_pieces_are_of_a_price_unit_and_then_grow_to_the_largest():
    edges = pieces(25, 10_000)
    assert edges[: EVEN_PIECES + 1].tolist() == [25.0 * i for i in range(EVEN_PIECES + 1)]
    torch.testing.assert_close(edges[-1].item(), 10_000.0)
    grown = edges[EVEN_PIECES:].diff()
    assert (grown.diff() > 0).all()
    assert len(edges) == NUM_PIECES + 1


def test_every_number_of_the_interface_has_pieces_in_order():
    for feature in SCALAR_FEATURES.values():
        unit = {Encoding.RATIO: 1, Encoding.LOGARITHM: 25}.get(feature.encoding)
        if unit is not None:
            assert (pieces(unit, feature.size).diff() > 0).all()


def test_a_number_fills_the_pieces_below_it_and_a_share_of_its_own():
    found, module = embedding_of(60)  # two of 25, and 10 of 25
    weights = module.weights
    expected = (weights[0] + weights[1] + 0.4 * weights[2]) / NUM_PIECES**0.5
    torch.testing.assert_close(found, expected)


def test_nothing_unknown_and_too_much_are_nothing_nothing_and_all():
    torch.testing.assert_close(embedding_of(0)[0], torch.zeros(4))
    torch.testing.assert_close(embedding_of(UNKNOWN)[0], torch.zeros(4))
    found, module = embedding_of(1_000_000)
    torch.testing.assert_close(found, module.weights.sum(0) / NUM_PIECES**0.5)
