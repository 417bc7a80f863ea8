"""The tree keeps its shape: who imports whom, and what no file may do."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ["envs", "policies", "agent", "training"]

OURS = {
    "envs": ["envs"],
    "envs.engine": ["envs.engine"],
    "policies": ["envs.interface", "policies"],
    "agent": ["envs", "policies", "agent"],
    "training": ["envs", "policies", "agent", "training"],
}
THIRD_PARTY = {
    "envs": [
        *["gymnasium", "mpyq", "numba", "numpy", "pysc2"],
        *["s2clientprotocol", "s2protocol", "sc2reader"],
    ],
    "envs.engine": ["numba", "numpy", "s2clientprotocol", "websockets"],
    "policies": ["jaxtyping", "numba", "numpy", "torch"],
    "agent": ["jaxtyping", "numpy", "safetensors", "torch"],
    "training": [
        *["jaxtyping", "matplotlib", "numpy", "packaging", "pyarrow", "ray", "rich"],
        *["safetensors", "tensorboard", "torch", "tyro"],
    ],
}
ONLY_IN = {  # imports that one file has for all others
    "agent/pysc2_agent.py": ["pysc2", "s2clientprotocol"],
    "agent/python_sc2_bot.py": ["sc2"],
    "envs/launch.py": ["envs.engine.session"],
    "envs/message_socket.py": ["websocket"],
    # Tools for the engine itself; everybody else knows it by its messages.
    "training/engine_docs.py": ["envs.engine"],
    "training/engine_games.py": ["envs.engine", "s2clientprotocol"],
    "training/engine_maps.py": ["envs.engine"],
    "training/engine_picture.py": ["envs.engine", "s2clientprotocol"],
    "training/engine_server.py": ["envs.engine"],
    "training/evaluation/settings.py": ["envs.engine"],
    "training/bench/engine.py": ["envs.engine", "pysc2", "s2clientprotocol"],
    "training/bench/engine_clients.py": ["envs.engine", "s2clientprotocol", "websocket"],
    "training/bench/features.py": ["pysc2", "s2clientprotocol"],
    "training/bench/ladder.py": ["envs.engine"],
    "training/bench/mini_game_client.py": ["envs.engine", "s2clientprotocol"],
    "training/bench/mini_games.py": ["envs.engine"],
}
PICKLERS = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"}
NAMELESS = {"base", "common", "helpers", "misc", "utils"}


class Import(NamedTuple):
    """One imported name, and where."""

    file: str
    line: int
    name: str


def sources() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def layer(file: str) -> str:
    return "envs.engine" if file.startswith("envs/engine/") else file.split("/")[0]


def imports(path: Path) -> Iterator[Import]:
    """Every import of a file, those inside functions too; ``from a import b`` gives a.b."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(relative(path), node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{relative(path)}:{node.lineno}: relative import"
            for alias in node.names:
                yield Import(relative(path), node.lineno, f"{node.module}.{alias.name}")


def all_imports() -> list[Import]:
    return [found for path in sources() for found in imports(path)]


def is_within(name: str, modules: list[str]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def test_there_is_something_to_read():
    assert {path.relative_to(ROOT).parts[0] for path in sources()} == set(PACKAGES)


def test_packages_import_only_the_packages_before_them_in_the_chain():
    wrong = [
        found
        for found in all_imports()
        if found.name.split(".")[0] in PACKAGES
        and not is_within(found.name, OURS[layer(found.file)] + ONLY_IN.get(found.file, []))
    ]
    assert wrong == []


def test_nobody_but_the_launcher_and_the_engines_own_tools_know_the_engine():
    wrong = [
        found
        for found in all_imports()
        if is_within(found.name, ["envs.engine"])
        and layer(found.file) != "envs.engine"
        and not is_within(found.name, ONLY_IN.get(found.file, []))
    ]
    assert wrong == []


def test_third_party_packages_are_imported_where_they_have_their_home():
    known = set(sys.stdlib_module_names) | set(PACKAGES)
    wrong = [
        found
        for found in all_imports()
        if found.name.split(".")[0] not in known
        and not is_within(found.name, THIRD_PARTY[layer(found.file)])
        and not is_within(found.name, ONLY_IN.get(found.file, []))
    ]
    assert wrong == []


def test_nothing_is_pickled():
    assert [found for found in all_imports() if found.name.split(".")[0] in PICKLERS] == []


def test_loading_never_runs_what_the_file_says():
    wrong = []
    for path in sources():
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.Call):
                continue
            options = {option.arg: ast.unparse(option.value) for option in node.keywords}
            unsafe = (
                ast.unparse(node.func) == "torch.load" and options.get("weights_only") != "True"
            )
            if unsafe or options.get("allow_pickle", "False") != "False":
                wrong.append(f"{relative(path)}:{node.lineno}")
    assert wrong == []


def test_shapes_are_seen_by_the_checker():
    assert [found for found in all_imports() if found.name == "__future__.annotations"] == []


def test_a_package_file_holds_a_docstring_and_nothing_else():
    for path in sources():
        if path.name == "__init__.py":
            body = tree(path).body
            assert len(body) == 1, relative(path)
            assert ast.get_docstring(tree(path)), relative(path)


def test_files_are_named_for_what_they_hold():
    assert [relative(path) for path in sources() if path.stem in NAMELESS] == []


@pytest.mark.parametrize("module", ["policies.policy", "training.behaviour_cloning"])
def test_learning_needs_neither_game_nor_replays_nor_a_cluster(module: str):
    assert heavy_modules_after_importing(module) == []


def test_reading_a_dataset_needs_no_replay_decoder():
    assert heavy_modules_after_importing("training.dataset") == []


def test_the_list_of_commands_needs_no_network():
    assert heavy_modules_after_importing("training.cli", "torch", "pyarrow", "numba") == []


def heavy_modules_after_importing(module: str, *more: str) -> list[str]:
    """Import a module in a fresh interpreter; return what it should not have brought in."""
    heavy = ["pysc2", "ray", "s2clientprotocol", "s2protocol", "sc2reader", *more]
    code = f"import sys, {module}; print(*[name for name in {heavy} if name in sys.modules])"
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    return result.stdout.split()
