"""``Action`` <-> the SC2 API's commands.

An action points at rows of an observation; a command names units by tag and abilities by number.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from s2clientprotocol import raw_pb2 as raw_pb

from envs.game_numbers import function_of_ability
from envs.interface import (
    NUM_ACTION_TYPES,
    SUBCELLS,
    UNKNOWN,
    WORLD_SIZE,
    Action,
    Alliance,
    EntityFeature,
    action_arguments,
    raw_functions,
)
from envs.observations import Shown

NO_OP = 0

GivenToUnits = raw_pb.ActionRawUnitCommand | raw_pb.ActionRawToggleAutocast

_ALL_64 = (1 << 64) - 1
_WORLD_END = WORLD_SIZE * SUBCELLS - 1
_NOWHERE = (UNKNOWN, UNKNOWN)


class IllegalActionError(ValueError):
    """An action that is no command; the message says why."""


class Command(NamedTuple):
    """What an action asks of the game."""

    ability_id: int
    selected: NDArray[np.int64]  # tags
    target: int  # tag, 0 for none
    place: tuple[float, float] | None  # world units
    queued: bool
    is_autocast: bool

    def message(self) -> raw_pb.ActionRaw:
        """Return the command as the API takes it."""
        tags = self.selected.view(np.uint64).tolist()
        if self.is_autocast:
            toggle = raw_pb.ActionRawToggleAutocast(ability_id=self.ability_id, unit_tags=tags)
            return raw_pb.ActionRaw(toggle_autocast=toggle)
        command = raw_pb.ActionRawUnitCommand(
            ability_id=self.ability_id, unit_tags=tags, queue_command=self.queued
        )
        if self.target:
            command.target_unit_tag = self.target & _ALL_64
        elif self.place is not None:
            command.target_world_space_pos.x, command.target_world_space_pos.y = self.place
        return raw_pb.ActionRaw(unit_command=command)


class Recorded(NamedTuple):
    """An action that a game reports, and the tags of whom it was about."""

    action: Action
    selected: NDArray[np.int64]
    target: int  # 0 for none


def command_of(action: Action, shown: Shown) -> Command | None:
    """Return what an action asks of the game; None for ``no_op``.

    Args:
        action: its rows are those of the observation.
        shown: the observation that it was chosen on.

    Raises:
        IllegalActionError: the action cannot be done, and why.
    """
    if not 0 <= action.action_type < NUM_ACTION_TYPES:
        raise IllegalActionError(
            f"action_type must be 0 to {NUM_ACTION_TYPES - 1}, got {action.action_type}"
        )
    if action.action_type == NO_OP:
        return None
    function = raw_functions()[action.action_type]
    if function.kind == "camera":
        raise IllegalActionError(f"{function.name} is not for players: there is no camera")
    if function.general_ability_id:
        raise IllegalActionError(f"{function.name} is not for players: use its general function")
    selected = np.asarray(action.selected_units, np.int64)
    _require_selectable(selected, shown.observation.entities, function.name)
    arguments = action_arguments()
    has_target = arguments.target_unit[action.action_type]
    has_place = arguments.target_location[action.action_type]
    return Command(
        ability_id=function.ability_id,
        selected=shown.tags[selected],
        target=_target(action.target_unit, shown, function.name) if has_target else 0,
        place=_place(action.target_location, function.name) if has_place else None,
        queued=action.queued == 1,
        is_autocast=function.kind == "autocast",
    )


def action_of(command: GivenToUnits, shown: Shown, *, delay: int) -> Recorded:
    """Return a command that the game reports as an action on the observation before it.

    A command on a unit whose function takes only a point becomes one on the unit's place. What
    has no function, or is not among the entities, is ``UNKNOWN``.
    """
    tags = np.array(command.unit_tags, np.uint64).view(np.int64)
    row_of = {tag: row for row, tag in enumerate(shown.tags.tolist())}
    kind, target, place, queued = "autocast", 0, _NOWHERE, UNKNOWN
    if isinstance(command, raw_pb.ActionRawUnitCommand):
        kind, queued = "quick", int(command.queue_command)
        if command.HasField("target_unit_tag"):
            kind, target = "unit", int(np.uint64(command.target_unit_tag).view(np.int64))
        elif command.HasField("target_world_space_pos"):
            point = command.target_world_space_pos
            kind, place = "point", (_subcells(point.x), _subcells(point.y))
    action_type = function_of_ability(command.ability_id, kind)
    if action_type is None and kind == "unit":
        action_type = function_of_ability(command.ability_id, "point")
        if action_type is not None:
            place, target = _place_of(row_of.get(target), shown), 0
    action = Action(
        action_type=UNKNOWN if action_type is None else action_type,
        delay=delay,
        queued=queued,
        selected_units=np.array([row_of[t] for t in tags.tolist() if t in row_of], np.int16),
        target_unit=row_of.get(target, UNKNOWN),
        target_location=place,
    )
    return Recorded(action, tags, target)


def _require_selectable(
    selected: NDArray[np.int64], entities: NDArray[np.int16], name: str
) -> None:
    if not len(selected):
        raise IllegalActionError(f"{name} needs selected_units, got none")
    if selected.min() < 0 or selected.max() >= len(entities):
        raise IllegalActionError(
            f"selected_units must be rows of {len(entities)} entities, got {selected.tolist()}"
        )
    own = entities[selected, EntityFeature.ALLIANCE] == Alliance.SELF
    if not (own & (entities[selected, EntityFeature.IS_IN_CARGO] != 1)).all():
        raise IllegalActionError(f"selected_units of {name} must be the player's own")


def _target(row: int, shown: Shown, name: str) -> int:
    """Return the tag of an entity."""
    if not 0 <= row < len(shown.tags):
        raise IllegalActionError(
            f"{name} needs a target_unit, a row of {len(shown.tags)} entities, got {row}"
        )
    return int(shown.tags[row])


def _place(location: tuple[int, int], name: str) -> tuple[float, float]:
    """Return a place of the world in world units."""
    x, y = location
    if not (0 <= x <= _WORLD_END and 0 <= y <= _WORLD_END):
        raise IllegalActionError(
            f"{name} needs a target_location, two numbers of 0 to {_WORLD_END}, got {(x, y)}"
        )
    return x / SUBCELLS, y / SUBCELLS


def _place_of(row: int | None, shown: Shown) -> tuple[int, int]:
    """Return where an entity is, in subcells; nowhere if it is not shown."""
    if row is None:
        return _NOWHERE
    x, y = shown.observation.entities[row, [EntityFeature.X, EntityFeature.Y]].tolist()
    return x, y


def _subcells(coordinate: float) -> int:
    """Return a coordinate in world units as one of an action."""
    return int(min(max(coordinate * SUBCELLS, 0), _WORLD_END))
