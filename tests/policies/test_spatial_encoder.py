"""The map, with units standing in it."""

import torch

from envs.interface import MAP_PLANES, SUBCELLS, UNKNOWN, UNKNOWN_CELL, EntityFeature, Knowledge
from policies.config import SpatialConfig
from policies.spatial_encoder import PlaneEmbedding, ScatterConnection, SpatialEncoder

CONFIG = SpatialConfig(
    plane_size=16, plane_channels=3, scatter_channels=4, down_channels=(4, 8), blocks=2, width=8
)


def unit_at(x: float, y: float) -> torch.Tensor:
    """Return one unit that stands at world units x, y."""
    entity = torch.zeros(len(EntityFeature), dtype=torch.int16)
    entity[EntityFeature.X], entity[EntityFeature.Y] = int(x * SUBCELLS), int(y * SUBCELLS)
    return entity


def scattered(entities: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Scatter units on 16 x 16 cells; return the map and what each unit brings."""
    torch.manual_seed(0)
    module = ScatterConnection(5, channels=4, size=16)
    embeddings = torch.randn(*entities.shape[:2], 5)
    return module(embeddings, entities, mask), module.narrowing(embeddings).relu()


def test_a_unit_stands_in_its_cell_and_row_zero_is_at_the_bottom():
    entities = unit_at(17, 3)[None, None]
    found, brought = scattered(entities, torch.ones(1, 1, dtype=torch.bool))
    torch.testing.assert_close(found[0, 0, 1], brought[0, 0])
    assert found.abs().sum() == brought.abs().sum()


def test_units_in_one_cell_are_summed():
    entities = torch.stack([unit_at(100, 200), unit_at(101, 201), unit_at(130, 201)])[None]
    found, brought = scattered(entities, torch.ones(1, 3, dtype=torch.bool))
    torch.testing.assert_close(found[0, 12, 6], brought[0, 0] + brought[0, 1])
    torch.testing.assert_close(found[0, 12, 8], brought[0, 2])


def test_padding_and_units_of_unknown_place_are_left_out():
    lost = unit_at(0, 0)
    lost[EntityFeature.X] = UNKNOWN
    entities = torch.stack([unit_at(0, 0), lost])[None]
    found, _ = scattered(entities, torch.tensor([[False, True]]))
    assert (found == 0).all()


def test_a_unit_on_the_far_edge_is_in_the_last_cell():
    found, brought = scattered(unit_at(256, 256)[None, None], torch.ones(1, 1, dtype=torch.bool))
    torch.testing.assert_close(found[0, 15, 15], brought[0, 0])


def test_each_state_has_its_own_map():
    entities = torch.stack([unit_at(1, 1), unit_at(255, 255)])[:, None]
    found, brought = scattered(entities, torch.ones(2, 1, dtype=torch.bool))
    torch.testing.assert_close(found[0, 0, 0], brought[0, 0])
    torch.testing.assert_close(found[1, 15, 15], brought[1, 0])
    assert (found[1, 0, 0] == 0).all()


def test_planes_are_one_hot_features_through_a_layer():
    torch.manual_seed(0)
    module = PlaneEmbedding(6, knowledge=Knowledge.GAME)
    columns = [torch.randint(0, plane.size, (2, 4, 5)) for plane in MAP_PLANES.values()]
    planes = torch.stack(columns, 1).to(torch.uint8)
    planes[0, :, 0, 0] = UNKNOWN_CELL
    found = module(planes)
    for place in [(0, 0, 0), (0, 3, 4), (1, 2, 1)]:
        cell = planes[place[0], :, place[1], place[2]].tolist()
        expected = torch.zeros(6)
        for column, plane in MAP_PLANES.items():
            known = cell[column] != UNKNOWN_CELL
            if column.name in module.learned:
                expected += module.learned[column.name][cell[column] if known else plane.size]
            else:
                ratio = cell[column] / plane.size if known else 0.0
                expected += torch.tensor([ratio, float(known)]) @ module.ratio_weights
        torch.testing.assert_close(found[place], expected.relu())


def test_maps_for_the_location_head_have_the_sizes_of_the_way_down():
    torch.manual_seed(0)
    encoder = SpatialEncoder(CONFIG, entity_width=5, knowledge=Knowledge.EVENTS)
    planes = torch.zeros(2, len(MAP_PLANES), 16, 16, dtype=torch.uint8)
    entities = unit_at(1, 1).expand(2, 3, -1)
    encoded = encoder(planes, torch.randn(2, 3, 5), entities, torch.ones(2, 3, dtype=torch.bool))
    assert encoded.embedded_spatial.shape == (2, 8)
    assert [tuple(maps.shape[1:]) for maps in encoded.map_skip.before_halving] == [
        (7, 16, 16),
        (4, 8, 8),
    ]
    assert [tuple(maps.shape[1:]) for maps in encoded.map_skip.blocks] == [(8, 4, 4)] * 2
