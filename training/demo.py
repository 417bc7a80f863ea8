"""``latentstar demo``: everything once, in a few minutes.

Without replays: the scripted player plays, a policy learns from its games, and both that policy and
the one that ships meet two of the built-in opponents. With a folder of replays: a policy learns to
act as their players did, and is scored on games that it has not seen.
"""

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown
from tyro.conf import Positional

from agent.checkpoint import checkpoint_folders
from agent.run_checkpoints import CHECKPOINT_FOLDER, CheckpointChoice, chosen_checkpoint
from envs.interface import Knowledge
from training import behaviour_cloning, evaluate, games, preprocessing, score
from training.config import BehaviourCloningConfig, OptimizerConfig, ScoreConfig
from training.dataset import Split, read_dataset
from training.evaluate import EvaluateConfig
from training.evaluation.settings import Level, PlayedRace
from training.evaluation.table import OUTCOME_HEADS, outcome_cells
from training.games import GamesConfig
from training.preprocessing import ReplaysConfig
from training.run_folder import read_settings
from training.score import PLOT_FILE
from training.score_table import SCORE_FILE
from training.whole_files import read_json

_STYLE = "roach"  # of the scripted player
_LEVELS = (Level.VERY_EASY, Level.VERY_HARD)
_GAMES_A_LEVEL = 8
_GAME_MINUTES = 15.0  # of game time


@dataclass(frozen=True, kw_only=True)
class DemoConfig:
    """Play, clone and evaluate; or, given replays, decode, clone and score."""

    replays: Positional[Path | None] = None  # folder of .SC2Replay files, with its subfolders
    out: Path = Path("demo")  # for all that is made; called again, the demo goes on there
    minutes: float = 3.0  # of cloning, earlier calls included
    games: int | None = None  # to play (16 if not given), or of the replays to decode (60)
    seed: int = 0  # of the games, the first weights and the order of games

    def __post_init__(self) -> None:
        """Refuse values that cannot be."""
        if not self.minutes > 0:
            raise ValueError(f"minutes must be positive, got {self.minutes}")
        if self.games is not None and self.games < 1:
            raise ValueError(f"games must be at least 1, got {self.games}")


def run(config: DemoConfig) -> None:
    """Do it all, and say where to look.

    Raises:
        FileNotFoundError: no folder of replays there.
        ValueError: too few games to learn from some and be scored on others, or other games than
            the run in the folder was started on.
    """
    console = Console()
    if config.replays is None:
        _play_and_evaluate(config, console)
    else:
        _decode_and_score(config, config.replays, console)


def _play_and_evaluate(config: DemoConfig, console: Console) -> None:
    recorded, dataset, cloned = (config.out / name for name in ("games", "dataset", "run"))
    num_games = config.games or 16
    console.rule(f"1 of 4: {num_games} games of the scripted player against VeryHard")
    games.run(
        GamesConfig(
            out=recorded,
            style=_STYLE,
            races=(PlayedRace.ZERG,),
            games=num_games,
            seed=config.seed,
        )
    )
    console.rule("2 of 4: playing them back, as the network sees them")
    preprocessing.run(
        ReplaysConfig(
            replays=recorded / games.REPLAY_FOLDER,
            dataset=dataset,
            knowledge=Knowledge.GAME,
            teacher=_STYLE,
        )
    )
    console.rule(f"3 of 4: cloning for {config.minutes:g} minutes")
    _clone(config, dataset, cloned)
    console.rule(f"4 of 4: {_GAMES_A_LEVEL} games against each of two levels, twice")
    step = chosen_checkpoint(cloned, CheckpointChoice.NEWEST).step
    evaluations = {
        f"this clone, {config.minutes:g} minutes": config.out / "evaluation" / f"step_{step}",
        "the policy that ships": config.out / "evaluation" / "pretrained",
    }
    for run_folder, output in zip((cloned, None), evaluations.values(), strict=True):
        evaluate.run(
            EvaluateConfig(
                run=run_folder,
                pretrained=run_folder is None,
                checkpoint=CheckpointChoice.NEWEST,
                output=output,
                levels=_LEVELS,
                races=(PlayedRace.ZERG,),
                games=_GAMES_A_LEVEL,
                minutes=_GAME_MINUTES,
                seed=config.seed,
            )
        )
    console.rule("done")
    console.print(Markdown(_evaluations_table(evaluations)))
    for output in evaluations.values():
        console.print(f"picture  {output / evaluate.PLOT_FILE}", soft_wrap=True)
    console.print(f"curves   tensorboard --logdir {cloned}", soft_wrap=True)


