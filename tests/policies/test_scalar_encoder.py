"""What is neither unit nor map."""

import pytest
import torch

from envs.interface import (
    BUILD_ORDER_LENGTH,
    NUM_UNIT_TYPES,
    NUM_UPGRADES,
    UNKNOWN,
    Knowledge,
    ScalarFeature,
)
from policies.config import ScalarConfig
from policies.scalar_encoder import ScalarEncoder, ScalarInputs, UnitCounts


def make_inputs(**changes: torch.Tensor) -> ScalarInputs:
    statistics = NUM_UNIT_TYPES + NUM_UPGRADES
    inputs = ScalarInputs(
        scalars=torch.zeros(1, len(ScalarFeature), dtype=torch.int32),
        upgrades=torch.zeros(1, NUM_UPGRADES, dtype=torch.int8),
        build_order=torch.full((1, BUILD_ORDER_LENGTH), UNKNOWN, dtype=torch.int16),
        cumulative_statistics=torch.full((1, statistics), UNKNOWN, dtype=torch.int8),
        unit_counts=UnitCounts(
            *(torch.zeros(1, NUM_UNIT_TYPES, dtype=torch.long),) * len(UnitCounts._fields)
        ),
    )
    return inputs._replace(**changes)


def encoder() -> ScalarEncoder:
    torch.manual_seed(0)
    return ScalarEncoder(ScalarConfig(width=16, context_width=8), knowledge=Knowledge.GAME)


def set_scalar(feature: ScalarFeature, value: int) -> torch.Tensor:
    scalars = torch.zeros(1, len(ScalarFeature), dtype=torch.int32)
    scalars[0, feature] = value
    return scalars


def test_unknown_upgrades_differ_from_upgrades_not_had():
    module = encoder()
    unknown = make_inputs(upgrades=torch.full((1, NUM_UPGRADES), UNKNOWN, dtype=torch.int8))
    for one, other in zip(module(make_inputs()), module(unknown), strict=True):
        assert not torch.allclose(one, other)


def test_the_context_is_of_races_units_upgrades_last_action_and_z_but_not_of_money():
    module = encoder()
    plain = module(make_inputs())
    rich = module(make_inputs(scalars=set_scalar(ScalarFeature.MINERALS, 900)))
    zerg = module(make_inputs(scalars=set_scalar(ScalarFeature.HOME_RACE, 2)))
    assert torch.equal(plain.scalar_context, rich.scalar_context)
    assert not torch.allclose(plain.embedded_scalar, rich.embedded_scalar)
    assert not torch.allclose(plain.scalar_context, zerg.scalar_context)


@pytest.mark.parametrize("group", UnitCounts._fields)
def test_units_of_every_group_are_seen_and_only_own_ones_by_the_context(group: str):
    module = encoder()
    one_unit = torch.zeros(1, NUM_UNIT_TYPES, dtype=torch.long)
    one_unit[0, 7] = 1
    counts = make_inputs().unit_counts._replace(**{group: one_unit})
    without, seen = module(make_inputs()), module(make_inputs(unit_counts=counts))
    assert not torch.allclose(without.embedded_scalar, seen.embedded_scalar)
    is_same = torch.equal(without.scalar_context, seen.scalar_context)
    assert is_same == (group != "own")


def test_a_build_order_is_read_in_order():
    module = encoder()
    first = torch.full((1, BUILD_ORDER_LENGTH), UNKNOWN, dtype=torch.int16)
    first[0, :2] = torch.tensor([5, 9])
    second = first.clone()
    second[0, :2] = torch.tensor([9, 5])
    one, two = (module(make_inputs(build_order=order)).scalar_context for order in (first, second))
    assert not torch.allclose(one, two)
