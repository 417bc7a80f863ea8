"""Maps by their names."""

import pytest
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.errors import GameMissingError
from envs.maps import found_map


class Game:
    """A game that has these maps, and knows nothing else."""

    def __init__(self, *paths: str) -> None:
        self._paths = paths

    def ask(self, request: bytes, *, deadline_seconds: float) -> bytes:
        assert sc_pb.Request.FromString(request).HasField("available_maps")
        maps = sc_pb.ResponseAvailableMaps(local_map_paths=self._paths)
        return sc_pb.Response(available_maps=maps).SerializeToString()


GAME = Game("Melee/Simple64.SC2Map", "A/AcidPlantLE.SC2Map", "B/AcidPlantLE.SC2Map")


@pytest.mark.parametrize("name", ["Simple64", "simple64", "Melee/Simple64.SC2Map"])
def test_a_map_is_found_by_name_and_by_path(name: str):
    assert found_map(GAME, name) == "Melee/Simple64.SC2Map"


def test_of_several_maps_of_one_name_the_path_chooses():
    told = "AcidPlantLE must be one map, and the game has A/AcidPlantLE.SC2Map, B/AcidPlantLE"
    with pytest.raises(GameMissingError, match=told):
        found_map(GAME, "AcidPlantLE")
    assert found_map(GAME, "B/AcidPlantLE.SC2Map") == "B/AcidPlantLE.SC2Map"


@pytest.mark.parametrize("name", ["Simpel64", "Ladder/Simple46.SC2Map"])
def test_a_map_that_is_not_there_is_told_with_those_of_like_names(name: str):
    with pytest.raises(GameMissingError, match=rf"no map {name}: .* has Melee/Simple64\.SC2Map"):
        found_map(GAME, name)
