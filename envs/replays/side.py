"""One player's side of a replay: what this player knows, does and is told, step by step."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from envs.interface import (
    BUILD_ORDER_LENGTH,
    LOOPS_PER_SECOND,
    MAX_DELAY,
    SUBCELLS,
    UNKNOWN,
    Alliance,
    DisplayType,
    Knowledge,
    Race,
    legality,
    raw_functions,
    read_table,
)
from envs.replays.abilities import Target
from envs.replays.commands import Command
from envs.replays.events import Event
from envs.replays.lobby import Player
from envs.replays.quality import Quality
from envs.replays.world import World
from envs.timeline import STATISTICS, StepFlag, Timeline
from envs.unit_rows import NUM_COLUMNS, RowColumn, look, x_at, y_at
from envs.unit_types import unit_types

_NO_OP = 0
# Plain integers: flags of the enum's type cost more than all the rest of a step.
_REPEAT, _CLEAN, _MAPPED = int(StepFlag.REPEAT), int(StepFlag.CLEAN), int(StepFlag.MAPPED)
_PLAUSIBLE, _NO_EFFECT = int(StepFlag.PLAUSIBLE), int(StepFlag.NO_EFFECT)
_EFFECT_RANGE = 8 * SUBCELLS
_ATTACK_RANGE = 4 * SUBCELLS
_BLINK_RANGE = 8 * SUBCELLS
_NOT_BUILT = frozenset({"Larva", "Egg", "Broodling", "BroodlingEscort", "Interceptor", "MULE"})
_WORKERS = frozenset({"SCV", "Drone", "Probe"})
_LOGGED = {
    "SUnitBornEvent": "gets",
    "SUnitInitEvent": "begins",
    "SUnitDoneEvent": "finishes",
    "SUnitDiedEvent": "loses",
    "SUnitTypeChangeEvent": "has now",
}
_FAMILIES = (
    ("CommandCenter", "OrbitalCommand", "PlanetaryFortress"),
    ("Hatchery", "Lair", "Hive"),
    ("Spire", "GreaterSpire"),
    ("Gateway", "WarpGate"),
    ("Larva", "Egg"),
)


class Side:
    """One player, while a game is walked through."""

    def __init__(self, player: Player, race: Race, world: World) -> None:
        self.player = player
        self.race = race
        self.num_commands = 0
        self.waits_until = 0
        self._view = np.zeros_like(world.rows)
        self._last_seen = np.zeros(len(world.rows), np.int32)
        self._changed = np.zeros(len(world.rows), np.int32)
        self._steps: list[tuple[int, ...]] = []
        self._selected: list[NDArray[np.int32]] = []
        self._change_units: list[NDArray[np.int32]] = []
        self._change_rows: list[NDArray[np.int32]] = []
        self._build_order: list[int] = []
        self._built: set[int] = set()
        self._log: list[str] = []

    def wait(self, world: World) -> None:
        """Take the synthetic step that is due, since the player has waited as long as one may."""
        loop = self.waits_until
        changes = self._look(world, loop)
        self._write_step(loop, StepFlag.SYNTHETIC, _NO_OP, changes=changes)

    def act(self, command: Command, world: World, quality: Quality) -> None:
        """Take a step: write down what is known and the command, then let the world obey it."""
        self.num_commands += 1
        changes = self._look(world, command.loop)
        known = [world.unit_with_tag.get(tag) for tag in command.tags]
        units = np.array([u for u in known if u is not None and world.alive[u]], np.int32)
        target = world.unit_with_tag.get(command.target_tag) if command.target_tag else None
        flags = self._judge(command, world, known, units, target)
        self._count(command, flags, world, quality)
        action_type = command.ability.action_type
        aims_at_unit = command.ability.target == Target.UNIT
        aims_at_point = command.ability.target == Target.POINT
        place = command.place if aims_at_point and command.place else (UNKNOWN, UNKNOWN)
        self._write_step(
            command.loop,
            flags,
            UNKNOWN if action_type is None else action_type,
            queued=int(command.queued),
            target_unit=target if aims_at_unit and target is not None else UNKNOWN,
            place=place,
            units=units,
            changes=changes,
        )
        _obey(world, command, units, target, self.player.player)

    def note_unit(self, event: Event, unit: int, world: World) -> None:
        """Take note of what happened to one of the player's units."""
        name = world.names[unit]
        if event.name in _LOGGED and name not in _NOT_BUILT and event.loop > 0:
            seconds = int(event.loop / LOOPS_PER_SECOND)
            self._log.append(f"{seconds // 60}:{seconds % 60:02d} {_LOGGED[event.name]} {name}")
        kind = int(world.rows[unit, RowColumn.UNIT_TYPE])
        appears = event.name in ("SUnitInitEvent", "SUnitBornEvent", "SUnitTypeChangeEvent")
        if not appears or event.loop == 0 or kind == 0 or name in _NOT_BUILT:
            return
        self._built.add(kind)
        started = event.name != "SUnitTypeChangeEvent" and name not in _WORKERS
        if started and len(self._build_order) < BUILD_ORDER_LENGTH:
            self._build_order.append(kind)

    def place_seen(self, unit: int, loop: int) -> tuple[int, int] | None:
        """Return where the player believes a visible unit to be; None if it is not in view."""
        if unit >= len(self._view) or self._view[unit, 2] != DisplayType.VISIBLE:
            return None
        if self._view[unit, 1] != Alliance.ENEMY:
            return None
        return x_at(self._view[unit], loop), y_at(self._view[unit], loop)

    def log(self) -> str:
        """Return what happened to this player, a line each."""
        return "\n".join(self._log)

    def timeline(self, world: World, opponent_race: Race, tracked: list[Event]) -> Timeline:
        """Return the whole game of this player, its end taken as read."""
        steps = np.array(self._steps, np.int64).reshape(-1, 9).T
        own = [event for event in tracked if event.fields.get("m_playerId") == self.player.player]
        taken, finished = _statistics_taken(own), _upgrades_finished(own)
        return Timeline(
            race=int(self.race),
            opponent_race=int(opponent_race),
            mmr=self.player.mmr,
            step_loop=steps[0].astype(np.int32),
            step_flags=steps[1].astype(np.int16),
            step_action_type=steps[2].astype(np.int16),
            step_queued=steps[3].astype(np.int8),
            step_target_unit=steps[4].astype(np.int32),
            step_target_x=steps[5].astype(np.int16),
            step_target_y=steps[6].astype(np.int16),
            step_num_selected=steps[7].astype(np.int32),
            step_num_changes=steps[8].astype(np.int32),
            selected=np.concatenate(self._selected) if self._selected else np.zeros(0, np.int32),
            change_unit=np.concatenate(self._change_units),
            change_row=np.concatenate(self._change_rows),
            statistics_loop=np.ascontiguousarray(taken[:, 0]),
            statistics=np.ascontiguousarray(taken[:, 1:]),
            upgrade_loop=np.ascontiguousarray(finished[:, 0]),
            upgrade=finished[:, 1].astype(np.int16),
            build_order=np.array(self._build_order, np.int16),
            units_built=np.array(sorted(self._built), np.int16),
            unit_tags=np.array(world.tags, np.int64),
        )

    def _look(self, world: World, loop: int) -> int:
        """Bring the view up to date, write down what changed, and return how much."""
        world.proceed(loop)
        if len(self._view) < len(world.rows):
            more = len(world.rows) - len(self._view)
            self._view = np.concatenate([self._view, np.zeros((more, NUM_COLUMNS), np.int32)])
            self._last_seen = np.concatenate([self._last_seen, np.zeros(more, np.int32)])
            self._changed = np.zeros(len(world.rows), np.int32)
        types = unit_types()
        num_changed = look(
            world.rows[: world.count],
            world.alive,
            self.player.player,
            loop,
            types.sight,
            types.detects,
            types.is_cloaked,
            self._view,
            self._last_seen,
            self._changed,
        )
        changed = self._changed[:num_changed].copy()
        self._change_units.append(changed)
        self._change_rows.append(self._view[changed])
        return num_changed

    def _write_step(
        self,
        loop: int,
        flags: int,
        action_type: int,
        *,
        changes: int,
        queued: int = UNKNOWN,
        target_unit: int = UNKNOWN,
        place: tuple[int, int] = (UNKNOWN, UNKNOWN),
        units: NDArray[np.int32] | None = None,
    ) -> None:
        num_units = 0 if units is None else len(units)
        if units is not None:
            self._selected.append(units)
        self._steps.append(
            (loop, flags, action_type, queued, target_unit, *place, num_units, changes)
        )
        self.waits_until = loop + MAX_DELAY

    def _judge(
        self,
        command: Command,
        world: World,
        known: list[int | None],
        units: NDArray[np.int32],
        target: int | None,
    ) -> int:
        """Say how far a command is understood, in ``StepFlag``s."""
        ability = command.ability
        flags = _REPEAT if command.repeated else 0
        target_known = command.target_tag is None or target is not None
        if len(units) and None not in known and ability.name is not None and target_known:
            flags |= _CLEAN
        if ability.action_type is None:
            return flags
        flags |= _MAPPED
        kinds = world.rows[units, RowColumn.UNIT_TYPE]
        hatching = kinds == unit_types().index["Egg"]
        if len(kinds) and hatching.all() and ability.action_type in _larva_orders():
            flags |= _NO_EFFECT
        elif legality(Knowledge.EVENTS)[kinds, ability.action_type].any():
            flags |= _PLAUSIBLE
        return flags

    def _count(self, command: Command, flags: int, world: World, quality: Quality) -> None:
        counts, ability = quality.counts, command.ability
        counts["commands"] += 1
        if ability.action_type is None:
            quality.unmapped[ability.name or "unnamed"] += 1
            return
        quality.labels[ability.action_type] += 1
        if not flags & _PLAUSIBLE:
            own = self._view[: world.count]
            kinds = own[own[:, RowColumn.ALLIANCE] == Alliance.SELF, RowColumn.UNIT_TYPE]
            if not legality(Knowledge.EVENTS)[kinds, ability.action_type].any():
                quality.illegal_labels[ability.action_type] += 1
        producers = _producers().get(ability.action_type)
        if producers is not None:
            selected = {world.unit_with_tag[t] for t in command.tags if t in world.unit_with_tag}
            counts["productions"] += 1
            kinds_selected = {int(world.rows[u, 0]) for u in selected if world.alive[u]}
            counts["productions_by_producer"] += not producers.isdisjoint(kinds_selected)


