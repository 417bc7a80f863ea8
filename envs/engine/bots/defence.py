"""How a computer meets attackers at its bases: with soldiers, and with workers where those lack."""

import numpy as np

from envs.engine.bots.crowds import nearest_threat
from envs.engine.bots.levels import Level
from envs.engine.bots.maneuvers import ATTACK, MOVE, Soldiers, send
from envs.engine.bots.survey import Group
from envs.engine.bots.view import View
from envs.engine.layout import ONE

_THREAT_RADIUS = 22 * ONE
_FIGHT_RADIUS = 14 * ONE
_HELP_RADIUS, _GUARD_RADIUS = 90 * ONE, 30 * ONE
_DOORSTEP = 13 * ONE  # of a town hall
_RAID = 400  # power of enemies so few that half as much again is better against them
_THERE = 3 * ONE
_POWER_OF_WORKER = 18
_MINERS_LEFT = 4


class Defence:
    """Leads those who are at home against who comes there."""

    def __init__(self, view: View, level: Level) -> None:
        self._view = view
        self._level = level

    def threat(self) -> int:
        """Return the slot of an enemy that is near one of our buildings, 0 for none."""
        view = self._view
        if not view.size(Group.ENEMIES):
            return 0
        enemies, halls = view.raw_group(Group.ENEMIES), view.raw_group(Group.HALLS)
        buildings = view.raw_group(Group.BUILDINGS)
        return int(nearest_threat(view.world.record, enemies, halls, buildings, _THREAT_RADIUS))

    def meet(self, soldiers: Soldiers, threat: int) -> bool:
        """Send who can help against a threat; return whether that is too little to hold it off."""
        view = self._view
        place = view.position(threat)
        theirs = view.power(Group.ENEMIES, place, _FIGHT_RADIUS)
        lacking = theirs - view.power(Group.ARMY, place, 2 * _FIGHT_RADIUS)
        guards = view.within(view.raw_group(Group.GUARDS), place, _GUARD_RADIUS)
        helpers = np.concatenate([view.within(soldiers, place, _HELP_RADIUS), guards])
        hall = view.nearest(Group.HALLS, *place)
        wanted = lacking + (theirs // 2 if theirs <= _RAID else 0)
        if wanted > 0 and hall and self._level.retreats:
            self._hold_out(helpers, hall, threat, wanted)
        else:
            send(view, helpers, place, ATTACK, near=_THERE)
            send(view, view.raw_group(Group.DEFENDERS), place, ATTACK, near=_THERE)
        return lacking > 0

    def _hold_out(self, helpers: Soldiers, hall: int, threat: int, lacking: int) -> None:
        """Have soldiers that are too few fall back to a town hall, and workers fight beside them.

        Not if even all workers would be too few, and there is another base to flee to.
        """
        view = self._view
        home, place = view.position(hall), view.position(threat)
        miners = view.within(view.raw_group(Group.MINERS), home, _FIGHT_RADIUS)
        defenders = view.raw_group(Group.DEFENDERS)
        wanted = lacking // _POWER_OF_WORKER + 3
        most = len(miners) + len(defenders) - _MINERS_LEFT
        is_vain = wanted > most and view.size(Group.HALLS) > 1
        if view.game.kind(threat)["flying"] or is_vain:
            send(view, helpers, home, ATTACK, near=_THERE)
        elif view.game.distance(hall, *place) > _DOORSTEP:
            send(view, helpers, home, MOVE, near=_THERE)
        else:
            units = view.world.units
            healthy = miners[2 * units["health"][miners] > units["health_max"][miners]]
            number = max(min(wanted, most) - len(defenders), 0)
            called = view.nearest_first(healthy, *place)[:number]
            send(view, called, place, ATTACK, near=0)
            send(view, np.concatenate([helpers, defenders]), place, ATTACK, near=_THERE)
