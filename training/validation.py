"""The same few held-out games, predicted again and again while a policy learns."""

from collections.abc import Iterable

import torch

from policies.core import CoreState
from policies.policy import Policy
from training.devices import to_device
from training.losses.supervised import supervised_losses
from training.predictions import HeadSums, head_hits
from training.streams import Batch


@torch.no_grad()
def validate(policy: Policy, batches: Iterable[Batch]) -> HeadSums:
    """Predict whole games, the policy's memory running from the first step of each."""
    device = next(policy.parameters()).device
    size = policy.config.location_size
    states: dict[int, CoreState] = {}
    parts: list[HeadSums] = []
    for batch in batches:
        for i, chunk in enumerate(to_device(chunk, device) for chunk in batch.chunks):
            state = states.get(i) or policy.initial_state(chunk.is_first.shape[1])
            output = policy(chunk.observations, chunk.actions, state, chunk.is_first, chunk.masks)
            states[i] = output.state
            losses = supervised_losses(output, chunk.actions, chunk.masks, location_size=size)
            hits = head_hits(output, chunk.actions, chunk.masks, location_size=size)
            parts.append(HeadSums.of_rows(losses, hits, chunk.dropped))
    return HeadSums(*(torch.stack(column).sum(0) for column in zip(*parts, strict=True)))
