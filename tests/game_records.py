"""Finished games as an evaluation writes them down, for any test."""

from typing import Any

from training.evaluation.records import Game, GameRecord, PlannedGame, Result, Settings

LOOPS_A_MINUTE = 1344


def some_settings(**changes: Any) -> Settings:
    values: dict[str, Any] = {
        "game": Game.ENGINE,
        "build": "4.10.0",
        "rules": "ac263c26",
        "delay_rule": "as the policy says",
        "max_loops": 30 * LOOPS_A_MINUTE,
        "player": "step 1000",
        "checkpoint": "0123456789abcdef",
        "temperature": 1.0,
    }
    return Settings(**{**values, **changes})


def planned_game(name: str = "medium-0001", **changes: Any) -> PlannedGame:
    values: dict[str, Any] = {
        "level": "medium",
        "race": "Terran",
        "opponent_race": "Zerg",
        "map": "Melee/Simple64.SC2Map",
        "seed": 7,
        "seat": 1,
    }
    return PlannedGame(name=name, **{**values, **changes})


def finished_game(
    result: str, *, planned: PlannedGame | None = None, settings: Settings | None = None
) -> GameRecord:
    return GameRecord(
        planned=planned or planned_game(),
        settings=settings or some_settings(),
        result=Result(result),
        detail="",
        loops=10 * LOOPS_A_MINUTE,
        seconds=2.5,
        actions_per_minute=80.5,
    )


def finished_games(results: str, **planned: Any) -> list[GameRecord]:
    """One game a letter: won, lost, tied, undecided or crashed."""
    words = {"w": "win", "l": "loss", "t": "tie", "u": "undecided", "c": "crash"}
    prefix = "-".join(map(str, planned.values()))
    return [
        finished_game(words[letter], planned=planned_game(f"{prefix}-{number}", **planned))
        for number, letter in enumerate(results)
    ]
