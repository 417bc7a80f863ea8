"""The game's figures as arrays of records: unit types, weapons and what upgrades do to them."""

import csv
from functools import cache
from importlib import resources
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.engine.layout import (
    NUM_OWNERS,
    NUM_TYPES,
    ONE,
    TICK,
    UNIT_TYPE,
    WEAPON,
    Attribute,
    Splash,
    Targets,
    Trait,
)

RACES = {"": 0, "Neutral": 0, "Terran": 1, "Zerg": 2, "Protoss": 3}

HALF = 2  # supply is counted in half points

_TARGETS = {"A": Targets.GROUND | Targets.AIR, "G": Targets.GROUND, "Air": Targets.AIR}
_ADD_ON_X = 5 * ONE // 2


class UpgradeEffect(NamedTuple):
    """What one upgrade changes of one unit type."""

    type: int  # row
    weapon: int  # 0 or 1, -1 for the type itself
    field: str
    amount: float


class Upgrade(NamedTuple):
    """One upgrade: what it costs and where it is researched."""

    name: str
    id: int
    minerals: int
    gas: int
    loops: int
    researched_at: tuple[str, ...]
    requires: tuple[str, ...]  # "building:X", "upgrade:X", "addon_to:X"
    ability: int


class UnitTables(NamedTuple):
    """Everything about unit types that does not change during a game, by row; row 0 is none."""

    names: tuple[str, ...]
    row: dict[str, int]
    row_of_id: dict[int, int]
    types: NDArray[np.void]  # NUM_TYPES of UNIT_TYPE
    weapons: NDArray[np.void]  # NUM_TYPES x 2 of WEAPON
    takes_cells: NDArray[np.bool_]  # NUM_TYPES: whether nothing else may stand on its cells
    walked_over: NDArray[np.bool_]  # NUM_TYPES: whether its cells can be walked over all the same
    produced_by: dict[int, tuple[int, ...]]
    requires: dict[int, tuple[int, ...]]  # all of these rows, or what counts as them
    counting_as: dict[int, tuple[int, ...]]  # other types that a building's requirement accepts
    needs_tech_lab: frozenset[int]
    create_ability: dict[int, int]
    upgrades: dict[int, Upgrade]
    effects: dict[int, tuple[UpgradeEffect, ...]]  # by upgrade


