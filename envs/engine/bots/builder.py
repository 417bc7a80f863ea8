"""What a computer spends its money on, the most urgent first: supply, workers, buildings, army."""

from envs.engine.bots.levels import (
    Level,
    Plan,
    Share,
    Step,
    army_of,
    build_of,
    is_town_hall,
)
from envs.engine.bots.maker import Maker
from envs.engine.bots.survey import Group
from envs.engine.bots.view import View, counting_as, is_building, supply_taken, ways_to_make
from envs.engine.bots.workers import Workers
from envs.engine.unit_tables import race_units

_SUPPLY_EACH = 8
_HALL_NEARLY_DONE = 400 * 256  # ticks
_SPARE_WORKERS = 4
_AHEAD_SUPPLY = 4
_UNGUARDED_WORKERS = 24  # beyond which each worker wants a point of supply of soldiers
_MAX_SAVED_FOR = 2
_MOST_AT_ONCE = 8
_CHEAPEST = 50  # minerals that anything costs at least
_SPECIALIST = 1  # weight in an army of what it needs one or two of
_MAX_SPECIALISTS = 2
_MAX_SUPPLY = 200
_LIGHT_PAUSE_LOOPS = 900
_RICH = 600
_SUPPLY_A_BASE = 40
_ZERG = 2


