"""From events to steps: when a step is, what is known at it, and that nothing leaks into it."""

from pathlib import Path

import numpy as np
import pytest

from envs.interface import (
    MAX_DELAY,
    UNKNOWN,
    Alliance,
    EntityFeature,
    Race,
    ScalarFeature,
    raw_functions,
)
from envs.replays.archive import ReplayParts, ReplayRefused
from envs.replays.reconstruction import ReplayGame, decode_replay, reconstruct
from envs.timeline import Step, StepFlag
from tests.builders import unit_name
from tests.replay_writer import OLD_BUILD, OLD_PROTOCOL, Script, opening, small_game

PLANE_SIZE = 32


def acting_opening(**settings: object) -> Script:
    """The opening, in which player 2 does one thing, since a side that does nothing is refused."""
    script = opening(**settings)
    script.select(5, script.users[1], script.enemy[2:])
    script.command(5, script.users[1], ("stop", 0))
    return script


def steps_of(script: Script, player: int = 0) -> list[Step]:
    return steps_in(reconstruct(script.parts()), player)


def steps_in(game: ReplayGame, player: int = 0) -> list[Step]:
    return list(game.timelines[player].steps(plane_size=PLANE_SIZE))


def commands_among(steps: list[Step]) -> list[Step]:
    return [step for step in steps if not step.flags & StepFlag.SYNTHETIC]


def function_of(step: Step) -> str:
    return raw_functions()[step.action.action_type].name


def observed(step: Step) -> bytes:
    return b"".join(part.tobytes() for part in step.observation)


# When steps are.


def test_the_first_step_is_at_loop_zero():
    script = acting_opening()
    script.command(50, 1, ("stop", 0))
    first = steps_of(script)[0]
    assert (first.loop, function_of(first), first.flags) == (0, "no_op", StepFlag.SYNTHETIC)
    assert first.action.delay == 50


def test_the_first_step_sees_what_the_game_starts_with():
    script = acting_opening()
    script.command(50, 1, ("stop", 0))
    entities = steps_of(script)[0].observation.entities
    own = entities[:, EntityFeature.ALLIANCE] == Alliance.SELF
    assert own.sum() == len(script.own)
    assert (entities[:, EntityFeature.ALLIANCE] != Alliance.ENEMY).all()


def test_a_command_at_loop_zero_is_the_first_step():
    script = acting_opening()
    script.command(0, 1, ("stop", 0))
    first = steps_of(script)[0]
    assert (first.loop, function_of(first)) == (0, "Stop_quick")


def test_a_step_waits_until_the_next_command():
    script = acting_opening()
    for loop in (10, 13, 140):
        script.command(loop, 1, ("stop", 0))
    steps = steps_of(script)
    assert [step.loop for step in steps] == [0, 10, 13, 140]
    assert [step.action.delay for step in steps] == [10, 3, 127, UNKNOWN]
    assert [step.is_last for step in steps] == [False, False, False, True]


def test_longer_waits_are_filled_with_steps_that_do_nothing():
    script = acting_opening()
    for loop in (10, 10 + 3 * MAX_DELAY + 1):
        script.command(loop, 1, ("stop", 0))
    steps = steps_of(script)[1:]
    assert [step.loop for step in steps] == [10, 137, 264, 391, 392]
    assert [step.action.delay for step in steps] == [127, 127, 127, 1, UNKNOWN]
    assert [bool(step.flags & StepFlag.SYNTHETIC) for step in steps] == [0, 1, 1, 1, 0]
    assert [function_of(step) for step in steps[1:4]] == ["no_op"] * 3


def test_a_command_in_the_same_loop_is_its_own_step_and_sees_the_earlier_one():
    script = acting_opening()
    script.select(20, 1, script.own[1:2])
    script.command(20, 1, ("move", 0), at=(50.0, 30.5))
    script.command(20, 1, ("attack", 0), at=(60.0, 30.5), flags=0x102)
    move, attack = steps_of(script)[1:]
    assert (move.loop, attack.loop) == (20, 20)
    assert move.action.delay == 1
    scalars = attack.observation.scalars
    assert scalars[ScalarFeature.LAST_ACTION_TYPE] == move.action.action_type
    assert scalars[ScalarFeature.LAST_DELAY] == 0
    assert scalars[ScalarFeature.LAST_QUEUED] == 0
    marked = attack.observation.entities[:, EntityFeature.WAS_SELECTED]
    assert list(np.flatnonzero(marked)) == list(move.action.selected_units)


