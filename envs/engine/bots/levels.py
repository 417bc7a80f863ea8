"""How well each level of computer plays, and what it builds: tables, and nothing decided here."""

from enum import StrEnum
from functools import cache
from typing import NamedTuple

from envs.engine.layout import Trait
from envs.engine.unit_tables import RACES, read_rows, unit_tables


class Level(NamedTuple):
    """One level's parameters."""

    difficulty: int
    name: str
    period_loops: int  # between decisions
    spends_percent: int  # of decisions that spend money
    max_workers: int
    max_bases: int
    max_army_supply: int
    attack_from_loop: int
    attack_supply: int  # of army, for the first attack
    attack_growth: int  # more for each attack that follows
    scouts: bool
    retreats: bool
    casts: bool
    sees_all: bool
    income_percent: int


class Plan(StrEnum):
    """What a computer builds for."""

    STANDARD = "standard"
    AGAINST_RUSH = "against_rush"


class Step(NamedTuple):
    """One step of a build: from some supply on, have so many of a thing."""

    supply: int
    row: int  # 0 for an upgrade
    upgrade: int
    number: int


class Where(StrEnum):
    """By what a computer puts a building."""

    FRONT = "front"  # of a hall, towards the enemy
    EACH_HALL = "each_hall"  # in turn
    BASE = "base"  # some way before a hall


class Share(NamedTuple):
    """One unit of an army, and how much of the army it is to be."""

    row: int
    weight: int
    from_supply: int


@cache
def level(difficulty: int) -> Level:
    """Return a level, for levels that are not there the nearest below."""
    levels = _levels()
    below = [number for number in levels if number <= difficulty]
    return levels[max(below, default=min(levels))]


@cache
def _levels() -> dict[int, Level]:
    return {
        int(line["difficulty"]): Level(
            difficulty=int(line["difficulty"]),
            name=line["name"],
            period_loops=int(line["period_loops"]),
            spends_percent=int(line["spends_percent"]),
            max_workers=int(line["max_workers"]),
            max_bases=int(line["max_bases"]),
            max_army_supply=int(line["max_army_supply"]),
            attack_from_loop=int(line["attack_from_loop"]),
            attack_supply=int(line["attack_supply"]),
            attack_growth=int(line["attack_growth"]),
            scouts=line["scouts"] == "1",
            retreats=line["retreats"] == "1",
            casts=line["uses_spells"] == "1",
            sees_all=line["sees_all"] == "1",
            income_percent=int(line["income_percent"]),
        )
        for line in read_rows("bot_levels.csv")
    }


@cache
def build_of(race: int, plan: Plan = Plan.STANDARD) -> tuple[Step, ...]:
    """Return a race's build, in order."""
    tables = unit_tables()
    upgrades = {upgrade.name: upgrade.id for upgrade in tables.upgrades.values()}
    return tuple(
        Step(
            supply=int(line["supply"]),
            row=tables.row.get(line["what"], 0),
            upgrade=0 if line["what"] in tables.row else upgrades[line["what"]],
            number=int(line["count"]),
        )
        for line in read_rows("bot_builds.csv")
        if RACES[line["race"]] == race and line["plan"] == plan
    )


@cache
def army_of(race: int, difficulty: int) -> tuple[Share, ...]:
    """Return what a race's army is made of at a level."""
    tables = unit_tables()
    return tuple(
        Share(tables.row[line["unit"]], int(line["weight"]), int(line["from_supply"]))
        for line in read_rows("bot_armies.csv")
        if RACES[line["race"]] == race
        and int(line["from_difficulty"]) <= difficulty <= int(line["to_difficulty"])
    )


@cache
def site_of(row: int) -> Where:
    """Return by what to put a building."""
    name = unit_tables().names[row]
    lines = [line for line in read_rows("bot_sites.csv") if line["building"] == name]
    return Where(lines[0]["where"]) if lines else Where.BASE


@cache
def is_town_hall(row: int) -> bool:
    """Return whether a type is a town hall."""
    return bool(unit_tables().types["traits"][row] & Trait.TOWN_HALL)
