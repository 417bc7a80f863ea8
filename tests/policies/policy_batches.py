"""Random sequences that a policy can learn from, and a policy small enough for a test."""

from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from envs.interface import (
    BUILD_ORDER_LENGTH,
    ENTITY_FEATURES,
    MAP_PLANES,
    NUM_UNIT_TYPES,
    NUM_UPGRADES,
    SCALAR_FEATURES,
    SUBCELLS,
    UNKNOWN,
    Alliance,
    EntityFeature,
    Knowledge,
    action_arguments,
)
from policies.batch import Actions, HeadMasks, Observations
from policies.config import (
    FeedForwardConfig,
    HeadsConfig,
    LstmConfig,
    PerceiverConfig,
    PolicyConfig,
    ScalarConfig,
    SpatialConfig,
    TransformerConfig,
    ValueConfig,
)
from policies.policy import used_heads

PERCEIVER = PerceiverConfig(latents=3, latent_width=8, layers=2, latent_mlp_factor=2)
TRANSFORMER = TransformerConfig(layers=2, heads=2, head_width=4, mlp_width=16)
LSTM = LstmConfig(layers=2, width=16)
FEED_FORWARD = FeedForwardConfig(width=16, blocks=2)


def small_config(**changes: object) -> PolicyConfig:
    config = PolicyConfig(
        knowledge=Knowledge.GAME,
        entity_width=8,
        entity_encoder=PERCEIVER,
        spatial=SpatialConfig(
            plane_size=8,
            plane_channels=3,
            scatter_channels=4,
            down_channels=(4, 8),
            blocks=2,
            width=8,
        ),
        scalar=ScalarConfig(width=16, context_width=8),
        core=LSTM,
        heads=HeadsConfig(
            action_type_width=16,
            action_type_blocks=2,
            autoregressive_width=16,
            argument_width=8,
            key_width=8,
            location_size=16,
            location_channels=(8, 4),
        ),
        value=ValueConfig(width=8, blocks=2),
    )
    return replace(config, **changes)


class PolicyBatch(NamedTuple):
    observations: Observations
    actions: Actions
    is_first: Tensor
    masks: HeadMasks


def random_batch(
    *, time: int = 3, batch: int = 2, entities: int = 9, plane_size: int = 8, seed: int = 0
) -> PolicyBatch:
    """Return steps in which own units of no listed type can be told to do anything.

    The second half of the entities are others', the last one of each step is missing, and some
    values are unknown.
    """
    generator = torch.Generator().manual_seed(seed)
    observations = random_observations(generator, time, batch, entities, plane_size)
    actions = random_actions(generator, time, batch, entities)
    is_first = torch.zeros(time, batch, dtype=torch.bool)
    is_first[0] = True
    return PolicyBatch(observations, actions, is_first, used_heads(actions.action_type))


def random_observations(
    generator: torch.Generator, time: int, batch: int, entities: int, plane_size: int
) -> Observations:
    def integers(low: int, high: int, *shape: int) -> Tensor:
        return torch.randint(low, high, (time, batch, *shape), generator=generator)

    columns = []
    for feature in ENTITY_FEATURES.values():
        high = feature.size * SUBCELLS if feature.encoding.name == "POSITION" else feature.size
        columns.append(integers(UNKNOWN, min(high, 32767), entities))
    rows = torch.stack(columns, -1).short()
    num_own = entities // 2
    rows[..., :num_own, EntityFeature.UNIT_TYPE] = 0
    rows[..., EntityFeature.X] = integers(0, 256 * SUBCELLS, entities).short()
    rows[..., EntityFeature.Y] = integers(0, 256 * SUBCELLS, entities).short()
    rows[..., EntityFeature.IS_IN_CARGO] = 0
    rows[..., EntityFeature.ALLIANCE] = Alliance.ENEMY
    rows[..., :num_own, EntityFeature.ALLIANCE] = Alliance.SELF
    mask = torch.ones(time, batch, entities, dtype=torch.bool)
    mask[..., -1] = False
    planes = [integers(0, plane.size, plane_size, plane_size) for plane in MAP_PLANES.values()]
    scalars = [integers(UNKNOWN, feature.size) for feature in SCALAR_FEATURES.values()]
    return Observations(
        entities=rows * mask[..., None],
        entity_mask=mask,
        map_planes=torch.stack(planes, 2).to(torch.uint8),
        scalars=torch.stack(scalars, -1).int(),
        upgrades=integers(UNKNOWN, 2, NUM_UPGRADES).to(torch.int8),
        build_order=integers(UNKNOWN, NUM_UNIT_TYPES, BUILD_ORDER_LENGTH).short(),
        cumulative_statistics=integers(UNKNOWN, 2, NUM_UNIT_TYPES + NUM_UPGRADES).to(torch.int8),
    )


def random_actions(generator: torch.Generator, time: int, batch: int, entities: int) -> Actions:
    """Return actions of all kinds: no_op, quick, point and unit in turn, arguments and all."""
    kinds = torch.tensor([0, *_one_of_each_kind()])
    order = torch.arange(time * batch).view(time, batch)
    action_type = kinds[order % len(kinds)]
    used = used_heads(action_type)
    num_own = entities // 2
    most = torch.randint(1, num_own + 1, (time, batch, 1), generator=generator)
    shuffled = torch.rand(time, batch, num_own, generator=generator).argsort(-1)
    picked = (torch.arange(num_own) < most) & used.selected_units[..., None]
    queued = torch.randint(0, 2, (time, batch), generator=generator)
    target = torch.randint(0, entities - 1, (time, batch), generator=generator)
    place = torch.randint(0, 256 * SUBCELLS, (time, batch, 2), generator=generator)
    return Actions(
        action_type=action_type,
        delay=torch.randint(1, 128, (time, batch), generator=generator),
        queued=queued.where(used.queued, UNKNOWN),
        selected_units=shuffled.where(picked, UNKNOWN),
        target_unit=target.where(used.target_unit, UNKNOWN),
        target_location=place.where(used.target_location[..., None], UNKNOWN),
    )


def _one_of_each_kind() -> list[int]:
    uses = action_arguments()
    quick = uses.queued & ~uses.target_unit & ~uses.target_location
    point = uses.queued & uses.target_location
    unit = uses.queued & uses.target_unit
    return [int(kind.nonzero()[0][0]) for kind in (quick, point, unit)]
