"""Observations of whole games against pysc2's arrays and the game's messages, by column."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from s2clientprotocol import common_pb2 as common_pb
from s2clientprotocol import raw_pb2 as raw_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs import pysc2_compat
from envs.interface import (
    NUM_BUFFS,
    SUBCELLS,
    UNKNOWN,
    Alliance,
    EntityFeature,
    MapPlane,
    Race,
    ScalarFeature,
    read_table,
)
from envs.observations import ObservationMaker, Shown
from tests.envs.played_games import (
    RACES,
    PlayedGame,
    engine_game,
    needs_real_games,
    real_game,
    real_games,
)
from tests.envs.shown_units import reader_of, shown
from tests.envs.wire_observations import reader

# pysc2 and what it brings warn of their own age.
pytestmark = pytest.mark.filterwarnings("ignore")

SAME_IN_PYSC2 = {
    EntityFeature.ALLIANCE: "alliance",
    EntityFeature.DISPLAY_TYPE: "display_type",
    EntityFeature.BUILD_PROGRESS: "build_progress",
    EntityFeature.HEALTH: "health",
    EntityFeature.SHIELD: "shield",
    EntityFeature.ENERGY: "energy",
    EntityFeature.HEALTH_RATIO: "health_ratio",
    EntityFeature.SHIELD_RATIO: "shield_ratio",
    EntityFeature.ENERGY_RATIO: "energy_ratio",
    EntityFeature.CARGO_TAKEN: "cargo_space_taken",
    EntityFeature.CARGO_MAX: "cargo_space_max",
    EntityFeature.CLOAK: "cloak",
    EntityFeature.IS_POWERED: "is_powered",
    EntityFeature.IS_HALLUCINATION: "hallucination",
    EntityFeature.IS_ACTIVE: "active",
    EntityFeature.IS_IN_CARGO: "is_in_cargo",
    EntityFeature.IS_BLIP: "is_blip",
    EntityFeature.ASSIGNED_HARVESTERS: "assigned_harvesters",
    EntityFeature.IDEAL_HARVESTERS: "ideal_harvesters",
    EntityFeature.WEAPON_COOLDOWN: "weapon_cooldown",
    EntityFeature.ORDER_LENGTH: "order_length",
    EntityFeature.ORDER_PROGRESS_0: "order_progress_0",
    EntityFeature.ORDER_PROGRESS_1: "order_progress_1",
    EntityFeature.BUFF_DURATION: "buff_duration_remain",
    EntityFeature.WEAPON_UPGRADE: "attack_upgrade_level",
    EntityFeature.ARMOUR_UPGRADE: "armor_upgrade_level",
    EntityFeature.SHIELD_UPGRADE: "shield_upgrade_level",
}
# What pysc2 says of every unit, and the API of some: its own zero is no answer.
NOT_OF_SNAPSHOTS = (
    *("health", "shield", "energy", "health_ratio", "shield_ratio", "energy_ratio"),
    *("hallucination", "active"),
    *("attack_upgrade_level", "armor_upgrade_level", "shield_upgrade_level"),
)
OF_OWN_UNITS = (
    *("cargo_space_taken", "cargo_space_max", "assigned_harvesters", "ideal_harvesters"),
    *("weapon_cooldown", "order_length", "order_progress_0", "order_progress_1"),
    "buff_duration_remain",
)
PLAYER_SCALARS = {
    ScalarFeature.MINERALS: "minerals",
    ScalarFeature.VESPENE: "vespene",
    ScalarFeature.FOOD_USED: "food_used",
    ScalarFeature.FOOD_CAP: "food_cap",
    ScalarFeature.FOOD_WORKERS: "food_workers",
    ScalarFeature.FOOD_ARMY: "food_army",
    ScalarFeature.IDLE_WORKERS: "idle_worker_count",
    ScalarFeature.ARMY_COUNT: "army_count",
    ScalarFeature.WARP_GATE_COUNT: "warp_gate_count",
    ScalarFeature.LARVA_COUNT: "larva_count",
}
SCORE_SCALARS = {
    ScalarFeature.MINERALS_LOST: "lost_minerals",
    ScalarFeature.VESPENE_LOST: "lost_vespene",
    ScalarFeature.MINERALS_KILLED: "killed_minerals",
    ScalarFeature.VESPENE_KILLED: "killed_vespene",
}


GAMES = [pytest.param(engine_game, race, id=f"engine{race}") for race in RACES]
GAMES += [pytest.param(real_game, path, id=path.name.split(".")[0]) for path in real_games()]


def moments(game: PlayedGame, **maker: Any) -> Iterator[tuple[sc_pb.ResponseObservation, Shown]]:
    """Every observation of a game: as protobuf, units in order of their tags, and as we read it."""
    followed = reader_of(game.game_map)
    making = ObservationMaker(game.game_map, **{"plane_size": 128, **maker})
    for data, told in zip(game.responses, game.messages, strict=True):
        message = sc_pb.ResponseObservation()
        message.CopyFrom(told)
        message.observation.raw_data.units.sort(key=lambda unit: unit.tag)
        yield message, making.observation(followed.known(followed.decode(data), data))


@pytest.mark.parametrize(("play", "which"), GAMES)
def test_units_are_pysc2s_and_unknown_where_the_game_tells_nothing(play: Any, which: Any):
    played = play(which)
    size = (played.game_map.width, played.game_map.height)
    for message, (observation, tags) in moments(played):
        theirs = np.asarray(reader(size).transform_obs(message)["raw_units"])
        units = message.observation.raw_data.units
        assert tags.tolist() == [unit.tag for unit in units]
        columns = feature_unit()
        own, snapshot = theirs[:, columns.alliance] == 1, theirs[:, columns.display_type] != 1
        for ours, name in SAME_IN_PYSC2.items():
            expected = theirs[:, columns[name]].copy()
            if name in NOT_OF_SNAPSHOTS:
                expected[snapshot] = UNKNOWN
            if name in OF_OWN_UNITS:
                expected[~own] = UNKNOWN
            np.testing.assert_array_equal(observation.entities[:, ours], expected, err_msg=name)


@pytest.mark.parametrize(("play", "which"), GAMES)
def test_positions_are_the_games_in_64ths_of_a_world_unit(play: Any, which: Any):
    for message, (observation, _) in moments(play(which)):
        units = message.observation.raw_data.units
        expected = [[int(u.pos.x * SUBCELLS), int(u.pos.y * SUBCELLS)] for u in units]
        places = observation.entities[:, [EntityFeature.X, EntityFeature.Y]]
        assert places.tolist() == expected


@pytest.mark.parametrize(("play", "which"), GAMES)
def test_types_orders_buffs_and_add_ons_are_those_of_the_tables(play: Any, which: Any):
    types = {row["unit_id"]: int(row["unit_type"]) for row in read_table("unit_types.csv")}
    buffs = {row["buff_id"]: int(row["buff_class"]) for row in read_table("buff_classes.csv")}
    num_orders = 0
    for message, (observation, _) in moments(play(which)):
        by_tag = {unit.tag: unit for unit in message.observation.raw_data.units}
        for unit, ours in zip(by_tag.values(), observation.entities.tolist(), strict=True):
            assert ours[EntityFeature.UNIT_TYPE] == types.get(str(unit.unit_type), 0)
            if unit.display_type == raw_pb.Visible:
                told = [buffs.get(str(buff), NUM_BUFFS - 1) for buff in unit.buff_ids[:2]]
                expected = told + [0] * (2 - len(told))
            else:
                expected = [UNKNOWN, UNKNOWN]
            assert ours[EntityFeature.BUFF_0 : EntityFeature.BUFF_1 + 1] == expected
            orders = ours[EntityFeature.ORDER_0 : EntityFeature.ORDER_3 + 1]
            if unit.alliance == raw_pb.Self:
                expected = [general_order(order.ability_id) for order in unit.orders[:4]]
                assert orders == expected + [0] * (4 - len(expected))
                num_orders += len(expected)
                add_on = by_tag.get(unit.add_on_tag)
                assert (ours[EntityFeature.ADDON] > 0) == (add_on is not None)
            else:
                assert [*orders, ours[EntityFeature.ADDON]] == [UNKNOWN] * 5
    assert num_orders > 0


def feature_unit() -> Any:
    """pysc2's names of columns."""
    pysc2_compat.load()
    from pysc2.lib import features

    return features.FeatureUnit


