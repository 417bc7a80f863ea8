"""The doctor finds what is broken, says how to mend it, and asks for no game."""

from pathlib import Path

import pytest
from packaging.requirements import Requirement

from envs import pysc2_compat
from training import doctor
from training.doctor import State


def installation(folder: Path, *, executable: bool) -> Path:
    """Write the shape of an installed StarCraft II."""
    program = folder / "Versions" / "Base75689" / "SC2_x64"
    program.parent.mkdir(parents=True)
    program.touch(0o755 if executable else 0o644)
    (folder / "Maps" / "Ladder").mkdir(parents=True)
    (folder / "Maps" / "Ladder" / "Somewhere.SC2Map").touch()
    return folder


def test_where_the_suite_runs_nothing_needed_is_broken(capsys: pytest.CaptureFixture[str]):
    assert doctor.run()
    printed = capsys.readouterr().out
    assert "pys2clientprotocol" in printed
    assert "Everything that is needed works." in printed


def test_what_is_broken_is_named_and_the_answer_is_no(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    old = doctor.examine_python((3, 10, 4))
    monkeypatch.setattr(doctor, "examine", lambda: iter([old]))
    assert not doctor.run()
    assert "broken: Python" in capsys.readouterr().out


def test_long_paths_are_told_to_the_end(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    path = "/" + "/".join(f"folder{i}" for i in range(40))
    found = doctor.Finding("somewhere", State.NOTE, path, f"chmod +x '{path}'")
    monkeypatch.setattr(doctor, "examine", lambda: iter([found]))
    doctor.run()
    rows = [line.split("│") for line in capsys.readouterr().out.splitlines() if "│" in line]
    assert "".join(row[2].strip() for row in rows) == path
    assert "".join(row[3].strip() for row in rows).removeprefix("chmod +x").strip() == f"'{path}'"


def test_whatever_is_not_fine_has_a_remedy():
    assert all(found.remedy for found in doctor.examine() if found.state is not State.FINE)


def test_an_old_python_is_broken():
    assert doctor.examine_python((3, 10, 13)).state is State.BROKEN
    assert doctor.examine_python((3, 11, 0)).state is State.FINE


@pytest.mark.parametrize(
    ("requirement", "state"),
    [
        ("rich", State.FINE),
        ("rich>=1", State.FINE),
        ("rich<1", State.BROKEN),
        ("there-is-no-such-package", State.BROKEN),
    ],
)
def test_packages_are_compared_with_what_is_wanted(requirement: str, state: State):
    finding = doctor.examine_package(Requirement(requirement))
    assert finding.state is state
    assert ("install" in finding.remedy) == (state is State.BROKEN)


def test_the_old_protocol_package_is_broken(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pysc2_compat, "foreign_protocol_files", lambda: ("sc2api_pb2.py",))
    finding = doctor.examine_protocol()
    assert finding.state is State.BROKEN
    assert "sc2api_pb2.py" in finding.found
    assert finding.remedy == pysc2_compat.protocol_remedy()


def test_no_game_is_fine(tmp_path: Path):
    finding = doctor.examine_game(tmp_path / "nowhere")
    assert finding.state is State.FINE
    assert "not needed" in finding.remedy
    assert "latentstar engine --install" in finding.remedy


def test_an_installed_game_is_described(tmp_path: Path):
    folder = installation(tmp_path / "StarCraft II", executable=True)
    finding = doctor.examine_game(folder)
    assert finding.state is State.FINE
    assert "Base75689; 1 maps" in finding.found


def test_a_game_that_may_not_be_executed_is_noted(tmp_path: Path):
    folder = installation(tmp_path / "StarCraft II", executable=False)
    finding = doctor.examine_game(folder)
    assert finding.state is State.NOTE
    assert finding.remedy == f"chmod +x '{folder}/Versions/Base75689/SC2_x64'"


def test_a_folder_that_is_no_game_is_noted(tmp_path: Path):
    assert doctor.examine_game(tmp_path).state is State.NOTE


def test_sc2path_says_where_the_game_is(tmp_path: Path):
    assert doctor.game_folder({"SC2PATH": "/games/sc2"}, tmp_path) == Path("/games/sc2")


def test_code_that_cannot_be_kept_is_noted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    assert doctor.examine_compiled_code().state is State.FINE
    monkeypatch.setattr(doctor.os, "access", lambda *_: False)
    finding = doctor.examine_compiled_code()
    assert finding.state is State.NOTE
    assert "NUMBA_CACHE_DIR" in finding.remedy
