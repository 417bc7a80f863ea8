"""Protoss: what to build in which order, and time that is sped up where the work is."""

from agent.scripted.orders import order_at
from agent.scripted.plan import Style, goals
from agent.scripted.situation import Situation
from envs.interface import Action, EntityFeature, Race

_BOOST_ENERGY = 50
_FEW_WORKERS = 30
_WORTH_BOOSTING = ("RoboticsFacility", "Stargate", "Gateway", "Forge", "TwilightCouncil")


def boost(situation: Situation) -> Action | None:
    """Speed up the first building that works, by the nexus with the most energy."""
    nexuses = situation.own("Nexus")
    energy = situation.column(nexuses, EntityFeature.ENERGY)
    nexuses = nexuses[energy >= _BOOST_ENERGY]
    if not len(nexuses):
        return None
    few = len(situation.workers) < _FEW_WORKERS
    for name in ("Nexus", *_WORTH_BOOSTING) if few else _WORTH_BOOSTING:
        rows = situation.own(name)
        works = situation.column(rows, EntityFeature.ORDER_LENGTH) > 0
        works &= situation.column(rows, EntityFeature.BUFF_0) == 0
        if works.any():
            return order_at("Effect_ChronoBoostEnergyCost_unit", nexuses[:1], int(rows[works][0]))
    return None


_OPENING = """15 Probe, 1 Gateway, 17 Probe, 1 Assimilator, 20 Probe, 2 Nexus, 1 CyberneticsCore,
    24 Probe, 3 Gateway, 2 Zealot, 28 Probe, 1 Forge, 6 Zealot, 32 Probe,
    1 ProtossGroundWeaponsLevel1, 6 Gateway, 12 Zealot, 38 Probe, 1 TwilightCouncil"""

STYLES = (
    Style(
        name="zealot",
        race=Race.PROTOSS,
        goals=goals(
            f"""{_OPENING}, 10 Gateway, 24 Zealot, 1 Charge, 44 Probe, 12 Gateway, 100 Zealot"""
        ),
        attack_supply=45,
        waits_against=(),
        wave_supply=12,
        rules=(boost,),
    ),
    Style(
        name="dark templar",
        race=Race.PROTOSS,
        goals=goals(
            f"""{_OPENING}, 10 Gateway, 24 Zealot, 1 DarkShrine, 2 Assimilator, 44 Probe,
            4 DarkTemplar, 30 Zealot, 1 Charge, 12 Gateway, 3 Assimilator, 8 DarkTemplar,
            1 ProtossGroundArmorsLevel1, 20 DarkTemplar, 100 Zealot"""
        ),
        attack_supply=45,
        waits_against=(),
        wave_supply=12,
        rules=(boost,),
    ),
)
