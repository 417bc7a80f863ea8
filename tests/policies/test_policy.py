"""The laws that the assembled network keeps."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from envs.interface import (
    ENTITY_FEATURES,
    MAP_PLANES,
    MAX_SELECTED,
    SCALAR_FEATURES,
    UNKNOWN,
    Alliance,
    EntityFeature,
    Knowledge,
)
from policies.batch import Actions, HeadMasks, Observations
from policies.config import PolicyConfig
from policies.core import CoreState
from policies.distributions import MINIMUM, Sampling, is_legal
from policies.policy import Policy, PolicyOutput, log_probabilities, unit_counts, used_heads
from tests.policies.policy_batches import (
    FEED_FORWARD,
    LSTM,
    PERCEIVER,
    TRANSFORMER,
    PolicyBatch,
    random_batch,
    small_config,
)

ENCODERS = pytest.mark.parametrize("encoder", [PERCEIVER, TRANSFORMER], ids=["perceiver", "plain"])
CORES = pytest.mark.parametrize("core", [LSTM, FEED_FORWARD], ids=["lstm", "feed_forward"])


def make_policy(config: PolicyConfig | None = None) -> Policy:
    torch.manual_seed(0)
    return Policy(config or small_config())


def run(policy: Policy, batch: PolicyBatch, state: CoreState | None = None) -> PolicyOutput:
    size = batch.is_first.shape[1]
    return policy(
        batch.observations,
        batch.actions,
        policy.initial_state(size) if state is None else state,
        batch.is_first,
        batch.masks,
    )


def scores(policy: Policy, batch: PolicyBatch, output: PolicyOutput) -> Tensor:
    return log_probabilities(
        output, batch.actions, batch.masks, location_size=policy.config.location_size
    ).total()


def part(batch: PolicyBatch, start: int, stop: int) -> PolicyBatch:
    return PolicyBatch(
        Observations(*(x[start:stop] for x in batch.observations)),
        Actions(*(x[start:stop] for x in batch.actions)),
        batch.is_first[start:stop],
        HeadMasks(*(x[start:stop] for x in batch.masks)),
    )


def act_on(policy: Policy, batch: PolicyBatch, *, seed: int = 0, **changes: object):
    options = {
        "sampling": Sampling.DRAW,
        "temperature": 1.0,
        "generator": torch.Generator().manual_seed(seed),
        **changes,
    }
    state = policy.initial_state(batch.is_first.shape[1])
    return policy.act(batch.observations, state, batch.is_first, **options)


@ENCODERS
@CORES
def test_every_parameter_gets_a_gradient(encoder, core):
    policy = make_policy(small_config(entity_encoder=encoder, core=core))
    batch = random_batch(time=4, batch=3)
    output = run(policy, batch)
    loss = output.values.pow(2).sum() - scores(policy, batch, output).clamp(min=-100).sum()
    loss.backward()
    without = [
        name
        for name, parameter in policy.named_parameters()
        if parameter.grad is None or not parameter.grad.abs().sum() > 0
    ]
    assert without == []
    assert all(parameter.grad.isfinite().all() for parameter in policy.parameters())


@ENCODERS
@CORES
def test_acting_and_learning_give_one_log_probability(encoder, core):
    policy = make_policy(small_config(entity_encoder=encoder, core=core))
    batch = part(random_batch(time=1, batch=40), 0, 1)
    acted = act_on(policy, batch)
    used = used_heads(acted.actions.action_type)
    assert all(mask.any() for mask in used), "too few actions to try every head"
    learned = run(policy, batch._replace(actions=acted.actions, masks=used))
    found = log_probabilities(
        learned, acted.actions, used, location_size=policy.config.location_size
    )
    for one, other in zip(found, acted.log_probabilities, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(learned.values, acted.values)


def test_a_whole_game_acted_equals_the_same_game_learned():
    policy = make_policy()
    batch = random_batch(time=5, batch=2)
    state, acted = policy.initial_state(2), []
    for t in range(5):
        step = part(batch, t, t + 1)
        output = policy.act(
            step.observations,
            state,
            step.is_first,
            sampling=Sampling.GREEDY,
            temperature=1.0,
            generator=torch.Generator(),
        )
        state = output.state
        acted.append(output)
    most = max(output.actions.selected_units.shape[-1] for output in acted)

    def joined(name: str) -> Tensor:
        parts = [getattr(output.actions, name) for output in acted]
        if name == "selected_units":
            pads = [(0, most - x.shape[-1]) for x in parts]
            parts = [
                torch.nn.functional.pad(x, pad, value=UNKNOWN)
                for x, pad in zip(parts, pads, strict=True)
            ]
        return torch.cat(parts)

    actions = Actions(*(joined(name) for name in Actions._fields))
    batch = batch._replace(actions=actions, masks=used_heads(actions.action_type))
    output = run(policy, batch)
    expected = torch.cat([step.log_probabilities.total() for step in acted])
    torch.testing.assert_close(scores(policy, batch, output), expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(output.state.hidden, state.hidden)


@ENCODERS
def test_padding_entities_changes_nothing(encoder):
    policy = make_policy(small_config(entity_encoder=encoder))
    batch = random_batch()
    entities = batch.observations.entities
    noise = torch.randint(0, 5, (*entities.shape[:2], 4, entities.shape[-1])).short()
    noise[..., EntityFeature.ALLIANCE] = Alliance.SELF
    mask = batch.observations.entity_mask
    padded = batch.observations._replace(
        entities=torch.cat([entities, noise], 2),
        entity_mask=torch.cat([mask, torch.zeros(*mask.shape[:2], 4, dtype=torch.bool)], 2),
    )
    one, two = run(policy, batch), run(policy, batch._replace(observations=padded))
    for name in ("action_type", "delay", "queued", "target_location", "values"):
        close(getattr(one, name), getattr(two, name))
    count = entities.shape[2]
    close(one.target_unit, two.target_unit[:, :count])
    assert (two.target_unit[:, count:] == MINIMUM).all()
    close(one.selected_units[..., :-1], two.selected_units[..., :count])
    close(one.selected_units[..., -1], two.selected_units[..., -1])


@ENCODERS
def test_the_order_of_entities_permutes_the_pointers_and_changes_nothing_else(encoder):
    policy = make_policy(small_config(entity_encoder=encoder))
    batch = random_batch()
    count = batch.observations.entities.shape[2]
    order = torch.randperm(count, generator=torch.Generator().manual_seed(1))
    observations = batch.observations._replace(
        entities=batch.observations.entities[:, :, order],
        entity_mask=batch.observations.entity_mask[:, :, order],
    )
    place = order.argsort()

    def moved(rows: Tensor) -> Tensor:
        return place[rows.clamp(min=0)].where(rows >= 0, rows)

    actions = batch.actions._replace(
        selected_units=moved(batch.actions.selected_units),
        target_unit=moved(batch.actions.target_unit),
    )
    one = run(policy, batch)
    two = run(policy, batch._replace(observations=observations, actions=actions))
    for name in ("action_type", "delay", "queued", "target_location", "values"):
        close(getattr(one, name), getattr(two, name))
    close(one.target_unit[:, order], two.target_unit)
    close(one.selected_units[..., order], two.selected_units[..., :-1])
    close(one.selected_units[..., -1], two.selected_units[..., -1])


def test_event_knowledge_ignores_what_events_do_not_tell():
    policy = make_policy(small_config(knowledge=Knowledge.EVENTS))
    batch = random_batch()
    seen = batch.observations

    def scrambled(values: Tensor, features: dict, axis: int) -> Tensor:
        hidden = [int(c) for c, feature in features.items() if not feature.known_by_events]
        index = torch.tensor(hidden)
        return values.index_fill(axis, index, 1)

    other = seen._replace(
        entities=scrambled(seen.entities, ENTITY_FEATURES, 3),
        map_planes=scrambled(seen.map_planes, MAP_PLANES, 2),
        scalars=scrambled(seen.scalars, SCALAR_FEATURES, 2),
    )
    assert not torch.equal(other.entities, seen.entities)
    one, two = run(policy, batch), run(policy, batch._replace(observations=other))
    for x, y in zip(one[:-1], two[:-1], strict=True):
        assert torch.equal(x, y)
    game = make_policy()
    assert not torch.equal(
        run(game, batch).values, run(game, batch._replace(observations=other)).values
    )


@CORES
def test_a_chunk_over_a_game_boundary_equals_two_separate_runs(core):
    policy = make_policy(small_config(core=core))
    batch = random_batch(time=6)
    batch.is_first[4] = True
    whole = run(policy, batch)
    second = run(policy, part(batch, 4, 6))
    torch.testing.assert_close(whole.values[4:], second.values)
    torch.testing.assert_close(whole.state.hidden, second.state.hidden)


def test_memory_goes_on_where_the_last_chunk_ended():
    policy = make_policy()
    batch = random_batch(time=6)
    whole = run(policy, batch)
    first = run(policy, part(batch, 0, 3))
    second = run(policy, part(batch, 3, 6), first.state)
    torch.testing.assert_close(whole.values, torch.cat([first.values, second.values]))
    forgetful = run(policy, part(batch, 3, 6))
    assert not torch.allclose(forgetful.values, second.values)


def test_one_batch_is_learned_by_heart():
    policy = make_policy()
    batch = random_batch(time=4, batch=2)
    optimizer = torch.optim.Adam(policy.parameters(), lr=0.005)
    losses = []
    for _ in range(100):
        optimizer.zero_grad()
        loss = -scores(policy, batch, run(policy, batch)).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] > 10  # nats: nothing is known of the action
    assert losses[-1] < 1


def test_forbidden_choices_are_never_drawn():
    policy = make_policy()
    batch = random_batch(time=1, batch=60)
    observations = batch.observations
    observations.entities[0, :30, 1, EntityFeature.IS_IN_CARGO] = 1
    acted = act_on(policy, batch, temperature=5.0).actions
    own = observations.entities[0, ..., EntityFeature.ALLIANCE] == Alliance.SELF
    selectable = own & (observations.entities[0, ..., EntityFeature.IS_IN_CARGO] != 1)
    legal_types = policy.legality[0].nonzero().squeeze(1)
    assert torch.isin(acted.action_type, legal_types).all()
    assert (acted.delay >= 1).all()
    for row, picks in enumerate(acted.selected_units[0].tolist()):
        chosen = [pick for pick in picks if pick != UNKNOWN]
        assert len(set(chosen)) == len(chosen)
        assert all(selectable[row, pick] for pick in chosen)
    targets = acted.target_unit[0]
    is_aimed = targets >= 0
    assert is_aimed.any()
    assert observations.entity_mask[0][is_aimed, targets[is_aimed]].all()


@pytest.mark.parametrize("knowledge", Knowledge)
def test_where_the_game_tells_of_units_only_those_are_picked_that_are_able(knowledge):
    policy = make_policy(small_config(knowledge=knowledge))
    batch = random_batch(time=1, batch=200)
    generator = torch.Generator().manual_seed(0)
    types = torch.randint(1, 250, (200, 4), generator=generator)
    batch.observations.entities[0, :, :4, EntityFeature.UNIT_TYPE] = types.short()
    acted = act_on(policy, batch, temperature=5.0).actions
    picks = acted.selected_units[0, :, :4]
    is_able = policy.legality[types.gather(1, picks.clamp(min=0)), acted.action_type[0, :, None]]
    is_able = is_able[picks >= 0]
    assert len(is_able) > 100
    assert bool(is_able.all()) == (knowledge is Knowledge.GAME)


def test_a_player_without_units_can_wait_and_nothing_else():
    policy = make_policy()
    batch = random_batch(time=1, batch=3)
    batch.observations.entities[..., EntityFeature.ALLIANCE] = Alliance.ENEMY
    acted = act_on(policy, batch)
    logits = run(policy, batch).action_type
    assert (logits[:, 0] > MINIMUM).all()
    assert (logits[:, 1:] == MINIMUM).all()
    assert (acted.actions.action_type == 0).all()
    assert (acted.actions.selected_units == UNKNOWN).all()
    assert acted.log_probabilities.total().isfinite().all()


def test_a_state_without_any_entity_gives_finite_outputs_and_gradients():
    policy = make_policy()
    batch = random_batch()
    observations = batch.observations._replace(
        entity_mask=torch.zeros_like(batch.observations.entity_mask)
    )
    output = run(policy, batch._replace(observations=observations))
    sum(part.clamp(min=-100).sum() for part in output[:7]).backward()
    assert output.values.isfinite().all()
    assert all(
        parameter.grad is None or parameter.grad.isfinite().all()
        for parameter in policy.parameters()
    )


def test_action_types_are_legal_by_the_types_of_own_units():
    policy = make_policy()
    batch = random_batch(time=1, batch=1)
    unit_type = int(policy.legality[1:].sum(1).argmax()) + 1
    entities = batch.observations.entities
    own = entities[..., EntityFeature.ALLIANCE] == Alliance.SELF
    entities[..., EntityFeature.UNIT_TYPE] = torch.where(own, unit_type, 0).short()
    logits = run(policy, batch).action_type[0]
    expected = policy.legality[unit_type].clone()
    expected[0] = True
    assert torch.equal(logits > MINIMUM, expected)


def test_units_are_counted_by_type_and_group():
    nothing = dict.fromkeys(EntityFeature, 0)
    marine = {EntityFeature.UNIT_TYPE: 7, EntityFeature.ALLIANCE: Alliance.SELF}
    drone = {EntityFeature.UNIT_TYPE: 9, EntityFeature.ALLIANCE: Alliance.ENEMY}
    done = {EntityFeature.BUILD_PROGRESS: 100}
    units = [
        nothing | marine | done | {EntityFeature.WAS_SELECTED: 1},
        nothing | marine | {EntityFeature.BUILD_PROGRESS: 99},
        nothing | marine | {EntityFeature.BUILD_PROGRESS: UNKNOWN},
        nothing | drone | {EntityFeature.WAS_TARGETED: 1},
        nothing | marine,  # padding
    ]
    entities = torch.tensor([[[int(unit[f]) for f in EntityFeature] for unit in units]])
    mask = torch.tensor([[True, True, True, True, False]])
    found = unit_counts(entities.short(), mask)
    counted = {group: row[0].nonzero().flatten().tolist() for group, row in found._asdict().items()}
    expected = {"own": [7], "own_unfinished": [7], "own_selected": [7]}
    assert counted == expected | {"targeted": [9], "enemy": [9]}
    assert [int(row.sum()) for row in found] == [3, 1, 1, 1, 1]


def test_labels_that_cannot_be_chosen_are_told_apart():
    policy = make_policy()
    batch = random_batch()
    output = run(policy, batch)
    chosen = batch.actions.delay[batch.masks.delay]
    assert is_legal(output.delay, chosen).all()
    assert not is_legal(output.delay, torch.zeros_like(chosen)).any()


def test_an_argument_that_is_not_known_tells_the_heads_after_it_nothing():
    policy = make_policy()
    choice = torch.tensor([UNKNOWN, 0, 1])
    for head in (policy.delay, policy.queued):
        embedded = head.embedding(choice)
        assert (embedded[0] == 0).all()
        assert (embedded[1:] != 0).any(-1).all()


def test_heads_that_no_step_needs_have_no_rows():
    policy = make_policy()
    batch = random_batch()
    nothing = HeadMasks(*(torch.zeros_like(mask) for mask in batch.masks))
    output = run(policy, batch._replace(masks=nothing))
    assert [len(logits) for logits in output[:6]] == [0] * 6
    assert (scores(policy, batch._replace(masks=nothing), output) == 0).all()


def test_heads_are_computed_where_their_mask_is_set_alone():
    policy = make_policy()
    batch = random_batch(time=4)
    whole = run(policy, batch)
    some = HeadMasks(*(mask & (torch.arange(4)[:, None] % 2 == 0) for mask in batch.masks))
    fewer = run(policy, batch._replace(masks=some))
    for name in HeadMasks._fields:
        kept = getattr(some, name)[getattr(batch.masks, name)]
        close(getattr(whole, name)[kept], getattr(fewer, name))


@ENCODERS
def test_equal_seeds_act_equally_to_the_bit(encoder):
    config = small_config(entity_encoder=encoder)
    batch = random_batch(time=1, batch=8)
    one, two = (act_on(make_policy(config), batch, seed=5) for _ in range(2))
    for x, y in zip(one.actions, two.actions, strict=True):
        assert torch.equal(x, y)
    assert torch.equal(one.values, two.values)


def test_a_full_selection_needs_no_end_token():
    policy = make_policy()
    batch = random_batch(time=1, batch=1, entities=2 * MAX_SELECTED + 4)
    selected = torch.arange(MAX_SELECTED)[None, None]
    actions = batch.actions._replace(
        action_type=random_batch(time=1, batch=2).actions.action_type[:, 1:],
        selected_units=selected,
        queued=torch.zeros(1, 1, dtype=torch.long),
    )
    batch = batch._replace(actions=actions, masks=used_heads(actions.action_type))
    logits = run(policy, batch).selected_units[0]
    assert logits.shape[0] == MAX_SELECTED + 1
    assert logits[-1].log_softmax(-1)[-1] == 0


def test_bfloat16_autocast_stays_close():
    policy = make_policy()
    batch = random_batch()
    exact = run(policy, batch)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = run(policy, batch)
    assert rough.selected_units.dtype == torch.float32
    torch.testing.assert_close(rough.values, exact.values, rtol=0, atol=0.05)
    assert torch.equal(rough.action_type == MINIMUM, exact.action_type == MINIMUM)


def test_a_state_dict_brings_the_same_outputs_back():
    policy, other = make_policy(), Policy(small_config())
    batch = random_batch()
    other.load_state_dict(policy.state_dict())
    assert torch.equal(run(policy, batch).values, run(other, batch).values)


def test_without_the_query_residual_units_speak_through_the_latents_only():
    config = small_config(entity_encoder=replace(PERCEIVER, query_residual=False))
    batch = random_batch()
    assert not torch.equal(run(make_policy(config), batch).values, run(make_policy(), batch).values)


def close(one: Tensor, other: Tensor) -> None:
    torch.testing.assert_close(one, other, rtol=0, atol=1e-5)
