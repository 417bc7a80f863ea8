"""What can be made, of what, by whom and for how much: the tables, by the observation's classes."""

from enum import Enum, auto
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.game_numbers import general_function
from envs.interface import (
    NUM_ACTION_TYPES,
    NUM_UNIT_TYPES,
    Race,
    action_arguments,
    legality,
    raw_functions,
    read_table,
)


class Making(Enum):
    """How a thing is made."""

    PLACED = auto()  # by a worker, at a place
    ON_GEYSER = auto()  # by a worker, on a geyser
    TRAINED = auto()  # in a building, or of a larva
    MORPHED = auto()  # out of another unit
    ADDED = auto()  # to a building
    RESEARCHED = auto()


class Product(NamedTuple):
    """Something to make; types are classes of units."""

    name: str
    making: Making
    action_type: int
    unit_type: int  # 0 for an upgrade
    upgrade: int  # -1 for a unit
    minerals: int
    vespene: int
    supply: float  # of all that is made at once
    number: int  # made at once
    makers: tuple[int, ...]
    needs_tech_lab: bool
    requires: tuple[tuple[int, ...], ...]  # one type of each
    counts_as: tuple[int, ...]  # types that do as well as it
    radius: float


class RaceUnits(NamedTuple):
    """The units that every player of a race has."""

    worker: str
    town_hall: str
    gas_building: str
    supply: str  # what gives supply
    spare_share: int  # one of so many supply in use is to be free


RACE_UNITS = {
    Race.TERRAN: RaceUnits("SCV", "CommandCenter", "Refinery", "SupplyDepot", 5),
    Race.ZERG: RaceUnits("Drone", "Hatchery", "Extractor", "Overlord", 7),
    Race.PROTOSS: RaceUnits("Probe", "Nexus", "Assimilator", "Pylon", 5),
}

_SAME = (
    ("Hatchery", "Lair", "Hive"),
    ("Lair", "Hive"),
    ("Spire", "GreaterSpire"),
    ("Extractor", "ExtractorRich"),
    ("Roach", "RoachBurrowed"),
    ("Gateway", "WarpGate"),
    ("Assimilator", "AssimilatorRich"),
    (
        *("CommandCenter", "OrbitalCommand", "PlanetaryFortress"),
        *("CommandCenterFlying", "OrbitalCommandFlying"),
    ),
    ("OrbitalCommand", "OrbitalCommandFlying"),
    ("SupplyDepot", "SupplyDepotLowered"),
    ("Barracks", "BarracksFlying"),
    ("Factory", "FactoryFlying"),
    ("Starport", "StarportFlying"),
    ("Refinery", "RefineryRich"),
    ("SiegeTank", "SiegeTankSieged"),
)
"""A type, and what counts as it as well."""
_NO_FIGHTERS = (
    *("SCV", "Drone", "Probe", "MULE", "Queen", "Larva", "Egg", "Overlord", "Overseer"),
    *("OverlordTransport", "OverlordCocoon", "OverseerSiegeMode", "TransportOverlordCocoon"),
    *("Interceptor", "Broodling", "BroodlingEscort", "WarpPrism", "WarpPrismPhasing"),
    *("DroneBurrowed", "QueenBurrowed", "AdeptPhaseShift", "KD8Charge", "Nuke", "AutoTurret"),
    *("Changeling", "ChangelingMarine", "ChangelingMarineShield", "ChangelingZealot"),
    *("ChangelingZergling", "ChangelingZerglingWings", "PointDefenseDrone", "RepairDrone"),
)
_HARMLESS_FIGHTERS = ("Medivac", "Observer", "ObserverSiegeMode", "HighTemplar")
_DANGEROUS_BUILDINGS = ("SpineCrawler", "PhotonCannon", "Bunker", "PlanetaryFortress")
_SUPPLY_OF_DANGEROUS_BUILDING = 3.0


@cache
def type_of(name: str) -> int:
    """Return the class of a unit's type.

    Raises:
        ValueError: there is no such type.
    """
    for row in read_table("unit_types.csv"):
        if row["name"] == name:
            return int(row["unit_type"])
    raise ValueError(f"expected the name of a unit type, got {name!r}")


@cache
def type_names() -> tuple[str, ...]:
    """Return the names of unit types, by class."""
    return tuple(row["name"] for row in read_table("unit_types.csv"))


@cache
def action_type_of(name: str) -> int:
    """Return the action type of a raw function.

    Raises:
        ValueError: there is no such function.
    """
    for i, function in enumerate(raw_functions()):
        if function.name == name:
            return i
    raise ValueError(f"expected the name of a raw function, got {name!r}")


@cache
def types_as(name: str) -> tuple[int, ...]:
    """Return the types that count as one, itself first."""
    names = next((same for same in _SAME if same[0] == name), (name,))
    return tuple(type_of(same) for same in names)


@cache
def type_mask(*names: str) -> NDArray[np.bool_]:
    """Return which types are, or count as, one of some."""
    table = np.zeros(NUM_UNIT_TYPES, bool)
    table[[kind for name in names for kind in types_as(name)]] = True
    return table


@cache
def action_mask(*names: str) -> NDArray[np.bool_]:
    """Return which action types are one of some raw functions."""
    table = np.zeros(NUM_ACTION_TYPES, bool)
    table[[action_type_of(name) for name in names]] = True
    return table


