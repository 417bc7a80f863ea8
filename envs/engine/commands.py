"""What every unit type can be told to do: ability id -> command, made from the tables.

Clients name abilities by general ids (Attack 3674) or specific ones (Marine's attack 23); both
lead to the same command, which knows the specific id that clients are told.
"""

from enum import Enum, IntEnum, auto
from functools import cache
from typing import NamedTuple

import numpy as np

from envs.engine.layout import Trait
from envs.engine.unit_tables import read_rows, unit_tables


class Deed(IntEnum):
    """What a command does."""

    SMART = auto()
    MOVE = auto()
    ATTACK = auto()
    PATROL = auto()
    HOLD = auto()
    STOP = auto()
    GATHER = auto()
    RETURN = auto()
    REPAIR = auto()
    RALLY_UNITS = auto()
    RALLY_WORKERS = auto()
    BUILD = auto()
    ADD_ON = auto()
    TRAIN = auto()
    LARVA_TRAIN = auto()
    WARP_IN = auto()
    MORPH = auto()
    LAND = auto()
    RESEARCH = auto()
    CANCEL = auto()
    CANCEL_LAST = auto()
    HALT = auto()
    LOAD = auto()
    LOAD_ALL = auto()
    UNLOAD_ALL = auto()
    UNLOAD_ALL_AT = auto()
    UNLOAD_UNIT = auto()
    SPELL = auto()
    TOGGLE = auto()
    MERGE = auto()
    BOARD = auto()  # a unit's own way into a transport


class Target(Enum):
    """What a command needs to be aimed at."""

    NOTHING = auto()
    POINT = auto()
    UNIT = auto()
    POINT_OR_UNIT = auto()
    POINT_OR_NOTHING = auto()


class Spell(NamedTuple):
    """An ability with an effect of its own; lengths in world units, times in loops."""

    name: str
    abilities: tuple[int, ...]
    casters: tuple[str, ...]
    target: Target
    energy: int
    reach: float
    cooldown: int
    requires: int  # an upgrade's id; 0 for none
    amount: float
    radius: float
    duration: int
    wider_with: int  # an upgrade's id; 0 for none
    wider_radius: float


class Command(NamedTuple):
    """One thing that units of a type can be told to do."""

    deed: Deed
    ability: int  # specific
    target: Target
    row: int = 0  # type to make or to become
    upgrade: int = 0
    loops: int = 0
    via: int = 0  # type in between: an egg or cocoon
    requires: tuple[int, ...] = ()  # rows
    requires_upgrade: int = 0
    needs_tech_lab: bool = False
    spell: Spell | None = None
    is_free: bool = False  # though the type has a cost: a return to it


SMART, CANCEL, CANCEL_LAST = 1, 3659, 3671
_GENERAL = {
    Deed.MOVE: 3794,
    Deed.ATTACK: 3674,
    Deed.PATROL: 3795,
    Deed.HOLD: 3793,
    Deed.STOP: 3665,
    Deed.GATHER: 3666,
    Deed.RETURN: 3667,
    Deed.REPAIR: 3685,
    Deed.HALT: 3660,
    Deed.RALLY_UNITS: 3673,
    Deed.RALLY_WORKERS: 3690,
    Deed.LOAD: 3668,
    Deed.LOAD_ALL: 3663,
    Deed.UNLOAD_ALL: 3664,
    Deed.UNLOAD_ALL_AT: 3669,
    Deed.UNLOAD_UNIT: 3796,
}
_FIGHTING = {Deed.ATTACK: 23, Deed.STOP: 4}
_WALKING = {Deed.MOVE: 16, Deed.PATROL: 17, Deed.HOLD: 18}
_AIMS = {
    Deed.MOVE: Target.POINT_OR_UNIT,
    Deed.PATROL: Target.POINT_OR_UNIT,
    Deed.ATTACK: Target.POINT_OR_UNIT,
    Deed.GATHER: Target.UNIT,
    Deed.REPAIR: Target.UNIT,
    Deed.LOAD: Target.UNIT,
    Deed.UNLOAD_ALL_AT: Target.POINT_OR_UNIT,
}
"""What simple deeds are aimed at; the others are aimed at nothing."""
_WORKER_RALLY = {"Terran": 203, "Protoss": 207, "Zerg": 212}
_CANCELS = (304, 305, 306, 307, 308, 309, 310, 312, 313, 1831, 1832, 1833, 1834, 314, 348)


@cache
def commands_of(row: int) -> dict[int, Command]:
    """Return every command of a unit type, by each id that clients may name it by."""
    found: dict[int, Command] = {}
    for command in _all_commands()[row]:
        for ability in (command.ability, *_general_ids(command)):
            found.setdefault(ability, command)
    if found or unit_tables().types["traits"][row] & (Trait.EGG | Trait.ADD_ON):
        _add_cancels(found)
    return found


