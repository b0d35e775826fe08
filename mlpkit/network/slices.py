"""The slices of a minibatch, and what processes that share them exchange in a step."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from mlpkit.array import Array
from mlpkit.errors import UsageError


def slice_bounds(rows: int, slices: int) -> list[tuple[int, int]]:
    """Return start and end of each slice of a minibatch; sizes differ by one at most, and no slice is empty."""
    count = min(rows, slices)
    edges = [rows * i // max(1, count) for i in range(count + 1)]
    return list(pairwise(edges))


class Exchange:
    """Joins what several processes computed, each from slices of a minibatch that follow each other.

    All processes call the same methods in the same order. In this class, a process has all slices to itself.
    """

    def broadcast(self, array: Array) -> None:
        """Overwrite an array with that of the process that has the first slice."""

    def all_gather(self, values: list[float], slices: int) -> list[float]:
        """Return a value for each of the slices of the minibatch, in their order, given those of this process."""
        if len(values) != slices:
            raise UsageError(
                f"the network computes {len(values)} of {slices} slices of a minibatch; expected all of them, or an "
                "exchange with the processes that compute the rest"
            )
        return values

    def reduce_gradients(self, gradients: Sequence[Array], slices: int) -> None:
        """Add up parts of the gradient of all processes, along the tree of ``add_along_tree``, in place."""


NO_EXCHANGE: Final = Exchange()
