"""A run's folder: one run at a time, and no other settings."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from training.run_folder import (
    locked_run,
    require_new_run,
    require_same_run,
)
from training.whole_files import write_json

ROOT = Path(__file__).parents[2]
HOLD = """
import sys, time
from pathlib import Path
from training.run_folder import locked_run
with locked_run(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def holder(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_two_runs_in_one_folder_are_refused_and_the_first_is_named(tmp_path: Path):
    process = holder(tmp_path)
    try:
        wanted = f"in use by another run, process {process.pid}"
        with pytest.raises(ValueError, match=wanted), locked_run(tmp_path):
            pass
    finally:
        process.kill()
        process.communicate()


def test_a_killed_run_leaves_no_lock_behind(tmp_path: Path):
    process = holder(tmp_path)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    with locked_run(tmp_path):
        pass


def test_a_file_is_no_folder_for_a_run(tmp_path: Path):
    path = tmp_path / "file"
    path.write_text("")
    with pytest.raises(ValueError, match="wanted a folder"):
        require_new_run(path)


def test_a_folder_that_holds_a_run_is_refused(tmp_path: Path):
    (tmp_path / "checkpoints" / "step_5").mkdir(parents=True)
    with pytest.raises(ValueError, match="--resume"):
        require_new_run(tmp_path)


def test_no_run_to_go_on_with_is_refused(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="no run to go on with"):
        require_same_run(tmp_path, {}, free=frozenset())


def test_another_setting_is_refused_by_name(tmp_path: Path):
    write_json(tmp_path / "config.json", {"seed": 1, "optimizer": {"rate": 0.1}, "minutes": 5})
    with pytest.raises(ValueError, match=r"optimizer.rate is 0.1 there and 0.2 here"):
        require_same_run(
            tmp_path, {"seed": 1, "optimizer": {"rate": 0.2}, "minutes": 5}, free=frozenset()
        )


def test_settings_that_are_free_may_change(tmp_path: Path):
    write_json(tmp_path / "config.json", {"seed": 1, "minutes": 5})
    require_same_run(tmp_path, {"seed": 1, "minutes": 9}, free=frozenset(["minutes"]))
