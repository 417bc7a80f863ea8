"""How well a policy predicts actions of players it has not seen: ``latentstar score``.

Every clean, mapped command of the held-out games is predicted, the policy's memory running from
the start of each game and its z unknown, beside baselines that were fitted on the training
games and see the same commands. Numbers go to ``RUN/score.json``, a picture to
``RUN/score.png``; those of other games than all for testing to ``RUN/score_validation.json``
and the like.
"""

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from agent.checkpoint import Checkpoint, load_policy
from agent.run_checkpoints import chosen_checkpoint
from envs.interface import MAX_ENTITIES, UNKNOWN, Knowledge
from envs.timeline import StepFlag
from policies.config import PolicyConfig
from policies.config_dict import config_to_dict
from policies.entity_encoder import encoder_flops
from policies.policy import Policy
from training.baselines import Baselines, Commands, Predictions, fit_baselines, predict
from training.config import BatchConfig, ScoreConfig
from training.dataset import Dataset, PlayerGame, Split, open_game, read_dataset, sample_of_games
from training.devices import chosen_device, keep_freed_memory
from training.measurement import FORBIDDEN_PROBABILITY, CommandScores, measure
from training.plots import plot_score
from training.progress import progress_bar
from training.reader import BackgroundReader
from training.score_table import SCORE_FILE, score_table
from training.streams import streams_of_games
from training.summary import CLOSE_UNITS, Scored, summary
from training.whole_files import write_json

PLOT_FILE = "score.png"

DEFINITIONS = {
    "commands": "clean, mapped and not synthetic; each head is given the true earlier arguments",
    "action_type": "nats under the mask of legal types; a label that the mask forbids counts as "
    f"wrong and as given probability {FORBIDDEN_PROBABILITY:g}",
    "delay": "median_abs: loops between the label and the median of the distribution",
    "selected_units": "picked greedily, end token and all; of a set over 64, a random 64",
    "shown": "commands whose units are all in the observation; the others count as wrong",
    "target_location": "world units from the middle of the likeliest cell to the true place; "
    f"within_3: at most {CLOSE_UNITS:g}",
    "baseline": "action type from the player's mapped commands before it; discounts tuned on "
    "the validation games",
    "intervals": "95 %, games drawn anew; better_than_trigram is paired",
}


class GameCommands(NamedTuple):
    """The mapped commands of one player's game, and which of them are scored."""

    action_types: Commands
    is_scored: NDArray[np.bool_]
    num_unmapped: int


def run(config: ScoreConfig) -> None:
    """Score a run on a dataset, and write and show the result.

    Raises:
        FileNotFoundError: no run, no checkpoint or no dataset.
        ValueError: input that does not fit, with the reason.
    """
    keep_freed_memory()
    dataset = read_dataset(config.dataset)
    games = dataset.of_needed_split(config.split)
    if config.max_games is not None:
        games = sample_of_games(games, config.max_games, seed=0)
    training = dataset.of_needed_split(Split.TRAIN)
    validation = dataset.of_needed_split(Split.VALIDATION)
    checkpoint = chosen_checkpoint(config.run, config.checkpoint)
    _require_knowledge(checkpoint, dataset)

    baselines = _fit(dataset, training, validation)
    commands = [game_commands(dataset.folder, game) for game in games]
    if not any(game.is_scored.any() for game in commands):
        raise ValueError(
            f"{config.dataset}: the {config.split.value} games hold no command to score"
        )
    scores = _measure(config, dataset, games, checkpoint)
    scored = _beside(scores, games, commands, baselines)
    result = {
        **summary(scored, num_bootstraps=config.bootstraps, seed=config.seed),
        **_provenance(config, dataset, games, checkpoint),
        "left_out": _left_out(commands),
        "definitions": DEFINITIONS,
    }
    write_json(_place_for(SCORE_FILE, config), result)
    plot_score(result, _place_for(PLOT_FILE, config))
    Console().print(score_table(result))


def _place_for(file: str, config: ScoreConfig) -> Path:
    """Return where a file of the run goes; other games than all for testing are in its name."""
    name = Path(file)
    split = "" if config.split is Split.TEST else f"_{config.split.value}"
    sample = "" if config.max_games is None else f"_{config.max_games}_games"
    return config.run / f"{name.stem}{split}{sample}{name.suffix}"


def game_commands(folder: Path, game: PlayerGame) -> GameCommands:
    """Return one player's commands in order."""
    timeline = open_game(folder, game)
    flags = timeline.step_flags
    is_command = (flags & int(StepFlag.SYNTHETIC)) == 0
    is_mapped = is_command & ((flags & int(StepFlag.MAPPED)) != 0)
    is_mapped &= timeline.step_action_type != UNKNOWN
    is_clean = (flags & int(StepFlag.CLEAN)) != 0
    return GameCommands(
        action_types=timeline.step_action_type[is_mapped].astype(np.int64),
        is_scored=is_clean[is_mapped],
        num_unmapped=int((is_command & ~is_mapped).sum()),
    )


