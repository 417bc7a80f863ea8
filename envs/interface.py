"""What world and network agree on: features, arguments, sizes and units.

One observation and one action, whatever they come from: a replay, the engine or StarCraft II.
Numbers are integers in compact arrays; a value that the source cannot know is ``UNKNOWN``,
which is never mixed up with zero. Features follow AlphaStar's (Vinyals et al. 2019,
supplementary ``detailed-architecture.txt``) and pysc2's ``FeatureUnit``; the camera and the
present selection are left out on purpose.
"""

import csv
from enum import Enum, IntEnum, auto
from functools import cache
from importlib import resources
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

INTERFACE_VERSION = 1

LOOPS_PER_SECOND = 22.4
"""Game loops in a second at speed Faster."""

WORLD_SIZE = 256
"""Side of the fixed world, in world units: x to the right, y up, origin bottom-left."""

SUBCELLS = 64
"""Positions are stored as integers, this many to a world unit."""

MAX_ENTITIES = 512
MAX_SELECTED = 64
MAX_DELAY = 127
NUM_DELAYS = MAX_DELAY + 1
NUM_ACTION_TYPES = 564
NUM_UNIT_TYPES = 320
NUM_UPGRADES = 144
NUM_BUFFS = 50
NUM_RACES = 5
BUILD_ORDER_LENGTH = 20

UNKNOWN = -1
UNKNOWN_CELL = 255
"""``UNKNOWN`` in map planes, which are unsigned bytes."""


class Knowledge(Enum):
    """What a source of observations can know."""

    EVENTS = "events"  # a replay's event streams, without the game
    GAME = "game"  # the game itself


class Alliance(IntEnum):
    """Whose a unit is, as the SC2 API numbers it; 0 is an empty row."""

    NONE = 0
    SELF = 1
    ALLY = 2
    NEUTRAL = 3
    ENEMY = 4


class Race(IntEnum):
    """A player's race, as the SC2 API numbers it."""

    NONE = 0
    TERRAN = 1
    ZERG = 2
    PROTOSS = 3
    RANDOM = 4


class DisplayType(IntEnum):
    """How a unit is known, as the SC2 API numbers it."""

    VISIBLE = 1
    SNAPSHOT = 2  # where it was last seen
    HIDDEN = 3


class Visibility(IntEnum):
    """Values of the visibility plane, as the SC2 API numbers them."""

    HIDDEN = 0
    FOGGED = 1
    VISIBLE = 2
    FULL_HIDDEN = 3


class Encoding(Enum):
    """How the network reads a column; each has room for ``UNKNOWN`` besides."""

    CLASSES = auto()  # one-hot of the value, ``size`` classes
    SQRT_CLASSES = auto()  # one-hot of floor(sqrt(value)), values up to ``size``
    RATIO = auto()  # value / size
    LOGARITHM = auto()  # log(1 + value) / log(1 + size)
    POSITION = auto()  # subcells, 0 to WORLD_SIZE * SUBCELLS


class Feature(NamedTuple):
    """One column: how it is read, its size, and whether event streams tell it."""

    encoding: Encoding
    size: int
    known_by_events: bool


