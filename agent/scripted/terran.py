"""Terran: what to build in which order, and MULEs."""

from agent.scripted.orders import order_at
from agent.scripted.plan import Style, goals
from agent.scripted.situation import Situation
from envs.interface import Action, EntityFeature, Race

_MULE_ENERGY = 50
_AT_HALL = 10.0


def call_mule(situation: Situation) -> Action | None:
    """Call a MULE to the mineral field nearest to the first base that has one."""
    orbitals = situation.own("OrbitalCommand")
    orbitals = orbitals[situation.column(orbitals, EntityFeature.ENERGY) >= _MULE_ENERGY]
    if not len(orbitals):
        return None
    for hall in situation.halls.tolist():
        place = situation.place(hall)
        fields = situation.within(situation.minerals, place, _AT_HALL)
        if len(fields):
            field = situation.nearest(fields, place)
            return order_at("Effect_CalldownMULE_unit", orbitals[:1], field)
    return None


STYLES = (
    Style(
        name="marine",
        race=Race.TERRAN,
        goals=goals(
            """15 SCV, 1 Barracks, 16 SCV, 1 Refinery, 1 OrbitalCommand, 19 SCV,
            2 CommandCenter, 1 BarracksReactor, 2 Marine, 22 SCV, 3 Barracks, 4 Marine, 26 SCV,
            2 OrbitalCommand, 1 BarracksTechLab, 2 BarracksReactor, 8 Marine, 30 SCV,
            1 EngineeringBay, 5 Barracks, 1 TerranInfantryWeaponsLevel1, 16 Marine,
            1 ShieldWall, 4 BarracksReactor, 36 SCV, 30 Marine, 8 Barracks, 6 BarracksReactor,
            44 SCV, 200 Marine"""
        ),
        attack_supply=45,
        waits_against=(),
        wave_supply=12,
        rules=(call_mule,),
    ),
)