def _require_knowledge(checkpoint: Checkpoint, dataset: Dataset) -> None:
    """Refuse to ask a policy that was always told more than the dataset can tell."""
    reads = checkpoint.policy_config.knowledge
    if reads is Knowledge.GAME and dataset.knowledge is not Knowledge.GAME:
        raise ValueError(
            f"{checkpoint.folder} does not fit {dataset.folder}: knowledge is {reads.value} "
            f"there and {dataset.knowledge.value} here"
        )


def _fit(
    dataset: Dataset, training: tuple[PlayerGame, ...], validation: tuple[PlayerGame, ...]
) -> Baselines:
    sequences: dict[Split, list[Commands]] = {Split.TRAIN: [], Split.VALIDATION: []}
    games = training + validation
    with progress_bar("baselines") as bar:
        for i, game in enumerate(games):
            commands = game_commands(dataset.folder, game).action_types
            sequences[game.split].append(commands)
            bar.show((i + 1) / len(games), f"{i + 1} games")
    return fit_baselines(sequences[Split.TRAIN], sequences[Split.VALIDATION])


def _measure(
    config: ScoreConfig,
    dataset: Dataset,
    games: tuple[PlayerGame, ...],
    checkpoint: Checkpoint,
) -> CommandScores:
    policy = load_policy(checkpoint).to(chosen_device(config.device))
    num_streams = min(config.streams, len(games))
    size = BatchConfig(
        num_streams=num_streams,
        unroll_steps=config.unroll_steps,
        micro_batch_streams=num_streams,
    )
    streams = partial(
        streams_of_games,
        dataset.folder,
        games,
        size,
        plane_size=policy.config.plane_size,
        limits=policy.config.entity_limits,
        seed=0,
        num_epochs=1,
    )
    num_steps = sum(game.num_steps for game in games)
    with ExitStack() as stack:
        reader = stack.enter_context(BackgroundReader(streams))
        bar = stack.enter_context(progress_bar("scoring"))
        return measure(
            policy, reader, show=lambda read: bar.show(read / num_steps, f"{read} steps")
        )


def _beside(
    scores: CommandScores,
    games: tuple[PlayerGame, ...],
    commands: list[GameCommands],
    baselines: Baselines,
) -> Scored:
    """Put the baselines' predictions beside the policy's, command by command."""
    parts: dict[str, list[Predictions]] = {}
    for game in commands:
        for name, found in predict(baselines, game.action_types).items():
            kept = Predictions(found.is_top1[game.is_scored], found.nll[game.is_scored])
            parts.setdefault(name, []).append(kept)
    counts = [int(game.is_scored.sum()) for game in commands]
    if np.bincount(scores.game, minlength=len(games)).tolist() != counts:
        raise RuntimeError("policy and baselines were not asked for the same commands")
    names = sorted({game.game_id for game in games})
    number = np.array([names.index(game.game_id) for game in games])
    races = np.array([game.race.name.lower() for game in games])
    return Scored(
        policy=scores,
        baselines={
            name: Predictions(
                is_top1=np.concatenate([part.is_top1 for part in found]),
                nll=np.concatenate([part.nll for part in found]),
            )
            for name, found in parts.items()
        },
        game_of_command=number[scores.game],
        race=races[scores.game],
    )


def _left_out(commands: list[GameCommands]) -> dict[str, Any]:
    unmapped = sum(game.num_unmapped for game in commands)
    unclean = sum(int((~game.is_scored).sum()) for game in commands)
    total = unmapped + sum(len(game.is_scored) for game in commands)
    return {
        "share": (unmapped + unclean) / max(1, total),
        "commands": total,
        "unmapped": unmapped,
        "not_clean": unclean,
    }


def _provenance(
    config: ScoreConfig,
    dataset: Dataset,
    games: tuple[PlayerGame, ...],
    checkpoint: Checkpoint,
) -> dict[str, Any]:
    return {
        "run": str(config.run),
        "checkpoint": {"step": checkpoint.step, "digest": checkpoint.digest},
        "dataset": {"folder": str(dataset.folder), "identity": dataset.identity},
        "trained_on_this_dataset": (
            checkpoint.training.values.get("dataset_identity") == dataset.identity
        ),
        "training": {
            "samples": checkpoint.step,
            "minutes": checkpoint.training.values.get("seconds", 0.0) / 60,
        },
        "network": _network(checkpoint.policy_config),
        "split": config.split.value,
        "games": len({game.game_id for game in games}),
        "player_games": len(games),
    }


def _network(config: PolicyConfig) -> dict[str, Any]:
    """Return what tells one network from another."""
    encoder, width = config.entity_encoder, config.entity_width
    return {
        "entity_encoder": config_to_dict(encoder),
        "parameters": sum(parameter.numel() for parameter in Policy(config).parameters()),
        "entity_encoder_flops": {
            str(entities): encoder_flops(encoder, entities, width=width)
            for entities in sorted({config.max_entities, MAX_ENTITIES})
        },
    }
