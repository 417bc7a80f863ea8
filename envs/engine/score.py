"""A player's score, as the API counts it; ``docs/engine.md`` says what is left at zero."""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from s2clientprotocol import score_pb2 as score_pb

from envs.engine.census import Census
from envs.engine.layout import NUM_TYPES, Trait
from envs.engine.match import Match
from envs.engine.unit_tables import unit_tables

_CATEGORIES = ("army", "economy", "technology")
_ARMY, _ECONOMY, _TECHNOLOGY = range(len(_CATEGORIES))


def score_of(match: Match, player: int, census: Census, score: score_pb.Score) -> None:
    """Fill in a player's score: his mini-game's, else what he has and what he has killed."""
    details = score.score_details
    details.CopyFrom(_NOTHING)
    state = match.world.players[player]
    used = census.units
    killed, lost = match.game.killed[player], match.game.lost[player]
    costs = np.array([used, used + lost, killed, lost], np.float64) @ _costs().reshape(
        NUM_TYPES, -1
    )
    names = ("used", "total_used", "killed", "lost")
    for name, cost in zip(names, costs.reshape(len(names), 2, -1), strict=True):
        for resource, by_category in zip(("minerals", "vespene"), cost.tolist(), strict=True):
            part = getattr(details, f"{name}_{resource}")
            part.army, part.economy, part.technology = by_category
    _add_upgrades(match, player, details)
    economy = census.worker_supply + census.coming_worker_supply
    details.food_used.army = (int(state["supply_used"]) - economy) / 2
    details.food_used.economy = economy / 2
    ours, theirs = (np.array([census.finished, killed], np.float64) @ _worth()).tolist()
    details.total_value_units, details.total_value_structures = ours
    details.killed_value_units, details.killed_value_structures = theirs
    details.collected_minerals = int(state["minerals_collected"])
    details.collected_vespene = int(state["gas_collected"])
    details.spent_minerals = int(state["minerals_spent"])
    details.spent_vespene = int(state["gas_spent"])
    if match.mini_game:
        score.score_type = score_pb.Score.Curriculum
        score.score = match.mini_game.scores.get(player, 0)
        return
    score.score_type = score_pb.Score.Melee
    score.score = int(sum(ours) + sum(theirs)) + int(state["minerals"]) + int(state["gas"])


def _add_upgrades(match: Match, player: int, details: score_pb.ScoreDetails) -> None:
    known = match.game.tables.upgrades
    upgrades = [known[i] for i in np.flatnonzero(match.world.upgrades[player]).tolist()]
    for part in (details.used_minerals, details.total_used_minerals):
        part.upgrade = sum(upgrade.minerals for upgrade in upgrades)
    for part in (details.used_vespene, details.total_used_vespene):
        part.upgrade = sum(upgrade.gas for upgrade in upgrades)


@cache
def _costs() -> NDArray[np.float64]:
    """Return what one unit has cost: by its row, minerals and gas, and its category."""
    types = unit_tables().types
    traits = types["traits"]
    is_economy = (traits & (Trait.WORKER | Trait.TOWN_HALL | Trait.GAS_BUILDING)) > 0
    is_economy |= types["supply_given"] > 0
    categories = np.where((traits & Trait.STRUCTURE) > 0, _TECHNOLOGY, _ARMY)
    categories[is_economy] = _ECONOMY
    costs = np.zeros((NUM_TYPES, 2, len(_CATEGORIES)))
    costs[np.arange(NUM_TYPES), 0, categories] = types["total_minerals"]
    costs[np.arange(NUM_TYPES), 1, categories] = types["total_gas"]
    return costs


@cache
def _worth() -> NDArray[np.float64]:
    """Return minerals and gas together that one has cost: by its row, of units, of structures."""
    cost = _costs().sum(axis=(1, 2))
    is_structure = (unit_tables().types["traits"] & Trait.STRUCTURE) > 0
    return np.stack([cost * ~is_structure, cost * is_structure], axis=1)


def _nothing() -> score_pb.ScoreDetails:
    """Return details that are all there, and zero."""
    details = score_pb.ScoreDetails()
    for field in details.DESCRIPTOR.fields:
        if field.message_type is None:
            setattr(details, field.name, 0.0)
        else:
            part = getattr(details, field.name)
            for inner in field.message_type.fields:
                setattr(part, inner.name, 0.0)
    return details


_NOTHING = _nothing()
