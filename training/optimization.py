"""One update of the weights: the schedule, and steps that are refused because they would harm."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from training.config import OptimizerConfig
from training.muon import Muon

_MUON_STATE = ("momentum",)
_ADAM_STATE = ("step", "exp_avg", "exp_avg_sq")


class NonFiniteError(ArithmeticError):
    """A loss or a gradient is not a number; the update must not be made."""


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


class PolicyOptimizer:
    """Muon for the matrices of linear, convolution and LSTM layers, Adam for all else.

    Embeddings are no such matrices, nor are transposed convolutions, whose rows are inputs.
    """

    def __init__(self, policy: nn.Module, config: OptimizerConfig) -> None:
        self._policy = policy
        self._max_norm = config.max_gradient_norm
        matrices = list(_matrices(policy))
        held = {id(matrix) for matrix in matrices}
        others = [p for p in policy.parameters() if id(p) not in held]
        rate = config.learning_rate
        self._muon = Muon(matrices, learning_rate=rate, momentum=config.momentum)
        self._adam = torch.optim.Adam(
            others, lr=rate, betas=config.betas, eps=config.epsilon, fused=True
        )

    def step(self, rate: float) -> float:
        """Clip the gradients by their global norm, change the weights, and return the norm.

        Raises:
            NonFiniteError: naming a weight whose gradient is not finite; no weight was changed.
        """
        gradients = [p.grad for p in self._policy.parameters() if p.grad is not None]
        norm = nn.utils.get_total_norm(gradients)
        if not bool(norm.isfinite()):
            raise NonFiniteError(f"the gradient of {_first_non_finite(self._policy)}")
        nn.utils.clip_grads_with_norm_(self._policy.parameters(), self._max_norm, norm)
        for part in (self._muon, self._adam):
            for group in part.param_groups:
                group["lr"] = rate
            part.step()
        return float(norm)

    def tensors(self) -> dict[str, Tensor]:
        """Return the state, by what it is and the name of the weight it belongs to."""
        return {
            f"{key}/{name}": value
            for name, parameter in self._policy.named_parameters()
            for part in (self._muon, self._adam)
            for key, value in part.state.get(parameter, {}).items()
        }

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Take up the state that ``tensors`` returned."""
        names = {parameter: name for name, parameter in self._policy.named_parameters()}
        for part, keys in ((self._muon, _MUON_STATE), (self._adam, _ADAM_STATE)):
            for parameter in part.param_groups[0]["params"]:
                named = {key: tensors.get(f"{key}/{names[parameter]}") for key in keys}
                kept = {k: v.to(parameter.device) for k, v in named.items() if v is not None}
                if kept:
                    part.state[parameter] = kept


def _matrices(policy: nn.Module) -> Iterator[nn.Parameter]:
    for module in policy.modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.LSTM):
            yield from (p for p in module.parameters(recurse=False) if p.ndim > 1)


def _first_non_finite(policy: nn.Module) -> str:
    for name, parameter in policy.named_parameters():
        if parameter.grad is not None and not bool(parameter.grad.isfinite().all()):
            return name
    return "all weights together"  # each is finite, their squares are not
