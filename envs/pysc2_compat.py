"""What pysc2 4.0 and s2protocol need to import and run on today's Python.

pysc2 4.0.0 (2022) shuffles a palette with ``random.shuffle(palette, lambda: 0.5)``; Python 3.11
took the second argument away. s2protocol imports ``imp``, which left in Python 3.12. And pysc2
asks for ``s2clientprotocol``, whose messages today's protobuf refuses; ``pys2clientprotocol``
has the same import name and must be the one that was installed last.

pysc2's own commands are run with these mended by ``python -m envs.pysc2_compat COMMAND``, as in
``python -m envs.pysc2_compat pysc2.bin.agent --map Simple64``.
"""

import base64
import hashlib
import importlib
import importlib.util
import runpy
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray


def load() -> None:
    """Make pysc2 importable; call it before pysc2 is imported, any number of times.

    Raises:
        ImportError: the game's messages are the old package's, and how to mend that.
    """
    load_s2protocol()
    try:
        importlib.import_module("s2clientprotocol.sc2api_pb2")
    except TypeError as error:
        raise ImportError(
            "s2clientprotocol was installed over pys2clientprotocol, and protobuf refuses its "
            f"messages; mend it with: {protocol_remedy()}"
        ) from error
    colors: Any = importlib.import_module("pysc2.lib.colors")
    colors.shuffled_hue = _shuffled_hue


def run_program(arguments: Sequence[str]) -> None:
    """Run a module of pysc2's as ``python -m`` does, the first argument, with the others."""
    load()
    program = arguments[0] if arguments else ""
    if not program.startswith("pysc2.") or not _is_module(program):
        sys.exit(
            "pysc2_compat: expected a module of pysc2's and its options, such as pysc2.bin.agent, "
            f"got {program or 'nothing'}"
        )
    sys.argv = list(arguments)
    runpy.run_module(program, run_name="__main__", alter_sys=True)


def load_s2protocol() -> None:
    """Make ``s2protocol.versions`` importable; call it before it is imported."""
    if "s2protocol.versions" in sys.modules:
        return
    before = sys.modules.get("imp")
    sys.modules["imp"] = ModuleType("imp")
    try:
        versions: Any = importlib.import_module("s2protocol.versions")
    finally:
        del sys.modules["imp"]
        if before is not None:
            sys.modules["imp"] = before
    versions._import_protocol = _import_protocol


def foreign_protocol_files() -> tuple[str, ...]:
    """Return the message modules that are not pys2clientprotocol's, by their recorded hashes.

    Raises:
        PackageNotFoundError: pys2clientprotocol is not installed.
    """
    installed = metadata.distribution("pys2clientprotocol")
    return tuple(
        file.name
        for file in installed.files or ()
        if file.suffix == ".py" and file.hash is not None and _digest(file) != file.hash.value
    )


def protocol_remedy() -> str:
    """Return the command that puts pys2clientprotocol's messages back in their place."""
    pip = f"{sys.executable} -m pip install"
    return f"{pip} --force-reinstall --no-deps pys2clientprotocol==1.0.2"


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # not even what it would be in
        return False


def _digest(file: metadata.PackagePath) -> str | None:
    """Return a file's hash as wheels record it, or nothing where there is no file."""
    path = Path(file.locate())
    if not path.is_file():
        return None
    digest = hashlib.sha256(path.read_bytes()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _import_protocol(base_path: str, protocol_module_name: str) -> ModuleType:
    """Import one build's protocol; its folder is always ``s2protocol.versions``."""
    del base_path
    return importlib.import_module(f"s2protocol.versions.{protocol_module_name}")


def _shuffled_hue(scale: int) -> NDArray[np.float64]:
    """``pysc2.lib.colors.shuffled_hue`` with the shuffle of Python 3.10 written out.

    Its random number is the constant one half, so each entry from the last to the second swaps
    with the one in the middle of those up to it.
    """
    colors: Any = importlib.import_module("pysc2.lib.colors")
    palette = list(colors.smooth_hue_palette(scale))
    for i in reversed(range(1, len(palette))):
        middle = (i + 1) // 2
        palette[i], palette[middle] = palette[middle], palette[i]
    return np.array(palette)


if __name__ == "__main__":
    run_program(sys.argv[1:])
