"""``docs/playing.md`` says what is so."""

import re
from pathlib import Path

import pytest

from agent.scripted.styles import styles_of
from envs.interface import Race

PAGE = (Path(__file__).parents[2] / "docs" / "playing.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("race", [Race.TERRAN, Race.ZERG, Race.PROTOSS])
def test_every_style_is_named_with_its_race(race: Race):
    (styles,) = re.findall(rf"^\| {race.name.title()} \| (.*) \|$", PAGE, flags=re.MULTILINE)
    assert styles == ", ".join(f"`{style.name}`" for style in styles_of(race))


@pytest.mark.slow
def test_the_duel_of_the_page_runs(capsys: pytest.CaptureFixture[str]):
    *_, program = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    exec(compile(program, "docs/playing.md", "exec"), {})
    assert re.fullmatch(r"(win|loss) \d+\n", capsys.readouterr().out)
