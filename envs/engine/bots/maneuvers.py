"""Sending many units on their way, without troubling those that need no order."""

import numpy as np
from numpy.typing import NDArray

from envs.engine.bots.crowds import needing_order
from envs.engine.bots.view import View
from envs.engine.layout import ONE
from envs.engine.order_queue import point

ATTACK, MOVE = 3674, 3794
"""General ids of the abilities by which units are sent."""

Soldiers = NDArray[np.int32]
"""Slots of units."""

_REORDER_CELLS = 3 * ONE


def send(view: View, slots: Soldiers, place: tuple[int, int], ability: int, *, near: int) -> None:
    """Send units somewhere, but for those that are on their way or in a fight.

    Args:
        view: of the player whose they are.
        slots: of the units.
        place: where to; the nearest open place is taken.
        ability: ``ATTACK`` or ``MOVE``.
        near: how near idle units count as there.
    """
    if not len(slots):
        return
    x, y = view.open_place(*place)
    group = slots.copy()
    count = needing_order(view.world.record, group, x, y, _REORDER_CELLS, near, ability == MOVE)
    if count:
        view.match.order(view.player, ability, group[:count].tolist(), point(x, y))
