"""A policy that learns to act as recorded players did: what one batch does to it."""

import contextlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from agent.checkpoint import TrainingState
from policies.core import CoreState
from policies.policy import Policy
from training.config import HeadWeights, OptimizerConfig
from training.devices import to_device
from training.losses.supervised import HeadLosses, supervised_losses
from training.optimization import NonFiniteError, PolicyOptimizer
from training.predictions import HEADS, HeadSums, head_hits
from training.streams import Batch, Chunk


class Update(NamedTuple):
    """What one batch showed."""

    sums: HeadSums
    loss: float  # the weighted sum that was descended
    gradient_norm: float


class Cloner:
    """A policy, its optimizer, and the memory that each stream has of its game."""

    def __init__(
        self,
        policy: Policy,
        *,
        num_streams: int,
        optimizer: OptimizerConfig,
        head_weights: HeadWeights,
        autocast: torch.dtype | None,
    ) -> None:
        self.policy = policy.train()  # cuDNN's LSTM learns in no other mode
        self.num_updates = 0
        self._optimizer = PolicyOptimizer(policy, optimizer)
        self._autocast = autocast
        self._device = next(policy.parameters()).device
        self._state = policy.initial_state(num_streams)
        weights = [float(getattr(head_weights, head)) for head in HEADS]
        self._weights = torch.tensor(weights, device=self._device)

    def update(self, batch: Batch, *, learning_rate: float) -> Update:
        """Learn from a batch.

        Raises:
            NonFiniteError: saying where; the weights are as they were, and streams in which a game
                began forget the one before.
        """
        try:
            return self._update(batch, learning_rate)
        except NonFiniteError:
            self._forget_ended_games(batch)
            raise

    def _update(self, batch: Batch, learning_rate: float) -> Update:
        self.policy.zero_grad()
        scales = self._weights / _counts(batch.chunks).to(self._device).clamp(min=1)
        states: list[CoreState] = []
        sums: HeadSums | None = None
        first = 0
        for chunk in batch.chunks:
            num_streams = chunk.is_first.shape[1]
            state = _streams_of(self._state, first, first + num_streams)
            first += num_streams
            chunk_sums, state = self._backward(to_device(chunk, self._device), state, scales)
            states.append(state)
            sums = chunk_sums if sums is None else sums.plus(chunk_sums)
        norm = self._optimizer.step(learning_rate)
        self._state = CoreState(*(torch.cat(parts, dim=1) for parts in zip(*states, strict=True)))
        self.num_updates += 1
        assert sums is not None
        return Update(sums, float((sums.losses * scales.double().cpu()).sum()), norm)

    def _forget_ended_games(self, batch: Batch) -> None:
        goes_on = ~torch.cat([chunk.is_first.any(0) for chunk in batch.chunks]).to(self._device)
        self._state = CoreState(*(part * goes_on[:, None] for part in self._state))

    def training_state(self, values: dict[str, Any]) -> TrainingState:
        """Return what, with the weights, lets another cloner go on from here."""
        tensors = self._optimizer.tensors()
        memories = {f"state/{name}": part for name, part in self._state._asdict().items()}
        return TrainingState(tensors | memories, {**values, "num_updates": self.num_updates})

    def restore(self, training: TrainingState) -> None:
        """Take up what ``training_state`` returned."""
        self._optimizer.restore(training.tensors)
        parts = [training.tensors[f"state/{name}"].to(self._device) for name in CoreState._fields]
        self._state = CoreState(*parts)
        self.num_updates = int(training.values["num_updates"])

    def _backward(
        self, chunk: Chunk, state: CoreState, scales: Float[Tensor, " heads"]
    ) -> tuple[HeadSums, CoreState]:
        size = self.policy.config.location_size
        with _autocast(self._device, self._autocast):
            output = self.policy(
                chunk.observations, chunk.actions, state, chunk.is_first, chunk.masks
            )
        losses = supervised_losses(output, chunk.actions, chunk.masks, location_size=size)
        _require_finite(losses)
        total = (torch.stack([rows.sum() for rows in losses]) * scales).sum()
        if total.requires_grad:
            total.backward()
        with torch.no_grad():
            hits = head_hits(output, chunk.actions, chunk.masks, location_size=size)
        memory = CoreState(*(part.detach() for part in output.state))
        return HeadSums.of_rows(losses, hits, chunk.dropped), memory


def _counts(chunks: Sequence[Chunk]) -> Float[Tensor, " heads"]:
    """Return the steps that count for each head in the whole batch."""
    of_chunks = [torch.stack([mask.sum() for mask in chunk.masks]) for chunk in chunks]
    return torch.stack(of_chunks).sum(0).float()


def _streams_of(state: CoreState, first: int, end: int) -> CoreState:
    return CoreState(*(part[:, first:end] for part in state))


def _require_finite(losses: HeadLosses) -> None:
    for head, rows in losses._asdict().items():
        if not bool(rows.isfinite().all()):
            raise NonFiniteError(f"the loss of {head}")


def _autocast(
    device: torch.device, dtype: torch.dtype | None
) -> contextlib.AbstractContextManager[None]:
    if dtype is None:
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=dtype)
