"""Leading an army: it meets who comes, gathers before the foremost base, attacks when strong."""

import numpy as np
from numpy.typing import NDArray

from agent.scripted.catalogue import action_type_of, is_structure
from agent.scripted.ground import Place
from agent.scripted.orders import order_to
from agent.scripted.plan import Style
from agent.scripted.situation import Rows, Situation
from envs.interface import WORLD_SIZE, Action, EntityFeature, MapPlane, Visibility

_HOME = 24.0  # from a town hall
_NEAR_RALLY = 8.0
_RALLY_STEPS = 8
_ARRIVED = 4.0
_REFRESH_LOOPS = 134
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
    if not len(fighters) or not (is_out or total >= style.attack_supply):
        return None
    group = fighters
    if at_home_supply < style.wave_supply:
        group = np.setdiff1d(fighters, at_home)
    if not len(group):
        return None
    return _send(situation, group, target_of_attack(situation, group))


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


def target_of_attack(situation: Situation, group: Rows) -> Place:
    """Return the enemy's building that is nearest to a group, or else where to look for one."""
    middle = (float(np.median(situation.x[group])), float(np.median(situation.y[group])))
    buildings = situation.enemy_buildings
    if len(buildings):
        return situation.place(situation.nearest(buildings, middle))
    return _place_to_search(situation, middle)


def _place_to_search(situation: Situation, middle: Place) -> Place:
    """Return a base that was never seen, or else the nearest ground out of sight.

    Ground that was never seen comes first.
    """
    ground = situation.ground
    planes = situation.observation.map_planes
    size = WORLD_SIZE // planes.shape[1]
    visibility = planes[MapPlane.VISIBILITY]
    for base in sorted((base.hall for base in ground.bases), key=ground.way_to_enemy):
        if visibility[int(base[1]) // size, int(base[0]) // size] == Visibility.HIDDEN:
            return base
    is_open = planes[MapPlane.PATHABLE] == 1
    rows, columns = np.nonzero(is_open & (visibility == Visibility.HIDDEN))
    if not len(rows):
        rows, columns = np.nonzero(is_open & (visibility == Visibility.FOGGED))
    if not len(rows):
        return ground.enemy_start
    x, y = (columns + 0.5) * size, (rows + 0.5) * size
    nearest = int(np.hypot(x - middle[0], y - middle[1]).argmin())
    return float(x[nearest]), float(y[nearest])


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
