"""Streams: each game once an epoch, whole, in order, and the same from any point on."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
import torch

from envs.interface import MAX_SELECTED, UNKNOWN, Race
from envs.timeline import Timeline
from tests.builders import NO_OP, action_type_of_kind, make_timeline, timeline_of_actions
from training.config import BatchConfig
from training.dataset import PlayerGame, Split
from training.streams import (
    Batch,
    ReaderPosition,
    Streams,
    position_from_json,
    position_to_json,
)

LENGTHS = [5, 1, 12, 7, 3, 9]
SIZE = BatchConfig(num_streams=3, unroll_steps=4, micro_batch_streams=2)


def player_games(lengths: Sequence[int] = LENGTHS) -> list[PlayerGame]:
    return [
        PlayerGame(f"game{i}", "", 0, Race.TERRAN, Race.ZERG, length, Split.TRAIN, "")
        for i, length in enumerate(lengths)
    ]


def open_game(game: PlayerGame) -> Timeline:
    return make_timeline(int(game.game_id.removeprefix("game")), num_steps=game.num_steps)


def streams(
    *,
    num_epochs: int | None = 1,
    position: ReaderPosition | None = None,
    seed: int = 0,
    size: BatchConfig = SIZE,
) -> Streams:
    return Streams(
        player_games(),
        open_game,
        size,
        plane_size=8,
        seed=seed,
        num_epochs=num_epochs,
        position=position,
    )


def rows(batches: Sequence[Batch]) -> list[list[tuple[int, int]]]:
    """The (game, step) pairs that each stream reads, padding left out."""
    read: list[list[tuple[int, int]]] = [[] for _ in range(SIZE.num_streams)]
    for batch in batches:
        game = torch.cat([chunk.places.game for chunk in batch.chunks], dim=1)
        step = torch.cat([chunk.places.step for chunk in batch.chunks], dim=1)
        for t in range(game.shape[0]):
            for stream in range(game.shape[1]):
                if game[t, stream] != UNKNOWN:
                    read[stream].append((int(game[t, stream]), int(step[t, stream])))
    return read


def test_an_epoch_holds_every_step_of_every_game_once():
    read = [place for row in rows(list(streams())) for place in row]
    expected = [(game, step) for game, length in enumerate(LENGTHS) for step in range(length)]
    assert sorted(read) == expected


def test_a_stream_reads_one_game_to_its_end_before_the_next():
    for row in rows(list(streams())):
        for (game, step), (next_game, next_step) in pairwise(row):
            if next_game == game:
                assert next_step == step + 1
            else:
                assert (step, next_step) == (LENGTHS[game] - 1, 0)


def test_the_first_step_of_a_game_is_marked_and_no_other():
    for batch in streams():
        for chunk in batch.chunks:
            is_real = chunk.places.game != UNKNOWN
            assert torch.equal(chunk.is_first[is_real], chunk.places.step[is_real] == 0)


def test_rows_without_a_game_count_for_nothing():
    for batch in streams():
        for chunk in batch.chunks:
            padding = chunk.places.game == UNKNOWN
            assert not any(mask[padding].any() for mask in (*chunk.masks, *chunk.dropped))
            assert not chunk.observations.entity_mask[padding].any()


def test_a_batch_is_cut_into_parts_of_the_size_asked_for():
    batch = streams().next_batch()
    assert batch is not None
    assert [chunk.is_first.shape for chunk in batch.chunks] == [(4, 2), (4, 1)]


def test_epochs_have_orders_of_their_own():
    one = BatchConfig(num_streams=1, unroll_steps=sum(LENGTHS), micro_batch_streams=1)
    endless = streams(num_epochs=None, size=one)
    orders = []
    for _ in range(2):
        batch = endless.next_batch()
        assert batch is not None
        chunk = batch.chunks[0]
        orders.append(chunk.places.game[chunk.is_first].tolist())
    assert [sorted(order) for order in orders] == [list(range(len(LENGTHS)))] * 2
    assert orders[0] != orders[1]


@pytest.mark.parametrize("num_read", [0, 1, 2, 5])
def test_reading_goes_on_from_a_position_as_if_it_had_not_stopped(num_read: int):
    whole = streams(num_epochs=None)
    position = None
    for _ in range(num_read):
        batch = whole.next_batch()
        assert batch is not None
        position = position_from_json(position_to_json(batch.position))
    again = streams(num_epochs=None, position=position)
    for _ in range(4):
        expected, found = whole.next_batch(), again.next_batch()
        assert expected is not None
        assert found is not None
        assert expected.position == found.position
        assert_same(expected, found)


def test_the_seed_decides_what_is_read():
    assert rows(list(streams(seed=0))) == rows(list(streams(seed=0)))
    assert rows(list(streams(seed=0))) != rows(list(streams(seed=1)))


def test_a_set_is_taught_in_another_order_each_epoch():
    orders = set()
    size = BatchConfig(num_streams=1, unroll_steps=12, micro_batch_streams=1)
    one_game = Streams(player_games([12]), open_game, size, plane_size=8, seed=0)
    for _ in range(8):
        batch = one_game.next_batch()
        assert batch is not None
        selected = batch.chunks[0].actions.selected_units
        largest = (selected >= 0).sum(-1).argmax()
        orders.add(tuple(selected[largest, 0].tolist()))
    assert len(orders) > 1
    assert len({frozenset(order) for order in orders}) == 1


def test_of_a_set_over_the_limit_a_part_is_taught():
    everybody = np.arange(100, dtype=np.int16)
    stop = NO_OP._replace(action_type=action_type_of_kind("quick"), selected_units=everybody)
    crowd = timeline_of_actions([stop], num_own=100)
    one = BatchConfig(num_streams=1, unroll_steps=1, micro_batch_streams=1)
    batch = Streams(player_games([1]), lambda game: crowd, one, plane_size=8, seed=0).next_batch()
    assert batch is not None
    selected = batch.chunks[0].actions.selected_units[0, 0]
    assert len(set(selected.tolist())) == MAX_SELECTED
    assert selected.max() < 100


def assert_same(expected: Batch, found: Batch) -> None:
    for a, b in zip(leaves(expected.chunks), leaves(found.chunks), strict=True):
        assert torch.equal(a, b)


def leaves(tree: object) -> list[torch.Tensor]:
    if isinstance(tree, torch.Tensor):
        return [tree]
    assert isinstance(tree, tuple)
    return [leaf for part in tree for leaf in leaves(part)]
