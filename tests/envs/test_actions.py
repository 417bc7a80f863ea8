"""Actions as commands and commands as actions: there and back, in games and by hand."""

from typing import Any

import numpy as np
import pytest
from s2clientprotocol import common_pb2 as common_pb
from s2clientprotocol import raw_pb2 as raw_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs import pysc2_compat
from envs.actions import Command, IllegalActionError, Recorded, action_of, command_of
from envs.interface import (
    MAX_DELAY,
    NUM_ACTION_TYPES,
    SUBCELLS,
    UNKNOWN,
    WORLD_SIZE,
    Action,
    EntityFeature,
    RawFunction,
    legality,
    raw_functions,
)
from envs.observations import ObservationMaker, Shown
from tests.builders import NO_OP
from tests.envs.played_games import RACES, engine_game
from tests.envs.shown_units import reader_of, seen, shown, small_map, unit
from tests.envs.wire_observations import reader

# pysc2 and what it brings warn of their own age.
pytestmark = pytest.mark.filterwarnings("ignore")

LEGAL = [i for i in range(1, NUM_ACTION_TYPES) if legality()[:, i].any()]
SPECIFIC = [f for f in raw_functions() if f.general_ability_id]
HIGH_TAG = (1 << 64) - 5
PLACE = (12 * SUBCELLS + 7, 9 * SUBCELLS)


def named(name: str) -> int:
    """The action type of a function."""
    return next(i for i, function in enumerate(raw_functions()) if function.name == name)


def four_units() -> Shown:
    """Two units of the player's own, one of them with a tag of 64 bits, and two enemies."""
    enemy = {"alliance": raw_pb.Enemy}
    far = common_pb.Point(x=3.5, y=4.25)
    units = [
        unit(11),
        unit(22, **enemy),
        unit(HIGH_TAG),
        unit(HIGH_TAG + 1, pos=far, **enemy),
    ]
    return shown(reader_of(small_map()), seen(*units))


def action(action_type: int, **changes: Any) -> Action:
    """An action of some type with the arguments that it takes, on ``four_units``."""
    kind = raw_functions()[action_type].kind
    values = {
        "delay": 9,
        "queued": UNKNOWN if kind == "autocast" else 1,
        "selected_units": np.array([2, 0], np.int16),
        "target_unit": 3 if kind == "unit" else UNKNOWN,
        "target_location": PLACE if kind == "point" else (UNKNOWN, UNKNOWN),
        **changes,
    }
    return NO_OP._replace(action_type=action_type, **values)


def as_action_of(message: raw_pb.ActionRaw, moment: Shown) -> Recorded:
    """What a game's report of a command comes to."""
    (_, content), *others = message.ListFields()
    assert not others
    return action_of(content, moment, delay=9)


def assert_same(ours: Action, theirs: Action) -> None:
    assert ours.selected_units.tolist() == theirs.selected_units.tolist()
    nobody = np.zeros(0, np.int16)
    assert ours._replace(selected_units=nobody)[:3] == theirs._replace(selected_units=nobody)[:3]
    assert ours[4:] == theirs[4:]


def done(wanted: Action, moment: Shown) -> Command:
    command = command_of(wanted, moment)
    assert command is not None
    return command


@pytest.mark.parametrize("action_type", LEGAL, ids=lambda i: raw_functions()[i].name)
def test_every_function_for_players_is_a_command_and_back(action_type: int):
    moment, wanted = four_units(), action(action_type)
    message = done(wanted, moment).message()
    recorded = as_action_of(raw_pb.ActionRaw.FromString(message.SerializeToString()), moment)
    assert_same(recorded.action, wanted)
    assert recorded.selected.view(np.uint64).tolist() == [HIGH_TAG, 11]


def test_functions_for_players_are_all_but_the_camera_and_specific_ones():
    masked = [f.kind == "camera" or f.general_ability_id != 0 for f in raw_functions()]
    assert [0, *LEGAL] == np.flatnonzero(~np.array(masked)).tolist()


@pytest.mark.parametrize("function", SPECIFIC, ids=lambda function: function.name)
def test_a_specific_ability_is_reported_as_its_general_function(function: RawFunction):
    general = next(
        (
            i
            for i, other in enumerate(raw_functions())
            if other.ability_id == function.general_ability_id and other.kind == function.kind
        ),
    )
    moment = four_units()
    message = done(action(general), moment).message()
    (_, content), *_ = message.ListFields()
    content.ability_id = function.ability_id
    assert_same(as_action_of(message, moment).action, action(general))


def test_a_command_names_units_by_tag_and_places_in_world_units():
    moment = four_units()
    sent = done(action(named("Attack_unit")), moment).message().unit_command
    assert (sent.ability_id, sent.queue_command) == (3674, True)
    assert list(sent.unit_tags) == [HIGH_TAG, 11]
    assert sent.target_unit_tag == HIGH_TAG + 1
    assert not sent.HasField("target_world_space_pos")
    sent = done(action(named("Attack_pt"), queued=0), moment).message().unit_command
    assert (sent.target_world_space_pos.x, sent.target_world_space_pos.y) == (12 + 7 / 64, 9)
    assert not sent.queue_command
    assert not sent.HasField("target_unit_tag")


def test_autocast_is_a_message_of_its_own():
    autocast = next(i for i in LEGAL if raw_functions()[i].kind == "autocast")
    sent = done(action(autocast), four_units()).message()
    assert not sent.HasField("unit_command")
    assert list(sent.toggle_autocast.unit_tags) == [HIGH_TAG, 11]
    assert sent.toggle_autocast.ability_id == raw_functions()[autocast].ability_id


def test_no_op_is_no_command():
    assert command_of(NO_OP, four_units()) is None


