"""Memory over time: a layer-normed LSTM, or none.

The LSTM is AlphaStar's (Vinyals et al. 2019, supplementary ``detailed-architecture.txt``), with
the norm where DI-star has it: on what enters the gates from below and from before, and on the
cell. Feed-forward is AlphaStar Unplugged's choice (arXiv:2308.03526).
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from policies.config import FeedForwardConfig, LstmConfig


class CoreState(NamedTuple):
    """What the core carries from step to step; without memory there are no layers."""

    hidden: Float[Tensor, "layers batch channels"]
    cell: Float[Tensor, "layers batch channels"]


class CoreOutput(NamedTuple):
    """The core's output at each step, and its state after the last."""

    lstm_output: Float[Tensor, "time batch channels"]
    state: CoreState


class LstmCore(nn.Module):
    """Layers of LSTM; forgets everything where a game begins."""

    def __init__(self, config: LstmConfig, *, input_width: int) -> None:
        super().__init__()
        self.config = config
        widths = (input_width,) + (config.width,) * (config.layers - 1)
        self.layers = nn.ModuleList(_LstmLayer(width, config.width) for width in widths)
        self.bypass = nn.Linear(input_width, config.width) if config.input_residual else None

    def initial_state(self, batch_size: int) -> CoreState:
        """Return the state before a game."""
        anywhere = next(self.parameters())
        zeros = anywhere.new_zeros(self.config.layers, batch_size, self.config.width)
        return CoreState(zeros, zeros)

    def forward(
        self,
        inputs: Float[Tensor, "time batch in_channels"],
        state: CoreState,
        is_first: Bool[Tensor, "time batch"],
    ) -> CoreOutput:
        """Return the outputs of all steps; state is dropped before a step that ``is_first``."""
        outputs, hidden, cell = inputs, [], []
        for i, layer in enumerate(self.layers):
            outputs, last_hidden, last_cell = layer(
                outputs, state.hidden[i], state.cell[i], is_first
            )
            hidden.append(last_hidden)
            cell.append(last_cell)
        if self.bypass is not None:
            outputs = outputs + self.bypass(inputs)
        return CoreOutput(outputs, CoreState(torch.stack(hidden), torch.stack(cell)))


class FeedForwardCore(nn.Module):
    """Residual perceptrons on the present step alone."""

    def __init__(self, config: FeedForwardConfig, *, input_width: int) -> None:
        super().__init__()
        self.config = config
        self.input = nn.Linear(input_width, config.width)
        self.blocks = nn.Sequential(*(ResidualBlock(config.width) for _ in range(config.blocks)))

    def initial_state(self, batch_size: int) -> CoreState:
        """Return the state, which is empty."""
        empty = self.input.weight.new_zeros(0, batch_size, self.config.width)
        return CoreState(empty, empty)

    def forward(
        self,
        inputs: Float[Tensor, "time batch in_channels"],
        state: CoreState,
        is_first: Bool[Tensor, "time batch"],
    ) -> CoreOutput:
        """Return the outputs of all steps, and the state as it came."""
        return CoreOutput(self.blocks(self.input(inputs)).relu(), state)


class ResidualBlock(nn.Module):
    """Norm, ReLU, linear, twice, around a residual; starts as the identity nearly.

    The last layer starts with a spread of 0.005, as in AlphaStar Unplugged.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first_norm = nn.LayerNorm(width)
        self.first = nn.Linear(width, width)
        self.second_norm = nn.LayerNorm(width)
        self.second = nn.Linear(width, width)
        nn.init.normal_(self.second.weight, std=0.005)
        nn.init.zeros_(self.second.bias)

    def forward(self, inputs: Float[Tensor, "*rows channels"]) -> Float[Tensor, "*rows channels"]:
        """Return the inputs and what the block adds to them."""
        hidden = self.first(self.first_norm(inputs).relu())
        return inputs + self.second(self.second_norm(hidden).relu())


def core_of(
    config: LstmConfig | FeedForwardConfig, *, input_width: int
) -> LstmCore | FeedForwardCore:
    """Return the core that ``config`` describes."""
    if isinstance(config, LstmConfig):
        return LstmCore(config, input_width=input_width)
    return FeedForwardCore(config, input_width=input_width)


class _LstmLayer(nn.Module):
    def __init__(self, input_width: int, width: int) -> None:
        super().__init__()
        self.width = width
        self.input = nn.Linear(input_width, 4 * width, bias=False)
        self.input_norm = nn.LayerNorm(4 * width)
        self.recurrent = nn.Linear(width, 4 * width, bias=False)
        self.recurrent_norm = nn.LayerNorm(4 * width)
        self.cell_norm = nn.LayerNorm(width)
        with torch.no_grad():
            self.input_norm.bias[width : 2 * width] = 1.0  # forget gates start open

    def forward(
        self,
        inputs: Float[Tensor, "time batch in_channels"],
        hidden: Float[Tensor, "batch channels"],
        cell: Float[Tensor, "batch channels"],
        is_first: Bool[Tensor, "time batch"],
    ) -> tuple[
        Float[Tensor, "time batch channels"],
        Float[Tensor, "batch channels"],
        Float[Tensor, "batch channels"],
    ]:
        """Return outputs, last hidden and last cell; all that can be runs for all steps at once."""
        from_below = self.input_norm(self.input(inputs)).unbind()
        keeps = (~is_first)[..., None].to(inputs.dtype).unbind()
        outputs = []
        for below, keep in zip(from_below, keeps, strict=True):
            before = self.recurrent_norm(self.recurrent(hidden * keep))
            input_gate, forget_gate, output_gate, candidate = (below + before).chunk(4, -1)
            cell = forget_gate.sigmoid() * (cell * keep) + input_gate.sigmoid() * candidate.tanh()
            hidden = output_gate.sigmoid() * self.cell_norm(cell).tanh()
            outputs.append(hidden)
        return torch.stack(outputs), hidden, cell