def general_order(ability_id: int) -> int:
    """pysc2's first function for an ability, and the general one of the same kind for that."""
    pysc2_compat.load()
    from pysc2.lib import actions

    found = [f for f in actions.RAW_FUNCTIONS if f.ability_id == ability_id]
    if not found:
        return 0
    alike = [
        f
        for f in actions.RAW_FUNCTIONS
        if f.ability_id == found[0].general_id and f.function_type == found[0].function_type
    ]
    return int((alike or found)[0].id)


@pytest.mark.parametrize(("play", "which"), GAMES)
def test_scalars_are_the_players_counters_and_his_score(play: Any, which: Any):
    for message, (observation, _) in moments(play(which)):
        scalars, state = observation.scalars, message.observation
        assert scalars[ScalarFeature.GAME_LOOP] == state.game_loop
        assert scalars[ScalarFeature.HOME_RACE] == Race.TERRAN
        assert scalars[ScalarFeature.AWAY_RACE] == Race.RANDOM
        for feature, name in PLAYER_SCALARS.items():
            assert scalars[feature] == getattr(state.player_common, name), name
        details = state.score.score_details
        for feature, name in SCORE_SCALARS.items():
            parts = getattr(details, name)
            assert scalars[feature] == int(parts.army + parts.economy + parts.technology), name
        assert scalars[ScalarFeature.MINERALS_IN_ARMY] == int(details.used_minerals.army)
        assert scalars[ScalarFeature.VESPENE_IN_ARMY] == int(details.used_vespene.army)
        assert scalars[ScalarFeature.MINERALS_RATE] == int(details.collection_rate_minerals)
        assert scalars[ScalarFeature.VESPENE_RATE] == int(details.collection_rate_vespene)
        assert scalars[ScalarFeature.STATISTICS_AGE] == 0
        untold = [ScalarFeature.MMR, ScalarFeature.MINERALS_IN_PROGRESS]
        assert scalars[untold].tolist() == [UNKNOWN, UNKNOWN]


