"""The update of matrices: against PyTorch's own, and its laws."""

import pytest
import torch
from torch import Tensor, nn

from training.muon import Muon, orthogonalised


@pytest.mark.parametrize("shape", [(6, 6), (4, 30), (30, 4), (1, 7)])
def test_singular_values_come_near_one(shape: tuple[int, int]):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    found = orthogonalised(matrix)
    values = torch.linalg.svdvals(found)
    assert values.min() > 0.6
    assert values.max() < 1.25
    in_their_directions = left.T @ found @ right.T
    assert torch.allclose(in_their_directions, in_their_directions.diag().diag(), atol=1e-4)


def test_the_size_of_the_gradient_does_not_matter():
    matrix = torch.randn(5, 8, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(orthogonalised(matrix), orthogonalised(1e3 * matrix), atol=1e-5)
    assert torch.equal(orthogonalised(torch.zeros(3, 4)), torch.zeros(3, 4))


def test_as_pytorchs_but_for_its_rounding():
    generator = torch.Generator().manual_seed(2)
    start = torch.randn(12, 20, generator=generator)
    ours, theirs = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    muon = Muon([ours], learning_rate=0.2, momentum=0.9)  # its updates are half as large
    reference = torch.optim.Muon(
        [theirs], lr=0.1, momentum=0.9, weight_decay=0.0, adjust_lr_fn="match_rms_adamw"
    )
    for _ in range(5):
        ours.grad = torch.randn(12, 20, generator=generator)
        theirs.grad = ours.grad.clone()
        muon.step()
        reference.step()
    moved = (theirs - start).norm()
    assert (ours - theirs).norm() < 0.02 * moved


def test_a_convolution_is_a_matrix_with_a_row_for_each_output():
    generator = torch.Generator().manual_seed(3)
    gradient = torch.randn(4, 3, 2, 2, generator=generator)
    as_filter, as_matrix = nn.Parameter(torch.zeros(4, 3, 2, 2)), nn.Parameter(torch.zeros(4, 12))

    def step(parameter: nn.Parameter, of: Tensor) -> Tensor:
        parameter.grad = of
        Muon([parameter], learning_rate=0.1, momentum=0.9).step()
        return parameter.detach().flatten()

    assert torch.allclose(step(as_filter, gradient), step(as_matrix, gradient.flatten(1)))


def test_a_weight_without_a_gradient_stays():
    weight = nn.Parameter(torch.ones(2, 3))
    muon = Muon([weight], learning_rate=0.1, momentum=0.9)
    muon.step()
    assert torch.equal(weight, torch.ones(2, 3))
    assert not muon.state


def test_a_weight_whose_gradient_is_all_zero_stays():
    weight = nn.Parameter(torch.ones(2, 3))
    muon = Muon([weight], learning_rate=0.1, momentum=0.9)
    weight.grad = torch.randn(2, 3, generator=torch.Generator().manual_seed(4))
    muon.step()
    before = weight.detach().clone()
    weight.grad = torch.zeros(2, 3)
    muon.step()
    assert torch.equal(weight, before)
