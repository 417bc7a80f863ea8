"""What all tests share: Ctrl-C, and a StarCraft II folder of the engine's."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from envs.engine.install import install

# A shell has what it starts in the background ignore it, and tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that was installed once for all tests."""
    folder = tmp_path_factory.mktemp("game") / "StarCraftII"
    install(folder)
    return folder


@pytest.fixture(scope="module")
def game_environment(installed: Path) -> Iterator[Path]:
    """Environment variables by which clients find the folder; what is compiled is kept."""
    caches = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SC2PATH", str(installed))
        patch.setenv("XDG_CACHE_HOME", caches)
        patch.setenv("HOME", str(installed.parent))  # python-sc2 looks for replays there
        yield installed