def test_the_other_sides_commands_are_no_steps():
    script = acting_opening()
    for loop in range(10, 40):
        script.command(loop, 4, ("stop", 0))
    script.command(50, 1, ("stop", 0))
    assert [step.loop for step in steps_of(script)] == [0, 50]


def test_observers_commands_are_ignored():
    script = acting_opening()
    script.command(50, 1, ("stop", 0))
    script.command(60, 0, ("stop", 0))
    assert [step.loop for step in steps_of(script)] == [0, 50]


# What is known at a step.


def test_tracker_events_of_the_commands_own_loop_come_after_it():
    script = acting_opening()
    script.becomes(100, script.own[0], "OrbitalCommand")
    script.born(100, 1, "SCV", 33, 33)
    script.command(100, 1, ("stop", 0))
    script.command(101, 1, ("stop", 0))
    before, after = commands_among(steps_of(script))
    names = [set(), set()]
    for known, step in zip(names, (before, after), strict=True):
        entities = step.observation.entities
        own = entities[entities[:, EntityFeature.ALLIANCE] == Alliance.SELF]
        known.update(unit_name(kind) for kind in own[:, EntityFeature.UNIT_TYPE])
        known.add(str(len(own)))
    assert names == [{"CommandCenter", "SCV", "3"}, {"OrbitalCommand", "SCV", "4"}]


def test_each_player_sees_the_own_side_of_the_world():
    script = acting_opening()
    script.command(50, 1, ("stop", 0))
    game = reconstruct(script.parts())
    for player, own in ((0, {"CommandCenter", "SCV"}), (1, {"Hatchery", "Larva", "Drone"})):
        entities = steps_in(game, player)[-1].observation.entities
        alliances = entities[:, EntityFeature.ALLIANCE]
        kinds = entities[alliances == Alliance.SELF, EntityFeature.UNIT_TYPE]
        assert {unit_name(kind) for kind in kinds} == own
        assert (alliances == Alliance.NEUTRAL).sum() == 2
        assert (alliances == Alliance.ENEMY).sum() == 0  # the corners are far apart


def test_races_come_from_the_first_town_hall():
    game = reconstruct(small_game().parts())
    assert [timeline.race for timeline in game.timelines] == [Race.TERRAN, Race.ZERG]
    scalars = steps_in(game, 1)[0].observation.scalars
    assert scalars[ScalarFeature.HOME_RACE] == Race.ZERG
    assert scalars[ScalarFeature.AWAY_RACE] == Race.TERRAN


def test_the_opponent_does_not_know_the_race_of_who_chose_random():
    script = small_game()
    script.chosen_races = (None, 1)
    game = reconstruct(script.parts())
    first, second = (steps_in(game, player)[0].observation.scalars for player in (0, 1))
    assert first[ScalarFeature.HOME_RACE] == Race.TERRAN
    assert second[ScalarFeature.AWAY_RACE] == Race.RANDOM


def test_a_unit_walks_after_its_command_and_not_before():
    script = acting_opening()
    script.select(20, 1, script.own[1:2])
    script.command(20, 1, ("move", 0), at=(134.5, 30.5))
    script.command(120, 1, ("stop", 0))
    at_command, later = commands_among(steps_of(script))
    row = at_command.action.selected_units[0]
    assert at_command.observation.entities[row, EntityFeature.X] == 34.5 * 64
    # A hundred loops at 0.17578 cells.
    walked = later.observation.entities[row, EntityFeature.X] / 64
    assert walked == pytest.approx(34.5 + 17.578, abs=0.02)
    assert later.observation.entities[row, EntityFeature.LAST_ORDER_AGE] == 100


