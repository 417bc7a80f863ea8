"""What calls for a player's attention: things made, run out, or under attack."""

from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine.commands import Command
from envs.engine.game import Game
from envs.engine.layout import Trait

NO_ALERT = 0
_MOTHERSHIP = "Mothership"  # the one unit with an alert of its own


def alert_for_attack(game: Game, slot: int) -> int:
    """Return the alert for a unit that enemies attack."""
    is_structure = game.has_trait(slot, Trait.STRUCTURE)
    return sc_pb.BuildingUnderAttack if is_structure else sc_pb.UnitUnderAttack


def alert_for_made(game: Game, slot: int) -> int:
    """Return the alert for a unit that has left a queue or an egg."""
    if game.tables.names[int(game.units["type"][slot])] == _MOTHERSHIP:
        return sc_pb.MothershipComplete
    is_worker = game.has_trait(slot, Trait.WORKER)
    return sc_pb.TrainWorkerComplete if is_worker else sc_pb.TrainUnitComplete


def alert_for_constructed(game: Game, slot: int) -> int:
    """Return the alert for what has been built, warped in or merged."""
    traits = int(game.kind(slot)["traits"])
    if traits & Trait.SPREADS_CREEP and not traits & Trait.TOWN_HALL:
        return NO_ALERT
    if traits & Trait.ADD_ON:
        return sc_pb.AddOnComplete
    if traits & Trait.STRUCTURE:
        return sc_pb.BuildingComplete
    is_warped_in = bool(game.tables.create_ability[int(game.units["type"][slot])])
    return sc_pb.WarpInComplete if is_warped_in else sc_pb.MergeComplete


def alert_for_morph(game: Game, slot: int, command: Command | None) -> int:
    """Return the alert for a morph that a command has begun; those back and forth have none."""
    if command is None:
        return NO_ALERT
    is_structure = game.has_trait(slot, Trait.STRUCTURE)
    kind = game.tables.types[command.row]
    if not command.is_free and (kind["minerals"] or kind["gas"]):
        return sc_pb.UpgradeComplete if is_structure else sc_pb.MorphComplete
    is_new_way = is_structure and bool(command.requires_upgrade)  # of making units
    return sc_pb.TransformationComplete if is_new_way else NO_ALERT
