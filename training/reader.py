"""Reads batches ahead in a process of its own, while the network learns from earlier ones.

A thread would do no good: reading is Python and compiled code that hold the interpreter's
lock, and each of the network's many small operations would wait for it.
"""

import multiprocessing
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.queues import Queue
from types import TracebackType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from training.refusal import is_refusal
from training.streams import Batch, Streams

_READ_AHEAD = 2  # batches
_POLL_SECONDS = 1.0


class _Failure(NamedTuple):
    message: str
    is_refusal: bool


class BackgroundReader:
    """Iterates over the batches of ``make_streams()``, read in another process.

    Args:
        make_streams: picklable; called in the reading process.
    """

    def __init__(self, make_streams: Callable[[], Streams]) -> None:
        context = multiprocessing.get_context("spawn")
        self._queue: Queue[Any] = context.Queue(_READ_AHEAD)
        self._process = context.Process(
            target=_read, args=(make_streams, self._queue), name="reader", daemon=True
        )
        with _interrupts_ignored():  # which the process takes over, from its first moment on
            self._process.start()

    def __enter__(self) -> "BackgroundReader":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.join()
        self._queue.close()
        self._queue.cancel_join_thread()

    def __iter__(self) -> Iterator[Batch]:
        """Yield batches until the streams end.

        Raises:
            ValueError: a game cannot be read, as its file is damaged or gone.
            RuntimeError: reading failed, with the reason.
        """
        while (batch := self._next()) is not None:
            yield batch

    def _next(self) -> Batch | None:
        while True:
            try:
                received = self._queue.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                if not self._process.is_alive():
                    code = self._process.exitcode
                    raise RuntimeError(f"the reading process ended with code {code}") from None
                continue
            if isinstance(received, _Failure) and received.is_refusal:
                raise ValueError(received.message)
            if isinstance(received, _Failure):
                raise RuntimeError(f"reading failed: {received.message}")
            if received is None:
                return None
            chunks, position = received
            return Batch(_map_leaves(torch.from_numpy, chunks), position)


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Ctrl-C goes to all processes of a terminal; who started the reader will end it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _read(make_streams: Callable[[], Streams], batches: "Queue[Any]") -> None:
    """Fill the queue; the body of the reading process."""
    torch.set_num_threads(1)
    try:
        for batch in make_streams():
            _put(batches, (_map_leaves(Tensor.numpy, batch.chunks), batch.position))
        _put(batches, None)
    except Exception as error:  # told to whoever waits, whatever it is
        refused = is_refusal(error)
        _put(
            batches,
            _Failure(str(error) if refused else f"{type(error).__name__}: {error}", refused),
        )


def _put(batches: "Queue[Any]", item: object) -> None:
    """Wait for room in the queue; leave when nobody is left to read from it."""
    parent = multiprocessing.parent_process()
    while parent is None or parent.is_alive():
        try:
            return batches.put(item, timeout=_POLL_SECONDS)
        except queue.Full:
            continue
    batches.cancel_join_thread()  # which would wait for room in the pipe
    raise SystemExit(1)


def _map_leaves(function: Callable[[Any], Any], tree: Any) -> Any:
    """Apply a function to what nested tuples hold."""
    if not isinstance(tree, tuple):
        return function(tree)
    parts = [_map_leaves(function, part) for part in tree]
    return type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts)