def test_a_stalker_blinks():
    script = acting_opening()
    stalker = script.born(0, 1, "Stalker", 60, 60)
    script.select(20, 1, [stalker])
    script.command(20, 1, ("Blink", 0), at=(66.5, 60.5))
    script.command(21, 1, ("stop", 0))
    step = steps_of(script)[-1]
    row = step.action.selected_units[0]
    assert step.observation.entities[row, EntityFeature.X] == 66.5 * 64


def test_a_targeted_units_place_is_taken_from_the_snapshot_point():
    script = acting_opening()
    script.select(20, 1, script.own[:1])
    scv = script.own[1]
    script.command(20, 1, None, unit=scv, at=(39.0, 41.0), flags=0x108)
    script.command(21, 1, ("stop", 0))
    before, after = commands_among(steps_of(script))
    row = before.action.target_unit
    columns = [EntityFeature.X, EntityFeature.Y]
    assert list(before.observation.entities[row, columns]) == [34.5 * 64, 30.5 * 64]
    assert list(after.observation.entities[row, columns]) == [39 * 64, 41 * 64]
    assert after.observation.entities[row, EntityFeature.WAS_TARGETED] == 1


def test_a_command_on_a_unit_has_its_row_as_target():
    script = acting_opening()
    script.select(20, 1, script.own[1:])
    script.command(20, 1, None, unit=script.minerals[1], at=(31.0, 37.5), flags=0x108)
    (step,) = commands_among(steps_of(script))
    assert function_of(step) == "Smart_unit"
    target = step.observation.entities[step.action.target_unit]
    assert target[EntityFeature.X] == 31 * 64
    assert step.action.target_location == (UNKNOWN, UNKNOWN)
    assert step.flags & StepFlag.CLEAN


def test_a_point_ability_on_a_unit_is_aimed_at_its_place():
    script = acting_opening()
    script.command(20, 1, ("NexusMassRecall", 0), unit=script.own[1], at=(34.5, 30.5))
    (step,) = commands_among(steps_of(script))
    assert step.action.target_unit == UNKNOWN
    assert step.action.target_location == (34.5 * 64, 30.5 * 64)


def test_dead_units_of_a_selection_are_left_out_of_the_label():
    script = acting_opening()
    script.select(10, 1, script.own)
    script.dies(15, script.own[1])
    script.command(20, 1, ("stop", 0))
    (step,) = commands_among(steps_of(script))
    own = step.observation.entities[step.action.selected_units]
    assert len(own) == 2
    assert step.flags & StepFlag.CLEAN


def test_a_group_recalled_by_mask_counts_its_dead():
    script = acting_opening()
    script.select(10, 1, script.own)
    script.control_group(10, 1, 1, 0)
    script.dies(15, script.own[0])
    # Without the dead first unit, bit 1 would stand for the second SCV.
    script.control_group(20, 1, 1, 2, {"Mask": (2, [0b10])})
    script.command(20, 1, ("stop", 0))
    (step,) = commands_among(steps_of(script))
    (row,) = step.action.selected_units
    assert step.observation.entities[row, EntityFeature.Y] == 31.5 * 64


# Flags.


def test_commands_are_judged():
    script = acting_opening()
    script.select(10, 1, script.own[1:])
    script.command(10, 1, ("stop", 0))
    script.repeat(11, 1)
    script.command(12, 1, (60000, 0))
    script.command(13, 1, ("attack", 0), unit=123 << 18, at=(9.0, 9.0))
    script.command(14, 1, ("CommandCenterTrain", 0))
    script.select(15, 1, [123 << 18])
    script.command(15, 1, ("stop", 0))
    good = StepFlag.CLEAN | StepFlag.MAPPED | StepFlag.PLAUSIBLE
    assert [step.flags for step in commands_among(steps_of(script))] == [
        good,
        good | StepFlag.REPEAT,
        StepFlag(0),  # an ability without a name
        StepFlag.MAPPED | StepFlag.PLAUSIBLE,  # an unknown target
        StepFlag.CLEAN | StepFlag.MAPPED,  # no SCV trains SCVs
        StepFlag.MAPPED,  # an unknown selection
    ]


def test_unmapped_commands_are_steps_with_an_unknown_action():
    script = acting_opening()
    script.select(10, 1, script.own[1:])
    script.command(10, 1, (60000, 0))
    (step,) = commands_among(steps_of(script))
    assert step.action.action_type == UNKNOWN
    assert len(step.action.selected_units) == 2


