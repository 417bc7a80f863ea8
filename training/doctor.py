"""``latentstar doctor``: what is installed, what is missing and how to mend it."""

import importlib
import os
import platform
import shutil
import sys
from collections.abc import Iterator, Mapping
from enum import Enum
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement
from rich.console import Console
from rich.table import Table
from rich.text import Text

from envs import pysc2_compat

GIGABYTE = 1e9
MEMORY_WANTED_GB = 4.0
DISK_WANTED_GB = 5.0
SHARED_MEMORY_WANTED_GB = 1.0
REINSTALL = "make --always-make install"


class State(Enum):
    """How a finding is meant, and the colour that it is shown in."""

    FINE = "green"
    NOTE = "yellow"  # worth knowing; everything works
    BROKEN = "red"  # some command will fail


class Finding(NamedTuple):
    """One row of the table; ``remedy`` mends what is not fine."""

    subject: str
    state: State
    found: str
    remedy: str = ""


def run() -> bool:
    """Print what was found and how to mend it; return whether everything needed works."""
    console = Console()
    with console.status("looking around"):
        findings = list(examine())
    table = Table("", title="latentstar doctor", title_justify="left")
    for head in ("found", "what to do"):
        table.add_column(head, overflow="fold")  # paths are to be copied
    for finding in findings:
        found = Text(finding.found, style=finding.state.value)
        table.add_row(finding.subject, found, Text(finding.remedy))
    console.print(table)
    broken = [finding for finding in findings if finding.state is State.BROKEN]
    console.print(
        f"broken: {', '.join(finding.subject for finding in broken)}"
        if broken
        else "Everything that is needed works."
    )
    return not broken


def examine() -> Iterator[Finding]:
    """Look at everything, one finding after the other."""
    yield examine_python(sys.version_info[:3])
    yield from examine_packages()
    yield examine_protocol()
    yield examine_protobuf()
    yield examine_pysc2()
    yield examine_game(game_folder(os.environ, Path.home()))
    yield examine_cuda()
    yield Finding("processor cores", State.FINE, str(_num_cores()))
    yield _space("free memory", _free_memory_gb(), MEMORY_WANTED_GB, "close other programs")
    yield _space(
        "free disk", shutil.disk_usage(".").free / GIGABYTE, DISK_WANTED_GB, "make room on it"
    )
    yield _space(
        "/dev/shm",
        shutil.disk_usage("/dev/shm").free / GIGABYTE if Path("/dev/shm").is_dir() else None,
        SHARED_MEMORY_WANTED_GB,
        "in a container: docker run --shm-size=4g; Ray is slower without it",
    )
    yield examine_compiled_code()


def examine_python(version: tuple[int, int, int]) -> Finding:
    """Judge the version of Python, which must be 3.11 or newer."""
    found = ".".join(map(str, version))
    if version >= (3, 11):
        return Finding("Python", State.FINE, found)
    return Finding("Python", State.BROKEN, found, "rm -r .venv; make install PYTHON=python3.11")


def examine_packages() -> Iterator[Finding]:
    """Compare each package that LatentStar asks for with what is installed."""
    try:
        wanted = metadata.requires("latentstar") or []
    except metadata.PackageNotFoundError:
        yield Finding("latentstar", State.BROKEN, "not installed", REINSTALL)
        return
    for requirement in map(Requirement, wanted):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield examine_package(requirement)


def examine_package(requirement: Requirement) -> Finding:
    """Compare one package's installed version with the wanted one."""
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return Finding(requirement.name, State.BROKEN, f"none, wanted {requirement}", REINSTALL)
    if requirement.specifier.contains(version, prereleases=True):
        return Finding(requirement.name, State.FINE, version)
    found = f"{version}, wanted {requirement.specifier}"
    return Finding(requirement.name, State.BROKEN, found, REINSTALL)


def examine_protocol() -> Finding:
    """Judge whether the game's messages are the ones of pys2clientprotocol."""
    subject = "game messages"
    try:
        foreign = pysc2_compat.foreign_protocol_files()
    except metadata.PackageNotFoundError:
        return Finding(subject, State.BROKEN, "not installed", pysc2_compat.protocol_remedy())
    if not foreign:
        return Finding(subject, State.FINE, "pys2clientprotocol")
    found = f"the old s2clientprotocol's: {', '.join(foreign)}"
    return Finding(subject, State.BROKEN, found, pysc2_compat.protocol_remedy())


