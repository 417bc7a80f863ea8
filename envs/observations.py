"""What a game sends -> ``Observation``: the way from the SC2 API's bytes to the network's arrays.

The same for StarCraft II and the engine, for games that are played and replays that are watched.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from envs.game_numbers import game_numbers
from envs.game_rows import (
    MemoryColumn,
    draw_game_units,
    find_slots,
    mark_action,
    write_game_entities,
    write_memory,
    write_rows,
)
from envs.interface import (
    BUILD_ORDER_LENGTH,
    MAX_DELAY,
    MAX_ENTITIES,
    NUM_UNIT_TYPES,
    NUM_UPGRADES,
    SUBCELLS,
    UNKNOWN,
    UNKNOWN_CELL,
    WORLD_SIZE,
    Action,
    EntityFeature,
    EntityLimits,
    MapPlane,
    Observation,
    Race,
    ScalarFeature,
)
from envs.wire import NO_ROOM, WireObservation, decode_response, picture, pysc2_pixels
from envs.wire_columns import Image, PlayerColumn, ScoreMeasure, UnitColumn

_PLAYER_SCALARS = np.array(  # feature, column
    [
        (ScalarFeature.MINERALS, PlayerColumn.MINERALS),
        (ScalarFeature.VESPENE, PlayerColumn.VESPENE),
        (ScalarFeature.FOOD_USED, PlayerColumn.FOOD_USED),
        (ScalarFeature.FOOD_CAP, PlayerColumn.FOOD_CAP),
        (ScalarFeature.FOOD_WORKERS, PlayerColumn.FOOD_WORKERS),
        (ScalarFeature.FOOD_ARMY, PlayerColumn.FOOD_ARMY),
        (ScalarFeature.IDLE_WORKERS, PlayerColumn.IDLE_WORKER_COUNT),
        (ScalarFeature.ARMY_COUNT, PlayerColumn.ARMY_COUNT),
        (ScalarFeature.WARP_GATE_COUNT, PlayerColumn.WARP_GATE_COUNT),
        (ScalarFeature.LARVA_COUNT, PlayerColumn.LARVA_COUNT),
    ]
)
_SCORE_SCALARS = np.array(  # feature, column
    [
        (ScalarFeature.MINERALS_RATE, ScoreMeasure.MINERALS_RATE),
        (ScalarFeature.VESPENE_RATE, ScoreMeasure.VESPENE_RATE),
        (ScalarFeature.MINERALS_IN_ARMY, ScoreMeasure.MINERALS_IN_ARMY),
        (ScalarFeature.VESPENE_IN_ARMY, ScoreMeasure.VESPENE_IN_ARMY),
        (ScalarFeature.MINERALS_LOST, ScoreMeasure.MINERALS_LOST),
        (ScalarFeature.VESPENE_LOST, ScoreMeasure.VESPENE_LOST),
        (ScalarFeature.MINERALS_KILLED, ScoreMeasure.MINERALS_KILLED),
        (ScalarFeature.VESPENE_KILLED, ScoreMeasure.VESPENE_KILLED),
    ]
)
_NUM_FEATURES = len(EntityFeature)
_MOST = int(np.iinfo(np.int32).max)
_ORDER = slice(MemoryColumn.LAST_ORDER, MemoryColumn.LAST_ORDER_LOOP + 1)
_NOTHING = np.array([0, UNKNOWN, 0, 0, 0], np.int32)  # MemoryColumn


class GameMap(NamedTuple):
    """A map as the game describes it at the start, by world cell; row 0 is at y = 0."""

    name: str
    width: int
    height: int
    terrain_height: NDArray[np.uint8]
    is_pathable: NDArray[np.bool_]
    is_buildable: NDArray[np.bool_]
    starts: tuple[tuple[float, float], ...]  # of the others, world units


class Known(NamedTuple):
    """What a player knows at one moment, before it is cut to a network's sizes."""

    loop: int
    rows: NDArray[np.int32]  # units, EntityFeature as in ``envs.game_rows``
    tags: NDArray[np.int64]  # of the units
    visibility: NDArray[np.uint8]  # of the map's cells
    creep: NDArray[np.uint8]
    scalars: NDArray[np.int32]  # ScalarFeature
    upgrades: NDArray[np.int8]
    selected: NDArray[np.int64]  # tags, ascending: of the last action
    target: int  # tag: of the last action, 0 for none


class Shown(NamedTuple):
    """An observation, and the tags of its entities."""

    observation: Observation
    tags: NDArray[np.int64]


