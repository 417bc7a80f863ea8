"""Which labels of a recorded game count for which head, and which had to be dropped."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from envs.interface import (
    MAX_DELAY,
    UNKNOWN,
    Alliance,
    EntityFeature,
    Knowledge,
    action_arguments,
    legality,
)
from envs.timeline import StepFlag
from policies.batch import Actions, HeadMasks, Observations


class Labels(NamedTuple):
    """What teaches, and what would have if it were known and allowed."""

    actions: Actions
    masks: HeadMasks
    dropped: HeadMasks


def labels_of_steps(
    observations: Observations,
    actions: Actions,
    *,
    flags: Int[Tensor, "time batch"],
    num_selected_missing: Int[Tensor, "time batch"],
    is_last: Bool[Tensor, "time batch"],
) -> Labels:
    """Return the labels that count.

    The heads after the first are conditioned on the action type, so they count where it is
    known; whether it is legal concerns the first alone. A selection of which some unit is not
    shown is no label: it would teach to stop too soon. The wait after a game's last step, or
    one out of range, never happened and is no label.
    """
    is_command = (flags & int(StepFlag.MAPPED | StepFlag.SYNTHETIC)) != 0
    is_known = is_command & (actions.action_type >= 0)
    action_type = actions.action_type.clamp(min=0)
    able = _able(observations, action_type)
    selected_units = _selectable_only(observations, able, actions.selected_units)
    wanted = _wanted(action_type, is_known)._replace(delay=is_known & ~is_last)
    present = HeadMasks(
        action_type=able.any(-1) | (action_type == 0),
        delay=(actions.delay >= 1) & (actions.delay <= MAX_DELAY),
        queued=actions.queued >= 0,
        selected_units=(selected_units >= 0).any(-1) & (num_selected_missing == 0),
        target_unit=(actions.target_unit >= 0),
        target_location=(actions.target_location >= 0).all(-1),
    )
    return Labels(
        actions=actions._replace(selected_units=selected_units),
        masks=HeadMasks(*(w & p for w, p in zip(wanted, present, strict=True))),
        dropped=HeadMasks(*(w & ~p for w, p in zip(wanted, present, strict=True))),
    )


def _wanted(
    action_type: Int[Tensor, "time batch"], is_known: Bool[Tensor, "time batch"]
) -> HeadMasks:
    """Return which heads the steps with a known action type call for."""
    uses = [torch.from_numpy(used)[action_type] & is_known for used in action_arguments()]
    return HeadMasks(is_known, is_known, *uses)


def _selectable_only(
    observations: Observations,
    able: Bool[Tensor, "time batch entities"],
    selected: Int[Tensor, "time batch selected"],
) -> Int[Tensor, "time batch selected"]:
    """Return selections without the rows that no player can select, the rest moved up.

    Where the game tells of units, those go too whose type cannot do what is asked.
    """
    in_cargo = observations.entities[..., EntityFeature.IS_IN_CARGO]
    selectable = _own(observations) & (in_cargo != 1) & (able | (in_cargo == UNKNOWN))
    is_kept = selectable.gather(2, selected.clamp(min=0)) & (selected >= 0)
    order = (~is_kept).to(torch.uint8).argsort(dim=-1, stable=True)
    return selected.masked_fill(~is_kept, UNKNOWN).gather(2, order)


def _able(
    observations: Observations, action_type: Int[Tensor, "time batch"]
) -> Bool[Tensor, "time batch entities"]:
    """Return which units are the player's and of a type that can take the action."""
    types = observations.entities[..., EntityFeature.UNIT_TYPE].int()
    is_told = observations.entities[..., EntityFeature.IS_IN_CARGO] != UNKNOWN
    by_events, by_game = (
        torch.from_numpy(legality(knowledge))[types, action_type[..., None]]
        for knowledge in (Knowledge.EVENTS, Knowledge.GAME)
    )
    return _own(observations) & by_game.where(is_told, by_events)


def _own(observations: Observations) -> Bool[Tensor, "time batch entities"]:
    alliance = observations.entities[..., EntityFeature.ALLIANCE]
    return observations.entity_mask & (alliance == int(Alliance.SELF))