@cache
def spells() -> tuple[Spell, ...]:
    """Read the table of spells."""
    return tuple(
        Spell(
            name=line["name"],
            abilities=tuple(int(ability) for ability in line["abilities"].split("|")),
            casters=tuple(line["casters"].split("|")),
            target=Target[line["target"]],
            energy=int(line["energy"] or 0),
            reach=float(line["reach"] or 0),
            cooldown=int(line["cooldown_loops"] or 0),
            requires=int(line["requires_upgrade"] or 0),
            amount=float(line["amount"] or 0),
            radius=float(line["radius"] or 0),
            duration=int(line["duration_loops"] or 0),
            wider_with=int(line["wider_with"] or 0),
            wider_radius=float(line["wider_radius"] or 0),
        )
        for line in read_rows("spells.csv")
    )


@cache
def general_id(ability: int) -> int:
    """Return the general id of a specific one, the same where it has none."""
    return _general_by_specific().get(ability, ability)


@cache
def _general_by_specific() -> dict[int, int]:
    found = {
        int(line["ability_id"]): int(line["general_id"])
        for line in read_rows("raw_functions.csv")
        if line["general_id"] != "0"
    }
    for line in read_rows("abilities.csv"):
        if line["general_ability_id"]:
            found[int(line["ability_id"])] = int(line["general_ability_id"])
    return found


def _general_ids(command: Command) -> list[int]:
    """Return the other ids that a command goes by.

    That is its general one, and for what all units do alike, such as moving, every specific one.
    """
    ids = []
    if command.deed in _GENERAL:
        ids += [_GENERAL[command.deed], *_specific_ids(_GENERAL[command.deed])]
    if command.spell:
        ids += command.spell.abilities
    general = general_id(command.ability)
    return [*ids, general] if general != command.ability else ids


def _add_cancels(found: dict[int, Command]) -> None:
    cancel = Command(Deed.CANCEL, CANCEL, Target.NOTHING)
    last = Command(Deed.CANCEL_LAST, CANCEL_LAST, Target.NOTHING)
    for ability in (CANCEL, *_CANCELS, *_specific_ids(CANCEL)):
        found.setdefault(ability, cancel)
    found.setdefault(CANCEL_LAST, last)


@cache
def _specific_ids(general: int) -> tuple[int, ...]:
    return tuple(
        specific for specific, of in sorted(_general_by_specific().items()) if of == general
    )


@cache
def _all_commands() -> dict[int, list[Command]]:
    tables = unit_tables()
    found: dict[int, list[Command]] = {row: [] for row in range(len(tables.names))}
    for row in range(1, len(tables.names)):
        found[row] += _basic_commands(row)
    _add_morphs(found)
    _add_production(found)
    _add_research(found)
    _add_spells(found)
    return found


def _basic_commands(row: int) -> list[Command]:
    tables = unit_tables()
    kind = tables.types[row]
    traits = int(kind["traits"])
    if kind["race"] == 0 or traits & (Trait.EGG | Trait.ADD_ON):
        return []
    simple: dict[Deed, int] = {}
    moves = kind["speed"] > 0 or row in _made_mobile()
    if moves and not traits & Trait.LARVA:
        simple = _WALKING | _FIGHTING
    elif tables.weapons[row]["targets"].any():
        simple = dict(_FIGHTING)
    simple |= _own_abilities().get(row, {})
    commands = [
        Command(deed, ability, _AIMS.get(deed, Target.NOTHING)) for deed, ability in simple.items()
    ]
    if traits & Trait.STRUCTURE and not kind["flying"]:
        commands += _rallies(row)
    commands.append(Command(Deed.SMART, SMART, Target.POINT_OR_UNIT))
    return commands


@cache
def _own_abilities() -> dict[int, dict[Deed, int]]:
    """Return, by type, the abilities for simple deeds that are its own."""
    found: dict[int, dict[Deed, int]] = {}
    for line in read_rows("unit_commands.csv"):
        row = unit_tables().row[line["name"]]
        found.setdefault(row, {})[Deed[line["deed"]]] = int(line["ability_id"])
    return found


@cache
def _made_mobile() -> frozenset[int]:
    """Return the types that an upgrade lets move."""
    effects = unit_tables().effects.values()
    return frozenset(
        effect.type for group in effects for effect in group if effect.field == "speed"
    )


def _rallies(row: int) -> list[Command]:
    tables = unit_tables()
    either = Target.POINT_OR_UNIT
    race = {1: "Terran", 2: "Zerg", 3: "Protoss"}[int(tables.types["race"][row])]
    if tables.types["traits"][row] & Trait.TOWN_HALL:
        workers = Command(Deed.RALLY_WORKERS, _WORKER_RALLY[race], either)
        return [workers, Command(Deed.RALLY_UNITS, 211, either)] if race == "Zerg" else [workers]
    makes_units = any(row in makers for makers in tables.produced_by.values())
    has_cargo = tables.types["cargo_space"][row] > 0
    return [Command(Deed.RALLY_UNITS, 195, either)] if makes_units or has_cargo else []


