"""Player statistics, upgrades, time, races, last action and z -> two vectors.

Vinyals et al. 2019, supplementary ``detailed-architecture.txt``: ``embedded_scalar`` goes to the
core; ``scalar_context``, of races, own units, upgrades, last action and z, also gates the heads.
Parts are summed after a linear layer each, as in AlphaStar Unplugged, which equals one linear
layer on their concatenation. Own units are counted by type, as there; so are, besides, those
unfinished, those last selected or targeted, and the enemies known of. Time is the logarithm of
the game loop alone: sinusoids of it, as there, made predictions of unseen games worse. Numbers
are read piece by piece besides, as decisions hang on whether they reach a price or a limit.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int, Int8, Int16, Int32
from torch import Tensor, nn

from envs.interface import (
    BUILD_ORDER_LENGTH,
    NUM_UNIT_TYPES,
    NUM_UPGRADES,
    SCALAR_FEATURES,
    Feature,
    Knowledge,
    ScalarFeature,
)
from policies.columns import ColumnEmbedding, SummedEmbeddings, known_columns
from policies.config import ScalarConfig
from policies.piecewise import PiecewiseEmbedding

CONTEXT_FEATURES = (
    ScalarFeature.HOME_RACE,
    ScalarFeature.AWAY_RACE,
    ScalarFeature.LAST_ACTION_TYPE,
)


class EncodedScalars(NamedTuple):
    """What is known beside units and map."""

    embedded_scalar: Float[Tensor, "batch channels"]
    scalar_context: Float[Tensor, "batch context_channels"]


class UnitCounts(NamedTuple):
    """How many known units of each type there are, group by group."""

    own: Int[Tensor, "batch types"]
    own_unfinished: Int[Tensor, "batch types"]
    own_selected: Int[Tensor, "batch types"]  # by the player's last action
    targeted: Int[Tensor, "batch types"]  # anybody's, by the player's last action
    enemy: Int[Tensor, "batch types"]


class ScalarInputs(NamedTuple):
    """The parts of an observation that this encoder reads."""

    scalars: Int32[Tensor, "batch scalars"]
    upgrades: Int8[Tensor, "batch upgrades"]
    build_order: Int16[Tensor, "batch builds"]
    cumulative_statistics: Int8[Tensor, "batch statistics"]
    unit_counts: UnitCounts


class ScalarEncoder(nn.Module):
    """Embeds scalars, all of them and the context's."""

    def __init__(self, config: ScalarConfig, *, knowledge: Knowledge) -> None:
        super().__init__()
        known = known_columns(SCALAR_FEATURES, knowledge)
        context = {column: known[column] for column in CONTEXT_FEATURES if column in known}
        self.everything = _SummedParts(known, width=config.width)
        self.pieces = PiecewiseEmbedding(known, width=config.width)
        others = (len(UnitCounts._fields) - 1) * NUM_UNIT_TYPES
        self.other_units = SummedEmbeddings(2 * others, config.width)
        self.output = nn.Linear(config.width, config.width)
        self.context = _SummedParts(context, width=config.context_width)
        self.context_output = nn.Linear(config.context_width, config.context_width)

    def forward(self, inputs: ScalarInputs) -> EncodedScalars:
        """Return the encoded scalars."""
        others = torch.cat(inputs.unit_counts[1:], -1)
        everything = self.everything(inputs) + self.other_units(_counts_and_presence(others))
        everything = everything + self.pieces(inputs.scalars)
        return EncodedScalars(
            embedded_scalar=self.output(everything.relu()).relu(),
            scalar_context=self.context_output(self.context(inputs).relu()).relu(),
        )


class _SummedParts(nn.Module):
    """Columns, own units, upgrades and z, embedded and summed."""

    def __init__(self, columns: dict[ScalarFeature, Feature], *, width: int) -> None:
        super().__init__()
        self.columns = ColumnEmbedding(columns, width=width, facts={})
        self.own_units = SummedEmbeddings(2 * NUM_UNIT_TYPES, width)
        self.upgrades = SummedEmbeddings(2 * NUM_UPGRADES, width)
        self.statistics = SummedEmbeddings(2 * (NUM_UNIT_TYPES + NUM_UPGRADES), width)
        self.builds = nn.Embedding(NUM_UNIT_TYPES, width)
        self.build_places = nn.Parameter(torch.randn(BUILD_ORDER_LENGTH, width))
        self.norm = nn.LayerNorm(width)

    def forward(self, inputs: ScalarInputs) -> Float[Tensor, "batch channels"]:
        summed = self.columns(inputs.scalars)
        summed = summed + self.own_units(_counts_and_presence(inputs.unit_counts.own))
        summed = summed + self.upgrades(_known_bits(inputs.upgrades))
        summed = summed + self.statistics(_known_bits(inputs.cumulative_statistics))
        return self.norm(summed + self._build_order(inputs.build_order))

    def _build_order(
        self, build_order: Int16[Tensor, "batch builds"]
    ) -> Float[Tensor, "batch channels"]:
        """Return the sum over builds of what, gated by when; unknown builds are left out.

        AlphaStar has a small Transformer here; an order is known from each build's place.
        """
        known = (build_order > 0)[..., None]
        what = self.builds(build_order.clamp(0, NUM_UNIT_TYPES - 1).int())
        return (what * self.build_places.sigmoid() * known).sum(1)


def _counts_and_presence(counts: Int[Tensor, "batch types"]) -> Float[Tensor, "batch features"]:
    return torch.cat([counts.sqrt(), (counts > 0).float()], -1)


def _known_bits(bits: Int8[Tensor, "batch bits"]) -> Float[Tensor, "batch features"]:
    """Return for each bit whether it is set and whether it is unset; neither is unknown."""
    return torch.cat([bits == 1, bits == 0], -1).float()
