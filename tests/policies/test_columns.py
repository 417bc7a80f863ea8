"""Columns of integers as vectors, against one-hot features written out."""

import math

import pytest
import torch

from envs.interface import (
    ENTITY_FEATURES,
    SUBCELLS,
    UNKNOWN,
    Encoding,
    EntityFeature,
    Knowledge,
)
from policies.columns import ColumnEmbedding, known_columns, summed_rows

WIDTH = 6


def embedding(*columns: EntityFeature, facts=None) -> ColumnEmbedding:
    torch.manual_seed(0)
    features = {column: ENTITY_FEATURES[column] for column in columns}
    return ColumnEmbedding(features, width=WIDTH, facts=facts or {})


def row(**values: int) -> torch.Tensor:
    entity = torch.zeros(1, len(EntityFeature), dtype=torch.int16)
    for name, value in values.items():
        entity[0, EntityFeature[name]] = value
    return entity


def test_classes_add_up():
    module = embedding(EntityFeature.UNIT_TYPE, EntityFeature.ALLIANCE, EntityFeature.CLOAK)
    found = module(row(UNIT_TYPE=7, ALLIANCE=4, CLOAK=UNKNOWN))[0]
    expected = (
        module.learned["UNIT_TYPE"][8] + module.learned["ALLIANCE"][5] + module.learned["CLOAK"][0]
    )
    torch.testing.assert_close(found, expected)


def test_all_columns_of_a_game_equal_one_hot_features_written_out():
    module = embedding(*ENTITY_FEATURES)
    generator = torch.Generator().manual_seed(0)
    values = torch.randint(-1, 3000, (50, len(EntityFeature)), generator=generator).short()
    expected = torch.stack([written_out(module, entity) for entity in values.tolist()])
    torch.testing.assert_close(module(values), expected)


def written_out(module: ColumnEmbedding, entity: list[int]) -> torch.Tensor:
    """Embed one row, column by column, in plain Python."""
    total = torch.zeros(WIDTH)
    numbers = []
    for column, feature in ENTITY_FEATURES.items():
        value, known = entity[column], entity[column] >= 0
        if feature.encoding is Encoding.CLASSES:
            total += module.learned[column.name][min(value, feature.size - 1) + 1]
        elif feature.encoding is Encoding.SQRT_CLASSES:
            root = math.isqrt(min(value, feature.size)) if known else UNKNOWN
            total += module.learned[column.name][root + 1]
        elif feature.encoding is Encoding.RATIO:
            numbers.append(value / feature.size if known else 0.0)
        elif feature.encoding is Encoding.LOGARITHM:
            numbers.append(math.log1p(value) / math.log1p(feature.size) if known else 0.0)
        elif known:
            cell = min(value // SUBCELLS, 255)
            total += torch.tensor(position_facts(cell)) @ module.fact_weights[column.name]
        if feature.encoding is Encoding.POSITION:
            numbers.append(value % SUBCELLS / SUBCELLS - 0.5 if known else 0.0)
    is_known = [
        float(entity[column] >= 0)
        for column, feature in ENTITY_FEATURES.items()
        if feature.encoding in (Encoding.RATIO, Encoding.LOGARITHM, Encoding.POSITION)
    ]
    return total + torch.tensor(numbers + is_known) @ module.number_weights


def position_facts(cell: int) -> list[float]:
    bits = [float(digit) for digit in reversed(f"{cell:08b}")]
    place = (cell + 0.5) / 128 - 1
    angles = [math.pi * place * band for band in (1, 2, 4)]
    return [1.0, *bits, place, *map(math.sin, angles), *map(math.cos, angles)]


@pytest.mark.parametrize("name", ["UNIT_TYPE", "HEALTH", "HEALTH_RATIO", "LAST_ORDER_AGE", "X"])
def test_unknown_is_not_zero(name):
    module = embedding(EntityFeature.ALLIANCE, EntityFeature[name])
    known, unknown = module(row(**{name: 0})), module(row(**{name: UNKNOWN}))
    assert not torch.allclose(known, unknown)


def test_a_unit_at_the_far_edge_of_the_world_is_in_its_last_cell():
    module = embedding(EntityFeature.X)
    edge, last = module(row(X=256 * SUBCELLS)), module(row(X=255 * SUBCELLS))
    torch.testing.assert_close(edge, last)


def test_what_is_known_of_a_class_is_added_to_what_is_learned_of_it():
    facts = {EntityFeature.CLOAK: torch.eye(5)[:, :2]}
    module = embedding(EntityFeature.CLOAK, facts=facts)
    found = module(row(CLOAK=1))[0]
    expected = module.learned["CLOAK"][2] + module.fact_weights["CLOAK"][1]
    torch.testing.assert_close(found, expected)


def test_summed_rows_have_the_gradient_of_a_plain_sum():
    generator = torch.Generator().manual_seed(0)
    table = torch.randn(9, 4, dtype=torch.float64, generator=generator, requires_grad=True)
    rows = torch.randint(0, 9, (20, 3), generator=generator).int()
    torch.testing.assert_close(summed_rows(table, rows), table[rows.long()].sum(1))
    torch.autograd.gradcheck(lambda table: summed_rows(table, rows), table)


def test_event_columns_are_those_that_events_tell():
    known = known_columns(ENTITY_FEATURES, Knowledge.EVENTS)
    assert EntityFeature.UNIT_TYPE in known
    assert EntityFeature.HEALTH not in known
    assert known_columns(ENTITY_FEATURES, Knowledge.GAME) == ENTITY_FEATURES
