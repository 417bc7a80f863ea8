"""What a computer knows when it decides: its own units counted, the enemy's as far as seen."""

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from envs.engine import rules
from envs.engine.bots.survey import Group, Role, nearest, power_of, supply_of, survey
from envs.engine.commands import Command, Deed, commands_of, spells
from envs.engine.layout import MAX_UNITS, NUM_TYPES, NUM_UPGRADES, Trait
from envs.engine.unit_tables import unit_tables

if TYPE_CHECKING:
    from envs.engine.match import Match

_ON_FOOT = 1  # row of a type that walks
_MEMORY_LOOPS = 22  # for which what is known of the enemy's buildings is good enough


class View:
    """One player's knowledge, made fresh for each decision."""

    def __init__(self, match: "Match", player: int) -> None:
        self.match = match
        self.game = match.game
        self.world = match.world
        self.player = player
        self.enemy = 3 - player
        self.race = int(match.world.players["race"][player])
        self._roles = army_roles()
        self._done = np.zeros(NUM_TYPES, np.int32)
        self._pending = np.zeros(NUM_TYPES, np.int32)
        self._ordered = np.zeros(NUM_TYPES, np.int32)
        self._upgrading = np.zeros(NUM_UPGRADES, np.int32)
        self._groups = np.zeros((Group.NUM_GROUPS, MAX_UNITS), np.int32)
        self._sizes = np.zeros(Group.NUM_GROUPS, np.int64)
        self._enemy_buildings: list[tuple[int, int]] = []
        self._remembered_until = 0
        self.refresh()
        self.count_up()

    def refresh(self) -> None:
        """Look at all units anew."""
        survey(
            self.world.record,
            self.player,
            self._roles,
            self._done,
            self._pending,
            self._ordered,
            self._upgrading,
            self._groups,
            self._sizes,
        )
        state = self.world.players[self.player]
        self.supply_used = int(state["supply_used"]) // 2
        self.supply_made = min(int(state["supply_made"]) // 2, 200)

    def count_up(self) -> None:
        """Take up the numbers that matter to who spends money: units by type, and the money."""
        self.done: list[int] = self._done.tolist()
        self._counts: dict[int, int] = {}  # of what is done, by row
        self.pending: list[int] = self._pending.tolist()
        rows = np.flatnonzero(self._ordered)
        self.ordered: dict[int, int] = dict(
            zip(rows.tolist(), self._ordered[rows].tolist(), strict=True)
        )
        state = self.world.players[self.player]
        self.minerals, self.gas = int(state["minerals"]), int(state["gas"])

    def group(self, group: Group) -> list[int]:
        """Return the slots of a group."""
        slots: list[int] = self.raw_group(group).tolist()
        return slots

    def raw_group(self, group: Group) -> NDArray[np.int32]:
        """Return the slots of a group as an array."""
        found: NDArray[np.int32] = self._groups[group, : self._sizes[group]]
        return found

    def size(self, group: Group) -> int:
        """Return how many units a group has."""
        return int(self._sizes[group])

    def power(self, group: Group, place: tuple[int, int], radius: int) -> int:
        """Return how much fighting strength of a group stands around a position."""
        slots = self.raw_group(group)
        return int(power_of(self.world.record, slots, len(slots), *place, radius))

    def supply(self, slots: NDArray[np.int32]) -> int:
        """Return the supply that units take."""
        return int(supply_of(self.world.record, slots, len(slots))) // 2

    def count(self, row: int) -> int:
        """Return how many of a type there are or will be, its other and higher forms included."""
        if row not in self._counts:
            self._counts[row] = sum(self.done[other] for other in counting_as(row))
        return self._counts[row] + self.pending[row]

    def has(self, row: int) -> bool:
        """Return whether a finished unit counts as one of a type."""
        return any(self.done[other] for other in rules.counting_as(row))

    def has_upgrade(self, upgrade: int) -> bool:
        """Return whether an upgrade is done."""
        return bool(self.world.upgrades[self.player, upgrade])

    def is_upgrading(self, upgrade: int) -> bool:
        """Return whether an upgrade is being researched."""
        return bool(self._upgrading[upgrade])

    def is_allowed(self, command: Command) -> bool:
        """Return whether the buildings and upgrades that a command needs are there."""
        if command.requires_upgrade and not self.has_upgrade(command.requires_upgrade):
            return False
        return all(self.has(row) for row in command.requires)

    def position(self, slot: int) -> tuple[int, int]:
        """Return where a unit is."""
        unit = self.world.units[slot]
        return int(unit["x"]), int(unit["y"])

    def open_place(self, x: int, y: int) -> tuple[int, int]:
        """Return the position nearest to another at which one can walk."""
        return self.game.open_place(_ON_FOOT, x, y)

    def nearest(self, group: Group, x: int, y: int) -> int:
        """Return the slot of a group's unit nearest to a position, 0 if it is empty."""
        slots = self.raw_group(group)
        place = nearest(self.world.record, slots, len(slots), x, y)
        return int(slots[place]) if place >= 0 else 0

    def nearest_first(self, slots: NDArray[np.int32], x: int, y: int) -> NDArray[np.int32]:
        """Return units by their distance from a position."""
        order = np.argsort(self._squared_distances(slots, x, y), kind="stable")
        return slots[order]

    def within(
        self, slots: NDArray[np.int32], place: tuple[int, int], radius: int
    ) -> NDArray[np.int32]:
        """Return those of some units that are around a position."""
        return slots[self._squared_distances(slots, *place) <= radius * radius]

    def _squared_distances(self, slots: NDArray[np.int32], x: int, y: int) -> NDArray[np.int64]:
        units = self.world.units
        apart_x = units["x"][slots].astype(np.int64) - x
        apart_y = units["y"][slots].astype(np.int64) - y
        squared: NDArray[np.int64] = apart_x * apart_x + apart_y * apart_y
        return squared

    def take(self, group: Group, slot: int) -> None:
        """Leave a unit out of a group for the rest of this decision: it has got its orders."""
        slots = self.raw_group(group)
        found = np.flatnonzero(slots == slot)
        if len(found):
            slots[found[0]] = slots[-1]
            self._sizes[group] -= 1

    def enemy_buildings(self) -> list[tuple[int, int]]:
        """Return where buildings of the enemy are, or were when last seen."""
        if self.game.loop >= self._remembered_until:
            self._remembered_until = self.game.loop + _MEMORY_LOOPS
            snapshots = self.world.snapshots[self.player]
            known = np.flatnonzero((snapshots["tag"] != 0) & (snapshots["owner"] == self.enemy))
            x, y = snapshots["x"][known].tolist(), snapshots["y"][known].tolist()
            self._enemy_buildings = list(zip(x, y, strict=True))
        return self._enemy_buildings


@cache
def army_roles() -> NDArray[np.int32]:
    """Return what an army has each type for, by row: values of ``Role``."""
    tables = unit_tables()
    no_soldiers = Trait.WORKER | Trait.STRUCTURE | Trait.LARVA | Trait.EGG
    at_home = {name for spell in spells() if spell.name == _INJECT for name in spell.casters}
    roles = np.zeros(NUM_TYPES, np.int32)
    for row in range(1, len(tables.names)):
        kind = tables.types[row]
        if kind["traits"] & no_soldiers or not (kind["supply"] or kind["traits"] & Trait.DETECTOR):
            continue
        is_armed = bool(tables.weapons[row]["targets"].any())
        role = Role.FIGHTS if is_armed else Role.SUPPORTS
        roles[row] = Role.GUARDS if tables.names[row] in at_home else role
    return roles


_INJECT = "InjectLarva"


@cache
def counting_as(row: int) -> tuple[int, ...]:
    """Return the types that are one or can become one for nothing: other modes, higher forms."""
    modes = [other for other, command in _ways().get((row, 0), ()) if command.is_free]
    return tuple(sorted({*rules.counting_as(row), *modes}))


@cache
def ways_to_make(row: int, upgrade: int) -> tuple[tuple[int, Command], ...]:
    """Return who can make a unit or an upgrade, and by which command.

    Going back to a former mode, as sieged tanks and warp gates may, makes nothing.
    """
    return tuple(
        (maker, command)
        for maker, command in _ways().get((row, upgrade), ())
        if command.deed in _MAKING and not command.is_free
    )


@cache
def _ways() -> dict[tuple[int, int], list[tuple[int, Command]]]:
    """Return by unit and upgrade, of which one is 0, who can make or become it, and how."""
    ways: dict[tuple[int, int], list[tuple[int, Command]]] = {}
    for maker in range(1, len(unit_tables().names)):
        for command in {id(command): command for command in commands_of(maker).values()}.values():
            if command.row or command.upgrade:
                ways.setdefault((command.row, command.upgrade), []).append((maker, command))
    return ways


_MAKING = (
    Deed.BUILD,
    Deed.ADD_ON,
    Deed.TRAIN,
    Deed.LARVA_TRAIN,
    Deed.WARP_IN,
    Deed.MORPH,
    Deed.RESEARCH,
)


@cache
def cost_of(row: int, upgrade: int = 0) -> tuple[int, int]:
    """Return the minerals and gas that a unit, building or upgrade costs."""
    tables = unit_tables()
    if upgrade:
        return tables.upgrades[upgrade].minerals, tables.upgrades[upgrade].gas
    return int(tables.types["minerals"][row]), int(tables.types["gas"][row])


@cache
def is_building(row: int) -> bool:
    """Return whether a type is a building."""
    return bool(unit_tables().types["traits"][row] & Trait.STRUCTURE)


@cache
def supply_taken(row: int) -> int:
    """Return the supply that is needed to make a unit, or the pair of them."""
    kind = unit_tables().types[row]
    return (int(kind["supply"]) * int(kind["num_made"]) + 1) // 2
