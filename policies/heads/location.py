"""The head that points at a place: target_location.

Vinyals et al. 2019, supplementary ``detailed-architecture.txt``: the autoregressive embedding is
laid out as a small map, joined by the map encoder's, refined by gated residual blocks that it
modulates (FiLM, Perez et al. 2018) and enlarged by transposed convolutions. The maps before each
halving come back on the way up, as in AlphaStar Unplugged. The last enlargement is a pixel
shuffle, which is what a strided transposed convolution computes.
"""

from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from envs.interface import SUBCELLS, WORLD_SIZE
from policies.config import HeadsConfig, SpatialConfig
from policies.spatial_encoder import MapSkip


class LocationHead(nn.Module):
    """Which cell of a grid over the world; cells are numbered y * width + x."""

    def __init__(self, config: HeadsConfig, spatial: SpatialConfig) -> None:
        super().__init__()
        self.smallest_size = spatial.smallest_size
        channels = spatial.down_channels[-1]
        laid_out = config.autoregressive_width // self.smallest_size**2
        self.join = nn.Conv2d(laid_out + channels, channels, 1)
        self.blocks = nn.ModuleList(
            GatedFilmBlock(channels, condition_width=config.autoregressive_width)
            for _ in range(spatial.blocks)
        )
        widths = (channels, *config.location_channels)
        self.enlargements = nn.ModuleList(
            nn.ConvTranspose2d(wide, narrow, 4, stride=2, padding=1)
            for wide, narrow in pairwise(widths)
        )
        before = (spatial.plane_channels + spatial.scatter_channels, *spatial.down_channels[:-1])
        self.skips = nn.ModuleList(
            nn.Conv2d(skipped, width, 1)
            for skipped, width in zip(reversed(before), config.location_channels, strict=False)
        )
        self.shuffle = config.location_size // (
            self.smallest_size * 2 ** len(config.location_channels)
        )
        self.output = nn.Conv2d(widths[-1], self.shuffle**2, 3, padding=1)

    def forward(
        self, autoregressive_embedding: Float[Tensor, "rows channels"], map_skip: MapSkip
    ) -> Float[Tensor, "rows cells"]:
        """Return the logits of the cells."""
        size = self.smallest_size
        laid_out = autoregressive_embedding.unflatten(-1, (-1, size, size))
        maps = self.join(torch.cat([laid_out, map_skip.blocks[-1]], 1).relu())
        for block, skip in zip(self.blocks, reversed(map_skip.blocks), strict=True):
            maps = block(maps + skip, autoregressive_embedding)
        skips = list(zip(self.skips, reversed(map_skip.before_halving), strict=False))
        for i, enlargement in enumerate(self.enlargements):
            maps = enlargement(maps)
            if i < len(skips):
                project, skip = skips[i]
                maps = maps + project(skip)
            maps = maps.relu()
        return pixel_shuffled(self.output(maps), self.shuffle).flatten(1).float()


def pixel_shuffled(
    maps: Float[Tensor, "rows channels height width"], factor: int
) -> Float[Tensor, "rows tall wide"]:
    """Return what ``F.pixel_shuffle`` does, whose gradient refuses a batch of no rows."""
    rows, _, height, width = maps.shape
    blocks = maps.reshape(rows, factor, factor, height, width).permute(0, 3, 1, 4, 2)
    return blocks.reshape(rows, height * factor, width * factor)


class GatedFilmBlock(nn.Module):
    """A residual block that a condition scales, shifts and gates, channel by channel."""

    def __init__(self, channels: int, *, condition_width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.condition = nn.Linear(condition_width, 3 * channels)

    def forward(
        self,
        maps: Float[Tensor, "rows channels height width"],
        condition: Float[Tensor, "rows condition_channels"],
    ) -> Float[Tensor, "rows channels height width"]:
        """Return the maps and what the block adds to them."""
        scale, shift, gate = self.condition(condition)[..., None, None].chunk(3, 1)
        hidden = self.first(maps.relu()) * (1 + scale) + shift
        return maps + self.second(hidden.relu()) * gate.sigmoid()


def location_cells(
    target_location: Int[Tensor, "*rows 2"], location_size: int
) -> Int[Tensor, "*rows"]:
    """Return the cell in which each place (x, y in subcells) lies; ``UNKNOWN`` stays."""
    cells = target_location * location_size // (WORLD_SIZE * SUBCELLS)
    x, y = cells.clamp(max=location_size - 1).unbind(-1)
    return torch.where((target_location >= 0).all(-1), y * location_size + x, -1)


def location_subcells(cells: Int[Tensor, "*rows"], location_size: int) -> Int[Tensor, "*rows 2"]:
    """Return the middle of each cell (x, y in subcells); ``UNKNOWN`` stays."""
    side = WORLD_SIZE * SUBCELLS // location_size
    places = torch.stack([cells % location_size, cells // location_size], -1) * side + side // 2
    return torch.where((cells >= 0)[..., None], places, -1)
