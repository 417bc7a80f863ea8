"""Observations and actions as tensors: sequences of steps, stacked into batches.

Everything is ``time batch ...``; acting is a sequence of one step. Entities are padded to the
batch's largest game state and selections to its largest selection, so no shape here is 512 or
64 by itself.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Int, Int8, Int16, Int32, UInt8
from torch import Tensor

from envs.interface import (
    UNKNOWN,
    Action,
    EntityFeature,
    Observation,
)


class Observations(NamedTuple):
    """``envs.interface.Observation``, batched; rows without a unit are zero and masked."""

    entities: Int16[Tensor, "time batch entities features"]
    entity_mask: Bool[Tensor, "time batch entities"]
    map_planes: UInt8[Tensor, "time batch planes height width"]
    scalars: Int32[Tensor, "time batch scalars"]
    upgrades: Int8[Tensor, "time batch upgrades"]
    build_order: Int16[Tensor, "time batch builds"]
    cumulative_statistics: Int8[Tensor, "time batch statistics"]


class Actions(NamedTuple):
    """``envs.interface.Action``, batched; what an action does not use is ``UNKNOWN``.

    ``selected_units`` holds rows of ``entities`` and is padded with ``UNKNOWN`` after the last
    pick; the end token is not stored, it follows the last pick.
    """

    action_type: Int[Tensor, "time batch"]
    delay: Int[Tensor, "time batch"]
    queued: Int[Tensor, "time batch"]
    selected_units: Int[Tensor, "time batch selected"]
    target_unit: Int[Tensor, "time batch"]
    target_location: Int[Tensor, "time batch 2"]  # x, y in subcells


class HeadMasks(NamedTuple):
    """Which steps count for which head, in a loss or a score."""

    action_type: Bool[Tensor, "time batch"]
    delay: Bool[Tensor, "time batch"]
    queued: Bool[Tensor, "time batch"]
    selected_units: Bool[Tensor, "time batch"]
    target_unit: Bool[Tensor, "time batch"]
    target_location: Bool[Tensor, "time batch"]


def stack_observations(steps: Sequence[Sequence[Observation]]) -> Observations:
    """Stack ``steps[time][batch]`` into tensors, padding entities to the largest state."""
    time, batch = len(steps), len(steps[0])
    most = max(1, max(len(observation.entities) for row in steps for observation in row))
    entities = np.zeros((time, batch, most, len(EntityFeature)), np.int16)
    entity_mask = np.zeros((time, batch, most), bool)
    for t, row in enumerate(steps):
        for b, observation in enumerate(row):
            count = len(observation.entities)
            entities[t, b, :count] = observation.entities
            entity_mask[t, b, :count] = True

    def stacked(name: str) -> Tensor:
        return torch.from_numpy(np.stack([np.stack([getattr(o, name) for o in r]) for r in steps]))

    return Observations(
        entities=torch.from_numpy(entities),
        entity_mask=torch.from_numpy(entity_mask),
        map_planes=stacked("map_planes"),
        scalars=stacked("scalars"),
        upgrades=stacked("upgrades"),
        build_order=stacked("build_order"),
        cumulative_statistics=stacked("cumulative_statistics"),
    )


def stack_actions(steps: Sequence[Sequence[Action]]) -> Actions:
    """Stack ``steps[time][batch]`` into tensors, padding selections to the largest."""
    time, batch = len(steps), len(steps[0])
    most = max(1, max(len(action.selected_units) for row in steps for action in row))
    selected = np.full((time, batch, most), UNKNOWN, np.int64)
    for t, row in enumerate(steps):
        for b, action in enumerate(row):
            selected[t, b, : len(action.selected_units)] = action.selected_units

    def column(name: str) -> Tensor:
        return torch.tensor([[getattr(a, name) for a in row] for row in steps], dtype=torch.int64)

    return Actions(
        action_type=column("action_type"),
        delay=column("delay"),
        queued=column("queued"),
        selected_units=torch.from_numpy(selected),
        target_unit=column("target_unit"),
        target_location=column("target_location"),
    )
