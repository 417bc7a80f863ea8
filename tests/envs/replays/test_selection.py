"""Selections and control groups, by hand."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs.replays.selection import ACTIVE, GroupUpdate, Selection, without_masked

NONE: dict[str, Any] = {"None": None}


def delta(add: list[int], mask: dict[str, Any] = NONE) -> dict[str, Any]:
    return {"m_removeMask": mask, "m_addUnitTags": add}


def selection_of(*tags: int) -> Selection:
    selection = Selection()
    selection.apply_delta(ACTIVE, delta(list(tags)))
    return selection


def test_nothing_is_selected_at_first():
    assert Selection().selected == []
    assert all(Selection().group(i) == [] for i in range(11))


def test_units_that_join_are_sorted_by_tag():
    assert selection_of(30, 10, 20).selected == [10, 20, 30]


def test_a_unit_that_joins_twice_is_there_once():
    selection = selection_of(10, 20)
    selection.apply_delta(ACTIVE, delta([20, 15]))
    assert selection.selected == [10, 15, 20]


def test_a_delta_first_removes_and_then_adds_and_then_sorts():
    selection = selection_of(10, 20, 30)
    # Were 5 added or sorted in first, the mask's bit 0 would take it instead of 10.
    selection.apply_delta(ACTIVE, delta([5], {"Mask": (3, [0b001])}))
    assert selection.selected == [5, 20, 30]


def test_a_removed_unit_can_join_in_the_same_delta():
    selection = selection_of(10, 20)
    selection.apply_delta(ACTIVE, delta([10], {"OneIndices": [0]}))
    assert selection.selected == [10, 20]


def test_set_bits_of_a_mask_remove():
    assert without_masked([1, 2, 3, 4], {"Mask": (4, [0b1010])}) == [1, 3]


def test_bit_k_of_byte_j_stands_for_unit_eight_j_plus_k():
    tags = list(range(100, 120))
    masked = without_masked(tags, {"Mask": (20, [0b0000_0001, 0b1000_0000, 0b0000_1000])})
    assert masked == [tag for tag in tags if tag not in (100, 115, 119)]


def test_units_past_a_masks_end_stay():
    assert without_masked(list(range(12)), {"Mask": (3, [0b111])}) == list(range(3, 12))


def test_a_mask_longer_than_the_list_takes_what_is_there():
    assert without_masked([1, 2], {"Mask": (9, [0b10, 1])}) == [1]


def test_no_mask_takes_nothing():
    assert without_masked([1, 2, 3], NONE) == [1, 2, 3]


def test_one_indices_are_removed():
    assert without_masked([1, 2, 3, 4], {"OneIndices": [0, 2, 9]}) == [2, 4]


def test_zero_indices_alone_are_kept():
    assert without_masked([1, 2, 3, 4], {"ZeroIndices": [3, 1, 9]}) == [2, 4]


def test_empty_zero_indices_clear():
    assert without_masked([1, 2, 3], {"ZeroIndices": []}) == []


@given(st.sets(st.integers(0, 40)), st.integers(0, 40))
def test_the_three_kinds_of_mask_say_the_same(removed: set[int], size: int):
    tags = [7 * i for i in range(size)]
    expected = [tag for i, tag in enumerate(tags) if i not in removed]
    bits = sum(1 << i for i in removed)
    mask = {"Mask": (41, list(bits.to_bytes(6, "little")))}
    assert without_masked(tags, mask) == expected
    assert without_masked(tags, {"OneIndices": sorted(removed)}) == expected
    kept = [i for i in range(size) if i not in removed]
    assert without_masked(tags, {"ZeroIndices": kept}) == expected


@pytest.mark.parametrize("update", [GroupUpdate.SET, GroupUpdate.SET_AND_STEAL])
def test_setting_a_group_replaces_it_by_the_selection(update: GroupUpdate):
    selection = selection_of(10, 20)
    selection.apply_delta(3, delta([99]))
    selection.apply_group_update(3, update, NONE)
    assert selection.group(3) == [10, 20]
    assert selection.selected == [10, 20]


@pytest.mark.parametrize("update", [GroupUpdate.ADD, GroupUpdate.ADD_AND_STEAL])
def test_adding_to_a_group_joins_the_selection_to_it(update: GroupUpdate):
    selection = selection_of(10, 20)
    selection.apply_delta(3, delta([15, 20]))
    selection.apply_group_update(3, update, NONE)
    assert selection.group(3) == [10, 15, 20]


@pytest.mark.parametrize("update", [GroupUpdate.SET_AND_STEAL, GroupUpdate.ADD_AND_STEAL])
def test_stealing_leaves_other_groups_to_their_own_deltas(update: GroupUpdate):
    selection = selection_of(10, 20)
    selection.apply_group_update(1, GroupUpdate.SET, NONE)
    selection.apply_group_update(2, update, NONE)
    assert selection.group(1) == [10, 20]
    selection.apply_delta(1, delta([], {"ZeroIndices": []}))
    assert selection.group(1) == []
    assert selection.group(2) == [10, 20]


def test_recalling_a_group_selects_it():
    selection = selection_of(10, 20)
    selection.apply_delta(0, delta([30, 40]))
    selection.apply_group_update(0, GroupUpdate.RECALL, NONE)
    assert selection.selected == [30, 40]


def test_a_recall_mask_touches_only_the_selection():
    selection = selection_of(1)
    selection.apply_delta(5, delta([30, 40, 50]))
    selection.apply_group_update(5, GroupUpdate.RECALL, {"Mask": (2, [0b10])})
    assert selection.selected == [30, 50]
    assert selection.group(5) == [30, 40, 50]


def test_a_stored_group_does_not_follow_the_selection():
    selection = selection_of(10)
    selection.apply_group_update(9, GroupUpdate.SET, NONE)
    selection.apply_delta(ACTIVE, delta([20]))
    assert selection.group(9) == [10]
    selection.apply_group_update(9, GroupUpdate.RECALL, NONE)
    selection.apply_delta(ACTIVE, delta([30]))
    assert selection.group(9) == [10]


def test_clearing_a_group_leaves_the_selection():
    selection = selection_of(10)
    selection.apply_group_update(4, GroupUpdate.SET, NONE)
    selection.apply_group_update(4, GroupUpdate.CLEAR, NONE)
    assert selection.group(4) == []
    assert selection.selected == [10]


def test_updates_are_numbered_as_the_protocol_does():
    assert [update.value for update in GroupUpdate] == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("group", [10, 11, 15])
def test_groups_that_do_not_exist_change_nothing(group: int):
    selection = selection_of(10)
    selection.apply_group_update(group, GroupUpdate.CLEAR, NONE)
    if group > ACTIVE:
        selection.apply_delta(group, delta([5]))
    assert selection.selected == [10]
