"""Perceiver IO: latents read the inputs, think, and answer output queries.

Jaegle et al. 2021 (arXiv:2107.14795), section 3 and appendix E. The cost is linear in inputs
and outputs: only the few latents attend to each other. Nothing here knows of StarCraft: any
array with a mask goes in, any array of queries comes back answered, and one encoding serves any
number of decoders.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from policies.attention import (
    Perceptron,
    ReadingAttention,
    SelfAttentionBlock,
    WritingAttention,
)
from policies.config import PerceiverConfig


class PerceiverOutput(NamedTuple):
    """The answers, and the latents they were read from."""

    outputs: Float[Tensor, "batch outputs query_channels"]
    latents: Float[Tensor, "batch latents latent_channels"]


class PerceiverIO(nn.Module):
    """An encoder and one decoder."""

    def __init__(self, config: PerceiverConfig, *, input_width: int, query_width: int) -> None:
        super().__init__()
        self.encoder = PerceiverEncoder(config, input_width=input_width)
        self.decoder = PerceiverDecoder(config, query_width=query_width)

    def forward(
        self,
        inputs: Float[Tensor, "batch inputs channels"],
        mask: Bool[Tensor, "batch inputs"] | None,
        queries: Float[Tensor, "batch outputs query_channels"],
    ) -> PerceiverOutput:
        """Return an answer for each query; inputs outside ``mask`` are never seen."""
        latents = self.encoder(inputs, mask)
        return PerceiverOutput(self.decoder(queries, latents), latents)


class PerceiverEncoder(nn.Module):
    """Learned latents read the inputs once, then attend to each other."""

    def __init__(self, config: PerceiverConfig, *, input_width: int) -> None:
        super().__init__()
        width = config.latent_width
        self.latents = nn.Parameter(torch.empty(config.latents, width))
        nn.init.trunc_normal_(self.latents, std=0.02)
        self.latent_norm = nn.LayerNorm(width)
        self.input_norm = nn.LayerNorm(input_width)
        self.reading = ReadingAttention(width, key_width=input_width, heads=config.cross_heads)
        self.perceptron_norm = nn.LayerNorm(width)
        self.perceptron = Perceptron(width, hidden_width=config.latent_mlp_factor * width)
        self.layers = nn.ModuleList(
            SelfAttentionBlock(
                width,
                heads=config.heads,
                head_width=width // config.heads,
                hidden_width=config.latent_mlp_factor * width,
            )
            for _ in range(config.layers)
        )

    def forward(
        self,
        inputs: Float[Tensor, "batch inputs channels"],
        mask: Bool[Tensor, "batch inputs"] | None = None,
    ) -> Float[Tensor, "batch latents latent_channels"]:
        """Return the latents after they have read the inputs and thought about them."""
        latents = self.latents[None]
        latents = latents + self.reading(self.latent_norm(latents), self.input_norm(inputs), mask)
        latents = latents + self.perceptron(self.perceptron_norm(latents))
        for layer in self.layers:
            latents = layer(latents)
        return latents


class PerceiverDecoder(nn.Module):
    """Each query reads the latents once; queries do not see each other."""

    def __init__(self, config: PerceiverConfig, *, query_width: int) -> None:
        super().__init__()
        self.query_residual = config.query_residual
        self.query_norm = nn.LayerNorm(query_width)
        self.latent_norm = nn.LayerNorm(config.latent_width)
        self.writing = WritingAttention(
            query_width, key_width=config.latent_width, heads=config.cross_heads
        )
        self.perceptron_norm = nn.LayerNorm(query_width)
        self.perceptron = Perceptron(
            query_width, hidden_width=config.decoder_mlp_factor * query_width
        )

    def forward(
        self,
        queries: Float[Tensor, "batch outputs query_channels"],
        latents: Float[Tensor, "batch latents latent_channels"],
    ) -> Float[Tensor, "batch outputs query_channels"]:
        """Return what the latents have to say to each query."""
        outputs = self.writing(self.query_norm(queries), self.latent_norm(latents))
        if self.query_residual:
            outputs = queries + outputs
        return outputs + self.perceptron(self.perceptron_norm(outputs))
