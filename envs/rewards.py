"""What a player is rewarded for."""

from s2clientprotocol import sc2api_pb2 as sc_pb

_REWARDS: dict[int, float] = {sc_pb.Victory: 1.0, sc_pb.Defeat: -1.0}


def win_loss(result: int | None) -> float:
    """Return 1 for a victory, -1 for a defeat, and 0 for a tie or a game that goes on.

    Args:
        result: as the API numbers results; None while there is none.
    """
    return 0.0 if result is None else _REWARDS.get(result, 0.0)


def score_gain(before: int, after: int) -> float:
    """Return by how much the score has grown; negative where points were lost."""
    return float(after - before)
