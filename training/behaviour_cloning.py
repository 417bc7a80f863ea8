"""Behavioural cloning: ``latentstar bc``.

Learns to act as the players of a dataset did, from the state just before each command (Vinyals
et al. 2019, methods, "Supervised learning"). Core states are carried from chunk to chunk of a
game, and a run of so many steps that was stopped goes on bit for bit where it was (on a CPU,
with the same number of threads and streams at once; a run of so many minutes goes on too, but
its learning rate follows the clock).
"""

import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

import torch

from agent.checkpoint import (
    Checkpoint,
    load_policy,
    newest_checkpoint,
    remove_old_checkpoints,
    save_checkpoint,
)
from agent.run_checkpoints import CHECKPOINT_FOLDER, Best, CheckpointChoice, chosen_checkpoint
from policies.config import PolicyConfig
from policies.config_dict import config_to_dict
from policies.policy import Policy
from training.budget import RunClock
from training.cloner import Cloner, Update
from training.config import BehaviourCloningConfig
from training.dataset import Dataset, Split, read_datasets, sample_of_games
from training.devices import chosen_device, keep_freed_memory, peak_memory_gib
from training.metrics import MetricsWriter
from training.optimization import NonFiniteError, learning_rate
from training.progress import ProgressBar, progress_bar
from training.reader import BackgroundReader
from training.run_folder import (
    CONFIG_FILE,
    locked_run,
    require_new_run,
    require_same_run,
    write_best,
)
from training.seeding import seed_first_weights
from training.stopping import Stop, stop_on_signals
from training.streams import Batch, streams_of_games
from training.validation import validate
from training.whole_files import write_json

_log = logging.getLogger(__name__)

_FREE_SETTINGS = frozenset(
    {
        "checkpoint_minutes",
        "dataset",
        "device",
        "kept_checkpoints",
        "micro_batch_streams",
        "minutes",
        "more_datasets",
        "resume",
        "run",
        "steps",
    }
)
"""What may change when a run goes on."""


def run(config: BehaviourCloningConfig) -> None:
    """Carry out one run, or go on with it.

    Raises:
        FileNotFoundError: no dataset, or no run to go on with.
        ValueError: input that does not fit, with the reason.
        RuntimeError: losses or gradients stayed non-finite.
        KeyboardInterrupt: somebody asked to stop, by Ctrl-C or SIGTERM, and all is saved.
    """
    dataset = read_datasets((config.dataset, *config.more_datasets))
    games = dataset.of_needed_split(Split.TRAIN)
    device = chosen_device(config.device)
    keep_freed_memory()
    if config.resume:
        settings = _settings(config, dataset)
        started = require_same_run(config.run, settings, free=_FREE_SETTINGS)
        config = _with_budget(config, started)
    else:
        require_new_run(config.run)
    with ExitStack() as stack:
        stack.enter_context(locked_run(config.run))
        cloning = _start(config, dataset, device)
        write_json(config.run / CONFIG_FILE, _settings(config, dataset))
        stop = stack.enter_context(stop_on_signals())
        first_step = cloning.clock.num_steps
        metrics = stack.enter_context(MetricsWriter(config.run, first_step=first_step))
        streams = partial(
            streams_of_games,
            dataset.folder,
            games,
            config.batch,
            plane_size=cloning.policy.config.plane_size,
            limits=cloning.policy.config.entity_limits,
            seed=config.seed,
            position=cloning.clock.position,
        )
        reader = stack.enter_context(BackgroundReader(streams))
        bar = stack.enter_context(progress_bar("cloning"))
        cloning.learn(reader, metrics, stop, bar)
    if stop.is_requested:
        raise KeyboardInterrupt  # what was to follow this run is not wanted either


