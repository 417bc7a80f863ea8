"""Real replays for tests, where they are at hand: beside the repository, never in it."""

import csv
from functools import cache
from pathlib import Path

import pytest

_SHARED = Path(__file__).parent.parent.parent / "shared"


def real_folder(name: str) -> Path:
    """Return a folder of real replays with its MANIFEST; skip the test where there is none."""
    folder = _SHARED / name
    if not (folder / "MANIFEST.csv").is_file():
        pytest.skip(f"needs real replays in {folder}")
    return folder


@cache
def manifest(folder: Path) -> list[dict[str, str]]:
    """Return what is known of each file of a folder."""
    with (folder / "MANIFEST.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def small_real_game(base_build: int) -> tuple[Path, dict[str, str]]:
    """Return the smallest real replay of a base build, and what is known of it."""
    folder = real_folder("replays")
    rows = [row for row in manifest(folder) if row["base_build"] == str(base_build)]
    if not rows:
        pytest.skip(f"needs a real replay of base build {base_build} in {folder}")
    row = min(rows, key=lambda row: int(row["size_bytes"]))
    return folder / row["file"], row
