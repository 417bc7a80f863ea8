"""From events to commands, by hand."""

from typing import Any

from envs.interface import raw_functions
from envs.replays.abilities import Target
from envs.replays.commands import COMMAND_EVENTS, Command, CommandReader
from envs.replays.events import Event, game_events, protocol_for
from tests.replay_writer import AUTOCAST, QUEUED, Script

MARINES = [(5 << 18) + 1, (6 << 18) + 1, (7 << 18) + 1]
ENEMY = (9 << 18) + 1


def commands_of(script: Script, user: int = 1) -> list[Command]:
    """Read the user's events by way of the file's bytes."""
    reader = CommandReader(script.base_build)
    events = game_events(
        protocol_for(script.base_build), script.streams()["replay.game.events"], COMMAND_EVENTS
    )
    read = (reader.read(event) for event in events if event.user == user)
    return [command for command in read if command is not None]


def function_of(command: Command) -> str:
    assert command.ability.action_type is not None
    return raw_functions()[command.ability.action_type].name


def test_a_command_has_the_selection_of_its_moment():
    script = Script()
    script.select(1, 1, MARINES[:2])
    script.command(2, 1, ("stop", 0))
    script.select(3, 1, MARINES[2:])
    script.command(4, 1, ("stop", 0))
    assert [command.tags for command in commands_of(script)] == [
        tuple(MARINES[:2]),
        tuple(MARINES[2:]),
    ]


def test_another_users_events_change_nothing():
    script = Script()
    script.select(1, 1, MARINES)
    script.select(2, 4, [ENEMY])
    script.command(3, 4, ("attack", 0), at=(9.0, 9.0))
    script.command(4, 1, ("stop", 0))
    (command,) = commands_of(script)
    assert command.tags == tuple(MARINES)
    assert function_of(command) == "Stop_quick"


def test_a_point_is_read_in_subcells():
    script = Script()
    script.command(1, 1, ("attack", 0), at=(10.5, 200.0))
    (command,) = commands_of(script)
    # 64 subcells to a world unit, rounded down.
    assert command.place == (672, 12800)
    assert command.target_tag is None
    assert function_of(command) == "Attack_pt"


def test_a_unit_target_has_its_tag_and_place():
    script = Script()
    script.command(1, 1, ("attack", 0), unit=ENEMY, at=(1.0, 2.0))
    (command,) = commands_of(script)
    assert command.target_tag == ENEMY
    assert command.place == (64, 128)
    assert function_of(command) == "Attack_unit"


def test_a_command_without_target_has_no_place():
    script = Script()
    script.command(1, 1, ("stop", 0))
    (command,) = commands_of(script)
    assert (command.target_tag, command.place) == (None, None)
    assert command.ability.target == Target.NOTHING


def test_queued_is_read_from_the_flags():
    script = Script()
    script.command(1, 1, None, at=(1.0, 1.0), flags=0x108)
    script.command(2, 1, None, at=(1.0, 1.0), flags=0x108 | QUEUED)
    assert [command.queued for command in commands_of(script)] == [False, True]


def test_switching_a_cast_to_automatic_is_a_target_of_its_own():
    script = Script()
    script.command(1, 1, ("MedivacHeal", 0), flags=0x100 | AUTOCAST)
    (command,) = commands_of(script)
    assert command.ability.target == Target.AUTOCAST


def test_a_repeat_is_the_last_command_by_the_present_selection():
    script = Script()
    script.select(1, 1, MARINES[:1])
    script.command(2, 1, ("attack", 0), at=(8.0, 8.0), flags=0x100 | QUEUED)
    script.select(3, 1, MARINES[1:])
    script.repeat(4, 1)
    first, second = commands_of(script)
    assert not first.repeated
    again = first._replace(loop=4, repeated=True, is_target_fresh=False)
    assert second == again._replace(tags=tuple(MARINES[1:]))


def test_a_repeat_takes_the_updated_point():
    script = Script()
    script.command(1, 1, ("attack", 0), at=(8.0, 8.0))
    script.retarget(2, 1, (9.0, 10.0))
    script.repeat(2, 1)
    script.repeat(3, 1)
    assert [command.place for command in commands_of(script)] == [
        (512, 512),
        (576, 640),
        (576, 640),
    ]


def test_a_target_is_fresh_until_it_is_repeated():
    script = Script()
    script.command(1, 1, ("attack", 0), at=(8.0, 8.0))
    script.repeat(2, 1)
    script.retarget(3, 1, (9.0, 10.0))
    script.repeat(3, 1)
    assert [command.is_target_fresh for command in commands_of(script)] == [True, False, True]


def test_a_repeat_can_turn_from_a_point_to_a_unit_and_back():
    script = Script()
    script.command(1, 1, None, at=(8.0, 8.0), flags=0x108)
    script.retarget(2, 1, (1.0, 1.0), unit=ENEMY)
    script.repeat(2, 1)
    script.retarget(3, 1, (2.0, 2.0))
    script.repeat(3, 1)
    names = [function_of(command) for command in commands_of(script)]
    assert names == ["Smart_pt", "Smart_unit", "Smart_pt"]
    assert [command.target_tag for command in commands_of(script)] == [None, ENEMY, None]


def test_a_new_command_forgets_the_updated_target():
    script = Script()
    script.command(1, 1, ("attack", 0), at=(8.0, 8.0))
    script.retarget(2, 1, (9.0, 9.0))
    script.command(3, 1, ("attack", 0), at=(10.0, 10.0))
    assert commands_of(script)[-1].place == (640, 640)


def test_an_updated_target_alone_is_no_command():
    script = Script()
    script.command(1, 1, ("attack", 0), at=(8.0, 8.0))
    script.retarget(2, 1, (9.0, 9.0))
    assert len(commands_of(script)) == 1


def test_only_state_one_repeats():
    script = Script()
    script.command(1, 1, ("stop", 0))
    script.repeat(2, 1, state=0)
    script.repeat(3, 1, state=2)
    assert len(commands_of(script)) == 1


def test_a_repeat_of_nothing_is_nothing():
    script = Script()
    script.repeat(1, 1)
    assert commands_of(script) == []


def test_control_groups_and_masks_lead_to_the_selection():
    script = Script()
    script.select(1, 1, MARINES)
    script.control_group(2, 1, 4, 0)
    script.delta(3, 1, mask={"Mask": (2, [0b10])})
    script.command(4, 1, ("stop", 0))
    script.control_group(5, 1, 4, 2, {"OneIndices": [0]})
    script.command(6, 1, ("stop", 0))
    script.control_group(7, 1, 4, 2)
    script.command(8, 1, ("stop", 0))
    assert [command.tags for command in commands_of(script)] == [
        (MARINES[0], MARINES[2]),
        (MARINES[1], MARINES[2]),
        tuple(MARINES),
    ]


def test_the_data_of_other_targets_is_no_place():
    fields: dict[str, Any] = {"m_cmdFlags": 0x100, "m_abil": None, "m_data": {"Data": 7}}
    command = CommandReader(80949).read(Event(1, 1, "SCmdEvent", fields))
    assert command is not None
    assert command.ability.target == Target.NOTHING
