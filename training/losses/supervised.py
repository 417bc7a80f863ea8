"""Cross-entropy of a human's action, head by head, and the set loss of a selection.

Every function returns one loss a row, so that training, validation and scores weigh rows as
they need. Rows are the steps that ``HeadMasks`` keeps, time-major, as the policy gathers them.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from envs.interface import MAX_SELECTED
from policies.batch import Actions, HeadMasks
from policies.distributions import MINIMUM, log_softmax
from policies.heads.location import location_cells
from policies.policy import PolicyOutput


class HeadLosses(NamedTuple):
    """Minus the log-probability of what was done, a row each, in nats."""

    action_type: Float[Tensor, " action_types"]
    delay: Float[Tensor, " delays"]
    queued: Float[Tensor, " queues"]
    selected_units: Float[Tensor, " selections"]
    target_unit: Float[Tensor, " target_units"]
    target_location: Float[Tensor, " target_locations"]


def supervised_losses(
    output: PolicyOutput, actions: Actions, masks: HeadMasks, *, location_size: int
) -> HeadLosses:
    """Return the loss of every row that counts, for every head."""
    cells = location_cells(actions.target_location[masks.target_location], location_size)
    return HeadLosses(
        action_type=categorical_losses(output.action_type, actions.action_type[masks.action_type]),
        delay=categorical_losses(output.delay, actions.delay[masks.delay]),
        queued=categorical_losses(output.queued, actions.queued[masks.queued]),
        selected_units=set_losses(
            output.selected_units, actions.selected_units[masks.selected_units]
        ),
        target_unit=categorical_losses(output.target_unit, actions.target_unit[masks.target_unit]),
        target_location=categorical_losses(output.target_location, cells),
    )


def categorical_losses(
    logits: Float[Tensor, "rows classes"], labels: Int[Tensor, " rows"]
) -> Float[Tensor, " rows"]:
    """Return the cross-entropy of each row."""
    return functional.cross_entropy(logits.float(), labels.long(), reduction="none")


def set_losses(
    logits: Float[Tensor, "rows picks candidates"], selected: Int[Tensor, "rows selected"]
) -> Float[Tensor, " rows"]:
    """Return the loss of picking a set one by one, in any order, and then the end token.

    A pick's loss is minus the log of the total probability of the true units that were not
    picked before it, so the order that teaches is not part of what is taught. AlphaStar's
    pseudocode and its successors score one order instead, whose loss cannot fall under
    log(k!) for k units. A selection at the limit ends by itself: its end token is not scored.

    Args:
        logits: the end token is the last column; rows picked earlier are masked already.
        selected: the true set in the order that was fed back, padded with ``UNKNOWN``.
    """
    log_probabilities = log_softmax(logits)
    num_picks = logits.shape[1]
    is_selected = selected >= 0
    counts = is_selected.sum(1, keepdim=True)  # rows 1
    pick = torch.arange(num_picks, device=logits.device)

    candidates = selected.long().clamp(min=0)[:, None].expand(-1, num_picks, -1)
    # Units picked before have no probability left, so those of the whole set may be summed.
    of_units = log_probabilities.gather(2, candidates)  # rows picks selected
    any_unit = of_units.masked_fill(~is_selected[:, None], MINIMUM).logsumexp(2)

    zero = log_probabilities.new_zeros(())
    units = torch.where(pick < counts, any_unit, zero)
    is_end = (pick == counts) & (counts < MAX_SELECTED)
    end = torch.where(is_end, log_probabilities[..., -1], zero)
    return -(units + end).sum(1)
