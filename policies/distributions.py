"""Choices among classes of which some are forbidden: the one place where any is made or scored.

Logits are masked once, by ``mask_logits``, and carry their mask with them from then on: what is
forbidden stands at ``MINIMUM``. That is a finite number (as in AlphaStar), so that no
difference of two is NaN, and so low that its probability is exactly zero. Where nothing is
allowed there is no choice: log-probability, entropy and divergence of such rows are zero.
"""

from enum import Enum, auto

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

MINIMUM = -1e9


class Sampling(Enum):
    """How a choice is made."""

    DRAW = auto()  # at random
    GREEDY = auto()  # the likeliest


def mask_logits(
    logits: Float[Tensor, "*rows classes"], mask: Bool[Tensor, "*#rows #classes"]
) -> Float[Tensor, "*rows classes"]:
    """Return the logits in float32, with what ``mask`` forbids at ``MINIMUM``."""
    return logits.float().masked_fill(~mask, MINIMUM)


def is_legal(
    logits: Float[Tensor, "*rows classes"], choice: Int[Tensor, "*rows"]
) -> Bool[Tensor, "*rows"]:
    """Return whether each choice is one of the classes and not forbidden."""
    known = (choice >= 0) & (choice < logits.shape[-1])
    return known & (_gather(logits, choice) > MINIMUM)


def log_softmax(logits: Float[Tensor, "*rows classes"]) -> Float[Tensor, "*rows classes"]:
    """Return log-probabilities; where nothing is allowed, those of a uniform distribution."""
    return logits.log_softmax(-1)


def log_probability(
    logits: Float[Tensor, "*rows classes"], choice: Int[Tensor, "*rows"]
) -> Float[Tensor, "*rows"]:
    """Return the log-probability of each choice; where nothing is allowed, zero."""
    return (_gather(logits, choice) - logits.logsumexp(-1)) * _any_legal(logits)


def entropy(logits: Float[Tensor, "*rows classes"]) -> Float[Tensor, "*rows"]:
    """Return the entropy in nats of each row's distribution."""
    log_probabilities = log_softmax(logits)
    return -(log_probabilities.exp() * log_probabilities).sum(-1) * _any_legal(logits)


def kl_divergence(
    teacher_logits: Float[Tensor, "*rows classes"], logits: Float[Tensor, "*rows classes"]
) -> Float[Tensor, "*rows"]:
    """Return KL(teacher || policy) in nats; both must be masked alike."""
    teacher = log_softmax(teacher_logits)
    divergence = (teacher.exp() * (teacher - log_softmax(logits))).sum(-1)
    return divergence * _any_legal(teacher_logits)


def draw(
    logits: Float[Tensor, "*rows classes"],
    *,
    sampling: Sampling,
    temperature: float,
    generator: torch.Generator,
) -> Int[Tensor, "*rows"]:
    """Return one allowed class a row; where nothing is allowed, any.

    Args:
        logits: masked.
        sampling: at random or the likeliest.
        temperature: divides the logits; below 1 is greedier.
        generator: where chance comes from, on the logits' device.
    """
    if sampling is Sampling.GREEDY:
        return logits.argmax(-1)
    # The largest of logit - log e, with e exponential, is a draw (Gumbel). Log e stays above -88.
    noise = torch.empty_like(logits).exponential_(generator=generator)
    noise = noise.clamp_(min=torch.finfo(noise.dtype).tiny).log_()
    return torch.sub(logits / temperature, noise).argmax(-1)


def _gather(
    logits: Float[Tensor, "*rows classes"], choice: Int[Tensor, "*rows"]
) -> Float[Tensor, "*rows"]:
    inside = choice.clamp(0, logits.shape[-1] - 1).long()
    return logits.gather(-1, inside[..., None]).squeeze(-1)


def _any_legal(logits: Float[Tensor, "*rows classes"]) -> Bool[Tensor, "*rows"]:
    return logits.amax(-1) > MINIMUM
