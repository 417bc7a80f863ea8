"""Games of a scripted player against built-in opponents, kept as replays: ``latentstar games OUT``.

Games that were played stay played: called again, it goes on. ``latentstar replays OUT DATASET
--knowledge game`` turns them into a dataset.
"""

import logging
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import EnumChoicesFromValues

from envs.choices import GamePlace
from envs.interface import LOOPS_PER_SECOND
from training.engine_games import SMALL_MAP, compile_engine
from training.evaluation.contenders import Script
from training.evaluation.plan import planned_games
from training.evaluation.playing import Part, Played, play_parts
from training.evaluation.records import (
    PlannedGame,
    Result,
    Settings,
    append_game,
    missing_games,
    read_games,
)
from training.evaluation.settings import (
    Level,
    PlayedRace,
    record_of,
    require_maps,
    settings_of_games,
)
from training.progress import progress_bar
from training.run_folder import locked_run
from training.whole_files import whole_file

REPLAY_FOLDER = "replays"

logger = logging.getLogger(__name__)

_Races = tuple[Annotated[PlayedRace, EnumChoicesFromValues], ...]


@dataclass(frozen=True, kw_only=True)
class GamesConfig:
    """Have a scripted player play, and keep the replays: ``latentstar games OUT``."""

    out: Path  # folder for the replays; what is already there is kept and completed
    style: str | None = None  # of the scripted player; another by each game's seed if not given
    levels: tuple[Annotated[Level, EnumChoicesFromValues], ...] = (Level.VERY_HARD,)
    races: _Races = tuple(PlayedRace)  # of the player
    opponent_races: _Races = tuple(PlayedRace)  # in turn
    maps: tuple[str, ...] = (SMALL_MAP,)  # in turn
    games: int = 100  # of each level and race
    place: Annotated[GamePlace, EnumChoicesFromValues] = GamePlace.IN_PROCESS  # of the game
    minutes: float = 25.0  # of game time, at speed Faster; what is not over then is undecided
    workers: int = max(1, os.cpu_count() or 1)  # games at the same time
    timeout_minutes: float = 30.0  # by the clock; a game that takes longer is a crash
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse values that cannot be."""
        for name in ("games", "workers"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("minutes", "timeout_minutes"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")
        for name in ("levels", "races", "opponent_races", "maps"):
            if not getattr(self, name):
                raise ValueError(f"{name} must be at least one, got none")


def run(config: GamesConfig) -> None:
    """Play what was not played yet, and keep the replays.

    Raises:
        ValueError: there is no such map or style, or the folder holds games of other settings.
    """
    require_maps(config.maps)
    script = Script(config.style)
    for race in config.races:
        script.player(race.race)
    settings = settings_of_games(
        script, config.place, max_loops=round(config.minutes * 60 * LOOPS_PER_SECOND)
    )
    planned = planned_games(
        levels=[level.value for level in config.levels],
        races=[race.value for race in config.races],
        opponent_races=[race.value for race in config.opponent_races],
        maps=config.maps,
        games=config.games,
        seed=config.seed,
    )
    with locked_run(config.out):
        counts = _play(planned, script, settings, config)
    won = counts[Result.WIN]
    logger.info("%d games, %d won: %s", counts.total(), won, config.out / REPLAY_FOLDER)


def _play(
    planned: list[PlannedGame], script: Script, settings: Settings, config: GamesConfig
) -> Counter[Result]:
    """Play the games that are missing, and return how all have ended."""
    folder = config.out / REPLAY_FOLDER
    folder.mkdir(exist_ok=True)
    records = read_games(config.out)
    missing = missing_games(planned, records, settings=settings)
    counts = Counter(record.result for record in records if not record.is_crash)
    if config.place is GamePlace.IN_PROCESS:
        compile_engine()
    parts = [Part((game,), script, config.place, settings.max_loops) for game in missing]
    with progress_bar("playing") as bar:
        bar.show(1 - len(missing) / len(planned), _words(counts))
        for played in play_parts(
            parts, workers=config.workers, timeout_minutes=config.timeout_minutes
        ):
            for game in played:
                save_replay(folder, game)
                append_game(config.out, record_of(game, settings))
                counts[game.result] += 1
            bar.show(counts.total() / len(planned), _words(counts))
    return counts


def save_replay(folder: Path, game: Played) -> None:
    """Keep a game's replay, under the game's name; one that crashed has none."""
    if game.replay:
        with whole_file(folder / f"{game.planned.name}.SC2Replay") as unfinished:
            unfinished.write_bytes(game.replay)


def _words(counts: Counter[Result]) -> str:
    return f"{counts[Result.WIN]} of {counts.total()} won"
