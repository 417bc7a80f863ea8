"""Zerg: what to build in which order, and queens that see to larvae."""

from agent.scripted.orders import order_at
from agent.scripted.plan import Style, goals
from agent.scripted.situation import Situation
from envs.interface import Action, EntityFeature, Race

_INJECT_ENERGY = 25
_INJECTED = 5  # row of buff_classes.csv
_NEAR = 12.0


def inject_larvae(situation: Situation) -> Action | None:
    """Have the nearest queen with enough energy see to a hatchery that waits for it."""
    queens = situation.own("Queen")
    queens = queens[situation.column(queens, EntityFeature.ENERGY) >= _INJECT_ENERGY]
    if not len(queens):
        return None
    for hall in situation.halls.tolist():
        if situation.entities[hall, EntityFeature.BUFF_0] == _INJECTED:
            continue
        near = situation.within(queens, situation.place(hall), _NEAR)
        if len(near):
            queen = situation.nearest(near, situation.place(hall))
            return order_at("Effect_InjectLarva_unit", [queen], hall)
    return None


_RULES = (inject_larvae,)

_THREE_BASES = """17 Drone, 2 Hatchery, 18 Drone, 1 SpawningPool, 20 Drone, 2 Queen, 3 Hatchery,
    2 Zergling, 30 Drone, 3 Queen, 38 Drone, 1 Extractor, 1 RoachWarren, 4 Queen, 44 Drone,
    2 Extractor, 4 Roach, 54 Drone, 8 Roach, 58 Drone,"""

STYLES = (
    Style(
        name="roach",
        race=Race.ZERG,
        goals=goals(
            f"""{_THREE_BASES} 1 EvolutionChamber, 3 Extractor, 20 Roach,
            1 ZergMissileWeaponsLevel1, 1 Lair, 5 Queen, 4 Extractor, 4 Hatchery, 40 Roach,
            60 Drone, 1 GlialReconstitution, 6 Queen, 50 Roach, 66 Drone, 5 Hatchery, 200 Roach"""
        ),
        attack_supply=75,
        waits_against=(Race.TERRAN,),
        wave_supply=12,
        rules=_RULES,
    ),
    Style(
        name="roach hydralisk",
        race=Race.ZERG,
        goals=goals(
            f"""{_THREE_BASES} 4 Extractor, 1 Lair, 16 Roach, 1 EvolutionChamber, 5 Queen,
            1 ZergMissileWeaponsLevel1, 1 HydraliskDen, 5 Extractor, 4 Hatchery, 30 Roach,
            60 Drone, 8 Hydralisk, 1 EvolveGroovedSpines, 16 Hydralisk, 40 Roach, 6 Queen,
            66 Drone, 5 Hatchery, 30 Hydralisk, 200 Roach"""
        ),
        attack_supply=85,
        waits_against=(Race.TERRAN,),
        wave_supply=12,
        rules=_RULES,
    ),
    Style(
        name="roach timing",
        race=Race.ZERG,
        goals=goals(
            """17 Drone, 2 Hatchery, 18 Drone, 1 SpawningPool, 20 Drone, 1 Extractor, 2 Queen,
            2 Zergling, 26 Drone, 1 RoachWarren, 31 Drone, 2 Extractor, 8 Roach, 34 Drone,
            16 Roach, 38 Drone, 3 Queen, 24 Roach, 3 Hatchery, 50 Drone, 3 Extractor, 1 Lair,
            1 EvolutionChamber, 4 Queen, 1 ZergMissileWeaponsLevel1, 36 Roach, 60 Drone,
            1 GlialReconstitution, 4 Hatchery, 6 Queen, 66 Drone, 4 Extractor, 5 Hatchery,
            200 Roach"""
        ),
        attack_supply=42,
        waits_against=(Race.TERRAN,),
        wave_supply=12,
        rules=_RULES,
        not_against=(Race.TERRAN, Race.RANDOM),
    ),
)
