"""How the engine's inner functions are compiled: once a machine, kept in the user's cache.

numba looks only at the file of the function it compiles, so a change in another file would leave
old machine code in use. The cache is therefore kept apart for each state of the sources that
machine code comes from: the files that use this one, and the layout of memory. Whoever has filled
such a folder removes those that have not been used for a month.
"""

import hashlib
import math
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar, cast

import numba


def compiled_sources() -> list[Path]:
    """Return the files that machine code depends on."""
    here = Path(__file__)
    sources = [
        source
        for source in here.parent.rglob("*.py")
        if b"from envs.engine.compiled import" in source.read_bytes()
    ]
    return sorted({here, here.with_name("layout.py"), *sources})


def _cache_directory() -> Path:
    digest = hashlib.sha256()
    for source in compiled_sources():
        digest.update(source.read_bytes())
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return root / "latentstar" / f"compiled-{digest.hexdigest()[:16]}"


Record = Any
"""A record as compiled code sees it, with its fields as attributes: numpy has no type for that."""

Array = Any
"""An array within such a record, or of such records."""

CACHE_DIRECTORY = _cache_directory()

setattr(numba.config, "CACHE_DIR", str(CACHE_DIRECTORY))  # noqa: B010  # has no type

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Compile a function; no fast mathematics and no threads, so the same input gives the same."""
    make: Any = numba.njit(cache=True, error_model="numpy", boundscheck=False)
    return cast("Function", make(function))


def inlined(function: Function) -> Function:
    """Compile a small function that only compiled ones call."""
    make: Any = numba.njit(error_model="numpy", boundscheck=False)
    return cast("Function", make(function))


def is_all_cached() -> bool:
    """Return whether an earlier run has left the machine code of everything for these sources."""
    return (CACHE_DIRECTORY / _ALL).exists()


def note_use() -> None:
    """Let others know that this folder is in use."""
    with suppress(OSError):  # there is none yet, or it is not ours to touch
        os.utime(CACHE_DIRECTORY / _ALL)


def note_all_cached() -> None:
    """Leave word that everything was compiled; remove what no version has used for a month."""
    CACHE_DIRECTORY.mkdir(parents=True, exist_ok=True)
    (CACHE_DIRECTORY / _ALL).touch()
    for folder in CACHE_DIRECTORY.parent.glob("compiled-*"):
        if folder != CACHE_DIRECTORY and time.time() - _last_use(folder) > _KEPT_SECONDS:
            _remove(folder)


def _last_use(folder: Path) -> float:
    try:
        return max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
    except OSError:  # another process is removing it
        return math.inf


def _remove(folder: Path) -> None:
    """Take a folder out of others' sight, whole, and then remove it."""
    hidden = folder.with_name(f"{folder.name}.{os.getpid()}.stale")
    try:
        folder.rename(hidden)
    except OSError:  # another process has done so
        return
    shutil.rmtree(hidden, ignore_errors=True)


_ALL = "all"
_KEPT_SECONDS = 30 * 24 * 3600

note_use()
