"""Map files: which there are, what they say, what they make, and what is refused."""

import json

import numpy as np
import pytest
from pysc2 import maps as pysc2_maps
from pysc2.maps import ladder, melee
from pysc2.maps import mini_games as pysc2_mini_games

from envs.engine.errors import MapError
from envs.engine.map_sketch import walking_distances
from envs.engine.terrain import GameMap, map_bytes, map_files, read_map

SERVED = [file.path for file in map_files()]
MELEE = {"format": "LatentStar map", "version": 1, "name": "A map", "kind": "melee", "seed": 7}
MELEE |= {"width": 96, "height": 104, "bases": 2, "rocks": 1}


def file_with(**changes: object) -> bytes:
    return json.dumps(MELEE | changes).encode()


def refusal(data: bytes) -> str:
    """Why a file is refused: one line."""
    with pytest.raises(MapError) as refused:
        read_map(data)
    message = str(refused.value)
    assert "\n" not in message
    assert len(message) < 200
    return message


@pytest.mark.parametrize("path", SERVED)
def test_every_map_that_is_served_can_be_made(path: str):
    game_map = read_map(map_bytes(path))
    size = (game_map.height, game_map.width)
    for grid in (game_map.terrain_height, game_map.pathable, game_map.buildable):
        assert grid.shape == size
        assert grid.dtype == np.uint8
    assert size[0] % 8 == size[1] % 8 == 0
    assert len(game_map.starts) == game_map.num_players
    left, bottom, right, top = game_map.playable
    assert 0 < left < right < game_map.width
    assert 0 < bottom < top < game_map.height
    assert game_map.pathable.sum() == game_map.pathable[bottom:top, left:right].sum() > 0
    for resource in game_map.resources:
        assert game_map.buildable[resource.cells()].all()


def test_pysc2_finds_all_maps_for_two_players_and_all_mini_games():
    wanted = [
        game_map
        for game_map in pysc2_maps.get_maps().values()
        if issubclass(game_map, ladder.Ladder | melee.Melee | pysc2_mini_games.MiniGame)
        and game_map.players <= 2
    ]
    assert len(wanted) > 50
    served = {file.path: file for file in map_files()}
    for game_map in wanted:
        file = served[game_map().path]
        assert file.num_players == game_map.players
        assert file.name == (game_map.battle_net or game_map.__name__)


@pytest.mark.parametrize("name", ["AcropolisLE", "AbyssalReefLE", "(2)CatalystLE", "Simple64"])
def test_python_sc2_finds_maps_by_the_name_of_the_file_one_folder_down(name: str):
    (path,) = [path for path in SERVED if path.endswith(f"/{name}.SC2Map")]
    assert path.count("/") == 1


def test_no_two_files_have_the_same_name():
    names = [path.rsplit("/")[-1] for path in SERVED]
    assert len(set(names)) == len(names)


def test_a_map_is_found_by_its_path_its_file_and_its_name():
    file = map_bytes("Ladder2019Season3/AcropolisLE.SC2Map")
    assert map_bytes("AcropolisLE.SC2Map") == map_bytes("AcropolisLE") == file
    assert map_bytes("Acropolis LE") == file
    assert map_bytes("Ladder2019Season3\\AcropolisLE.SC2Map") == file
    assert read_map(file).name == "Acropolis LE"


@pytest.mark.parametrize("name", ["", "Atlantis", "Acropolis", "acropolisle"])
def test_other_names_are_unknown(name: str):
    with pytest.raises(MapError, match="there is no map"):
        map_bytes(name)


def test_files_are_small_and_say_how_to_draw_the_map():
    for path in SERVED:
        data = map_bytes(path)
        assert len(data) < 300
        assert set(json.loads(data)) == set(MELEE)


def test_sizes_are_those_of_the_maps_whose_names_they_bear():
    sizes = {name: read_map(map_bytes(name)).pathable.shape for name in ("Simple64", "Flat64")}
    assert sizes == {"Simple64": (96, 88), "Flat64": (80, 80)}
    for path in SERVED:
        if path.startswith("Ladder"):
            game_map = read_map(map_bytes(path))
            assert all(144 <= side <= 184 for side in (game_map.width, game_map.height))


def test_grids_cannot_be_written_to():
    game_map = read_map(file_with())
    for grid in (game_map.terrain_height, game_map.pathable, game_map.buildable):
        with pytest.raises(ValueError, match="read-only"):
            grid[0, 0] = 1


