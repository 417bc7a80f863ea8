"""The same few held-out games, predicted again and again while a policy learns."""

import math
from collections.abc import Iterable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from policies.core import CoreState
from policies.policy import Policy
from training.devices import to_device
from training.losses.supervised import HeadLosses, supervised_losses
from training.measurement import FORBIDDEN_PROBABILITY, is_scored
from training.predictions import HeadSums, head_hits
from training.streams import Batch, Chunk


class Validation(NamedTuple):
    """What validation games showed."""

    sums: HeadSums  # as in training: every label that counts there
    scored_nll: float  # of the action type, as ``latentstar score`` has it, nats

    def scalars(self, prefix: str) -> dict[str, float]:
        """Return all of it by name."""
        return self.sums.scalars(prefix) | {f"{prefix}/score/action_type_nll": self.scored_nll}


@torch.no_grad()
def validate(policy: Policy, batches: Iterable[Batch]) -> Validation:
    """Predict whole games, the policy's memory running from the first step of each."""
    device = next(policy.parameters()).device
    size = policy.config.location_size
    states: dict[int, CoreState] = {}
    parts: list[HeadSums] = []
    scored = torch.zeros(2, dtype=torch.float64)
    for batch in batches:
        for i, chunk in enumerate(to_device(chunk, device) for chunk in batch.chunks):
            state = states.get(i) or policy.initial_state(chunk.is_first.shape[1])
            output = policy(chunk.observations, chunk.actions, state, chunk.is_first, chunk.masks)
            states[i] = output.state
            losses = supervised_losses(output, chunk.actions, chunk.masks, location_size=size)
            hits = head_hits(output, chunk.actions, chunk.masks, location_size=size)
            parts.append(HeadSums.of_rows(losses, hits, chunk.dropped))
            scored += _scored_nll(chunk, losses).cpu()
    sums = HeadSums(*(torch.stack(column).sum(0) for column in zip(*parts, strict=True)))
    return Validation(sums, float(scored[0] / scored[1].clamp(min=1)))


def _scored_nll(chunk: Chunk, losses: HeadLosses) -> Float[Tensor, " 2"]:
    """Return the sum over scored commands, forbidden ones at their price, and their number."""
    wanted = is_scored(chunk.places.flags)
    allowed = losses.action_type[wanted[chunk.masks.action_type]].double()
    num_forbidden = (chunk.dropped.action_type & wanted).sum()
    price = -math.log(FORBIDDEN_PROBABILITY)
    return torch.stack([allowed.sum() + price * num_forbidden, len(allowed) + num_forbidden])
