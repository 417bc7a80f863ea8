"""One batch of cloning: what it changes, and what it must not."""

import dataclasses

import pytest
import torch
from torch import Tensor

from envs.interface import Race
from policies.policy import Policy
from tests.builders import make_timeline, small_policy_config
from training.cloner import Cloner
from training.config import BatchConfig, HeadWeights, OptimizerConfig
from training.dataset import PlayerGame, Split
from training.optimization import NonFiniteError
from training.predictions import HEADS
from training.seeding import seed_first_weights
from training.streams import Batch, Streams

NUM_STREAMS = 4
PLAIN = OptimizerConfig(max_gradient_norm=1e9)


def batches(num_batches: int, *, micro_batch_streams: int = NUM_STREAMS) -> list[Batch]:
    games = [
        PlayerGame(f"{i}", "", 0, Race.TERRAN, Race.ZERG, 9, Split.TRAIN, "") for i in range(8)
    ]
    size = BatchConfig(
        num_streams=NUM_STREAMS, unroll_steps=4, micro_batch_streams=micro_batch_streams
    )
    streams = Streams(
        games,
        lambda game: make_timeline(int(game.game_id), num_steps=game.num_steps),
        size,
        plane_size=8,
        seed=0,
    )
    read = [streams.next_batch() for _ in range(num_batches)]
    return [batch for batch in read if batch is not None]


def make_cloner(optimizer: OptimizerConfig = PLAIN) -> Cloner:
    seed_first_weights(0)
    return Cloner(
        Policy(small_policy_config()),
        num_streams=NUM_STREAMS,
        optimizer=optimizer,
        head_weights=HeadWeights(),
        autocast=None,
    )


def weights(cloner: Cloner) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in cloner.policy.parameters()]


@pytest.mark.parametrize("micro_batch_streams", [1, 2, 3])
def test_parts_of_a_batch_add_up_to_the_batch(micro_batch_streams: int):
    whole, parts = make_cloner(), make_cloner()
    in_parts = batches(2, micro_batch_streams=micro_batch_streams)
    for batch, cut in zip(batches(2), in_parts, strict=True):
        expected = whole.update(batch, learning_rate=1e-3)
        found = parts.update(cut, learning_rate=1e-3)
        assert found.loss == pytest.approx(expected.loss, rel=1e-5)
        assert found.gradient_norm == pytest.approx(expected.gradient_norm, rel=1e-4)
        torch.testing.assert_close(found.sums, expected.sums, rtol=1e-5, atol=1e-5)


def test_the_loss_is_the_weighted_sum_of_means_over_the_steps_that_count():
    update = make_cloner().update(batches(1)[0], learning_rate=0.0)
    means = update.sums.losses / update.sums.counts
    by_hand = sum(
        weight * float(mean)
        for weight, mean in zip(dataclasses.astuple(HeadWeights()), means, strict=True)
    )
    assert update.loss == pytest.approx(by_hand)


def test_one_batch_can_be_learned_by_heart():
    cloner = make_cloner()
    batch = batches(1)[0]
    first = cloner.update(batch, learning_rate=0.003)
    for _ in range(200):
        last = cloner.update(batch, learning_rate=0.003)
    assert last.loss < 0.5 * first.loss
    action_type = HEADS.index("action_type")
    assert last.sums.hits[action_type] > 0.9 * last.sums.counts[action_type]


def test_memory_is_carried_from_chunk_to_chunk():
    first, second = batches(2)
    carried, fresh = make_cloner(), make_cloner()
    carried.update(first, learning_rate=0.0)
    assert (
        carried.update(second, learning_rate=0.0).loss
        != fresh.update(second, learning_rate=0.0).loss
    )


@pytest.mark.parametrize("where", ["loss", "gradient"])
def test_what_is_not_finite_changes_nothing_and_is_named(where: str):
    cloner = make_cloner()
    first, second = batches(2)
    cloner.update(first, learning_rate=1e-3)
    state = cloner.training_state({})
    before = weights(cloner), {name: tensor.clone() for name, tensor in state.tensors.items()}
    if where == "loss":
        poison = cloner.policy.delay.register_forward_hook(
            lambda module, inputs, output: output * torch.nan
        )
    else:
        poison = cloner.policy.delay.layers[0].weight.register_hook(lambda g: g * torch.inf)
    expected = "the loss of delay" if where == "loss" else "the gradient of delay.layers.0.weight"
    with pytest.raises(NonFiniteError, match=expected):
        cloner.update(second, learning_rate=1e-3)
    poison.remove()
    for old, new in zip(before[0], weights(cloner), strict=True):
        assert torch.equal(old, new)
    for name, tensor in cloner.training_state({}).tensors.items():
        assert torch.equal(tensor, before[1][name]), name
    cloner.update(second, learning_rate=1e-3)


def test_restored_is_as_if_never_stopped():
    first, second = batches(2)
    whole = make_cloner()
    whole.update(first, learning_rate=1e-3)
    state = whole.training_state({})
    saved = {name: tensor.clone() for name, tensor in state.tensors.items()}
    again = make_cloner()
    again.policy.load_state_dict({k: v.clone() for k, v in whole.policy.state_dict().items()})
    again.restore(state._replace(tensors=saved))
    whole.update(second, learning_rate=1e-3)
    again.update(second, learning_rate=1e-3)
    for expected, found in zip(weights(whole), weights(again), strict=True):
        assert torch.equal(expected, found)
