"""The cache of machine code: a change in any source that it comes from makes it anew."""

import os
import re
import time
from pathlib import Path

import pytest

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


def test_folders_that_no_version_has_used_for_a_month_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    days_ago = {"own": 90, "used": 90, "recent": 20, "old": 40, "old.7.stale": 40}
    for name, days in days_ago.items():
        machine_code = tmp_path / f"compiled-{name}" / "engine" / "step.nbc"
        machine_code.parent.mkdir(parents=True)
        machine_code.touch()
        (tmp_path / f"compiled-{name}" / "all").touch()
        then = time.time() - days * 24 * 3600
        for path in (machine_code, *(tmp_path / f"compiled-{name}").iterdir()):
            os.utime(path, (then, then))
        os.utime(tmp_path / f"compiled-{name}", (then, then))
    (tmp_path / "something else").mkdir()
    monkeypatch.setattr(compiled, "CACHE_DIRECTORY", tmp_path / "compiled-used")
    compiled.note_use()
    monkeypatch.setattr(compiled, "CACHE_DIRECTORY", tmp_path / "compiled-own")
    compiled.note_all_cached()
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"compiled-own", "compiled-used", "compiled-recent", "something else"}
    assert (tmp_path / "compiled-own" / "engine" / "step.nbc").exists()


def test_what_another_process_is_removing_is_left_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    old = tmp_path / "compiled-old"
    old.mkdir()
    os.utime(old, (0, 0))
    monkeypatch.setattr(compiled, "CACHE_DIRECTORY", tmp_path / "compiled-own")
    look = compiled._last_use

    def look_and_be_late(folder: Path) -> float:
        last_use = look(folder)
        folder.rmdir()
        return last_use

    monkeypatch.setattr(compiled, "_last_use", look_and_be_late)
    compiled.note_all_cached()
    assert compiled.is_all_cached()
    assert [path.name for path in tmp_path.iterdir()] == ["compiled-own"]
