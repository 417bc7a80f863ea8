"""One frozen dataclass a command; the sizes that belong to a preset."""

import dataclasses
import math
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated

from tyro.conf import EnumChoicesFromValues

from agent.run_checkpoints import CheckpointChoice
from envs.interface import Knowledge
from policies.config import PerceiverConfig, PolicyConfig, TransformerConfig, preset
from training.dataset import Split


def _require_at_least(config: object, **least: int) -> None:
    for name, bound in least.items():
        value = getattr(config, name)
        if value < bound:
            raise ValueError(f"{name} must be at least {bound}, got {value}")


class EntityEncoder(Enum):
    """What turns units into embeddings."""

    PERCEIVER = "perceiver"
    TRANSFORMER = "transformer"


@dataclass(frozen=True, kw_only=True)
class BatchConfig:
    """How much is learned from at once."""

    num_streams: int  # games read side by side
    unroll_steps: int  # steps of each, through which gradients flow
    micro_batch_streams: int  # computed at once; memory grows with it, results do not change

    def __post_init__(self) -> None:
        """Refuse sizes that cannot be."""
        _require_at_least(self, num_streams=1, unroll_steps=1, micro_batch_streams=1)

    @property
    def num_steps(self) -> int:
        """Agent steps in a batch."""
        return self.num_streams * self.unroll_steps


@dataclass(frozen=True, kw_only=True)
class OptimizerConfig:
    """Muon and Adam, their schedule and what they do with bad gradients."""

    learning_rate: float = 2e-3
    warm_up_updates: int = 100  # linear, from nothing
    final_share: float = 0.02  # of the learning rate, at the end of a cosine over the budget
    momentum: float = 0.95  # Muon's, for the matrices of layers
    betas: tuple[float, float] = (0.9, 0.99)  # Adam's, for all else
    epsilon: float = 1e-8
    max_gradient_norm: float = 1.0  # over all parameters
    max_bad_updates: int = 3  # in a row without a finite loss and gradient before the run stops

    def __post_init__(self) -> None:
        """Refuse values that cannot be."""
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate must be positive, got {self.learning_rate}")
        if not 0 <= self.final_share <= 1:
            raise ValueError(f"final_share must be between 0 and 1, got {self.final_share}")
        if not self.max_gradient_norm > 0:
            raise ValueError(f"max_gradient_norm must be positive, got {self.max_gradient_norm}")
        for name, value in (("momentum", self.momentum), *(("betas", b) for b in self.betas)):
            if not 0 <= value < 1:
                raise ValueError(f"{name} must be at least 0 and less than 1, got {value}")
        if not self.epsilon > 0:
            raise ValueError(f"epsilon must be positive, got {self.epsilon}")
        _require_at_least(self, warm_up_updates=0, max_bad_updates=1)


@dataclass(frozen=True, kw_only=True)
class HeadWeights:
    """What each head's loss, a mean over its own steps, counts in the sum.

    DI-star's (``sl_user_config``), whose reduction ours is; selected units are summed over picks.
    """

    action_type: float = 30.0
    delay: float = 9.0
    queued: float = 1.0
    selected_units: float = 4.0
    target_unit: float = 4.0
    target_location: float = 8.0

    def __post_init__(self) -> None:
        """Refuse values that cannot be."""
        for name, weight in dataclasses.asdict(self).items():
            if not 0 <= weight < math.inf:
                raise ValueError(f"{name} must be a finite number of at least 0, got {weight}")


