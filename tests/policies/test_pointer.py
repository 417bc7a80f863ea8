"""Heads that point at units."""

import torch

from envs.interface import MAX_SELECTED, UNKNOWN
from policies.config import HeadsConfig
from policies.distributions import MINIMUM, Sampling, log_probability
from policies.heads.pointer import SelectedUnitsHead, TargetUnitHead

CONFIG = HeadsConfig(autoregressive_width=16, argument_width=8, key_width=4)


def head_and_inputs(rows: int = 1, entities: int = 4):
    torch.manual_seed(0)
    head = SelectedUnitsHead(CONFIG, entity_width=6)
    units = torch.randn(rows, entities, 6)
    decided = torch.randn(rows, 16)
    able = torch.rand(rows, 320) < 0.5
    return head, (decided, able, head.keys_and_end(units))


def legal_picks(selectable: list[bool], picks: list[int], padding: int = 0) -> list[list[int]]:
    """Return for each pick the columns that may be chosen."""
    head, inputs = head_and_inputs(entities=len(selectable))
    selected = torch.tensor([picks + [UNKNOWN] * padding], dtype=torch.long).view(1, -1)
    logits = head(*inputs, torch.tensor([selectable]), selected)[0]
    return [(row > MINIMUM).nonzero().squeeze(1).tolist() for row in logits]


def test_units_are_picked_once_and_the_end_token_from_the_second_pick_on():
    # Four units, the third not selectable; column 4 is the end token.
    found = legal_picks([True, True, False, True], [3, 0])
    assert found == [[0, 1, 3], [0, 1, 4], [1, 4]]


def test_after_the_end_nothing_may_be_picked():
    found = legal_picks([True, True, True], [1], padding=2)
    assert found == [[0, 1, 2], [0, 2, 3], [], []]


def test_after_the_last_unit_only_the_end_token_is_left():
    found = legal_picks([True, False], [0])
    assert found == [[0], [2]]


def test_after_as_many_as_can_be_selected_only_the_end_token_is_left():
    found = legal_picks([True] * (MAX_SELECTED + 2), list(range(MAX_SELECTED)))
    assert found[-1] == [MAX_SELECTED + 2]
    assert found[-2] == [MAX_SELECTED - 1, MAX_SELECTED, MAX_SELECTED + 1, MAX_SELECTED + 2]


def test_without_a_selectable_unit_nothing_may_be_picked():
    assert legal_picks([False, False], [], padding=1) == [[], []]


def test_all_picks_at_once_equal_pick_after_pick():
    head, inputs = head_and_inputs(rows=3)
    selectable = torch.ones(3, 4, dtype=torch.bool)
    selected = torch.tensor([[2, 0, 3], [1, UNKNOWN, UNKNOWN], [3, 2, UNKNOWN]])
    whole = head(*inputs, selectable, selected)
    for row, count in enumerate([3, 1, 2]):
        one = tuple(part[row : row + 1] for part in inputs)
        for pick in range(count + 1):
            prefix = selected[row : row + 1, :pick]
            logits = head(*one, selectable[row : row + 1], prefix)[:, pick]
            torch.testing.assert_close(logits[0], whole[row, pick])


def test_later_picks_depend_on_earlier_ones():
    head, inputs = head_and_inputs()
    selectable = torch.ones(1, 4, dtype=torch.bool)
    one, two = (head(*inputs, selectable, torch.tensor([[pick, 3]])) for pick in (0, 1))
    torch.testing.assert_close(one[:, 0], two[:, 0])
    assert (one[0, 1, 2:] - two[0, 1, 2:]).abs().max() > 1e-4


def test_a_drawn_selection_scores_what_it_was_drawn_with():
    head, inputs = head_and_inputs(rows=30, entities=6)
    selectable = torch.rand(30, 6) < 0.7
    selectable[0] = False
    drawn = head.draw(
        *inputs,
        selectable,
        sampling=Sampling.DRAW,
        temperature=1.0,
        generator=torch.Generator().manual_seed(0),
    )
    logits = head(*inputs, selectable, drawn.selected_units)
    for row, picks in enumerate(drawn.selected_units.tolist()):
        chosen = [pick for pick in picks if pick != UNKNOWN]
        labels = torch.tensor([*chosen, 6])
        expected = log_probability(logits[row, : len(labels)], labels).sum()
        torch.testing.assert_close(drawn.log_probability[row], expected, rtol=1e-4, atol=1e-5)
        assert len(chosen) >= selectable[row].any()


def test_equal_units_are_equally_likely_targets_and_missing_ones_never():
    torch.manual_seed(0)
    head = TargetUnitHead(CONFIG, entity_width=6)
    units = torch.randn(2, 1, 6).expand(-1, 3, -1)
    mask = torch.tensor([[True, True, False]]).expand(2, -1)
    logits = head(torch.randn(2, 16), torch.rand(2, 320) < 0.5, units, mask)
    expected = torch.tensor([[0.5, 0.5, 0.0]]).expand(2, -1)
    torch.testing.assert_close(logits.softmax(-1), expected)


def test_the_selection_tells_the_heads_after_it_whom():
    head, (_, _, keys) = head_and_inputs()
    one = head.embed(keys, torch.tensor([[0, 1, UNKNOWN]]))
    other_order = head.embed(keys, torch.tensor([[1, 0, UNKNOWN]]))
    two = head.embed(keys, torch.tensor([[0, 2, UNKNOWN]]))
    nothing = head.embed(keys, torch.tensor([[UNKNOWN, UNKNOWN, UNKNOWN]]))
    torch.testing.assert_close(one, other_order)
    assert not torch.allclose(one, two)
    assert (nothing == 0).all()
