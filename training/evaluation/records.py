"""Finished games, one line each in ``games.jsonl``, and which settings they were played with.

Results of unlike settings are never merged: a file that holds games of other settings is refused,
and so are planned games that the file knows otherwise. A crash is no game: it stays in the file,
is counted apart, and its game is played again.
"""

import dataclasses
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from agent.checkpoint import config_difference
from training.whole_files import append_json_line, read_json_lines

GAMES_FILE = "games.jsonl"

_REMEDY = "name another folder with --output"

_Table = TypeVar("_Table")


class Game(StrEnum):
    """Which game was played: what is measured on one says nothing of the other."""

    ENGINE = "engine"
    STARCRAFT = "StarCraft II"


class Result(StrEnum):
    """How a game ended, for the player whose games these are."""

    WIN = "win"
    LOSS = "loss"
    TIE = "tie"
    UNDECIDED = "undecided"  # not over when its time was
    CRASH = "crash"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What games must have in common to be counted together."""

    game: Game
    build: str  # the version that the game gives itself out for
    rules: str | None  # hash of the engine's rules, bots and maps; StarCraft II has none
    delay_rule: str  # when the player sees and acts, in words
    max_loops: int  # a game that is not over then is undecided
    player: str  # as readers shall know it: a run and its step, or the name of a script
    checkpoint: str | None  # hash of the player's weights; none for a script
    temperature: float | None  # of the player's draws; none for a script


@dataclass(frozen=True, kw_only=True)
class PlannedGame:
    """What is settled of a game before it is played."""

    name: str  # no other game of the evaluation has it
    level: str  # the opponent: a built-in one's level, or another player's name
    race: str  # of the player
    opponent_race: str
    map: str
    seed: int
    seat: int  # player 1 or 2, who start in different places

    def __post_init__(self) -> None:
        """Refuse a seat that is none."""
        if self.seat not in (1, 2):
            raise ValueError(f"seat must be 1 or 2, got {self.seat}")


@dataclass(frozen=True, kw_only=True)
class GameRecord:
    """One finished game."""

    planned: PlannedGame
    settings: Settings
    result: Result
    detail: str  # why it crashed; empty otherwise
    loops: int
    seconds: float  # by the clock
    actions_per_minute: float | None  # of game time; none where it crashed

    @property
    def is_crash(self) -> bool:
        """Whether it broke, and so is neither won nor lost."""
        return self.result is Result.CRASH

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values, what was planned beside how it ended."""
        table = dataclasses.asdict(self)
        return {**table.pop("planned"), **table}

    @classmethod
    def from_json(cls, table: dict[str, Any]) -> "GameRecord":
        """Return what ``to_json`` gave.

        Raises:
            ValueError: naming the field that is missing, unknown or not as it must be.
        """
        names = _names(PlannedGame)
        planned = {name: table[name] for name in names if name in table}
        rest = {name: value for name, value in table.items() if name not in names}
        return _read(cls, {**rest, "planned": planned})


def append_game(folder: Path, record: GameRecord) -> None:
    """Add a game to those of a folder."""
    append_json_line(folder / GAMES_FILE, record.to_json())


def read_games(folder: Path) -> list[GameRecord]:
    """Return all games of a folder, crashes too, in the order in which they ended.

    Raises:
        ValueError: a line is damaged, settings differ, or a game is there twice.
    """
    path = folder / GAMES_FILE
    if not path.exists():
        return []
    records = []
    for number, table in enumerate(read_json_lines(path, remedy=_REMEDY), start=1):
        try:
            records.append(GameRecord.from_json(table))
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {error}; {_REMEDY}") from error
    require_alike((record.settings for record in records), where=str(path))
    _require_once(records, path)
    return records


def require_alike(
    settings: Iterable[Settings],
    *,
    where: str,
    free: Collection[str] = frozenset(),
    remedy: str = _REMEDY,
) -> None:
    """Refuse to count games together that were played with other settings.

    Args:
        settings: of all games.
        where: they are from, for the message.
        free: names of those that may differ, as the player when players are compared.
        remedy: what to do instead.

    Raises:
        ValueError: naming the first setting that differs.
    """
    unlike = list(dict.fromkeys(settings))
    for other in unlike[1:]:
        for name in _names(Settings):
            one, another = getattr(unlike[0], name), getattr(other, name)
            if name not in free and one != another:
                raise ValueError(
                    f"{where}: games of unlike settings are never merged: {name} is {one!r} in "
                    f"one and {another!r} in another; {remedy}"
                )


def missing_games(
    planned: Iterable[PlannedGame], records: Iterable[GameRecord], *, settings: Settings
) -> list[PlannedGame]:
    """Return which planned games are still to be played; those that crashed are played again.

    Raises:
        ValueError: games were played with other settings, or planned otherwise.
    """
    records = list(records)
    require_alike([*(record.settings for record in records), settings], where="this evaluation")
    known = {record.planned.name: record.planned for record in records}
    played = {record.planned.name for record in records if not record.is_crash}
    missing = []
    for game in planned:
        if game.name in known:
            _require_same_plan(known[game.name], game)
        if game.name not in played:
            missing.append(game)
    return missing


def _require_same_plan(found: PlannedGame, wanted: PlannedGame) -> None:
    difference = config_difference(dataclasses.asdict(found), dataclasses.asdict(wanted))
    if difference is not None:
        raise ValueError(f"game {wanted.name} was planned otherwise: {difference}; {_REMEDY}")


def _require_once(records: Iterable[GameRecord], path: Path) -> None:
    seen: set[str] = set()
    for record in records:
        if not record.is_crash:
            if record.planned.name in seen:
                raise ValueError(f"{path} holds game {record.planned.name} twice; {_REMEDY}")
            seen.add(record.planned.name)


def _read(cls: type[_Table], table: Any) -> _Table:
    """Return a dataclass from plain values, each of which must be of its field's type."""
    if not isinstance(table, dict):
        raise ValueError(f"wanted a table for {cls.__name__}, got {table!r}")
    kinds = get_type_hints(cls)
    for what, names in (("misses", kinds.keys() - table), ("has unknown", table.keys() - kinds)):
        if names:
            raise ValueError(f"{cls.__name__} {what} {', '.join(sorted(names))}")
    return cls(**{name: _value(kinds[name], value, name) for name, value in table.items()})


def _value(kind: Any, value: Any, name: str) -> Any:
    if kind in (Settings, PlannedGame):
        return _read(kind, value)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        if value not in list(kind):
            raise ValueError(f"{name} must be one of {', '.join(kind)}, got {value!r}")
        return kind(value)
    if kind in (float, float | None) and type(value) is int:
        return float(value)
    if not isinstance(value, kind) or isinstance(value, bool):
        wanted = getattr(kind, "__name__", str(kind))
        raise ValueError(f"{name} must be {wanted}, got {value!r}")
    return value


def _names(cls: type[Settings] | type[PlannedGame]) -> list[str]:
    return [field.name for field in dataclasses.fields(cls)]