def _obey(
    world: World, command: Command, units: NDArray[np.int32], target: int | None, player: int
) -> None:
    """Let units do, as far as it moves them, what a command tells them."""
    action_type = command.ability.action_type
    if target is not None and command.place is not None and command.is_target_fresh:
        world.note_position(target, command.loop, *command.place)
    if action_type is None or not len(units):
        return
    units = units[world.rows[units, RowColumn.ALLIANCE] == player]
    name = raw_functions()[action_type].name
    world.note_order(units, command.loop, action_type)
    if name in ("Stop_quick", "HoldPosition_quick"):
        world.stop(units, command.loop)
    if command.place is None or not len(units):
        return
    x, y = command.place
    if name == "Effect_Blink_pt":
        world.leap(units, command.loop, x, y, _BLINK_RANGE)
        return
    if name.startswith(("Smart_", "Rally_")):
        world.rally(units, x, y)
    short = 0
    if name.startswith("Effect_"):
        short = _EFFECT_RANGE
    elif target is not None and world.rows[target, RowColumn.ALLIANCE] not in (0, player):
        short = _ATTACK_RANGE
    world.send(units, command.loop, x, y, short=short, queued=command.queued)


@cache
def _producers() -> dict[int, frozenset[int]]:
    """Return, for each function that trains or builds, the unit types that may be selected.

    These are the producers that ``units.csv`` names; what they have turned into (town halls,
    spires, warp gates); and eggs for larvae, since a larva that was ordered to hatch stays
    selected as an egg.
    """
    index = unit_types().index
    action_types = {function.name: i for i, function in enumerate(raw_functions())}
    producers: dict[int, frozenset[int]] = {}
    for row in read_table("units.csv"):
        names = {name for name in row["produced_by"].split("|") if name}
        for family in _FAMILIES:
            if names & set(family):
                names |= set(family)
        for function in row["pysc2_raw_function"].split("|"):
            if names and function.startswith(("Train_", "Build_")) and function in action_types:
                action_type = action_types[function]
                known = frozenset(index[name] for name in names if name in index)
                producers[action_type] = producers.get(action_type, frozenset()) | known
    return producers


