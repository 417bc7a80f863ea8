"""Unit features -> one vector a unit, and one for all of them.

Vinyals et al. 2019, supplementary ``detailed-architecture.txt``. The units see each other through
a Transformer, as there, or through the latents of a Perceiver IO whose queries are the units'
own features (Jaegle et al. 2021, arXiv:2107.14795, appendix B). ``embedded_entity`` is the mean
over existing units, as there, beside the means over the player's own and the last selected.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from envs.interface import (
    ENTITY_FEATURES,
    NUM_UNIT_TYPES,
    Alliance,
    EntityFeature,
    Knowledge,
    read_table,
)
from policies.columns import ColumnEmbedding, known_columns
from policies.config import PerceiverConfig, TransformerConfig
from policies.perceiver_io import PerceiverIO
from policies.transformer import Transformer

ATTRIBUTES = (
    "Light",
    "Armored",
    "Biological",
    "Mechanical",
    "Robotic",
    "Psionic",
    "Massive",
    "Structure",
    "Hover",
    "Heroic",
    "Summoned",
)
"""Unit attributes as the SC2 API has them; with flying and burrowed, AlphaStar's thirteen."""


STATES_TOGETHER = 64
"""States worked on at once on a CPU, so that what is between two layers stays in its cache."""


class EncodedEntities(NamedTuple):
    """What is known of the units; rows outside the mask are zero.

    Without latents, as in a Transformer, the units' embeddings stand in for them.
    """

    entity_embeddings: Float[Tensor, "batch entities channels"]
    embedded_entity: Float[Tensor, "batch channels"]
    latents: Float[Tensor, "batch latents latent_channels"]


class EntityEncoder(nn.Module):
    """Embeds units, lets them see each other, and sums them up."""

    def __init__(
        self, config: PerceiverConfig | TransformerConfig, *, width: int, knowledge: Knowledge
    ) -> None:
        super().__init__()
        self.columns = ColumnEmbedding(
            known_columns(ENTITY_FEATURES, knowledge),
            width=width,
            facts={EntityFeature.UNIT_TYPE: unit_attributes()},
        )
        self.mixer = entity_mixer(config, width=width)
        self.embedding = nn.Linear(width, width)
        self.pooling = nn.Linear(3 * width, width)

    def forward(
        self,
        entities: Int[Tensor, "batch entities features"],
        mask: Bool[Tensor, "batch entities"],
    ) -> EncodedEntities:
        """Return the encoded units; what is outside ``mask`` does not exist.

        Only existing units are worked on: they are packed, states of like size together.
        """
        sizes, order = mask.sum(-1).sort()
        slot = torch.arange(mask.numel(), device=mask.device).view_as(mask)
        packed_slots = slot[order][mask[order]]
        packed = self.columns(entities.flatten(0, 1).index_select(0, packed_slots))
        packed, latents = self._mixed(packed, sizes)
        packed = self.embedding(packed.relu()).relu()
        padded = packed.new_zeros(mask.numel(), packed.shape[-1])
        embeddings = padded.index_copy(0, packed_slots, packed).unflatten(0, mask.shape)
        return EncodedEntities(
            entity_embeddings=embeddings,
            embedded_entity=self._pooled(embeddings, entities, mask),
            latents=embeddings if latents is None else latents.index_select(0, order.argsort()),
        )

    def _mixed(
        self, packed: Float[Tensor, "units channels"], sizes: Int[Tensor, " batch"]
    ) -> tuple[
        Float[Tensor, "units channels"], Float[Tensor, "batch latents latent_channels"] | None
    ]:
        """Let the units of each state see each other, padding only to the size of its group."""
        together = STATES_TOGETHER if packed.device.type == "cpu" else len(sizes)
        groups = sizes.split(together)
        mixed, latents = [], []
        for units, group in zip(packed.split([int(g.sum()) for g in groups]), groups, strict=True):
            mask = torch.arange(max(1, int(group[-1])), device=group.device) < group[:, None]
            places = mask.flatten().nonzero().squeeze(1)
            tokens = units.new_zeros(mask.numel(), units.shape[-1]).index_copy(0, places, units)
            output = self.mixer(tokens.unflatten(0, mask.shape), mask)
            mixed.append(output.units.flatten(0, 1).index_select(0, places))
            latents.append(output.latents)
        return torch.cat(mixed), None if latents[0] is None else torch.cat(latents)

    def _pooled(
        self,
        embeddings: Float[Tensor, "batch entities channels"],
        entities: Int[Tensor, "batch entities features"],
        mask: Bool[Tensor, "batch entities"],
    ) -> Float[Tensor, "batch channels"]:
        own = mask & (entities[..., EntityFeature.ALLIANCE] == Alliance.SELF)
        selected = mask & (entities[..., EntityFeature.WAS_SELECTED] == 1)
        weights = torch.stack([mask, own, selected], 1).to(embeddings.dtype)
        means = (weights @ embeddings) / weights.sum(-1, keepdim=True).clamp(min=1)
        return self.pooling(means.flatten(1)).relu()


