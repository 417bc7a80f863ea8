"""A short script for each mini-game about units: what a player who knows the trick does.

Each gives at most one command a step, as a learned agent does, to as many units as it likes, and
knows nothing but what it is told of the game.
"""

import math
from collections.abc import Iterable

from training.bench.mini_game_client import Command, Point, Unit, View

MOVE, ATTACK = 3794, 3674
MARINE, BANELING, ROACH, ZERGLING = 48, 9, 110, 105

_BEACON, _SHARD = 317, 1680


class WalkToBeacon:
    """The Marine walks to the beacon."""

    def act(self, view: View) -> Command | None:
        """Return the way there."""
        (marine,), (beacon,) = view.own(MARINE), view.neutral(_BEACON)
        return Command(MOVE, (marine.tag,), beacon.at)


class TakeNearestShards:
    """Each Marine walks to the nearest shard that the other one does not walk to."""

    def __init__(self) -> None:
        self._walks_to: dict[int, int] = {}

    def act(self, view: View) -> Command | None:
        """Send a Marine whose shard is taken to the next one."""
        shards = {shard.tag: shard for shard in view.neutral(_SHARD)}
        self._walks_to = {
            marine: shard for marine, shard in self._walks_to.items() if shard in shards
        }
        for marine in view.own(MARINE):
            if marine.tag not in self._walks_to:
                free = [shards[tag] for tag in shards.keys() - set(self._walks_to.values())]
                if not free:
                    continue
                shard = nearest(free, marine.at)
                self._walks_to[marine.tag] = shard.tag
                return Command(MOVE, (marine.tag,), shard.at)
        return None


class SearchForZerglings:
    """The Marines go through the map together, to the nearest Zergling or unseen place."""

    _SEEN_WITHIN, _STEP = 7.0, 4

    def __init__(self) -> None:
        self._unseen: set[Point] = set()
        self._goal: Point | None = None

    def act(self, view: View) -> Command | None:
        """Attack what is in sight, or go where nobody has been for longest."""
        marines = view.own(MARINE)
        middle = centre(marines)
        if not self._unseen:
            self._unseen = set(_grid(view, self._STEP))
        self._unseen = {
            place
            for place in self._unseen
            if all(math.dist(place, marine.at) > self._SEEN_WITHIN for marine in marines)
        }
        zerglings = view.enemies(ZERGLING)
        places = [zergling.at for zergling in zerglings] or sorted(self._unseen)
        goal = min(places, key=lambda place: math.dist(place, middle), default=None)
        if goal is None or goal == self._goal:
            return None
        self._goal = goal
        return Command(ATTACK, tags(marines), goal)


class ShootAndStepBack:
    """All Marines shoot at the same enemy, and step back together while their weapons cool down.

    They stay in range that way, and those who come at them lose time by following.
    """

    _STEP_BACK = 3.0
    _COOLING_LOOPS = 4.0

    def __init__(self, first: int, *, meets_at: float, too_near: float, share: float) -> None:
        """Begin a game.

        Args:
            first: the type of enemy to shoot at and to step back from as long as there is one.
            meets_at: distance up to which they wait for those.
            too_near: distance from which they step back.
            share: of the Marines whose weapons must be cooling down for that.
        """
        self._first = first
        self._meets_at = meets_at
        self._too_near = too_near
        self._share = share
        self._target = 0

    def act(self, view: View) -> Command | None:
        """Step back, choose another target, or have those fight who do nothing."""
        marines, enemies = view.own(MARINE), view.enemies()
        dangerous = view.enemies(self._first)
        if not enemies:
            return None
        middle = centre(marines)
        threat = nearest(dangerous or enemies, middle)
        gap = min(math.dist(threat.at, marine.at) for marine in marines)
        if dangerous and gap > self._meets_at:
            return None
        num_cooling = sum(marine.weapon_cooldown > self._COOLING_LOOPS for marine in marines)
        if dangerous and gap < self._too_near and num_cooling >= self._share * len(marines):
            self._target = 0
            return Command(MOVE, tags(marines), away(middle, threat.at, self._STEP_BACK))
        targets = {enemy.tag for enemy in dangerous or enemies}
        if self._target not in targets:
            weakest = min(
                dangerous or enemies,
                key=lambda enemy: (enemy.health, math.dist(enemy.at, middle), enemy.tag),
            )
            self._target = weakest.tag
            return Command(ATTACK, tags(marines), self._target)
        idle = [marine for marine in marines if not marine.order]
        return Command(ATTACK, tags(idle), self._target) if idle else None


def nearest(units: Iterable[Unit], place: Point) -> Unit:
    """Return the unit that is nearest to a place; of equals the one with the lowest tag."""
    return min(units, key=lambda unit: (math.dist(unit.at, place), unit.tag))


def away(place: Point, threat: Point, by: float) -> Point:
    """Return what lies so far from a place, straight away from a threat."""
    distance = math.dist(place, threat) or 1.0
    share = by / distance
    return place[0] + (place[0] - threat[0]) * share, place[1] + (place[1] - threat[1]) * share


def centre(units: list[Unit]) -> Point:
    """Return the middle of some units."""
    return (
        sum(unit.x for unit in units) / len(units),
        sum(unit.y for unit in units) / len(units),
    )


def tags(units: Iterable[Unit]) -> tuple[int, ...]:
    """Return the tags of some units."""
    return tuple(unit.tag for unit in units)


def _grid(view: View, step: int) -> list[Point]:
    left, bottom, right, top = view.playable
    return [
        (x + step / 2, y + step / 2)
        for x in range(left, right, step)
        for y in range(bottom, top, step)
    ]