def _decode_and_score(config: DemoConfig, replays: Path, console: Console) -> None:
    dataset, cloned = config.out / "dataset", config.out / "run"
    num_games = config.games or 60
    console.rule(f"1 of 3: decoding at most {num_games} replays")
    preprocessing.run(ReplaysConfig(replays=replays, dataset=dataset, limit=num_games))
    console.rule(f"2 of 3: cloning for {config.minutes:g} minutes")
    require_splits(dataset, tuple(Split))
    _clone(config, dataset, cloned)
    console.rule("3 of 3: scoring on games that it has not seen")
    score.run(ScoreConfig(run=cloned, dataset=dataset))
    console.print(f"picture  {cloned / PLOT_FILE}\nnumbers  {cloned / SCORE_FILE}", soft_wrap=True)
    console.print(f"curves   tensorboard --logdir {cloned}", soft_wrap=True)


def _clone(config: DemoConfig, dataset: Path, cloned: Path) -> None:
    """Begin a run, or go on with it."""
    require_splits(dataset, (Split.TRAIN,))
    resume = bool(checkpoint_folders(cloned / CHECKPOINT_FOLDER))
    if resume:
        require_same_games(dataset, cloned)
    behaviour_cloning.run(
        BehaviourCloningConfig(
            dataset=dataset,
            run=cloned,
            minutes=config.minutes,
            seed=config.seed,
            streams=8,
            optimizer=OptimizerConfig(warm_up_updates=20),
            validations=2,
            validation_games=4,
            resume=resume,
        )
    )


def _evaluations_table(evaluations: dict[str, Path]) -> str:
    """Return in Markdown how often each player won against each level."""
    lines = [
        f"| player | level | games | {' | '.join(OUTCOME_HEADS)} |",
        f"|---|---|{'---:|' * (1 + len(OUTCOME_HEADS))}",
    ]
    for name, folder in evaluations.items():
        result = read_json(folder / evaluate.RESULT_FILE, remedy="evaluate again")
        lines += [
            f"| {name} | {numbers['level']} | {numbers['games']} | "
            f"{' | '.join(outcome_cells(numbers))} |"
            for numbers in result["levels"]
        ]
    return "\n".join(lines)


def require_splits(folder: Path, splits: tuple[Split, ...]) -> None:
    """Refuse a dataset with nothing to learn from or score on, before time is spent on it.

    Raises:
        ValueError: a split has no games.
    """
    dataset = read_dataset(folder)
    for split in splits:
        if not dataset.of_split(split):
            num_games = len({game.game_id for game in dataset.games})
            raise ValueError(
                f"{num_games} games are too few: none of them is for {split.value}; "
                "give more --games, or a folder with more replays"
            )


def require_same_games(folder: Path, run: Path) -> None:
    """Refuse to go on with a run on other games than it was started on.

    Args:
        folder: the dataset's.
        run: the run's folder.

    Raises:
        FileNotFoundError: no dataset or no run there.
        ValueError: the games are others.
    """
    if read_settings(run).get("dataset_identity") != read_dataset(folder).identity:
        raise ValueError(
            f"{run} was started on other games than those of this call (other replays, or another "
            f"--games): give another --out, or remove {run.parent}"
        )
