"""What a player is out for: a list of goals in order, and when to attack."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from agent.scripted.catalogue import Product, product
from agent.scripted.situation import Situation
from envs.interface import Action, Race

Rule = Callable[[Situation], Action | None]
"""What to do about one matter in a situation; None if there is nothing to do."""


class Goal(NamedTuple):
    """To have at least so many of a thing."""

    number: int
    thing: Product


class Style(NamedTuple):
    """One way to play a race; supply is that of the army."""

    name: str
    race: Race
    goals: tuple[Goal, ...]  # the first that is not met comes first
    attack_supply: float  # from which all attack, and at the latest when supply is full
    waits_against: tuple[Race, ...]  # whom it attacks only then
    wave_supply: float  # with which others follow
    rules: tuple[Rule, ...] = ()  # of the race, beside what all players do
    not_against: tuple[Race, ...] = ()  # for whom a player chooses another style


_SPREAD = 0.1  # of what differs from game to game
_MANY = 8  # of a thing: fewer are the same in each game


def varied(style: Style, chance: np.random.Generator) -> Style:
    """Return a style with other timings: a little more or less of what there is much of."""
    supply_factor = 1 + _SPREAD * chance.uniform(-1, 1)
    return style._replace(
        goals=tuple(
            goal._replace(number=round(goal.number * (1 + _SPREAD * chance.uniform(-1, 1))))
            if goal.number >= _MANY
            else goal
            for goal in style.goals
        ),
        attack_supply=round(style.attack_supply * supply_factor),
    )


def goals(text: str) -> tuple[Goal, ...]:
    """Read goals such as ``13 Drone, 2 Hatchery, 8 Roach``.

    Raises:
        ValueError: it is not a list of numbers and of things that are made.
    """
    found = []
    for part in text.replace("\n", " ").split(","):
        words = part.split()
        if len(words) != 2 or not words[0].isdigit():
            raise ValueError(f"expected goals such as '8 Roach', got {part.strip()!r}")
        found.append(Goal(int(words[0]), product(words[1])))
    return tuple(found)