class EntityFeature(IntEnum):
    """Columns of ``entities``."""

    UNIT_TYPE = 0  # row of unit_types.csv; 0 is any other
    ALLIANCE = 1
    X = 2
    Y = 3
    POSITION_AGE = 4  # loops since the position was last certain, or last seen
    DISPLAY_TYPE = 5
    BUILD_PROGRESS = 6  # per cent
    WAS_SELECTED = 7  # by this player's last action
    WAS_TARGETED = 8
    LAST_ORDER = 9  # the action type this player last gave it
    LAST_ORDER_AGE = 10  # loops since then
    HEALTH = 11
    SHIELD = 12
    ENERGY = 13
    HEALTH_RATIO = 14  # of 255
    SHIELD_RATIO = 15
    ENERGY_RATIO = 16
    CARGO_TAKEN = 17
    CARGO_MAX = 18
    CLOAK = 19
    IS_POWERED = 20
    IS_HALLUCINATION = 21
    IS_ACTIVE = 22
    IS_IN_CARGO = 23
    IS_BLIP = 24
    MINERAL_CONTENTS = 25  # hundreds
    VESPENE_CONTENTS = 26  # hundreds
    MINERALS_MINED = 27
    VESPENE_MINED = 28
    ASSIGNED_HARVESTERS = 29
    IDEAL_HARVESTERS = 30
    WEAPON_COOLDOWN = 31
    ORDER_LENGTH = 32
    ORDER_0 = 33  # action types, general where there is one
    ORDER_1 = 34
    ORDER_2 = 35
    ORDER_3 = 36
    ORDER_PROGRESS_0 = 37  # per cent
    ORDER_PROGRESS_1 = 38
    BUFF_0 = 39
    BUFF_1 = 40
    BUFF_DURATION = 41
    ADDON = 42
    WEAPON_UPGRADE = 43
    ARMOUR_UPGRADE = 44
    SHIELD_UPGRADE = 45


ENTITY_FEATURES: dict[EntityFeature, Feature] = {
    EntityFeature.UNIT_TYPE: Feature(Encoding.CLASSES, NUM_UNIT_TYPES, True),
    EntityFeature.ALLIANCE: Feature(Encoding.CLASSES, 5, True),
    EntityFeature.X: Feature(Encoding.POSITION, WORLD_SIZE, True),
    EntityFeature.Y: Feature(Encoding.POSITION, WORLD_SIZE, True),
    EntityFeature.POSITION_AGE: Feature(Encoding.LOGARITHM, 32767, True),
    EntityFeature.DISPLAY_TYPE: Feature(Encoding.CLASSES, 4, True),
    EntityFeature.BUILD_PROGRESS: Feature(Encoding.RATIO, 100, True),
    EntityFeature.WAS_SELECTED: Feature(Encoding.CLASSES, 2, True),
    EntityFeature.WAS_TARGETED: Feature(Encoding.CLASSES, 2, True),
    EntityFeature.LAST_ORDER: Feature(Encoding.CLASSES, NUM_ACTION_TYPES, True),
    EntityFeature.LAST_ORDER_AGE: Feature(Encoding.LOGARITHM, 32767, True),
    EntityFeature.HEALTH: Feature(Encoding.SQRT_CLASSES, 1500, False),
    EntityFeature.SHIELD: Feature(Encoding.SQRT_CLASSES, 1000, False),
    EntityFeature.ENERGY: Feature(Encoding.SQRT_CLASSES, 200, False),
    EntityFeature.HEALTH_RATIO: Feature(Encoding.RATIO, 255, False),
    EntityFeature.SHIELD_RATIO: Feature(Encoding.RATIO, 255, False),
    EntityFeature.ENERGY_RATIO: Feature(Encoding.RATIO, 255, False),
    EntityFeature.CARGO_TAKEN: Feature(Encoding.CLASSES, 9, False),
    EntityFeature.CARGO_MAX: Feature(Encoding.CLASSES, 9, False),
    EntityFeature.CLOAK: Feature(Encoding.CLASSES, 5, False),
    EntityFeature.IS_POWERED: Feature(Encoding.CLASSES, 2, False),
    EntityFeature.IS_HALLUCINATION: Feature(Encoding.CLASSES, 2, False),
    EntityFeature.IS_ACTIVE: Feature(Encoding.CLASSES, 2, False),
    EntityFeature.IS_IN_CARGO: Feature(Encoding.CLASSES, 2, False),
    EntityFeature.IS_BLIP: Feature(Encoding.CLASSES, 2, False),
    EntityFeature.MINERAL_CONTENTS: Feature(Encoding.CLASSES, 19, False),
    EntityFeature.VESPENE_CONTENTS: Feature(Encoding.CLASSES, 26, False),
    EntityFeature.MINERALS_MINED: Feature(Encoding.SQRT_CLASSES, 1800, False),
    EntityFeature.VESPENE_MINED: Feature(Encoding.SQRT_CLASSES, 2500, False),
    EntityFeature.ASSIGNED_HARVESTERS: Feature(Encoding.CLASSES, 25, False),
    EntityFeature.IDEAL_HARVESTERS: Feature(Encoding.CLASSES, 17, False),
    EntityFeature.WEAPON_COOLDOWN: Feature(Encoding.CLASSES, 33, False),
    EntityFeature.ORDER_LENGTH: Feature(Encoding.CLASSES, 9, False),
    EntityFeature.ORDER_0: Feature(Encoding.CLASSES, NUM_ACTION_TYPES, False),
    EntityFeature.ORDER_1: Feature(Encoding.CLASSES, NUM_ACTION_TYPES, False),
    EntityFeature.ORDER_2: Feature(Encoding.CLASSES, NUM_ACTION_TYPES, False),
    EntityFeature.ORDER_3: Feature(Encoding.CLASSES, NUM_ACTION_TYPES, False),
    EntityFeature.ORDER_PROGRESS_0: Feature(Encoding.RATIO, 100, False),
    EntityFeature.ORDER_PROGRESS_1: Feature(Encoding.RATIO, 100, False),
    EntityFeature.BUFF_0: Feature(Encoding.CLASSES, NUM_BUFFS, False),
    EntityFeature.BUFF_1: Feature(Encoding.CLASSES, NUM_BUFFS, False),
    EntityFeature.BUFF_DURATION: Feature(Encoding.SQRT_CLASSES, 250, False),
    EntityFeature.ADDON: Feature(Encoding.CLASSES, 7, False),
    EntityFeature.WEAPON_UPGRADE: Feature(Encoding.CLASSES, 5, False),
    EntityFeature.ARMOUR_UPGRADE: Feature(Encoding.CLASSES, 5, False),
    EntityFeature.SHIELD_UPGRADE: Feature(Encoding.CLASSES, 5, False),
}


