"""Files that are whole, or whole but for their last line, whenever the program or machine stops."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

UNFINISHED_SUFFIX = ".partial"


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a path to write to; what is there afterwards takes the name, unless writing failed.

    Raises:
        OSError: it cannot be written; the error names the file that was wanted.
    """
    unfinished = _unfinished(path)
    try:
        yield unfinished
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        if error.filename != str(unfinished):
            raise
        raise type(error)(error.errno, error.strerror, str(path)) from error
    finally:
        with suppress(NotADirectoryError):  # where a file is in a folder's place
            unfinished.unlink(missing_ok=True)


def require_place(path: Path) -> None:
    """Refuse a path at which no file can be written, before anything is worked out to be written.

    Raises:
        ValueError: why not.
    """
    if path.is_dir():
        raise ValueError(f"{path}: wanted a file, it is a folder")
    unfinished = _unfinished(path)
    try:
        unfinished.touch()
        unfinished.unlink()
    except OSError as error:
        raise ValueError(f"{path}: cannot be written: {error.strerror}") from error


def make_folder(folder: Path) -> None:
    """Make a folder with those above it, unless it is there.

    Raises:
        ValueError: why there can be none.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise ValueError(f"{folder}: wanted a folder, it is a file") from None
    except OSError as error:
        raise ValueError(f"{folder}: cannot be made: {error.strerror}") from error


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


def _unfinished(path: Path) -> Path:
    """Return where a file is written before it takes its name."""
    return path.with_name(f"{path.name}.{os.getpid()}{UNFINISHED_SUFFIX}")


def append_json_line(path: Path, value: object) -> None:
    """Add a line to a file of JSON lines, in place of one that was never finished."""
    cut_torn_line(path)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(value) + "\n")


def cut_torn_line(path: Path) -> None:
    """Cut off the last line of a file where a stop left it half-written; no file is fine."""
    if not path.exists():
        return
    data = path.read_bytes()
    if not data.endswith(b"\n"):
        with whole_file(path) as unfinished:
            unfinished.write_bytes(_whole_lines(data))


def read_json_lines(path: Path, *, remedy: str) -> list[dict[str, Any]]:
    """Read a table from each line of a file, but for a last one that is half-written.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a line is damaged; the remedy is told.
    """
    lines = []
    for number, line in enumerate(_whole_lines(path.read_bytes()).splitlines(), start=1):
        try:
            value = json.loads(line)
        except ValueError as error:
            raise ValueError(f"{path}, line {number}, is damaged ({error}): {remedy}") from error
        if not isinstance(value, dict):
            raise ValueError(f"{path}, line {number}, is damaged (no table): {remedy}")
        lines.append(value)
    return lines


def _whole_lines(data: bytes) -> bytes:
    return data[: data.rfind(b"\n") + 1]