class GameReader:
    """Follows one player through one game, and remembers what its observations do not repeat."""

    def __init__(self, game_map: GameMap, *, home_race: Race, away_race: Race) -> None:
        """Begin with a game.

        Args:
            game_map: where it is played.
            home_race: the player's.
            away_race: as the opponent chose it.
        """
        self.game_map = game_map
        self.unknown_types: dict[int, int] = {}
        self._pixels = pysc2_pixels((game_map.width, game_map.height))
        self._room = NO_ROOM
        self._tags = np.zeros(0, np.int64)  # of all units that were ever seen, ascending
        self._memory = np.zeros((0, len(MemoryColumn)), np.int32)  # of the same units
        self._selected = _NOBODY
        self._target = 0
        self._acted_at: int | None = None
        self._scalars = np.full(len(ScalarFeature), UNKNOWN, np.int32)
        self._scalars[ScalarFeature.HOME_RACE] = home_race
        self._scalars[ScalarFeature.AWAY_RACE] = away_race

    def decode(self, response: bytes) -> WireObservation:
        """Decode a serialized ``Response`` that holds an observation.

        Raises:
            ValueError: it holds none, or is damaged.
        """
        wire = decode_response(response, self._pixels, self._room)
        counts = wire.units, wire.upgrades, wire.dead_units, wire.effects, wire.results
        units, upgrades, dead, effects, results = (len(rows) + len(rows) // 4 for rows in counts)
        self._room = units, upgrades, dead, effects, results
        return wire

    def known(self, wire: WireObservation, response: bytes) -> Known:
        """Return what an observation tells that was decoded from a response.

        Units are in the order of their tags.
        """
        self._wait_until(wire.game_loop)
        order = np.argsort(wire.units[:, UnitColumn.TAG].view(np.uint64))
        wire = wire._replace(units=wire.units[order], measures=wire.measures[order])
        tags = wire.units[:, UnitColumn.TAG].copy()
        rows = np.empty((len(tags), _NUM_FEATURES), np.int32)
        numbers = game_numbers()
        tables = numbers.unit_types, numbers.orders, numbers.buffs, numbers.add_ons
        if write_rows(wire.units, wire.measures, tables, rows):
            self._count_unknown_types(wire, rows)
        slots = self._slots(tags)
        write_memory(wire.units, wire.game_loop, slots, self._memory, rows)
        upgrades = np.zeros(NUM_UPGRADES, np.int8)
        _write_upgrades(wire.upgrades, numbers.upgrades, upgrades)
        return Known(
            loop=wire.game_loop,
            rows=rows,
            tags=tags,
            visibility=self._picture(response, wire, Image.VISIBILITY),
            creep=self._picture(response, wire, Image.CREEP),
            scalars=self._read_scalars(wire),
            upgrades=upgrades,
            selected=self._selected,
            target=self._target,
        )

    def note_action(
        self, loop: int, action: Action, selected: NDArray[np.int64], target: int
    ) -> None:
        """Remember what the player did, for the observations after it; a ``no_op`` is not done.

        Args:
            loop: of the observation that it was done on.
            action: what was done; of its rows no use is made.
            selected: tags of the units that it was given to.
            target: tag of the unit that it was aimed at, 0 for none.
        """
        slots = self._slots(selected)  # may make room in the memory
        self._memory[slots, _ORDER] = action.action_type, loop
        self._selected, self._target, self._acted_at = np.sort(selected), target, loop
        self._scalars[ScalarFeature.LAST_ACTION_TYPE] = action.action_type
        self._scalars[ScalarFeature.LAST_QUEUED] = max(action.queued, 0)

    def _wait_until(self, loop: int) -> None:
        """Take the ``no_op`` steps that have passed: one at the start, and one a ``MAX_DELAY``.

        So it makes no difference to observations how often a player who waits has looked.
        """
        if self._acted_at is None:
            if loop == 0:
                return
            waited_since = 0
        else:
            num_waits = max(loop - self._acted_at - 1, 0) // MAX_DELAY
            waited_since = self._acted_at + MAX_DELAY * num_waits
        if waited_since != self._acted_at:
            self._selected, self._target, self._acted_at = _NOBODY, 0, waited_since
            self._scalars[ScalarFeature.LAST_ACTION_TYPE] = 0
            self._scalars[ScalarFeature.LAST_QUEUED] = 0

    def _slots(self, tags: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where in the memory units are, making room for those that are new."""
        slots = np.empty(len(tags), np.int64)
        if find_slots(self._tags, tags, slots):
            new = np.unique(tags[slots < 0])
            places = np.searchsorted(self._tags, new)
            self._tags = np.insert(self._tags, places, new)
            self._memory = np.insert(self._memory, places, _NOTHING, axis=0)
            find_slots(self._tags, tags, slots)
        return slots

    def _read_scalars(self, wire: WireObservation) -> NDArray[np.int32]:
        scalars = self._scalars
        scalars[ScalarFeature.GAME_LOOP] = wire.game_loop
        if self._acted_at is not None:
            scalars[ScalarFeature.LAST_DELAY] = min(wire.game_loop - self._acted_at, MAX_DELAY)
        _write_economy(wire.player, wire.score_measures, scalars)
        scalars[ScalarFeature.STATISTICS_AGE] = 0
        return scalars.copy()

    def _count_unknown_types(self, wire: WireObservation, rows: NDArray[np.int32]) -> None:
        is_unknown = rows[:, EntityFeature.UNIT_TYPE] == 0
        for number in wire.units[is_unknown, UnitColumn.UNIT_TYPE].tolist():
            self.unknown_types[number] = self.unknown_types.get(number, 0) + 1

    def _picture(self, response: bytes, wire: WireObservation, image: Image) -> NDArray[np.uint8]:
        found = picture(response, wire, image)
        size = self.game_map.height, self.game_map.width
        if found is None or found.shape != size:
            raise ValueError(
                f"the game must send {image.name} of {size[1]} x {size[0]} cells, it sent "
                f"{'none' if found is None else f'{found.shape[1]} x {found.shape[0]}'}"
            )
        return found.astype(np.uint8, copy=False)


class ObservationMaker:
    """Cuts what a player knows to a network's sizes."""

    def __init__(
        self, game_map: GameMap, *, plane_size: int, limits: EntityLimits = EntityLimits()
    ) -> None:
        """Prepare for a game.

        Args:
            game_map: where it is played.
            plane_size: side of the map planes, in cells; divides ``WORLD_SIZE``.
            limits: at most so many units, chosen by ``envs.entity_arrays.shown_units``; the
                planes show them all.

        Raises:
            ValueError: the planes' side does not divide the world's, or a limit cannot be.
        """
        check_sizes(plane_size=plane_size, limits=limits)
        if max(game_map.width, game_map.height) > WORLD_SIZE:
            raise ValueError(
                f"{game_map.name}: a map has at most {WORLD_SIZE} x {WORLD_SIZE} cells, got "
                f"{game_map.width} x {game_map.height}"
            )
        self._cell = WORLD_SIZE // plane_size
        self._limits = limits
        still = self._still_planes = np.zeros((len(MapPlane), plane_size, plane_size), np.uint8)
        self._build_order = np.full(BUILD_ORDER_LENGTH, UNKNOWN, np.int16)
        self._statistics = np.full(NUM_UNIT_TYPES + NUM_UPGRADES, UNKNOWN, np.int8)
        height = np.minimum(game_map.terrain_height, UNKNOWN_CELL - 1)
        self._draw(height, still[MapPlane.HEIGHT])
        self._draw(game_map.is_pathable.astype(np.uint8), still[MapPlane.PATHABLE])
        self._draw(game_map.is_buildable.astype(np.uint8), still[MapPlane.BUILDABLE])

    def observation(self, known: Known) -> Shown:
        """Return what the network is shown of what the player knows."""
        place_of_unit = np.empty(len(known.rows), np.int32)
        entities = np.empty((min(len(known.rows), self._limits.total), _NUM_FEATURES), np.int16)
        count = write_game_entities(
            known.rows, known.loop, self._limits.neutral, entities, place_of_unit
        )
        tags = known.tags
        if count < len(tags):
            entities, tags = entities[:count].copy(), tags[place_of_unit >= 0]
        mark_action(tags, known.selected, known.target, entities)
        planes = self._still_planes.copy()
        self._draw(known.visibility, planes[MapPlane.VISIBILITY])
        self._draw(known.creep, planes[MapPlane.CREEP])
        draw_game_units(known.rows, SUBCELLS * self._cell, planes[MapPlane.PLAYER_RELATIVE])
        observation = Observation(
            entities=entities,
            map_planes=planes,
            scalars=known.scalars,
            upgrades=known.upgrades,
            build_order=self._build_order,
            cumulative_statistics=self._statistics,
        )
        return Shown(observation, tags)

    def _draw(self, cells: NDArray[np.uint8], plane: NDArray[np.uint8]) -> None:
        """Draw the map's cells in the middle of each of a plane's; what is beyond stays."""
        middles = cells[self._cell // 2 :: self._cell, self._cell // 2 :: self._cell]
        plane[: middles.shape[0], : middles.shape[1]] = middles


def check_sizes(*, plane_size: int, limits: EntityLimits) -> None:
    """Refuse sizes that no observation has.

    Raises:
        ValueError: the planes' side does not divide the world's, or a limit cannot be.
    """
    if plane_size < 1 or WORLD_SIZE % plane_size:
        raise ValueError(f"plane_size must divide {WORLD_SIZE}, got {plane_size}")
    if not 1 <= limits.total <= MAX_ENTITIES or limits.neutral < 0:
        raise ValueError(f"limits must be at most {MAX_ENTITIES} and positive, got {limits}")


_NOBODY = np.zeros(0, np.int64)


@njit(cache=True)
def _write_economy(
    player: NDArray[np.int64], score: NDArray[np.float64], scalars: NDArray[np.int32]
) -> None:
    for i in range(len(_PLAYER_SCALARS)):
        value = player[_PLAYER_SCALARS[i, 1]]
        scalars[_PLAYER_SCALARS[i, 0]] = min(value, _MOST)
    for i in range(len(_SCORE_SCALARS)):
        measure = score[_SCORE_SCALARS[i, 1]]
        scalars[_SCORE_SCALARS[i, 0]] = np.int64(min(max(measure, 0.0), float(_MOST)))


@njit(cache=True)
def _write_upgrades(
    ids: NDArray[np.int64], table: NDArray[np.int16], upgrades: NDArray[np.int8]
) -> None:
    for number in ids:
        upgrade = table[min(number, len(table) - 1)]
        if upgrade >= 0:
            upgrades[upgrade] = 1
