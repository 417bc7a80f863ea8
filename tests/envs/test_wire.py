"""The decoder of the game's bytes against pysc2's own arrays, made from the same bytes."""

import struct

import numpy as np
import pytest
from s2clientprotocol import common_pb2 as common_pb
from s2clientprotocol import raw_pb2 as raw_pb
from s2clientprotocol import sc2api_pb2 as sc_pb
from s2clientprotocol import score_pb2 as score_pb
from s2clientprotocol import spatial_pb2 as spatial_pb

from envs import pysc2_compat
from envs.wire import MAX_ROWS, decode_observation, decode_response, picture, pysc2_pixels
from envs.wire_columns import (
    EffectColumn,
    EffectMeasure,
    Image,
    ImageColumn,
    PlayerColumn,
    ScoreMeasure,
    UnitColumn,
    UnitMeasure,
)
from tests.envs.wire_observations import (
    MAP_SIZE,
    PIXELS,
    assert_reads,
    assert_same,
    assert_same_pictures,
    full_unit,
    image_data,
    nested,
    observed,
    raw_bytes,
    reader,
    varint,
)

# pysc2 and what it brings warn of their own age.
pytestmark = pytest.mark.filterwarnings("ignore")

LARGEST = 1e9  # what a float of a real game never comes near


def test_columns_are_pysc2s():
    pysc2_compat.load()
    from pysc2.lib import features

    for ours, theirs in (
        (UnitColumn, features.FeatureUnit),
        (PlayerColumn, features.Player),
        (EffectColumn, features.EffectPos),
    ):
        assert [(c.name.lower(), c.value) for c in ours] == [(c.name, c.value) for c in theirs]
    layers = [image.name.removeprefix("MINIMAP_").lower() for image in Image][2:]
    assert layers == [name.removesuffix("_map") for name in features.MinimapFeatures._fields]


