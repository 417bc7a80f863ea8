"""From one user's events to commands: who is told to do what, to whom, where.

From Legacy of the Void on, pressing the same again writes no new command but an
``SCommandManagerStateEvent``; it repeats the last one with the present selection, and with a new
target if one was written just before. More than half of all commands are of this kind.
"""

from typing import Any, NamedTuple

from envs.interface import SUBCELLS
from envs.replays.abilities import Ability, Target, find_ability
from envs.replays.events import Event
from envs.replays.selection import Selection

COMMAND_EVENTS = frozenset(
    {
        "SCmdEvent",
        "SCmdUpdateTargetPointEvent",
        "SCmdUpdateTargetUnitEvent",
        "SCommandManagerStateEvent",
        "SSelectionDeltaEvent",
        "SControlGroupUpdateEvent",
    }
)

_QUEUED = 0x2
_AUTOCAST = 0x40
_REPEATED = 1
_FIXED_POINT = 4096


class Command(NamedTuple):
    """One command as given."""

    loop: int
    ability: Ability
    queued: bool
    repeated: bool
    tags: tuple[int, ...]  # the selection, dead units included
    target_tag: int | None
    place: tuple[int, int] | None  # subcells; of the target unit where there is one
    is_target_fresh: bool  # given with this command, not left over from the one repeated


class CommandReader:
    """Reads one user's events in order."""

    def __init__(self, base_build: int) -> None:
        self._base_build = base_build
        self._selection = Selection()
        self._fields: dict[str, Any] | None = None  # of the last command
        self._data: dict[str, Any] = {}  # its target, as last updated
        self._is_fresh = False

    def read(self, event: Event) -> Command | None:
        """Take in an event; return the command that it is, if it is one."""
        fields = event.fields
        if event.name == "SSelectionDeltaEvent":
            self._selection.apply_delta(fields["m_controlGroupId"], fields["m_delta"])
        elif event.name == "SControlGroupUpdateEvent":
            self._selection.apply_group_update(
                fields["m_controlGroupIndex"], fields["m_controlGroupUpdate"], fields["m_mask"]
            )
        elif event.name == "SCmdUpdateTargetPointEvent":
            self._data, self._is_fresh = {"TargetPoint": fields["m_target"]}, True
        elif event.name == "SCmdUpdateTargetUnitEvent":
            self._data, self._is_fresh = {"TargetUnit": fields["m_target"]}, True
        elif event.name == "SCmdEvent":
            self._fields, self._data, self._is_fresh = fields, fields["m_data"], True
            return self._command(event.loop, repeated=False)
        elif event.name == "SCommandManagerStateEvent" and fields["m_state"] == _REPEATED:
            return self._command(event.loop, repeated=True)
        return None

    def _command(self, loop: int, *, repeated: bool) -> Command | None:
        if self._fields is None:
            return None  # repeats what was before the replay
        flags, used = self._fields["m_cmdFlags"], self._fields["m_abil"]
        target, tag, place = Target.NOTHING, None, None
        if "TargetPoint" in self._data:
            target, place = Target.POINT, _place(self._data["TargetPoint"])
        elif "TargetUnit" in self._data:
            unit = self._data["TargetUnit"]
            target, tag, place = Target.UNIT, unit["m_tag"], _place(unit["m_snapshotPoint"])
        elif flags & _AUTOCAST:
            target = Target.AUTOCAST
        is_fresh, self._is_fresh = self._is_fresh, False
        link, index = (used["m_abilLink"], used["m_abilCmdIndex"]) if used else (None, 0)
        return Command(
            loop=loop,
            ability=find_ability(self._base_build, link, index, target),
            queued=bool(flags & _QUEUED),
            repeated=repeated,
            tags=tuple(self._selection.selected),
            target_tag=tag,
            place=place,
            is_target_fresh=is_fresh,
        )


def _place(point: dict[str, int]) -> tuple[int, int]:
    """Return a point of the event stream in subcells."""
    return point["x"] * SUBCELLS // _FIXED_POINT, point["y"] * SUBCELLS // _FIXED_POINT
