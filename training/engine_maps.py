"""Names of the engine's maps as people write them: a whole path, or the map's name alone."""

import re
from difflib import get_close_matches
from pathlib import PurePosixPath

from envs.engine.terrain import MAP_SUFFIX, map_files

_NUM_NEAR = 3


def two_player_map(given: str) -> str:
    """Return the path of the engine's map for two players that is meant.

    Args:
        given: its path, such as ``Melee/Simple64.SC2Map``, or its name, such as ``Simple64``.

    Raises:
        ValueError: there is none, and which ones have names near it.
    """
    files = [file for file in map_files() if file.num_players > 1]
    if given in {file.path for file in files}:
        return given
    paths: dict[str, str] = {}  # by name
    for file in files:
        for name in (PurePosixPath(file.path).stem, file.name):
            paths.setdefault(_letters(name), file.path)
    if "/" not in given and _letters(given) in paths:
        return paths[_letters(given)]
    near = get_close_matches(_letters(PurePosixPath(given).name), paths, n=_NUM_NEAR, cutoff=0.5)
    names = list(dict.fromkeys(paths[name] for name in near)) or ["Melee/Simple64" + MAP_SUFFIX]
    raise ValueError(
        f"a map must be one of the engine's for two players, such as {', '.join(names)}; "
        f"there is no {given!r}"
    )


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.removesuffix(MAP_SUFFIX).lower())
