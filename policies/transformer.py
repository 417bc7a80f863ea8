"""AlphaStar's entity encoder: self-attention over all units.

Vinyals et al. 2019, supplementary ``detailed-architecture.txt``: three layers, two heads, and
per layer a perceptron of two. Where the norm stands is not said there; here it stands before
attention and perceptron, as in AlphaStar Unplugged, which trains without warm-up.
"""

from jaxtyping import Bool, Float
from torch import Tensor, nn

from policies.attention import SelfAttentionBlock
from policies.config import TransformerConfig


class Transformer(nn.Module):
    """A stack of self-attention blocks."""

    def __init__(self, config: TransformerConfig, *, width: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            SelfAttentionBlock(
                width,
                heads=config.heads,
                head_width=config.head_width,
                hidden_width=config.mlp_width,
            )
            for _ in range(config.layers)
        )
        self.norm = nn.LayerNorm(width)

    def forward(
        self,
        inputs: Float[Tensor, "batch tokens channels"],
        mask: Bool[Tensor, "batch tokens"] | None = None,
    ) -> Float[Tensor, "batch tokens channels"]:
        """Return the tokens, each told of those that ``mask`` lets it see."""
        for layer in self.layers:
            inputs = layer(inputs, mask)
        return self.norm(inputs)
