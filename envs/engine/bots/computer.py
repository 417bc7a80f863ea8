"""A built-in opponent: decides every so often, by what it can know, through ordinary commands."""

from typing import TYPE_CHECKING

import numpy as np

from envs.engine.bots.abilities import Abilities
from envs.engine.bots.army import Army
from envs.engine.bots.builder import Builder
from envs.engine.bots.ground import Ground
from envs.engine.bots.levels import level
from envs.engine.bots.maker import Maker
from envs.engine.bots.scout import Scout
from envs.engine.bots.survey import MOMENT_LOOPS
from envs.engine.bots.view import View
from envs.engine.bots.workers import Workers

if TYPE_CHECKING:
    from envs.engine.match import Match

_MAX_TRANSFERS = 8


class Computer:
    """One computer player of a match."""

    def __init__(self, match: "Match", player: int, difficulty: int, ai_build: int) -> None:
        del ai_build  # there is one build a race
        self.player = player
        self.level = level(difficulty)
        self._match = match
        self._random = np.random.default_rng((match.seed, player))
        self._view = View(match, player)
        ground = Ground(self._view, self._random)
        self._workers = Workers(self._view)
        maker = Maker(self._view, ground)
        self._builder = Builder(self._view, self.level, self._workers, maker)
        self._scout = Scout(self._view, self.level, ground)
        self._army = Army(self._view, self.level, ground)
        self._abilities = Abilities(self._view, ground, self._workers)
        self.next_loop = player  # the two take turns
        self._next_macro = 0

    def decide(self) -> None:
        """Make the decisions that are due, and set when the next are."""
        loop = self._match.loop
        self.next_loop = loop + self.level.period_loops
        self._view.refresh()
        self._army.act()
        if loop < self._next_macro:
            return
        self._next_macro = loop + max(MOMENT_LOOPS, self.level.period_loops)
        self._view.count_up()
        self._scout.act()
        self._workers.act(max_transfers=_MAX_TRANSFERS)
        if self._random.integers(100) < self.level.spends_percent:
            self._builder.act(self._scout.plan(), is_pressed=self._army.is_pressed)
        if self.level.casts:
            self._abilities.act()
