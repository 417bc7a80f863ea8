"""Map planes, with the units standing in them -> one vector, and maps for the location head.

Vinyals et al. 2019, supplementary ``detailed-architecture.txt``: planes are one-hot, each unit's
embedding is added to the cell it stands on (the scatter connection), strided convolutions halve
the map, residual blocks follow. ``map_skip`` has every residual block's output, as there, and
the maps before each halving besides, as in DI-star and AlphaStar Unplugged.
"""

from itertools import pairwise
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor, nn

from envs.interface import (
    MAP_PLANES,
    SUBCELLS,
    UNKNOWN_CELL,
    WORLD_SIZE,
    Encoding,
    EntityFeature,
    Knowledge,
)
from policies.columns import known_columns, summed_rows
from policies.config import SpatialConfig


class MapSkip(NamedTuple):
    """Maps that bypass the core, for the location head."""

    before_halving: tuple[Float[Tensor, "batch _channels _height _width"], ...]  # largest first
    blocks: tuple[Float[Tensor, "batch channels height width"], ...]


class EncodedMap(NamedTuple):
    """The map as one vector, and as maps."""

    embedded_spatial: Float[Tensor, "batch channels"]
    map_skip: MapSkip


class SpatialEncoder(nn.Module):
    """Embeds planes, places units in them, and looks at the result at falling resolution."""

    def __init__(self, config: SpatialConfig, *, entity_width: int, knowledge: Knowledge) -> None:
        super().__init__()
        self.planes = PlaneEmbedding(config.plane_channels, knowledge=knowledge)
        self.scatter = ScatterConnection(
            entity_width, channels=config.scatter_channels, size=config.plane_size
        )
        channels = (config.plane_channels + config.scatter_channels, *config.down_channels)
        self.halvings = nn.ModuleList(
            nn.Conv2d(wide, narrow, 4, stride=2, padding=1) for wide, narrow in pairwise(channels)
        )
        self.blocks = nn.ModuleList(ConvolutionBlock(channels[-1]) for _ in range(config.blocks))
        self.output = nn.Linear(channels[-1] * config.smallest_size**2, config.width)

    def forward(
        self,
        map_planes: UInt8[Tensor, "batch planes height width"],
        entity_embeddings: Float[Tensor, "batch entities channels"],
        entities: Int[Tensor, "batch entities features"],
        mask: Bool[Tensor, "batch entities"],
    ) -> EncodedMap:
        """Return the encoded map."""
        scattered = self.scatter(entity_embeddings, entities, mask)
        maps = torch.cat([self.planes(map_planes), scattered], -1).permute(0, 3, 1, 2)
        before_halving, blocks = [], []
        for halving in self.halvings:
            before_halving.append(maps)
            maps = halving(maps).relu()
        for block in self.blocks:
            maps = block(maps)
            blocks.append(maps)
        embedded = self.output(maps.flatten(1)).relu()
        return EncodedMap(embedded, MapSkip(tuple(before_halving), tuple(blocks)))


class PlaneEmbedding(nn.Module):
    """One-hot planes and a number for the height, through one 1x1 convolution and a ReLU."""

    def __init__(self, channels: int, *, knowledge: Knowledge) -> None:
        super().__init__()
        columns = known_columns(MAP_PLANES, knowledge)
        self.classes = {c: f.size for c, f in columns.items() if f.encoding is Encoding.CLASSES}
        self.ratios = {c: f.size for c, f in columns.items() if f.encoding is Encoding.RATIO}
        self.learned = nn.ParameterDict(
            {c.name: torch.randn(size + 1, channels) for c, size in self.classes.items()}
        )
        self.ratio_weights = nn.Parameter(torch.randn(2 * len(self.ratios), channels))

    def forward(
        self, map_planes: UInt8[Tensor, "batch planes height width"]
    ) -> Float[Tensor, "batch height width channels"]:
        """Return the embedded cells, channels last."""
        table, row = self._joint_table(), self._joint_row(map_planes)
        embedded = summed_rows(table, row.flatten()[:, None]).unflatten(0, row.shape)
        if self.ratios:
            raw = map_planes[:, list(self.ratios)].permute(0, 2, 3, 1)
            known = raw != UNKNOWN_CELL
            sizes = torch.tensor(list(self.ratios.values()), device=raw.device)
            embedded = embedded + torch.cat([raw / sizes * known, known], -1) @ self.ratio_weights
        return embedded.relu()

    def _joint_table(self) -> Float[Tensor, "rows channels"]:
        """Return a row for every combination of classes: the sum of their embeddings."""
        joint = torch.zeros(1, self.ratio_weights.shape[1], device=self.ratio_weights.device)
        for column in self.classes:
            joint = (joint[:, None] + self.learned[column.name][None]).flatten(0, 1)
        return joint

    def _joint_row(
        self, map_planes: UInt8[Tensor, "batch planes height width"]
    ) -> Int[Tensor, "batch height width"]:
        row = torch.zeros_like(map_planes[:, 0], dtype=torch.int32)
        for column, size in self.classes.items():
            known = map_planes[:, column].clamp(max=size - 1)
            unknown = map_planes[:, column] == UNKNOWN_CELL
            row = row * (size + 1) + known.masked_fill(unknown, size)
        return row


class ScatterConnection(nn.Module):
    """Adds each unit's embedding to the cell it stands on."""

    def __init__(self, entity_width: int, *, channels: int, size: int) -> None:
        super().__init__()
        self.size = size
        self.narrowing = nn.Linear(entity_width, channels)

    def forward(
        self,
        entity_embeddings: Float[Tensor, "batch entities channels"],
        entities: Int[Tensor, "batch entities features"],
        mask: Bool[Tensor, "batch entities"],
    ) -> Float[Tensor, "batch height width scattered"]:
        """Return the sums, channels last; units that stand nowhere known are left out."""
        place = entities[..., [EntityFeature.X, EntityFeature.Y]].int()
        somewhere = mask & (place >= 0).all(-1)
        cells = (place * self.size // (WORLD_SIZE * SUBCELLS)).clamp(0, self.size - 1)
        state = torch.arange(len(entities), device=mask.device)[:, None]
        index = (state * self.size + cells[..., 1]) * self.size + cells[..., 0]

        rows = somewhere.flatten().nonzero().squeeze(1)
        narrow = self.narrowing(entity_embeddings.flatten(0, 1).index_select(0, rows)).relu()
        sums = narrow.new_zeros(len(entities) * self.size**2, narrow.shape[-1])
        sums = sums.index_add(0, index.flatten().index_select(0, rows), narrow)
        return sums.unflatten(0, (len(entities), self.size, self.size))


class ConvolutionBlock(nn.Module):
    """Two 3x3 convolutions around a residual; starts near identity, as AlphaStar Unplugged's."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.normal_(self.second.weight, std=0.005)
        if self.second.bias is not None:
            nn.init.zeros_(self.second.bias)

    def forward(
        self, maps: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """Return the maps and what the block adds to them."""
        return maps + self.second(self.first(maps.relu()).relu())
