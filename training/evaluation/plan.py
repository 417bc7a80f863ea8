"""Games planned against built-in opponents, evenly."""

import zlib
from collections.abc import Sequence
from itertools import product

from training.evaluation.records import PlannedGame


def planned_games(
    *,
    levels: Sequence[str],
    races: Sequence[str],
    opponent_races: Sequence[str],
    maps: Sequence[str],
    games: int,
    seed: int,
) -> list[PlannedGame]:
    """Return so many games for each level and race: opponents, seats and maps in turn.

    Args:
        levels: names of ``Difficulty`` in small letters.
        races: of the player.
        opponent_races: of the opponents.
        maps: paths within the game's folder of maps.
        games: of each level and race.
        seed: from which each game's own seed comes.
    """
    kinds = list(product(maps, (1, 2), opponent_races))
    planned = []
    for level, race in product(levels, races):
        for number in range(games):
            map_path, seat, opponent_race = kinds[number % len(kinds)]
            name = f"{level}-{race}-{number:04d}"
            planned.append(
                PlannedGame(
                    name=name,
                    level=level,
                    race=race,
                    opponent_race=opponent_race,
                    map=map_path,
                    seed=zlib.crc32(f"{seed} {name}".encode()),
                    seat=seat,
                )
            )
    return planned
