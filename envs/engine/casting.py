"""Casting: which spells a unit may cast now, and what each of them does.

Numbers are in ``envs/data/spells.csv``; this file says what they mean.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from s2clientprotocol import error_pb2 as result

from envs.engine import spells
from envs.engine.combat import hurt_now
from envs.engine.commands import Spell
from envs.engine.construction import spawn_larva
from envs.engine.game import Game
from envs.engine.layout import CELL_BITS, MAX_EFFECTS, ONE, TICK, Attribute, Targets, Task, Trait
from envs.engine.order_queue import Aim, clear_orders, place_of, push_order
from envs.engine.rules import OK, placeable
from envs.engine.unit_tables import HALF

MAX_LARVAE = 19


class Cast(NamedTuple):
    """One casting of a spell."""

    game: Game
    player: int
    caster: int
    spell: Spell
    target: int  # slot, 0 for a point
    x: int
    y: int


def spell_reach(game: Game, slot: int, spell: Spell) -> int:
    """Return the distance at which a spell can be cast; the whole map where it has none."""
    if spell.name in _ANYWHERE:
        return 1 << 24
    return int(spell.reach * ONE)


def is_out_of_reach(game: Game, slot: int, spell: Spell, aim: Aim) -> bool:
    """Return whether a unit that cannot walk stands too far off to cast a spell."""
    if game.kind(slot)["speed"]:
        return False
    apart = game.distance(slot, *place_of(game, int(game.units["owner"][slot]), aim))
    if aim.slot:
        apart -= int(game.kind(slot)["radius"]) + int(game.kind(aim.slot)["radius"])
    return apart > spell_reach(game, slot, spell)


_ANYWHERE = ("Scan", "CalldownMule", "SupplyDrop", "ChronoBoost", "MassRecall", "TacticalJump")


def castable(game: Game, player: int, slot: int, spell: Spell, target: int = 0) -> int:
    """Return whether a unit may cast a spell, at a target if there is one."""
    unit = game.units[slot]
    state = game.world.players[player]
    if unit["energy"] < spell.energy * ONE and not state["no_cooldown"]:
        return int(result.NotEnoughEnergy)
    if spell.requires and not game.world.upgrades[player, spell.requires] and not state["no_tech"]:
        return int(result.TechRequirementsNotMet)
    if unit["ability_cooldown"] and spell.cooldown and not state["no_cooldown"]:
        return int(result.Cooldown)
    if spell.name == "CreepTumorSpread" and not unit["spread_charges"]:
        return int(result.NotEnoughCharges)
    if spell.name.startswith("Stim") and unit["health"] <= spell.amount * ONE:
        return int(result.NotEnoughLife)
    if target and spell.name in _WANTS:
        return _WANTS[spell.name](game, player, slot, target)
    return OK


def cast_at_once(game: Game, player: int, slot: int, spell: Spell) -> int:
    """Cast a spell that needs no aim."""
    unit = game.units[slot]
    return cast(Cast(game, player, slot, spell, 0, int(unit["x"]), int(unit["y"])))


def cast(given: Cast) -> int:
    """Cast a spell from where its caster stands, which must be near enough."""
    answer = castable(given.game, given.player, given.caster, given.spell, given.target)
    if answer != OK:
        return answer
    if given.spell.name in _BRING_A_UNIT and given.game.is_full:
        return int(result.CouldntAllocateUnit)
    tag = int(given.game.units["tag"][given.caster])
    answer = _EFFECTS[given.spell.name](given)
    if answer != OK:
        return answer
    caster = given.game.slot(tag)
    if caster:
        unit = given.game.units[caster]
        unit["energy"] = max(int(unit["energy"]) - given.spell.energy * ONE, 0)
        if given.spell.cooldown:
            unit["ability_cooldown"] = given.spell.cooldown
    return OK


_BRING_A_UNIT = ("CalldownMule", "CreepTumorQueen", "CreepTumorSpread", "AutoTurret")


def toggle(game: Game, player: int, slot: int, spell: Spell) -> int:
    """Turn cloak, holding fire or creep on or off."""
    answer = castable(game, player, slot, spell)
    if answer != OK:
        return answer
    unit = game.units[slot]
    if spell.name.startswith("Cloak"):
        unit["cloaked"] = 1 if spell.name.startswith("CloakOn") else 0
        unit["energy"] -= spell.energy * ONE
    elif spell.name.startswith("HoldFire"):
        unit["hold_fire"] = 1 if spell.name == "HoldFireOn" else 0
    else:
        unit["generates_creep"] = 1 if spell.name == "GenerateCreepOn" else 0
    return OK


def merge(game: Game, templar: Sequence[int], spell: Spell) -> int:
    """Have pairs of templar near each other become archons."""
    units = game.units
    answer = int(result.CantFindEnoughTargets)
    waiting = [
        slot for slot in templar if not (units["build_left"][slot] or units["carrier"][slot])
    ]
    while waiting:
        first = waiting.pop(0)
        place = int(units["x"][first]), int(units["y"][first])
        second = min(waiting, key=lambda slot: game.distance(slot, *place), default=0)
        if second and game.distance(second, *place) <= _MERGE_REACH:
            waiting.remove(second)
            game.remove(second)
            _become_archon(game, first, spell)
            answer = OK
    return answer


def _become_archon(game: Game, slot: int, spell: Spell) -> None:
    clear_orders(game, slot)
    game.transform(slot, game.tables.row["Archon"])
    unit = game.units[slot]
    unit["build_left"] = unit["build_total"] = spell.duration * TICK
    unit["health"], unit["shield"] = unit["health_max"] // 10, unit["shield_max"] // 10


_MERGE_REACH = 6 * ONE


def add_effect(given: Cast, effect_id: int, *, damage: int = 0, burst: int = 0) -> int:
    """Put an effect on the ground where a spell is aimed."""
    game, spell = given.game, given.spell
    for index in range(MAX_EFFECTS):
        effect = game.world.effects[index]
        if effect["id"] == 0:
            effect["id"], effect["owner"] = effect_id, given.player
            effect["x"], effect["y"] = given.x, given.y
            effect["radius"] = round(spell.radius * ONE)
            effect["until"] = game.loop + spell.duration
            effect["damage"], effect["burst"] = damage, burst
            effect["targets"] = Targets.GROUND | Targets.AIR
            effect["sight"] = round(spell.radius * ONE) if effect_id == spells.SCANNER_SWEEP else 0
            effect["source"] = game.units["tag"][given.caster]
            return OK
    return int(result.Retry)


def _mine(game: Game, player: int, slot: int, target: int) -> int:
    is_mine = game.units["owner"][target] == player
    return OK if is_mine else int(result.MustTargetYourOwnUnits)


def _my_structure(game: Game, player: int, slot: int, target: int) -> int:
    if _mine(game, player, slot, target) != OK:
        return int(result.MustTargetYourOwnUnits)
    is_structure = game.has_trait(target, Trait.STRUCTURE)
    return OK if is_structure else int(result.MustTargetStructures)


def _my_hatchery(game: Game, player: int, slot: int, target: int) -> int:
    is_hall = game.has_trait(target, Trait.TOWN_HALL) and game.kind(target)["race"] == _ZERG
    if not is_hall or game.units["build_left"][target]:
        return int(result.CantTargetThatUnit)
    return _mine(game, player, slot, target)


_ZERG = 2


def _my_depot(game: Game, player: int, slot: int, target: int) -> int:
    is_depot = game.tables.names[int(game.units["type"][target])].startswith("SupplyDepot")
    if not is_depot or game.units["extra_supply"][target]:
        return int(result.CantTargetThatUnit)
    return _mine(game, player, slot, target)


def _my_hurt_bio(game: Game, player: int, slot: int, target: int) -> int:
    if not game.kind(target)["attributes"] & Attribute.BIOLOGICAL:
        return int(result.MustTargetBiologicalUnits)
    return _mine(game, player, slot, target)


def _enemy(game: Game, player: int, slot: int, target: int) -> int:
    is_enemy = game.units["owner"][target] not in (0, player)
    return OK if is_enemy else int(result.MustTargetEnemyUnits)


def _enemy_bio(game: Game, player: int, slot: int, target: int) -> int:
    if not game.kind(target)["attributes"] & Attribute.BIOLOGICAL:
        return int(result.MustTargetBiologicalUnits)
    return _enemy(game, player, slot, target)


def _enemy_liftable(game: Game, player: int, slot: int, target: int) -> int:
    kind = game.kind(target)
    if kind["attributes"] & Attribute.MASSIVE or kind["traits"] & Trait.STRUCTURE:
        return int(result.CantTargetMassiveUnits)
    return _enemy(game, player, slot, target)


def _minerals(game: Game, player: int, slot: int, target: int) -> int:
    is_patch = game.has_trait(target, Trait.MINERALS)
    return OK if is_patch else int(result.MustTargetResources)


_WANTS: dict[str, Callable[[Game, int, int, int], int]] = {
    "CalldownMule": _minerals,
    "SupplyDrop": _my_depot,
    "ChronoBoost": _my_structure,
    "InjectLarva": _my_hatchery,
    "Transfusion": _my_hurt_bio,
    "MedivacHeal": _my_hurt_bio,
    "Restore": _mine,
    "Charge": _enemy,
    "Feedback": _enemy,
    "GhostSnipe": _enemy_bio,
    "Yamato": _enemy,
    "GravitonBeam": _enemy_liftable,
    "Contaminate": _enemy,
}


def _scan(given: Cast) -> int:
    return add_effect(given, spells.SCANNER_SWEEP)


def _mule(given: Cast) -> int:
    game = given.game
    if not game.sees(given.player, given.x >> CELL_BITS, given.y >> CELL_BITS):
        return int(result.MustTargetVisibleLocation)
    row = game.tables.row["MULE"]
    slot = game.spawn(row, given.player, *game.open_place(row, given.x, given.y))
    patch = given.target or _patch_near(game, given.x, given.y)
    if not patch:
        return OK
    return push_order(game, slot, ability=_MULE_GATHER, task=Task.GATHER, aim=Aim(patch))


_MULE_GATHER = 166
_MULE_LOOKS = 10 * ONE


def _patch_near(game: Game, x: int, y: int) -> int:
    """Return the mineral field that a MULE goes to from where it came down, 0 for none."""
    patches = [slot for slot in game.resources() if game.has_trait(slot, Trait.MINERALS)]
    nearest = min(patches, key=lambda slot: game.distance(slot, x, y), default=0)
    return nearest if nearest and game.distance(nearest, x, y) < _MULE_LOOKS else 0


def _supply_drop(given: Cast) -> int:
    given.game.units["extra_supply"][given.target] = HALF * round(given.spell.amount)
    return OK


def _chrono(given: Cast) -> int:
    given.game.units["chrono_left"][given.target] = given.spell.duration
    return OK


def _inject(given: Cast) -> int:
    unit = given.game.units[given.target]
    if unit["inject_left"]:
        return int(result.AlreadySpawningLarva)
    unit["inject_left"] = given.spell.duration
    return OK


def injected(game: Game, hatchery: int) -> None:
    """Let the larvae of an injection out."""
    for _ in range(3):
        if game.units["larva_count"][hatchery] < MAX_LARVAE:
            spawn_larva(game, hatchery)


def _tumour(name: str) -> Callable[[Cast], int]:
    def effect(given: Cast) -> int:
        game = given.game
        row = game.tables.row[name]
        x, y = given.x >> CELL_BITS << CELL_BITS, given.y >> CELL_BITS << CELL_BITS
        x, y = x + ONE // 2, y + ONE // 2
        answer = placeable(game, given.player, row, x, y)
        if answer != OK:
            return answer
        slot = game.spawn(row, given.player, x, y, is_finished=False)
        loops = int(game.tables.types["build_loops"][game.tables.row["CreepTumor"]])
        game.units["build_left"][slot] = game.units["build_total"][slot] = loops * TICK
        if name == "CreepTumor":
            game.units["spread_charges"][given.caster] = 0
        return OK

    return effect


def _heal(given: Cast) -> int:
    unit = given.game.units[given.target]
    healed = int(unit["health"]) + round(given.spell.amount * ONE)
    unit["health"] = min(healed, int(unit["health_max"]))
    return OK


def _stim(given: Cast) -> int:
    unit = given.game.units[given.caster]
    unit["health"] -= round(given.spell.amount * ONE)
    unit["stim_left"] = given.spell.duration
    return OK


def _blink(given: Cast) -> int:
    game = given.game
    row = int(game.units["type"][given.caster])
    game.place(given.caster, *game.open_place(row, given.x, given.y))
    return OK


def _charge(given: Cast) -> int:
    given.game.units["haste_left"][given.caster] = given.spell.duration
    return OK


def _storm(given: Cast) -> int:
    a_loop = round(given.spell.amount * ONE / given.spell.duration)
    return add_effect(given, spells.PSI_STORM, damage=a_loop)


def _bile(given: Cast) -> int:
    return add_effect(given, spells.CORROSIVE_BILE, burst=round(given.spell.amount * ONE))


def _feedback(given: Cast) -> int:
    unit = given.game.units[given.target]
    damage = round(int(unit["energy"]) * given.spell.amount)
    unit["energy"] = 0
    hurt_now(given.game.world.record, given.target, damage, given.caster)
    return OK


def _damage(given: Cast) -> int:
    armour = int(given.game.kind(given.target)["armour"])
    damage = round((given.spell.amount + armour) * ONE)
    hurt_now(given.game.world.record, given.target, damage, given.caster)
    return OK


def _units_around(given: Cast, *, mine: bool) -> list[int]:
    game = given.game
    found = []
    for slot in game.slots():
        unit = game.units[slot]
        is_mine = unit["owner"] == given.player
        if unit["owner"] == 0 or is_mine != mine or unit["carrier"]:
            continue
        reach = given.spell.radius * ONE + int(game.kind(slot)["radius"])
        if game.distance(slot, given.x, given.y) <= reach:
            found.append(slot)
    return found


def _fungal(given: Cast) -> int:
    game = given.game
    for slot in _units_around(given, mine=False):
        if not game.has_trait(slot, Trait.STRUCTURE):
            game.units["root_left"][slot] = given.spell.duration
            armour = int(game.kind(slot)["armour"])
            hurt_now(
                game.world.record, slot, round((given.spell.amount + armour) * ONE), given.caster
            )
    return OK


def _emp(given: Cast) -> int:
    game, spell = given.game, given.spell
    is_wider = spell.wider_with and game.world.upgrades[given.player, spell.wider_with]
    radius = (spell.wider_radius if is_wider else spell.radius) * ONE
    for slot in game.slots():
        unit = game.units[slot]
        if unit["owner"] and game.distance(slot, given.x, given.y) <= radius:
            unit["shield"] = max(int(unit["shield"]) - round(given.spell.amount * ONE), 0)
            unit["energy"] = max(int(unit["energy"]) - round(given.spell.amount * ONE), 0)
    return OK


def _grenade(given: Cast) -> int:
    game = given.game
    for slot in _units_around(given, mine=False):
        hurt_now(game.world.record, slot, round(given.spell.amount * ONE), given.caster)
    return OK


def _guardian_shield(given: Cast) -> int:
    return add_effect(given, spells.GUARDIAN_SHIELD)


def _boost(given: Cast) -> int:
    given.game.units["haste_left"][given.caster] = given.spell.duration
    return OK


def _jump(given: Cast) -> int:
    given.game.place(given.caster, given.x, given.y)
    return OK


def _lift(given: Cast) -> int:
    given.game.units["lifted_left"][given.target] = given.spell.duration
    return OK


def _restore(given: Cast) -> int:
    unit, battery = given.game.units[given.target], given.game.units[given.caster]
    lacking = int(unit["shield_max"]) - int(unit["shield"])
    given_points = min(lacking, 3 * int(battery["energy"]))
    unit["shield"] += given_points
    battery["energy"] -= given_points // 3
    return OK


def _contaminate(given: Cast) -> int:
    given.game.units["slow_left"][given.target] = given.spell.duration
    return OK


def _turret(given: Cast) -> int:
    game = given.game
    row = game.tables.row["AutoTurret"]
    x, y = (
        (given.x + ONE // 2) >> CELL_BITS << CELL_BITS,
        (given.y + ONE // 2) >> CELL_BITS << CELL_BITS,
    )
    rows, columns = game.footprint(row, x, y)
    if game.world.blocked[rows, columns].any() or not game.world.pathable[rows, columns].all():
        return int(result.CantFindPlacementLocation)
    game.clear_ground(game.spawn(row, given.player, x, y))
    return OK


def _recall(given: Cast) -> int:
    game = given.game
    hall = game.units[given.caster]
    for slot in _units_around(given, mine=True):
        if not game.has_trait(slot, Trait.STRUCTURE):
            row = int(game.units["type"][slot])
            game.place(slot, *game.open_place(row, int(hall["x"]), int(hall["y"]) - 4 * ONE))
    return OK


_EFFECTS: dict[str, Callable[[Cast], int]] = {
    "Scan": _scan,
    "CalldownMule": _mule,
    "SupplyDrop": _supply_drop,
    "ChronoBoost": _chrono,
    "InjectLarva": _inject,
    "CreepTumorQueen": _tumour("CreepTumorQueen"),
    "CreepTumorSpread": _tumour("CreepTumor"),
    "Transfusion": _heal,
    "MedivacHeal": _heal,
    "StimMarine": _stim,
    "StimMarauder": _stim,
    "Blink": _blink,
    "ShadowStride": _blink,
    "Charge": _charge,
    "PsiStorm": _storm,
    "Feedback": _feedback,
    "GuardianShield": _guardian_shield,
    "FungalGrowth": _fungal,
    "CorrosiveBile": _bile,
    "Emp": _emp,
    "GhostSnipe": _damage,
    "MedivacBoost": _boost,
    "KD8Charge": _grenade,
    "Yamato": _damage,
    "TacticalJump": _jump,
    "GravitonBeam": _lift,
    "Restore": _restore,
    "Contaminate": _contaminate,
    "AutoTurret": _turret,
    "MassRecall": _recall,
}
