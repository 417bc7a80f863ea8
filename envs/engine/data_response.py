"""What a client is told of unit types, abilities, upgrades, buffs and effects: ResponseData.

It comes from the tables, with the ids, names and figures of the real game's answer. Of the fields
that the tables lack, hotkeys for instance, ``api_abilities.csv`` and ``api_aliases.csv`` hold what
the real game answers at version 5.0.3.
"""

from functools import cache
from typing import cast

from s2clientprotocol import common_pb2 as common_pb
from s2clientprotocol import data_pb2 as data_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine.layout import Trait
from envs.engine.unit_tables import RACES, read_rows, unit_tables

_WEAPON_COLUMN = "weapons(target;damage;bonus;attacks;range;cooldown_normal_s)"
_WEAPON_TARGETS = {
    "A": data_pb.Weapon.Any,
    "G": data_pb.Weapon.Ground,
    "Air": data_pb.Weapon.Air,
}

_Types = dict[int, data_pb.UnitTypeData]


def data_response(request: sc_pb.RequestData) -> bytes:
    """Return the parts of the answer that a request asks for."""
    response = b""
    if request.ability_id:
        response += _abilities()
    if request.unit_type_id:
        response += _unit_types()
    if request.upgrade_id:
        response += _upgrades()
    if request.buff_id:
        response += _buffs()
    if request.effect_id:
        response += _effects()
    return response


@cache
def told_abilities() -> frozenset[int]:
    """Return the abilities that clients are told of; others are known to the engine alone."""
    return frozenset(int(row["ability_id"]) for row in read_rows("api_abilities.csv"))


@cache
def _abilities() -> bytes:
    abilities = []
    for row in read_rows("api_abilities.csv"):
        ability = data_pb.AbilityData(
            ability_id=int(row["ability_id"]),
            link_name=row["link_name"],
            link_index=int(row["link_index"]),
            button_name=row["button_name"],
            friendly_name=row["friendly_name"],
            hotkey=row["hotkey"],
            available=True,
        )
        if row["remaps_to"]:
            ability.remaps_to_ability_id = int(row["remaps_to"])
        if row["target"]:
            ability.target = data_pb.AbilityData.Target.Value(row["target"])
        flags = row["flags"].split("|")
        ability.allow_minimap = "allow_minimap" in flags
        ability.allow_autocast = "allow_autocast" in flags
        ability.is_building = "is_building" in flags
        ability.is_instant_placement = "is_instant_placement" in flags
        if row["footprint_radius"]:
            ability.footprint_radius = float(row["footprint_radius"])
        if row["cast_range"]:
            ability.cast_range = float(row["cast_range"])
        abilities.append(ability)
    return sc_pb.ResponseData(abilities=abilities).SerializeToString()


@cache
def _unit_types() -> bytes:
    types: _Types = {}
    _add_all_types(types)
    rows = read_rows("units.csv")
    for row in rows:
        types[int(row["unit_id"])] = _unit_type(row)
    _add_modes(types, {row["name"]: int(row["unit_id"]) for row in rows})
    _add_aliases(types)
    ordered = [types[unit_id] for unit_id in sorted(types)]
    return sc_pb.ResponseData(units=ordered).SerializeToString()


def _add_all_types(types: _Types) -> None:
    """Add every type that has an id, with what little is known of resources, rocks and critters."""
    for row in read_rows("unit_types.csv"):
        if not row["unit_id"]:
            continue
        is_resource = row["kind"] in ("mineral", "geyser")
        unit_type = data_pb.UnitTypeData(
            unit_id=int(row["unit_id"]),
            name=row["pysc2_name"] or row["name"],
            available=True,
            race=_race(row["race"]),
            has_minerals=row["kind"] == "mineral",
            has_vespene=row["kind"] == "geyser",
            sight_range=float(row["sight"] or 0),
            movement_speed=float(row["speed"] or 0) * 16,
            armor=10 if is_resource else 0,
            build_time=float(row["build_loops"] or 0),
        )
        unit_type.attributes.extend(_attributes(row["attributes"]))
        if is_resource and not unit_type.attributes:
            unit_type.attributes.append(data_pb.Structure)
        types[unit_type.unit_id] = unit_type


