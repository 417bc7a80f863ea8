"""What the arrays hold that ``envs.wire`` reads from the game's bytes, column by column."""

from enum import IntEnum


class UnitColumn(IntEnum):
    """A unit as pysc2 shows it in ``raw_units``: its ``FeatureUnit``, in the same order."""

    UNIT_TYPE = 0
    ALLIANCE = 1
    HEALTH = 2
    SHIELD = 3
    ENERGY = 4
    CARGO_SPACE_TAKEN = 5
    BUILD_PROGRESS = 6  # per cent
    HEALTH_RATIO = 7  # of 255
    SHIELD_RATIO = 8
    ENERGY_RATIO = 9
    DISPLAY_TYPE = 10
    OWNER = 11
    X = 12  # pixels
    Y = 13  # pixels, from the top
    FACING = 14
    RADIUS = 15  # pixels
    CLOAK = 16
    IS_SELECTED = 17
    IS_BLIP = 18
    IS_POWERED = 19
    MINERAL_CONTENTS = 20
    VESPENE_CONTENTS = 21
    CARGO_SPACE_MAX = 22
    ASSIGNED_HARVESTERS = 23
    IDEAL_HARVESTERS = 24
    WEAPON_COOLDOWN = 25
    ORDER_LENGTH = 26
    ORDER_ID_0 = 27  # action type
    ORDER_ID_1 = 28
    TAG = 29
    HALLUCINATION = 30
    BUFF_ID_0 = 31
    BUFF_ID_1 = 32
    ADDON_UNIT_TYPE = 33
    ACTIVE = 34
    IS_ON_SCREEN = 35
    ORDER_PROGRESS_0 = 36  # per cent
    ORDER_PROGRESS_1 = 37
    ORDER_ID_2 = 38
    ORDER_ID_3 = 39
    IS_IN_CARGO = 40
    BUFF_DURATION_REMAIN = 41
    BUFF_DURATION_MAX = 42
    ATTACK_UPGRADE_LEVEL = 43
    ARMOR_UPGRADE_LEVEL = 44
    SHIELD_UPGRADE_LEVEL = 45


class UnitMeasure(IntEnum):
    """What pysc2 rounds of a unit, as the game sends it: world units, radians."""

    X = 0
    Y = 1  # from the bottom
    Z = 2
    FACING = 3
    RADIUS = 4


class PlayerColumn(IntEnum):
    """A player's counters, in the order of pysc2's ``Player``."""

    PLAYER_ID = 0
    MINERALS = 1
    VESPENE = 2
    FOOD_USED = 3
    FOOD_CAP = 4
    FOOD_ARMY = 5
    FOOD_WORKERS = 6
    IDLE_WORKER_COUNT = 7
    ARMY_COUNT = 8
    WARP_GATE_COUNT = 9
    LARVA_COUNT = 10


class ScoreMeasure(IntEnum):
    """A player's economy as the score tells it; of army, economy and technology together."""

    MINERALS_RATE = 0  # per minute
    VESPENE_RATE = 1
    MINERALS_KILLED = 2
    VESPENE_KILLED = 3
    MINERALS_LOST = 4
    VESPENE_LOST = 5
    MINERALS_IN_ARMY = 6
    VESPENE_IN_ARMY = 7


class EffectColumn(IntEnum):
    """An effect at one place, as pysc2 shows it in ``raw_effects``."""

    EFFECT = 0
    ALLIANCE = 1
    OWNER = 2
    RADIUS = 3  # whole world units
    X = 4  # pixels
    Y = 5  # pixels, from the top


class EffectMeasure(IntEnum):
    """What pysc2 rounds of an effect, as the game sends it, in world units."""

    X = 0
    Y = 1  # from the bottom
    RADIUS = 2


class Image(IntEnum):
    """Pictures in an observation: two of the map, then pysc2's minimap layers in its order."""

    VISIBILITY = 0  # row 0 is at y = 0
    CREEP = 1  # row 0 is at y = 0
    MINIMAP_HEIGHT = 2  # row 0 is at the top, here and in all below
    MINIMAP_VISIBILITY = 3
    MINIMAP_CREEP = 4
    MINIMAP_CAMERA = 5
    MINIMAP_PLAYER_ID = 6
    MINIMAP_PLAYER_RELATIVE = 7
    MINIMAP_SELECTED = 8
    MINIMAP_UNIT_TYPE = 9
    MINIMAP_ALERTS = 10
    MINIMAP_PATHABLE = 11
    MINIMAP_BUILDABLE = 12


class ImageColumn(IntEnum):
    """How a picture is stored, and where in the observation's bytes."""

    BITS = 0  # of a cell
    WIDTH = 1
    HEIGHT = 2
    START = 3
    STOP = 4
