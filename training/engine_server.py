"""``latentstar engine``: the engine as a server, or as a folder that programs take for the game."""

import logging
import os
import sys
from dataclasses import dataclass, fields
from pathlib import Path

from envs.engine.install import install
from envs.engine.server import DEFAULT_HOST, DEFAULT_PORT, ServerConfig, run_server
from envs.engine.versions import DEFAULT_VERSION, KNOWN_VERSIONS

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class EngineConfig:
    """The engine for any program that speaks StarCraft II's API: ``latentstar engine``.

    It serves until a client quits or Ctrl-C; with ``--install`` it writes a StarCraft II folder for
    SC2PATH instead, from which pysc2 and python-sc2 start the engine by themselves.
    """

    install: Path | None = None  # write a StarCraft II folder here and do not serve
    builds: tuple[int, ...] = (DEFAULT_VERSION.base_build,)  # to pose as, when installing
    listen: str = DEFAULT_HOST  # an address of the loopback interface
    port: int = DEFAULT_PORT  # 0 for any that is free
    data: Path | None = None  # a StarCraft II folder, for maps and replays when serving

    def __post_init__(self) -> None:
        """Refuse values that cannot be."""
        _ = self.server
        known = [version.base_build for version in KNOWN_VERSIONS]
        unknown = set(self.builds) - set(known)
        if unknown or not self.builds:
            raise ValueError(f"builds must be some of {known}, got {list(self.builds)}")
        if self.install is None:
            self._require_defaults("builds", reason="are what --install makes launchers for")
            return
        if self.install == Path():  # which an empty word means as well
            raise ValueError("install must name a folder, got '' or '.'")
        self._require_defaults("listen", "port", "data", reason="is for serving, not for --install")

    def _require_defaults(self, *names: str, reason: str) -> None:
        """Refuse options that would be passed over in silence."""
        for field in fields(self):
            if field.name in names and getattr(self, field.name) != field.default:
                raise ValueError(f"{field.name} {reason}")

    @property
    def server(self) -> ServerConfig:
        """How the server runs."""
        return ServerConfig(host=self.listen, port=self.port, data_folder=self.data)


def run(config: EngineConfig) -> None:
    """Serve, or install.

    Raises:
        ValueError: there is no such folder of maps and replays, the port is taken, or the folder
            cannot be written or holds the game itself.
    """
    if config.install is not None:
        _install(config.install, config.builds)
    else:
        _serve(config)


def _install(folder: Path, builds: tuple[int, ...]) -> None:
    versions = [version for version in KNOWN_VERSIONS if version.base_build in builds]
    try:
        install(folder, versions)
    except (OSError, NotImplementedError) as error:
        raise ValueError(f"cannot install the engine to {folder}: {error}") from error
    _compile()
    logger.info("the engine is installed: export SC2PATH='%s'", folder.resolve())


def _serve(config: EngineConfig) -> None:
    if config.data is not None and not config.data.is_dir():
        what = (
            "wanted a folder, it is a file" if config.data.exists() else "there is no such folder"
        )
        raise ValueError(f"{config.data}: {what}")
    _compile()
    logging.getLogger("websockets").setLevel(logging.CRITICAL)  # clients' bad manners are no news
    try:
        run_server(config.server)
    except OSError as error:
        raise ValueError(f"cannot listen on {config.listen}:{config.port}: {error}") from error
    # Threads may still be in the middle of a long step for clients who are there, and Ctrl-C is
    # not to wait for them.
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _compile() -> None:
    from training.engine_games import compile_engine  # brings numba, which --help can do without

    compile_engine()