class Cloning:
    """A run under way: the policy that learns, and how far it is."""

    def __init__(
        self, config: BehaviourCloningConfig, dataset: Dataset, policy: Policy, clock: RunClock
    ) -> None:
        self.policy = policy
        self.clock = clock
        self.cloner = Cloner(
            policy,
            num_streams=config.batch.num_streams,
            optimizer=config.optimizer,
            head_weights=config.head_weights,
            autocast=torch.bfloat16 if config.bf16 else None,
        )
        self._config = config
        self._dataset = dataset
        self._validation_games = sample_of_games(
            dataset.of_split(Split.VALIDATION), config.validation_games, seed=config.seed
        )
        self._num_bad = 0  # updates in a row
        self._saved_steps = clock.num_steps
        self._saved_at = time.monotonic()

    def learn(
        self, batches: Iterable[Batch], metrics: MetricsWriter, stop: Stop, bar: ProgressBar
    ) -> None:
        """Learn until the budget is used or somebody asks to stop, then save.

        Raises:
            RuntimeError: several updates in a row were not finite.
            OSError: the last checkpoint could not be written.
        """
        clock = self.clock
        clock.start()
        if clock.progress < 1:
            for batch in self._saved_if_reading_fails(batches):
                self._learn_batch(batch, metrics, bar)
                if self._is_validation_due():
                    self._validate(metrics)
                elif time.monotonic() - self._saved_at > 60 * self._config.checkpoint_minutes:
                    self._save_if_possible()
                if stop.is_requested or clock.progress >= 1:
                    break
        if self._saved_steps != clock.num_steps:
            self._save()
        ending = "stopped" if clock.progress < 1 else "done"
        _log.info("%s after %d steps; %s", ending, clock.num_steps, self._config.run)

    def _saved_if_reading_fails(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        try:
            yield from batches
        except (RuntimeError, ValueError):
            if self._saved_steps != self.clock.num_steps:
                self._save_if_possible()
            raise

    def _learn_batch(self, batch: Batch, metrics: MetricsWriter, bar: ProgressBar) -> None:
        clock = self.clock
        began = time.monotonic()
        rate = learning_rate(
            self._config.optimizer, num_updates=self.cloner.num_updates, progress=clock.progress
        )
        clock.num_steps += self._config.batch.num_steps
        clock.position = batch.position
        try:
            update = self.cloner.update(batch, learning_rate=rate)
        except NonFiniteError as error:
            self._refuse_update(error)
            return
        self._num_bad = 0
        scalars = update.sums.scalars("bc") | {
            "bc/loss/total": update.loss,
            "bc/learning_rate": rate,
            "bc/gradient_norm": update.gradient_norm,
            "bc/epoch": float(batch.position.epoch),
        }
        speed = self._config.batch.num_steps / (time.monotonic() - began)
        metrics.write(
            clock.num_steps,
            scalars | {"bc/steps_per_second": speed, "bc/peak_memory_gib": peak_memory_gib()},
        )
        bar.show(clock.progress, _words(update, scalars, speed))

    def _refuse_update(self, error: NonFiniteError) -> None:
        step = self.clock.num_steps
        self._num_bad += 1
        _log.warning("step %d: %s is not finite; the weights are left as they were", step, error)
        if self._num_bad >= self._config.optimizer.max_bad_updates:
            self._save()
            raise RuntimeError(
                f"step {step}: {error} is not finite, {self._num_bad} updates in a row"
            )

    def _is_validation_due(self) -> bool:
        wanted = int(self.clock.progress * self._config.validations)
        return wanted > self.clock.num_validations and bool(self._validation_games)

    def _validate(self, metrics: MetricsWriter) -> None:
        clock = self.clock
        clock.num_validations = int(clock.progress * self._config.validations)
        scalars = self._validation_scalars()
        loss = scalars["bc/validation/score/action_type_nll"]
        metrics.write(clock.num_steps, scalars)
        best = clock.best
        is_best = best is None or loss < best.loss
        if is_best:
            clock.best = Best(clock.num_steps, loss)
        top1 = scalars["bc/validation/top1/action_type"]
        _log.info(
            "step %d: validation action type %.3f nats, top-1 %.1f %%%s",
            clock.num_steps,
            loss,
            100 * top1,
            ", the best so far" if is_best else "",
        )
        if not self._save_if_possible():
            clock.best = best

    def _validation_scalars(self) -> dict[str, float]:
        config = self._config
        size = replace(config.batch, num_streams=len(self._validation_games))
        streams = streams_of_games(
            self._dataset.folder,
            self._validation_games,
            size,
            plane_size=self.policy.config.plane_size,
            limits=self.policy.config.entity_limits,
            seed=config.seed,
            num_epochs=1,
        )
        return validate(self.policy, streams).scalars("bc/validation")

    def _save_if_possible(self) -> bool:
        """Save and return whether that worked; if not, the last checkpoint stays."""
        try:
            self._save()
        except OSError as error:
            self._saved_at = time.monotonic()
            _log.warning("could not save a checkpoint, learning goes on: %s", error)
            return False
        return True

    def _save(self) -> None:
        clock, checkpoints = self.clock, self._config.run / CHECKPOINT_FOLDER
        save_checkpoint(
            checkpoints,
            step=clock.num_steps,
            policy=self.policy,
            knowledge=self._dataset.knowledge,
            seed=self._config.seed,
            training=self.cloner.training_state(
                {**clock.to_json(), "dataset_identity": self._dataset.identity}
            ),
        )
        self._saved_steps, self._saved_at = clock.num_steps, time.monotonic()
        if clock.best is not None:
            write_best(self._config.run, clock.best)
        remove_old_checkpoints(
            checkpoints,
            num_kept=self._config.kept_checkpoints,
            best_step=None if clock.best is None else clock.best.step,
        )


def _start(config: BehaviourCloningConfig, dataset: Dataset, device: torch.device) -> Cloning:
    """Return a run at its beginning, or where its newest checkpoint left it."""
    clock = RunClock(minutes=config.minutes, steps=config.steps)
    policy_config = config.policy(dataset.knowledge)
    if not config.resume:
        seed_first_weights(config.seed)
        return Cloning(config, dataset, _first_policy(config, policy_config).to(device), clock)
    checkpoint: Checkpoint = newest_checkpoint(config.run / CHECKPOINT_FOLDER)
    policy = load_policy(checkpoint, expected=policy_config).to(device)
    clock = clock.resumed(checkpoint.training.values)
    # A longer budget brings more validations with it, those that its progress has not reached.
    reached = int(clock.progress * config.validations)
    clock.num_validations = min(clock.num_validations, reached)
    cloning = Cloning(config, dataset, policy, clock)
    cloning.cloner.restore(checkpoint.training)
    return cloning


def _first_policy(config: BehaviourCloningConfig, policy_config: PolicyConfig) -> Policy:
    """Return the policy that a run begins with: a new one, or another run's best."""
    if config.start_from is None:
        return Policy(policy_config)
    checkpoint = chosen_checkpoint(config.start_from, CheckpointChoice.BEST)
    return load_policy(checkpoint, expected=policy_config)


def _with_budget(config: BehaviourCloningConfig, started: dict[str, Any]) -> BehaviourCloningConfig:
    """Return the settings with the budget that the run was started with, unless one is given."""
    if config.minutes is not None or config.steps is not None:
        return config
    return replace(config, minutes=started["minutes"], steps=started["steps"])


def _settings(config: BehaviourCloningConfig, dataset: Dataset) -> dict[str, Any]:
    """Return all that decides what a run learns, as plain values."""
    return {
        **config_to_dict(config),
        "batch": config_to_dict(config.batch),
        "policy": config_to_dict(config.policy(dataset.knowledge)),
        "dataset_identity": dataset.identity,
    }


def _words(update: Update, scalars: dict[str, float], speed: float) -> str:
    top1 = 100 * scalars.get("bc/top1/action_type", 0.0)
    return f"{speed:.0f} steps/s, loss {update.loss:.2f}, action type top-1 {top1:.0f} %"
