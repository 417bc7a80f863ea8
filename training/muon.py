"""Muon: momentum whose update is made orthogonal, for the matrices between layers.

Jordan et al. 2024 (https://kellerjordan.github.io/posts/muon/), scaled to the matrix's size as in
Liu et al. 2025 (arXiv:2502.16982, section 2.2), so that one learning rate serves Adam too.
``torch.optim.Muon`` is the same in bfloat16, which a CPU without units for it has to emulate: on
one, all of ``tiny``'s matrices took it some thirty times as long.
"""

from collections.abc import Iterable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

NEWTON_SCHULZ = (3.4445, -4.775, 2.0315)
"""Coefficients of the odd quintic that drives singular values towards one (Jordan et al.)."""
NEWTON_SCHULZ_STEPS = 5
UPDATE_SIZE = 0.1
"""Root mean square of the update at learning rate one; Liu et al. have 0.2, as Adam's is."""


class Muon(torch.optim.Optimizer):
    """Steps along the orthogonalised Nesterov momentum of each weight's gradient.

    A weight of more than two dimensions, as of a convolution, is one matrix with a row for each
    output.
    """

    def __init__(
        self, parameters: Iterable[nn.Parameter], *, learning_rate: float, momentum: float
    ) -> None:
        super().__init__(parameters, {"lr": learning_rate, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Change every weight that has a gradient; there is no closure."""
        assert closure is None
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._change(parameter, group["lr"], group["momentum"])

    def _change(self, parameter: nn.Parameter, rate: float, decay: float) -> None:
        assert parameter.grad is not None
        state = self.state[parameter]
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
        state["momentum"].lerp_(parameter.grad, 1 - decay)
        ahead = parameter.grad.lerp(state["momentum"], decay).flatten(1)
        size = UPDATE_SIZE * max(ahead.shape) ** 0.5
        change = orthogonalised(ahead).view_as(parameter)
        # A head that nothing in the batch called for has a gradient of zeros, and stays.
        parameter.add_(change * parameter.grad.any(), alpha=-rate * size)


def orthogonalised(matrix: Float[Tensor, "rows columns"]) -> Float[Tensor, "rows columns"]:
    """Return the matrix with its singular values near one (0.7 to 1.2).

    Those under some 0.002 of its norm stay below that, and zero stays zero.
    """
    is_tall = matrix.shape[0] > matrix.shape[1]
    wide = matrix.T if is_tall else matrix
    wide = wide / wide.norm().clamp(min=1e-7)
    a, b, c = NEWTON_SCHULZ
    for _ in range(NEWTON_SCHULZ_STEPS):
        gram = wide @ wide.T
        wide = torch.addmm(wide, torch.addmm(gram, gram, gram, beta=b, alpha=c), wide, beta=a)
    return wide.T if is_tall else wide
