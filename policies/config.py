"""What a policy is made of: sizes, and which of the alternatives.

``full`` has the sizes of AlphaStar (Vinyals et al. 2019, supplementary
``detailed-architecture.txt``), with the entity encoder that Jaegle et al. 2021
(arXiv:2107.14795, appendix B) put in the Transformer's place. ``tiny`` runs on a laptop's CPU.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any

from envs.interface import MAX_ENTITIES, WORLD_SIZE, EntityLimits, Knowledge


def _require_positive(config: Any) -> None:
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        for number in value if isinstance(value, tuple) else (value,):
            if isinstance(number, int) and not isinstance(number, bool) and number < 1:
                raise ValueError(f"{field.name} must be at least 1, got {value}")


def _require_multiple(name: str, value: int, divisor: int) -> None:
    if value % divisor:
        raise ValueError(f"{name} must be a multiple of {divisor}, got {value}")


@dataclass(frozen=True, kw_only=True)
class PerceiverConfig:
    """Perceiver IO over the units (arXiv:2107.14795, appendix B and E)."""

    latents: int = 32
    latent_width: int = 256
    layers: int = 3  # self-attention among the latents
    heads: int = 2  # among the latents
    cross_heads: int = 2  # of the latents reading, and of the units reading the latents
    latent_mlp_factor: int = 4  # hidden width of the latents' perceptrons, of latent_width
    decoder_mlp_factor: int = 1  # the same for each unit after decoding, of entity_width
    query_residual: bool = True  # may a unit's own features pass by the latents?

    def __post_init__(self) -> None:
        """Refuse sizes that do not fit together."""
        _require_positive(self)
        _require_multiple("latent_width", self.latent_width, self.heads)
        _require_multiple("latent_width", self.latent_width, self.cross_heads)


@dataclass(frozen=True, kw_only=True)
class TransformerConfig:
    """AlphaStar's self-attention over all units."""

    layers: int = 3
    heads: int = 2
    head_width: int = 128
    mlp_width: int = 1024

    def __post_init__(self) -> None:
        """Refuse sizes that cannot be."""
        _require_positive(self)


@dataclass(frozen=True, kw_only=True)
class LstmConfig:
    """A layer-normed LSTM over time."""

    layers: int = 3
    width: int = 384
    input_residual: bool = False  # add a projection of the core's input to its output

    def __post_init__(self) -> None:
        """Refuse sizes that cannot be."""
        _require_positive(self)


@dataclass(frozen=True, kw_only=True)
class FeedForwardConfig:
    """No memory: residual perceptrons on the present step (arXiv:2308.03526)."""

    width: int = 1024
    blocks: int = 8

    def __post_init__(self) -> None:
        """Refuse sizes that cannot be."""
        _require_positive(self)


