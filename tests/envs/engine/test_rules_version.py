"""Which changes make another version of the rules."""

import re
from importlib import resources

from envs.engine import rules_version
from envs.engine.rules_version import TABLES, rules_hash


def test_the_version_comes_from_every_table_that_rules_are_read_from():
    sources = rules_version._sources(resources.files("envs") / "engine")
    read = {name for source in sources for name in re.findall(r'"(\w+\.csv)"', source.read_text())}
    assert read == set(TABLES)


def test_files_that_only_tell_of_a_game_are_there():
    names = {entry.name for entry in (resources.files("envs") / "engine").iterdir()}
    assert set(rules_version._NOT_RULES) <= names
    assert "match.py" not in rules_version._NOT_RULES


def test_the_version_is_sixteen_digits_and_stays():
    assert re.fullmatch("[0-9a-f]{16}", rules_hash())
    rules_hash.cache_clear()
    first = rules_hash()
    rules_hash.cache_clear()
    assert rules_hash() == first
