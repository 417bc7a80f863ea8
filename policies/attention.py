"""Multi-head attention in three shapes, and the perceptron that follows it.

Self-attention is the usual one. Cross-attention between a few latents and many tokens never
computes a key, value, query or output projection per token: those matrices are multiplied with
each other on the latents' side first. By associativity

    (Z Wq) (X Wk)^T = (Z Wq Wk^T) X^T    and    (A (X Wv)) Wo = (A X) (Wv Wo),

so the outputs are the same (Jaegle et al. 2021, arXiv:2107.14795, appendix E) at a cost per
token of ``heads * latents`` dot products in place of four square matrices. It pays while that
number is below some four times the width, as it is for a few dozen latents.

The cross-attentions project queries, keys and values without a bias: the layer norm's own does
the query's work, the key's drops out of the softmax, and the value's adds up with the output's. A
row whose keys are all masked gets zero.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F


class SelfAttention(nn.Module):
    """Attention of a set to itself."""

    def __init__(self, width: int, *, heads: int, head_width: int) -> None:
        super().__init__()
        self.heads = heads
        self.queries_keys_values = nn.Linear(width, 3 * heads * head_width)
        self.output = nn.Linear(heads * head_width, width)

    def forward(
        self,
        inputs: Float[Tensor, "batch tokens channels"],
        mask: Bool[Tensor, "batch tokens"] | None = None,
    ) -> Float[Tensor, "batch tokens channels"]:
        """Return what each token gathers from those that ``mask`` lets it see."""
        projected = self.queries_keys_values(inputs)
        queries, keys, values = projected.unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        visible = None if mask is None else _attention_mask(mask)
        gathered = F.scaled_dot_product_attention(queries, keys, values, attn_mask=visible)
        outputs = self.output(gathered.transpose(1, 2).flatten(2))
        return outputs if mask is None else _zero_where_nothing_is_seen(outputs, mask)


class CrossAttention(nn.Module):
    """The weights that both directions of cross-attention have."""

    def __init__(self, query_width: int, *, key_width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(query_width, key_width, bias=False)
        self.key = nn.Linear(key_width, key_width, bias=False)
        self.value = nn.Linear(key_width, key_width, bias=False)
        self.output = nn.Linear(key_width, query_width)


class ReadingAttention(CrossAttention):
    """Few queries read many inputs."""

    def forward(
        self,
        queries: Float[Tensor, "#batch latents latent_channels"],
        inputs: Float[Tensor, "batch inputs channels"],
        mask: Bool[Tensor, "batch inputs"] | None = None,
    ) -> Float[Tensor, "batch latents latent_channels"]:
        """Return what each query gathers from the inputs that ``mask`` shows."""
        projected = self.query(queries).unflatten(-1, (self.heads, -1))
        key = self.key.weight.unflatten(0, (self.heads, -1))
        folded = torch.einsum("blhd,hdc->bhlc", projected, key).flatten(1, 2)
        gathered = _gather_inputs(folded, inputs, mask, scale=projected.shape[-1] ** -0.5)

        value = self.value.weight.unflatten(0, (self.heads, -1))
        output = self.output.weight.unflatten(1, (self.heads, -1))
        folded_output = torch.einsum("hdc,ohd->hco", value, output).flatten(0, 1)
        gathered = gathered.unflatten(1, (self.heads, -1)).transpose(1, 2).flatten(2)
        outputs = gathered @ folded_output + self.output.bias
        return outputs if mask is None else _zero_where_nothing_is_seen(outputs, mask)


class WritingAttention(CrossAttention):
    """Many queries read few latents."""

    def forward(
        self,
        queries: Float[Tensor, "batch outputs channels"],
        latents: Float[Tensor, "batch latents latent_channels"],
    ) -> Float[Tensor, "batch outputs channels"]:
        """Return what each query gathers from the latents."""
        keys = self.key(latents).unflatten(-1, (self.heads, -1))
        query = self.query.weight.unflatten(0, (self.heads, -1))
        folded_keys = torch.einsum("blhd,hdc->bhlc", keys, query) * keys.shape[-1] ** -0.5
        logits = queries @ folded_keys.flatten(1, 2).mT  # batch outputs heads*latents
        weights = logits.unflatten(-1, (self.heads, -1)).softmax(-1).flatten(2)

        values = self.value(latents).unflatten(-1, (self.heads, -1))
        output = self.output.weight.unflatten(1, (self.heads, -1))
        folded_values = torch.einsum("blhd,ohd->bhlo", values, output).flatten(1, 2)
        return torch.baddbmm(self.output.bias, weights.to(folded_values), folded_values)


class SelfAttentionBlock(nn.Module):
    """Attention and perceptron, each normed before and added to what came in."""

    def __init__(self, width: int, *, heads: int, head_width: int, hidden_width: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = SelfAttention(width, heads=heads, head_width=head_width)
        self.perceptron_norm = nn.LayerNorm(width)
        self.perceptron = Perceptron(width, hidden_width=hidden_width)

    def forward(
        self,
        inputs: Float[Tensor, "batch tokens channels"],
        mask: Bool[Tensor, "batch tokens"] | None = None,
    ) -> Float[Tensor, "batch tokens channels"]:
        """Return the tokens, each told of those that ``mask`` lets it see."""
        inputs = inputs + self.attention(self.attention_norm(inputs), mask)
        return inputs + self.perceptron(self.perceptron_norm(inputs))


class Perceptron(nn.Sequential):
    """Two layers, GELU between."""

    def __init__(self, width: int, *, hidden_width: int) -> None:
        super().__init__(nn.Linear(width, hidden_width), nn.GELU(), nn.Linear(hidden_width, width))


def _gather_inputs(
    queries: Float[Tensor, "#batch rows channels"],
    inputs: Float[Tensor, "batch inputs channels"],
    mask: Bool[Tensor, "batch inputs"] | None,
    *,
    scale: float,
) -> Float[Tensor, "batch rows channels"]:
    """Attend with the inputs themselves as keys and values, all rows as one head."""
    return F.scaled_dot_product_attention(
        queries.expand(len(inputs), -1, -1)[:, None],
        inputs[:, None],
        inputs[:, None],
        attn_mask=None if mask is None else _attention_mask(mask),
        scale=scale,
    )[:, 0]


def _attention_mask(mask: Bool[Tensor, "batch inputs"]) -> Bool[Tensor, "batch 1 1 inputs"]:
    """Return the mask, but all true where nothing is seen: a softmax over nothing is NaN."""
    return (mask | ~mask.any(-1, keepdim=True))[:, None, None, :]


def _zero_where_nothing_is_seen(
    outputs: Float[Tensor, "batch rows channels"], mask: Bool[Tensor, "batch inputs"]
) -> Float[Tensor, "batch rows channels"]:
    return outputs * mask.any(-1)[:, None, None]