class MapPlane(IntEnum):
    """Planes of ``map_planes``; row 0 is at y = 0.

    AlphaStar's, but for the alerts, which the raw interface does not place.
    """

    HEIGHT = 0
    VISIBILITY = 1
    CREEP = 2
    PLAYER_RELATIVE = 3
    PATHABLE = 4
    BUILDABLE = 5


MAP_PLANES: dict[MapPlane, Feature] = {
    MapPlane.HEIGHT: Feature(Encoding.RATIO, 254, False),
    MapPlane.VISIBILITY: Feature(Encoding.CLASSES, 4, True),
    MapPlane.CREEP: Feature(Encoding.CLASSES, 2, False),
    MapPlane.PLAYER_RELATIVE: Feature(Encoding.CLASSES, 5, True),
    MapPlane.PATHABLE: Feature(Encoding.CLASSES, 2, False),
    MapPlane.BUILDABLE: Feature(Encoding.CLASSES, 2, False),
}


class ScalarFeature(IntEnum):
    """Columns of ``scalars``. Economy columns are the player's own."""

    GAME_LOOP = 0
    HOME_RACE = 1
    AWAY_RACE = 2  # as the opponent chose it: RANDOM stays RANDOM, units tell
    MMR = 3  # thousands
    LAST_ACTION_TYPE = 4
    LAST_DELAY = 5  # loops that really passed since the last action
    LAST_QUEUED = 6
    MINERALS = 7
    VESPENE = 8
    FOOD_USED = 9
    FOOD_CAP = 10
    FOOD_WORKERS = 11
    STATISTICS_AGE = 12  # loops since the economy columns were taken
    MINERALS_RATE = 13  # per minute
    VESPENE_RATE = 14
    MINERALS_IN_PROGRESS = 15  # being spent on what is not yet finished
    VESPENE_IN_PROGRESS = 16
    MINERALS_IN_ARMY = 17
    VESPENE_IN_ARMY = 18
    MINERALS_LOST = 19
    VESPENE_LOST = 20
    MINERALS_KILLED = 21
    VESPENE_KILLED = 22
    FOOD_ARMY = 23
    IDLE_WORKERS = 24
    ARMY_COUNT = 25
    WARP_GATE_COUNT = 26
    LARVA_COUNT = 27