@pytest.mark.parametrize(("play", "which"), GAMES)
def test_upgrades_are_those_that_the_game_lists(play: Any, which: Any):
    rows = read_table("upgrades.csv")
    for message, (observation, _) in moments(play(which)):
        have = {str(number) for number in message.observation.raw_data.player.upgrade_ids}
        expected = [int(row["upgrade_id"] in have) for row in rows]
        assert observation.upgrades[: len(rows)].tolist() == expected
        assert not observation.upgrades[len(rows) :].any()


@pytest.mark.parametrize(("play", "which"), GAMES)
@pytest.mark.parametrize("plane_size", [256, 64])
def test_planes_are_the_games_pictures_at_each_cells_middle(play: Any, which: Any, plane_size: int):
    played = play(which)
    start, cell = played.info.start_raw, 256 // plane_size
    still = {
        MapPlane.PATHABLE: grid(start.pathing_grid),
        MapPlane.BUILDABLE: grid(start.placement_grid),
        MapPlane.HEIGHT: np.minimum(grid(start.terrain_height), 254),
    }
    for message, (observation, _) in moments(played, plane_size=plane_size):
        state = message.observation.raw_data.map_state
        moving = {
            MapPlane.VISIBILITY: grid(state.visibility),
            MapPlane.CREEP: grid(state.creep),
        }
        for plane, picture in (still | moving).items():
            world = np.zeros((256, 256), np.uint8)
            world[: picture.shape[0], : picture.shape[1]] = picture
            expected = world[cell // 2 :: cell, cell // 2 :: cell]
            np.testing.assert_array_equal(observation.map_planes[plane], expected, plane.name)


def grid(image: common_pb.ImageData) -> NDArray[np.uint8]:
    """A picture by row and column, as pysc2 reads it."""
    pysc2_compat.load()
    from pysc2.lib import features

    return np.asarray(features.Feature.unpack_layer(image), np.uint8)


@pytest.mark.parametrize(("play", "which"), GAMES)
def test_the_plane_of_units_shows_whose_they_are_own_over_enemy_over_others(play: Any, which: Any):
    rank = {Alliance.SELF: 3, Alliance.ENEMY: 2, Alliance.NEUTRAL: 1}
    for message, (observation, _) in moments(play(which), plane_size=64):
        expected = np.zeros((64, 64), np.uint8)
        for unit in sorted(message.observation.raw_data.units, key=lambda u: rank[u.alliance]):
            expected[int(unit.pos.y) // 4, int(unit.pos.x) // 4] = unit.alliance
        np.testing.assert_array_equal(observation.map_planes[MapPlane.PLAYER_RELATIVE], expected)


def test_what_nobody_asked_for_is_unknown():
    _, (observation, _) = next(moments(engine_game(1)))
    assert (observation.build_order == UNKNOWN).all()
    assert (observation.cumulative_statistics == UNKNOWN).all()


def test_the_map_is_what_the_game_tells_at_the_start():
    played = engine_game(1)
    size = played.info.start_raw.map_size
    assert (played.game_map.width, played.game_map.height) == (size.x, size.y)
    assert played.game_map.name == played.info.map_name
    starts = [(place.x, place.y) for place in played.info.start_raw.start_locations]
    assert list(played.game_map.starts) == starts


@needs_real_games()
def test_the_real_games_map_is_read_too():
    played = real_game(real_games()[0])
    assert played.game_map.is_pathable.mean() > 0.2
    assert len(played.game_map.starts) == 1


def test_same_bytes_same_observation():
    for (_, one), (_, other) in zip(moments(engine_game(2)), moments(engine_game(2)), strict=True):
        for ours, theirs in zip(one.observation, other.observation, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_an_observation_stays_as_it_was_when_the_next_is_made():
    kept = [
        (seen, [part.copy() for part in seen.observation]) for _, seen in moments(engine_game(3))
    ]
    for seen, parts in kept:
        for part, copy in zip(seen.observation, parts, strict=True):
            np.testing.assert_array_equal(part, copy)


def test_the_order_in_which_the_game_tells_of_units_changes_nothing():
    played = engine_game(1)
    generator = np.random.default_rng(5)
    one, other = reader_of(played.game_map), reader_of(played.game_map)
    for data, message in zip(played.responses, played.messages, strict=True):
        units = list(message.observation.raw_data.units)
        order = generator.permutation(len(units))
        del message.observation.raw_data.units[:]
        message.observation.raw_data.units.extend(units[i] for i in order)
        mixed_data = sc_pb.Response(observation=message).SerializeToString()
        plain, mixed = shown(one, data), shown(other, mixed_data)
        np.testing.assert_array_equal(mixed.tags, plain.tags)
        for ours, theirs in zip(mixed.observation, plain.observation, strict=True):
            np.testing.assert_array_equal(ours, theirs)
