"""A player's score, as the API counts it."""

from s2clientprotocol import score_pb2 as score_pb

from envs.engine.layout import Trait
from envs.engine.match import Match


def score_of(match: Match, player: int, score: score_pb.Score) -> None:
    """Fill in a player's score: his mini-game's, else what he has and what he has killed."""
    details = score.score_details
    details.CopyFrom(_NOTHING)
    state = match.world.players[player]
    game = match.game
    alive = game.alive()
    rows = game.units["type"][alive][game.units["owner"][alive] == player]
    types = match.world.types[player]
    values = types["total_minerals"] + types["total_gas"]
    is_structure = (types["traits"] & Trait.STRUCTURE) > 0
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


def _nothing() -> score_pb.ScoreDetails:
    """Return details that are all there, and zero."""
    details = score_pb.ScoreDetails()
    for field in details.DESCRIPTOR.fields:
        if field.message_type is not None:
            part = getattr(details, field.name)
            for inner in field.message_type.fields:
                setattr(part, inner.name, 0.0)
    return details


_NOTHING = _nothing()
