"""Who is selected: the player's selection and control groups, from their deltas.

The game never writes down a selection, only what changes: masks over the present list, indices
to keep or to remove, tags to add. A list is kept in ascending order of tags, dead units included
(the masks count them), and group ``ACTIVE`` is the selection itself.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

NUM_GROUPS = 10
ACTIVE = 10


class GroupUpdate(IntEnum):
    """What a control group event does, in the protocol's numbers."""

    SET = 0
    ADD = 1
    RECALL = 2
    CLEAR = 3
    SET_AND_STEAL = 4  # robbed groups get deltas of their own
    ADD_AND_STEAL = 5


class Selection:
    """One user's selection and ten control groups, as unit tags in ascending order."""

    def __init__(self) -> None:
        self._groups: list[list[int]] = [[] for _ in range(NUM_GROUPS + 1)]

    @property
    def selected(self) -> list[int]:
        """Tags of the units selected at the moment, dead ones included."""
        return self._groups[ACTIVE]

    def group(self, index: int) -> list[int]:
        """Return the tags in a control group, dead units included."""
        return self._groups[index]

    def apply_delta(self, group: int, delta: dict[str, Any]) -> None:
        """Apply an ``SSelectionDeltaEvent``: remove by mask, then add, then sort."""
        if group > ACTIVE:
            return
        kept = without_masked(self._groups[group], delta["m_removeMask"])
        self._groups[group] = sorted({*kept, *delta["m_addUnitTags"]})

    def apply_group_update(self, group: int, update: int, mask: dict[str, Any]) -> None:
        """Apply an ``SControlGroupUpdateEvent``."""
        if group >= NUM_GROUPS:
            return
        if update in (GroupUpdate.SET, GroupUpdate.SET_AND_STEAL):
            self._groups[group] = list(self.selected)
        elif update in (GroupUpdate.ADD, GroupUpdate.ADD_AND_STEAL):
            self._groups[group] = sorted({*self._groups[group], *self.selected})
        elif update == GroupUpdate.RECALL:
            self._groups[ACTIVE] = without_masked(self._groups[group], mask)
        elif update == GroupUpdate.CLEAR:
            self._groups[group] = []


def without_masked(tags: Sequence[int], mask: dict[str, Any]) -> list[int]:
    """Return ``tags`` without those that a mask takes away.

    Args:
        tags: in ascending order.
        mask: ``None``; ``Mask``, whose set bits remove, bit i of byte j standing for tag 8 j + i;
            ``OneIndices``, which are removed; or ``ZeroIndices``, which alone are kept.
    """
    if "Mask" in mask:
        _, masked_bytes = mask["Mask"]
        return [
            tag
            for i, tag in enumerate(tags)
            if i // 8 >= len(masked_bytes) or not masked_bytes[i // 8] >> (i % 8) & 1
        ]
    if "OneIndices" in mask:
        removed = set(mask["OneIndices"])
        return [tag for i, tag in enumerate(tags) if i not in removed]
    if "ZeroIndices" in mask:
        return [tags[i] for i in sorted(set(mask["ZeroIndices"])) if i < len(tags)]
    return list(tags)