def _unit_type(row: dict[str, str]) -> data_pb.UnitTypeData:
    unit_type = data_pb.UnitTypeData(
        unit_id=int(row["unit_id"]),
        name=row["name"],
        available=True,
        race=_race(row["race"]),
        cargo_size=int(float(row["cargo_size"] or 0)),
        mineral_cost=int(float(row["minerals_total"] or 0)),
        vespene_cost=int(float(row["gas_total"] or 0)),
        food_required=float(row["supply_used"] or 0),
        food_provided=float(row["supply_given"] or 0),
        build_time=float(row["build_loops"] or 0),
        sight_range=float(row["sight"] or 0),
        movement_speed=float(row["speed_normal_per_s"] or 0),
        armor=float(row["armour"] or 0),
        has_vespene=_is_on_gas(row["name"]),
    )
    if int(row["create_ability_id"] or 0):
        unit_type.ability_id = int(row["create_ability_id"])
    unit_type.attributes.extend(_attributes(row["attributes"]))
    unit_type.weapons.extend(_weapons(row[_WEAPON_COLUMN]))
    return unit_type


def _is_on_gas(name: str) -> bool:
    tables = unit_tables()
    return bool(tables.types["traits"][tables.row[name]] & Trait.GAS_BUILDING)


def _add_modes(types: _Types, ids: dict[str, int]) -> None:
    """Add the other forms of units, which are as their first form where nothing else is said."""
    morphs = {row["to"]: row for row in read_rows("morphs.csv")}
    for row in read_rows("unit_modes.csv"):
        unit_id = int(row["unit_id"])
        mode = data_pb.UnitTypeData()
        if row["of"]:
            mode.CopyFrom(types[ids[row["of"]]])
            mode.ClearField("ability_id")
            if row["armed"] == "0":
                mode.ClearField("weapons")
        elif unit_id in types:
            mode.CopyFrom(types[unit_id])
        mode.unit_id, mode.name, mode.available = unit_id, row["name"], True
        if row["race"]:
            mode.race = _race(row["race"])
        if row["dist_per_loop"]:
            mode.movement_speed = float(row["dist_per_loop"]) * 16
        if row["armour"]:
            mode.armor = float(row["armour"])
        if row["cargo_size"]:
            mode.cargo_size = int(float(row["cargo_size"]))
        morph = morphs.get(row["name"])
        if morph is not None:
            mode.ability_id = int(morph["ability_id"])
            mode.build_time = float(morph["loops"] or 0)
        types[unit_id] = mode
        ids.setdefault(row["name"], unit_id)


def _add_aliases(types: _Types) -> None:
    for row in read_rows("api_aliases.csv"):
        unit_type = types[int(row["unit_id"])]
        unit_type.tech_alias.extend(int(alias) for alias in row["tech_alias"].split("|") if alias)
        if row["unit_alias"]:
            unit_type.unit_alias = int(row["unit_alias"])
        if row["tech_requirement"]:
            unit_type.tech_requirement = int(row["tech_requirement"])
            unit_type.require_attached = row["require_attached"] == "1"


@cache
def _upgrades() -> bytes:
    upgrades = []
    for row in read_rows("upgrades.csv"):
        if not row["upgrade_id"]:
            continue
        upgrade = data_pb.UpgradeData(
            upgrade_id=int(row["upgrade_id"]),
            name=row["name"],
            mineral_cost=int(float(row["minerals"] or 0)),
            vespene_cost=int(float(row["gas"] or 0)),
            research_time=float(row["research_loops"] or 0),
        )
        if row["ability_id"]:
            upgrade.ability_id = int(row["ability_id"])
        upgrades.append(upgrade)
    return sc_pb.ResponseData(upgrades=upgrades).SerializeToString()


@cache
def _buffs() -> bytes:
    buffs = [
        data_pb.BuffData(buff_id=int(row["buff_id"]), name=row["name"])
        for row in read_rows("buffs.csv")
    ]
    return sc_pb.ResponseData(buffs=buffs).SerializeToString()


@cache
def _effects() -> bytes:
    effects = [
        data_pb.EffectData(
            effect_id=int(row["effect_id"]),
            name=row["name"],
            friendly_name=row["friendly_name"],
            radius=float(row["radius"]),
        )
        for row in read_rows("effects.csv")
    ]
    return sc_pb.ResponseData(effects=effects).SerializeToString()


def _race(name: str) -> "common_pb.Race.ValueType":
    return cast("common_pb.Race.ValueType", RACES[name])


def _attributes(names: str) -> list["data_pb.Attribute.ValueType"]:
    return [data_pb.Attribute.Value(name) for name in names.split("|") if name]


def _weapons(text: str) -> list[data_pb.Weapon]:
    weapons = []
    for part in filter(None, text.split(" & ")):
        targets, damage, bonus, attacks, reach, cooldown = part.split(";")
        weapon = data_pb.Weapon(
            type=_WEAPON_TARGETS[targets],
            damage=float(damage),
            attacks=int(attacks),
            range=float(reach),
            speed=float(cooldown),
        )
        if bonus:
            against, points = bonus.split("+")
            weapon.damage_bonus.add(attribute=data_pb.Attribute.Value(against), bonus=float(points))
        weapons.append(weapon)
    return weapons
