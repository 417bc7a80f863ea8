"""Value baselines: how the game will end, seen from here."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from policies.config import ValueConfig
from policies.core import ResidualBlock


class WinLossBaseline(nn.Module):
    """Expected result between -1, lost, and 1, won.

    Vinyals et al. 2019, supplementary ``detailed-architecture.txt``; it sees what the policy
    sees, and nothing of the opponent's.
    """

    def __init__(self, config: ValueConfig, *, input_width: int, context_width: int) -> None:
        super().__init__()
        self.input = nn.Linear(input_width + context_width, config.width)
        self.blocks = nn.Sequential(*(ResidualBlock(config.width) for _ in range(config.blocks)))
        self.output = nn.Linear(config.width, 1)

    def forward(
        self,
        lstm_output: Float[Tensor, "*rows channels"],
        scalar_context: Float[Tensor, "*rows context_channels"],
    ) -> Float[Tensor, "*rows"]:
        """Return the values."""
        inputs = self.input(torch.cat([lstm_output, scalar_context], -1))
        estimate = self.output(self.blocks(inputs).relu()).squeeze(-1).float()
        return 2 / math.pi * torch.atan(math.pi / 2 * estimate)
