"""The same few held-out games, predicted again and again while a policy learns."""

import math
from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from policies.core import CoreState
from policies.policy import Policy
from training.devices import in_parallel, to_device
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


class _Predicted(NamedTuple):
    sums: HeadSums
    scored: Float[Tensor, " 2"]
    state: CoreState


def validate(policy: Policy, batches: Iterable[Batch]) -> Validation:
    """Predict whole games, the policy's memory running from the first step of each."""
    device = next(policy.parameters()).device
    states: list[CoreState] = []
    parts: list[_Predicted] = []
    for batch in batches:
        if not states:
            states = [policy.initial_state(chunk.is_first.shape[1]) for chunk in batch.chunks]
        predict = partial(_predict, policy)
        predicted = list(in_parallel(predict, batch.chunks, states, device=device))
        states = [part.state for part in predicted]
        parts += predicted
    columns = zip(*(part.sums for part in parts), strict=True)
    sums = HeadSums(*(torch.stack(column).sum(0) for column in columns))
    scored = torch.stack([part.scored for part in parts]).sum(0)
    return Validation(sums, float(scored[0] / scored[1].clamp(min=1)))


@torch.no_grad()
def _predict(policy: Policy, chunk: Chunk, state: CoreState) -> _Predicted:
    chunk = to_device(chunk, state.hidden.device)
    size = policy.config.location_size
    output = policy(chunk.observations, chunk.actions, state, chunk.is_first, chunk.masks)
    losses = supervised_losses(output, chunk.actions, chunk.masks, location_size=size)
    hits = head_hits(output, chunk.actions, chunk.masks, location_size=size)
    sums = HeadSums.of_rows(losses, hits, chunk.dropped)
    return _Predicted(sums, _scored_nll(chunk, losses).cpu(), output.state)


def _scored_nll(chunk: Chunk, losses: HeadLosses) -> Float[Tensor, " 2"]:
    """Return the sum over scored commands, forbidden ones at their price, and their number."""
    wanted = is_scored(chunk.places.flags)
    allowed = losses.action_type[wanted[chunk.masks.action_type]].double()
    num_forbidden = (chunk.dropped.action_type & wanted).sum()
    price = -math.log(FORBIDDEN_PROBABILITY)
    return torch.stack([allowed.sum() + price * num_forbidden, len(allowed) + num_forbidden])