@dataclass(frozen=True, kw_only=True)
class SpatialConfig:
    """The map encoder."""

    plane_size: int = 128  # side of map_planes, cells
    plane_channels: int = 32
    scatter_channels: int = 32
    down_channels: tuple[int, ...] = (64, 128, 128)  # each halves the side
    blocks: int = 4  # residual blocks at the smallest side
    width: int = 256  # of embedded_spatial

    def __post_init__(self) -> None:
        """Refuse sizes that do not fit together."""
        _require_positive(self)
        if self.plane_size % 2 ** len(self.down_channels):
            raise ValueError(
                f"plane_size must halve {len(self.down_channels)} times, got {self.plane_size}"
            )

    @property
    def smallest_size(self) -> int:
        """Side of the map after all halvings."""
        return int(self.plane_size // 2 ** len(self.down_channels))


@dataclass(frozen=True, kw_only=True)
class ScalarConfig:
    """The encoder of everything that is neither a unit nor a map."""

    width: int = 1024  # of embedded_scalar
    context_width: int = 448  # of scalar_context

    def __post_init__(self) -> None:
        """Refuse sizes that cannot be."""
        _require_positive(self)


@dataclass(frozen=True, kw_only=True)
class HeadsConfig:
    """The six heads."""

    action_type_width: int = 256
    action_type_blocks: int = 16
    autoregressive_width: int = 1024
    argument_width: int = 256  # of the hidden layers of delay, queued and the pointers' queries
    key_width: int = 32  # of the pointers' queries and keys
    location_size: int = 256  # side of the target_location grid, cells
    location_channels: tuple[int, ...] = (128, 64, 16)  # each doubles the side

    def __post_init__(self) -> None:
        """Refuse sizes that do not fit together."""
        _require_positive(self)
        if WORLD_SIZE % self.location_size:
            raise ValueError(
                f"location_size must divide the world's {WORLD_SIZE}, got {self.location_size}"
            )


@dataclass(frozen=True, kw_only=True)
class ValueConfig:
    """The win-loss baseline."""

    width: int = 256
    blocks: int = 16

    def __post_init__(self) -> None:
        """Refuse sizes that cannot be."""
        _require_positive(self)


@dataclass(frozen=True, kw_only=True)
class PolicyConfig:
    """The whole network; the defaults are ``full``."""

    knowledge: Knowledge = Knowledge.GAME  # columns beyond it are never read
    max_entities: int = MAX_ENTITIES  # over it, neutral units far from own ones are dropped first
    max_neutrals: int = MAX_ENTITIES  # likewise; the planes show them all the same
    entity_width: int = 256
    entity_encoder: PerceiverConfig | TransformerConfig = PerceiverConfig()
    spatial: SpatialConfig = SpatialConfig()
    scalar: ScalarConfig = ScalarConfig()
    core: LstmConfig | FeedForwardConfig = LstmConfig()
    heads: HeadsConfig = HeadsConfig()
    value: ValueConfig = ValueConfig()

    def __post_init__(self) -> None:
        """Refuse parts that do not fit together."""
        _require_positive(self)
        if self.max_entities > MAX_ENTITIES:
            raise ValueError(f"max_entities must be 1 to {MAX_ENTITIES}, got {self.max_entities}")
        smallest = self.spatial.smallest_size
        upsampled = smallest * 2 ** len(self.heads.location_channels)
        if self.location_size % upsampled:
            raise ValueError(
                f"heads.location_size must be a multiple of {upsampled}, the map's smallest side "
                f"doubled once for each of location_channels, got {self.location_size}"
            )
        if self.heads.autoregressive_width % smallest**2:
            raise ValueError(
                f"heads.autoregressive_width must be a multiple of {smallest**2}, the cells of "
                f"the map at its smallest, got {self.heads.autoregressive_width}"
            )
        if isinstance(self.entity_encoder, PerceiverConfig):
            _require_multiple("entity_width", self.entity_width, self.entity_encoder.cross_heads)

    @property
    def entity_limits(self) -> EntityLimits:
        """How many units the policy is shown."""
        return EntityLimits(self.max_entities, self.max_neutrals)

    @property
    def plane_size(self) -> int:
        """Side of the map planes the policy reads, cells."""
        return self.spatial.plane_size

    @property
    def location_size(self) -> int:
        """Side of the grid of target locations, cells."""
        return self.heads.location_size


PRESETS = ("tiny", "small", "full")


def preset(name: str) -> PolicyConfig:
    """Return one of ``PRESETS``.

    Raises:
        ValueError: there is none of that name.
    """
    if name == "tiny":
        return _tiny()
    if name == "small":
        return _small()
    if name == "full":
        return PolicyConfig()
    raise ValueError(f"preset must be one of {', '.join(PRESETS)}, got {name!r}")


def _tiny() -> PolicyConfig:
    return PolicyConfig(
        max_neutrals=48,
        entity_width=64,
        entity_encoder=PerceiverConfig(latent_width=64, cross_heads=1, latent_mlp_factor=1),
        spatial=SpatialConfig(
            plane_size=32,
            plane_channels=4,
            scatter_channels=12,
            down_channels=(16, 32),
            blocks=2,
            width=64,
        ),
        scalar=ScalarConfig(width=256, context_width=128),
        core=LstmConfig(layers=1, width=256, input_residual=True),
        heads=HeadsConfig(
            action_type_width=256,
            action_type_blocks=2,
            autoregressive_width=256,
            argument_width=128,
            location_size=128,
            location_channels=(16, 8),
        ),
        value=ValueConfig(width=64, blocks=2),
    )


def _small() -> PolicyConfig:
    return PolicyConfig(
        entity_width=128,
        entity_encoder=PerceiverConfig(latent_width=128),
        spatial=SpatialConfig(
            plane_size=128,
            plane_channels=16,
            scatter_channels=16,
            down_channels=(32, 64, 64),
            blocks=4,
            width=128,
        ),
        scalar=ScalarConfig(width=512, context_width=256),
        core=LstmConfig(layers=2, width=384, input_residual=True),
        heads=HeadsConfig(
            action_type_blocks=8, autoregressive_width=512, location_channels=(64, 32, 16)
        ),
        value=ValueConfig(width=128, blocks=8),
    )
