"""Choices among classes of which some are forbidden."""

import math

import pytest
import torch

from policies.distributions import (
    MINIMUM,
    Sampling,
    draw,
    entropy,
    is_legal,
    kl_divergence,
    log_probability,
    log_softmax,
    mask_logits,
)

HALVES = torch.tensor([0.0, 0.0, 5.0])  # the third is forbidden below
MASK = torch.tensor([True, True, False])


def drawn(logits: torch.Tensor, *, temperature: float = 1.0, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return draw(logits, sampling=Sampling.DRAW, temperature=temperature, generator=generator)


def test_forbidden_classes_have_no_probability():
    probabilities = log_softmax(mask_logits(HALVES, MASK)).exp()
    torch.testing.assert_close(probabilities, torch.tensor([0.5, 0.5, 0.0]))


def test_log_probability_of_a_fair_coin_is_log_half():
    found = log_probability(mask_logits(HALVES, MASK), torch.tensor(1))
    assert found.item() == pytest.approx(-math.log(2))


def test_entropy_counts_allowed_classes_only():
    assert entropy(mask_logits(HALVES, MASK)).item() == pytest.approx(math.log(2))


def test_divergence_from_itself_is_zero_and_from_another_is_by_hand():
    certain = torch.tensor([0.0, MINIMUM, MINIMUM])
    fair = mask_logits(HALVES, MASK)
    assert kl_divergence(fair, fair).item() == 0
    assert kl_divergence(certain, fair).item() == pytest.approx(math.log(2))


def test_forbidden_classes_are_never_drawn():
    logits = mask_logits(torch.randn(20_000, 3) * 5, MASK)
    assert (drawn(logits) != 2).all()
    assert (drawn(logits, temperature=100.0) != 2).all()


def test_draws_follow_the_distribution():
    logits = torch.tensor([0.1, 0.2, 0.7]).log().expand(40_000, 3)
    found = drawn(logits).bincount() / 40_000
    torch.testing.assert_close(found, torch.tensor([0.1, 0.2, 0.7]), atol=0.01, rtol=0)


def test_low_temperature_draws_the_likeliest():
    logits = torch.tensor([0.0, 1.0, 0.5]).expand(100, 3)
    assert (drawn(logits, temperature=1e-3) == 1).all()


def test_greedy_takes_the_likeliest_allowed():
    choice = draw(
        mask_logits(torch.tensor([1.0, 2.0, 9.0]), MASK),
        sampling=Sampling.GREEDY,
        temperature=1.0,
        generator=torch.Generator(),
    )
    assert choice.item() == 1


def test_equal_generators_draw_equally():
    logits = torch.randn(50, 7)
    assert torch.equal(drawn(logits, seed=3), drawn(logits, seed=3))


def test_where_nothing_is_allowed_all_measures_are_zero_and_gradients_finite():
    raw = torch.randn(2, 3, requires_grad=True)
    nothing = mask_logits(raw, torch.zeros(2, 3, dtype=torch.bool))
    measures = torch.stack(
        [
            log_probability(nothing, torch.tensor([0, 2])),
            entropy(nothing),
            kl_divergence(nothing, nothing),
        ]
    )
    assert (measures == 0).all()
    measures.sum().backward()
    assert raw.grad is not None
    assert (raw.grad == 0).all()


def test_gradients_of_masked_measures_are_finite():
    raw = torch.randn(4, 3, requires_grad=True)
    masked = mask_logits(raw, MASK)
    (entropy(masked) + kl_divergence(masked.detach() * 2, masked)).sum().backward()
    assert raw.grad is not None
    assert raw.grad.isfinite().all()
    assert (raw.grad[:, 2] == 0).all()


def test_a_label_is_legal_if_it_is_a_class_and_allowed():
    logits = mask_logits(HALVES, MASK).expand(4, 3)
    labels = torch.tensor([0, 2, -1, 3])
    assert is_legal(logits, labels).tolist() == [True, False, False, False]
