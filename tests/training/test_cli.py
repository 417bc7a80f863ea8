"""The command line: quick to list, clear in refusing, quiet when stopped."""

import importlib
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from training import cli, refusal


@dataclass(frozen=True, kw_only=True)
class GreetingConfig:
    """Greet somebody."""

    name: str  # who is greeted
    times: int = 1  # how often

    def __post_init__(self) -> None:
        if self.times < 1:
            raise ValueError(f"times must be at least 1, got {self.times}")


def command_that(run: Callable[[GreetingConfig], None], patch: pytest.MonkeyPatch) -> None:
    """Put a command ``greet`` into the table that runs the given function."""
    module = ModuleType("greeting")
    module.run = run
    module.GreetingConfig = GreetingConfig
    patch.setitem(sys.modules, "greeting", module)
    patch.setitem(
        cli.COMMANDS, "greet", cli.Command("greet", "greeting", "greeting:GreetingConfig")
    )


def test_the_list_of_commands_comes_at_once():
    began = time.perf_counter()
    result = subprocess.run(
        [sys.executable, "-m", "training.cli", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert time.perf_counter() - began < 2
    assert result.stderr == ""


def test_the_list_of_commands_has_a_line_for_each(capsys: pytest.CaptureFixture[str]):
    assert cli.run(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for name, command in cli.COMMANDS.items():
        assert sum(line.split() == f"{name} {command.summary}".split() for line in lines) == 1


def test_no_command_is_refused_with_the_list(capsys: pytest.CaptureFixture[str]):
    assert cli.run([]) == 2
    assert "doctor" in capsys.readouterr().out


def test_an_unknown_command_is_refused_in_one_line(capsys: pytest.CaptureFixture[str]):
    assert cli.run(["dcotor"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(("options", "status"), [([], 2), (["--help"], 0), (["-h"], 0)])
def test_a_word_that_several_commands_begin_with_lists_those(
    options: list[str], status: int, capsys: pytest.CaptureFixture[str]
):
    assert cli.run(["bench", *options]) == status
    printed = capsys.readouterr().out
    for name, command in cli.COMMANDS.items():
        assert (command.summary in printed) == name.startswith("bench ")


def test_an_unknown_command_is_refused_with_those_that_begin_like_it(
    capsys: pytest.CaptureFixture[str],
):
    assert cli.run(["bench", "speed"]) == 2
    printed = capsys.readouterr().err
    assert "no command is named 'bench speed'" in printed
    assert "bench engine" in printed
    assert "doctor" not in printed


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]):
    assert cli.run(["--version"]) == 0
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert capsys.readouterr().out == f"latentstar {project['project']['version']}\n"


def test_the_readme_tells_of_every_command_and_of_no_other():
    readme = Path(__file__).parents[2] / "README.md"
    told = re.findall(r"`latentstar (bench [a-z-]+|[a-z]+)", readme.read_text(encoding="utf-8"))
    assert set(told) == set(cli.COMMANDS)


@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_every_command_shows_its_options(name: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as exit_:
        cli.run([name, "--help"])
    assert exit_.value.code == 0
    assert f"usage: latentstar {name}" in capsys.readouterr().out


@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_every_command_has_a_function_to_run(name: str):
    assert callable(importlib.import_module(cli.COMMANDS[name].module).run)


@pytest.mark.parametrize(
    ("name", "given"),
    [("doctor", 0), ("replays", 2), ("bc", 1), ("score", 2), ("demo", 1)],
)
def test_every_command_refuses_an_option_that_it_has_not(
    name: str, given: int, capsys: pytest.CaptureFixture[str]
):
    assert cli.run([name, *["nowhere"] * given, "--no-such-option"]) == 2
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert "no-such-option" in printed


def test_what_must_be_given_comes_without_a_name(monkeypatch: pytest.MonkeyPatch):
    greeted = []
    command_that(greeted.append, monkeypatch)
    assert cli.run(["greet", "Ada", "--times", "2"]) == 0
    assert greeted == [GreetingConfig(name="Ada", times=2)]


def test_help_shows_what_options_mean_and_their_defaults(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    command_that(lambda _: None, monkeypatch)
    with pytest.raises(SystemExit):
        cli.run(["greet", "--help"])
    printed = capsys.readouterr().out
    assert "how often (default: 1)" in printed


def test_impossible_values_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    command_that(lambda _: None, monkeypatch)
    assert cli.run(["greet", "Ada", "--times", "0"]) == 2
    assert capsys.readouterr().err == "latentstar greet: times must be at least 1, got 0\n"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "missing: STR who is greeted (required)"),
        (["Ada", "--times", "x"], "--times: must be a whole number, got 'x'"),
        (["Ada", "--times"], "Missing value for argument '--times'. Expected 1 values."),
        (["Ada", "--tims", "2"], "Unrecognized options: --tims, 2; Perhaps you meant: --times INT"),
    ],
)
def test_what_cannot_be_read_as_options_is_told_in_one_line(
    options: list[str],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    command_that(lambda _: None, monkeypatch)
    assert cli.run(["greet", *options]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith(f"latentstar greet: {told}")
    assert printed.count("\n") == 1


def test_a_value_deep_in_a_configuration_is_refused_in_one_line(
    capsys: pytest.CaptureFixture[str],
):
    options = ["nowhere", "--optimizer.learning-rate", "-1"]
    assert cli.run(["bc", *options]) == 2
    expected = "latentstar bc: optimizer: learning_rate must be positive, got -1.0\n"
    assert capsys.readouterr().err == expected


def test_a_missing_file_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    missing = tmp_path / "missing.json"
    command_that(lambda _: missing.read_text(), monkeypatch)
    assert cli.run(["greet", "Ada"]) == 2
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert str(missing) in printed


@pytest.mark.parametrize(
    "options",
    [
        ["mini-games", "--out", "FILE"],
        ["engine", "--out", "FOLDER", "--loops", "100", "--no-first-start"],
        ["ladder", "--out", "FILE"],
    ],
)
def test_a_place_that_cannot_be_written_to_is_refused_in_one_line(
    options: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    (tmp_path / "file").touch()
    places = {"FILE": str(tmp_path / "file"), "FOLDER": str(tmp_path)}
    assert cli.run(["bench", *(places.get(option, option) for option in options)]) == 2
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert f"latentstar bench {options[0]}: {places[options[2]]}: wanted a" in printed


@pytest.mark.parametrize(
    "error", [FileExistsError, IsADirectoryError, NotADirectoryError, PermissionError]
)
def test_files_that_are_something_else_are_refused_in_one_line(
    error: type[OSError], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def fail(config: GreetingConfig) -> None:
        raise error(1, "is something else", "a/file")

    command_that(fail, monkeypatch)
    assert cli.run(["greet", "Ada"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_value_that_we_refuse_takes_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    command_that(lambda _: GreetingConfig(name="Grace", times=-1), monkeypatch)
    monkeypatch.setattr(refusal, "OURS", refusal.OURS | {__name__})
    assert cli.run(["greet", "Ada"]) == 2
    assert capsys.readouterr().err == "latentstar greet: times must be at least 1, got -1\n"


def test_a_fault_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch):
    command_that(lambda _: np.zeros(2) + np.zeros(3), monkeypatch)
    monkeypatch.setattr(refusal, "OURS", refusal.OURS | {__name__})
    with pytest.raises(ValueError, match="broadcast"):
        cli.run(["greet", "Ada"])


def test_torch_that_was_stopped_while_it_was_imported_tells_nothing_of_its_caches():
    program = """
import atexit, logging, sys, types
from training import cli

def run(config):
    log = logging.getLogger("torch._subclasses.fake_tensor")
    atexit.register(log.info, "FakeTensor cache stats:")
    raise KeyboardInterrupt

sys.modules["stopped"] = types.ModuleType("stopped")
sys.modules["stopped"].run = run
sys.modules["stopped"].Config = dict[str, int]
cli.COMMANDS["stop"] = cli.Command("stop", "stopped", "stopped:Config")
sys.exit(cli.run(["stop", "--"]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (130, "latentstar stop: stopped\n")


def test_stopping_takes_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def stop(config: GreetingConfig) -> None:
        raise KeyboardInterrupt

    command_that(stop, monkeypatch)
    assert cli.run(["greet", "Ada"]) == 130
    assert capsys.readouterr().err == "latentstar greet: stopped\n"
