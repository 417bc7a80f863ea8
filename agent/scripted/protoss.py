"""Protoss: what to build in which order, and time that is sped up where the work is."""

from agent.scripted.orders import order_at
from agent.scripted.plan import Style, goals
from agent.scripted.situation import Situation
from envs.interface import Action, EntityFeature, Race

_BOOST_ENERGY = 50
_WORTH_BOOSTING = ("RoboticsFacility", "Stargate", "Gateway", "Forge", "TwilightCouncil")


def boost(situation: Situation) -> Action | None:
    """Speed up the first building that works, by the nexus with the most energy."""
    nexuses = situation.own("Nexus")
    energy = situation.column(nexuses, EntityFeature.ENERGY)
    nexuses = nexuses[energy >= _BOOST_ENERGY]
    if not len(nexuses):
        return None
    for name in _WORTH_BOOSTING:
        rows = situation.own(name)
        works = situation.column(rows, EntityFeature.ORDER_LENGTH) > 0
        works &= situation.column(rows, EntityFeature.BUFF_0) == 0
        if works.any():
            return order_at("Effect_ChronoBoostEnergyCost_unit", nexuses[:1], int(rows[works][0]))
    return None


STYLES = (
    Style(
        name="immortal",
        race=Race.PROTOSS,
        goals=goals(
            """15 Probe, 1 Gateway, 18 Probe, 1 Assimilator, 20 Probe, 2 Nexus, 1 CyberneticsCore,
            22 Probe, 2 Assimilator, 1 Zealot, 24 Probe, 2 Stalker, 1 RoboticsFacility,
            2 Gateway, 30 Probe, 3 Stalker, 1 Immortal, 3 Gateway, 34 Probe, 3 Assimilator,
            1 Forge, 6 Stalker, 2 Immortal, 40 Probe, 1 ProtossGroundWeaponsLevel1, 6 Gateway,
            4 Assimilator, 44 Probe, 4 Immortal, 14 Stalker, 8 Zealot, 8 Immortal,
            2 RoboticsFacility, 8 Gateway, 40 Stalker, 40 Zealot"""
        ),
        attack_supply=64,
        wave_supply=12,
        rules=(boost,),
    ),
)
