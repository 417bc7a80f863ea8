"""Cross-attention with matrices multiplied on the latents' side, against the plain form."""

import pytest
import torch
from torch import Tensor

from policies.attention import CrossAttention, ReadingAttention, SelfAttention, WritingAttention


def plain_attention(
    module: CrossAttention, queries: Tensor, inputs: Tensor, mask: Tensor | None = None
) -> Tensor:
    """Project every token, as papers write it (arXiv:2107.14795, appendix E)."""
    split = (module.heads, -1)
    q = module.query(queries).unflatten(-1, split)
    k = module.key(inputs).unflatten(-1, split)
    v = module.value(inputs).unflatten(-1, split)
    logits = torch.einsum("bqhd,bkhd->bhqk", q, k) / q.shape[-1] ** 0.5
    if mask is not None:
        logits = logits.masked_fill(~mask[:, None, None], -torch.inf)
    weights = logits.softmax(-1).nan_to_num(0.0)
    outputs = module.output(torch.einsum("bhqk,bkhd->bqhd", weights, v).flatten(2))
    return outputs if mask is None else outputs * mask.any(-1)[:, None, None]


def reading_case(dtype: torch.dtype) -> tuple[ReadingAttention, Tensor, Tensor]:
    torch.manual_seed(0)
    module = ReadingAttention(24, key_width=32, heads=2).to(dtype)
    return module, torch.randn(3, 5, 24, dtype=dtype), torch.randn(3, 40, 32, dtype=dtype)


def writing_case(dtype: torch.dtype) -> tuple[WritingAttention, Tensor, Tensor]:
    torch.manual_seed(0)
    module = WritingAttention(32, key_width=24, heads=2).to(dtype)
    return module, torch.randn(3, 40, 32, dtype=dtype), torch.randn(3, 5, 24, dtype=dtype)


def outputs_and_gradients(function, module, queries, inputs, *rest) -> list[Tensor]:
    leaves = [queries.requires_grad_(), inputs.requires_grad_(), *module.parameters()]
    outputs = function(queries, inputs, *rest)
    weights = torch.linspace(-1, 1, outputs.numel(), dtype=outputs.dtype).view_as(outputs)
    return [outputs, *torch.autograd.grad((outputs * weights).sum(), leaves)]


def assert_equal_to_plain(module, queries, inputs, *rest) -> None:
    tolerance = {torch.float32: (1e-5, 1e-4), torch.float64: (1e-10, 1e-10)}[queries.dtype]

    def plain(*arguments: Tensor) -> Tensor:
        return plain_attention(module, *arguments)

    found = outputs_and_gradients(module, module, queries, inputs, *rest)
    expected = outputs_and_gradients(plain, module, queries, inputs, *rest)
    assert (found[0] - expected[0]).abs().max() <= tolerance[0]
    for one, other in zip(found[1:], expected[1:], strict=True):
        assert (one - other).norm() <= tolerance[1] * other.norm()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_reading_equals_plain_attention(dtype):
    assert_equal_to_plain(*reading_case(dtype))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_reading_under_a_mask_equals_plain_attention(dtype):
    mask = torch.rand(3, 40, generator=torch.Generator().manual_seed(1)) < 0.6
    assert_equal_to_plain(*reading_case(dtype), mask)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_writing_equals_plain_attention(dtype):
    assert_equal_to_plain(*writing_case(dtype))


def test_a_row_that_sees_nothing_reads_zero_and_spoils_no_gradient():
    module, queries, inputs = reading_case(torch.float32)
    mask = torch.ones(3, 40, dtype=torch.bool)
    mask[1] = False
    outputs = module(queries, inputs.requires_grad_(), mask)
    outputs.sum().backward()
    assert (outputs[1] == 0).all()
    assert (outputs[0] != 0).any()
    assert inputs.grad is not None
    assert inputs.grad.isfinite().all()
    assert (inputs.grad[1] == 0).all()


@pytest.mark.parametrize("make", ["reading", "self"])
def test_what_is_masked_does_not_matter(make):
    mask = torch.rand(3, 40, generator=torch.Generator().manual_seed(1)) < 0.6
    module, queries, inputs = reading_case(torch.float64)
    other = inputs.where(mask[..., None], torch.full_like(inputs, 7.0))
    if make == "reading":
        one, two = module(queries, inputs, mask), module(queries, other, mask)
    else:
        itself = SelfAttention(32, heads=2, head_width=16).double()
        one, two = itself(inputs, mask)[mask], itself(other, mask)[mask]
    torch.testing.assert_close(one, two, rtol=0, atol=1e-12)
