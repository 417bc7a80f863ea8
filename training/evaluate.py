"""Win rates of a policy against built-in opponents: ``latentstar evaluate RUN``.

Or of the policy that ships: ``latentstar evaluate --pretrained``. Games are played in parallel on
Ray, some side by side in each process; each is written down when it has ended, so that an
evaluation that was stopped goes on. Where a threshold is given, it ends as soon as it is settled on
which side of it the win rate is.
"""

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from rich.console import Console
from rich.markdown import Markdown
from tyro.conf import EnumChoicesFromValues, Positional

from agent.checkpoint import PRETRAINED
from agent.policy_player import Choosing
from agent.run_checkpoints import CheckpointChoice, chosen_checkpoint
from envs.choices import GamePlace
from envs.interface import LOOPS_PER_SECOND
from training.engine_games import SMALL_MAP, compile_engine
from training.engine_maps import two_player_map
from training.evaluation.contenders import Cloned
from training.evaluation.plan import planned_games
from training.evaluation.playing import Part, Played, play_parts
from training.evaluation.plot import plot_evaluation
from training.evaluation.records import (
    GameRecord,
    PlannedGame,
    Settings,
    append_game,
    missing_games,
    read_games,
)
from training.evaluation.settings import (
    Level,
    PlayedRace,
    record_of,
    settings_of_games,
)
from training.evaluation.statistics import Outcome, Stopping, games_until_settled, outcome_numbers
from training.evaluation.table import evaluation_table, summary
from training.games import REPLAY_FOLDER, save_replay
from training.progress import progress_bar
from training.run_folder import locked_run
from training.whole_files import whole_file, write_json

RESULT_FILE, TABLE_FILE, PLOT_FILE = "results.json", "results.md", "results.png"

logger = logging.getLogger(__name__)

