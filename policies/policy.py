"""The assembled network: encode, remember, decide.

Vinyals et al. 2019, supplementary ``detailed-architecture.txt``, with the entity encoder of
Jaegle et al. 2021 (arXiv:2107.14795, appendix B). Inside, time and batch are one axis of rows,
time-major, but for the core.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from envs.interface import (
    NUM_ACTION_TYPES,
    NUM_DELAYS,
    NUM_UNIT_TYPES,
    UNKNOWN,
    Alliance,
    EntityFeature,
    Knowledge,
    action_arguments,
    legality,
)
from policies.batch import Actions, HeadMasks, Observations
from policies.choices import Choice, Choices
from policies.config import PolicyConfig
from policies.core import CoreState, core_of
from policies.distributions import Sampling, log_probability
from policies.entity_encoder import EntityEncoder
from policies.heads.categorical import ActionTypeHead, ArgumentHead, AutoregressiveStart
from policies.heads.location import LocationHead, location_cells, location_subcells
from policies.heads.pointer import SelectedUnitsHead, TargetUnitHead
from policies.scalar_encoder import ScalarEncoder, ScalarInputs, UnitCounts
from policies.spatial_encoder import MapSkip, SpatialEncoder
from policies.value import WinLossBaseline


class PolicyOutput(NamedTuple):
    """Logits of each head on the rows (time-major) that its mask selects, and the rest.

    Logits are in float32 and masked. The last column of ``selected_units`` is the end token.
    """

    action_type: Float[Tensor, "action_type_rows action_types"]
    delay: Float[Tensor, "delay_rows delays"]
    queued: Float[Tensor, "queued_rows 2"]
    selected_units: Float[Tensor, "selected_units_rows picks candidates"]
    target_unit: Float[Tensor, "target_unit_rows entities"]
    target_location: Float[Tensor, "target_location_rows cells"]
    values: Float[Tensor, "time batch"]
    latents: Float[Tensor, "time batch latents latent_channels"]
    state: CoreState


class HeadLogProbabilities(NamedTuple):
    """Log-probability of each part of an action; of a part that is not used, zero."""

    action_type: Float[Tensor, "time batch"]
    delay: Float[Tensor, "time batch"]
    queued: Float[Tensor, "time batch"]
    selected_units: Float[Tensor, "time batch"]
    target_unit: Float[Tensor, "time batch"]
    target_location: Float[Tensor, "time batch"]

    def total(self) -> Float[Tensor, "time batch"]:
        """Return the log-probability of the whole action."""
        return torch.stack(list(self)).sum(0)


class ActingOutput(NamedTuple):
    """What the policy does at one step; log-probabilities are those at temperature 1."""

    actions: Actions
    log_probabilities: HeadLogProbabilities
    state: CoreState
    values: Float[Tensor, "time batch"]


class Policy(nn.Module):
    """Observations in, actions out."""

    legality: Bool[Tensor, "types action_types"]

    def __init__(self, config: PolicyConfig) -> None:
        super().__init__()
        self.config = config
        knowledge, heads = config.knowledge, config.heads
        self.entity_encoder = EntityEncoder(
            config.entity_encoder, width=config.entity_width, knowledge=knowledge
        )
        self.scalar_encoder = ScalarEncoder(config.scalar, knowledge=knowledge)
        self.spatial_encoder = SpatialEncoder(
            config.spatial, entity_width=config.entity_width, knowledge=knowledge
        )
        core_input = config.entity_width + config.scalar.width + config.spatial.width
        self.core = core_of(config.core, input_width=core_input)

        widths = {"input_width": config.core.width, "context_width": config.scalar.context_width}
        self.action_type = ActionTypeHead(heads, classes=NUM_ACTION_TYPES, **widths)
        self.autoregressive = AutoregressiveStart(heads, classes=NUM_ACTION_TYPES, **widths)
        self.delay = ArgumentHead(heads, classes=NUM_DELAYS, illegal_classes=1)
        self.queued = ArgumentHead(heads, classes=2)
        self.selected_units = SelectedUnitsHead(heads, entity_width=config.entity_width)
        self.target_unit = TargetUnitHead(heads, entity_width=config.entity_width)
        self.target_location = LocationHead(heads, config.spatial)
        self.win_loss = WinLossBaseline(config.value, **widths)
        legal = torch.from_numpy(legality(config.knowledge))
        self.register_buffer("legality", legal, persistent=False)

    def initial_state(self, batch_size: int) -> CoreState:
        """Return the core's state before a game."""
        return self.core.initial_state(batch_size)

    def forward(
        self,
        observations: Observations,
        actions: Actions,
        state: CoreState,
        is_first: Bool[Tensor, "time batch"],
        masks: HeadMasks,
    ) -> PolicyOutput:
        """Return each head's logits where ``masks`` ask for them, given the arguments before."""
        seen = self._encode(observations, state, is_first)
        given = Actions(*(part.flatten(0, 1) for part in actions))
        rows = HeadMasks(*(mask.flatten().nonzero().squeeze(1) for mask in masks))

        action_type = self._action_type_logits(seen, rows.action_type)
        decided = self.autoregressive(given.action_type, seen.lstm_output, seen.scalar_context)
        delay = self.delay(decided.index_select(0, rows.delay))
        decided = decided + self.delay.embedding(given.delay)
        queued = self.queued(decided.index_select(0, rows.queued))
        decided = decided + self.queued.embedding(given.queued)

        keys = self.selected_units.keys_and_end(seen.entity_embeddings)
        able = self._able_types(given.action_type)
        chosen = rows.selected_units
        selected_units = self.selected_units(
            decided.index_select(0, chosen),
            able.index_select(0, chosen),
            keys.index_select(0, chosen),
            self._selectable(seen, able).index_select(0, chosen),
            given.selected_units.index_select(0, chosen),
        )
        decided = decided + self.selected_units.embed(keys, given.selected_units)
        return PolicyOutput(
            action_type=action_type,
            delay=delay,
            queued=queued,
            selected_units=selected_units,
            target_unit=self._target_unit_logits(seen, decided, able, rows.target_unit),
            target_location=self._location_logits(seen, decided, rows.target_location),
            values=self.win_loss(seen.lstm_output, seen.scalar_context).view(is_first.shape),
            latents=seen.latents.unflatten(0, is_first.shape),
            state=seen.state,
        )

    @torch.no_grad()
    def act(
        self,
        observations: Observations,
        state: CoreState,
        is_first: Bool[Tensor, "time batch"],
        *,
        sampling: Sampling,
        temperature: float,
        generator: torch.Generator,
    ) -> ActingOutput:
        """Return an action for one step (``time`` is 1).

        The temperature divides the logits of all heads but delay, as in AlphaStar.
        """
        seen = self._encode(observations, state, is_first)
        choices = Choices(is_first.numel(), sampling, temperature, generator)
        everywhere = torch.arange(is_first.numel(), device=is_first.device)

        action_type = choices.make(self._action_type_logits(seen, everywhere), everywhere)
        rows = HeadMasks(*(mask.nonzero().squeeze(1) for mask in used_heads(action_type.choice)))
        decided = self.autoregressive(action_type.choice, seen.lstm_output, seen.scalar_context)
        delay = choices.make(self.delay(decided), everywhere, temperature=1.0)
        decided = decided + self.delay.embedding(delay.choice)
        queued = choices.make(self.queued(decided[rows.queued]), rows.queued)
        decided = decided + self.queued.embedding(queued.choice)

        keys = self.selected_units.keys_and_end(seen.entity_embeddings)
        able = self._able_types(action_type.choice)
        selected = self._draw_selection(seen, decided, able, keys, rows.selected_units, choices)
        decided = decided + self.selected_units.embed(keys, selected.choice)
        unit_logits = self._target_unit_logits(seen, decided, able, rows.target_unit)
        target_unit = choices.make(unit_logits, rows.target_unit)
        cell_logits = self._location_logits(seen, decided, rows.target_location)
        location = choices.make(cell_logits, rows.target_location)

        parts = (action_type, delay, queued, selected, target_unit, location)
        actions = Actions(*(part.choice[None] for part in parts))
        places = location_subcells(actions.target_location, self.config.location_size)
        return ActingOutput(
            actions=actions._replace(target_location=places),
            log_probabilities=HeadLogProbabilities(*(part.log_probability[None] for part in parts)),
            state=seen.state,
            values=self.win_loss(seen.lstm_output, seen.scalar_context)[None],
        )

    def _encode(
        self, observations: Observations, state: CoreState, is_first: Bool[Tensor, "time batch"]
    ) -> "_Seen":
        flat = Observations(*(part.flatten(0, 1) for part in observations))
        own = flat.entity_mask & (flat.entities[..., EntityFeature.ALLIANCE] == Alliance.SELF)
        counts = unit_counts(flat.entities, flat.entity_mask)
        units = self.entity_encoder(flat.entities, flat.entity_mask)
        scalars = self.scalar_encoder(
            ScalarInputs(
                flat.scalars,
                flat.upgrades,
                flat.build_order,
                flat.cumulative_statistics,
                counts,
            )
        )
        spatial = self.spatial_encoder(
            flat.map_planes, units.entity_embeddings, flat.entities, flat.entity_mask
        )
        inputs = [units.embedded_entity, scalars.embedded_scalar, spatial.embedded_spatial]
        core = self.core(torch.cat(inputs, -1).unflatten(0, is_first.shape), state, is_first)
        return _Seen(
            lstm_output=core.lstm_output.flatten(0, 1),
            scalar_context=scalars.scalar_context,
            entity_embeddings=units.entity_embeddings,
            map_skip=spatial.map_skip,
            latents=units.latents,
            state=core.state,
            legal_action_types=self._legal_action_types(counts.own),
            own=own,
            entities=flat.entities,
            targetable=flat.entity_mask,
        )

    def _legal_action_types(
        self, own_units: Int[Tensor, "rows types"]
    ) -> Bool[Tensor, "rows action_types"]:
        """An action type is legal if some unit of the player's can take it; ``no_op`` always."""
        legal = (own_units > 0).float() @ self.legality.float() > 0
        legal[:, 0] = True
        return legal

    def _selectable(
        self, seen: "_Seen", able_types: Bool[Tensor, "rows types"]
    ) -> Bool[Tensor, "rows entities"]:
        """Return which units may be picked: own ones, and where the game tells, that are able.

        In replays without the game, larvae that have become eggs stay selected.
        """
        if self.config.knowledge is Knowledge.EVENTS:
            return seen.own
        types = seen.entities[..., EntityFeature.UNIT_TYPE].clamp(0, NUM_UNIT_TYPES - 1).long()
        is_outside = seen.entities[..., EntityFeature.IS_IN_CARGO] != 1
        return seen.own & is_outside & able_types.gather(1, types)

    def _able_types(self, action_type: Int[Tensor, " rows"]) -> Bool[Tensor, "rows types"]:
        return self.legality.T[action_type.clamp(min=0)]

    def _action_type_logits(
        self, seen: "_Seen", rows: Int[Tensor, " chosen"]
    ) -> Float[Tensor, "chosen action_types"]:
        return self.action_type(
            seen.lstm_output.index_select(0, rows),
            seen.scalar_context.index_select(0, rows),
            seen.legal_action_types.index_select(0, rows),
        )

    def _target_unit_logits(
        self,
        seen: "_Seen",
        decided: Float[Tensor, "rows channels"],
        able: Bool[Tensor, "rows types"],
        rows: Int[Tensor, " chosen"],
    ) -> Float[Tensor, "chosen entities"]:
        return self.target_unit(
            decided.index_select(0, rows),
            able.index_select(0, rows),
            seen.entity_embeddings.index_select(0, rows),
            seen.targetable.index_select(0, rows),
        )

    def _location_logits(
        self,
        seen: "_Seen",
        decided: Float[Tensor, "rows channels"],
        rows: Int[Tensor, " chosen"],
    ) -> Float[Tensor, "chosen cells"]:
        maps = MapSkip(
            *(tuple(part.index_select(0, rows) for part in parts) for parts in seen.map_skip)
        )
        return self.target_location(decided.index_select(0, rows), maps)

    def _draw_selection(
        self,
        seen: "_Seen",
        decided: Float[Tensor, "rows channels"],
        able: Bool[Tensor, "rows types"],
        keys: Float[Tensor, "rows candidates key_channels"],
        rows: Int[Tensor, " chosen"],
        choices: Choices,
    ) -> Choice:
        drawn = self.selected_units.draw(
            decided[rows],
            able[rows],
            keys[rows],
            self._selectable(seen, able)[rows],
            sampling=choices.sampling,
            temperature=choices.temperature,
            generator=choices.generator,
        )
        return choices.spread(drawn.selected_units, drawn.log_probability, rows)


