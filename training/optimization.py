"""One update of the weights: the schedule, and steps that are refused because they would harm."""

import math

import torch
from torch import Tensor, nn

from training.config import OptimizerConfig


class NonFiniteError(ArithmeticError):
    """A loss or a gradient is not a number; the update must not be made."""


def make_optimizer(policy: nn.Module, config: OptimizerConfig) -> torch.optim.Adam:
    """Return Adam over all of the policy's weights."""
    return torch.optim.Adam(
        policy.parameters(),
        lr=config.learning_rate,
        betas=config.betas,
        eps=config.epsilon,
        fused=True,
    )


def learning_rate(config: OptimizerConfig, *, num_updates: int, progress: float) -> float:
    """Return the learning rate of the next update.

    Linear from nothing over the first updates, under a cosine from one to ``final_share`` over
    the run's budget (Loshchilov and Hutter 2017, arXiv:1608.03983, without restarts).

    Args:
        config: the optimizer's.
        num_updates: updates made.
        progress: share of the run's budget that is used up.
    """
    warm_up = min(1.0, (num_updates + 1) / max(1, config.warm_up_updates))
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    return config.learning_rate * warm_up * (config.final_share + (1 - config.final_share) * cosine)


def apply_gradients(
    policy: nn.Module, optimizer: torch.optim.Adam, config: OptimizerConfig, rate: float
) -> float:
    """Clip the gradients by their global norm, change the weights, and return the norm.

    Raises:
        NonFiniteError: naming a weight whose gradient is not finite; no weight was changed.
    """
    gradients = [p.grad for p in policy.parameters() if p.grad is not None]
    norm = nn.utils.get_total_norm(gradients)
    if not bool(norm.isfinite()):
        raise NonFiniteError(f"the gradient of {_first_non_finite(policy)}")
    nn.utils.clip_grads_with_norm_(policy.parameters(), config.max_gradient_norm, norm)
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()
    return float(norm)


def optimizer_tensors(policy: nn.Module, optimizer: torch.optim.Adam) -> dict[str, Tensor]:
    """Return the optimizer's state by the names of the weights it belongs to."""
    return {
        f"{key}/{name}": value
        for name, parameter in policy.named_parameters()
        for key, value in optimizer.state.get(parameter, {}).items()
    }


def restore_optimizer(
    policy: nn.Module, optimizer: torch.optim.Adam, tensors: dict[str, Tensor]
) -> None:
    """Give the optimizer the state that ``optimizer_tensors`` took."""
    state: dict[int, dict[str, Tensor]] = {}
    for i, (name, _) in enumerate(policy.named_parameters()):
        found = {key: tensors.get(f"{key}/{name}") for key in ("step", "exp_avg", "exp_avg_sq")}
        kept = {key: tensor for key, tensor in found.items() if tensor is not None}
        if kept:
            state[i] = kept
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})


def _first_non_finite(policy: nn.Module) -> str:
    for name, parameter in policy.named_parameters():
        if parameter.grad is not None and not bool(parameter.grad.isfinite().all()):
            return name
    return "all weights together"  # each is finite, their squares are not
