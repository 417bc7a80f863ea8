"""A player's score, as the API counts it."""

from s2clientprotocol import score_pb2 as score_pb

from envs.engine.layout import Trait
from envs.engine.match import Match


def score_of(match: Match, player: int, score: score_pb.Score) -> None:
    """Fill in a player's score: his mini-game's, else what he has and what he has killed."""
    details = score.score_details
    state = match.world.players[player]
    game = match.game
    alive = game.alive()
    rows = game.units["type"][alive][game.units["owner"][alive] == player]
    types = match.world.types[player]
    values, is_structure = types["worth"], (types["traits"] & Trait.STRUCTURE) > 0
    structures = int(values[rows[is_structure[rows]]].sum())
    units = int(values[rows[~is_structure[rows]]].sum())
    killed, lost = game.killed[player], game.lost[player]
    details.total_value_units, details.total_value_structures = units, structures
    details.killed_value_units = killed.units
    details.killed_value_structures = killed.structures
    details.collected_minerals = int(state["minerals_collected"])
    details.collected_vespene = int(state["gas_collected"])
    details.spent_minerals = int(state["minerals_spent"])
    details.spent_vespene = int(state["gas_spent"])
    details.food_used.army = int(state["supply_used"]) / 2
    details.killed_minerals.army = killed.minerals - killed.minerals_of_workers
    details.killed_minerals.economy = killed.minerals_of_workers
    details.killed_vespene.army = killed.gas
    details.lost_minerals.army = lost.minerals - lost.minerals_of_workers
    details.lost_minerals.economy = lost.minerals_of_workers
    details.lost_vespene.army = lost.gas
    for name in _CATEGORIES:
        for part in ("none", "army", "economy", "technology", "upgrade"):
            category = getattr(details, name)
            setattr(category, part, getattr(category, part))
    for name in ("total_damage_dealt", "total_damage_taken", "total_healed"):
        vitals = getattr(details, name)
        vitals.life = vitals.shields = vitals.energy = 0.0
    if match.mini_game:
        score.score_type = score_pb.Score.Curriculum
        score.score = match.mini_game.scores.get(player, 0)
        return
    score.score_type = score_pb.Score.Melee
    score.score = (
        units
        + structures
        + killed.units
        + killed.structures
        + int(state["minerals"])
        + int(state["gas"])
    )


_CATEGORIES = (
    "food_used",
    "killed_minerals",
    "killed_vespene",
    "lost_minerals",
    "lost_vespene",
    "friendly_fire_minerals",
    "friendly_fire_vespene",
    "used_minerals",
    "used_vespene",
    "total_used_minerals",
    "total_used_vespene",
)
