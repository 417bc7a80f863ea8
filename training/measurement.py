"""How a policy predicts each command of recorded games, its memory running from the start."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor, nn

from envs.interface import SUBCELLS, UNKNOWN
from envs.timeline import StepFlag
from policies.batch import HeadMasks
from policies.core import CoreState
from policies.distributions import Sampling, is_legal, log_probability
from policies.heads.location import location_subcells
from policies.heads.pointer import SelectedUnitsHead
from policies.policy import Policy, PolicyOutput
from training.devices import to_device
from training.streams import Batch, Chunk

FORBIDDEN_PROBABILITY = 1e-6
"""What a command that the policy's mask forbids is held to have been given."""

_OF_UNITS = {
    "selected_units": ("selected_units_iou", "selected_units_exact"),
    "target_unit": ("target_unit_top1",),
}
"""Values that are zero where a unit meant is not shown: the policy cannot be right then."""

_TOP = 5
_SELECTIONS_AT_ONCE = 64


class CommandScores(NamedTuple):
    """A value for each command; NaN where it has no such argument, or its label is not known."""

    game: NDArray[np.int64]  # index into the games read
    step: NDArray[np.int64]
    loop: NDArray[np.int64]
    is_forbidden: NDArray[np.float64]
    action_type_top1: NDArray[np.float64]
    action_type_top5: NDArray[np.float64]
    action_type_nll: NDArray[np.float64]  # nats
    delay_nll: NDArray[np.float64]
    delay_error: NDArray[np.float64]  # loops, of the distribution's median
    queued_top1: NDArray[np.float64]
    selected_units_iou: NDArray[np.float64]
    selected_units_exact: NDArray[np.float64]
    selected_units_shown: NDArray[np.float64]  # whether all of them are in the observation
    target_unit_top1: NDArray[np.float64]
    target_unit_shown: NDArray[np.float64]
    target_location_distance: NDArray[np.float64]  # world units, from the likeliest cell's middle


def is_scored(flags: Int[Tensor, "time batch"]) -> Bool[Tensor, "time batch"]:
    """Return which steps are scored: clean, mapped, and commands at all."""
    wanted = int(StepFlag.CLEAN | StepFlag.MAPPED)
    return (flags & (wanted | int(StepFlag.SYNTHETIC))) == wanted


@torch.no_grad()
def measure(
    policy: Policy, batches: Iterable[Batch], *, show: Callable[[int], None]
) -> CommandScores:
    """Predict every scored command of the games that the batches hold.

    Args:
        policy: used as it is, each head given the true choices of those before it.
        batches: every game once.
        show: told how many steps have been read so far.
    """
    device = next(policy.parameters()).device
    states: dict[int, CoreState] = {}
    parts: list[CommandScores] = []
    num_read = 0
    for batch in batches:
        for i, chunk in enumerate(batch.chunks):
            state = states.get(i) or policy.initial_state(chunk.is_first.shape[1])
            part, states[i] = _measure_chunk(policy, to_device(chunk, device), state)
            parts.append(part)
            num_read += int((chunk.places.game != UNKNOWN).sum())
        show(num_read)
    return _in_order(CommandScores(*(np.concatenate(c) for c in zip(*parts, strict=True))))


def _measure_chunk(
    policy: Policy, chunk: Chunk, state: CoreState
) -> tuple[CommandScores, CoreState]:
    scored = is_scored(chunk.places.flags)
    masks = HeadMasks(scored, *(mask & scored for mask in chunk.masks[1:]))
    with _inputs_of(policy.selected_units) as inputs:
        output = policy(chunk.observations, chunk.actions, state, chunk.is_first, masks)
    values = _values(policy, chunk, masks, output) | _selection_values(
        policy.selected_units, inputs, chunk.actions.selected_units, masks
    )
    for head, names in _OF_UNITS.items():
        dropped = getattr(chunk.dropped, head)[scored].cpu().numpy()
        values[f"{head}_shown"] = np.where(dropped, 0.0, values[names[0]] * 0 + 1)
        for name in names:
            values[name][dropped] = 0.0
    game, step, loop = (part[scored].cpu().numpy().astype(np.int64) for part in chunk.places[:3])
    return CommandScores(game, step, loop, **values), output.state


