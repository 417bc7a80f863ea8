"""Streams: every row of a batch is one player's game, chunk after chunk, then the next game.

Games are drawn without replacement from a permutation for each epoch, which all rows share.
What is read depends on the seed and the reader's position alone, so that a run that was stopped
reads on as if it had not been.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Int
from numpy.typing import NDArray
from torch import Tensor

from envs.interface import MAX_SELECTED, UNKNOWN, Action, EntityLimits, Observation
from envs.timeline import Step
from policies.batch import Actions, HeadMasks, Observations, stack_actions, stack_observations
from training.config import BatchConfig
from training.dataset import PlayerGame, open_game
from training.labels import labels_of_steps
from training.seeding import random_generator
from training.shard import AnyTimeline

OpenGame = Callable[[PlayerGame], AnyTimeline]


class Places(NamedTuple):
    """Where each step of a chunk comes from."""

    game: Int[Tensor, "time batch"]  # index into the games read, UNKNOWN after the last
    step: Int[Tensor, "time batch"]
    loop: Int[Tensor, "time batch"]
    flags: Int[Tensor, "time batch"]  # envs.timeline.StepFlag
    num_selected_missing: Int[Tensor, "time batch"]  # selected units that are not shown


class Chunk(NamedTuple):
    """The same stretch of some streams: what is computed at once."""

    observations: Observations
    actions: Actions
    is_first: Bool[Tensor, "time batch"]
    masks: HeadMasks
    dropped: HeadMasks
    places: Places


class StreamPosition(NamedTuple):
    """What a stream reads next."""

    epoch: int
    game: int  # UNKNOWN before the first and after the last
    step: int


class ReaderPosition(NamedTuple):
    """What all streams read next, and which games they take after."""

    epoch: int
    num_taken: int  # games of the epoch
    streams: tuple[StreamPosition, ...]


class Batch(NamedTuple):
    """One chunk of every stream, in parts, and where reading goes on after it."""

    chunks: tuple[Chunk, ...]
    position: ReaderPosition


class _Placed(NamedTuple):
    observation: Observation
    action: Action
    is_last: bool
    place: tuple[int, int, int, int, int]  # as in Places


class Streams:
    """Reads batches; ``num_epochs`` None reads for ever, else rows that are done are padding."""

    def __init__(
        self,
        games: Sequence[PlayerGame],
        open_game: OpenGame,
        config: BatchConfig,
        *,
        plane_size: int,
        seed: int,
        limits: EntityLimits = EntityLimits(),
        num_epochs: int | None = None,
        position: ReaderPosition | None = None,
    ) -> None:
        self._games = games
        self._open_game = open_game
        self._config = config
        self._plane_size = plane_size
        self._limits = limits
        self._seed = seed
        self._num_epochs = num_epochs
        start = ReaderPosition(0, 0, (StreamPosition(0, UNKNOWN, 0),) * config.num_streams)
        position = start if position is None else position
        self._epoch, self._num_taken, streams = position
        self._order = self._epoch_order(self._epoch)
        self._positions = list(streams)
        self._steps = [self._steps_from(stream) for stream in streams]
        self._padding: Observation | None = None

    def __iter__(self) -> Iterator[Batch]:
        while (batch := self.next_batch()) is not None:
            yield batch

    def next_batch(self) -> Batch | None:
        """Return the next chunk of every stream, or None when all have ended."""
        rows = [self._next_row(stream) for stream in range(self._config.num_streams)]
        if not any(rows):
            return None
        rows = [self._padded(row) for row in rows]
        size = self._config.micro_batch_streams
        chunks = tuple(_chunk(rows[i : i + size]) for i in range(0, len(rows), size))
        position = ReaderPosition(self._epoch, self._num_taken, tuple(self._positions))
        return Batch(chunks, position)

    def _next_row(self, stream: int) -> list[_Placed]:
        wanted = self._config.unroll_steps
        row: list[_Placed] = []
        while len(row) < wanted:
            position = self._positions[stream]
            for step in islice(self._steps[stream], wanted - len(row)):
                row.append(self._placed(step, position))
                position = position._replace(step=position.step + 1)
            self._positions[stream] = position
            if len(row) < wanted and not self._take_game(stream):
                break
        return row

    def _take_game(self, stream: int) -> bool:
        """Give a stream its next game; False when all games of all epochs are taken."""
        if self._num_taken == len(self._games):
            if self._epoch + 1 == self._num_epochs:
                self._steps[stream] = iter(())
                return False
            self._epoch, self._num_taken = self._epoch + 1, 0
            self._order = self._epoch_order(self._epoch)
        position = StreamPosition(self._epoch, int(self._order[self._num_taken]), 0)
        self._num_taken += 1
        self._positions[stream] = position
        self._steps[stream] = self._steps_from(position)
        return True

    def _steps_from(self, position: StreamPosition) -> Iterator[Step]:
        if position.game == UNKNOWN:
            return iter(())
        timeline = self._open_game(self._games[position.game])
        return timeline.steps(position.step, plane_size=self._plane_size, limits=self._limits)

    def _epoch_order(self, epoch: int) -> NDArray[np.int64]:
        return random_generator(self._seed, "games", epoch).permutation(len(self._games))

    def _placed(self, step: Step, position: StreamPosition) -> _Placed:
        selected = step.action.selected_units
        if len(selected) > 1:
            generator = random_generator(self._seed, "selected_units", *position)
            selected = generator.permutation(selected)[:MAX_SELECTED]
        return _Placed(
            observation=step.observation,
            action=step.action._replace(selected_units=selected),
            is_last=step.is_last,
            place=(
                *(position.game, position.step, step.loop, int(step.flags)),
                step.num_selected_missing,
            ),
        )

    def _padded(self, row: list[_Placed]) -> list[_Placed]:
        if self._padding is None:
            self._padding = _empty_like(row[0].observation)
        nothing = np.zeros(0, np.int16)
        action = Action(UNKNOWN, UNKNOWN, UNKNOWN, nothing, UNKNOWN, (UNKNOWN, UNKNOWN))
        missing = self._config.unroll_steps - len(row)
        place = (UNKNOWN, 0, 0, 0, 0)
        padding = _Placed(self._padding, action, is_last=True, place=place)
        return row + [padding] * missing


def streams_of_games(
    folder: Path,
    games: Sequence[PlayerGame],
    config: BatchConfig,
    *,
    plane_size: int,
    seed: int,
    limits: EntityLimits = EntityLimits(),
    num_epochs: int | None = None,
    position: ReaderPosition | None = None,
) -> Streams:
    """Return streams of games in a dataset folder, without their z."""
    return Streams(
        games,
        partial(open_game, folder),
        config,
        plane_size=plane_size,
        seed=seed,
        limits=limits,
        num_epochs=num_epochs,
        position=position,
    )


def position_to_json(position: ReaderPosition) -> list[Any]:
    """Return a position as plain values."""
    return [position.epoch, position.num_taken, [list(stream) for stream in position.streams]]


def position_from_json(value: Sequence[Any]) -> ReaderPosition:
    """Return the position that ``position_to_json`` wrote."""
    epoch, num_taken, streams = value
    return ReaderPosition(epoch, num_taken, tuple(StreamPosition(*stream) for stream in streams))


def _chunk(rows: Sequence[Sequence[_Placed]]) -> Chunk:
    steps = list(zip(*rows, strict=True))  # time batch
    observations = stack_observations([[s.observation for s in row] for row in steps])
    places = torch.tensor([[s.place for s in row] for row in steps], dtype=torch.int32)
    placed = Places(*places.unbind(-1))
    labels = labels_of_steps(
        observations,
        stack_actions([[s.action for s in row] for row in steps]),
        flags=placed.flags,
        num_selected_missing=placed.num_selected_missing,
        is_last=torch.tensor([[s.is_last for s in row] for row in steps]),
    )
    return Chunk(
        observations,
        labels.actions,
        placed.step == 0,
        labels.masks,
        labels.dropped,
        placed,
    )


def _empty_like(observation: Observation) -> Observation:
    """Return an observation of nothing, for rows without a game."""
    empty: dict[str, Any] = {n: np.zeros_like(part) for n, part in observation._asdict().items()}
    return Observation(**empty)._replace(entities=observation.entities[:0])