def examine_protobuf() -> Finding:
    """Judge whether messages are decoded by compiled code."""
    try:
        implementation = importlib.import_module("google.protobuf.internal.api_implementation")
    except ImportError as error:
        return Finding("protobuf backend", State.BROKEN, str(error), REINSTALL)
    backend = implementation.Type()
    if backend != "python":
        return Finding("protobuf backend", State.FINE, backend)
    remedy = f"unset PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION; {REINSTALL}"
    return Finding("protobuf backend", State.NOTE, "python, many times slower than upb", remedy)


def examine_pysc2() -> Finding:
    """Judge whether pysc2 and s2protocol import."""
    try:
        pysc2_compat.load()
        importlib.import_module("pysc2.lib.actions")
    except ImportError as error:
        return Finding("pysc2 imports", State.BROKEN, str(error), REINSTALL)
    return Finding("pysc2 imports", State.FINE, "yes, with envs.pysc2_compat")


def game_folder(environment: Mapping[str, str], home: Path) -> Path:
    """Return where StarCraft II is, or would be, on this machine."""
    if "SC2PATH" in environment:
        return Path(environment["SC2PATH"]).expanduser()
    if platform.system() == "Windows":
        return Path("C:/Program Files (x86)/StarCraft II")
    if platform.system() == "Darwin":
        return Path("/Applications/StarCraft II")
    return home / "StarCraftII"


def examine_game(folder: Path) -> Finding:
    """Judge an installation of StarCraft II, which no command needs."""
    not_needed = (
        "not needed: replays are read and policies cloned without the game; to play, "
        "latentstar engine --install DIR has one of ours"
    )
    if not folder.is_dir():
        return Finding("StarCraft II", State.FINE, f"none in {folder}", not_needed)
    versions = sorted((folder / "Versions").glob("Base*"))
    if not versions:
        found = f"{folder} has no Versions/Base*"
        return Finding("StarCraft II", State.NOTE, found, "set SC2PATH to the game's folder")
    programs = [path for path in versions[-1].glob("SC2*") if path.suffix in {"", ".exe", ".app"}]
    if not programs:
        return Finding("StarCraft II", State.NOTE, f"{versions[-1]} has no SC2 program", not_needed)
    if not os.access(programs[0], os.X_OK):
        found = f"{programs[0]} may not be executed"
        return Finding("StarCraft II", State.NOTE, found, f"chmod +x '{programs[0]}'")
    num_maps = sum(1 for name in ("Maps", "maps") for _ in (folder / name).rglob("*.SC2Map"))
    names = ", ".join(path.name for path in versions)
    return Finding("StarCraft II", State.FINE, f"{folder}: {names}; {num_maps} maps")


def examine_cuda() -> Finding:
    """Judge whether torch imports and which device it has."""
    try:
        torch = importlib.import_module("torch")
    except (ImportError, OSError) as error:
        return Finding("CUDA", State.BROKEN, f"torch: {error}", REINSTALL)
    if torch.cuda.is_available():
        return Finding("CUDA", State.FINE, torch.cuda.get_device_name())
    return Finding("CUDA", State.FINE, "no device", "not needed: small policies train on the CPU")


def examine_compiled_code() -> Finding:
    """Judge whether numba can keep compiled code between runs."""
    beside = Path(pysc2_compat.__file__).parent
    folder = Path(os.environ.get("NUMBA_CACHE_DIR", beside))
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if os.access(existing, os.W_OK):
        return Finding("compiled code", State.FINE, f"kept in {folder}")
    remedy = "export NUMBA_CACHE_DIR=/a/folder/you/can/write"
    return Finding("compiled code", State.NOTE, f"cannot write {folder}", remedy)


def _space(subject: str, free_gb: float | None, wanted_gb: float, remedy: str) -> Finding:
    """Compare what is free with what is comfortable."""
    if free_gb is None:
        return Finding(subject, State.FINE, "unknown on this system")
    found = f"{free_gb:.1f} GB"
    if free_gb >= wanted_gb:
        return Finding(subject, State.FINE, found)
    return Finding(subject, State.NOTE, f"{found}, better {wanted_gb} GB", remedy)


def _num_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _free_memory_gb() -> float | None:
    """Return the memory that programs can still take, where Linux tells it."""
    path = Path("/proc/meminfo")
    if not path.is_file():
        return None
    lines = dict(line.split(":") for line in path.read_text(encoding="utf-8").splitlines())
    return int(lines["MemAvailable"].split()[0]) * 1024 / GIGABYTE
