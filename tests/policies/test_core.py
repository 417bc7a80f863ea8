"""Memory over time, against a step-by-step version."""

import torch
from torch.nn import functional as F

from policies.config import LstmConfig
from policies.core import CoreState, LstmCore, ResidualBlock


def test_the_lstm_does_what_its_formulas_say():
    torch.manual_seed(0)
    core = LstmCore(LstmConfig(layers=1, width=4), input_width=3)
    inputs = torch.randn(3, 2, 3)
    is_first = torch.zeros(3, 2, dtype=torch.bool)
    state = CoreState(torch.randn(1, 2, 4), torch.randn(1, 2, 4))
    layer = core.layers[0]
    hidden, cell, expected = state.hidden[0], state.cell[0], []
    for step in inputs:
        below = F.layer_norm(
            F.linear(step, layer.input.weight),
            (16,),
            layer.input_norm.weight,
            layer.input_norm.bias,
        )
        before = F.layer_norm(F.linear(hidden, layer.recurrent.weight), (16,))
        i, f, o, g = (below + before).split(4, -1)
        cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
        hidden = torch.sigmoid(o) * torch.tanh(F.layer_norm(cell, (4,)))
        expected.append(hidden)
    output = core(inputs, state, is_first)
    torch.testing.assert_close(output.lstm_output, torch.stack(expected))
    torch.testing.assert_close(output.state.hidden[0], hidden)
    torch.testing.assert_close(output.state.cell[0], cell)


def test_a_game_that_begins_forgets_the_one_before_in_its_own_row_alone():
    torch.manual_seed(0)
    core = LstmCore(LstmConfig(layers=2, width=4), input_width=3)
    inputs = torch.randn(1, 2, 3)
    state = CoreState(torch.randn(2, 2, 4), torch.randn(2, 2, 4))
    output = core(inputs, state, torch.tensor([[True, False]])).lstm_output[0]
    nobody, fresh = torch.tensor([[False, False]]), core.initial_state(2)
    torch.testing.assert_close(output[0], core(inputs, fresh, nobody).lstm_output[0, 0])
    torch.testing.assert_close(output[1], core(inputs, state, nobody).lstm_output[0, 1])


def test_residual_blocks_begin_as_the_identity_nearly():
    torch.manual_seed(0)
    inputs = torch.randn(50, 32)
    assert (ResidualBlock(32)(inputs) - inputs).abs().max() < 0.2
