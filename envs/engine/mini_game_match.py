"""A match as mini-games see it, and what they allow and score."""

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from envs.engine.commands import commands_of
from envs.engine.layout import ONE
from envs.engine.minigames import mini_games
from envs.engine.order_queue import Aim, clear_orders
from envs.engine.orders import give

if TYPE_CHECKING:
    from envs.engine.match import Match

START_MINERALS = 50

_ATTACK = 3674


class MiniGameRun:
    """One run of a mini-game in a match."""

    def __init__(self, match: "Match") -> None:
        assert match.game_map.mini_game
        self._match = match
        self._rules = mini_games()[match.game_map.mini_game]()
        self._allowed: dict[int, frozenset[int]] = {}
        self.scores: dict[int, int] = {}
        self.has_fog = self._rules.stage.has_fog

    @property
    def random(self) -> np.random.Generator:
        """The source of all that is drawn in the course of the match."""
        return self._match.random

    @property
    def loop(self) -> int:
        """Game loops since the start."""
        return self._match.loop

    def start(self) -> None:
        """Put the units of the first round on the map."""
        if not self.has_fog:
            self._match.world.players["sees_all"] = 1
        self._match.world.players["minerals"][1] = START_MINERALS
        self._rules.start(self)

    def after_loop(self) -> None:
        """Score what happened in a loop, begin a new round, or end the game."""
        if not self._match.is_over:
            self._rules.after_loop(self)

    def allows(self, player: int, slots: list[int], ability: int) -> bool:
        """Return whether a player may train or build what an ability makes."""
        if player not in self._allowed:
            return True
        game = self._match.game
        for slot in slots:
            command = commands_of(int(game.units["type"][slot])).get(ability)
            if command and command.row and command.row not in self._allowed[player]:
                return False
        return True

    def spawn(self, unit_id: int, owner: int, x: float, y: float) -> int:
        """Put a finished unit on the map and return its tag."""
        game = self._match.game
        row = game.tables.row_of_id[unit_id]
        slot = game.spawn(row, owner, round(x * ONE), round(y * ONE))
        game.count_supply()
        return int(game.units["tag"][slot])

    def remove(self, tag: int) -> None:
        """Take a unit off the map; it does not count as killed."""
        slot = self._match.game.slot(tag)
        if slot:
            self._match.game.remove(slot)

    def place(self, tag: int, x: float, y: float) -> None:
        """Put a unit elsewhere; it forgets its orders and keeps its health."""
        game = self._match.game
        slot = game.slot(tag)
        if slot:
            clear_orders(game, slot)
            game.place(slot, round(x * ONE), round(y * ONE))

    def position(self, tag: int) -> tuple[float, float]:
        """Return where a living unit is."""
        unit = self._match.game.units[self._match.game.slot(tag)]
        return int(unit["x"]) / ONE, int(unit["y"]) / ONE

    def is_alive(self, tag: int) -> bool:
        """Return whether there still is a unit with this tag."""
        return self._match.game.slot(tag) != 0

    def attack_towards(self, tag: int, x: float, y: float) -> None:
        """Order a unit to walk there and to fight what it meets."""
        game = self._match.game
        slot = game.slot(tag)
        if slot:
            owner = int(game.units["owner"][slot])
            aim = Aim(0, round(x * ONE), round(y * ONE), is_point=True)
            give(game, owner, _ATTACK, [slot], aim, is_queued=False)

    def allow_only(self, player: int, unit_ids: Collection[int]) -> None:
        """Let a player train and build these types of units and no others."""
        rows = self._match.game.tables.row_of_id
        self._allowed[player] = frozenset(rows[unit_id] for unit_id in unit_ids)

    def collected(self, player: int) -> tuple[int, int]:
        """Return how many minerals and how much gas workers brought home since the start."""
        state = self._match.world.players[player]
        return int(state["minerals_collected"]), int(state["gas_collected"])

    def count_made(self, player: int, unit_id: int) -> int:
        """Return how many units of a type a player has trained since the start."""
        game = self._match.game
        return game.made[player, game.tables.row_of_id[unit_id]]

    def set_score(self, player: int, value: int) -> None:
        """Set the score that a player is told."""
        self.scores[player] = value

    def end(self, player: int) -> None:
        """End the game of a player, and with it the match."""
        self._match.end(player)
