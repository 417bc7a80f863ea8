"""A computer's army: it gathers, defends, attacks when it is strong enough, and pulls back."""

from enum import Enum, auto

from envs.engine.bots.assault import Assault
from envs.engine.bots.crowds import straying
from envs.engine.bots.defence import Defence
from envs.engine.bots.ground import Ground
from envs.engine.bots.levels import Level
from envs.engine.bots.maneuvers import ATTACK, MOVE, Soldiers, send
from envs.engine.bots.survey import MOMENT_LOOPS, Group
from envs.engine.bots.view import View
from envs.engine.layout import ONE
from envs.engine.order_queue import point

_NEAR_RALLY = 12 * ONE
_THERE, _HOME = 3 * ONE, 8 * ONE
_RETREAT_LOOPS, _REST_LOOPS = 22 * 12, 22 * 20
_PATIENCE_LOOPS = 22 * 420  # of gathering, after which a third of what was wanted will do
_OPENING_LOOPS = 22 * 180  # in which nobody loses patience
_MOST_ATTACK_SUPPLY = 120
_FULL_SUPPLY = 185


class Mode(Enum):
    """What an army is about."""

    GATHER = auto()
    ATTACK = auto()
    RETREAT = auto()


class Army:
    """Leads all fighting units of a player."""

    def __init__(self, view: View, level: Level, ground: Ground) -> None:
        self._view = view
        self._level = level
        self._ground = ground
        self._assault = Assault(view, level, ground)
        self._defence = Defence(view, level)
        self._mode = Mode.GATHER
        self._attack_supply = level.attack_supply * int(ground.random.integers(85, 116)) // 100
        self._gathering_since = _OPENING_LOOPS
        self._retreat_until = 0
        self._rally = ground.start
        self._next_rally = 0
        self.is_pressed = False
        """Whether the enemy is at a base, with more than there is to hold him off."""

    def act(self) -> None:
        """Decide what the army does now."""
        view = self._view
        soldiers = view.raw_group(Group.FIGHTERS)
        if view.game.loop >= self._next_rally:
            self._next_rally = view.game.loop + MOMENT_LOOPS
            self._rally = self._place_to_gather()
        self.is_pressed = False
        threat = self._defence.threat()
        if threat:
            is_out = self._mode is Mode.ATTACK
            at_home = self._assault.reserves(soldiers) if is_out else soldiers
            self.is_pressed = self._defence.meet(at_home, threat)
        if self._mode is Mode.ATTACK or not threat:
            self._choose_mode(soldiers)
        place = view.position(threat) if threat else self._rally
        if self._mode is Mode.ATTACK:
            self._assault.lead(soldiers)
            place = self._assault.body
            soldiers = self._assault.reserves(soldiers)
        if not threat and self._mode is Mode.RETREAT:
            send(view, soldiers, self._rally, MOVE, near=_HOME)
        elif not threat:
            self._gather(soldiers)
        send(view, view.raw_group(Group.SUPPORT), place, ATTACK, near=_THERE)

    def _place_to_gather(self) -> tuple[int, int]:
        """Return a place before the foremost base."""
        view = self._view
        halls = [
            view.position(hall)
            for hall in view.group(Group.HALLS)
            if not view.world.units["build_left"][hall]
        ]
        if not halls:
            return self._ground.start
        foremost = min(halls, key=lambda place: self._ground.way_to_enemy(*place))
        return view.open_place(*self._ground.towards_enemy(*foremost, 8))

    def _choose_mode(self, soldiers: Soldiers) -> None:
        loop = self._view.game.loop
        if self._mode is Mode.GATHER:
            if len(soldiers) and self._is_strong(soldiers):
                self._mode = Mode.ATTACK
                self._assault.begin(soldiers)
                self._attack_supply += self._level.attack_growth
        elif self._mode is Mode.ATTACK:
            if not len(self._assault.attackers(soldiers)):
                self._mode = Mode.GATHER
                self._gathering_since = loop
            elif self._is_hopeless():
                self._mode = Mode.RETREAT
                self._retreat_until = loop + _RETREAT_LOOPS
        elif loop >= self._retreat_until:
            self._mode = Mode.GATHER
            self._gathering_since = loop

    def _is_strong(self, soldiers: Soldiers) -> bool:
        """Return whether there are enough soldiers to attack, or no more will come."""
        wanted = min(self._attack_supply, _MOST_ATTACK_SUPPLY)
        waited = self._view.game.loop - self._gathering_since
        if waited < _REST_LOOPS or self._view.game.loop < self._level.attack_from_loop:
            return False
        if waited > _PATIENCE_LOOPS:
            wanted //= 3
        return self._view.supply_used >= _FULL_SUPPLY or self._view.supply(soldiers) >= wanted

    def _is_hopeless(self) -> bool:
        is_full = self._view.supply_used >= _FULL_SUPPLY
        return self._level.retreats and not is_full and self._assault.is_hopeless()

    def _gather(self, soldiers: Soldiers) -> None:
        """Bring back who has nothing to do away from the others."""
        view = self._view
        group = soldiers.copy()
        count = straying(view.world.record, group, *self._rally, _NEAR_RALLY)
        if count:
            strays = group[:count].tolist()
            view.match.order(view.player, ATTACK, strays, point(*self._rally))