@cache
def product(name: str) -> Product:
    """Return how to make a unit, a building or an upgrade.

    Raises:
        ValueError: nothing of that name is made.
    """
    for row in read_table("units.csv"):
        if row["name"] == name and row["pysc2_raw_function"]:
            return _unit_product(row)
    for row in read_table("upgrades.csv"):
        if row["name"] == name and row["pysc2_raw_function"]:
            return _upgrade_product(row)
    raise ValueError(f"expected the name of a unit or an upgrade that is made, got {name!r}")


@cache
def mask_of(types: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return which types are among some."""
    table = np.zeros(NUM_UNIT_TYPES, bool)
    table[list(types)] = True
    return table


@cache
def buildings_by_action() -> dict[int, Product]:
    """Return the buildings that workers build, by the action type that orders them."""
    things = [
        product(row["name"])
        for row in read_table("units.csv")
        if row["kind"] == "structure" and row["pysc2_raw_function"]
    ]
    placed = (Making.PLACED, Making.ON_GEYSER)
    return {thing.action_type: thing for thing in things if thing.making in placed}


@cache
def is_structure() -> NDArray[np.bool_]:
    """Return which types are buildings."""
    return _of_kind("structure")


@cache
def is_fighter() -> NDArray[np.bool_]:
    """Return which types are led as an army: all units but workers, queens and overlords."""
    table = _of_kind("unit")
    table[[type_of(name) for name in _NO_FIGHTERS]] = False
    return table


@cache
def is_dangerous() -> NDArray[np.bool_]:
    """Return which types fight by themselves, buildings that shoot included."""
    table = is_fighter().copy()
    table[[type_of(name) for name in _HARMLESS_FIGHTERS]] = False
    table[[type_of(name) for name in _DANGEROUS_BUILDINGS]] = True
    return table


@cache
def supply_of_types() -> NDArray[np.float32]:
    """Return how much supply each type takes; buildings that shoot count as some."""
    table = np.zeros(NUM_UNIT_TYPES, np.float32)
    for row in read_table("units.csv"):
        if row["kind"] == "unit":
            table[type_of(row["name"])] = float(row["supply_used"] or 0)
    for name in _DANGEROUS_BUILDINGS:
        table[type_of(name)] = _SUPPLY_OF_DANGEROUS_BUILDING
    return table


@cache
def radius_of_types() -> NDArray[np.float32]:
    """Return how far each type reaches around its middle, in world units."""
    table = np.zeros(NUM_UNIT_TYPES, np.float32)
    for row in read_table("unit_types.csv"):
        table[int(row["unit_type"])] = float(row["radius"] or 0)
    return table


@cache
def types_of_kind(kind: str) -> NDArray[np.bool_]:
    """Return which types are of a kind, as ``unit_types.csv`` names it."""
    return _of_kind(kind)


def _of_kind(kind: str) -> NDArray[np.bool_]:
    table = np.zeros(NUM_UNIT_TYPES, bool)
    for row in read_table("unit_types.csv"):
        table[int(row["unit_type"])] = row["kind"] == kind
    return table


def _unit_product(row: dict[str, str]) -> Product:
    function = row["pysc2_raw_function"].split("|")[0]
    action_type = general_function(action_type_of(function))
    makers = _known_types(row["produced_by"].split("|"))
    return Product(
        name=row["name"],
        making=_making(row, function, action_type),
        action_type=action_type,
        unit_type=type_of(row["name"]),
        upgrade=-1,
        minerals=int(row["minerals_step"]),
        vespene=int(row["gas_step"]),
        supply=float(row["supply_used"] or 0) * (2 if row["name"] == "Zergling" else 1),
        number=2 if row["name"] == "Zergling" else 1,
        makers=tuple(maker for maker in makers if legality()[maker, action_type]),
        needs_tech_lab="addon:TechLab" in row["tech_requirement"],
        requires=_requirements(row["tech_requirement"]),
        counts_as=types_as(row["name"]),
        radius=float(row["footprint_radius"] or row["radius"] or 0),
    )


def _making(row: dict[str, str], function: str, action_type: int) -> Making:
    if row["name"].endswith(("TechLab", "Reactor")):
        return Making.ADDED
    if function.startswith("Morph_") or row["name"] == "Baneling":
        return Making.MORPHED
    if row["kind"] == "structure":
        is_aimed = action_arguments().target_unit[action_type]
        return Making.ON_GEYSER if is_aimed else Making.PLACED
    return Making.TRAINED


def _upgrade_product(row: dict[str, str]) -> Product:
    action_type = general_function(action_type_of(row["pysc2_raw_function"]))
    needs = [need for need in row["requires"].split("|") if need.startswith("building:")]
    makers = _known_types(row["researched_at"].split("|"))
    return Product(
        name=row["name"],
        making=Making.RESEARCHED,
        action_type=action_type,
        unit_type=0,
        upgrade=int(row["upgrade"]),
        minerals=int(row["minerals"]),
        vespene=int(row["gas"]),
        supply=0.0,
        number=1,
        makers=tuple(maker for maker in makers if legality()[maker, action_type]),
        needs_tech_lab=False,
        requires=_requirements("|".join(need.partition(":")[2] for need in needs)),
        counts_as=(),
        radius=0.0,
    )


def _requirements(text: str) -> tuple[tuple[int, ...], ...]:
    names = [name for name in text.split("|") if name and not name.startswith("addon:")]
    return tuple(types_as(name) for name in names)


def _known_types(names: list[str]) -> tuple[int, ...]:
    known = set(type_names())
    return tuple(type_of(name) for name in names if name in known)
