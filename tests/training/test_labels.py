"""Labels: what counts for which head, and what is dropped and counted."""

from typing import Any

import numpy as np
import pytest
import torch

from envs.interface import (
    UNKNOWN,
    Action,
    Alliance,
    EntityFeature,
    legality,
    raw_functions,
    read_table,
)
from envs.timeline import StepFlag
from policies.batch import HeadMasks, stack_actions, stack_observations
from policies.policy import Policy
from tests.builders import NO_OP, action_type_of_kind, make_observation, small_policy_config
from training.labels import Labels, labels_of_steps

COMMAND = StepFlag.CLEAN | StepFlag.MAPPED
ATTACK = Action(
    action_type=action_type_of_kind("unit"),
    delay=5,
    queued=0,
    selected_units=np.array([0, 2], np.int16),
    target_unit=5,
    target_location=(UNKNOWN, UNKNOWN),
)


def labels(
    action: Action,
    *,
    flags: int = COMMAND,
    is_last: bool = False,
    num_selected_missing: int = 0,
    **changes: Any,
) -> Labels:
    """The labels of one step; ``changes`` set columns of the first entity."""
    observation = make_observation(np.random.default_rng(0))
    for name, value in changes.items():
        observation.entities[0, EntityFeature[name]] = value
    return labels_of_steps(
        stack_observations([[observation]]),
        stack_actions([[action]]),
        flags=torch.tensor([[int(flags)]]),
        num_selected_missing=torch.tensor([[num_selected_missing]]),
        is_last=torch.tensor([[is_last]]),
    )


def named(masks: HeadMasks) -> set[str]:
    return {name for name, mask in masks._asdict().items() if mask.item()}


def test_a_selection_of_which_a_unit_is_not_shown_teaches_nobody_when_to_stop():
    found = labels(ATTACK, num_selected_missing=1)
    assert named(found.dropped) == {"selected_units"}
    assert "selected_units" not in named(found.masks)


def test_a_command_teaches_the_heads_that_it_uses():
    found = labels(ATTACK)
    assert named(found.masks) == {"action_type", "delay", "queued", "selected_units", "target_unit"}
    assert named(found.dropped) == set()


def test_a_synthetic_wait_teaches_what_to_do_and_how_long():
    assert named(labels(NO_OP, flags=StepFlag.SYNTHETIC).masks) == {"action_type", "delay"}


def test_a_command_without_a_function_teaches_nothing():
    found = labels(ATTACK._replace(action_type=UNKNOWN), flags=StepFlag.CLEAN)
    assert named(found.masks) == named(found.dropped) == set()


def test_the_wait_after_the_last_step_is_unknown():
    found = labels(ATTACK._replace(delay=UNKNOWN), is_last=True)
    assert "delay" not in named(found.masks) | named(found.dropped)


@pytest.mark.parametrize(
    ("head", "changes"),
    [
        ("queued", {"queued": UNKNOWN}),
        ("selected_units", {"selected_units": np.zeros(0, np.int16)}),
        ("target_unit", {"target_unit": UNKNOWN}),
    ],
)
def test_a_missing_argument_is_dropped_and_counted(head: str, changes: dict[str, Any]):
    found = labels(ATTACK._replace(**changes))
    assert named(found.dropped) == {head}
    assert head not in named(found.masks)


def test_units_of_others_and_passengers_are_no_labels():
    among_others = ATTACK._replace(selected_units=np.array([5, 0, 3], np.int16))
    assert labels(among_others).actions.selected_units[0, 0].tolist() == [0, 3, UNKNOWN]
    aboard = labels(among_others, IS_IN_CARGO=1)
    assert aboard.actions.selected_units[0, 0].tolist() == [3, UNKNOWN, UNKNOWN]
    taken_over = labels(ATTACK._replace(selected_units=np.array([0])), ALLIANCE=Alliance.ENEMY)
    assert named(taken_over.dropped) == {"selected_units"}


def test_where_cargo_is_known_units_that_cannot_do_it_are_no_labels():
    names = [row["name"] for row in read_table("unit_types.csv")]
    larva, egg = names.index("Larva"), names.index("Egg")
    functions = [function.name for function in raw_functions()]
    train = ATTACK._replace(action_type=functions.index("Train_Drone_quick"))
    assert legality()[[larva, egg], train.action_type].tolist() == [True, False]
    unknown = labels(train, UNIT_TYPE=egg, IS_IN_CARGO=UNKNOWN)
    assert unknown.actions.selected_units[0, 0].tolist() == [0, 2]
    known = labels(train, UNIT_TYPE=egg, IS_IN_CARGO=0)
    assert known.actions.selected_units[0, 0].tolist() == [2, UNKNOWN]
    larvae = labels(train, UNIT_TYPE=larva, IS_IN_CARGO=0)
    assert larvae.actions.selected_units[0, 0].tolist() == [0, 2]


def test_what_no_unit_can_do_is_dropped_and_the_other_heads_stay():
    impossible = int(np.flatnonzero(~legality()[0])[0])
    found = labels(ATTACK._replace(action_type=impossible))
    assert "action_type" in named(found.dropped)
    assert "delay" in named(found.masks)


def test_legal_here_is_legal_in_the_policy():
    generator = np.random.default_rng(0)
    observations = [make_observation(generator, num_own=3) for _ in range(200)]
    for observation in observations:
        observation.entities[:, EntityFeature.UNIT_TYPE] = generator.integers(1, 270, 6)
    steps = [[observation] for observation in observations]
    types = [
        int(generator.choice(np.flatnonzero(legality()[row])))
        for row in generator.integers(1, 270, 200)
    ]
    actions = stack_actions([[NO_OP._replace(action_type=t)] for t in types])
    found = labels_of_steps(
        stack_observations(steps),
        actions,
        flags=torch.full((200, 1), int(COMMAND)),
        num_selected_missing=torch.zeros(200, 1, dtype=torch.int32),
        is_last=torch.zeros(200, 1, dtype=torch.bool),
    )
    policy = Policy(small_policy_config())
    none = torch.zeros(200, 1, dtype=torch.bool)
    every_action_type = HeadMasks(~none, none, none, none, none, none)
    small = stack_observations(
        [[o._replace(map_planes=o.map_planes[:, :8, :8])] for o in observations]
    )
    logits = policy(small, actions, policy.initial_state(1), none, every_action_type).action_type
    is_legal = logits.gather(1, actions.action_type)[:, 0] > -1e8
    assert is_legal.any()
    assert not is_legal.all()
    assert torch.equal(found.masks.action_type[:, 0], is_legal)