def test_orders_to_larvae_that_are_all_eggs_have_no_effect():
    script = opening()
    script.command(5, 1, ("stop", 0))
    script.select(10, 4, script.enemy[1:2])
    script.command(10, 4, ("LarvaTrain", 0))
    script.becomes(10, script.enemy[1], "Egg")
    script.command(20, 4, ("LarvaTrain", 0))
    first, second = commands_among(steps_of(script, player=1))
    assert first.flags == StepFlag.CLEAN | StepFlag.MAPPED | StepFlag.PLAUSIBLE
    assert second.flags == StepFlag.CLEAN | StepFlag.MAPPED | StepFlag.NO_EFFECT


def test_quality_counts_both_players():
    game = reconstruct(small_game().parts())
    counts = game.quality.counts
    assert counts["commands"] == 10
    assert counts["repeat"] == 1
    assert counts["clean"] == 10
    assert counts["mapped"] == counts["commands"]
    assert (counts["productions"], counts["productions_by_producer"]) == (3, 3)
    assert sum(game.quality.labels.values()) == 10


# What is kept beside the steps.


def test_a_log_tells_what_happened_to_a_player():
    assert reconstruct(small_game().parts()).logs == (
        "0:12 gets SCV\n0:14 begins SupplyDepot\n0:36 finishes SupplyDepot",
        "0:12 gets Drone\n0:42 loses Drone",
    )


def test_chat_is_kept():
    (line,) = reconstruct(small_game().parts()).chat
    assert line == (900, 1, "gl hf")


def test_damaged_chat_does_not_matter():
    parts = small_game().parts()._replace(message_events=b"\xff" * 9)
    assert reconstruct(parts).chat == []


# Games that are refused.


def refusal(parts: ReplayParts) -> str:
    with pytest.raises(ReplayRefused) as refused:
        reconstruct(parts)
    return refused.value.reason


def test_a_side_that_does_nothing_is_refused():
    script = opening()
    script.command(10, 1, ("stop", 0))
    assert refusal(script.parts()) == "no commands"


def test_a_game_resumed_from_a_replay_is_refused():
    script = small_game()
    script.game.append((0, 1, "SHijackReplayGameEvent", {}))
    assert refusal(script.parts()) == "resumed from a replay"


def test_a_player_without_a_town_hall_is_refused():
    script = small_game()
    script.tracker = [event for event in script.tracker if event[2].get("m_x") != 140]
    assert refusal(script.parts()) == "unknown race"


def test_events_past_the_end_of_the_game_are_refused():
    script = small_game()
    script.repeat(2001, 1)
    assert refusal(script.parts()) == "damaged events"
    script = small_game()
    script.dies(1 << 30, script.own[0])
    assert refusal(script.parts()) == "damaged events"


def test_events_that_lack_a_field_are_refused():
    script = small_game()
    fields = script.tracker[-1][2]
    del fields["m_unitTagIndex"]
    assert refusal(script.parts()) == "damaged events"


def test_places_that_no_map_has_are_refused():
    script = small_game()
    script.tracker[0][2]["m_x"] = 1 << 31
    assert refusal(script.parts()) == "damaged events"


def test_a_file_is_decoded_as_its_parts_are(tmp_path: Path):
    script = small_game()
    from_file = decode_replay(script.write(tmp_path / "a.SC2Replay"))
    from_parts = reconstruct(script.parts())
    assert list(map(observed, steps_in(from_file))) == list(map(observed, steps_in(from_parts)))
    with pytest.raises(FileNotFoundError):
        decode_replay(tmp_path / "none.SC2Replay")


