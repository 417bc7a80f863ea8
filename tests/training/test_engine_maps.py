"""Names of maps: a path or a name alone, and what is none is refused with what is near."""

import pytest

from envs.engine.terrain import map_files
from training.engine_maps import two_player_map


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("Melee/Simple64.SC2Map", "Melee/Simple64.SC2Map"),
        ("Simple64", "Melee/Simple64.SC2Map"),
        ("simple64.SC2Map", "Melee/Simple64.SC2Map"),
        ("Acropolis LE", "Ladder2019Season3/AcropolisLE.SC2Map"),
        ("King's Cove LE", "Ladder2019Season2/KingsCoveLE.SC2Map"),
    ],
)
def test_a_map_goes_by_its_path_and_by_its_name(given: str, path: str):
    assert two_player_map(given) == path


def test_every_map_for_two_is_there_under_its_own_path():
    for file in map_files():
        if file.num_players == 2:
            assert two_player_map(file.path) == file.path


@pytest.mark.parametrize(
    ("given", "near"),
    [
        ("Simpel64", "Melee/Simple64.SC2Map"),
        ("AcropolisL", "Ladder2019Season3/AcropolisLE.SC2Map"),
        ("Mellee/Simple96.SC2Map", "Melee/Simple96.SC2Map"),
        ("???", "Melee/Simple64.SC2Map"),
        ("", "Melee/Simple64.SC2Map"),
        ("mini_games/MoveToBeacon.SC2Map", "Melee/Simple64.SC2Map"),
        ("MoveToBeacon", "Melee/Simple64.SC2Map"),
    ],
)
def test_what_is_no_map_for_two_is_refused_with_what_would_be(given: str, near: str):
    with pytest.raises(ValueError, match="for two players") as refused:
        two_player_map(given)
    assert near in str(refused.value)
    assert str(refused.value).endswith(f"there is no {given!r}")
