"""Files that appear whole or not at all."""

import json
from pathlib import Path

import pytest

from training.whole_files import whole_file, write_json


def test_a_file_appears_when_it_is_finished_and_replaces_the_one_before(tmp_path: Path):
    path = tmp_path / "report.txt"
    path.write_text("old")
    with whole_file(path) as unfinished:
        unfinished.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("existing", [None, "old"])
def test_when_writing_fails_all_is_as_before(tmp_path: Path, existing: str | None):
    path = tmp_path / "report.txt"
    if existing is not None:
        path.write_text(existing)

    def fail() -> None:
        with whole_file(path) as unfinished:
            unfinished.write_text("half a")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert [file.read_text() for file in tmp_path.iterdir()] == [existing] * (existing is not None)


def test_json_is_read_back_as_it_was_and_keeps_every_script(tmp_path: Path):
    value = {"map": "深海暗礁", "games": [1, 2.5, None]}
    write_json(tmp_path / "value.json", value)
    text = (tmp_path / "value.json").read_text(encoding="utf-8")
    assert json.loads(text) == value
    assert "深海暗礁" in text
