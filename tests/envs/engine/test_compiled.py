"""The cache of machine code: a change in any source that it comes from makes it anew."""

import re

from envs.engine import compiled
from envs.engine.compiled import compiled_sources


def test_machine_code_depends_on_no_other_sources_than_the_cache_is_kept_apart_for():
    known = {source.stem for source in compiled_sources()}
    assert {"layout", "loop", "survey"} <= known
    for source in compiled_sources():
        if source.name in ("layout.py", "compiled.py"):
            continue
        imported = re.findall(r"^from envs\.([a-z_.]+) import", source.read_text(), re.MULTILINE)
        assert {name.rpartition(".")[2] for name in imported} <= known, source


def test_the_cache_lies_in_a_folder_of_these_sources():
    assert compiled.CACHE_DIRECTORY.name.startswith("compiled-")
