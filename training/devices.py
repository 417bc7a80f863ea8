"""Where computation happens, and how much memory it took."""

import ctypes
import resource
import sys
from typing import Any, TypeVar

import torch

Tree = TypeVar("Tree")

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # M_TRIM_THRESHOLD and M_MMAP_MAX of glibc's malloc.h


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

    By default it returns each to the system and gets it back cleared, which costs about a tenth of
    the time of training ``tiny`` on two cores.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_MMAP_MAX, 0)
        mallopt(_TRIM_THRESHOLD, 2**31 - 1)


def to_device(tree: Tree, device: torch.device) -> Tree:
    """Return nested named tuples of tensors on a device."""
    return _moved(tree, device)


def peak_memory_gib() -> float:
    """Return the largest resident set this process has had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    in_bytes = peak if sys.platform == "darwin" else peak * 1024
    return float(in_bytes / 2**30)


def _moved(tree: Any, device: torch.device) -> Any:
    if isinstance(tree, torch.Tensor):
        return tree.to(device, non_blocking=True)
    return type(tree)(*(_moved(part, device) for part in tree))