@dataclass(frozen=True, kw_only=True)
class BehaviourCloningConfig:
    """One behaviour-cloning run: ``latentstar bc DATASET --minutes 60``."""

    dataset: Path  # folder written by ``latentstar replays``
    more_datasets: tuple[Path, ...] = ()  # others, to learn from together with it
    run: Path = Path("runs/bc")  # folder for checkpoints, metrics and config
    start_from: Path | None = None  # a run whose best weights to begin with
    preset: str = "tiny"  # sizes of network and batch: tiny, small or full
    entity_encoder: Annotated[EntityEncoder, EnumChoicesFromValues] = EntityEncoder.PERCEIVER
    query_residual: bool = True  # perceiver: may a unit's own features pass by the latents?
    minutes: float | None = None  # stop after this time in all; 60 unless steps are given
    steps: int | None = None  # stop after this many agent steps
    resume: bool = False  # go on with the run in the folder, to its own end or the one given
    seed: int = 0
    streams: int | None = None  # games read side by side; by preset unless given
    unroll_steps: int | None = None  # steps of each in a batch; by preset unless given
    micro_batch_streams: int | None = None  # computed at once; by preset unless given
    optimizer: OptimizerConfig = OptimizerConfig()
    head_weights: HeadWeights = HeadWeights()
    bf16: bool = False  # compute in bfloat16 where it is safe; weights stay float32
    device: str | None = None  # cuda where there is one, else cpu
    validations: int = 10  # over the run
    validation_games: int = 8  # the same each time; one player's view each
    checkpoint_minutes: float = 10.0  # between checkpoints, beside those at validations
    kept_checkpoints: int = 3  # the newest; the best is kept besides

    def __post_init__(self) -> None:
        """Refuse values that cannot be."""
        if self.minutes is None and self.steps is None and not self.resume:
            object.__setattr__(self, "minutes", 60.0)
        if self.minutes is not None and not self.minutes > 0:
            raise ValueError(f"minutes must be positive, got {self.minutes}")
        if self.steps is not None and self.steps < 1:
            raise ValueError(f"steps must be at least 1, got {self.steps}")
        if self.entity_encoder is EntityEncoder.TRANSFORMER and not self.query_residual:
            raise ValueError("query_residual belongs to the perceiver; the transformer has none")
        _require_at_least(self, seed=0, validations=0, validation_games=1, kept_checkpoints=1)
        preset(self.preset)
        _ = self.batch

    @property
    def batch(self) -> BatchConfig:
        """The preset's sizes, with what was given instead."""
        given = {
            "num_streams": self.streams,
            "unroll_steps": self.unroll_steps,
            "micro_batch_streams": self.micro_batch_streams,
        }
        chosen = {name: value for name, value in given.items() if value is not None}
        return dataclasses.replace(batch_preset(self.preset), **chosen)

    def policy(self, knowledge: Knowledge) -> PolicyConfig:
        """Return the network's config, for a dataset of some knowledge."""
        config = dataclasses.replace(preset(self.preset), knowledge=knowledge)
        perceiver = config.entity_encoder
        assert isinstance(perceiver, PerceiverConfig)
        if self.entity_encoder is EntityEncoder.PERCEIVER:
            encoder = dataclasses.replace(perceiver, query_residual=self.query_residual)
            return dataclasses.replace(config, entity_encoder=encoder)
        return dataclasses.replace(config, entity_encoder=_transformer(config.entity_width))


@dataclass(frozen=True, kw_only=True)
class ScoreConfig:
    """How well a policy predicts held-out actions: ``latentstar score RUN DATASET``."""

    run: Path  # folder written by ``latentstar bc``
    dataset: Path  # folder written by ``latentstar replays``
    split: Annotated[Split, EnumChoicesFromValues] = Split.TEST
    checkpoint: Annotated[CheckpointChoice, EnumChoicesFromValues] = CheckpointChoice.BEST
    max_games: int | None = None  # score a fixed sample of this many players' games, not all
    streams: int = 32  # games read side by side
    unroll_steps: int = 16  # steps of each computed at once
    bootstraps: int = 1000  # resamplings of games, for the intervals
    seed: int = 0  # of the resamplings
    device: str | None = None  # cuda where there is one, else cpu

    def __post_init__(self) -> None:
        """Refuse values that cannot be."""
        _require_at_least(self, streams=1, unroll_steps=1, bootstraps=1, seed=0)
        if self.max_games is not None:
            _require_at_least(self, max_games=1)


def batch_preset(name: str) -> BatchConfig:
    """Return the batch sizes that go with a preset of the network."""
    if name == "tiny":
        return BatchConfig(num_streams=16, unroll_steps=16, micro_batch_streams=16)
    if name == "small":
        return BatchConfig(num_streams=32, unroll_steps=32, micro_batch_streams=16)
    return BatchConfig(num_streams=128, unroll_steps=64, micro_batch_streams=16)


def _transformer(entity_width: int) -> TransformerConfig:
    """Return AlphaStar's Transformer in proportion to the width: 2 heads of half, MLP of four."""
    return TransformerConfig(head_width=entity_width // 2, mlp_width=4 * entity_width)