class Builder:
    """Decides what is made of minerals, gas, larvae and production time."""

    def __init__(self, view: View, level: Level, workers: Workers, maker: Maker) -> None:
        self._view = view
        self._level = level
        self._workers = workers
        self._maker = maker
        own = race_units()[view.race]
        self._worker, self._hall, self._supplier = own.worker, own.town_hall, own.supplier
        self._builds = {plan: build_of(view.race, plan) for plan in Plan}
        self._halls_to_raise = {
            plan: [step for step in build if is_town_hall(step.row) and step.row != self._hall]
            for plan, build in self._builds.items()
        }
        self._first_supply = min(
            step.supply for step in self._builds[Plan.STANDARD] if step.row == self._supplier
        )
        self._army = list(army_of(view.race, level.difficulty))
        self._producers = {
            maker_row
            for share in self._army
            for maker_row, _ in ways_to_make(share.row, 0)
            if is_building(maker_row)
        }
        self._is_saving = False
        self._next_light = 0  # loop at which to see to buildings without power again

    def act(self, plan: Plan, *, is_pressed: bool) -> None:
        """Spend what there is."""
        self._maker.begin()
        self._is_saving = False
        self._provide_supply()
        if is_pressed or self._is_weak(plan):
            self._train_army()
        if not is_pressed:
            self._raise_halls(plan)
        if plan is Plan.STANDARD:
            self._train_workers()
            self._follow_build(plan, is_pressed=is_pressed)
        else:
            self._follow_build(plan, is_pressed=is_pressed)
            self._train_workers()
        self._train_army()

    def _is_weak(self, plan: Plan) -> bool:
        """Return whether there are too few soldiers for so many workers, or for what comes."""
        view = self._view
        if plan is Plan.AGAINST_RUSH:
            return True
        wanted = view.count(self._worker) - _UNGUARDED_WORKERS
        return view.supply(view.raw_group(Group.ARMY)) < wanted

    def _provide_supply(self) -> None:
        view = self._view
        row = self._supplier
        if view.supply_made >= _MAX_SUPPLY or view.supply_used < self._first_supply:
            return
        coming = view.supply_made + _SUPPLY_EACH * view.pending[row] + self._coming_from_halls()
        if view.race == _ZERG:
            makers = 2 * sum(view.done[hall] for hall in counting_as(self._hall)) - 1
        else:
            makers = sum(view.done[producer] for producer in self._producers)
        spare = min(2 + view.supply_used // 8 + makers, 30)
        is_short = view.supply_used + spare > coming and coming < _MAX_SUPPLY
        is_dark = view.size(Group.UNPOWERED) > 0 and view.game.loop >= self._next_light
        if not is_short and not is_dark:
            return
        if not self._maker.can_pay(row) or not self._maker.make(row):
            self._maker.set_aside(row)
        elif is_dark:
            self._next_light = view.game.loop + _LIGHT_PAUSE_LOOPS

    def _coming_from_halls(self) -> int:
        view = self._view
        units = view.world.units
        return sum(
            int(view.game.kind(hall)["supply_given"]) // 2
            for hall in view.group(Group.HALLS)
            if 0 < units["build_left"][hall] < _HALL_NEARLY_DONE
        )

    def _stage(self) -> int:
        """Return the supply by which builds are followed.

        A little ahead of the true one when no worker is to come: soldiers then wait for the build.
        """
        view = self._view
        is_manned = view.count(self._worker) >= self._level.max_workers
        return view.supply_used + (_AHEAD_SUPPLY if is_manned else 0)

    def _raise_halls(self, plan: Plan) -> None:
        """Make town halls into higher ones before they are at work on something else."""
        for step in self._halls_to_raise[plan]:
            if self._stage() < step.supply:
                return
            if self._is_wanted(step):
                self._buy(step)

    def _train_workers(self) -> None:
        view, maker = self._view, self._maker
        number = view.count(self._worker)
        wanted = min(self._level.max_workers, self._workers.need() + _SPARE_WORKERS)
        while number < wanted and view.supply_used < view.supply_made:
            if not maker.can_pay(self._worker) or not maker.make(self._worker):
                return
            number += 1
            view.supply_used += 1

    def _follow_build(self, plan: Plan, *, is_pressed: bool) -> None:
        if self._maker.minerals < _CHEAPEST:
            return
        raised = self._halls_to_raise[plan]
        saved_for = 0
        for step in self._builds[plan]:
            if self._stage() < step.supply:
                break
            if saved_for >= _MAX_SAVED_FOR:
                return
            is_for_later = step in raised or (is_pressed and step.row == self._hall)
            if not is_for_later and self._is_wanted(step):
                saved_for += self._buy(step)
        if not is_pressed:
            self._expand_when_rich()

    def _is_wanted(self, step: Step) -> bool:
        view = self._view
        if step.upgrade:
            return not view.has_upgrade(step.upgrade) and not view.is_upgrading(step.upgrade)
        if step.row == self._hall:
            return self._may_expand() and view.size(Group.HALLS) < step.number
        return view.count(step.row) < step.number

    def _may_expand(self) -> bool:
        """Return whether there may be another base, and nobody is on the way to one."""
        view = self._view
        return view.size(Group.HALLS) < self._level.max_bases and self._hall not in view.ordered

    def _buy(self, step: Step) -> bool:
        """Make what a step asks for, or save for it; return whether it is saved for."""
        view, maker = self._view, self._maker
        supply = supply_taken(step.row)
        if supply and view.supply_used + supply > view.supply_made:
            return False
        if step.row == self._hall:
            maker.send_ahead(step.row)
        if maker.can_pay(step.row, step.upgrade) and maker.make(step.row, step.upgrade):
            view.supply_used += supply
            return False
        return maker.save_for(step.row, step.upgrade)

    def _expand_when_rich(self) -> None:
        view = self._view
        is_rich = self._maker.minerals > _RICH
        if is_rich and self._may_expand():
            if view.supply_used > _SUPPLY_A_BASE * view.size(Group.HALLS):
                self._buy(Step(0, self._hall, 0, 0))

    def _train_army(self) -> None:
        army = self._view.supply(self._view.raw_group(Group.ARMY))
        if army >= self._level.max_army_supply:
            return
        supply = self._view.supply_used
        shares = [share for share in self._army if supply >= share.from_supply]
        for _ in range(_MOST_AT_ONCE):
            if self._maker.minerals < _CHEAPEST:
                return
            shares.sort(key=self._plenty)
            if not any(self._train_one(share) for share in shares):
                return

    def _plenty(self, share: Share) -> float:
        """Return how much there would be of a unit with one more, of a specialist as it is."""
        more = 0 if share.weight == _SPECIALIST else 1
        return (self._view.count(share.row) + more) / share.weight

    def _train_one(self, share: Share) -> bool:
        """Train a unit if that is possible; save for the first for which money is lacking."""
        view, maker = self._view, self._maker
        supply = supply_taken(share.row)
        is_enough = share.weight == _SPECIALIST and view.count(share.row) >= _MAX_SPECIALISTS
        if is_enough or view.supply_used + supply > view.supply_made:
            return False
        if maker.can_pay(share.row):
            if maker.make(share.row):
                view.supply_used += supply
                return True
        elif not self._is_saving:
            self._is_saving = maker.save_for(share.row)
        return False
