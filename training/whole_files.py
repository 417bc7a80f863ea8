"""Files that appear whole or not at all, whenever the program or the machine stops."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

UNFINISHED_SUFFIX = ".partial"


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a path to write to; what is there afterwards takes the name, unless writing failed."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}{UNFINISHED_SUFFIX}")
    try:
        yield unfinished
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_json(path: Path, value: object) -> None:
    """Write a JSON file whole or not at all."""
    with whole_file(path) as unfinished, unfinished.open("w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False, indent=1)
        file.write("\n")


def read_json(path: Path, *, remedy: str) -> dict[str, Any]:
    """Read a table from a JSON file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is damaged; the remedy is told.
    """
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}): {remedy}") from error
    if not isinstance(table, dict):
        raise ValueError(f"{path} is damaged (it holds no table): {remedy}")
    return table
