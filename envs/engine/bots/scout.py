"""A computer's scout: one worker that looks at the enemy early, and whether a rush is coming."""

from envs.engine.bots.ground import Ground
from envs.engine.bots.levels import Level, Plan, army_of
from envs.engine.bots.maneuvers import MOVE
from envs.engine.bots.survey import Group
from envs.engine.bots.view import View, is_building, ways_to_make
from envs.engine.commands import Deed
from envs.engine.layout import TICK
from envs.engine.order_queue import point
from envs.engine.unit_tables import race_units, unit_tables

_LEAVES_AT = 360  # loop
_LOOKS_UNTIL = 2900
_MANY_BY = 2350  # loop at which two buildings that make soldiers are many
_EARLY_BY = 1000  # loop at which what makes soldiers out of larvae is early
_WARY_UNTIL, _TOO_LATE = 6000, 11000
_ARMY_SUPPLY = 14


class Scout:
    """Finds out early what the enemy is about, and says what to build for."""

    def __init__(self, view: View, level: Level, ground: Ground) -> None:
        self._view = view
        self._ground = ground
        self._is_to_go = level.scouts
        self._is_rushed = False
        first_soldiers = [army_of(race, level.difficulty)[0].row for race in race_units()]
        self._makers = {
            maker
            for row in first_soldiers
            for maker, command in ways_to_make(row, 0)
            if is_building(maker) and command.deed is Deed.TRAIN
        }
        needed = {row for soldier in first_soldiers for row in unit_tables().requires[soldier]}
        self._pools = needed - self._makers - {race.town_hall for race in race_units().values()}

    def act(self) -> None:
        """Send the scout when it is time, and note what it sees."""
        loop = self._view.game.loop
        if self._is_to_go and loop >= _LEAVES_AT:
            self._is_to_go = False
            self._go()
        if loop < _LOOKS_UNTIL and not self._is_rushed:
            self._is_rushed = self._sees_rush()

    def plan(self) -> Plan:
        """Return what to build for: against a rush until it is over, and there are soldiers."""
        view = self._view
        if not self._is_rushed or view.game.loop >= _TOO_LATE:
            return Plan.STANDARD
        has_army = view.supply(view.raw_group(Group.ARMY)) >= _ARMY_SUPPLY
        is_over = view.game.loop >= _WARY_UNTIL and has_army
        return Plan.STANDARD if is_over else Plan.AGAINST_RUSH

    def _go(self) -> None:
        """Walk by our next base and the enemy's to where he started, and come back."""
        view, ground = self._view, self._ground
        worker = view.nearest(Group.MINERS, *ground.towards_enemy(*ground.start, 8))
        if not worker:
            return
        places = [*ground.bases[1:2], *ground.enemy_bases[1::-1], ground.start]
        for number, place in enumerate(places):
            view.match.order(view.player, MOVE, [worker], point(*place), is_queued=number > 0)
        view.take(Group.MINERS, worker)

    def _sees_rush(self) -> bool:
        """Return whether the enemy can make soldiers sooner than who wants another base."""
        view = self._view
        units, loop = view.world.units, view.game.loop
        num_makers = 0
        for slot in view.group(Group.ENEMY_BUILDINGS):
            row = int(units["type"][slot])
            built = int(units["build_total"][slot]) - int(units["build_left"][slot])
            if row in self._pools and loop - built // TICK < _EARLY_BY:
                return True
            num_makers += row in self._makers
        return num_makers > 1 and loop < _MANY_BY