def test_maps_with_other_seeds_are_other_maps():
    one, other = (read_map(file_with(seed=seed, width=144, height=144)) for seed in (1, 2))
    assert not np.array_equal(one.pathable, other.pathable)


def each_players_bases(game_map: GameMap) -> list[tuple[tuple[float, float], ...]]:
    return [game_map.expansions[i :: game_map.num_players] for i in range(game_map.num_players)]


@pytest.mark.parametrize("name", ["Simple64", "Simple96", "AcropolisLE", "Flat128"])
def test_expansions_are_each_players_bases_nearest_first(name: str):
    game_map = read_map(map_bytes(name))
    assert game_map.expansions[:2] == game_map.starts
    for bases in each_players_bases(game_map):
        x, y = bases[0]
        steps = walking_distances(game_map.pathable == 1, int(x), int(y))
        away = [int(steps[int(base_y), int(base_x)]) for base_x, base_y in bases]
        assert away == sorted(away)
        assert away[0] == 0


def test_every_base_has_eight_mineral_fields_and_two_geysers_around_it():
    game_map = read_map(map_bytes("AcropolisLE"))
    for x, y in game_map.expansions:
        near = [
            resource
            for resource in game_map.resources
            if (resource.x - x) ** 2 + (resource.y - y) ** 2 < 9**2
        ]
        assert sorted(resource.unit_id for resource in near) == [341] * 4 + [342] * 2 + [483] * 4
    assert len(game_map.resources) == 10 * len(game_map.expansions)


def test_mini_games_have_one_player_and_flat_ground():
    for path in SERVED:
        if path.startswith("mini_games/"):
            game_map = read_map(map_bytes(path))
            assert game_map.mini_game == game_map.name
            assert game_map.num_players == 1
            assert len(np.unique(game_map.terrain_height)) == 1
            assert np.array_equal(game_map.pathable, game_map.buildable)
    fields = {
        name: len(read_map(map_bytes(name)).resources) for name in ("BuildMarines", "MoveToBeacon")
    }
    assert fields == {"BuildMarines": 8, "MoveToBeacon": 0}
    gas = [r for r in read_map(map_bytes("CollectMineralsAndGas")).resources if r.unit_id == 342]
    assert len(gas) == 4


def test_melee_maps_belong_to_no_mini_game():
    assert read_map(map_bytes("Simple64")).mini_game is None


def test_maps_of_the_real_game_are_refused():
    assert "StarCraft II" in refusal(b"MPQ\x1a" + bytes(2000))


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe", b"{", b"[]", b"7", b"{}", b'{"format": 1}', b"[" * 3000]
)
def test_what_is_no_map_file_is_refused(data: bytes):
    assert refusal(data).startswith("this is no map file of the engine")


def test_files_that_are_too_long_are_refused():
    assert "at most 4096 bytes" in refusal(file_with() + b" " * 4096)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 2}, "version is 1, got 2"),
        ({"geometry": "..."}, "nothing else"),
        ({"width": "96"}, "width of a map is int, got '96'"),
        ({"seed": 1.0}, "seed of a map is int, got 1.0"),
        ({"bases": True}, "bases of a map is int, got True"),
        ({"name": 5}, "name of a map is str, got 5"),
        ({"name": ""}, "1 to 64 letters"),
        ({"name": "a\nb"}, "1 to 64 letters"),
        ({"kind": "island"}, "a map is melee, flat, mini_game, got 'island'"),
        ({"width": 100}, "multiples of 8 from 88 to 256, got 100"),
        ({"height": 80}, "multiples of 8 from 88 to 256, got 80"),
        ({"height": 264}, "multiples of 8 from 88 to 256, got 264"),
        ({"kind": "flat", "height": 40}, "multiples of 8 from 48 to 256, got 40"),
        ({"bases": 1}, "2 to 10 bases a player, got 1"),
        ({"bases": 11}, "2 to 10 bases a player, got 11"),
        ({"rocks": -1}, "0 to 32 rocks a player, got -1"),
        ({"seed": -1}, "seed is below 2 ** 64 and not negative, got -1"),
        ({"kind": "mini_game"}, "there is no mini-game 'A map'"),
        ({"bases": 10}, "no map of 96 x 104 cells was found that has 10 bases a player"),
    ],
)
def test_maps_that_cannot_be_made_are_refused(changes: dict[str, object], message: str):
    assert message in refusal(file_with(**changes))


def test_a_file_that_lacks_something_is_refused():
    without = {name: value for name, value in MELEE.items() if name != "bases"}
    assert "name, kind, seed, width, height, bases, rocks" in refusal(json.dumps(without).encode())
