"""A random split with exact shares."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlpkit_plugins.splits.shares import Shares


def split_at_random(examples: int, shares: Shares, seed: int) -> dict[str, NDArray[np.intp]]:
    """Return the positions of each split, each in ascending order.

    Args:
        examples: number of examples.
        shares: the shares of validation and test.
        seed: seed of the shuffle; the result depends on it and on the number of examples.

    Raises:
        ParameterError: a split that should have examples gets none.
    """
    validation, test = round(shares.validation * examples), round(shares.test * examples)
    shares.check_not_empty({"train": examples - validation - test, "validation": validation, "test": test})
    order = np.random.default_rng(seed).permutation(examples)
    split_of = np.zeros(examples, np.int8)  # marking positions is faster than sorting them
    split_of[order[:validation]], split_of[order[validation : validation + test]] = 1, 2
    parts = {name: np.flatnonzero(split_of == number) for number, name in enumerate(("train", "validation", "test"))}
    return {name: positions for name, positions in parts.items() if len(positions)}
