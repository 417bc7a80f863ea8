"""The replay files of a folder, each known by the hash of its bytes."""

import hashlib
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from envs.replays.archive import MAX_FILE_BYTES


class ReplayFile(NamedTuple):
    """A file to decode."""

    path: Path
    name: str  # within the folder
    sha256: str
    num_bytes: int
    problem: tuple[str, str] | None = None  # reason and detail, if it is not even to be opened


def find_replays(folder: Path, limit: int | None = None) -> list[ReplayFile]:
    """Return the replays in a folder and its subfolders, by name.

    Args:
        folder: where to look.
        limit: take the first so many only.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: it has no replay.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"replays must be a folder, there is none at {folder}")
    found = (path for path in folder.rglob("*") if path.suffix.lower() == ".sc2replay")
    files = sorted(path for path in found if path.is_file())
    if not files:
        raise ValueError(f"{folder} must hold .SC2Replay files, it holds none")
    return [_described(file, folder) for file in islice(files, limit)]


def _described(file: Path, folder: Path) -> ReplayFile:
    name = str(file.relative_to(folder))
    try:
        num_bytes = file.stat().st_size
        if num_bytes > MAX_FILE_BYTES:
            detail = f"{num_bytes} bytes, at most {MAX_FILE_BYTES} are read"
            return ReplayFile(file, name, "", num_bytes, ("file too large", detail))
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        return ReplayFile(file, name, "", 0, ("cannot be read", str(error)))
    return ReplayFile(file, name, digest, num_bytes)
