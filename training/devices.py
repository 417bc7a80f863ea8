"""Where computation happens, and how much memory it took."""

import resource
import sys
from typing import Any, TypeVar

import torch

Tree = TypeVar("Tree")


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
