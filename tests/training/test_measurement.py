"""What a policy is measured by, against slow plain Python."""

import numpy as np
import pytest
import torch

from envs.interface import (
    SUBCELLS,
    UNKNOWN,
    WORLD_SIZE,
    EntityLimits,
    Race,
    action_arguments,
    legality,
)
from envs.timeline import StepFlag, Timeline
from policies.policy import Policy
from tests.builders import (
    NO_OP,
    action_type_of_kind,
    make_timeline,
    small_policy_config,
    timeline_of_actions,
)
from training.config import BatchConfig
from training.dataset import PlayerGame, Split
from training.measurement import FORBIDDEN_PROBABILITY, CommandScores, measure
from training.seeding import seed_first_weights
from training.streams import Streams


def streams(
    timelines: list[Timeline],
    *,
    num_streams: int = 3,
    unroll_steps: int = 5,
    limits: EntityLimits = EntityLimits(),
) -> Streams:
    games = [
        PlayerGame(str(i), "", 0, Race.ZERG, Race.ZERG, timeline.num_steps, Split.TEST, "")
        for i, timeline in enumerate(timelines)
    ]
    size = BatchConfig(
        num_streams=num_streams, unroll_steps=unroll_steps, micro_batch_streams=num_streams
    )
    return Streams(
        games,
        lambda game: timelines[int(game.game_id)],
        size,
        plane_size=8,
        limits=limits,
        seed=0,
        num_epochs=1,
    )


def make_policy() -> Policy:
    seed_first_weights(0)
    return Policy(small_policy_config()).eval()


def measured(timelines: list[Timeline], **sizes: int) -> CommandScores:
    return measure(make_policy(), streams(timelines, **sizes), show=lambda read: None)


def test_every_scored_command_is_measured_once_in_order():
    timelines = [make_timeline(i, num_steps=length) for i, length in enumerate([7, 4, 11, 1, 6])]
    scores = measured(timelines)
    expected = [
        (game, step)
        for game, timeline in enumerate(timelines)
        for step in range(timeline.num_steps)
        if timeline.step_flags[step] & StepFlag.CLEAN
    ]
    assert list(zip(scores.game.tolist(), scores.step.tolist(), strict=True)) == expected
    loops = [timelines[game].step_loop[step] for game, step in expected]
    assert scores.loop.tolist() == loops


def test_how_games_are_laid_side_by_side_changes_nothing():
    timelines = [make_timeline(i, num_steps=length) for i, length in enumerate([7, 4, 11, 6])]
    one, many = measured(timelines, num_streams=1, unroll_steps=3), measured(timelines)
    for name, expected, found in zip(CommandScores._fields, one, many, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-4, err_msg=name)


def test_what_the_policy_is_not_shown_counts_as_wrong():
    timelines = [make_timeline(i, num_steps=30) for i in range(3)]
    everything, little = measured(timelines), measured(timelines, limits=EntityLimits(total=2))
    for name in ("selected_units", "target_unit"):
        before = getattr(everything, f"{name}_shown")
        after = getattr(little, f"{name}_shown")
        assert (np.isnan(before) == np.isnan(after)).all()
        assert np.nanmean(before) == 1
        assert 0 <= np.nanmean(after) < 1
    hidden = little.selected_units_shown == 0
    assert (little.selected_units_iou[hidden] == 0).all()
    assert (little.selected_units_exact[hidden] == 0).all()
    assert (little.target_unit_top1[little.target_unit_shown == 0] == 0).all()


