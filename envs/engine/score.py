"""A player's score, as the API counts it; ``docs/engine.md`` says what is left at zero."""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from s2clientprotocol import score_pb2 as score_pb

from envs.engine.layout import NUM_TYPES, Makes, Trait
from envs.engine.match import Match
from envs.engine.unit_tables import unit_tables

_CATEGORIES = ("army", "economy", "technology")
_ARMY, _ECONOMY, _TECHNOLOGY = range(len(_CATEGORIES))


def score_of(match: Match, player: int, score: score_pb.Score) -> None:
    """Fill in a player's score: his mini-game's, else what he has and what he has killed."""
    details = score.score_details
    details.CopyFrom(_NOTHING)
    game, units = match.game, match.world.units
    state = match.world.players[player]
    mine = game.alive()
    mine = mine[units["owner"][mine] == player]
    used = _counted(units["type"][mine])
    finished = _counted(units["type"][mine[units["build_left"][mine] == 0]])
    killed, lost = game.killed[player], game.lost[player]
    costs = np.stack([used, used + lost, killed, lost]) @ _costs().reshape(NUM_TYPES, -1)
    names = ("used", "total_used", "killed", "lost")
    for name, cost in zip(names, costs.reshape(len(names), 2, -1), strict=True):
        for resource, by_category in zip(("minerals", "vespene"), cost.tolist(), strict=True):
            part = getattr(details, f"{name}_{resource}")
            part.army, part.economy, part.technology = by_category
    _add_upgrades(match, player, details)
    army, economy = food_used(match, player)
    details.food_used.army, details.food_used.economy = army / 2, economy / 2
    ours, theirs = (np.stack([finished, killed]) @ _worth()).tolist()
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


def food_used(match: Match, player: int) -> tuple[int, int]:
    """Return the supply, in half points, of a player's army and of his workers, queues included."""
    world = match.world
    mine = match.game.alive()
    mine = mine[world.units["owner"][mine] == player]
    types = world.types[player]
    is_worker = (types["traits"] & Trait.WORKER) > 0
    rows = world.units["type"][mine]
    workers = int(types["supply"][rows[is_worker[rows]]].sum())
    queues = world.production[mine]
    in_queue = np.arange(queues.shape[1]) < world.units["num_production"][mine][:, None]
    in_queue &= (queues["started"] > 0) & (queues["makes"] == Makes.UNIT)
    entries = queues[in_queue]
    workers += int(entries["supply"][is_worker[entries["what"]]].sum())
    return int(world.players["supply_used"][player]) - workers, workers


def _counted(rows: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return how many there are of each type."""
    found: NDArray[np.int64] = np.bincount(rows, minlength=NUM_TYPES)
    return found


def _add_upgrades(match: Match, player: int, details: score_pb.ScoreDetails) -> None:
    known = match.game.tables.upgrades
    upgrades = [known[i] for i in np.flatnonzero(match.world.upgrades[player]).tolist()]
    for part in (details.used_minerals, details.total_used_minerals):
        part.upgrade = sum(upgrade.minerals for upgrade in upgrades)
    for part in (details.used_vespene, details.total_used_vespene):
        part.upgrade = sum(upgrade.gas for upgrade in upgrades)


@cache
def _costs() -> NDArray[np.int64]:
    """Return what one unit has cost: by its row, minerals and gas, and its category."""
    types = unit_tables().types
    traits = types["traits"]
    is_economy = (traits & (Trait.WORKER | Trait.TOWN_HALL | Trait.GAS_BUILDING)) > 0
    is_economy |= types["supply_given"] > 0
    categories = np.where((traits & Trait.STRUCTURE) > 0, _TECHNOLOGY, _ARMY)
    categories[is_economy] = _ECONOMY
    costs = np.zeros((NUM_TYPES, 2, len(_CATEGORIES)), np.int64)
    is_bought = types["timed_life"] == 0  # others are called down or spawned for nothing
    costs[np.arange(NUM_TYPES), 0, categories] = types["total_minerals"] * is_bought
    costs[np.arange(NUM_TYPES), 1, categories] = types["total_gas"] * is_bought
    return costs


@cache
def _worth() -> NDArray[np.int64]:
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
