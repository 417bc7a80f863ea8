"""Writes a folder that pysc2 and python-sc2 take for an installed StarCraft II.

It has a launcher for each release that the engine is to pose as, the maps, and a place for
replays; ``SC2PATH`` names it. Both libraries take the highest release unless they are told
another, so that one is what programs get by default. Written again, the folder stays as it is.
"""

import os
import shlex
import stat
import sys
from collections.abc import Sequence
from pathlib import Path

from envs.engine.terrain import map_bytes, map_files
from envs.engine.versions import DEFAULT_VERSION, GameVersion

_EXECUTABLES = {"linux": "SC2_x64", "darwin": "SC2.app/Contents/MacOS/SC2"}
_MARK = "# Starts LatentStar's engine, which speaks StarCraft II's API."
_EXECUTABLE_MODE = 0o755
_FIRST_BYTES = 4096


def install(folder: Path, versions: Sequence[GameVersion] = (DEFAULT_VERSION,)) -> None:
    """Write or mend the folder.

    Args:
        folder: where; it is made if it is not there.
        versions: the releases to pose as.

    Raises:
        FileExistsError: the folder has StarCraft II itself in it.
        NotImplementedError: on this system, clients start programs only.
    """
    if sys.platform not in _EXECUTABLES:
        raise NotImplementedError(
            f"on {sys.platform}, pysc2 and python-sc2 start an .exe, which the engine has not got: "
            "install it on Linux, in WSL or on macOS"
        )
    launchers = {
        folder / "Versions" / f"Base{version.base_build:05d}" / _EXECUTABLES[sys.platform]: version
        for version in versions
    }
    for path in launchers:
        _refuse_foreign(path)
    for name in ("Maps", "Replays"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for file in map_files():
        _write(folder / "Maps" / file.path, map_bytes(file.path))
    for path, version in launchers.items():
        _write(path, _launcher(version).encode())
        if stat.S_IMODE(path.stat().st_mode) != _EXECUTABLE_MODE:
            path.chmod(_EXECUTABLE_MODE)


def is_engine(folder: Path) -> bool:
    """Return whether what a folder starts is the engine, and not StarCraft II itself."""
    launchers = folder.glob(f"Versions/Base*/{_EXECUTABLES.get(sys.platform, '*.exe')}")
    return any(_is_ours(path) for path in launchers)


def _launcher(version: GameVersion) -> str:
    """Return the script that clients start: it becomes Python, so that signals reach the engine.

    The engine is told who started it, and does not outlive a client that was killed.
    """
    root = shlex.quote(str(Path(__file__).resolve().parents[2]))
    command = [
        *(sys.executable, "-P", "-m", "envs.engine.server"),
        *("--game-version", version.game_version),
        *("--base-build", str(version.base_build)),
        *("--data-version", version.data_version),
    ]
    return (
        f"#!/bin/sh\n{_MARK}\n"
        f"PYTHONPATH={root}${{PYTHONPATH:+:$PYTHONPATH}}\n"
        "export PYTHONPATH\n"
        f'exec {shlex.join(command)} --parent "$PPID" "$@"\n'
    )


def _refuse_foreign(launcher: Path) -> None:
    if launcher.exists() and not _is_ours(launcher):
        raise FileExistsError(f"{launcher} is StarCraft II itself: choose another folder")


def _is_ours(launcher: Path) -> bool:
    with launcher.open("rb") as file:
        return _MARK.encode() in file.read(_FIRST_BYTES)


def _write(path: Path, content: bytes) -> None:
    """Have a file with this content, whole at any time."""
    if path.is_file() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        unfinished.write_bytes(content)
        if content.startswith(b"#!"):
            unfinished.chmod(_EXECUTABLE_MODE)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
