"""The picture of a game: it is drawn, and the ground has the colours that it should."""

from pathlib import Path

import numpy as np

from envs.engine.terrain import map_bytes, read_map
from envs.interface import Visibility
from training.engine_picture import PictureConfig, ground_colours, run

PNG = b"\x89PNG"


def test_a_game_is_drawn(tmp_path: Path):
    out = tmp_path / "pictures" / "game.png"
    run(PictureConfig(out=out, minutes=0.2))
    assert out.read_bytes().startswith(PNG)
    assert not [path for path in out.parent.iterdir() if path != out]


def test_high_ground_is_lighter_and_fog_and_cliffs_are_darker():
    game_map = read_map(map_bytes("Simple64"))
    shape = game_map.pathable.shape
    nothing = np.zeros(shape, np.uint8)
    seen = np.full(shape, int(Visibility.VISIBLE), np.uint8)
    colours = ground_colours(game_map, nothing, seen)
    assert colours.shape == (*shape, 3)
    assert 0 <= colours.min() <= colours.max() <= 1
    light, height = colours.sum(axis=2), game_map.terrain_height
    walkable = game_map.pathable == 1
    high, low = height == height[walkable].max(), height == height[walkable].min()
    assert light[high & walkable].min() > light[low & walkable].max()
    both = [h for h in np.unique(height) if 0 < walkable[height == h].mean() < 1]
    assert both
    for same in (height == h for h in both):
        assert light[same & ~walkable].max() < light[same & walkable].min()
    for seen_as in (Visibility.HIDDEN, Visibility.FOGGED):
        fogged = ground_colours(game_map, nothing, np.full(shape, int(seen_as), np.uint8))
        assert (fogged < colours).all()


def test_creep_has_a_colour_of_its_own():
    game_map = read_map(map_bytes("Simple64"))
    shape = game_map.pathable.shape
    creep, seen = np.zeros(shape, np.uint8), np.full(shape, 2, np.uint8)
    creep[: shape[0] // 2] = 1
    bare = ground_colours(game_map, np.zeros(shape, np.uint8), seen)
    covered = ground_colours(game_map, creep, seen)
    np.testing.assert_array_equal(covered[shape[0] // 2 :], bare[shape[0] // 2 :])
    assert (covered[: shape[0] // 2] != bare[: shape[0] // 2]).any(axis=2).all()