@torch.no_grad()
def test_numbers_are_what_the_policy_says():
    timeline = make_timeline(0, num_steps=12)
    policy = make_policy()
    scores = measure(policy, streams([timeline], num_streams=1), show=lambda read: None)
    batch = streams([timeline], num_streams=1, unroll_steps=12).next_batch()
    assert batch is not None
    chunk = batch.chunks[0]
    output = policy(
        chunk.observations, chunk.actions, policy.initial_state(1), chunk.is_first, chunk.masks
    )
    location_row = command = 0
    for step in range(12):
        action_type = int(timeline.step_action_type[step])
        if action_type != 0:
            log_probabilities = output.action_type[step].log_softmax(0)
            assert scores.action_type_nll[command] == pytest.approx(
                -float(log_probabilities[action_type]), rel=1e-4
            )
            above = int((log_probabilities > log_probabilities[action_type]).sum())
            assert scores.action_type_top1[command] == (above == 0)
            assert scores.action_type_top5[command] == (above < 5)
        if action_arguments().target_location[action_type]:
            y, x = divmod(int(output.target_location[location_row].argmax()), 8)
            side = WORLD_SIZE / 8
            place = timeline.step_target_x[step], timeline.step_target_y[step]
            distance = np.hypot(
                (x + 0.5) * side - place[0] / SUBCELLS, (y + 0.5) * side - place[1] / SUBCELLS
            )
            assert scores.target_location_distance[command] == pytest.approx(distance, abs=0.05)
            location_row += 1
        command += action_type != 0
    assert location_row > 0


def test_the_delay_is_judged_by_the_median():
    timeline = timeline_of_actions(
        [NO_OP._replace(action_type=action_type_of_kind("quick"), delay=d) for d in (20, 1, 1)]
    )
    policy = make_policy()
    with torch.no_grad():
        for parameter in policy.delay.layers[-1].parameters():
            parameter.zero_()
        policy.delay.layers[-1].bias[5] = 30.0 + np.log(0.7)
        policy.delay.layers[-1].bias[9] = 30.0 + np.log(0.3)
    scores = measure(policy, streams([timeline]), show=lambda read: None)
    assert scores.delay_error.tolist()[:2] == [15.0, 4.0]
    assert np.isnan(scores.delay_error[2])


def test_a_forbidden_label_is_wrong_and_costs_the_stated_price():
    impossible = int(np.flatnonzero(~legality()[0])[0])
    scores = measured([timeline_of_actions([NO_OP._replace(action_type=impossible)])])
    assert scores.is_forbidden.tolist() == [1.0]
    assert scores.action_type_top1.tolist() == scores.action_type_top5.tolist() == [0.0]
    assert scores.action_type_nll[0] == pytest.approx(-np.log(FORBIDDEN_PROBABILITY))


@pytest.mark.parametrize("end", [1.0, -1.0])  # one sign of its key ends early, the other late
@pytest.mark.parametrize("selected", [[0], [3, 1], [0, 1, 2, 3]])
def test_selections_are_compared_as_sets(selected: list[int], end: float):
    stop = NO_OP._replace(
        action_type=action_type_of_kind("quick"),
        queued=0,
        selected_units=np.array(selected, np.int16),
    )
    timeline = timeline_of_actions([stop])
    policy = make_policy()
    policy.selected_units.end_key.data *= end
    scores = measure(policy, streams([timeline]), show=lambda read: None)
    true, found = set(selected), greedy_picks(policy, timeline)
    assert scores.selected_units_iou[0] == pytest.approx(len(true & found) / len(true | found))
    assert scores.selected_units_exact[0] == float(true == found)


def greedy_picks(policy: Policy, timeline: Timeline) -> set[int]:
    """The policy's likeliest picks, each after those before it, until it ends."""
    batch = streams([timeline], num_streams=1, unroll_steps=1).next_batch()
    assert batch is not None
    chunk = batch.chunks[0]
    picked: list[int] = []
    while True:
        actions = chunk.actions._replace(selected_units=torch.tensor([[[*picked, UNKNOWN]]]))
        logits = policy(
            chunk.observations, actions, policy.initial_state(1), chunk.is_first, chunk.masks
        ).selected_units[0, len(picked)]
        choice = int(logits.argmax())
        if choice == len(logits) - 1 or logits.max() < -1e8:
            return set(picked)
        picked.append(choice)


def test_measuring_leaves_the_policy_as_it_was():
    policy = make_policy()
    before = {name: tensor.clone() for name, tensor in policy.state_dict().items()}
    measure(policy, streams([make_timeline(0)]), show=lambda read: None)
    for name, tensor in policy.state_dict().items():
        assert torch.equal(before[name], tensor)
    assert not policy.selected_units._forward_pre_hooks