SCALAR_FEATURES: dict[ScalarFeature, Feature] = {
    ScalarFeature.GAME_LOOP: Feature(Encoding.LOGARITHM, 100_000, True),
    ScalarFeature.HOME_RACE: Feature(Encoding.CLASSES, NUM_RACES, True),
    ScalarFeature.AWAY_RACE: Feature(Encoding.CLASSES, NUM_RACES, True),
    ScalarFeature.MMR: Feature(Encoding.CLASSES, 8, True),
    ScalarFeature.LAST_ACTION_TYPE: Feature(Encoding.CLASSES, NUM_ACTION_TYPES, True),
    ScalarFeature.LAST_DELAY: Feature(Encoding.CLASSES, NUM_DELAYS, True),
    ScalarFeature.LAST_QUEUED: Feature(Encoding.CLASSES, 2, True),
    ScalarFeature.MINERALS: Feature(Encoding.LOGARITHM, 10_000, True),
    ScalarFeature.VESPENE: Feature(Encoding.LOGARITHM, 10_000, True),
    ScalarFeature.FOOD_USED: Feature(Encoding.RATIO, 200, True),
    ScalarFeature.FOOD_CAP: Feature(Encoding.RATIO, 200, True),
    ScalarFeature.FOOD_WORKERS: Feature(Encoding.RATIO, 100, True),
    ScalarFeature.STATISTICS_AGE: Feature(Encoding.RATIO, 160, True),
    ScalarFeature.MINERALS_RATE: Feature(Encoding.LOGARITHM, 10_000, True),
    ScalarFeature.VESPENE_RATE: Feature(Encoding.LOGARITHM, 10_000, True),
    ScalarFeature.MINERALS_IN_PROGRESS: Feature(Encoding.LOGARITHM, 10_000, True),
    ScalarFeature.VESPENE_IN_PROGRESS: Feature(Encoding.LOGARITHM, 10_000, True),
    ScalarFeature.MINERALS_IN_ARMY: Feature(Encoding.LOGARITHM, 30_000, True),
    ScalarFeature.VESPENE_IN_ARMY: Feature(Encoding.LOGARITHM, 30_000, True),
    ScalarFeature.MINERALS_LOST: Feature(Encoding.LOGARITHM, 100_000, True),
    ScalarFeature.VESPENE_LOST: Feature(Encoding.LOGARITHM, 100_000, True),
    ScalarFeature.MINERALS_KILLED: Feature(Encoding.LOGARITHM, 100_000, True),
    ScalarFeature.VESPENE_KILLED: Feature(Encoding.LOGARITHM, 100_000, True),
    ScalarFeature.FOOD_ARMY: Feature(Encoding.RATIO, 200, False),
    ScalarFeature.IDLE_WORKERS: Feature(Encoding.RATIO, 100, False),
    ScalarFeature.ARMY_COUNT: Feature(Encoding.RATIO, 200, False),
    ScalarFeature.WARP_GATE_COUNT: Feature(Encoding.RATIO, 32, False),
    ScalarFeature.LARVA_COUNT: Feature(Encoding.RATIO, 64, False),
}


class EntityLimits(NamedTuple):
    """How many units an observation shows: own first, then enemies, then the nearest neutral."""

    total: int = MAX_ENTITIES
    neutral: int = MAX_ENTITIES