def _add_morphs(found: dict[int, list[Command]]) -> None:
    tables = unit_tables()
    upgrade_ids = {upgrade.name: upgrade.id for upgrade in tables.upgrades.values()}
    modes_with_cost = {
        line["name"] for line in read_rows("unit_modes.csv") if line["minerals_step"]
    }
    paid = set(tables.create_ability.values())
    for line in read_rows("morphs.csv"):
        if line["to"] in modes_with_cost:
            paid.add(int(line["ability_id"]))
        needs = line["requires"]
        upgrade = upgrade_ids[needs[8:]] if needs.startswith("upgrade:") else 0
        found[tables.row[line["from"]]].append(
            Command(
                deed=Deed.LAND if line["target"] == "land" else Deed.MORPH,
                ability=int(line["ability_id"]),
                target=Target.POINT if line["target"] in ("land", "point") else Target.NOTHING,
                row=tables.row[line["to"]],
                loops=int(line["loops"]),
                via=tables.row[line["via"]] if line["via"] else 0,
                requires=() if upgrade or not needs else (tables.row[needs],),
                requires_upgrade=upgrade,
                is_free=int(line["ability_id"]) not in paid,
            )
        )


def _add_production(found: dict[int, list[Command]]) -> None:
    tables = unit_tables()
    morphs = {(line["from"], line["to"]) for line in read_rows("morphs.csv")}
    warps = _warp_in_abilities()
    for row, makers in tables.produced_by.items():
        if tables.types["settles_as"][row]:
            continue  # is cast
        ability = tables.create_ability[row]
        traits = int(tables.types["traits"][row])
        name = tables.names[row]
        for maker in makers:
            if not ability or (tables.names[maker], name) in morphs:
                continue
            maker_traits = int(tables.types["traits"][maker])
            target = Target.NOTHING
            used = ability
            if traits & Trait.ADD_ON:
                deed, target = Deed.ADD_ON, Target.POINT_OR_NOTHING
            elif maker_traits & Trait.LARVA:
                deed = Deed.LARVA_TRAIN
            elif maker_traits & Trait.WARP_GATE:
                deed, target, used = Deed.WARP_IN, Target.POINT, warps[name]
            elif traits & Trait.STRUCTURE:
                deed = Deed.BUILD
                target = Target.UNIT if traits & Trait.GAS_BUILDING else Target.POINT
            elif maker_traits & Trait.STRUCTURE:
                deed = Deed.TRAIN
            else:
                continue  # a mode of its maker, or a merger
            command = Command(
                deed=deed,
                ability=used,
                target=target,
                row=row,
                requires=tables.requires[row],
                needs_tech_lab=row in tables.needs_tech_lab,
            )
            found[maker].append(command)
            if deed is Deed.ADD_ON:
                for flying in _flying_forms(maker):
                    found[flying].append(command._replace(target=Target.POINT))


def _flying_forms(row: int) -> list[int]:
    types = unit_tables().types
    flying: list[int] = np.flatnonzero((types["base"] == row) & (types["flying"] > 0)).tolist()
    return flying


@cache
def _warp_in_abilities() -> dict[str, int]:
    """Return the ability that warps each unit in, by the unit's name."""
    functions = {line["name"]: int(line["ability_id"]) for line in read_rows("raw_functions.csv")}
    return {
        line["name"]: functions[line["warp_in_raw_function"].partition("=")[0]]
        for line in read_rows("units.csv")
        if line["warp_in_raw_function"]
    }


def _add_research(found: dict[int, list[Command]]) -> None:
    tables = unit_tables()
    upgrade_ids = {upgrade.name: upgrade.id for upgrade in tables.upgrades.values()}
    for upgrade in tables.upgrades.values():
        rows, needed = [], 0
        at = upgrade.researched_at
        for need in upgrade.requires:
            kind, _, name = need.partition(":")
            if kind == "building":
                rows.append(tables.row[name])
            elif kind == "upgrade":
                needed = upgrade_ids[name]
            else:
                at = tuple(place for place in at if place != "TechLab") or (f"{name}TechLab",)
        for place in at:
            if place in tables.row and upgrade.ability:
                found[tables.row[place]].append(
                    Command(
                        deed=Deed.RESEARCH,
                        ability=upgrade.ability,
                        target=Target.NOTHING,
                        upgrade=upgrade.id,
                        requires=tuple(rows),
                        requires_upgrade=needed,
                    )
                )


def _add_spells(found: dict[int, list[Command]]) -> None:
    tables = unit_tables()
    for spell in spells():
        for index, caster in enumerate(spell.casters):
            ability = spell.abilities[min(index, len(spell.abilities) - 1)]
            deed = Deed.TOGGLE if spell.name.startswith(TOGGLES) else Deed.SPELL
            deed = Deed.MERGE if spell.name == "ArchonMerge" else deed
            command = Command(deed=deed, ability=ability, target=spell.target, spell=spell)
            found[tables.row[caster]].append(command)


TOGGLES = ("Cloak", "HoldFire", "GenerateCreep")
