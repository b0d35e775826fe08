"""Adding the slices' gradients, always in the same order."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def add_along_tree(arrays: Sequence[NDArray[Any]]) -> None:
    """Add all arrays into the first, along a fixed binary tree, overwriting the others.

    Floating-point sums depend on their order; this order depends on the number of arrays alone, and not on
    which of them was ready first:

        ((a₀ + a₁) + (a₂ + a₃)) + ...
    """
    stride = 1
    while stride < len(arrays):
        for i in range(0, len(arrays) - stride, 2 * stride):
            np.add(arrays[i], arrays[i + stride], out=arrays[i])
        stride *= 2


def slice_bounds(rows: int, slices: int) -> list[tuple[int, int]]:
    """Return begin and end of each slice of a minibatch: contiguous, their sizes differing by one at most.

    A minibatch with fewer rows than slices has as many slices as rows.
    """
    count = min(rows, slices)
    edges = [rows * i // count for i in range(count + 1)]
    return list(pairwise(edges))
