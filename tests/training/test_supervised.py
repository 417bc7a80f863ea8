"""Supervised losses against plain Python and arithmetic by hand."""

import itertools
import math

import pytest
import torch
from torch import Tensor

from envs.interface import MAX_SELECTED, UNKNOWN
from policies.distributions import MINIMUM
from training.losses.supervised import categorical_losses, set_losses


def logits_of(picks: list[list[float]], selected: list[int]) -> Tensor:
    """One row of logits as the policy masks them: what was picked before is forbidden."""
    logits = torch.tensor(picks)
    for pick in range(len(picks)):
        for earlier in selected[:pick]:
            logits[pick, earlier] = MINIMUM
    logits[0, -1] = MINIMUM
    return logits[None]


def slow_set_loss(picks: list[list[float]], selected: list[int]) -> float:
    """The definition, unit by unit: each pick, then the end token."""
    loss = 0.0
    for pick in range(len(selected) + 1):
        is_end = pick == len(selected)
        allowed = [i for i in range(len(picks[0])) if i not in selected[:pick]]
        if pick == 0:
            allowed.remove(len(picks[0]) - 1)
        wanted = [len(picks[0]) - 1] if is_end else selected[pick:]
        total = sum(math.exp(picks[pick][i]) for i in allowed)
        loss -= math.log(sum(math.exp(picks[pick][i]) for i in wanted) / total)
    return loss


def test_a_certain_and_right_choice_costs_nothing():
    logits = torch.tensor([[50.0, 0.0, 0.0]])
    torch.testing.assert_close(categorical_losses(logits, torch.tensor([0])), torch.zeros(1))


def test_knowing_nothing_costs_the_logarithm_of_the_choices():
    logits = torch.tensor([[0.0, 0.0, MINIMUM, 0.0]])
    expected = torch.tensor([math.log(3)])
    torch.testing.assert_close(categorical_losses(logits, torch.tensor([3])), expected)


@pytest.mark.parametrize("selected", [[1], [0, 2], [2, 0, 1], [3, 1, 0, 2]])
def test_a_set_costs_what_the_definition_says(selected: list[int]):
    generator = torch.Generator().manual_seed(len(selected))
    picks = torch.randn(5, 5, generator=generator).tolist()
    loss = set_losses(
        logits_of(picks, selected), torch.tensor([[*selected, *[UNKNOWN] * (4 - len(selected))]])
    )
    torch.testing.assert_close(loss, torch.tensor([slow_set_loss(picks, selected)]))


def test_two_units_of_three_by_hand():
    # First pick: 2 of 3 units are right. Second: 1 of the 2 left and the end. Then the end, of 2.
    loss = set_losses(logits_of([[0.0] * 4] * 3, [0, 2]), torch.tensor([[0, 2]]))
    expected = -math.log(2 / 3) - math.log(1 / 3) - math.log(1 / 2)
    torch.testing.assert_close(loss, torch.tensor([expected]))


def test_under_uniform_probabilities_any_order_costs_the_same():
    losses = [
        set_losses(logits_of([[0.0] * 6] * 4, list(order)), torch.tensor([order])).item()
        for order in itertools.permutations([0, 2, 4])
    ]
    assert max(losses) == pytest.approx(min(losses))


def test_a_policy_that_spreads_over_what_is_left_of_the_set_costs_nothing():
    certain = [[20.0, 20.0, 20.0, 0.0, 0.0]] * 3 + [[0.0, 0.0, 0.0, 0.0, 20.0]]
    loss = set_losses(logits_of(certain, [1, 0, 2]), torch.tensor([[1, 0, 2]]))
    torch.testing.assert_close(loss, torch.zeros(1), atol=1e-6, rtol=0)


def test_padding_of_selections_costs_nothing():
    picks = torch.randn(3, 5, generator=torch.Generator().manual_seed(0)).tolist()
    alone = set_losses(logits_of(picks, [3, 1]), torch.tensor([[3, 1]]))
    after_end = [[MINIMUM] * 5] * 2
    padded = set_losses(
        logits_of(picks + after_end, [3, 1]), torch.tensor([[3, 1, UNKNOWN, UNKNOWN]])
    )
    torch.testing.assert_close(alone, padded)


def test_at_the_limit_the_end_is_not_taught():
    units = MAX_SELECTED + 6
    everyone = list(range(MAX_SELECTED))
    logits = logits_of([[0.0] * (units + 1)] * (MAX_SELECTED + 1), everyone)
    ends = logits.clone()
    ends[0, -1, -1] = 30.0
    selected = torch.tensor([everyone])
    torch.testing.assert_close(set_losses(logits, selected), set_losses(ends, selected))


def test_gradients_are_finite_where_picks_are_padding():
    logits = logits_of([[0.3, -0.2, 0.1]] + [[MINIMUM] * 3] * 2, [])
    logits = logits.requires_grad_()
    set_losses(logits, torch.tensor([[0, UNKNOWN]])).sum().backward()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


def test_no_rows_are_no_loss():
    assert set_losses(torch.zeros(0, 3, 5), torch.zeros(0, 2, dtype=torch.int64)).shape == (0,)
    assert categorical_losses(torch.zeros(0, 3), torch.zeros(0, dtype=torch.int64)).shape == (0,)