def _values(
    policy: Policy, chunk: Chunk, masks: HeadMasks, output: PolicyOutput
) -> dict[str, NDArray[np.float64]]:
    """Return the values of every head, as columns of ``CommandScores``."""
    actions = chunk.actions
    action_type = actions.action_type[masks.action_type]
    legal = is_legal(output.action_type, action_type)
    nll = -log_probability(output.action_type, action_type)
    best = output.action_type.topk(_TOP).indices == action_type[:, None]
    delay = actions.delay[masks.delay]
    queued = actions.queued[masks.queued]
    target = actions.target_unit[masks.target_unit]
    cells = output.target_location.argmax(-1)
    true_place = actions.target_location[masks.target_location]
    place = location_subcells(cells, policy.config.location_size)
    distance = (place - true_place).float().norm(dim=-1) / SUBCELLS
    columns: dict[str, tuple[Tensor, Tensor]] = {
        "is_forbidden": (masks.action_type, ~legal),
        "action_type_top1": (masks.action_type, best[:, 0] & legal),
        "action_type_top5": (masks.action_type, best.any(-1) & legal),
        "action_type_nll": (
            masks.action_type,
            nll.where(legal, nll.new_tensor(-np.log(FORBIDDEN_PROBABILITY))),
        ),
        "delay_nll": (masks.delay, -log_probability(output.delay, delay)),
        "delay_error": (masks.delay, (_median(output.delay) - delay).abs()),
        "queued_top1": (masks.queued, output.queued.argmax(-1) == queued),
        "target_unit_top1": (masks.target_unit, output.target_unit.argmax(-1) == target),
        "target_location_distance": (masks.target_location, distance),
    }
    return {
        name: _spread(masks.action_type, mask, values) for name, (mask, values) in columns.items()
    }


def _selection_values(
    head: SelectedUnitsHead, inputs: Sequence[Tensor], selected: Tensor, masks: HeadMasks
) -> dict[str, NDArray[np.float64]]:
    """Return how well the likeliest selection, pick by pick, matches the true one."""
    mask = masks.selected_units
    true = _as_sets(selected[mask], inputs[3].shape[1])
    found = torch.zeros_like(true)
    # Groups of like size, since all rows of a group wait for the one that picks most.
    for rows in true.sum(-1).argsort().split(_SELECTIONS_AT_ONCE):
        chosen = head.draw(
            *(part[rows] for part in inputs[:4]),
            sampling=Sampling.GREEDY,
            temperature=1.0,
            generator=torch.Generator(mask.device),  # greedy choices draw nothing
        ).selected_units
        found[rows] = _as_sets(chosen, true.shape[1])
    shared, either = (found & true).sum(-1), (found | true).sum(-1)
    columns = {
        "selected_units_iou": shared / either.clamp(min=1),
        "selected_units_exact": shared == either,
    }
    return {name: _spread(masks.action_type, mask, values) for name, values in columns.items()}


@contextmanager
def _inputs_of(head: nn.Module) -> Iterator[list[Tensor]]:
    """Collect what a head is called with, so that it can be asked again in another way."""
    inputs: list[Tensor] = []

    def collect(module: nn.Module, given: tuple[Tensor, ...]) -> None:
        del module
        inputs.extend(given)

    hook = head.register_forward_pre_hook(collect)
    try:
        yield inputs
    finally:
        hook.remove()


def _as_sets(
    rows: Int[Tensor, "selections picks"], num_entities: int
) -> Bool[Tensor, "selections entities"]:
    """Return which entities each selection holds; ``UNKNOWN`` is none."""
    sets = torch.zeros(len(rows), num_entities + 1, dtype=torch.bool, device=rows.device)
    return sets.scatter(1, rows % (num_entities + 1), value=True)[:, :num_entities]


def _median(logits: Float[Tensor, "rows classes"]) -> Int[Tensor, " rows"]:
    """Return the first class by which half of the probability is reached."""
    return (logits.softmax(-1).cumsum(-1) < 0.5).sum(-1)


def _spread(
    scored: Bool[Tensor, "time batch"], mask: Bool[Tensor, "time batch"], values: Tensor
) -> NDArray[np.float64]:
    """Return the values of the rows in ``mask`` among all scored rows, NaN elsewhere."""
    column = torch.full(scored.shape, torch.nan, dtype=torch.float64, device=scored.device)
    column[mask] = values.double()
    return column[scored].cpu().numpy()


def _in_order(scores: CommandScores) -> CommandScores:
    order = np.lexsort((scores.step, scores.game))
    columns: dict[str, Any] = {name: column[order] for name, column in scores._asdict().items()}
    return CommandScores(**columns)