_Races = tuple[Annotated[PlayedRace, EnumChoicesFromValues], ...]


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig:
    """Win rates of a policy against built-in opponents: ``latentstar evaluate RUN``."""

    run: Positional[Path | None] = None  # folder written by ``latentstar bc``
    pretrained: bool = False  # in place of a run: the policy that ships with LatentStar
    output: Path | None = None  # folder to write; evaluation, in the run's folder if there is one
    checkpoint: Annotated[CheckpointChoice, EnumChoicesFromValues] = CheckpointChoice.BEST
    temperature: float = 1.0  # of all choices but delay; below 1 is greedier
    levels: tuple[Annotated[Level, EnumChoicesFromValues], ...] = (
        Level.VERY_EASY,
        Level.MEDIUM,
        Level.VERY_HARD,
    )
    races: _Races = tuple(PlayedRace)  # of the player
    opponent_races: _Races = tuple(PlayedRace)  # in turn
    maps: tuple[str, ...] = (SMALL_MAP,)  # paths or names of the engine's maps, in turn
    games: int = 100  # of each level and race
    place: Annotated[GamePlace, EnumChoicesFromValues] = GamePlace.IN_PROCESS  # of the game
    minutes: float = 25.0  # of game time, at speed Faster; what is not over then is undecided
    threshold: float | None = None  # stop once it is settled whether the win rate is above it
    keep_replays: bool = False  # of all games
    side_by_side: int = 8  # games in one process
    workers: int = max(1, os.cpu_count() or 1)  # processes
    timeout_minutes: float = 60.0  # by the clock; games that take longer are crashes
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse values that cannot be."""
        if (self.run is None) is not self.pretrained:
            raise ValueError("wanted either a run or --pretrained")
        for name in ("games", "workers", "side_by_side"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("minutes", "timeout_minutes", "temperature"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")
        for name in ("levels", "races", "opponent_races", "maps"):
            if not getattr(self, name):
                raise ValueError(f"{name} must be at least one, got none")
        _ = self.stopping

    @property
    def stopping(self) -> Stopping | None:
        """The rule by which it may end early; a round has each opponent, seat and map once."""
        if self.threshold is None:
            return None
        return Stopping(
            threshold=self.threshold,
            round_games=2 * len(self.opponent_races) * len(self.maps),
        )


def run(config: EvaluateConfig) -> None:
    """Play what was not played yet, and write table, plot and numbers.

    Raises:
        FileNotFoundError: no run there.
        ValueError: the checkpoint is of no use, there is no such map, or the folder holds games
            of other settings.
    """
    maps = [two_player_map(given) for given in config.maps]
    contender = contender_of(config)
    output = config.output or (config.run or Path()) / "evaluation"
    settings = settings_of_games(
        contender, config.place, max_loops=round(config.minutes * 60 * LOOPS_PER_SECOND)
    )
    planned = planned_games(
        levels=[level.value for level in config.levels],
        races=[race.value for race in config.races],
        opponent_races=[race.value for race in config.opponent_races],
        maps=maps,
        games=config.games,
        seed=config.seed,
    )
    with locked_run(output):
        if config.place is GamePlace.IN_PROCESS:
            compile_engine()
        evaluation = _Evaluation(planned, settings, output, config)
        evaluation.play(contender)
        result = evaluation.write()
    Console().print(Markdown(evaluation_table(result)))
    logger.info("see %s", output)


def contender_of(config: EvaluateConfig) -> Cloned:
    """Return the policy that is evaluated."""
    run = config.run or PRETRAINED
    checkpoint = chosen_checkpoint(run, config.checkpoint)
    return Cloned(
        checkpoint=checkpoint.folder,
        name=f"{run.name} step {checkpoint.step}",
        digest=checkpoint.digest,
        choosing=Choosing(temperature=config.temperature),
    )


class _Evaluation:
    """Games that are planned, and those that were played."""

    def __init__(
        self,
        planned: list[PlannedGame],
        settings: Settings,
        output: Path,
        config: EvaluateConfig,
    ) -> None:
        self._planned = planned
        self._settings = settings
        self._output = output
        self._config = config
        self._records = read_games(output)
        self._missing = missing_games(planned, self._records, settings=settings)

    def play(self, contender: Cloned) -> None:
        """Play the games that are missing, level after level, as long as they are needed."""
        config = self._config
        if config.keep_replays:
            (self._output / REPLAY_FOLDER).mkdir(exist_ok=True)
        with progress_bar("evaluating") as bar:
            for level in config.levels:
                of_level = [game for game in self._planned if game.level == level.value]
                parts = self._parts(of_level, contender)
                done = len(self._planned) - len(self._missing)
                bar.show(done / len(self._planned), self._words(of_level))
                for played in play_parts(
                    parts, workers=config.workers, timeout_minutes=config.timeout_minutes
                ):
                    self._take(played)
                    done += len(played)
                    bar.show(done / len(self._planned), self._words(of_level))
                    if self._is_settled(of_level):
                        break

    def write(self) -> dict[str, object]:
        """Write table, plot and numbers; return the numbers."""
        config = self._config
        result = summary(self._counted(), self._records, seed=config.seed, stopping=config.stopping)
        write_json(self._output / RESULT_FILE, result)
        with whole_file(self._output / TABLE_FILE) as unfinished:
            unfinished.write_text(evaluation_table(result), encoding="utf-8")
        plot_evaluation(result, self._output / PLOT_FILE)
        return result

    def _parts(self, games: Sequence[PlannedGame], contender: Cloned) -> list[Part]:
        if self._is_settled(games):
            return []
        missing = [game for game in games if game in self._missing]
        size, max_loops = self._config.side_by_side, self._settings.max_loops
        groups = [tuple(missing[i : i + size]) for i in range(0, len(missing), size)]
        return [Part(group, contender, self._config.place, max_loops) for group in groups]

    def _take(self, played: Sequence[Played]) -> None:
        for game in played:
            record = record_of(game, self._settings)
            append_game(self._output, record)
            self._records.append(record)
            if self._config.keep_replays:
                save_replay(self._output / REPLAY_FOLDER, game)

    def _is_settled(self, games: Sequence[PlannedGame]) -> bool:
        return self._needed(games) is not None

    def _needed(self, games: Sequence[PlannedGame]) -> int | None:
        """Return how many games of a level settle it, where a threshold was given."""
        stopping = self._config.stopping
        if stopping is None:
            return None
        ended = {record.planned.name: record.result for record in self._records}
        return games_until_settled([ended.get(game.name) for game in games], stopping)

    def _counted(self) -> list[PlannedGame]:
        """Return the games that count: of each level those that settled it, or all."""
        counted: list[PlannedGame] = []
        for level in self._config.levels:
            games = [game for game in self._planned if game.level == level.value]
            counted += games[: self._needed(games)]
        return counted

    def _words(self, games: Sequence[PlannedGame]) -> str:
        names = {game.name for game in games}
        records: list[GameRecord] = [r for r in self._records if r.planned.name in names]
        numbers = outcome_numbers([Outcome(r.result, r.loops) for r in records])
        level = games[0].level
        if numbers["win_rate"] is None:
            return level
        low, high = numbers["interval"]
        return f"{level}: {numbers['win_rate']:.0%} ({low:.0%} to {high:.0%}) of {len(records)}"