class Observation(NamedTuple):
    """What a player knows at one step.

    ``build_order`` and ``cumulative_statistics`` are AlphaStar's z: what to aim at, given from
    outside and all ``UNKNOWN`` unless somebody asks for it.
    """

    entities: NDArray[np.int16]  # entities, EntityFeature; at most MAX_ENTITIES rows
    map_planes: NDArray[np.uint8]  # MapPlane, height, width
    scalars: NDArray[np.int32]  # ScalarFeature
    upgrades: NDArray[np.int8]  # row of upgrades.csv -> 0, 1 or UNKNOWN
    build_order: NDArray[np.int16]  # unit types, BUILD_ORDER_LENGTH; 0 past its end
    cumulative_statistics: NDArray[np.int8]  # NUM_UNIT_TYPES + NUM_UPGRADES, 0, 1 or UNKNOWN


class Action(NamedTuple):
    """What a player does at one step; an argument that is not used is ``UNKNOWN`` or empty."""

    action_type: int
    delay: int  # game loops to this player's next step, 1 to MAX_DELAY
    queued: int
    selected_units: NDArray[np.int16]  # rows of ``entities``
    target_unit: int  # row of ``entities``
    target_location: tuple[int, int]  # x, y in subcells


class ActionArguments(NamedTuple):
    """Which action types use which argument; each Bool, by action type."""

    queued: NDArray[np.bool_]
    selected_units: NDArray[np.bool_]
    target_unit: NDArray[np.bool_]
    target_location: NDArray[np.bool_]


class RawFunction(NamedTuple):
    """One row of pysc2's table of raw functions (``pysc2/lib/actions.py``)."""

    name: str
    kind: str  # no_op, camera, quick, point, unit or autocast
    ability_id: int
    general_ability_id: int  # 0 where the function is general itself


@cache
def raw_functions() -> tuple[RawFunction, ...]:
    """Return pysc2's raw functions; the index is the action type."""
    return tuple(
        RawFunction(row["name"], row["kind"], int(row["ability_id"]), int(row["general_id"]))
        for row in read_table("raw_functions.csv")
    )


@cache
def action_arguments() -> ActionArguments:
    """Return which action types use which argument."""
    kinds = np.array([function.kind for function in raw_functions()])
    return ActionArguments(
        queued=np.isin(kinds, ["quick", "point", "unit"]),
        selected_units=np.isin(kinds, ["quick", "point", "unit", "autocast"]),
        target_unit=kinds == "unit",
        target_location=np.isin(kinds, ["point", "camera"]),
    )


@cache
def legality(knowledge: Knowledge = Knowledge.GAME) -> NDArray[np.bool_]:
    """Return which unit types can take which action types.

    Args:
        knowledge: by event streams alone, eggs can take what larvae take: players press on while
            larvae hatch, and nothing tells how many have.

    Returns:
        Bool, unit type by action type. Row 0, any other unit, allows all; ``no_op`` is allowed
        to all; the camera and the specific variants of general functions to none.
    """
    table = np.zeros((NUM_UNIT_TYPES, NUM_ACTION_TYPES), bool)
    index = {function.name: i for i, function in enumerate(raw_functions())}
    columns = ["raw_functions"]
    if knowledge is Knowledge.EVENTS:
        columns.append("raw_functions_of_eggs")
    for row in read_table("legality.csv"):
        names = [name for column in columns for name in row[column].split("|") if name]
        table[int(row["unit_type"]), [index[name] for name in names]] = True
    table[0] = True
    table[:, 0] = True
    masked = [f.general_ability_id != 0 or f.kind == "camera" for f in raw_functions()]
    table[:, masked] = False
    return table


def read_table(name: str) -> list[dict[str, str]]:
    """Return the rows of a table in ``envs/data``."""
    with resources.files("envs").joinpath("data", name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))