class MixedUnits(NamedTuple):
    """Units that have seen each other, and the latents through which they did, if any."""

    units: Float[Tensor, "batch tokens channels"]
    latents: Float[Tensor, "batch latents latent_channels"] | None


class PerceiverMixer(nn.Module):
    """Units read and query the latents of a Perceiver IO."""

    def __init__(self, config: PerceiverConfig, *, width: int) -> None:
        super().__init__()
        self.perceiver = PerceiverIO(config, input_width=width, query_width=width)

    def forward(
        self, tokens: Float[Tensor, "batch tokens channels"], mask: Bool[Tensor, "batch tokens"]
    ) -> MixedUnits:
        """Return the units, each told of the others."""
        output = self.perceiver(tokens, mask, tokens)
        return MixedUnits(output.outputs, output.latents)


class TransformerMixer(nn.Module):
    """Units attend to each other; there are no latents."""

    def __init__(self, config: TransformerConfig, *, width: int) -> None:
        super().__init__()
        self.transformer = Transformer(config, width=width)

    def forward(
        self, tokens: Float[Tensor, "batch tokens channels"], mask: Bool[Tensor, "batch tokens"]
    ) -> MixedUnits:
        """Return the units, each told of the others."""
        return MixedUnits(self.transformer(tokens, mask), None)


def entity_mixer(
    config: PerceiverConfig | TransformerConfig, *, width: int
) -> PerceiverMixer | TransformerMixer:
    """Return the part in which units see each other."""
    if isinstance(config, PerceiverConfig):
        return PerceiverMixer(config, width=width)
    return TransformerMixer(config, width=width)


def encoder_flops(
    config: PerceiverConfig | TransformerConfig, entities: int, *, width: int = 256
) -> int:
    """Return the counted arithmetic of one forward pass over one state's units.

    A multiplication and an addition count separately, as in the Perceiver IO paper (appendix D).
    Attention runs in its plain form here, since PyTorch's counter overlooks the fused ones.
    """
    mixer = entity_mixer(config, width=width).requires_grad_(requires_grad=False)
    tokens = torch.zeros(1, entities, width)
    mask = torch.ones(1, entities, dtype=torch.bool)
    counter = FlopCounterMode(display=False)
    with sdpa_kernel(SDPBackend.MATH), counter:
        mixer(tokens, mask)
    return counter.get_total_flops()


def unit_attributes() -> Float[Tensor, "types attributes"]:
    """Return for each unit type its attributes, whether it flies, and whether it is burrowed."""
    table = torch.zeros(NUM_UNIT_TYPES, len(ATTRIBUTES) + 2)
    for row in read_table("unit_types.csv"):
        attributes = row["attributes"].split("|")
        facts = [attribute in attributes for attribute in ATTRIBUTES]
        facts += [row["flying"] == "1", "Burrowed" in row["name"]]
        table[int(row["unit_type"])] = torch.tensor(facts)
    return table
