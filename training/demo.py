"""``latentstar demo``: from a folder of replays to a scored policy in a few minutes."""

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from agent.checkpoint import checkpoint_folders
from training import behaviour_cloning, preprocessing, score
from training.config import BehaviourCloningConfig, OptimizerConfig, ScoreConfig
from training.dataset import Split, read_dataset
from training.preprocessing import ReplaysConfig
from training.run_folder import CHECKPOINT_FOLDER, read_settings
from training.score import PLOT_FILE
from training.score_table import SCORE_FILE


@dataclass(frozen=True, kw_only=True)
class DemoConfig:
    """Decode replays, clone a small policy for some minutes and score it on other games."""

    replays: Path  # folder of .SC2Replay files, searched with its subfolders
    out: Path = Path("demo")  # for the dataset and the run; called again, the demo goes on there
    minutes: float = 5.0  # of cloning, earlier calls included
    games: int = 60  # decode at most this many of the replays
    seed: int = 0  # of the first weights and of the order of games

    def __post_init__(self) -> None:
        """Refuse values that cannot be."""
        if not self.minutes > 0:
            raise ValueError(f"minutes must be positive, got {self.minutes}")
        if self.games < 1:
            raise ValueError(f"games must be at least 1, got {self.games}")


def run(config: DemoConfig) -> None:
    """Decode, clone, score, and say where to look.

    Raises:
        FileNotFoundError: no folder of replays there.
        ValueError: too few games to learn from some and be scored on others, or other games than
            the run in the folder was started on.
    """
    console = Console()
    dataset, cloned = config.out / "dataset", config.out / "run"
    console.rule(f"1 of 3: decoding at most {config.games} replays")
    preprocessing.run(ReplaysConfig(replays=config.replays, dataset=dataset, limit=config.games))
    require_every_split(dataset)
    resume = bool(checkpoint_folders(cloned / CHECKPOINT_FOLDER))
    if resume:
        require_same_games(dataset, cloned)
    console.rule(f"2 of 3: cloning for {config.minutes:g} minutes")
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
    console.rule("3 of 3: scoring on games that it has not seen")
    score.run(ScoreConfig(run=cloned, dataset=dataset))
    console.print(f"picture  {cloned / PLOT_FILE}\nnumbers  {cloned / SCORE_FILE}", soft_wrap=True)
    console.print(f"curves   tensorboard --logdir {cloned}", soft_wrap=True)


def require_every_split(folder: Path) -> None:
    """Refuse a dataset with nothing to score on, before time is spent on learning.

    Raises:
        ValueError: a split has no games.
    """
    dataset = read_dataset(folder)
    for split in Split:
        if not dataset.of_split(split):
            num_games = len({game.game_id for game in dataset.games})
            raise ValueError(
                f"{num_games} games are too few: none of them is for {split.value}; "
                "give a folder with more replays, or more --games"
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
