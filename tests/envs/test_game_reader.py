"""What is remembered from one observation to the next, and how it is cut to size."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from s2clientprotocol import common_pb2 as common_pb
from s2clientprotocol import raw_pb2 as raw_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.game_client import map_of_game_info
from envs.interface import (
    MAX_DELAY,
    NUM_BUFFS,
    NUM_UPGRADES,
    SUBCELLS,
    UNKNOWN,
    UNKNOWN_CELL,
    Action,
    Alliance,
    DisplayType,
    EntityFeature,
    EntityLimits,
    MapPlane,
    ScalarFeature,
    raw_functions,
)
from envs.observations import GameReader, ObservationMaker
from tests.builders import NO_OP
from tests.envs.played_games import (
    engine_game,
)
from tests.envs.shown_units import SIDE, reader_of, seen, shown, small_map, tags_of, unit


def entity(followed: GameReader, *units: raw_pb.Unit, loop: int = 5) -> NDArray[np.int16]:
    """The first unit, as the network sees it."""
    return shown(followed, seen(*units, loop=loop)).observation.entities[0]


def told(action_type: int, *, queued: int = 0) -> Action:
    return NO_OP._replace(action_type=action_type, queued=queued)


def test_the_age_of_a_position_grows_while_a_unit_is_out_of_sight():
    followed = reader_of(small_map())
    away = unit(7, display_type=raw_pb.Snapshot)
    ages = [
        entity(followed, one, loop=loop)[EntityFeature.POSITION_AGE]
        for one, loop in ((unit(7), 10), (away, 14), (away, 60_000), (unit(7), 60_001))
    ]
    assert ages == [0, 4, 32767, 0]


def test_the_position_of_what_was_never_in_sight_is_as_old_as_the_game():
    never = unit(7, display_type=raw_pb.Snapshot, alliance=raw_pb.Neutral)
    assert entity(reader_of(small_map()), never, loop=33)[EntityFeature.POSITION_AGE] == 33


def test_the_last_order_and_its_age_are_remembered_per_unit():
    followed = reader_of(small_map())
    columns = [EntityFeature.LAST_ORDER, EntityFeature.LAST_ORDER_AGE]
    assert entity(followed, unit(7), loop=10)[columns].tolist() == [UNKNOWN, UNKNOWN]
    followed.note_action(10, told(3), tags_of(7), 0)
    followed.note_action(12, told(4), tags_of(9, 5), 0)  # of units that nobody has seen yet
    entities = shown(followed, seen(unit(5), unit(7), unit(8), unit(9), loop=30)).observation
    assert entities.entities[:, columns].tolist() == [
        [4, 18],
        [3, 20],
        [UNKNOWN, UNKNOWN],
        [4, 18],
    ]
    followed.note_action(30, told(0), tags_of(), 0)
    assert entity(followed, unit(7), loop=40)[columns].tolist() == [3, 30]


def test_what_was_taken_from_a_field_is_known_from_what_it_held():
    followed = reader_of(small_map())
    columns = [
        EntityFeature.MINERAL_CONTENTS,
        EntityFeature.MINERALS_MINED,
        EntityFeature.VESPENE_CONTENTS,
        EntityFeature.VESPENE_MINED,
    ]

    def field(minerals: int, vespene: int, **changes: Any) -> list[int]:
        there = unit(
            7,
            alliance=raw_pb.Neutral,
            mineral_contents=minerals,
            vespene_contents=vespene,
            **changes,
        )
        return entity(followed, there)[columns].tolist()

    assert field(1800, 2250) == [18, 0, 22, 0]
    assert field(1795, 2246) == [17, 5, 22, 4]
    assert field(0, 0, display_type=raw_pb.Snapshot) == [UNKNOWN] * 4
    assert field(1700, 0) == [17, 100, 0, 2250]


def test_what_the_last_action_was_given_to_and_aimed_at_is_marked_until_the_next():
    followed = reader_of(small_map())
    units = [unit(tag) for tag in (4, 5, 6, 7)]
    columns = [EntityFeature.WAS_SELECTED, EntityFeature.WAS_TARGETED]
    nobody = [[0, 0]] * 4

    def marks() -> list[list[int]]:
        return shown(followed, seen(*units)).observation.entities[:, columns].tolist()

    assert marks() == nobody
    followed.note_action(5, told(3), tags_of(6, 4, 99), 7)
    assert marks() == [[1, 0], [0, 0], [1, 0], [0, 1]]
    assert marks() == [[1, 0], [0, 0], [1, 0], [0, 1]]
    waited = shown(followed, seen(*units, loop=5 + MAX_DELAY + 1)).observation.entities
    assert waited[:, columns].tolist() == nobody


def test_the_last_action_and_the_time_since_are_among_the_scalars():
    followed = reader_of(small_map())
    columns = [
        ScalarFeature.LAST_ACTION_TYPE,
        ScalarFeature.LAST_DELAY,
        ScalarFeature.LAST_QUEUED,
    ]

    def last(loop: int) -> list[int]:
        return shown(followed, seen(loop=loop)).observation.scalars[columns].tolist()

    assert last(0) == [UNKNOWN] * 3
    followed.note_action(3, told(3, queued=1), tags_of(7), 0)
    assert last(9) == [3, 6, 1]
    assert last(3 + MAX_DELAY) == [3, MAX_DELAY, 1]


def test_a_wait_is_a_no_op_at_the_start_and_one_each_longest_delay():
    followed = reader_of(small_map())
    columns = [ScalarFeature.LAST_ACTION_TYPE, ScalarFeature.LAST_DELAY]

    def last(loop: int) -> list[int]:
        return shown(followed, seen(loop=loop)).observation.scalars[columns].tolist()

    assert last(9) == [0, 9]
    followed.note_action(9, told(3), tags_of(7), 0)
    assert last(9 + MAX_DELAY + 1) == [0, 1]
    assert last(9 + 5 * MAX_DELAY) == [0, MAX_DELAY]


def test_numbers_that_no_table_has_are_others_and_types_are_counted():
    followed = reader_of(small_map())
    strange = unit(
        7,
        unit_type=4_000_000_000,
        buff_ids=[40_000, 5],
        orders=[raw_pb.UnitOrder(ability_id=4_000_000_000), raw_pb.UnitOrder(ability_id=23)],
    )
    player = raw_pb.PlayerRaw(upgrade_ids=[4_000_000_000, 15])
    data = seen(strange, unit(8, unit_type=9_999), unit(9), player=player)
    for _ in range(2):
        observation = shown(followed, data).observation
    first = observation.entities[0]
    assert first[[EntityFeature.UNIT_TYPE, EntityFeature.ORDER_0]].tolist() == [0, 0]
    assert raw_functions()[first[EntityFeature.ORDER_1]].name == "Attack_pt"
    assert first[EntityFeature.ORDER_LENGTH] == 2
    assert first[[EntityFeature.BUFF_0, EntityFeature.BUFF_1]].tolist() == [NUM_BUFFS - 1, 1]
    assert observation.upgrades.sum() == 1
    assert len(observation.upgrades) == NUM_UPGRADES
    assert followed.unknown_types == {4_000_000_000: 2, 9_999: 2}


def test_numbers_too_large_for_their_column_are_its_largest():
    followed = reader_of(small_map())
    huge = unit(7, health=1e9, assigned_harvesters=-5, pos=common_pb.Point(x=1e9, y=-1e9))
    message = sc_pb.Response.FromString(seen(huge))
    message.observation.observation.player_common.minerals = (1 << 32) - 1
    message.observation.observation.score.score_details.collection_rate_minerals = 1e30
    observation = shown(followed, message.SerializeToString()).observation
    columns = [EntityFeature.HEALTH, EntityFeature.ASSIGNED_HARVESTERS, EntityFeature.X]
    assert observation.entities[0, columns].tolist() == [32767, 0, 256 * SUBCELLS - 1]
    assert observation.entities[0, EntityFeature.Y] == 0
    columns = [ScalarFeature.MINERALS, ScalarFeature.MINERALS_RATE]
    assert observation.scalars[columns].tolist() == [(1 << 31) - 1] * 2


def test_tags_of_all_64_bits_are_kept():
    followed = reader_of(small_map())
    tags = [(1 << 64) - 1, 5, (1 << 63) + 9]
    first = shown(followed, seen(*(unit(tag) for tag in tags)))
    assert first.tags.view(np.uint64).tolist() == sorted(tags)
    followed.note_action(5, told(3), first.tags[[1]], int(first.tags[2]))
    entities = shown(followed, seen(*(unit(tag) for tag in tags))).observation.entities
    columns = [EntityFeature.WAS_SELECTED, EntityFeature.WAS_TARGETED, EntityFeature.LAST_ORDER]
    assert entities[:, columns].tolist() == [[0, 0, UNKNOWN], [1, 0, 3], [0, 1, UNKNOWN]]


def test_own_units_are_shown_first_then_enemies_then_the_nearest_others():
    def at(tag: int, alliance: "raw_pb.Alliance.ValueType", x: float) -> raw_pb.Unit:
        return unit(tag, alliance=alliance, pos=common_pb.Point(x=x, y=20))

    units = [
        at(1, raw_pb.Neutral, 11),
        at(2, raw_pb.Neutral, 30),
        at(3, raw_pb.Enemy, 31),
        at(4, raw_pb.Self, 10),
        at(5, raw_pb.Neutral, 12),
        at(6, raw_pb.Enemy, 15),
        at(7, raw_pb.Self, 1),
    ]
    data = seen(*units)

    def kept(**limits: int) -> list[int]:
        return shown(reader_of(small_map()), data, limits=EntityLimits(**limits)).tags.tolist()

    assert kept() == [1, 2, 3, 4, 5, 6, 7]
    assert kept(total=6) == [1, 3, 4, 5, 6, 7]
    assert kept(total=5) == [1, 3, 4, 6, 7]
    assert kept(total=3) == [4, 6, 7]
    assert kept(total=2) == [4, 7]
    assert kept(neutral=1) == [1, 3, 4, 6, 7]
    assert kept(neutral=0) == [3, 4, 6, 7]


def test_what_is_not_shown_still_stands_on_the_plane_of_units():
    units = [unit(1), unit(2, alliance=raw_pb.Enemy, pos=common_pb.Point(x=3, y=4))]
    plane = shown(
        reader_of(small_map()), seen(*units), limits=EntityLimits(total=1)
    ).observation.map_planes[MapPlane.PLAYER_RELATIVE]
    assert (plane[4, 3], plane[20, 10]) == (Alliance.ENEMY, Alliance.SELF)


def test_an_observation_without_units_is_one():
    observation, tags = shown(reader_of(small_map()), seen())
    assert observation.entities.shape == (0, len(EntityFeature))
    assert len(tags) == 0
    assert UNKNOWN_CELL not in observation.map_planes


def test_what_enemies_and_snapshots_do_not_tell_is_unknown_whatever_is_sent():
    followed = reader_of(small_map())
    everything = unit(
        7,
        alliance=raw_pb.Enemy,
        orders=[raw_pb.UnitOrder(ability_id=23)],
        cargo_space_max=8,
        weapon_cooldown=3,
    )
    row = entity(followed, everything)
    assert row[[EntityFeature.ORDER_0, EntityFeature.ORDER_LENGTH]].tolist() == [UNKNOWN] * 2
    assert row[[EntityFeature.CARGO_MAX, EntityFeature.WEAPON_COOLDOWN]].tolist() == [UNKNOWN] * 2
    assert row[EntityFeature.HEALTH] == 0  # told, and none
    hidden = entity(followed, unit(7, display_type=raw_pb.Hidden, health=3))
    assert hidden[EntityFeature.HEALTH] == UNKNOWN
    assert hidden[EntityFeature.DISPLAY_TYPE] == DisplayType.HIDDEN


def test_pictures_of_another_size_than_the_map_are_refused():
    followed = reader_of(small_map()._replace(width=SIDE + 8))
    data = seen()
    with pytest.raises(ValueError, match="VISIBILITY of 40 x 32 cells, it sent 32 x 32"):
        followed.known(followed.decode(data), data)
    nothing = sc_pb.Response(
        observation=sc_pb.ResponseObservation(observation=sc_pb.Observation(game_loop=3))
    ).SerializeToString()
    with pytest.raises(ValueError, match="it sent none"):
        followed.known(followed.decode(nothing), nothing)


def test_a_map_whose_bytes_do_not_fit_is_refused():
    info = sc_pb.ResponseGameInfo.FromString(engine_game(1).info.SerializeToString())
    info.start_raw.pathing_grid.data += b"\0"
    with pytest.raises(ValueError, match="describe its map"):
        map_of_game_info(info)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"plane_size": 100}, "plane_size must divide 256, got 100"),
        ({"plane_size": 0}, "plane_size must divide 256, got 0"),
        ({"limits": EntityLimits(total=0)}, "limits must be"),
        ({"limits": EntityLimits(total=513)}, "limits must be"),
        ({"limits": EntityLimits(neutral=-1)}, "limits must be"),
    ],
)
def test_sizes_that_cannot_be_are_refused(changes: dict[str, Any], words: str):
    with pytest.raises(ValueError, match=words):
        ObservationMaker(small_map(), **{"plane_size": 64, **changes})


def test_a_map_larger_than_the_world_is_refused():
    with pytest.raises(ValueError, match="nowhere: a map has at most 256 x 256 cells"):
        ObservationMaker(small_map()._replace(width=257), plane_size=64)
