"""One attack after another: who takes part, where it goes, and how it stays together."""

import numpy as np

from envs.engine.bots.crowds import centre_within, supply_within
from envs.engine.bots.ground import Ground
from envs.engine.bots.levels import Level
from envs.engine.bots.maneuvers import ATTACK, Soldiers, send
from envs.engine.bots.survey import Group, nearest
from envs.engine.bots.view import View
from envs.engine.layout import MAX_UNITS, ONE
from envs.engine.order_queue import point

_FIGHT_RADIUS = 14 * ONE
_HELP_RADIUS = 22 * ONE  # from which the others come to help
_HOPELESS = 1.4  # the enemy's power to ours
_NEGLIGIBLE = 300  # power
_TOGETHER = 12 * ONE
_BODY_RADIUS = 10 * ONE
_WAVE_LOOPS, _WAVE_SUPPLY = 22 * 15, 16
_MUSTER_LOOPS, _MUSTER_PAUSE_LOOPS = 22 * 12, 22 * 20
_TARGET_LOOPS = 22 * 120  # after which a target counts as out of reach
_ARRIVED, _MUSTERED = 5 * ONE, 10 * ONE


class Assault:
    """Leads those who attack."""

    def __init__(self, view: View, level: Level, ground: Ground) -> None:
        self._view = view
        self._level = level
        self._ground = ground
        self._sent = np.zeros(MAX_UNITS, np.int64)  # by slot: tag of the unit that was sent
        self.body = ground.start  # where most of the foremost are
        self._front = ground.start
        self._target: tuple[int, int] | None = None
        self._target_until = 0
        self._goal = ground.start  # open ground by the target
        self._out_of_reach: set[tuple[int, int]] = set()
        self._num_searched = 0  # of the enemy's bases
        self._next_wave = 0
        self._muster: tuple[int, int] | None = None
        self._muster_until = self._next_muster = 0

    def begin(self, soldiers: Soldiers) -> None:
        """Start an attack with some soldiers."""
        self._sent[:] = 0
        self._send_off(soldiers)
        self._front = self.body = self._view.position(int(soldiers[0]))
        self._target = self._muster = None
        self._out_of_reach.clear()
        self._num_searched = 0

    def attackers(self, soldiers: Soldiers) -> Soldiers:
        """Return those of some soldiers that take part."""
        return soldiers[self._sent[soldiers] == self._view.world.units["tag"][soldiers]]

    def reserves(self, soldiers: Soldiers) -> Soldiers:
        """Return those of some soldiers that do not take part."""
        return soldiers[self._sent[soldiers] != self._view.world.units["tag"][soldiers]]

    def is_hopeless(self) -> bool:
        """Return whether the enemy is so strong at the front that it is better to leave."""
        view = self._view
        theirs = view.power(Group.ENEMIES, self._front, _FIGHT_RADIUS)
        if theirs <= _NEGLIGIBLE:
            return False
        return theirs > _HOPELESS * view.power(Group.ARMY, self._front, _HELP_RADIUS)

    def lead(self, soldiers: Soldiers) -> None:
        """Have the attackers go on, all together, and reserves follow in waves."""
        view = self._view
        loop = view.game.loop
        if loop >= self._next_wave:
            reserves = self.reserves(soldiers)
            if view.supply(reserves) >= _WAVE_SUPPLY:
                self._send_off(reserves)
        group = self.attackers(soldiers)
        if not len(group):
            return
        is_another = self._choose_target()
        if self._target is None:
            self._front = self.body = view.position(int(group[0]))
            self._scatter(group)
            return
        record = view.world.record
        foremost = nearest(record, group, len(group), *self._target)
        self._front = view.position(int(group[foremost]))
        x, y = centre_within(record, group, *self._front, _BODY_RADIUS)
        self.body = int(x), int(y)
        if self._level.retreats:
            self._keep_together(group)
        if self._muster:
            send(view, group, self._muster, ATTACK, near=_MUSTERED)
        else:
            send(view, group, self._goal, ATTACK, near=0 if is_another else _ARRIVED)

    def _send_off(self, soldiers: Soldiers) -> None:
        self._sent[soldiers] = self._view.world.units["tag"][soldiers]
        self._next_wave = self._view.game.loop + _WAVE_LOOPS

    def _choose_target(self) -> bool:
        """Set what to attack; return whether it is another place than before."""
        loop = self._view.game.loop
        known = self._view.enemy_buildings()
        in_reach = [place for place in known if place not in self._out_of_reach]
        if known and not in_reach:
            self._out_of_reach.clear()
            in_reach = known
        target = self._target
        if in_reach and target not in in_reach:
            x, y = self._front
            target = min(in_reach, key=lambda place: (place[0] - x) ** 2 + (place[1] - y) ** 2)
        elif not in_reach:
            target = self._place_to_search()
        if target != self._target:
            self._target, self._target_until = target, loop + _TARGET_LOOPS
            self._goal = self._view.open_place(*target) if target else self._front
            return True
        if target and loop >= self._target_until:
            self._out_of_reach.add(target)
        return False

    def _place_to_search(self) -> tuple[int, int] | None:
        """Return the next base at which nobody has looked in this attack, None after the last."""
        places = self._ground.enemy_bases
        while self._num_searched < len(places):
            place = places[self._num_searched]
            if not self._ground.is_seen(*place) and place not in self._out_of_reach:
                return place
            self._num_searched += 1
        return None

    def _scatter(self, group: Soldiers) -> None:
        """Have everybody look for what is left of the enemy, each somewhere else."""
        view = self._view
        for slot in group[view.world.units["num_orders"][group] == 0].tolist():
            place = point(*self._ground.next_lookout())
            view.match.order(view.player, ATTACK, [slot], place)

    def _keep_together(self, group: Soldiers) -> None:
        """Have those in front wait for the others, once in a while and unless there is a fight."""
        view, record = self._view, self._view.world.record
        loop = view.game.loop
        is_fighting = view.power(Group.ENEMIES, self._front, _FIGHT_RADIUS) > 0
        around = self._muster or self._front
        near = supply_within(record, group, *around, _TOGETHER)
        everybody = 2 * view.supply(group)
        if self._muster:
            if is_fighting or loop >= self._muster_until or 4 * near >= 3 * everybody:
                self._muster = None
                self._next_muster = loop + _MUSTER_PAUSE_LOOPS
        elif loop >= self._next_muster and 2 * near < everybody and not is_fighting:
            self._muster, self._muster_until = self._front, loop + _MUSTER_LOOPS
