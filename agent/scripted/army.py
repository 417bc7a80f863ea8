"""Leading an army: it meets who comes, gathers before the foremost base, attacks when strong."""

import numpy as np
from numpy.typing import NDArray

from agent.scripted.catalogue import action_type_of, is_structure
from agent.scripted.ground import Place
from agent.scripted.orders import order_to
from agent.scripted.plan import Style
from agent.scripted.situation import Rows, Situation
from envs.interface import (
    WORLD_SIZE,
    Action,
    EntityFeature,
    MapPlane,
    Race,
    ScalarFeature,
    Visibility,
)

_HOME = 24.0  # from a town hall
_NEAR_RALLY = 8.0
_RALLY_STEPS = 8
_ARRIVED = 4.0
_REFRESH_LOOPS = 134
_FULL_SUPPLY = 188
_FIGHT = 18.0
_TOGETHER = 12.0
_TOGETHER_SHARE = 0.7
_APPROACH = 40.0  # to the target, from which nobody waits
_LOOKOUTS = 5  # cells of the planes from one place to look at to the next
_AWAY_SHARE = 0.4  # of the army that is out, by which an attack is known


def defend(situation: Situation) -> Action | None:
    """Send the army that is at home to who comes near a base."""
    threat = threats(situation)
    if not len(threat):
        return None
    at_home = _at_home(situation, situation.fighters)
    if not len(at_home):
        return None
    row = threat[int(_distance_to_halls(situation, threat).argmin())]
    return _send(situation, at_home, situation.place(int(row)))


def attack(situation: Situation, style: Style) -> Action | None:
    """Go for the enemy with all there is, once it is enough; others follow in waves."""
    fighters = situation.fighters
    total = situation.supply(fighters)
    at_home = _at_home(situation, fighters)
    at_home_supply = situation.supply(at_home)
    is_out = total - at_home_supply >= _AWAY_SHARE * total
    if not len(fighters) or not (is_out or _is_strong(situation, style, total)):
        return None
    group = fighters
    if at_home_supply < style.wave_supply:
        group = np.setdiff1d(fighters, at_home)
    if not len(group):
        return None
    place = _next_place(situation, group)
    return _scatter(situation, group) if place is None else _send(situation, group, place)


def _is_strong(situation: Situation, style: Style, total: float) -> bool:
    """Return whether the army is as strong as a style wants it to be for an attack."""
    waits = situation.scalar(ScalarFeature.AWAY_RACE) in (Race.RANDOM, *style.waits_against)
    is_full = situation.supply_used >= _FULL_SUPPLY
    return is_full or (total >= style.attack_supply and not waits)


def gather(situation: Situation) -> Action | None:
    """Bring together, before the foremost base, who has nothing to do."""
    fighters = situation.fighters
    if not len(fighters) or not len(situation.halls):
        return None
    rally = rally_place(situation)
    strays = situation.idle(fighters)
    strays = strays[situation.distances(strays, rally) > _NEAR_RALLY]
    if not len(strays):
        return None
    return order_to("Attack_pt", strays, rally)


def is_pressed(situation: Situation) -> bool:
    """Return whether there are more enemies at home than there is army against them."""
    threat = threats(situation)
    return situation.supply(threat) > situation.supply(situation.fighters)


def threats(situation: Situation) -> Rows:
    """Return the enemy's fighters that are near one's town halls."""
    enemies = situation.enemy_fighters
    enemies = enemies[~is_structure()[situation.type[enemies]]]
    return _at_home(situation, enemies)


def rally_place(situation: Situation) -> Place:
    """Return where the army gathers: some way before the base that is nearest to the enemy."""
    ground = situation.ground
    halls = [situation.place(row) for row in situation.halls.tolist()]
    return ground.towards_enemy(min(halls, key=ground.way_to_enemy), _RALLY_STEPS)


def _next_place(situation: Situation, group: Rows) -> Place | None:
    """Return where a group goes: to its target, or to its own middle if it is strung out.

    It does not wait for anybody near the target, nor where the enemy fights.
    """
    middle = _middle(situation, group)
    target = target_of_attack(situation, middle)
    if target is None or np.hypot(target[0] - middle[0], target[1] - middle[1]) < _APPROACH:
        return target
    enemies = situation.enemy_fighters
    if not len(enemies) or situation.distances(enemies, middle).min() > _FIGHT:
        near = situation.within(group, middle, _TOGETHER)
        if len(near) < _TOGETHER_SHARE * len(group):
            return middle
    return target


def target_of_attack(situation: Situation, middle: Place) -> Place | None:
    """Return the enemy's building that is nearest to a place, or a base that was never seen.

    None if there is neither.
    """
    buildings = situation.enemy_buildings
    if len(buildings):
        return situation.place(situation.nearest(buildings, middle))
    ground = situation.ground
    for base in sorted((base.hall for base in ground.bases), key=ground.way_to_enemy):
        if situation.visibility(base) == Visibility.HIDDEN:
            return base
    return None


def _middle(situation: Situation, group: Rows) -> Place:
    return float(np.median(situation.x[group])), float(np.median(situation.y[group]))


def _scatter(situation: Situation, group: Rows) -> Action | None:
    """Send one who has nothing to do to look somewhere; each goes to another place."""
    idle = situation.idle(group)
    planes = situation.observation.map_planes[:, ::_LOOKOUTS, ::_LOOKOUTS]
    is_out_of_sight = planes[MapPlane.VISIBILITY] != Visibility.VISIBLE
    rows, columns = np.nonzero((planes[MapPlane.PATHABLE] == 1) & is_out_of_sight)
    if not len(idle) or not len(rows):
        return None
    number = (len(group) - len(idle)) % len(rows)
    size = WORLD_SIZE // situation.observation.map_planes.shape[1]
    x, y = ((int(at[number]) * _LOOKOUTS + 0.5) * size for at in (columns, rows))
    return order_to("Attack_pt", [situation.nearest(idle, (x, y))], (x, y))


def _distance_to_halls(situation: Situation, rows: Rows) -> NDArray[np.float32]:
    halls = situation.halls
    away_x = situation.x[rows][:, None] - situation.x[halls]
    away_y = situation.y[rows][:, None] - situation.y[halls]
    return np.hypot(away_x, away_y).min(1, initial=float(WORLD_SIZE))


def _at_home(situation: Situation, rows: Rows) -> Rows:
    return rows[_distance_to_halls(situation, rows) <= _HOME]


def _send(situation: Situation, group: Rows, place: Place) -> Action | None:
    """Order a group to attack a place, unless enough of it are already about it."""
    age = situation.column(group, EntityFeature.LAST_ORDER_AGE)
    last = situation.column(group, EntityFeature.LAST_ORDER)
    is_idle = situation.column(group, EntityFeature.ORDER_LENGTH) == 0
    is_idle &= situation.distances(group, place) > _ARRIVED
    is_due = (last != action_type_of("Attack_pt")) | (age > _REFRESH_LOOPS) | (age < 0)
    is_due |= is_idle & (age > 22)
    if is_due.sum() * 8 < len(group) or not is_due.any():
        return None
    return order_to("Attack_pt", group[np.argsort(~is_due, kind="stable")], place)
