"""The minibatches of one step after the other."""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit.training.batches import BatchReader

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit.components.dataset import Description, Split
    from mlpkit.training.sampling import Choice

ROWS_READ_TOGETHER = 128
"""Rows below which several minibatches are read at once: a call of ``take`` costs as much as a few dozen rows."""


class MinibatchReader:
    """Reads the minibatches that a sampler chooses, small ones several at a time.

    Args:
        sampler: chooses the examples of each step.
        split: the training examples.
        description: shapes of the data.
        dtype: the network's dtype.
        batch_size: examples of a minibatch.
        steps: steps of the whole training; nothing is read for any later one.
    """

    def __init__(
        self,
        sampler: Choice,
        split: Split,
        description: Description,
        dtype: np.dtype[Any],
        *,
        batch_size: int,
        steps: int,
    ) -> None:
        self._sampler = sampler
        self._together = max(1, min(ROWS_READ_TOGETHER // batch_size, steps))
        self._rows = BatchReader(split, description, dtype, self._together * batch_size)
        self._steps = steps
        self._first = 0
        self._minibatches: list[tuple[NDArray[Any], NDArray[Any]]] = []

    def __call__(self, step: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return inputs and targets of a step, counted from 0; valid until the next call."""
        position = step - self._first
        if not 0 <= position < len(self._minibatches):
            self._read_from(step)
            position = 0
        return self._minibatches[position]

    def _read_from(self, step: int) -> None:
        indices = [self._sampler.indices(i) for i in range(step, min(step + self._together, self._steps))]
        x, t = self._rows.take(np.concatenate(indices) if len(indices) > 1 else indices[0])
        edges = accumulate((len(part) for part in indices), initial=0)
        self._minibatches = [(x[begin:end], t[begin:end]) for begin, end in pairwise(edges)]
        self._first = step
