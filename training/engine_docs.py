"""The table of functions in ``docs/engine.md``: ``python -m training.engine_docs``.

A row for each of pysc2's 564 raw functions: whether any unit of the engine can be told to do it,
by the engine's own table of commands, and which tests give that command, found by its ability in
their sources. ``tests/envs/engine/test_raw_functions.py`` gives every one of them.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from envs.engine.commands import Command, Target, commands_of
from envs.engine.unit_tables import unit_tables
from envs.interface import RawFunction, raw_functions
from training.whole_files import whole_file

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "engine.md"
TESTS = ROOT / "tests" / "envs" / "engine"
BEGIN, END = "<!-- functions: written by training/engine_docs.py -->", "<!-- end of functions -->"
GENERAL_TEST = "test_raw_functions.py"

_TARGETS = {
    "quick": {Target.NOTHING, Target.POINT_OR_NOTHING},
    "point": {Target.POINT, Target.POINT_OR_UNIT, Target.POINT_OR_NOTHING},
    "unit": {Target.UNIT, Target.POINT, Target.POINT_OR_UNIT},
}
"""What a command may be aimed at to do what a function asks for; a unit is a place too."""

_WITHOUT_A_UNIT = ("no_op", "camera")
_MOST_TESTS = 2
_GIVERS = ("order", "command")  # methods of tests' scenes and clients, and of matches
_NUM_PLAYERS = 2


def main() -> None:
    """Write the table into the document."""
    text = DOCUMENT.read_text(encoding="utf-8")
    with whole_file(DOCUMENT) as unfinished:
        unfinished.write_text(with_table(text, functions_table(TESTS)), encoding="utf-8")


def with_table(text: str, table: str) -> str:
    """Return a document with its table of functions replaced.

    Raises:
        ValueError: the document has no place for it.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the document must have the lines {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n\n{table}\n{END}{after}"


def functions_table(tests: Path) -> str:
    """Return the table in Markdown; tests are looked for in a folder."""
    found = ability_tests(tests)
    supported = [is_supported(function) for function in raw_functions()]
    lines = [
        f"{sum(supported)} of {len(supported)} functions are supported.",
        "",
        "| | function | supported | tests |",
        "|---:|---|---|---|",
    ]
    for action_type, function in enumerate(raw_functions()):
        names = found.get(function.ability_id, []) if function.ability_id else []
        told = ", ".join(f"`{name}`" for name in [*names[:_MOST_TESTS], GENERAL_TEST])
        answer = "yes" if supported[action_type] else "not supported"
        lines.append(f"| {action_type} | {function.name} | {answer} | {told} |")
    return "\n".join(lines) + "\n"


def is_supported(function: RawFunction) -> bool:
    """Return whether the engine does what a raw function asks for."""
    return function.kind in _WITHOUT_A_UNIT or bool(takers_of(function))


def takers_of(function: RawFunction) -> list[tuple[int, Command]]:
    """Return the unit types that a function can be given to, by row, and what they do then."""
    fitting = _TARGETS.get(function.kind, set())
    return [
        (row, command)
        for row, command in _commands().get(function.ability_id, [])
        if command.target in fitting
    ]


@cache
def _commands() -> dict[int, list[tuple[int, Command]]]:
    """Return who takes each ability, by its id."""
    found: dict[int, list[tuple[int, Command]]] = {}
    for row in range(1, len(unit_tables().names)):
        for ability, command in commands_of(row).items():
            found.setdefault(ability, []).append((row, command))
    return found


def ability_tests(folder: Path) -> dict[int, list[str]]:
    """Return which tests of a folder give which ability, by its id, as file::test."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in folder.glob("*.py")}
    constants = {path.stem: _constants(tree) for path, tree in trees.items()}
    words = {name: ability for tree in trees.values() for name, ability in _dictionary(tree)}
    functions = {function.name: function.ability_id for function in raw_functions()}
    found: dict[int, list[str]] = {}
    for path, tree in sorted(trees.items()):
        known = _imported(tree, constants) | constants[path.stem]
        for test in tree.body:
            if not isinstance(test, ast.FunctionDef) or not test.name.startswith("test_"):
                continue
            for ability in sorted(_given(test, known, words, functions)):
                found.setdefault(ability, []).append(f"{path.name}::{test.name}")
    return found


def _constants(tree: ast.Module) -> dict[str, int]:
    """Return the numbers that a module gives names to."""
    found = {}
    for statement in tree.body:
        if not isinstance(statement, ast.Assign):
            continue
        for target in statement.targets:
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            value = statement.value
            values = value.elts if isinstance(value, ast.Tuple) else [value]
            if len(names) != len(values):
                continue
            for name, number in zip(names, values, strict=True):
                if not isinstance(name, ast.Name) or not isinstance(number, ast.Constant):
                    continue
                if isinstance(number.value, int):
                    found[name.id] = number.value
    return found


def _dictionary(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Return the words that a module has for abilities, in a dictionary called ABILITIES."""
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "ABILITIES":
            words = ast.literal_eval(statement.value)
            yield from words.items()


def _imported(tree: ast.Module, constants: Mapping[str, dict[str, int]]) -> dict[str, int]:
    """Return the numbers that a test file has from files beside it."""
    found = {}
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom) and statement.module:
            others = constants.get(statement.module.rpartition(".")[2], {})
            for alias in statement.names:
                if alias.name in others:
                    found[alias.asname or alias.name] = others[alias.name]
    return found


def _given(
    test: ast.FunctionDef,
    constants: Mapping[str, int],
    words: Mapping[str, int],
    functions: Mapping[str, int],
) -> set[int]:
    """Return the abilities that a test's source gives to units."""

    def number(node: ast.expr) -> int | None:
        if isinstance(node, ast.Constant):
            value = node.value
            if isinstance(value, str):
                return words.get(value)
            return value if isinstance(value, int) else None
        return constants.get(node.id) if isinstance(node, ast.Name) else None

    found = set()
    for node in ast.walk(test):
        if isinstance(node, ast.Attribute) and re.search(
            r"RAW_FUNCTIONS$", ast.unparse(node.value)
        ):
            found.add(functions.get(node.attr))
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr in _GIVERS and node.args:
            first = number(node.args[0])
            is_player = first in range(1, _NUM_PLAYERS + 1) and len(node.args) > _NUM_PLAYERS
            found.add(number(node.args[1]) if is_player else first)
    return {ability for ability in found if isinstance(ability, int) and ability > 0}


if __name__ == "__main__":
    main()
