"""Sums over many steps of how well a policy's distributions fit what was done."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from policies.batch import Actions, HeadMasks
from policies.heads.location import location_cells
from policies.policy import PolicyOutput
from training.losses.supervised import HeadLosses

HEADS = HeadMasks._fields


class HeadHits(NamedTuple):
    """Whether the likeliest choice was made; for units, whether the first pick is of the set."""

    action_type: Bool[Tensor, " action_types"]
    delay: Bool[Tensor, " delays"]
    queued: Bool[Tensor, " queues"]
    selected_units: Bool[Tensor, " selections"]
    target_unit: Bool[Tensor, " target_units"]
    target_location: Bool[Tensor, " target_locations"]


class HeadSums(NamedTuple):
    """Losses, hits and steps, each summed by head in the order of ``HEADS``."""

    losses: Float[Tensor, " heads"]
    hits: Float[Tensor, " heads"]
    counts: Float[Tensor, " heads"]
    dropped: Float[Tensor, " heads"]

    @classmethod
    def of_rows(cls, losses: HeadLosses, hits: HeadHits, dropped: HeadMasks) -> "HeadSums":
        """Sum the rows of every head."""
        return cls(
            losses=torch.stack([rows.detach().sum() for rows in losses]).double().cpu(),
            hits=torch.stack([rows.sum() for rows in hits]).double().cpu(),
            counts=torch.tensor([float(len(rows)) for rows in losses], dtype=torch.float64),
            dropped=torch.stack([mask.sum() for mask in dropped]).double().cpu(),
        )

    def plus(self, other: "HeadSums") -> "HeadSums":
        """Return the sums of both."""
        return HeadSums(*(a + b for a, b in zip(self, other, strict=True)))

    def scalars(self, prefix: str) -> dict[str, float]:
        """Return means by head, for heads that any step called for."""
        scalars: dict[str, float] = {}
        for i, head in enumerate(HEADS):
            count, dropped = float(self.counts[i]), float(self.dropped[i])
            if count:
                scalars[f"{prefix}/loss/{head}"] = float(self.losses[i]) / count
                scalars[f"{prefix}/top1/{head}"] = float(self.hits[i]) / count
            if count + dropped:
                scalars[f"{prefix}/masked/{head}"] = dropped / (count + dropped)
        return scalars


def head_hits(
    output: PolicyOutput, actions: Actions, masks: HeadMasks, *, location_size: int
) -> HeadHits:
    """Return, for every row that counts, whether the likeliest choice is right."""
    cells = location_cells(actions.target_location[masks.target_location], location_size)
    selected = actions.selected_units[masks.selected_units]
    first_pick = output.selected_units[:, 0].argmax(-1)
    return HeadHits(
        action_type=output.action_type.argmax(-1) == actions.action_type[masks.action_type],
        delay=output.delay.argmax(-1) == actions.delay[masks.delay],
        queued=output.queued.argmax(-1) == actions.queued[masks.queued],
        selected_units=(selected == first_pick[:, None]).any(-1),
        target_unit=output.target_unit.argmax(-1) == actions.target_unit[masks.target_unit],
        target_location=output.target_location.argmax(-1) == cells,
    )