def used_heads(action_type: Int[Tensor, "*rows"]) -> HeadMasks:
    """Return which heads each action type uses; action type and delay always."""
    device = action_type.device
    arguments = action_arguments()
    uses = [torch.from_numpy(argument).to(device)[action_type] for argument in arguments]
    always = torch.ones_like(action_type, dtype=torch.bool)
    return HeadMasks(always, always, *uses)


def log_probabilities(
    output: PolicyOutput, actions: Actions, masks: HeadMasks, *, location_size: int
) -> HeadLogProbabilities:
    """Return the log-probability of the actions given, head by head, where ``masks`` ask for it."""
    cells = location_cells(actions.target_location, location_size)
    simple = actions._replace(target_location=cells)
    parts = []
    for name in HeadMasks._fields:
        mask, logits = getattr(masks, name), getattr(output, name)
        choice = getattr(simple, name)[mask]
        if name == "selected_units":
            scored = _selection_log_probability(logits, choice)
        else:
            scored = log_probability(logits, choice)
        parts.append(torch.zeros(mask.shape, device=mask.device).masked_scatter(mask, scored))
    return HeadLogProbabilities(*parts)


class _Seen(NamedTuple):
    """What all heads decide from."""

    lstm_output: Float[Tensor, "rows channels"]
    scalar_context: Float[Tensor, "rows context_channels"]
    entity_embeddings: Float[Tensor, "rows entities entity_channels"]
    map_skip: MapSkip
    latents: Float[Tensor, "rows latents latent_channels"]
    state: CoreState
    legal_action_types: Bool[Tensor, "rows action_types"]
    own: Bool[Tensor, "rows entities"]
    entities: Int[Tensor, "rows entities features"]
    targetable: Bool[Tensor, "rows entities"]