def test_a_game_of_the_oldest_build_is_decoded():
    script = Script(base_build=OLD_BUILD, protocol=OLD_PROTOCOL)
    hall = script.born(0, 1, "CommandCenter", 10, 10)
    scv = script.born(0, 1, "SCV", 12, 10)
    drone = script.born(0, 2, "Drone", 40, 40)
    script.born(0, 2, "Hatchery", 42, 42)
    script.select(10, 1, [hall, scv])
    script.command(10, 1, None, at=(60.0, 70.0), flags=0x108)
    script.select(10, 4, [drone])
    script.command(10, 4, None, at=(100.0, 100.0), flags=0x108)
    step = steps_of(script)[-1]
    assert function_of(step) == "Smart_pt"
    assert step.action.target_location == (60 * 64, 70 * 64)
    # Coordinates are quarters: 10 is anything from 40 to 44.
    assert list(step.observation.entities[0, [EntityFeature.X, EntityFeature.Y]]) == [42 * 64] * 2


# Leaks.


def eventful_game() -> Script:
    """The small game, and every kind of command now and then."""
    script = small_game()
    first, second = script.own[1:]
    for loop in range(1400, 1800, 45):
        script.select(loop, 1, [first] if loop % 2 else [first, second])
        script.command(loop, 1, ("move", 0), at=(loop / 20, 100.0))
        script.command(loop, 4, None, at=(90.0, loop / 20), flags=0x108)
        script.repeat(loop + 3, 1)
    return script


def without_future(script: Script, loop: int) -> ReplayParts:
    """The game as it was when ``loop`` began, but for one command of each player.

    What the tracker tells of the loop itself is the future, too. The commands take the place of
    what was done: a step needs one.
    """
    past = opening()
    past.game = [event for event in script.game if event[0] < loop]
    past.tracker = [event for event in script.tracker if event[0] < loop]
    for user in script.users:
        past.select(loop, user, [])
        past.command(loop, user, ("stop", 0))
    return past.parts()


def test_no_observation_knows_what_comes_after_it():
    script = eventful_game()
    whole = reconstruct(script.parts())
    compared = 0
    for player in (0, 1):
        complete = steps_in(whole, player)
        for loop in sorted({step.loop for step in complete if step.loop > 0}):
            cut = steps_in(reconstruct(without_future(script, loop)), player)
            until = [step for step in complete if step.loop < loop]
            # And the first step of the loop, which the cut game has as well.
            assert [step.loop for step in cut] == [step.loop for step in until] + [loop]
            expected = [observed(step) for step in [*until, complete[len(until)]]]
            assert [observed(step) for step in cut] == expected
            compared += 1
    assert compared > 40


@pytest.mark.parametrize(
    "change", ["ability", "point", "unit", "selection", "control group", "nothing selected"]
)
def test_no_observation_knows_its_own_command(change: str):
    script = eventful_game()
    original = steps_of(script)
    loop = 1445
    for i, (when, user, name, fields) in enumerate(script.game):
        if (when, user) != (loop, 1):
            continue
        if name == "SCmdEvent" and change == "ability":
            fields = fields | {"m_abil": None}
        elif name == "SCmdEvent" and change == "point":
            fields = fields | {"m_data": {"TargetPoint": {"x": 4096, "y": 4096, "z": 0}}}
        elif name == "SCmdEvent" and change == "unit":
            place = {"x": 9 * 4096, "y": 4096, "z": 0}
            target = {"m_tag": script.enemy[0], "m_snapshotPoint": place}
            fields = fields | {"m_data": {"TargetUnit": target}}
        elif name == "SSelectionDeltaEvent" and change == "selection":
            fields = {"m_delta": fields["m_delta"] | {"m_addUnitTags": script.own}} | {
                "m_controlGroupId": 10
            }
        elif name == "SSelectionDeltaEvent" and change == "nothing selected":
            fields = {"m_delta": fields["m_delta"] | {"m_addUnitTags": []}, "m_controlGroupId": 10}
        elif name == "SSelectionDeltaEvent" and change == "control group":
            fields = fields | {"m_controlGroupId": 2}
        script.game[i] = when, user, name, fields
    changed = steps_of(script)
    place = next(i for i, step in enumerate(original) if step.loop == loop)
    assert labels(changed[place]) != labels(original[place])
    until = slice(0, place + 1)
    assert list(map(observed, changed[until])) == list(map(observed, original[until]))
    assert observed(changed[place + 1]) != observed(original[place + 1])


def labels(step: Step) -> tuple[object, ...]:
    action = step.action
    return (*action[:3], action.selected_units.tolist(), *action[4:], step.flags)
