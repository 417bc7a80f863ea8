"""Elo ratings of several evaluated players and the levels they met: ``latentstar ratings``."""

import sys
from collections import Counter
from dataclasses import dataclass, fields
from pathlib import Path

from training.evaluation.elo import elo_ratings, meetings_with_levels
from training.evaluation.plot import plot_ratings
from training.evaluation.records import GameRecord, Settings, read_games, require_alike
from training.evaluation.settings import Level
from training.evaluation.table import elo_table, rating_values
from training.whole_files import make_folder, write_json

NUMBERS_FILE, PLOT_FILE = "ratings.json", "ratings.png"

_OF_A_PLAYER = frozenset({"player", "checkpoint", "temperature"})


@dataclass(frozen=True, kw_only=True)
class RatingsConfig:
    """Elo of evaluated players and levels: ``latentstar ratings EVALUATION EVALUATION``."""

    evaluations: tuple[Path, ...]  # folders written by ``latentstar evaluate`` or ``games``
    output: Path = Path("ratings")  # folder for the numbers and the plot

    def __post_init__(self) -> None:
        """Refuse no evaluations."""
        if not self.evaluations:
            raise ValueError("wanted at least one evaluation, got none")


def run(config: RatingsConfig) -> None:
    """Print the ratings, and write numbers and plot.

    Raises:
        FileNotFoundError: a folder has no games.
        ValueError: games are damaged or of unlike settings, or two players have one name.
    """
    records = [record for folder in config.evaluations for record in _games_of(folder)]
    require_alike(
        (record.settings for record in records),
        where="these evaluations",
        free=_OF_A_PLAYER,
        remedy="rate them apart",
    )
    _require_names(records)
    meetings = meetings_with_levels(records)
    met = Counter(meeting.second for meeting in meetings)
    anchor = next(level.value for level in Level if met[level.value])
    ratings = rating_values(elo_ratings(meetings, anchor=anchor))
    settings = records[0].settings
    shared = {
        field.name: getattr(settings, field.name)
        for field in fields(Settings)
        if field.name not in _OF_A_PLAYER
    }
    make_folder(config.output)
    write_json(config.output / NUMBERS_FILE, {**shared, "anchor": anchor, "ratings": ratings})
    title = settings.game if settings.rules is None else f"{settings.game}, {settings.rules}"
    plot_ratings(ratings, config.output / PLOT_FILE, anchor=anchor, title=title)
    sys.stdout.write(elo_table(ratings))


def _games_of(folder: Path) -> list[GameRecord]:
    records = [record for record in read_games(folder) if not record.is_crash]
    if not records:
        raise FileNotFoundError(
            f"{folder}: no games there; wanted a folder written by `latentstar evaluate RUN`"
        )
    return records


def _require_names(records: list[GameRecord]) -> None:
    players: dict[str, Settings] = {}
    for settings in dict.fromkeys(record.settings for record in records):
        if players.setdefault(settings.player, settings) != settings:
            raise ValueError(
                f"two players are named {settings.player!r}, with other weights or temperatures; "
                "wanted runs in folders of different names"
            )
