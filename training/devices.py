"""Where computation happens, and how much memory it took."""

import ctypes
import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import torch

Tree = TypeVar("Tree")
Result = TypeVar("Result")

_TRIM_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -4, -8  # M_... of glibc's malloc.h


def chosen_device(name: str | None) -> torch.device:
    """Return the device of that name, or the best there is.

    Raises:
        ValueError: there is no such device.
    """
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"device {name!r} cannot be used: {reason}") from error
    return device


def keep_freed_memory() -> None:
    """Let the C library's allocator keep large blocks for reuse; elsewhere than on glibc, nothing.

    By default it returns each to the system, and training on a CPU spends a fifth of its time on
    getting them back, cleared.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_MMAP_MAX, 0)
        mallopt(_TRIM_THRESHOLD, 2**31 - 1)
        mallopt(_ARENA_MAX, 1)


def to_device(tree: Tree, device: torch.device) -> Tree:
    """Return nested named tuples of tensors on a device."""
    return _moved(tree, device)


def in_parallel(
    function: Callable[..., Result], *arguments: Sequence[Any], device: torch.device
) -> Iterator[Result]:
    """Yield the function's results for each of the arguments, in their order.

    On a CPU the calls share the threads that PyTorch may use and run at once, as far as there are
    threads: a small network's operations are too short to be divided among them.
    """
    threads = torch.get_num_threads()
    workers = min(threads, len(arguments[0]))
    if device.type != "cpu" or workers <= 1:
        yield from map(function, *arguments)
        return
    torch.set_num_threads(threads // workers)
    try:
        with ThreadPoolExecutor(workers) as pool:
            yield from pool.map(function, *arguments)
    finally:
        torch.set_num_threads(threads)


def peak_memory_gib() -> float:
    """Return the largest resident set this process has had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    in_bytes = peak if sys.platform == "darwin" else peak * 1024
    return float(in_bytes / 2**30)


def _moved(tree: Any, device: torch.device) -> Any:
    if isinstance(tree, torch.Tensor):
        return tree.to(device, non_blocking=True)
    return type(tree)(*(_moved(part, device) for part in tree))
