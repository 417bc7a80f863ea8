"""The heads that choose among fixed classes: action type, delay and queued.

Vinyals et al. 2019, supplementary ``detailed-architecture.txt``. The action type starts the
autoregressive embedding; each later argument is added to it.
"""

from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from policies.config import HeadsConfig
from policies.core import ResidualBlock
from policies.distributions import mask_logits

OPEN_GATE = 3.0
"""Where the gates' biases start: nearly open, so that a gate has to learn to close."""


class GatedLinear(nn.Module):
    """A linear layer on inputs that the context lets through (Dauphin et al. 2017)."""

    def __init__(self, width: int, *, context_width: int, output_width: int) -> None:
        super().__init__()
        self.gate = nn.Linear(context_width, width)
        nn.init.constant_(self.gate.bias, OPEN_GATE)
        self.output = nn.Linear(width, output_width)

    def forward(
        self,
        inputs: Float[Tensor, "rows channels"],
        context: Float[Tensor, "rows context_channels"],
    ) -> Float[Tensor, "rows output_channels"]:
        """Return the gated and projected inputs."""
        return self.output(inputs * self.gate(context).sigmoid())


class ActionTypeHead(nn.Module):
    """Which of the raw functions."""

    def __init__(
        self, config: HeadsConfig, *, classes: int, input_width: int, context_width: int
    ) -> None:
        super().__init__()
        width = config.action_type_width
        self.input = nn.Linear(input_width, width)
        self.blocks = nn.Sequential(
            *(ResidualBlock(width) for _ in range(config.action_type_blocks))
        )
        self.norm = nn.LayerNorm(width)
        self.output = GatedLinear(width, context_width=context_width, output_width=classes)

    def forward(
        self,
        lstm_output: Float[Tensor, "rows channels"],
        scalar_context: Float[Tensor, "rows context_channels"],
        mask: Bool[Tensor, "rows classes"],
    ) -> Float[Tensor, "rows classes"]:
        """Return the logits of the action types, those outside ``mask`` forbidden."""
        hidden = self.norm(self.blocks(self.input(lstm_output))).relu()
        return mask_logits(self.output(hidden, scalar_context), mask)


class AutoregressiveStart(nn.Module):
    """The core's output and the action type, as what the arguments are decided from."""

    def __init__(
        self, config: HeadsConfig, *, classes: int, input_width: int, context_width: int
    ) -> None:
        super().__init__()
        width, output_width = config.action_type_width, config.autoregressive_width
        self.action_type = ChoiceEmbedding(classes, width)
        self.of_choice = GatedLinear(width, context_width=context_width, output_width=output_width)
        self.of_core = GatedLinear(
            input_width, context_width=context_width, output_width=output_width
        )

    def forward(
        self,
        action_type: Int[Tensor, " rows"],
        lstm_output: Float[Tensor, "rows channels"],
        scalar_context: Float[Tensor, "rows context_channels"],
    ) -> Float[Tensor, "rows autoregressive_channels"]:
        """Return the autoregressive embedding as it is after the action type."""
        chosen = self.of_choice(self.action_type(action_type).relu(), scalar_context)
        return chosen + self.of_core(lstm_output, scalar_context)


class ArgumentHead(nn.Module):
    """One argument out of a few classes; the first ``illegal_classes`` are never chosen."""

    def __init__(self, config: HeadsConfig, *, classes: int, illegal_classes: int = 0) -> None:
        super().__init__()
        width, hidden_width = config.autoregressive_width, config.argument_width
        self.illegal_classes = illegal_classes
        self.layers = nn.Sequential(
            nn.Linear(width, hidden_width),
            nn.ReLU(),
            nn.Linear(hidden_width, hidden_width),
            nn.ReLU(),
            nn.Linear(hidden_width, classes),
        )
        self.embedding = ChoiceEmbedding(classes, width)

    def forward(
        self, autoregressive_embedding: Float[Tensor, "rows channels"]
    ) -> Float[Tensor, "rows classes"]:
        """Return the logits of the classes."""
        logits = self.layers(autoregressive_embedding)
        mask = logits.new_ones(logits.shape[-1], dtype=bool)
        mask[: self.illegal_classes] = False
        return mask_logits(logits, mask)


class ChoiceEmbedding(nn.Embedding):
    """An embedding of what was chosen; of ``UNKNOWN``, zero."""

    def forward(self, choice: Int[Tensor, " rows"]) -> Float[Tensor, "rows channels"]:
        """Return one vector a row."""
        known = (choice >= 0)[:, None]
        return super().forward(choice.clamp(min=0)) * known
