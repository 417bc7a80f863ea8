"""Rewards, by hand."""

import pytest
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.rewards import score_gain, win_loss


@pytest.mark.parametrize(
    ("result", "reward"),
    [(sc_pb.Victory, 1), (sc_pb.Defeat, -1), (sc_pb.Tie, 0), (sc_pb.Undecided, 0), (None, 0)],
)
def test_only_a_decided_game_is_rewarded(result: int | None, reward: int):
    assert win_loss(result) == reward


def test_points_count_as_they_come_and_go():
    assert score_gain(3, 10) == 7
    assert score_gain(10, 8) == -2
