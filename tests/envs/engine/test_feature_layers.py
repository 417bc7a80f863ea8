"""The minimap: what is seen and remembered, at the size that was asked for."""

import numpy as np
import pytest
from s2clientprotocol import common_pb2 as common_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine.layout import ONE
from envs.engine.observe import Observer
from tests.envs.engine.scenes import TERRAN, Scene

SELF, NEUTRAL, ENEMY = 1, 3, 4


def minimap(scene: Scene, player: int, width: int, height: int) -> dict[str, np.ndarray]:
    """The pictures that a player is shown, by name."""
    options = sc_pb.InterfaceOptions()
    options.feature_layer.minimap_resolution.CopyFrom(common_pb.Size2DI(x=width, y=height))
    data = Observer(scene.match, player, options).observation()
    observation = sc_pb.ResponseObservation.FromString(data).observation
    return {
        field.name: pixels(image)
        for field, image in observation.feature_layer_data.minimap_renders.ListFields()
    }


def pixels(image: common_pb.ImageData) -> np.ndarray:
    values = np.frombuffer(image.data, np.uint8)
    if image.bits_per_pixel == 1:
        values = np.unpackbits(values)[: image.size.x * image.size.y]
    return values.reshape(image.size.y, image.size.x)


@pytest.mark.parametrize(("width", "height"), [(64, 32), (32, 64), (48, 48), (9, 13)])
def test_it_is_as_wide_and_as_high_as_was_asked(width: int, height: int):
    scene = Scene(TERRAN, TERRAN)
    layers = minimap(scene, 1, width, height)
    assert len(layers) == 10
    assert {picture.shape for picture in layers.values()} == {(height, width)}
    longer = max(scene.world.pathable.shape)
    hall = scene.all_of("CommandCenter", 1)[0]
    x, y = scene.place(hall)
    row = int((scene.world.pathable.shape[0] - y) * height / longer)
    assert layers["player_relative"][row, int(x * width / longer)] == SELF
    assert layers["player_id"][row, int(x * width / longer)] == 1


def test_buildings_that_fell_in_the_fog_are_shown_until_their_place_is_seen():
    scene = Scene(TERRAN, TERRAN, disable_fog=False)
    marine = scene.game.slot(scene.put("Marine", 1, 40, 40))
    depot = scene.game.slot(scene.put("SupplyDepot", 2, 46, 40))
    scene.run(8)
    scene.game.place(marine, 20 * ONE, 40 * ONE)
    scene.run(8)
    assert shown_at(scene, 46, 40) == ENEMY
    scene.match.aftermath.kill(depot)
    scene.run(8)
    assert shown_at(scene, 46, 40) == ENEMY
    scene.game.place(marine, 42 * ONE, 40 * ONE)
    scene.run(8)
    assert shown_at(scene, 46, 40) == 0


def test_resources_are_shown_where_they_are_remembered():
    scene = Scene(TERRAN, TERRAN, disable_fog=False)
    enemy = scene.place(scene.all_of("CommandCenter", 2)[0])
    patch = min(scene.game.resources(), key=lambda slot: scene.game.distance(slot, *grid(enemy)))
    x, y = (int(scene.game.units[axis][patch]) / ONE for axis in ("x", "y"))
    assert shown_at(scene, x, y) == NEUTRAL


def grid(place: tuple[float, float]) -> tuple[int, int]:
    return round(place[0] * ONE), round(place[1] * ONE)


def shown_at(scene: Scene, x: float, y: float) -> int:
    """Whose unit player 1 is shown at a place."""
    height, width = scene.world.pathable.shape
    side = max(height, width)
    return int(minimap(scene, 1, side, side)["player_relative"][int(height - y), int(x)])