def test_every_number_of_a_unit_goes_to_its_column():
    (row,) = assert_reads(observed(full_unit()).SerializeToString()).units
    assert row[UnitColumn.TAG] == (1 << 40) + 7
    assert row[UnitColumn.HEALTH] == 33
    assert row[UnitColumn.HEALTH_RATIO] == int(33.9 / 125 * 255)
    assert row[UnitColumn.BUILD_PROGRESS] == 81
    assert (row[UnitColumn.X], row[UnitColumn.Y]) == (10 * 88 // 96, 75)
    assert row[UnitColumn.ORDER_LENGTH] == 5
    orders = (UnitColumn.ORDER_ID_0, UnitColumn.ORDER_ID_1, UnitColumn.ORDER_ID_2)
    assert row[list(orders)].tolist() == [4, 547, 0]  # Attack_Attack_pt, Move_Move_pt, unknown
    assert (row[UnitColumn.BUFF_ID_0], row[UnitColumn.BUFF_ID_1]) == (27, 281)


def test_what_pysc2_rounds_is_there_as_the_game_sent_it():
    decoded = decode_observation(observed(full_unit()).SerializeToString(), PIXELS)
    measures = decoded.measures[0]
    assert measures[[UnitMeasure.X, UnitMeasure.Y, UnitMeasure.Z]].tolist() == [10.75, 20.25, 11.5]
    assert measures[[UnitMeasure.FACING, UnitMeasure.RADIUS]].tolist() == [3.75, 1.625]


def test_a_unit_of_which_nothing_is_told_is_as_protobuf_has_it():
    assert_reads(observed(raw_pb.Unit(), full_unit(), raw_pb.Unit()).SerializeToString())


def test_negative_numbers_keep_their_sign():
    unit = raw_pb.Unit(owner=-1, assigned_harvesters=-5, pos=common_pb.Point(x=-0.5, y=-3))
    (row,) = assert_reads(observed(unit).SerializeToString()).units
    assert (row[UnitColumn.OWNER], row[UnitColumn.ASSIGNED_HARVESTERS]) == (-1, -5)
    assert (row[UnitColumn.X], row[UnitColumn.Y]) == (-1, 99)


def test_add_ons_are_named_by_their_type():
    lab = raw_pb.Unit(tag=1 << 33, unit_type=37)
    barracks = raw_pb.Unit(tag=2 << 33, unit_type=21, add_on_tag=lab.tag)
    lost = raw_pb.Unit(tag=3 << 33, unit_type=21, add_on_tag=99)
    decoded = assert_reads(observed(barracks, lost, lab).SerializeToString())
    assert decoded.units[:, UnitColumn.ADDON_UNIT_TYPE].tolist() == [37, 0, 0]


def test_player_score_news_and_results_are_read():
    message = observed(
        player=raw_pb.PlayerRaw(upgrade_ids=[15, 16, 300]),
        event=raw_pb.Event(dead_units=[1 << 40, (1 << 40) + 1]),
    )
    for number, name in enumerate(PlayerColumn, start=3):
        setattr(message.observation.player_common, name.name.lower(), number)
    message.observation.score.CopyFrom(score_pb.Score(score=-40))
    message.player_result.add(player_id=1, result=sc_pb.Defeat)
    message.player_result.add(player_id=2, result=sc_pb.Victory)
    message.actions.add(game_loop=3)
    decoded = assert_reads(message.SerializeToString())
    assert decoded.player.tolist() == list(range(3, 14))
    assert (decoded.score, decoded.game_loop) == (-40, 9)
    assert decoded.results.tolist() == [[1, 2], [2, 1]]


def test_the_score_is_summed_over_army_economy_and_technology():
    message = observed()
    details = message.observation.score.score_details
    details.collection_rate_minerals, details.collection_rate_vespene = 840.5, 162
    measured = ("killed", "lost", "used")
    for number, name in enumerate(f"{w}_{r}" for w in measured for r in ("minerals", "vespene")):
        for place, category in enumerate(("none", "army", "economy", "technology", "upgrade")):
            setattr(getattr(details, name), category, 10**place * (number + 1))
    details.friendly_fire_minerals.army = details.total_used_minerals.army = 7e5
    details.spent_minerals = 9e5
    decoded = decode_observation(message.SerializeToString(), PIXELS)
    # Army, economy and technology are the tens to the thousands.
    assert decoded.score_measures.tolist() == [840.5, 162, 1110, 2220, 3330, 4440, 50, 60]


def test_a_score_in_parts_is_one_score():
    parts = [observed(), observed()]
    parts[0].observation.score.score_details.lost_minerals.army = 50
    parts[0].observation.score.score_details.collection_rate_minerals = 3
    parts[1].observation.score.score_details.lost_minerals.economy = 25
    data = b"".join(part.SerializeToString() for part in parts)
    measures = decode_observation(data, PIXELS).score_measures
    whole = sc_pb.ResponseObservation.FromString(data).observation.score.score_details
    assert (whole.lost_minerals.army, whole.lost_minerals.economy) == (50, 25)
    assert measures[ScoreMeasure.MINERALS_LOST] == 75
    assert measures[ScoreMeasure.MINERALS_RATE] == 3


def test_no_score_is_zeros():
    decoded = decode_observation(observed().SerializeToString(), PIXELS)
    assert decoded.score_measures.tolist() == [0.0] * len(ScoreMeasure)


def test_effects_have_a_row_for_each_place():
    places = [common_pb.Point2D(x=5.5, y=6.5), common_pb.Point2D(x=7, y=8)]
    effects = [
        raw_pb.Effect(effect_id=7, pos=places, alliance=raw_pb.Enemy, owner=2, radius=1.5),
        raw_pb.Effect(effect_id=11, pos=places[:1]),
        raw_pb.Effect(effect_id=1),
    ]
    decoded = assert_reads(observed(effects=effects).SerializeToString())
    assert decoded.effects[:, EffectColumn.EFFECT].tolist() == [7, 7, 11]
    assert decoded.effect_measures[:, EffectMeasure.X].tolist() == [5.5, 7, 5.5]


def test_an_effects_places_may_come_before_what_it_is():
    place = nested(2, common_pb.Point2D(x=5, y=6).SerializeToString())
    rest = raw_pb.Effect(effect_id=7, owner=2, radius=2).SerializeToString()
    assert len(assert_reads(raw_bytes(nested(5, place + rest + place))).effects) == 2


def test_messages_in_parts_are_one_message():
    first, second = observed(full_unit()), observed(raw_pb.Unit(tag=5), full_unit())
    second.observation.ClearField("game_loop")
    first.observation.player_common.minerals = 50
    second.observation.player_common.vespene = 70
    decoded = assert_reads(first.SerializeToString() + second.SerializeToString())
    assert len(decoded.units) == 3
    assert decoded.player[PlayerColumn.MINERALS] == 50
    assert decoded.player[PlayerColumn.VESPENE] == 70
    assert decoded.game_loop == 9


def test_parts_of_a_unit_are_one_unit():
    x = raw_pb.Unit(pos=common_pb.Point(x=4), health=3, display_type=raw_pb.Hidden)
    y = raw_pb.Unit(pos=common_pb.Point(y=5), health=2)
    content = x.SerializeToString() + y.SerializeToString()
    decoded = assert_reads(raw_bytes(nested(2, content)))
    assert decoded.measures[0, :2].tolist() == [4, 5]


def test_repeated_numbers_may_be_packed():
    packed = varint(15) + varint(300) + varint(4)
    upgrades = nested(1, nested(3, packed) + b"\x18\x05")
    dead = nested(4, nested(1, varint(1 << 40)))
    unit = nested(2, nested(27, packed))
    decoded = assert_reads(raw_bytes(upgrades + dead + unit + unit))
    assert decoded.upgrades.tolist() == [15, 300, 4, 5]
    assert decoded.units[0, UnitColumn.BUFF_ID_1] == 300


def test_what_an_enumeration_does_not_have_is_left_out():
    unit = b"\x08\x07" + b"\x10\x03\x10\x09" + b"\x50\x63"  # display 7, alliance 3 and 9, cloak 99
    decoded = assert_reads(raw_bytes(nested(2, unit)))
    assert decoded.units[0, UnitColumn.ALLIANCE] == 3
    assert decoded.units[0, UnitColumn.DISPLAY_TYPE] == 1


def test_unknown_fields_and_kinds_are_stepped_over():
    unknown = [
        varint(50 << 3) + b"\x81\x80\x01",
        varint(51 << 3 | 1) + bytes(8),
        varint(900 << 3 | 5) + bytes(4),
        nested(60, b"whatever"),
        varint(14 << 3) + b"\x05",  # health, as a number
        nested(4, b"\x01"),  # the type, as bytes
        varint(6 << 3 | 5) + bytes(4),  # the position, as a float
    ]
    unit = b"".join(unknown) + full_unit().SerializeToString() + b"".join(unknown)
    extra = nested(40, b"more") + varint(41 << 3) + b"\x00"
    assert_reads(extra + raw_bytes(extra + nested(2, unit) + extra) + extra)


@pytest.mark.parametrize("map_size", [(88, 96), (176, 184), (200, 152), (64, 64)])
@pytest.mark.parametrize("raw_resolution", [None, (64, 64), (128, 96)])
def test_pixels_are_pysc2s(map_size: tuple[int, int], raw_resolution: tuple[int, int] | None):
    generator = np.random.default_rng(1)
    units = [
        raw_pb.Unit(pos=common_pb.Point(x=x, y=y), radius=radius)
        for x, y, radius in generator.uniform(0, 64, (200, 3)).astype(np.float32).tolist()
    ]
    message = observed(*units, effects=[raw_pb.Effect(pos=[common_pb.Point2D(x=1.5, y=9.25)])])
    pixels = pysc2_pixels(map_size, raw_resolution)
    decoded = decode_observation(message.SerializeToString(), pixels)
    assert_same(decoded, message, map_size, raw_resolution)


def test_pixels_need_a_map():
    with pytest.raises(ValueError, match="sides must be positive"):
        pysc2_pixels((0, 64))


def test_pictures_are_where_their_bytes_are():
    generator = np.random.default_rng(2)
    message = observed()
    for number, image in enumerate(image_data(message).values(), start=1):
        bits = (1, 8, 16, 32)[number % 4]
        image.bits_per_pixel = bits
        image.size.x, image.size.y = 8 * number, 5
        image.data = generator.bytes(8 * number * 5 * bits // 8)
    data = message.SerializeToString()
    decoded = assert_reads(data)
    assert_same_pictures(data, decoded, message)
    assert decoded.images[Image.CREEP, ImageColumn.HEIGHT] == 5


def test_pictures_that_were_not_sent_are_none():
    data = observed().SerializeToString()
    decoded = decode_observation(data, PIXELS)
    assert [picture(data, decoded, image) for image in Image] == [None] * len(Image)


@pytest.mark.parametrize(
    ("bits", "width", "height", "num_bytes"),
    [(8, 4, 4, 15), (8, 4, 4, 17), (1, 3, 3, 1), (7, 8, 8, 56), (8, -4, -4, 16), (8, 0, 4, 0)],
)
def test_pictures_whose_bytes_do_not_fit_are_refused(
    bits: int, width: int, height: int, num_bytes: int
):
    image = common_pb.ImageData(
        bits_per_pixel=bits,
        size=common_pb.Size2DI(x=width, y=height),
        data=bytes(num_bytes),
    )
    message = observed(map_state=raw_pb.MapState(creep=image))
    data = message.SerializeToString()
    with pytest.raises(ValueError, match="CREEP"):
        picture(data, decode_observation(data, PIXELS), Image.CREEP)


def test_a_response_is_read_through_to_its_observation():
    message = observed(full_unit())
    response = sc_pb.Response(observation=message, id=5, status=sc_pb.in_game)
    assert_same(decode_response(response.SerializeToString(), PIXELS), message)


@pytest.mark.parametrize(
    "response",
    [
        sc_pb.Response(ping=sc_pb.ResponsePing(game_version="4.10")),
        sc_pb.Response(error=["Not in a game"], status=sc_pb.launched),
        sc_pb.Response(observation=sc_pb.ResponseObservation()),
    ],
)
def test_a_response_without_an_observation_is_refused(response: sc_pb.Response):
    with pytest.raises(ValueError, match="no observation"):
        decode_response(response.SerializeToString(), PIXELS)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x1a",  # a field without content
        b"\x1a\x05\x2a",  # cut short
        raw_bytes(b"")[:-1] + b"\x7f",  # longer than what it is in
        raw_bytes(nested(2, b"\x75\x00\x00")),  # half a float
        raw_bytes(nested(2, b"\x75" + struct.pack("<f", float("nan")))),
        raw_bytes(nested(2, b"\x3d" + struct.pack("<f", float("inf")))),
        raw_bytes(nested(2, b"\x18" + b"\xff" * 10)),  # a number without end
        raw_bytes(nested(2, b"\x0b\x0c")),  # a group
        raw_bytes(nested(2, b"\x00\x01")),  # field 0
        raw_bytes(nested(2, b"\xd8\x01")),  # a buff without a number
        raw_bytes(nested(2, b"\xda\x01\x02\x80\x80")),  # packed numbers that do not end
        raw_bytes(nested(2, nested(6, b"\x0d\x00"))),  # half a place
        raw_bytes(nested(2, nested(22, b"\x08"))),  # half an order
        raw_bytes(nested(5, nested(2, b"\x0d\x00"))),  # half a place of an effect
        raw_bytes(nested(3, nested(1, b"\x1a\x05\x00"))),  # half a picture
        raw_bytes(nested(1, b"\x18")),
        nested(3, nested(4, nested(8, b"\x4d\x00"))),  # half a rate
        nested(3, nested(4, nested(8, nested(14, b"\x15\x00")))),  # half a category
        nested(3, nested(1, b"\x08\x80")),
        nested(3, b"") + nested(4, b"\x08"),
        b"\x2a\xff\xff\xff\xff\xff\xff\xff\xff\x7f",  # longer than anything
        b"\x2a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",  # of negative length
    ],
)
def test_damage_is_refused(data: bytes):
    with pytest.raises(ValueError, match="no observation"):
        decode_observation(data, PIXELS)