def read_rows(name: str) -> list[dict[str, str]]:
    """Read one of the tables that ship with the package."""
    with (resources.files("envs") / "data" / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@cache
def unit_tables() -> UnitTables:
    """Read the tables."""
    units, modes = read_rows("units.csv"), read_rows("unit_modes.csv")
    names = ("", *(row["name"] for row in units), *(row["name"] for row in modes))
    row = {name: index for index, name in enumerate(names)}
    types = np.zeros(NUM_TYPES, UNIT_TYPE)
    weapons = np.zeros((NUM_TYPES, 2), WEAPON)
    for index, unit in enumerate(units, start=1):
        _fill_type(types[index : index + 1], unit)
        _fill_weapons(weapons[index], unit)
    for mode in modes:
        _fill_mode(types, weapons, row, mode)
    types["base"][: len(names)] = np.arange(len(names))
    for mode in modes:
        if mode["of"]:
            types["base"][row[mode["name"]]] = row[mode["of"]]
    row_of_id = {int(types["id"][index]): index for index in range(1, len(names))}
    aliases = [line for line in read_rows("api_aliases.csv") if int(line["unit_id"]) in row_of_id]
    for line in aliases:
        if line["unit_alias"]:
            types["base"][row_of_id[int(line["unit_id"])]] = row_of_id[int(line["unit_alias"])]
    _fill_details(types, row)
    for unit in units:
        if types["traits"][row[unit["name"]]] & Trait.ADD_ON:
            types["add_on_x"][_rows(row, unit["produced_by"])] = _ADD_ON_X
    _fill_weapon_details(weapons, row)
    upgrades = {upgrade.id: upgrade for upgrade in _upgrades()}
    return UnitTables(
        names=names,
        row=row,
        row_of_id=row_of_id,
        types=types,
        weapons=weapons,
        takes_cells=_takes_cells(types),
        walked_over=(types["traits"] & Trait.WALKED_OVER) > 0,
        produced_by={row[unit["name"]]: tuple(_rows(row, unit["produced_by"])) for unit in units},
        requires={row[unit["name"]]: tuple(_rows(row, unit["tech_requirement"])) for unit in units},
        counting_as=_counting_as(types, row_of_id, aliases),
        needs_tech_lab=frozenset(
            row[u["name"]] for u in units if "addon:TechLab" in u["tech_requirement"].split("|")
        ),
        create_ability={row[unit["name"]]: int(unit["create_ability_id"]) for unit in units},
        upgrades=upgrades,
        effects=_effects(row, types, {upgrade.name: upgrade.id for upgrade in upgrades.values()}),
    )


def _takes_cells(types: NDArray[np.void]) -> NDArray[np.bool_]:
    takes_none = Trait.SCENERY | Trait.GAS_BUILDING  # a geyser has its own cells
    stands = (types["footprint"] > 0) & (types["flying"] == 0)
    found: NDArray[np.bool_] = stands & ((types["traits"] & takes_none) == 0)
    return found


def upgraded(owner_types: NDArray[np.void], owner_weapons: NDArray[np.void], upgrade: int) -> None:
    """Apply one upgrade to an owner's own copies of ``types`` and ``weapons``, in place."""
    for effect in unit_tables().effects.get(upgrade, ()):
        array = owner_types if effect.weapon < 0 else owner_weapons[:, effect.weapon]
        if effect.field == "cooldown":
            array[effect.field][effect.type] = round(
                array[effect.field][effect.type] * effect.amount
            )
        else:
            array[effect.field][effect.type] += round(effect.amount)
        if effect.field == "bonus" and not array["bonus_attributes"][effect.type]:
            array["bonus_attributes"][effect.type] = Attribute.LIGHT  # a Hellbat's first bonus


def owned_tables() -> tuple[NDArray[np.void], NDArray[np.void]]:
    """Return ``types`` and ``weapons`` once for each owner, without upgrades."""
    tables = unit_tables()
    types = np.repeat(tables.types[None], NUM_OWNERS, axis=0)
    weapons = np.repeat(tables.weapons[None], NUM_OWNERS, axis=0)
    return np.ascontiguousarray(types), np.ascontiguousarray(weapons)


def _counting_as(
    types: NDArray[np.void], row_of_id: dict[int, int], aliases: list[dict[str, str]]
) -> dict[int, tuple[int, ...]]:
    found: dict[int, tuple[int, ...]] = {}
    for line in aliases:
        other = row_of_id[int(line["unit_id"])]
        if types["traits"][other] & Trait.STRUCTURE:
            for alias in filter(None, line["tech_alias"].split("|")):
                row = row_of_id[int(alias)]
                found[row] = (*found.get(row, ()), other)
    return found


def _rows(row: dict[str, int], names: str) -> list[int]:
    return [row[name] for name in names.split("|") if name in row and name]


def _length(text: str) -> int:
    return round(float(text) * ONE) if text else 0


def _points(text: str) -> int:
    return round(float(text)) if text else 0


def _attributes(text: str) -> int:
    return sum(Attribute[name.upper()] for name in text.split("|") if name)


def _fill_type(target: NDArray[np.void], unit: dict[str, str]) -> None:
    target["id"] = int(unit["unit_id"])
    target["race"] = RACES[unit["race"]]
    target["traits"] = Trait.STRUCTURE if unit["kind"] == "structure" else 0
    target["attributes"] = _attributes(unit["attributes"])
    target["flying"] = int(unit["flying"] or 0)
    target["speed"] = _length(unit["dist_per_loop"])
    target["creep_speed"] = target["speed"]
    target["radius"] = _length(unit["radius"])
    target["footprint"] = target["footprint_height"] = round(
        2 * float(unit["footprint_radius"] or 0)
    )
    target["sight"] = _length(unit["sight"])
    target["armour"] = _points(unit["armour"])
    target["health"] = _length(unit["hp"])
    target["shield"] = _length(unit["shields"])
    target["energy"] = _length(unit["energy_max"])
    target["energy_start"] = _length(unit["energy_start"])
    target["minerals"] = _points(unit["minerals_step"])
    target["gas"] = _points(unit["gas_step"])
    target["supply"] = round(HALF * float(unit["supply_used"] or 0))
    target["supply_given"] = round(HALF * float(unit["supply_given"] or 0))
    target["build_loops"] = _points(unit["build_loops"])
    target["cargo_size"] = _points(unit["cargo_size"])
    target["num_made"] = 1
    target["total_minerals"] = _points(unit["minerals_total"])
    target["total_gas"] = _points(unit["gas_total"])


def _fill_weapons(target: NDArray[np.void], unit: dict[str, str]) -> None:
    text = unit["weapons(target;damage;bonus;attacks;range;cooldown_normal_s)"]
    for weapon, part in zip(target, filter(None, text.split(" & ")), strict=False):
        targets, damage, bonus, attacks, reach, cooldown = part.split(";")
        weapon["targets"] = _TARGETS[targets]
        weapon["damage"] = _points(damage)
        if bonus:
            against, points = bonus.split("+")
            weapon["bonus_attributes"] = Attribute[against.upper()]
            weapon["bonus"] = _points(points)
        weapon["attacks"] = int(attacks)
        weapon["range"] = _length(reach)
        weapon["cooldown"] = round(float(cooldown) * 16 * TICK)


def _fill_mode(
    types: NDArray[np.void], weapons: NDArray[np.void], row: dict[str, int], mode: dict[str, str]
) -> None:
    index = row[mode["name"]]
    if mode["of"]:
        types[index] = types[row[mode["of"]]]
        types["build_loops"][index] = 0
        if mode["armed"] == "1":
            weapons[index] = weapons[row[mode["of"]]]
    else:
        types["race"][index] = RACES[mode["race"]]
        types["num_made"][index] = 1
    types["id"][index] = int(mode["unit_id"])
    for column, field in (
        ("dist_per_loop", "speed"),
        ("radius", "radius"),
        ("hp", "health"),
        ("sight", "sight"),
    ):
        if mode[column]:
            types[field][index] = _length(mode[column])
    types["creep_speed"][index] = types["speed"][index]
    for column, field in (
        ("flying", "flying"),
        ("armour", "armour"),
        ("cargo_size", "cargo_size"),
    ):
        if mode[column]:
            types[field][index] = _points(mode[column])
    for resource in ("minerals", "gas"):
        types[resource][index] = _points(mode[f"{resource}_step"])
        types[f"total_{resource}"][index] += types[resource][index]
    if mode["footprint_radius"]:
        side = round(2 * float(mode["footprint_radius"]))
        types["footprint"][index] = types["footprint_height"][index] = side
    if mode["kind"] == "mineral":
        types["footprint"][index], types["footprint_height"][index] = 2, 1


def _fill_details(types: NDArray[np.void], row: dict[str, int]) -> None:
    for detail in read_rows("unit_details.csv"):
        index = row[detail["name"]]
        for trait in filter(None, detail["traits"].split("|")):
            types["traits"][index] |= Trait[trait]
        types["detection"][index] = _length(detail["detection"])
        types["cargo_space"][index] = _points(detail["cargo_space"])
        types["timed_life"][index] = _points(detail["timed_life_loops"])
        if types["timed_life"][index]:  # it has been conjured up
            types["total_minerals"][index] = types["total_gas"][index] = 0
        types["warp_cooldown"][index] = _points(detail["warp_cooldown_loops"])
        types["settles_as"][index] = row[detail["settles_as"]]
        types["range_bonus_inside"][index] = _length(detail["range_bonus_inside"])
        if detail["num_made"]:
            types["num_made"][index] = int(detail["num_made"])
        if detail["creep_speed_factor"]:
            factor = float(detail["creep_speed_factor"])
            types["creep_speed"][index] = round(types["speed"][index] * factor)


def _fill_weapon_details(weapons: NDArray[np.void], row: dict[str, int]) -> None:
    for detail in read_rows("weapon_details.csv"):
        weapon = weapons[row[detail["name"]], int(detail["weapon"]) :][:1]
        if detail["splash"] == "DISARMED":
            weapon["targets"] = 0
            continue
        if detail["splash"]:
            weapon["splash"] = Splash[detail["splash"]]
        for column in ("radius_full", "radius_half", "radius_quarter", "min_range"):
            weapon[column] = _length(detail[column])
        weapon["friendly_fire"] = _points(detail["friendly_fire"])
        weapon["bonus_shield"] = _points(detail["bonus_shield"])
        weapon["structure_damage"] = _points(detail["structure_damage"])


def _upgrades() -> list[Upgrade]:
    return [
        Upgrade(
            name=upgrade["name"],
            id=int(upgrade["upgrade_id"]),
            minerals=_points(upgrade["minerals"]),
            gas=_points(upgrade["gas"]),
            loops=_points(upgrade["research_loops"]),
            researched_at=tuple(filter(None, upgrade["researched_at"].split("|"))),
            requires=tuple(filter(None, upgrade["requires"].split("|"))),
            ability=_points(upgrade["ability_id"]),
        )
        for upgrade in read_rows("upgrades.csv")
        if upgrade["upgrade_id"]
    ]


def _effects(
    row: dict[str, int], types: NDArray[np.void], ids: dict[str, int]
) -> dict[int, tuple[UpgradeEffect, ...]]:
    effects: dict[int, list[UpgradeEffect]] = {}
    for line in read_rows("upgrade_effects.csv"):
        if line["effect"] == "none":
            continue
        rows = _affected(row, types, line["types"])
        for name in _levels(line["upgrade"]):
            for index in rows:
                effect = _effect(index, line["effect"], float(line["amount"]), types)
                effects.setdefault(ids[name], []).extend(effect)
    for detail in read_rows("weapon_details.csv"):
        if not detail["upgrade_family"]:
            continue
        index, weapon = row[detail["name"]], int(detail["weapon"])
        for name in _levels(detail["upgrade_family"] + "Level*"):
            if weapon == 0:
                level = UpgradeEffect(index, -1, "attack_level", 1)
                effects.setdefault(ids[name], []).append(level)
            for field, column in (("damage", "damage_per_level"), ("bonus", "bonus_per_level")):
                amount = float(detail[column] or 0)
                if amount:
                    effects.setdefault(ids[name], []).append(
                        UpgradeEffect(index, weapon, field, amount)
                    )
    return {upgrade: tuple(of) for upgrade, of in effects.items()}


def _levels(name: str) -> list[str]:
    return [name[:-1] + level for level in "123"] if name.endswith("*") else [name]


def _affected(row: dict[str, int], types: NDArray[np.void], names: str) -> list[int]:
    """Rows that a list of names means; modes of a named type go with it."""
    rows = []
    if names.startswith("race:"):
        race, _, structure = names.removeprefix("race:").partition("+")
        matches = types["race"] == RACES[race]
        if structure:
            matches &= (types["traits"] & Trait.STRUCTURE) > 0
        return [int(index) for index in np.flatnonzero(matches)]
    for name in names.split("|"):
        rows.append(row[name])
    for index in range(1, len(row)):
        if index not in rows and int(types["base"][index]) in rows:
            rows.append(index)
    return rows


def _effect(index: int, effect: str, amount: float, types: NDArray[np.void]) -> list[UpgradeEffect]:
    if effect in ("armour", "shield_armour"):
        level = "armour_level" if effect == "armour" else "shield_level"
        return [UpgradeEffect(index, -1, effect, amount), UpgradeEffect(index, -1, level, 1)]
    if effect == "health":
        return [UpgradeEffect(index, -1, effect, amount * ONE)]
    if effect in ("speed", "burrowed_speed"):
        if effect == "speed" and not types["speed"][index]:
            return []  # a mode that stands still
        a_loop = amount / 16 * ONE
        on_creep = a_loop
        if types["speed"][index]:
            on_creep *= types["creep_speed"][index] / types["speed"][index]
        return [
            UpgradeEffect(index, -1, "speed", a_loop),
            UpgradeEffect(index, -1, "creep_speed", on_creep),
        ]
    if effect == "range":
        return [UpgradeEffect(index, weapon, "range", amount * ONE) for weapon in (0, 1)]
    if effect == "bonus":
        return [UpgradeEffect(index, 0, "bonus", amount)]
    assert effect == "cooldown_factor", effect
    return [UpgradeEffect(index, 0, "cooldown", amount)]
