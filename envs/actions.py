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
    legality,
    raw_functions,
)
from envs.observations import Shown

NO_OP = 0


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
        tags = self.selected.tolist()
        if self.is_autocast:
            toggle = raw_pb.ActionRawToggleAutocast(ability_id=self.ability_id, unit_tags=tags)
            return raw_pb.ActionRaw(toggle_autocast=toggle)
        command = raw_pb.ActionRawUnitCommand(
            ability_id=self.ability_id, unit_tags=tags, queue_command=self.queued
        )
        if self.target:
            command.target_unit_tag = self.target
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
    if not legality()[:, action.action_type].any():
        raise IllegalActionError(f"{function.name} is not for players: use its general function")
    entities = shown.observation.entities
    selected = np.asarray(action.selected_units, np.int64)
    _require_selectable(selected, entities, function.name)
    arguments = action_arguments()
    target, place = 0, None
    if arguments.target_unit[action.action_type]:
        if not 0 <= action.target_unit < len(entities):
            raise IllegalActionError(
                f"{function.name} needs a target_unit of {len(entities)}, got {action.target_unit}"
            )
        target = int(shown.tags[action.target_unit])
    if arguments.target_location[action.action_type]:
        x, y = action.target_location
        if not (0 <= x < WORLD_SIZE * SUBCELLS and 0 <= y < WORLD_SIZE * SUBCELLS):
            raise IllegalActionError(f"{function.name} needs a target_location, got {(x, y)}")
        place = x / SUBCELLS, y / SUBCELLS
    return Command(
        ability_id=function.ability_id,
        selected=shown.tags[selected],
        target=target,
        place=place,
        queued=action.queued == 1,
        is_autocast=function.kind == "autocast",
    )


def action_of(command: raw_pb.ActionRawUnitCommand, shown: Shown, *, delay: int) -> Recorded:
    """Return a command that the game reports as an action on the observation before it."""
    tags = np.array(command.unit_tags, np.int64)
    row_of = {int(tag): row for row, tag in enumerate(shown.tags.tolist())}
    rows = [row_of[tag] for tag in tags.tolist() if tag in row_of]
    kind, target, place = "quick", 0, (UNKNOWN, UNKNOWN)
    if command.HasField("target_unit_tag"):
        kind, target = "unit", command.target_unit_tag
    elif command.HasField("target_world_space_pos"):
        kind = "point"
        point = command.target_world_space_pos
        place = int(point.x * SUBCELLS), int(point.y * SUBCELLS)
    action_type = function_of_ability(command.ability_id, kind)
    action = Action(
        action_type=UNKNOWN if action_type is None else action_type,
        delay=delay,
        queued=int(command.queue_command),
        selected_units=np.array(rows, np.int16),
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
