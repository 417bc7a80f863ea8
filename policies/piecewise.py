"""Numbers read piece by piece, so that a network can tell 49 minerals from 50.

A number of hundreds as one ratio or logarithm moves a network by next to nothing where it passes a
price. Here its range is cut into pieces, and each says how much of it the number has filled: 1 for
those below, a share for the one that it lies in, 0 for those above (Gorishniy et al. 2022,
arXiv:2203.05556, section 3.2).
"""

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from envs.interface import Encoding, Feature
from policies.columns import Column

EVEN_PIECES = 24  # of one unit each; above them pieces grow with the number
GROWING_PIECES = 24
PRICE_UNIT = 25  # all prices are multiples of it

_SCALE = (EVEN_PIECES + GROWING_PIECES) ** -0.5  # so that a full column is of length 1
_UNITS = {Encoding.RATIO: 1, Encoding.LOGARITHM: PRICE_UNIT}


class PiecewiseEmbedding(nn.Module):
    """Embeds the columns of numbers among some; ``UNKNOWN`` fills nothing."""

    columns: Int[Tensor, " numbers"]
    lows: Float[Tensor, "numbers pieces"]
    sizes: Float[Tensor, "numbers pieces"]

    def __init__(self, features: Mapping[Column, Feature], *, width: int) -> None:
        """Prepare to read those of the columns that are ratios or logarithms.

        Args:
            features: by column; at least one is a number.
            width: of the vectors.
        """
        super().__init__()
        numbers = {c: f for c, f in features.items() if f.encoding in _UNITS}
        edges = [pieces(_UNITS[f.encoding], f.size) for f in numbers.values()]
        edges_of_all = torch.stack(edges)
        constants = {
            "columns": torch.tensor([int(column) for column in numbers], dtype=torch.long),
            "lows": edges_of_all[:, :-1],
            "sizes": edges_of_all.diff(dim=1),
        }
        for name, constant in constants.items():
            self.register_buffer(name, constant, persistent=False)
        spread = len(numbers) ** -0.5
        self.weights = nn.Parameter(torch.randn(self.sizes.numel(), width) * spread)

    def forward(self, values: Int[Tensor, "rows columns"]) -> Float[Tensor, "rows channels"]:
        """Return the sum of the columns' embeddings for each row."""
        numbers = values.index_select(1, self.columns).float()
        filled = (numbers[..., None] - self.lows) / self.sizes
        return _SCALE * filled.clamp(0, 1).flatten(1) @ self.weights


def pieces(unit: int, largest: int) -> Float[Tensor, " edges"]:
    """Return where pieces begin and end, from 0: even ones of a unit, then growing ones.

    Args:
        unit: size of the even ones.
        largest: number that they must reach, above that of the even ones.
    """
    even = torch.arange(EVEN_PIECES, dtype=torch.float64) * unit
    last = EVEN_PIECES * unit
    growth = torch.arange(GROWING_PIECES + 1, dtype=torch.float64) / GROWING_PIECES
    return torch.cat([even, last * (largest / last) ** growth]).float()
