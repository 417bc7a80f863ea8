"""The head that points at a place."""

import torch
from torch.nn import functional

from envs.interface import SUBCELLS, UNKNOWN
from policies.config import HeadsConfig, SpatialConfig
from policies.heads.location import LocationHead, location_cells, location_subcells, pixel_shuffled
from policies.spatial_encoder import MapSkip

SPATIAL = SpatialConfig(
    plane_size=16, plane_channels=3, scatter_channels=4, down_channels=(4, 8), blocks=2, width=8
)


def logits_of(skip: MapSkip, *, size: int = 32, channels: tuple[int, ...] = (8,)) -> torch.Tensor:
    torch.manual_seed(0)
    config = HeadsConfig(autoregressive_width=32, location_size=size, location_channels=channels)
    return LocationHead(config, SPATIAL)(torch.randn(2, 32), skip)


def random_skip(seed: int = 0) -> MapSkip:
    generator = torch.Generator().manual_seed(seed)

    def maps(channels: int, side: int) -> torch.Tensor:
        return torch.randn(2, channels, side, side, generator=generator)

    return MapSkip((maps(7, 16), maps(4, 8)), (maps(8, 4), maps(8, 4)))


def test_a_batch_without_places_teaches_nothing_and_does_no_harm():
    maps = MapSkip(
        tuple(part[:0] for part in random_skip().before_halving),
        tuple(part[:0] for part in random_skip().blocks),
    )
    config = HeadsConfig(autoregressive_width=32, location_size=32, location_channels=(8,))
    head = LocationHead(config, SPATIAL)
    logits = head(torch.randn(0, 32), maps)
    assert logits.shape == (0, 32 * 32)
    logits.sum().backward()
    assert all(not parameter.grad.any() for parameter in head.parameters())


def test_the_last_enlargement_is_pytorchs_pixel_shuffle():
    torch.manual_seed(0)
    maps = torch.randn(2, 4, 3, 5)
    expected = functional.pixel_shuffle(maps, 2)[:, 0]
    assert torch.equal(pixel_shuffled(maps, 2), expected)


def test_there_is_a_logit_for_every_cell():
    for size, channels in ((32, (8,)), (64, (8, 8, 4)), (128, (8, 4))):
        assert logits_of(random_skip(), size=size, channels=channels).shape == (2, size * size)


def test_what_changes_on_the_map_moves_the_logits_around_there():
    one, two = random_skip(), random_skip()
    two.before_halving[1][:, :, 6, 1] += 3.0
    moved = (logits_of(one) - logits_of(two)).abs().view(2, 32, 32)[0]
    y, x = divmod(int(moved.argmax()), 32)
    assert abs(y - (6 * 4 + 2)) <= 6  # the cell and its neighbours
    assert abs(x - (1 * 4 + 2)) <= 6


def test_cells_are_numbered_from_the_bottom_left_row_by_row():
    places = torch.tensor([[0, 0], [3, 0], [0, 2], [255, 255], [256, 256]]) * SUBCELLS
    assert location_cells(places, 128).tolist() == [0, 1, 128, 128 * 128 - 1, 128 * 128 - 1]


def test_an_unknown_place_is_in_no_cell():
    assert location_cells(torch.tensor([[UNKNOWN, UNKNOWN]]), 64).tolist() == [UNKNOWN]
    assert location_subcells(torch.tensor([UNKNOWN]), 64).tolist() == [[UNKNOWN, UNKNOWN]]


def test_the_middle_of_a_cell_lies_in_it():
    cells = torch.arange(64 * 64)
    middles = location_subcells(cells, 64)
    assert torch.equal(location_cells(middles, 64), cells)
    assert middles[65].tolist() == [6 * SUBCELLS, 6 * SUBCELLS]
