"""The rules of pysc2's seven mini-games: what there is, what scores, when a round begins anew.

They follow pysc2's descriptions of them; where those are silent (sizes of the fields, formations,
how near is near enough) the figures are ours. Every mini-game has one player, whose units are
Terran; those of the enemy do as the mini-game says. Durations are pysc2's, in game seconds of 16
loops; CollectMineralsAndGas, given there as 300 seconds of real time, lasts 420 of these.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from envs.engine.mini_game_stage import (
    ENEMY,
    NEUTRAL,
    ONE_SCREEN,
    PLAYER,
    SCV,
    WIDE,
    Arena,
    Around,
    MiniGame,
    MiniGameMatch,
    Stage,
    distance,
    drawn_spot,
    formation,
    line,
    start_base,
)
from envs.engine.resource_fields import Base, mineral_line, resource_field

LOOPS_PER_GAME_SECOND = 16

SUPPLY_DEPOT, BARRACKS, MARINE = 19, 21, 48
BANELING, ZERGLING, ROACH = 9, 105, 110
BEACON, MINERAL_SHARD = 317, 1680


def mini_games() -> dict[str, Callable[[], MiniGame]]:
    """Return, by name, what makes a new game of each."""
    return {
        "BuildMarines": BuildMarines,
        "CollectMineralsAndGas": CollectMineralsAndGas,
        "CollectMineralShards": CollectMineralShards,
        "DefeatRoaches": lambda: DefeatWaves((Rank(ROACH, 4, 1.5),), points=10, reinforcements=5),
        "DefeatZerglingsAndBanelings": lambda: DefeatWaves(
            (Rank(ZERGLING, 6, 1.0), Rank(BANELING, 4, 1.0)), points=5, reinforcements=4
        ),
        "FindAndDefeatZerglings": FindAndDefeatZerglings,
        "MoveToBeacon": MoveToBeacon,
    }


class MoveToBeacon:
    """One Marine, one beacon: a point whenever the Marine reaches it, and it moves elsewhere."""

    stage = Stage(ONE_SCREEN, 120 * LOOPS_PER_GAME_SECOND)
    _REACHED = 1.5
    _FIRST_DISTANCE, _NEXT_DISTANCE = 4.0, 5.0

    def __init__(self) -> None:
        self._marine = self._beacon = 0
        self._beacon_at = 0.0, 0.0
        self._score = 0

    def start(self, match: MiniGameMatch) -> None:
        """Put Marine and beacon on the map."""
        self._marine = match.spawn(MARINE, PLAYER, *drawn_spot(match, self.stage.arena, ()))
        self._beacon_at = self._beacon_spot(match, self._FIRST_DISTANCE)
        self._beacon = match.spawn(BEACON, NEUTRAL, *self._beacon_at)
        match.set_score(PLAYER, 0)

    def after_loop(self, match: MiniGameMatch) -> None:
        """Move the beacon if the Marine is there."""
        if not match.is_alive(self._marine) or match.loop >= self.stage.duration_loops:
            match.end(PLAYER)
        elif distance(match.position(self._marine), self._beacon_at) <= self._REACHED:
            self._score += 1
            match.set_score(PLAYER, self._score)
            self._beacon_at = self._beacon_spot(match, self._NEXT_DISTANCE)
            match.place(self._beacon, *self._beacon_at)

    def _beacon_spot(self, match: MiniGameMatch, nearest: float) -> tuple[float, float]:
        marine = Around(*match.position(self._marine), nearest)
        return drawn_spot(match, self.stage.arena, [marine])


class CollectMineralShards:
    """Two Marines walk over shards, a point each; when all are taken there are new ones."""

    stage = Stage(ONE_SCREEN, 120 * LOOPS_PER_GAME_SECOND)
    _NUM_SHARDS = 20
    _REACHED = 1.0
    _CLEAR = 2.0

    def __init__(self) -> None:
        self._marines: list[int] = []
        self._shards: dict[int, tuple[float, float]] = {}
        self._score = 0

    def start(self, match: MiniGameMatch) -> None:
        """Put Marines and shards on the map."""
        for _ in range(2):
            spot = drawn_spot(match, self.stage.arena, ())
            self._marines.append(match.spawn(MARINE, PLAYER, *spot))
        self._scatter_shards(match)
        match.set_score(PLAYER, 0)

    def after_loop(self, match: MiniGameMatch) -> None:
        """Take the shards that Marines stand on."""
        self._marines = [tag for tag in self._marines if match.is_alive(tag)]
        if not self._marines or match.loop >= self.stage.duration_loops:
            match.end(PLAYER)
            return
        marines = [match.position(tag) for tag in self._marines]
        taken = [
            tag
            for tag, spot in self._shards.items()
            if any(distance(marine, spot) <= self._REACHED for marine in marines)
        ]
        for tag in taken:
            del self._shards[tag]
            match.remove(tag)
        if taken:
            self._score += len(taken)
            match.set_score(PLAYER, self._score)
        if not self._shards:
            self._scatter_shards(match)

    def _scatter_shards(self, match: MiniGameMatch) -> None:
        marines = [Around(*match.position(tag), self._CLEAR) for tag in self._marines]
        for _ in range(self._NUM_SHARDS):
            spot = drawn_spot(match, self.stage.arena, marines)
            self._shards[match.spawn(MINERAL_SHARD, NEUTRAL, *spot)] = spot


class FindAndDefeatZerglings:
    """Three Marines look for Zerglings that stand about in the fog."""

    stage = Stage(WIDE, 180 * LOOPS_PER_GAME_SECOND, has_fog=True)
    _NUM_ZERGLINGS, _NUM_IN_SIGHT = 25, 2
    _IN_SIGHT = 7.5, 9.5
    _OUT_OF_SIGHT = 10.5
    _APART = 5.0
    _CLEAR = 9.0

    def __init__(self) -> None:
        self._marines: list[int] = []
        self._zerglings: list[int] = []
        self._score = 0

    def start(self, match: MiniGameMatch) -> None:
        """Put the Marines at the centre, two Zerglings where they see them and the rest beyond."""
        x, y = self.stage.arena.centre
        self._marines = [match.spawn(MARINE, PLAYER, x + side, y) for side in (-1.0, 0.0, 1.0)]
        nearest, furthest = self._IN_SIGHT
        reach = math.ceil(furthest) + 1
        in_sight = Arena(*(int(part) for part in (x - reach, y - reach, x + reach, y + reach)))
        others: list[Around] = []
        for _ in range(self._NUM_IN_SIGHT):
            ring = Around(x, y, nearest, furthest)
            others.append(self._add_zergling(match, in_sight, [ring, *others]))
        while len(self._zerglings) < self._NUM_ZERGLINGS:
            beyond = Around(x, y, self._OUT_OF_SIGHT)
            others.append(self._add_zergling(match, self.stage.arena, [beyond, *others]))
        match.set_score(PLAYER, 0)

    def after_loop(self, match: MiniGameMatch) -> None:
        """Count the dead; put new Zerglings on the map when all are."""
        marines = [tag for tag in self._marines if match.is_alive(tag)]
        zerglings = [tag for tag in self._zerglings if match.is_alive(tag)]
        gained = len(self._zerglings) - len(zerglings) - (len(self._marines) - len(marines))
        changed = len(marines) < len(self._marines) or len(zerglings) < len(self._zerglings)
        self._marines, self._zerglings = marines, zerglings
        if changed:
            self._score += gained
            match.set_score(PLAYER, self._score)
        if not marines or match.loop >= self.stage.duration_loops:
            match.end(PLAYER)
        elif not zerglings:
            others = [Around(*match.position(tag), self._CLEAR) for tag in marines]
            for _ in range(self._NUM_ZERGLINGS):
                others.append(self._add_zergling(match, self.stage.arena, others))

    def _add_zergling(self, match: MiniGameMatch, arena: Arena, others: Sequence[Around]) -> Around:
        """Put a Zergling on the map; return the surroundings that others stay out of."""
        spot = drawn_spot(match, arena, others)
        self._zerglings.append(match.spawn(ZERGLING, ENEMY, *spot))
        return Around(*spot, self._APART)


class Rank(NamedTuple):
    """Units of one type that stand in a vertical line."""

    unit_id: int
    number: int
    spacing: float


class DefeatWaves:
    """Marines against enemies that come at them from the other side, wave after wave.

    When a wave is dead the next one comes, the player is given more Marines, and all stand at
    their sides again, which are drawn anew; those who survived keep their health.
    """

    stage = Stage(ONE_SCREEN, 120 * LOOPS_PER_GAME_SECOND)
    _NUM_MARINES = 9
    _FROM_CENTRE = 7.0

    def __init__(self, ranks: tuple[Rank, ...], *, points: int, reinforcements: int) -> None:
        self._ranks = ranks
        self._points = points  # for an enemy; a Marine that is lost takes one
        self._reinforcements = reinforcements
        self._marines: list[int] = []
        self._enemies: list[int] = []
        self._score = 0

    def start(self, match: MiniGameMatch) -> None:
        """Put the Marines and the first wave on the map."""
        self._next_wave(match, self._NUM_MARINES)
        match.set_score(PLAYER, 0)

    def after_loop(self, match: MiniGameMatch) -> None:
        """Count the dead; send the next wave when the last one is."""
        marines = [tag for tag in self._marines if match.is_alive(tag)]
        enemies = [tag for tag in self._enemies if match.is_alive(tag)]
        killed, lost = len(self._enemies) - len(enemies), len(self._marines) - len(marines)
        self._marines, self._enemies = marines, enemies
        if killed or lost:
            self._score += self._points * killed - lost
            match.set_score(PLAYER, self._score)
        if not marines or match.loop >= self.stage.duration_loops:
            match.end(PLAYER)
        elif not enemies:
            self._next_wave(match, self._reinforcements)

    def _next_wave(self, match: MiniGameMatch, num_new: int) -> None:
        x, y = self.stage.arena.centre
        side = -1 if match.random.random() < 0.5 else 1
        spots = formation(len(self._marines) + num_new, x + side * self._FROM_CENTRE, y, side)
        for tag, spot in zip(self._marines, spots, strict=False):
            match.place(tag, *spot)
        for spot in spots[len(self._marines) :]:
            self._marines.append(match.spawn(MARINE, PLAYER, *spot))
        for i, rank in enumerate(self._ranks):
            rank_x = x - side * (self._FROM_CENTRE + 1.5 * i)
            for rank_y in line(rank.number, y, rank.spacing):
                self._enemies.append(match.spawn(rank.unit_id, ENEMY, rank_x, rank_y))
        for tag in self._enemies:
            match.attack_towards(tag, x + side * self._FROM_CENTRE, y)


class CollectMineralsAndGas:
    """Twelve SCVs, one Command Center, two mineral fields: bring home as much as you can."""

    _BASES = (Base(21, 42, -1, 1), Base(42, 21, 1, -1))
    stage = Stage(
        WIDE,
        420 * LOOPS_PER_GAME_SECOND,
        has_fog=True,
        bases=_BASES,
        resources=resource_field(_BASES[0]) + resource_field(_BASES[1]),
    )

    def __init__(self) -> None:
        self._score = 0

    def start(self, match: MiniGameMatch) -> None:
        """Put Command Center and SCVs on the map."""
        start_base(match, self.stage.bases[0])
        match.set_score(PLAYER, 0)

    def after_loop(self, match: MiniGameMatch) -> None:
        """Score what was brought home, spent or not."""
        score = sum(match.collected(PLAYER))
        if score != self._score:
            self._score = score
            match.set_score(PLAYER, score)
        if match.loop >= self.stage.duration_loops:
            match.end(PLAYER)


class BuildMarines:
    """Twelve SCVs, one Command Center, eight mineral fields: train as many Marines as you can."""

    _BASE = Base(31, 31, -1, 1)
    stage = Stage(
        WIDE,
        900 * LOOPS_PER_GAME_SECOND,
        has_fog=True,
        bases=(_BASE,),
        resources=mineral_line(_BASE),
    )

    def __init__(self) -> None:
        self._score = 0

    def start(self, match: MiniGameMatch) -> None:
        """Put Command Center and SCVs on the map; nothing but what Marines take can be made."""
        match.allow_only(PLAYER, (SCV, SUPPLY_DEPOT, BARRACKS, MARINE))
        start_base(match, self.stage.bases[0])
        match.set_score(PLAYER, 0)

    def after_loop(self, match: MiniGameMatch) -> None:
        """Score the Marines that were trained, dead or alive."""
        score = match.count_made(PLAYER, MARINE)
        if score != self._score:
            self._score = score
            match.set_score(PLAYER, score)
        if match.loop >= self.stage.duration_loops:
            match.end(PLAYER)
