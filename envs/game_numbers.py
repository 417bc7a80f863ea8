"""The game's numbers for units, buffs, upgrades and abilities, as the classes that we use.

What a game sends and a table lacks becomes the class of all others, never an error.
"""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.interface import NUM_BUFFS, raw_functions, read_table

_OTHER_BUFF = NUM_BUFFS - 1
_ADD_ONS = (
    ("BarracksTechLab", "TechLab"),
    ("BarracksReactor", "Reactor"),
    ("FactoryTechLab",),
    ("FactoryReactor",),
    ("StarportTechLab",),
    ("StarportReactor",),
)
"""Add-ons by class, from 1 on; one that is attached to nothing yet counts as a Barracks'."""


class GameNumbers(NamedTuple):
    """Classes by the game's numbers; the last entry is for all numbers from there on."""

    unit_types: NDArray[np.int16]  # -> row of unit_types.csv
    orders: NDArray[np.int16]  # action type -> the general one
    buffs: NDArray[np.int16]  # -> row of buff_classes.csv
    add_ons: NDArray[np.int16]
    upgrades: NDArray[np.int16]  # -> row of upgrades.csv, -1 for others


@cache
def game_numbers() -> GameNumbers:
    """Read the tables."""
    types = {
        int(row["unit_id"]): int(row["unit_type"])
        for row in read_table("unit_types.csv")
        if row["unit_id"]
    }
    names = {
        row["name"]: int(row["unit_id"]) for row in read_table("unit_types.csv") if row["unit_id"]
    }
    buffs = {int(row["buff_id"]): int(row["buff_class"]) for row in read_table("buff_classes.csv")}
    upgrades = {
        int(row["upgrade_id"]): int(row["upgrade"])
        for row in read_table("upgrades.csv")
        if row["upgrade_id"]
    }
    add_ons = {
        names[name]: i
        for i, kinds in enumerate(_ADD_ONS, start=1)
        for name in kinds
        if name in names
    }
    general = [general_function(action_type) for action_type in range(len(raw_functions()))]
    return GameNumbers(
        unit_types=_by_number(types, other=0),
        orders=np.array(general, np.int16),
        buffs=_by_number({0: 0} | buffs, other=_OTHER_BUFF),
        add_ons=_by_number({0: 0} | add_ons, other=0),
        upgrades=_by_number(upgrades, other=-1),
    )


@cache
def general_function(action_type: int) -> int:
    """Return the general function of the same kind; itself where there is none."""
    function = raw_functions()[action_type]
    if function.general_ability_id == 0:
        return action_type
    return _functions().get((function.kind, function.general_ability_id), action_type)


@cache
def function_of_ability(ability_id: int, kind: str) -> int | None:
    """Return the general function that gives an ability in some way; None where there is none.

    Args:
        ability_id: as the game numbers it, general or specific.
        kind: of the function: quick, point, unit or autocast.
    """
    general_id = _general_abilities().get(ability_id, ability_id)
    for ability in (general_id, ability_id):
        if (kind, ability) in _functions():
            return general_function(_functions()[kind, ability])
    return None


@cache
def ability_of_unit(action_type: int, unit_type: int) -> int:
    """Return the ability by which units of a type do what a general function says.

    Args:
        action_type: of the function.
        unit_type: row of unit_types.csv.

    Returns:
        The specific ability that is named for the unit (``Land_Barracks_pt``, ``BarracksFlying``),
        the general one where none is.
    """
    function = raw_functions()[action_type]
    unit_name = read_table("unit_types.csv")[unit_type]["pysc2_name"]
    for other in raw_functions():
        if (other.kind, other.general_ability_id) == (function.kind, function.ability_id):
            taker = other.name.split("_")[-2]
            if unit_name.startswith(taker):
                return other.ability_id
    return function.ability_id


@cache
def _functions() -> Mapping[tuple[str, int], int]:
    """Return action types by kind and ability."""
    return {
        (function.kind, function.ability_id): action_type
        for action_type, function in enumerate(raw_functions())
    }


@cache
def _general_abilities() -> Mapping[int, int]:
    """Return general abilities by specific ones."""
    return {
        function.ability_id: function.general_ability_id
        for function in raw_functions()
        if function.general_ability_id
    }


def _by_number(classes: Mapping[int, int], *, other: int) -> NDArray[np.int16]:
    table = np.full(max(classes) + 2, other, np.int16)
    table[list(classes)] = list(classes.values())
    return table
