"""Observations on the wire for tests, and pysc2's own arrays to hold what is decoded against."""

from functools import cache
from typing import Any

import numpy as np
from s2clientprotocol import common_pb2 as common_pb
from s2clientprotocol import raw_pb2 as raw_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs import pysc2_compat
from envs.wire import WireObservation, decode_observation, picture, pysc2_pixels
from envs.wire_columns import EffectColumn, Image, UnitColumn

MAP_SIZE = (88, 96)
PIXELS = pysc2_pixels(MAP_SIZE)


@cache
def reader(map_size: tuple[int, int], raw_resolution: tuple[int, int] | None = None) -> Any:
    """pysc2's own transformer of observations."""
    pysc2_compat.load()
    from pysc2.lib import features, point

    wanted = features.AgentInterfaceFormat(
        use_raw_units=True, use_raw_actions=True, raw_resolution=raw_resolution
    )
    return features.Features(agent_interface_format=wanted, map_size=point.Point(*map_size))


def assert_same(
    decoded: WireObservation,
    message: sc_pb.ResponseObservation,
    map_size: tuple[int, int] = MAP_SIZE,
    raw_resolution: tuple[int, int] | None = None,
) -> None:
    """Hold what was decoded against pysc2's arrays and protobuf's values."""
    seen = reader(map_size, raw_resolution).transform_obs(message)
    raw = message.observation.raw_data
    for column in UnitColumn:
        theirs = np.asarray(seen["raw_units"]).reshape(-1, len(UnitColumn))[:, column]
        np.testing.assert_array_equal(decoded.units[:, column], theirs, err_msg=column.name)
    np.testing.assert_array_equal(
        decoded.effects, np.asarray(seen["raw_effects"]).reshape(-1, len(EffectColumn))
    )
    np.testing.assert_array_equal(decoded.player, np.asarray(seen["player"]))
    assert decoded.game_loop == seen["game_loop"][0]
    assert decoded.score == message.observation.score.score
    assert decoded.upgrades.tolist() == list(raw.player.upgrade_ids)
    assert decoded.dead_units.view(np.uint64).tolist() == list(raw.event.dead_units)
    assert decoded.results.tolist() == [
        [result.player_id, result.result] for result in message.player_result
    ]
    assert decoded.measures.tolist() == [
        [unit.pos.x, unit.pos.y, unit.pos.z, unit.facing, unit.radius] for unit in raw.units
    ]
    assert decoded.effect_measures.tolist() == [
        [place.x, place.y, effect.radius] for effect in raw.effects for place in effect.pos
    ]


def image_data(message: sc_pb.ResponseObservation) -> dict[Image, common_pb.ImageData]:
    """Every picture of an observation."""
    state = message.observation.raw_data.map_state
    layers = message.observation.feature_layer_data.minimap_renders
    names = {
        Image.MINIMAP_HEIGHT: "height_map",
        Image.MINIMAP_VISIBILITY: "visibility_map",
        Image.MINIMAP_CREEP: "creep",
        Image.MINIMAP_CAMERA: "camera",
        Image.MINIMAP_PLAYER_ID: "player_id",
        Image.MINIMAP_PLAYER_RELATIVE: "player_relative",
        Image.MINIMAP_SELECTED: "selected",
        Image.MINIMAP_UNIT_TYPE: "unit_type",
        Image.MINIMAP_ALERTS: "alerts",
        Image.MINIMAP_PATHABLE: "pathable",
        Image.MINIMAP_BUILDABLE: "buildable",
    }
    found = {image: getattr(layers, name) for image, name in names.items()}
    return found | {Image.VISIBILITY: state.visibility, Image.CREEP: state.creep}


def assert_same_pictures(
    data: bytes, decoded: WireObservation, message: sc_pb.ResponseObservation
) -> None:
    """Hold every picture against protobuf's bytes, read as pysc2 reads them."""
    pysc2_compat.load()
    from pysc2.lib import features

    for image, theirs in image_data(message).items():
        expected = features.Feature.unpack_layer(theirs)
        ours = picture(data, decoded, image)
        if expected is None:
            assert ours is None
        else:
            assert ours is not None
            np.testing.assert_array_equal(ours, expected, err_msg=image.name)


def observed(*units: raw_pb.Unit, **parts: Any) -> sc_pb.ResponseObservation:
    """An observation of some units."""
    raw = raw_pb.ObservationRaw(units=units, **parts)
    return sc_pb.ResponseObservation(observation=sc_pb.Observation(raw_data=raw, game_loop=9))


def full_unit() -> raw_pb.Unit:
    """A unit of which everything is told, no two numbers alike."""
    return raw_pb.Unit(
        display_type=raw_pb.Snapshot,
        alliance=raw_pb.Enemy,
        tag=(1 << 40) + 7,
        unit_type=105,
        owner=2,
        pos=common_pb.Point(x=10.75, y=20.25, z=11.5),
        facing=3.75,
        radius=1.625,
        build_progress=0.815,
        cloak=raw_pb.CloakedDetected,
        buff_ids=[27, 281, 18],
        detect_range=11,
        is_selected=True,
        is_on_screen=True,
        is_blip=True,
        is_powered=True,
        is_active=True,
        attack_upgrade_level=1,
        armor_upgrade_level=2,
        shield_upgrade_level=3,
        health=33.9,
        health_max=125,
        shield=59.5,
        shield_max=60,
        energy=112.3,
        energy_max=200,
        mineral_contents=1795,
        vespene_contents=2246,
        is_hallucination=True,
        orders=[
            raw_pb.UnitOrder(ability_id=ability, progress=progress)
            for ability, progress in ((23, 0.259), (16, 0.5), (9999, 0.75), (295, 0), (1, 1))
        ],
        cargo_space_taken=4,
        cargo_space_max=8,
        assigned_harvesters=15,
        ideal_harvesters=16,
        weapon_cooldown=12.8,
        buff_duration_remain=91,
        buff_duration_max=320,
    )


def nested(field: int, content: bytes) -> bytes:
    """A message in a field, on the wire."""
    return varint(field << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    digits = bytearray()
    while value >= 128:
        digits.append(value & 127 | 128)
        value >>= 7
    return bytes([*digits, value])


def raw_bytes(content: bytes) -> bytes:
    """The content of an ObservationRaw as a ResponseObservation."""
    return nested(3, nested(5, content))


def assert_reads(data: bytes) -> WireObservation:
    """Decode what protobuf decodes too, to the same."""
    decoded = decode_observation(data, PIXELS)
    assert_same(decoded, sc_pb.ResponseObservation.FromString(data))
    return decoded
