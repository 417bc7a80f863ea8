"""Files that appear whole or not at all."""

import json
from pathlib import Path

import pytest

from training.whole_files import (
    append_json_line,
    cut_torn_line,
    make_folder,
    read_json_lines,
    require_place,
    whole_file,
    write_json,
)


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


def blocked(folder: Path) -> list[Path]:
    """Places where no file can be: a folder, and what is not in a folder."""
    (folder / "file").touch()
    return [folder, folder / "file" / "report.txt", folder / "nowhere" / "report.txt"]


def test_a_place_for_a_file_is_left_as_it_was_and_no_place_is_refused_by_its_name(tmp_path: Path):
    path = tmp_path / "report.txt"
    path.write_text("old")
    require_place(path)
    require_place(tmp_path / "new.txt")
    assert [file.name for file in tmp_path.iterdir()] == ["report.txt"]
    assert path.read_text() == "old"
    for place in blocked(tmp_path):
        with pytest.raises(ValueError, match=f"^{place}: "):
            require_place(place)


def test_what_cannot_be_written_is_named_as_it_was_wanted(tmp_path: Path):
    for place in blocked(tmp_path):
        with pytest.raises(OSError, match=f": '{place}'$"):
            write_json(place, 1)


def test_a_folder_is_made_with_those_above_it_and_a_file_in_its_place_is_refused(tmp_path: Path):
    for _ in range(2):
        make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "a"):
        with pytest.raises(ValueError, match=f"^{place}: "):
            make_folder(place)


def test_json_is_read_back_as_it_was_and_keeps_every_script(tmp_path: Path):
    value = {"map": "深海暗礁", "games": [1, 2.5, None]}
    write_json(tmp_path / "value.json", value)
    text = (tmp_path / "value.json").read_text(encoding="utf-8")
    assert json.loads(text) == value
    assert "深海暗礁" in text


def test_lines_are_read_but_for_one_that_was_never_finished(tmp_path: Path):
    path = tmp_path / "lines.jsonl"
    for number in (1, 2):
        append_json_line(path, {"number": number})
    with path.open("ab") as file:
        file.write('{"map": "深'.encode()[:-1])  # cut within a letter
    assert read_json_lines(path, remedy="") == [{"number": 1}, {"number": 2}]
    append_json_line(path, {"number": 3})
    assert read_json_lines(path, remedy="") == [{"number": number} for number in (1, 2, 3)]


def test_a_torn_line_is_cut_off_and_nothing_else(tmp_path: Path):
    path = tmp_path / "lines.jsonl"
    cut_torn_line(path)
    assert not path.exists()
    path.write_text("{}\n{}\n{")
    for _ in range(2):
        cut_torn_line(path)
        assert path.read_text() == "{}\n{}\n"


@pytest.mark.parametrize("line", ["{half", "[1]"])
def test_a_damaged_line_is_named_with_what_to_do(tmp_path: Path, line: str):
    path = tmp_path / "lines.jsonl"
    path.write_text(f"{{}}\n{line}\n{{}}\n")
    with pytest.raises(ValueError, match=r"lines.jsonl, line 2, is damaged .*: start again"):
        read_json_lines(path, remedy="start again")
