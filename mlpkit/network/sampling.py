"""Which of many items are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mlpkit.components.operation import output_shape_of
from mlpkit.network.sequential import Sequential

MOST_ROWS: Final = 10_000
"""Most rows of a split that are predicted to judge a model, or to prove a file."""

MOST_NUMBERS: Final = 1 << 25
"""Most numbers that go into the network for these rows, or come out of it: of large images, or of thousands of classes,
they are fewer than the rows above."""


def rows_to_predict(rows: int, network: Sequential) -> NDArray[np.intp]:
    """Return positions of the rows of a split that are predicted to judge a model, or to prove a file."""
    return evenly_spaced(rows, most_rows(network.input_shape, *map(output_shape_of, network.layers[-1:])))


def most_rows(*shapes: Sequence[int]) -> int:
    """Return how many rows are predicted at most, given the shapes of what goes in for an example, and comes out."""
    return max(1, min(MOST_ROWS, MOST_NUMBERS // max(map(prod, shapes))))


def evenly_spaced(count: int, most: int) -> NDArray[np.intp]:
    """Return positions of some of many items, evenly spaced, the first and the last among them; of few, all."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.intp))