def test_more_units_than_there_can_be_are_refused_before_room_is_made_for_them():
    with pytest.raises(ValueError, match=f"at most {MAX_ROWS}"):
        decode_observation(raw_bytes(b"\x12\x00" * (MAX_ROWS + 1)), PIXELS)


def small_observation() -> bytes:
    """An observation with something of everything, and little of it."""
    image = common_pb.ImageData(bits_per_pixel=8, size=common_pb.Size2DI(x=3, y=2), data=b"abcdef")
    message = observed(
        full_unit(),
        raw_pb.Unit(tag=9 << 33, add_on_tag=(1 << 40) + 7, alliance=raw_pb.Self),
        player=raw_pb.PlayerRaw(upgrade_ids=[15, 300], camera=common_pb.Point(x=4, y=5)),
        event=raw_pb.Event(dead_units=[1 << 40]),
        effects=[raw_pb.Effect(effect_id=7, pos=[common_pb.Point2D(x=5, y=6)], radius=1.5)],
        map_state=raw_pb.MapState(visibility=image, creep=image),
    )
    message.observation.player_common.minerals = 1234
    message.observation.score.score = 77
    message.observation.feature_layer_data.CopyFrom(
        spatial_pb.ObservationFeatureLayer(
            minimap_renders=spatial_pb.FeatureLayersMinimap(height_map=image)
        )
    )
    message.player_result.add(player_id=2, result=sc_pb.Tie)
    return message.SerializeToString()


