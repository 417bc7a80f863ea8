"""How a game is laid out in memory: arrays of records that compiled and plain code both read.

All that decides how a game goes on is an integer, so that the same commands give the same bits
in any process: lengths, positions, health, shields and energy in 1/``ONE``, cooldowns in
1/``TICK`` loops. Units refer to each other by tag, never by slot, because slots are used again.
"""

from enum import IntEnum, IntFlag
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

ONE = 4096
"""A world unit of length, a point of health, shield or energy."""

TICK = 256
"""A game loop, for cooldowns that last fractions of one."""

MAX_UNITS = 2048
MAX_ORDERS = 8
MAX_PRODUCTION = 8
MAX_PLAYERS = 2
NUM_OWNERS = MAX_PLAYERS + 1
"""Owner 0 is nobody: minerals, geysers, rocks. Players are 1 and 2."""

NUM_TYPES = 256
NUM_UPGRADES = 320
"""Upgrades are numbered as the API does."""

MAX_EVENTS = 8192
MAX_SIDE = 256
"""Cells of the largest map's side."""

WORD_BITS = 6
WORD = 1 << WORD_BITS
NUM_WORDS = MAX_SIDE // WORD
"""Of a row, where its cells are bits."""

NUM_HEIGHTS = 256
NUM_MARKS = 255
"""Of what stands on the ground: two things that touch seldom have the same one."""

MAX_EFFECTS = 64
MAX_FIELDS = 64
BIN_BITS = 13
"""A position shifted by this is its bin, of 2 x 2 cells."""

PRESENCE_BITS = 15
"""A position shifted by this is its square of 8 x 8 cells, for which the owners there are known."""

CELL_BITS = 12
"""A position shifted by this is its cell, since ``ONE`` is ``1 << CELL_BITS``."""

FIRST_INDEX = 1 << 14
"""Added to slots in tags: the real game's tags are above 2**32, and clients count on that."""


class Attribute(IntFlag):
    """What weapons ask of their targets; the bit of each is 1 << the API's number."""

    LIGHT = 1 << 1
    ARMORED = 1 << 2
    BIOLOGICAL = 1 << 3
    MECHANICAL = 1 << 4
    ROBOTIC = 1 << 5
    PSIONIC = 1 << 6
    MASSIVE = 1 << 7
    STRUCTURE = 1 << 8
    HOVER = 1 << 9
    HEROIC = 1 << 10
    SUMMONED = 1 << 11


class Targets(IntFlag):
    """What a weapon can shoot at."""

    GROUND = 1
    AIR = 2


class Trait(IntFlag):
    """What kind of thing a unit type is."""

    STRUCTURE = 1
    WORKER = 1 << 1
    TOWN_HALL = 1 << 2
    MINERALS = 1 << 3
    GEYSER = 1 << 4
    GAS_BUILDING = 1 << 5
    ADD_ON = 1 << 6
    TECH_LAB = 1 << 7
    REACTOR = 1 << 8
    LARVA = 1 << 9
    EGG = 1 << 10  # an egg or a cocoon
    DETECTOR = 1 << 11
    CLOAKED = 1 << 12  # always
    BURROWED = 1 << 13
    POWER_SOURCE = 1 << 14
    NEEDS_POWER = 1 << 15
    NEEDS_CREEP = 1 << 16
    SPREADS_CREEP = 1 << 17
    HANGS_ON_CLIFFS = 1 << 18  # walks over them
    WALKED_OVER = 1 << 19  # though nothing else is built on its cells
    SUICIDE = 1 << 20  # dies by its own attack
    SCENERY = 1 << 21  # can be neither selected nor attacked
    MOVES_WHILE_SHOOTING = 1 << 22
    NO_AUTO_TARGET = 1 << 23  # attacked only when nothing else is there: larvae, eggs, structures
    TALL = 1 << 24  # as tall as cliffs: sees up them, and can be shot at like a flier too
    NO_COLLISION = 1 << 25
    WARP_GATE = 1 << 26
    RICH = 1 << 27  # of minerals or gas: more a trip
    HEALER = 1 << 28  # mends living units beside it
    RECHARGER = 1 << 29  # fills shields beside it
    SPEEDS_WARPS = 1 << 30  # units warp in faster by a pylon near it


