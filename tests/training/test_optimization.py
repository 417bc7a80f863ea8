"""The schedule and the update, by hand."""

import pytest
import torch
from torch import nn

from training.config import OptimizerConfig
from training.optimization import (
    NonFiniteError,
    PolicyOptimizer,
    learning_rate,
)

CONFIG = OptimizerConfig(learning_rate=1.0, warm_up_updates=4, final_share=0.1)


@pytest.mark.parametrize(("num_updates", "expected"), [(0, 0.25), (1, 0.5), (3, 1.0), (9, 1.0)])
def test_warm_up_is_linear(num_updates: int, expected: float):
    assert learning_rate(CONFIG, num_updates=num_updates, progress=0.0) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("progress", "expected"), [(0.0, 1.0), (0.5, 0.55), (1.0, 0.1), (1.2, 0.1)]
)
def test_a_cosine_falls_to_the_floor(progress: float, expected: float):
    rate = learning_rate(CONFIG, num_updates=100, progress=progress)
    assert rate == pytest.approx(expected)


def test_gradients_are_clipped_over_all_weights_together():
    layer = nn.Linear(1, 1)
    for parameter, gradient in zip(layer.parameters(), (3.0, 4.0), strict=True):
        parameter.grad = torch.full_like(parameter, gradient)
    config = OptimizerConfig(max_gradient_norm=1.0)
    norm = PolicyOptimizer(layer, config).step(0.1)
    assert norm == pytest.approx(5.0)
    assert layer.weight.grad.item() == pytest.approx(0.6)


def test_a_gradient_that_overflows_is_refused():
    layer = nn.Linear(1, 1)
    before = layer.weight.item()
    for parameter in layer.parameters():
        parameter.grad = torch.full_like(parameter, torch.inf)
    config = OptimizerConfig()
    with pytest.raises(NonFiniteError, match="weight"):
        PolicyOptimizer(layer, config).step(0.1)
    assert layer.weight.item() == before


class Mixed(nn.Module):
    """One of each kind of weight."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 4)
        self.convolution = nn.Conv2d(2, 3, 2)
        self.enlargement = nn.ConvTranspose2d(2, 3, 2)
        self.lstm = nn.LSTM(3, 4)
        self.embedding = nn.Embedding(5, 3)
        self.norm = nn.LayerNorm(4)


MATRICES = {"linear.weight", "convolution.weight", "lstm.weight_ih_l0", "lstm.weight_hh_l0"}


def make_mixed() -> tuple[Mixed, PolicyOptimizer]:
    mixed = Mixed()
    for parameter in mixed.parameters():
        parameter.grad = torch.ones_like(parameter)
    return mixed, PolicyOptimizer(mixed, OptimizerConfig())


def test_matrices_between_layers_are_muons_and_all_else_is_adams():
    mixed, optimizer = make_mixed()
    optimizer.step(1e-3)
    names = {name for name, _ in mixed.named_parameters()}
    kept = optimizer.tensors()
    assert {n.partition("/")[2] for n in kept if n.startswith("momentum/")} == MATRICES
    assert {n.partition("/")[2] for n in kept if n.startswith("exp_avg/")} == names - MATRICES


def test_the_rate_given_is_that_of_every_weight():
    mixed, optimizer = make_mixed()
    before = {name: p.detach().clone() for name, p in mixed.named_parameters()}
    optimizer.step(0.0)
    for name, parameter in mixed.named_parameters():
        assert torch.equal(parameter, before[name]), name
    optimizer.step(1e-3)
    for name, parameter in mixed.named_parameters():
        assert not torch.equal(parameter, before[name]), name