def unit_counts(
    entities: Int[Tensor, "rows entities features"], mask: Bool[Tensor, "rows entities"]
) -> UnitCounts:
    """Return how many units of each type there are; one of unknown progress is not unfinished."""
    types = entities[..., EntityFeature.UNIT_TYPE].clamp(0, NUM_UNIT_TYPES - 1).long()
    nothing = torch.zeros(len(entities), NUM_UNIT_TYPES, dtype=torch.long, device=types.device)
    alliance = entities[..., EntityFeature.ALLIANCE]
    progress = entities[..., EntityFeature.BUILD_PROGRESS]
    own = mask & (alliance == Alliance.SELF)
    groups = UnitCounts(
        own=own,
        own_unfinished=own & (progress != UNKNOWN) & (progress < 100),
        own_selected=own & (entities[..., EntityFeature.WAS_SELECTED] == 1),
        targeted=mask & (entities[..., EntityFeature.WAS_TARGETED] == 1),
        enemy=mask & (alliance == Alliance.ENEMY),
    )
    return UnitCounts(*(nothing.scatter_add(1, types, group.long()) for group in groups))


def _selection_log_probability(
    logits: Float[Tensor, "rows picks candidates"], selected_units: Int[Tensor, "rows selected"]
) -> Float[Tensor, " rows"]:
    """Return the log-probability of each selection in the order given, its end token included."""
    count = (selected_units >= 0).sum(-1, keepdim=True)
    end = logits.shape[-1] - 1
    picks = torch.arange(logits.shape[1], device=logits.device)
    choice = torch.cat([selected_units, torch.full_like(count, UNKNOWN)], 1)
    choice = choice.where(picks != count, end)
    scored = log_probability(logits, choice.clamp(min=0))
    return (scored * (picks <= count)).sum(-1)
