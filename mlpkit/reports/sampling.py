"""Which of many items are looked at."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MOST_ROWS: Final = 10_000
"""Most rows of a split that are predicted to judge a model, or to prove a file."""

MOST_NUMBERS: Final = 1 << 25
"""Most numbers that these rows have as inputs of the network; large images are fewer than the rows above."""


def rows_to_predict(rows: int, input_shape: Sequence[int]) -> NDArray[np.intp]:
    """Return positions of the rows of a split that are predicted to judge a model, or to prove a file.

    Args:
        rows: how many rows the split has.
        input_shape: the shape of one example.
    """
    return evenly_spaced(rows, max(1, min(MOST_ROWS, MOST_NUMBERS // prod(input_shape))))


def evenly_spaced(count: int, most: int) -> NDArray[np.intp]:
    """Return positions of some of many items, evenly spaced, the first and the last among them; of few, all.

    Args:
        count: how many items there are.
        most: how many positions to return at most.
    """
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.intp))
