"""The win-loss baseline."""

import math

import pytest
import torch

from policies.config import ValueConfig
from policies.value import WinLossBaseline


@pytest.mark.parametrize(("estimate", "value"), [(0.0, 0.0), (2 / math.pi, 0.5), (1e6, 1.0)])
def test_estimates_are_squashed_between_lost_and_won(estimate, value):
    baseline = WinLossBaseline(ValueConfig(width=4, blocks=1), input_width=3, context_width=2)
    torch.nn.init.zeros_(baseline.output.weight)
    torch.nn.init.constant_(baseline.output.bias, estimate)
    found = baseline(torch.randn(5, 3), torch.randn(5, 2))
    torch.testing.assert_close(found, torch.full((5,), value), rtol=0, atol=1e-5)
