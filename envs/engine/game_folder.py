"""The maps and replays that requests name by a path: in StarCraft II's folder, or the engine's own.

Paths are the clients': relative to the folder's ``Maps`` or ``Replays``, with either slash, or
absolute. What a file holds is judged by whoever reads it; here its size alone is.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from envs.engine.replay_file import MAX_REPLAY_BYTES
from envs.engine.terrain import map_bytes, map_files

MAX_MAP_BYTES = 1 << 20
MAX_SAVED_MAPS = 16

_MAP_SUFFIX, _REPLAY_SUFFIX = ".sc2map", ".sc2replay"


class GameFolder:
    """Where files are looked for; maps that a client saves are kept in memory."""

    def __init__(self, data_folder: Path | None) -> None:
        """Look into a StarCraft II folder, or only at the maps that come with the engine."""
        self._data_folder = data_folder
        self._saved_maps: dict[str, bytes] = {}

    def save_map(self, path: str, data: bytes) -> None:
        """Keep a map under a path, before all others of that name."""
        self._saved_maps.pop(_plain(path), None)
        while len(self._saved_maps) >= MAX_SAVED_MAPS:
            del self._saved_maps[next(iter(self._saved_maps))]
        self._saved_maps[_plain(path)] = data

    def map_at(self, path: str) -> bytes | None:
        """Return the map file at a path, or nothing where there is none."""
        saved = self._saved_maps.get(_plain(path))
        if saved is not None:
            return saved
        if self._data_folder is not None:
            found = _content(self._data_folder / "Maps" / _plain(path), _MAP_SUFFIX, MAX_MAP_BYTES)
            if found is not None:
                return found
        for file in map_files():
            if _plain(path) in (file.path, PurePosixPath(file.path).name):
                return map_bytes(file.path)
        return None

    def map_named(self, name: str) -> tuple[str, bytes] | None:
        """Return path and content of the map that Battle.net has under a name, if we have it."""
        for file in map_files():
            if _letters(name) in (_letters(file.name), _letters(PurePosixPath(file.path).stem)):
                return file.path, map_bytes(file.path)
        return None

    def map_paths(self) -> list[str]:
        """Return the paths of all maps there are."""
        if self._data_folder is None:
            return sorted(file.path for file in map_files())
        maps = self._data_folder / "Maps"
        return sorted(path.relative_to(maps).as_posix() for path in maps.rglob("*.SC2Map"))

    def map_names(self) -> list[str]:
        """Return the names under which Battle.net would have the engine's maps."""
        return sorted({file.name for file in map_files()})

    def replay_at(self, path: str) -> bytes | None:
        """Return the replay file at a path, or nothing where there is none."""
        for folder in self._replay_folders():
            found = _content(folder / _plain(path), _REPLAY_SUFFIX, MAX_REPLAY_BYTES)
            if found is not None:
                return found
        return None

    def _replay_folders(self) -> Iterator[Path]:
        yield Path.home() / "Documents" / "StarCraft II" / "Replays"  # python-sc2's on Linux
        if self._data_folder is not None:
            yield self._data_folder / "Replays"


def _plain(path: str) -> str:
    return path.replace("\\", "/")


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _content(path: Path, suffix: str, max_bytes: int) -> bytes | None:
    """Read a file of a kind, up to a size; nothing where it is missing, another or larger."""
    if path.suffix.lower() != suffix or "\0" in str(path):
        return None
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size > max_bytes:
                return None
            return file.read(max_bytes)
    except OSError:
        return None
