"""One seed for a run, split over what needs randomness."""

import random
import zlib

import numpy as np
import torch


def random_generator(seed: int, *purpose: int | str) -> np.random.Generator:
    """Return a generator that depends on the run's seed and on what it is for, and on no more."""
    words = [zlib.crc32(part.encode()) if isinstance(part, str) else part for part in purpose]
    return np.random.default_rng([seed, *words])


def seed_first_weights(seed: int) -> None:
    """Seed the global generators, which the initialisers of ``torch.nn`` draw from."""
    random.seed(seed)
    torch.manual_seed(seed)