@cache
def _larva_orders() -> frozenset[int]:
    larva = unit_types().index["Larva"]
    return frozenset(action for action, kinds in _producers().items() if larva in kinds)


@cache
def _upgrade_index() -> dict[str, int]:
    return {row["name"]: int(row["upgrade"]) for row in read_table("upgrades.csv")}


def _statistics_taken(events: list[Event]) -> NDArray[np.int32]:
    """Return a row for each time a player's statistics were taken: the loop, then the values."""
    rows = [
        (event.loop, *_statistics(event.fields["m_stats"]))
        for event in events
        if event.name == "SPlayerStatsEvent"
    ]
    return np.array(rows, np.int32).reshape(-1, 1 + len(STATISTICS))


def _upgrades_finished(events: list[Event]) -> NDArray[np.int32]:
    """Return a row for each of a player's upgrades: when it was finished, and its number."""
    names = [
        (event.loop, event.fields["m_upgradeTypeName"].decode("utf-8", errors="replace"))
        for event in events
        if event.name == "SUpgradeEvent"
    ]
    index = _upgrade_index()
    rows = [(loop, index[name]) for loop, name in names if name in index]
    return np.array(rows, np.int32).reshape(-1, 2)


def _statistics(stats: dict[str, int]) -> tuple[int, ...]:
    """Return a player's economy in the order of ``STATISTICS``."""

    def total(what: str, *kinds: str) -> int:
        # What was lost can read as less than nothing, after a building was cancelled.
        return max(0, sum(stats.get(f"m_scoreValue{what}{kind}", 0) for kind in kinds))

    kinds = ("Army", "Economy", "Technology")
    return (
        total("MineralsCurrent", ""),
        total("VespeneCurrent", ""),
        total("FoodUsed", "") // 4096,
        total("FoodMade", "") // 4096,
        total("WorkersActiveCount", ""),
        total("MineralsCollectionRate", ""),
        total("VespeneCollectionRate", ""),
        total("MineralsUsedInProgress", *kinds),
        total("VespeneUsedInProgress", *kinds),
        total("MineralsUsedCurrentArmy", ""),
        total("VespeneUsedCurrentArmy", ""),
        total("MineralsLost", *kinds),
        total("VespeneLost", *kinds),
        total("MineralsKilled", *kinds),
        total("VespeneKilled", *kinds),
    )
