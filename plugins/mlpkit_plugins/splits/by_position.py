"""Splits by position, with exact shares: at random, or in the order of the examples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlpkit_plugins.splits.shares import Shares


def split_at_random(examples: int, shares: Shares, seed: int) -> dict[str, NDArray[np.intp]]:
    """Return the positions of each split, in ascending order; they depend on the seed and the number of examples."""
    validation, test = (round(share * examples) for share in shares)
    order = np.random.default_rng(seed).permutation(examples)
    split_of = np.zeros(examples, np.int8)  # marking positions is faster than sorting them
    split_of[order[:validation]], split_of[order[validation : validation + test]] = 1, 2
    parts = {name: np.flatnonzero(split_of == number) for number, name in enumerate(("train", "validation", "test"))}
    return shares.filled(parts)


def split_in_order(examples: int, shares: Shares) -> dict[str, range]:
    """Return the positions of each split as ranges: first those for training, last those for testing."""
    validation, test = (round(share * examples) for share in shares)
    train = examples - validation - test
    parts = {
        "train": range(train),
        "validation": range(train, train + validation),
        "test": range(train + validation, examples),
    }
    return shares.filled(parts)
