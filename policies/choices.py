"""Choices for the rows of a batch, of which each head sees only those that need it."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from envs.interface import UNKNOWN
from policies.distributions import Sampling, draw, log_probability


class Choice(NamedTuple):
    """What was chosen, ``UNKNOWN`` where nothing was, and its log-probability, zero there."""

    choice: Int[Tensor, "rows ..."]
    log_probability: Float[Tensor, " rows"]


class Choices(NamedTuple):
    """How choices are made, for a number of rows of which each head sees some."""

    num_rows: int
    sampling: Sampling
    temperature: float
    generator: torch.Generator

    def make(
        self,
        logits: Float[Tensor, "chosen classes"],
        rows: Int[Tensor, " chosen"],
        *,
        temperature: float | None = None,
    ) -> Choice:
        """Return a choice for each of ``rows``, and ``UNKNOWN`` for the others."""
        choice = draw(
            logits,
            sampling=self.sampling,
            temperature=self.temperature if temperature is None else temperature,
            generator=self.generator,
        )
        return self.spread(choice, log_probability(logits, choice), rows)

    def spread(
        self,
        choice: Int[Tensor, "chosen ..."],
        log_probability: Float[Tensor, " chosen"],
        rows: Int[Tensor, " chosen"],
    ) -> Choice:
        """Return what was chosen for some rows as a choice for all."""
        everywhere = choice.new_full((self.num_rows, *choice.shape[1:]), UNKNOWN)
        zeros = log_probability.new_zeros(self.num_rows)
        return Choice(
            everywhere.index_copy(0, rows, choice), zeros.index_copy(0, rows, log_probability)
        )