def test_a_command_on_a_unit_is_one_on_its_place_where_the_function_takes_only_a_place():
    moment = four_units()
    command = raw_pb.ActionRawUnitCommand(
        ability_id=named_ability("Effect_Scan_pt"), unit_tags=[11], target_unit_tag=HIGH_TAG + 1
    )
    recorded = action_of(command, moment, delay=9)
    assert raw_functions()[recorded.action.action_type].name == "Effect_Scan_pt"
    assert recorded.action.target_location == (int(3.5 * SUBCELLS), int(4.25 * SUBCELLS))
    assert (recorded.action.target_unit, recorded.target) == (UNKNOWN, 0)
    command.target_unit_tag = 404
    assert action_of(command, moment, delay=9).action.target_location == (UNKNOWN, UNKNOWN)


def named_ability(name: str) -> int:
    return raw_functions()[named(name)].ability_id


def test_what_is_not_shown_is_left_out_but_for_its_tag():
    command = raw_pb.ActionRawUnitCommand(
        ability_id=3674, unit_tags=[11, 404, HIGH_TAG], target_unit_tag=405
    )
    recorded = action_of(command, four_units(), delay=9)
    assert recorded.action.selected_units.tolist() == [0, 2]
    assert (recorded.action.target_unit, recorded.target) == (UNKNOWN, 405)
    assert recorded.selected.view(np.uint64).tolist() == [11, 404, HIGH_TAG]


def test_an_ability_that_no_function_has_is_unknown_and_keeps_its_arguments():
    command = raw_pb.ActionRawUnitCommand(
        ability_id=999_999, unit_tags=[11], target_unit_tag=HIGH_TAG + 1
    )
    recorded = action_of(command, four_units(), delay=9).action
    assert (recorded.action_type, recorded.target_unit) == (UNKNOWN, 3)


def test_places_beyond_the_world_are_at_its_edge():
    command = raw_pb.ActionRawUnitCommand(ability_id=3674, unit_tags=[11])
    command.target_world_space_pos.x, command.target_world_space_pos.y = -3, 1e9
    recorded = action_of(command, four_units(), delay=9).action
    assert recorded.target_location == (0, WORLD_SIZE * SUBCELLS - 1)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (action(named("Stop_quick"))._replace(action_type=564), "0 to 563, got 564"),
        (action(named("Stop_quick"))._replace(action_type=-1), "0 to 563, got -1"),
        (action(named("raw_move_camera")), "raw_move_camera is not for players: there is no"),
        (action(named("Attack_Attack_unit")), "Attack_Attack_unit is not for players: use its"),
        (action(named("Stop_quick"), selected_units=np.zeros(0)), "needs selected_units, got none"),
        (action(named("Stop_quick"), selected_units=[4]), r"rows of 4 entities, got \[4\]"),
        (action(named("Stop_quick"), selected_units=[-1]), r"rows of 4 entities, got \[-1\]"),
        (action(named("Stop_quick"), selected_units=[0, 1]), "must be the player's own"),
        (action(named("Attack_unit"), target_unit=4), "needs a target_unit, a row of 4 .* got 4"),
        (action(named("Attack_unit"), target_unit=-1), "needs a target_unit, a row of 4 .* got -1"),
        (action(named("Attack_pt"), target_location=(-1, -1)), r"0 to 16383, got \(-1, -1\)"),
        (action(named("Attack_pt"), target_location=(0, 16384)), r"0 to 16383, got \(0, 16384\)"),
    ],
)
def test_an_action_that_cannot_be_done_says_why(wanted: Action, words: str):
    with pytest.raises(IllegalActionError, match=words):
        command_of(wanted, four_units())


def test_who_is_in_cargo_cannot_be_selected():
    moment = four_units()
    moment.observation.entities[0, EntityFeature.IS_IN_CARGO] = 1
    with pytest.raises(IllegalActionError, match="must be the player's own"):
        command_of(action(named("Stop_quick")), moment)


@pytest.mark.parametrize("race", RACES)
def test_what_players_of_the_engine_did_are_actions_that_do_the_same_again(
    race: "common_pb.Race.ValueType",
):
    played = engine_game(race)
    followed, making = reader_of(played.game_map), ObservationMaker(played.game_map, plane_size=64)
    moments = [
        making.observation(followed.known(followed.decode(data), data)) for data in played.responses
    ]
    pysc2 = reader((played.game_map.width, played.game_map.height))
    kinds = set()
    messages = played.messages
    for moment, before, after in zip(moments, messages, messages[1:], strict=False):
        theirs = pysc2.transform_obs(before)
        for reported in after.actions:
            command = reported.action_raw.unit_command
            if not set(command.unit_tags) <= set(moment.tags.tolist()):
                continue  # born since the observation
            if command.target_unit_tag and command.target_unit_tag not in moment.tags:
                continue
            recorded = action_of(command, moment, delay=MAX_DELAY)
            again = done(recorded.action, moment).message().unit_command
            assert list(again.unit_tags) == list(command.unit_tags)
            assert again.queue_command == command.queue_command
            if recorded.action.target_unit != UNKNOWN:
                assert again.target_unit_tag == command.target_unit_tag
            assert abs(again.target_world_space_pos.x - command.target_world_space_pos.x) < 1 / 64
            assert recorded.action.action_type == pysc2s(pysc2, reported, theirs)
            kinds.add(raw_functions()[recorded.action.action_type].kind)
    assert kinds == {"quick", "point", "unit"}


def pysc2s(pysc2: Any, reported: sc_pb.Action, before: Any) -> int:
    """The function that pysc2 takes a reported command for."""
    pysc2_compat.load()
    return int(pysc2.reverse_raw_action(reported, before).function)
