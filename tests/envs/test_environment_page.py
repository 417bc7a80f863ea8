"""``docs/environment.md`` says what is so."""

import re
from pathlib import Path

import gymnasium
import pytest

from envs.choices import Build, Difficulty
from envs.registration import MELEE, mini_game_id
from envs.tasks import MELEE_LOOPS, MINI_GAMES

PAGE = (Path(__file__).parents[2] / "docs" / "environment.md").read_text(encoding="utf-8")


def test_the_program_runs(capsys: pytest.CaptureFixture[str]):
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    exec(compile(program, "docs/environment.md", "exec"), {})
    assert re.fullmatch(r"-?\d+ points in \d+ loops\n", capsys.readouterr().out)


def test_every_name_and_choice_is_there():
    assert f"`{MELEE}`" in PAGE
    assert f"`{mini_game_id(MINI_GAMES[0])}`" in PAGE
    assert all(f"`{name}`" in PAGE for name in MINI_GAMES[1:])
    assert all(f"`{choice.name.lower()}`" in PAGE for choice in [*Difficulty, *Build])
    assert f"{MELEE_LOOPS:,}" in PAGE


def test_every_part_of_observations_and_actions_is_there():
    env = gymnasium.make(MELEE)
    for space in (env.observation_space, env.action_space):
        assert isinstance(space, gymnasium.spaces.Dict)
        assert [name for name in space if f"`{name}`" not in PAGE] == []
    env.close()