class Splash(IntEnum):
    """Whom a weapon hits besides its target."""

    NONE = 0
    CIRCLE = 1  # about the target
    LINE = 2  # from the attacker through the target
    BOUNCE = 3  # on to others near by, a third of the damage each time
    ARC = 4  # others in front of the attacker
    SELF = 5  # a circle about the attacker
    ACROSS = 6  # a line through the target, across the line of fire


_CACHE_LINE = 64  # bytes


def _padded(fields: list[tuple[str, str]]) -> np.dtype[np.void]:
    """Return a record's type, as long as some lines of a processor's cache."""
    plain = np.dtype(fields)
    lines = -(-plain.itemsize // _CACHE_LINE)
    return np.dtype([*fields, ("padding", "u1", lines * _CACHE_LINE - plain.itemsize)])


def _on_lines(fields: list[tuple[Any, ...]]) -> np.dtype[np.void]:
    """Return a record's type, each of whose fields begins on a line of a processor's cache."""
    formats = [np.dtype(form[1] if len(form) == 2 else form[1:]) for form in fields]
    lines = [-(-form.itemsize // _CACHE_LINE) for form in formats]
    return np.dtype(
        {
            "names": [name for name, *_ in fields],
            "formats": formats,
            "offsets": [sum(lines[:place]) * _CACHE_LINE for place in range(len(lines))],
            "itemsize": sum(lines) * _CACHE_LINE,
        }
    )


UNIT_TYPE = np.dtype(
    [
        ("id", "i4"),
        ("race", "i4"),
        ("traits", "i4"),
        ("attributes", "i4"),
        ("flying", "i4"),
        ("speed", "i4"),  # a loop
        ("creep_speed", "i4"),  # a loop, on creep
        ("radius", "i4"),
        ("footprint", "i4"),  # cells of a side; 0 for none
        ("footprint_height", "i4"),  # cells; differs for mineral fields
        ("sight", "i4"),
        ("detection", "i4"),
        ("armour", "i4"),  # points
        ("shield_armour", "i4"),  # points
        ("health", "i4"),
        ("shield", "i4"),
        ("energy", "i4"),
        ("energy_start", "i4"),
        ("minerals", "i4"),  # of this step, for the pair where two are made
        ("gas", "i4"),
        ("total_minerals", "i4"),  # of all steps to one such unit, whatever its mode
        ("total_gas", "i4"),
        ("supply", "i4"),  # half points
        ("supply_given", "i4"),  # half points
        ("build_loops", "i4"),
        ("cargo_size", "i4"),
        ("cargo_space", "i4"),
        ("num_made", "i4"),  # 2 for Zerglings
        ("add_on_x", "i4"),  # where this type's add-on stands; 0 for none
        ("timed_life", "i4"),  # loops; 0 for ever
        ("warp_cooldown", "i4"),  # loops until its gate warps in another
        ("settles_as", "i4"),  # row that it becomes when it is finished; 0 for none
        ("base", "i4"),  # row of the type it is a mode of, itself otherwise
        ("range_bonus_inside", "i4"),  # of a bunker's passengers; 0 where they cannot shoot
        ("attack_level", "i4"),  # of upgrades, for clients
        ("armour_level", "i4"),
        ("shield_level", "i4"),
    ]
)

WEAPON = np.dtype(
    [
        ("targets", "i4"),  # 0: there is none
        ("damage", "i4"),  # points
        ("bonus", "i4"),  # points against any of bonus_attributes
        ("bonus_attributes", "i4"),
        ("attacks", "i4"),
        ("range", "i4"),
        ("cooldown", "i4"),  # ticks
        ("min_range", "i4"),
        ("splash", "i4"),
        ("radius_full", "i4"),
        ("radius_half", "i4"),
        ("radius_quarter", "i4"),
        ("friendly_fire", "i4"),
        ("bonus_shield", "i4"),  # points more against shields
        ("structure_damage", "i4"),  # points instead, against structures; 0 for the same
    ]
)

UNIT = _padded(
    [
        # What every loop looks at comes first, in as few lines of a processor's cache as can be.
        ("tag", "i8"),  # 0: the slot is free
        ("type", "i4"),
        ("owner", "i4"),
        ("x", "i4"),
        ("y", "i4"),
        ("health", "i4"),
        ("carrier", "i8"),  # transport it sits in
        ("walks", "i4"),
        ("num_orders", "i4"),
        ("target", "i8"),  # engaged by its weapon
        ("build_left", "i4"),  # ticks until it is finished; 0 when it is
        ("morph_left", "i4"),  # loops
        ("visible_to", "i4"),  # bit of each player who sees it
        ("shield", "i4"),
        ("shield_max", "i4"),
        ("health_max", "i4"),
        ("energy", "i4"),
        ("last_hit", "i4"),  # loop at which it was last damaged
        ("dies", "i4"),  # loop at which a timed life ends; 0 for never
        ("num_production", "i4"),
        ("weapon_cooldown", "i4"),  # ticks
        ("acquire", "i4"),  # loop at which it next looks for a target
        ("gather_phase", "i4"),
        ("goal_x", "i4"),  # where it walks to, this loop
        ("goal_y", "i4"),
        ("way_x", "i4"),  # next corner on the way to the goal
        ("way_y", "i4"),
        ("way_goal", "i4"),  # cell of the goal that the corner leads to, -1 for none
        ("way_until", "i4"),  # loop at which to look for a better one
        ("goal_radius", "i4"),  # of the building or patch that it walks up to
        ("blocked", "i4"),  # loops for which it has got nowhere
        ("cloaked", "i4"),
        ("powered", "i4"),
        ("ability_cooldown", "i4"),
        ("ability_cooldown_2", "i4"),
        ("warp_cooldown", "i4"),
        ("stim_left", "i4"),
        ("slow_left", "i4"),
        ("haste_left", "i4"),
        ("root_left", "i4"),
        ("shield_up_left", "i4"),
        ("lifted_left", "i4"),
        ("chrono_left", "i4"),
        ("heading_x", "i4"),  # where it faces, a vector of any length
        ("heading_y", "i4"),
        ("born", "i4"),  # loop
        ("build_total", "i4"),  # ticks
        ("morph_type", "i4"),  # row it is becoming; 0 for none
        ("morph_total", "i4"),
        ("morph_ability", "i4"),
        ("morph_from", "i4"),  # row
        ("morph_minerals", "i4"),  # paid
        ("morph_gas", "i4"),
        ("last_hit_by", "i8"),
        ("gather_timer", "i4"),
        ("gather_from", "i8"),
        ("carries", "i4"),  # Carries
        ("carried", "i4"),  # how much
        ("minerals", "i4"),  # contents
        ("gas", "i4"),
        ("occupied_until", "i4"),  # of a mineral patch or gas building
        ("occupied_by", "i8"),
        ("harvesters", "i4"),
        ("home", "i8"),  # larva: its hatchery; interceptor: its carrier
        ("add_on", "i8"),
        ("builder", "i8"),  # SCV at work on it
        ("cargo_used", "i4"),
        ("rally_x", "i4"),
        ("rally_y", "i4"),
        ("rally_set", "i4"),
        ("rally_target", "i8"),
        ("worker_rally_x", "i4"),
        ("worker_rally_y", "i4"),
        ("worker_rally_set", "i4"),
        ("worker_rally_target", "i8"),
        ("detected", "i4"),  # bit of each player who detects it
        ("larva_timer", "i4"),
        ("larva_count", "i4"),
        ("inject_left", "i4"),
        ("hold_fire", "i4"),
        ("generates_creep", "i4"),
        ("extra_supply", "i4"),  # half points: a supply drop
        ("patrol_x", "i4"),
        ("patrol_y", "i4"),
        ("spread_charges", "i4"),  # creep tumours this one can still make
    ]
)


SNAPSHOT = np.dtype(
    [
        ("tag", "i8"),  # 0: nothing is remembered
        ("type", "i4"),
        ("owner", "i4"),
        ("x", "i4"),
        ("y", "i4"),
        ("build_left", "i4"),
        ("build_total", "i4"),
    ]
)


class Carries(IntEnum):
    """What a worker brings home."""

    NOTHING = 0
    MINERALS = 1
    GAS = 2


class Task(IntEnum):
    """What an order makes its unit do: walk and fight, or come within reach and be READY."""

    NONE = 0
    MOVE = 1
    FOLLOW = 2
    ATTACK_TO = 3  # walk, and fight or mend what comes in reach
    ATTACK_UNIT = 4
    PATROL = 5
    HOLD = 6
    GATHER = 7
    RETURN = 8
    REACH_POINT = 9  # go within reach of a point, then READY
    REACH_UNIT = 10  # go within reach of a unit, then READY
    BUILD = 11  # go to a site, then READY
    CONSTRUCT = 12  # an SCV at work on the building it began
    REPAIR = 13


ORDER = np.dtype(
    [
        ("ability", "i4"),  # the specific id that clients are told
        ("task", "i4"),
        ("target", "i8"),  # tag; 0 for none
        ("x", "i4"),
        ("y", "i4"),
        ("reach", "i4"),  # distance between edges at which it is READY
        ("type", "i4"),  # row to build or to become
        ("timer", "i4"),
        ("state", "i4"),
    ]
)


class Makes(IntEnum):
    """What an entry of a production queue makes."""

    NOTHING = 0
    UNIT = 1
    UPGRADE = 2


PRODUCTION = np.dtype(
    [
        ("ability", "i4"),
        ("makes", "i4"),
        ("what", "i4"),  # row of a type, or an upgrade's id
        ("left", "i4"),  # ticks
        ("total", "i4"),
        ("minerals", "i4"),  # paid
        ("gas", "i4"),
        ("supply", "i4"),  # half points
        ("started", "i4"),
    ]
)

PLAYER = np.dtype(
    [
        ("race", "i4"),
        ("minerals", "i4"),
        ("gas", "i4"),
        ("supply_used", "i4"),  # half points
        ("supply_made", "i4"),  # half points, uncapped
        ("income", "i4"),  # per cent of what workers bring
        ("sees_all", "i4"),
        ("minerals_collected", "i4"),
        ("gas_collected", "i4"),
        ("minerals_spent", "i4"),
        ("gas_spent", "i4"),
        ("free", "i4"),  # debug: costs nothing
        ("fast", "i4"),  # debug: builds at once
        ("god", "i4"),  # debug: takes no damage
        ("no_tech", "i4"),  # debug: no requirements
        ("no_food", "i4"),  # debug: no supply
        ("no_cooldown", "i4"),  # debug: no cooldowns
    ]
)

EFFECT = np.dtype(
    [
        ("id", "i4"),  # 0: the slot is free
        ("owner", "i4"),
        ("x", "i4"),
        ("y", "i4"),
        ("radius", "i4"),
        ("until", "i4"),  # loop
        ("damage", "i4"),  # a loop
        ("burst", "i4"),  # damage when it is over
        ("targets", "i4"),  # Targets it harms
        ("sight", "i4"),
        ("source", "i8"),
    ]
)


class Gathering(IntEnum):
    """What a worker with an order to gather is doing."""

    GOING = 0
    WAITING = 1  # for another worker to finish
    TAKING = 2
    TURNING = 3  # towards home
    BRINGING = 4
    LEAVING = 5  # has delivered


class Happening(IntEnum):
    """What compiled code leaves for plain code to see to, at the end of a loop."""

    DIED = 1  # slot, killer's slot
    READY = 2  # slot: its first order has come within reach
    PRODUCED = 3  # slot, place in the queue
    CONSTRUCTED = 4  # slot
    MORPHED = 5  # slot
    EXPIRED = 6  # slot: its timed life is over
    LARVA = 7  # slot of a hatchery that makes one
    INJECTED = 8  # slot of a hatchery whose eggs burst
    DEPLETED = 9  # slot of a resource, of who took the last of it
    TARGET_LOST = 10  # slot, 1 where the target is there but out of an immobile unit's reach


EVENT = np.dtype([("what", "i4"), ("slot", "i4"), ("tag", "i8"), ("argument", "i8")])


class Clock(IntEnum):
    """Columns of ``World.clock``."""

    LOOP = 0
    NUM_EVENTS = 1
    TERRAIN_VERSION = 2  # goes up when something is built or removed
    NUM_ALIVE = 3
    NUM_CLOCKS = 4


WORLD = _on_lines(
    [
        ("units", UNIT, MAX_UNITS),
        ("rows", "i8"),  # of cells that the map has
        ("columns", "i8"),
        ("clock", "i8", int(Clock.NUM_CLOCKS)),
        ("random", "u8", 1),  # state of one generator
        ("orders", ORDER, (MAX_UNITS, MAX_ORDERS)),
        ("production", PRODUCTION, (MAX_UNITS, MAX_PRODUCTION)),
        ("players", PLAYER, NUM_OWNERS),
        ("types", UNIT_TYPE, (NUM_OWNERS, NUM_TYPES)),  # with the owner's upgrades
        ("weapons", WEAPON, (NUM_OWNERS, NUM_TYPES, 2)),
        ("upgrades", "u1", (NUM_OWNERS, NUM_UPGRADES)),  # 1 for researched
        ("effects", EFFECT, MAX_EFFECTS),
        ("events", EVENT, MAX_EVENTS),
        ("height", "u1", (MAX_SIDE, MAX_SIDE)),  # of the terrain, as the API gives it
        ("pathable", "u1", (MAX_SIDE, MAX_SIDE)),  # 1 where the ground can be walked on
        ("buildable", "u1", (MAX_SIDE, MAX_SIDE)),  # 1 where buildings may stand
        ("blocked", "u1", (MAX_SIDE, MAX_SIDE)),  # where a building or resource stands: its mark
        ("occupied", "u1", (MAX_SIDE, MAX_SIDE)),  # 1 there too where it can be walked over
        ("creep", "u1", (MAX_SIDE, MAX_SIDE)),
        ("visibility", "u1", (NUM_OWNERS, MAX_SIDE, MAX_SIDE)),  # 0 never seen, 1 once, 2 seen
        ("sight_bits", "i8", (NUM_OWNERS, MAX_SIDE, NUM_WORDS)),  # of the cells seen now
        ("shown_bits", "i8", (NUM_OWNERS, MAX_SIDE, NUM_WORDS)),  # those in visibility
        ("low_bits", "i8", (NUM_HEIGHTS + 1, MAX_SIDE, NUM_WORDS)),  # seen from a height
        ("creep_seen", "u1", (NUM_OWNERS, MAX_SIDE, MAX_SIDE)),  # as each player last saw it
        ("snapshots", SNAPSHOT, (NUM_OWNERS, 2 * MAX_UNITS)),  # by slot, then of units gone
        ("fields", "u1", (MAX_FIELDS, MAX_SIDE * MAX_SIDE)),  # direction of the way to a goal
        ("field_goals", "i8", (MAX_FIELDS, 4)),  # goal, loop last used, terrain version, is whole
        ("bins", "i2", (MAX_SIDE // 2 + 1, MAX_SIDE // 2 + 1)),  # first unit in each 2 x 2 cells
        ("bin_next", "i2", MAX_UNITS),  # the next unit in the same bin
        ("presence", "u1", (MAX_SIDE // 8 + 1, MAX_SIDE // 8 + 1)),  # bits of owners in 8 x 8 cells
        ("alive", "i4", MAX_UNITS),  # slots in use, in order of their numbers
        ("scratch", "i4", 9 * MAX_SIDE * MAX_SIDE),  # room for searches
    ]
)
"""All of a game, as one record: what compiled code is given, and reads and writes in place.

Plain code hands it over as an array of one, which takes numba a fiftieth of the time that a bare
record of so many fields does.
"""


class World(NamedTuple):
    """The same memory for plain code: one array a field, grids cut to the map's size."""

    record: NDArray[np.void]  # one of WORLD: what is handed to compiled code
    clock: NDArray[np.int64]
    random: NDArray[np.uint64]
    units: NDArray[np.void]
    orders: NDArray[np.void]
    production: NDArray[np.void]
    players: NDArray[np.void]
    types: NDArray[np.void]
    weapons: NDArray[np.void]
    upgrades: NDArray[np.uint8]
    effects: NDArray[np.void]
    events: NDArray[np.void]
    height: NDArray[np.uint8]
    pathable: NDArray[np.uint8]
    buildable: NDArray[np.uint8]
    blocked: NDArray[np.uint8]
    occupied: NDArray[np.uint8]
    creep: NDArray[np.uint8]
    visibility: NDArray[np.uint8]
    creep_seen: NDArray[np.uint8]
    snapshots: NDArray[np.void]
    field_goals: NDArray[np.int64]
    alive: NDArray[np.int32]


def new_world(rows: int, columns: int) -> World:
    """Return an empty world for a map of a size."""
    memory = np.zeros(WORLD.itemsize + _CACHE_LINE, np.uint8)
    start = -memory.ctypes.data % _CACHE_LINE
    record = memory[start : start + WORLD.itemsize].view(WORLD)
    record["rows"], record["columns"] = rows, columns
    views = {}
    for name in World._fields[1:]:
        view = record[name][0]
        if view.shape[-2:] == (MAX_SIDE, MAX_SIDE):
            view = view[..., :rows, :columns]
        views[name] = view
    return World(record=record, **views)
