"""Which raw function a command is: ability links of a build to pysc2's raw functions.

A command names an ability by its place in that build's catalogue (its link) and an index within
it. The way to a raw function: link -> catalogue name by one of the tables that sc2reader ships,
chosen per base build by how plausible its names are (``ability_tables.csv``); catalogue name and
index -> functions (``abilities.csv``, from Blizzard's ``stableid.json``, and the aliases beside
it); and of these the general one that fits the command's target.
"""

import csv
import importlib.util
from bisect import bisect_right
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import NamedTuple

from envs.game_numbers import general_function
from envs.interface import raw_functions, read_table

SMART = "Smart"


class Target(StrEnum):
    """What a command is aimed at; the values are the kinds of raw functions."""

    NOTHING = "quick"
    POINT = "point"
    UNIT = "unit"
    AUTOCAST = "autocast"


class Ability(NamedTuple):
    """What is known of a command's ability."""

    name: str | None  # in the game's catalogue; None where the build's table lacks it
    action_type: int | None  # None where no raw function does it
    target: Target  # how the function is aimed, which can differ from the command


@cache
def find_ability(base_build: int, link: int | None, index: int, target: Target) -> Ability:
    """Return the ability of a command.

    Args:
        base_build: of the replay.
        link: place in the build's catalogue; None for a right click.
        index: command within the ability.
        target: what the command is aimed at. A command on a unit whose function takes only a
            point is turned into one on the unit's place.
    """
    if link is None:
        return _fitting(SMART, ("Smart_pt", "Smart_unit"), target)
    name = _link_names(base_build).get(link)
    if name is None:
        return Ability(None, None, target)
    return _fitting(name, _functions_of().get((name.lower(), index), ()), target)


def _fitting(name: str, functions: tuple[str, ...], target: Target) -> Ability:
    """Choose, of an ability's functions, the general one for this target."""
    by_kind: dict[str, int] = {}
    for function_name in functions:
        action_type = _action_types()[function_name]
        kind, general = raw_functions()[action_type].kind, general_function(action_type)
        if kind not in by_kind or general == action_type:
            by_kind[kind] = general
    if target in by_kind:
        return Ability(name, by_kind[target], target)
    if target == Target.UNIT and Target.POINT in by_kind:
        return Ability(name, by_kind[Target.POINT], Target.POINT)
    return Ability(name, None, target)


@cache
def _action_types() -> dict[str, int]:
    return {function.name: i for i, function in enumerate(raw_functions())}


@cache
def _functions_of() -> dict[tuple[str, int], tuple[str, ...]]:
    rows = [*read_table("abilities.csv"), *read_table("ability_aliases.csv")]
    return {
        (row["catalogue_name"].lower(), int(row["command_index"])): tuple(
            name for name in row["pysc2_raw_functions"].split("|") if name
        )
        for row in rows
    }


@cache
def _link_names(base_build: int) -> dict[int, str]:
    """Return link -> catalogue name for a build.

    Builds without a table of their own that fits read another's, their links shifted: from link
    60 on by five, say. The shifts were found by matching who uses an ability with who uses it
    elsewhere.
    """
    rows = read_table("ability_tables.csv")
    row = rows[bisect_right([int(row["from_base_build"]) for row in rows], base_build) - 1]
    table = _sc2reader_table(row["sc2reader_table"])
    shifts = [tuple(map(int, part.split(":"))) for part in row["shifts"].split("|") if part]

    def shift_at(link: int) -> int:
        return next((by for start, by in reversed(shifts) if link - by >= start), 0)

    return {link - shift_at(link): name for link, name in table.items()} if shifts else table


@cache
def _sc2reader_table(name: str) -> dict[int, str]:
    spec = importlib.util.find_spec("sc2reader")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("sc2reader is not installed")
    path = Path(spec.origin).parent / "data" / f"{name}_abilities.csv"
    with path.open(encoding="utf-8") as file:
        return {int(row[0]): row[1] for row in csv.reader(file) if row}