def outcome(data: bytes | memoryview) -> list[list[int]] | None:
    """What decoding comes to: the numbers read, or nothing where the bytes are refused."""
    try:
        decoded = decode_observation(data, PIXELS)
    except ValueError:
        return None
    arrays = [part for part in decoded if isinstance(part, np.ndarray)]
    return [part.ravel().tolist() for part in arrays]


def test_nothing_is_read_behind_the_end():
    data = small_observation()
    for length in range(1, len(data)):
        zeros = memoryview(data[:length] + bytes(64))[:length]
        ones = memoryview(data[:length] + b"\xff" * 64)[:length]
        rest = memoryview(data)[:length]
        assert outcome(zeros) == outcome(ones) == outcome(rest)


def is_sane(message: sc_pb.ResponseObservation) -> bool:
    """Whether no float is one at which pysc2's own arithmetic goes astray."""
    raw = message.observation.raw_data
    floats = [value for unit in raw.units for _, value in unit.ListFields()]
    floats += [order.progress for unit in raw.units for order in unit.orders]
    floats += [value for unit in raw.units for _, value in unit.pos.ListFields()]
    floats += [effect.radius for effect in raw.effects]
    floats += [v for effect in raw.effects for place in effect.pos for _, v in place.ListFields()]
    return all(abs(value) < LARGEST for value in floats if isinstance(value, float))


def test_damaged_bytes_are_refused_or_read_as_pysc2_reads_them():
    generator = np.random.default_rng(3)
    data = small_observation()
    refused = read = 0
    for _ in range(4000):
        damaged = bytearray(data)
        for _ in range(int(generator.integers(1, 4))):
            damaged[int(generator.integers(len(damaged)))] = int(generator.integers(256))
        content = bytes(damaged)
        try:
            decoded = decode_observation(content, PIXELS)
        except ValueError:
            refused += 1
            continue
        try:
            message = sc_pb.ResponseObservation.FromString(content)
            reader(MAP_SIZE).transform_obs(message)
        except Exception:  # of many kinds: what pysc2 does not read has no right answer
            continue
        if is_sane(message):
            assert_same(decoded, message)
            read += 1
    assert refused > 100
    assert read > 100


def test_noise_is_refused():
    generator = np.random.default_rng(4)
    for length in generator.integers(1, 3000, 2000).tolist():
        outcome(generator.bytes(length))
