"""Actions, made of what a player wants: who, what and where."""

from collections.abc import Sequence

import numpy as np

from agent.scripted.catalogue import action_type_of
from agent.scripted.ground import Place
from agent.scripted.situation import Rows
from envs.actions import NO_OP
from envs.interface import MAX_SELECTED, SUBCELLS, UNKNOWN, WORLD_SIZE, Action

CELL = 2
"""Side of the cells in whose middle targets lie, in world units."""

DELAY_AFTER_ORDER = 6
DELAY_AT_REST = 10
_NOWHERE = (UNKNOWN, UNKNOWN)


def rest() -> Action:
    """Return the action of doing nothing for a while."""
    return Action(NO_OP, DELAY_AT_REST, UNKNOWN, np.zeros(0, np.int16), UNKNOWN, _NOWHERE)


def order(name: str, rows: Rows | Sequence[int]) -> Action:
    """Return an order that is aimed at nothing."""
    return order_of_type(action_type_of(name), rows)


def order_of_type(action_type: int, rows: Rows | Sequence[int]) -> Action:
    """Return an order that is aimed at nothing."""
    selected = np.sort(np.asarray(rows, np.int16)[:MAX_SELECTED])
    return Action(action_type, DELAY_AFTER_ORDER, 0, selected, UNKNOWN, _NOWHERE)


def order_to(name: str, rows: Rows | Sequence[int], place: Place) -> Action:
    """Return an order to a place; it goes to the middle of the place's cell."""
    return order(name, rows)._replace(target_location=subcells(middle_of_cell(place)))


def order_at(name: str, rows: Rows | Sequence[int], target: int) -> Action:
    """Return an order that is aimed at a unit, given by its row."""
    return order(name, rows)._replace(target_unit=int(target))


def middle_of_cell(place: Place) -> Place:
    """Return the middle of the cell that a place lies in."""
    x, y = (min(max(at, 0.0), WORLD_SIZE - 1.0) // CELL * CELL + CELL / 2 for at in place)
    return x, y


def subcells(place: Place) -> tuple[int, int]:
    """Return a place as actions name it."""
    return int(place[0] * SUBCELLS), int(place[1] * SUBCELLS)
