"""Who plays the mini-games: a player that acts at random, and what all players have in common."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from training.bench.mini_game_client import Ability, Command, Point, View

_MAX_UNITS_ASKED = 20


class MiniGamePlayer(Protocol):
    """Someone who plays one game of a mini-game."""

    def act(self, view: View) -> Command | None:
        """Return what to do now, or nothing."""


class RandomPlayer:
    """A random command of a random unit, every time.

    The unit is drawn from the player's own, the command from those that the unit can be given
    at that moment, costs considered; then whether it is aimed at a place or at a unit where it
    can be either, and the place from the whole map or the unit from all in sight. A unit that
    can do nothing is drawn again. What the game then refuses, a building on a slope for instance,
    does nothing.

    pysc2's random agent, and the random policy of the paper, do the same on the screen: they draw
    from the functions that the interface has available, most of which select something or move the
    camera, and the units that are selected get the command together.
    """

    def __init__(
        self, abilities: Callable[[int], list[Ability]], generator: np.random.Generator
    ) -> None:
        """Begin a game.

        Args:
            abilities: returns what a unit, given by its tag, can be told to do.
            generator: of all that is drawn.
        """
        self._abilities = abilities
        self._generator = generator

    def act(self, view: View) -> Command | None:
        """Return a random command."""
        own = view.own()
        for i in self._generator.permutation(len(own))[:_MAX_UNITS_ASKED]:
            abilities = self._abilities(own[i].tag)
            if abilities:
                ability = abilities[self._generator.integers(len(abilities))]
                return Command(ability.ability, (own[i].tag,), self._target(ability, view))
        return None

    def _target(self, ability: Ability, view: View) -> int | Point | None:
        kinds: list[Callable[[View], int | Point | None]] = []
        if ability.takes_none:
            kinds.append(lambda _: None)
        if ability.takes_point:
            kinds.append(self._place)
        if ability.takes_unit:
            kinds.append(self._unit)
        return kinds[self._generator.integers(len(kinds))](view)

    def _place(self, view: View) -> Point:
        left, bottom, right, top = view.playable
        x, y = self._generator.uniform((left, bottom), (right, top))
        return float(x), float(y)

    def _unit(self, view: View) -> int:
        return view.units[self._generator.integers(len(view.units))].tag
