"""Gathering examples into arrays that are reused from batch to batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit.components.randomness import keyed_generator
from mlpkit.errors import MlpkitError
from mlpkit.network.blame import Blame, failure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from mlpkit.components.augmentation import Augmentation
    from mlpkit.components.dataset import Description, Split


class BatchReader:
    """Reads examples of a split into its own arrays.

    Args:
        split: the examples.
        description: shapes of inputs and targets.
        dtype: the network's dtype.
        rows: the most rows that a batch will have.
    """

    def __init__(self, split: Split, description: Description, dtype: np.dtype[Any], rows: int) -> None:
        target_shape, target_dtype = description.target.array(dtype)
        self._split = split
        self._rows = rows
        self._inputs = np.empty((rows, *description.input_shape), dtype)
        self._targets = np.empty((rows, *target_shape), target_dtype)
        self._whole = (self._inputs, self._targets)

    def take(self, indices: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return inputs and targets of the examples; valid until the next call."""
        rows = len(indices)
        batch = self._whole if rows == self._rows else (self._inputs[:rows], self._targets[:rows])
        try:
            self._split.take(indices, batch)
        except MlpkitError:
            raise
        except Exception as error:
            raise failure("the data set failed in take", error) from error
        return batch

    def in_order(self) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        """Go through the split once, batch by batch."""
        examples = len(self._split)
        for begin in range(0, examples, self._rows):
            yield self.take(np.arange(begin, min(begin + self._rows, examples)))


class Augmenter:
    """Applies augmentations to minibatches, one after the other, in arrays of their own.

    Args:
        augmentations: the augmentations, in order.
        seed: the spec's seed.
    """

    def __init__(self, augmentations: Sequence[Augmentation], seed: int) -> None:
        self._augmentations = [(one, Blame(f"augmentation {one.registered_name} failed")) for one in augmentations]
        self._outputs: list[NDArray[Any]] = []
        self._seed = seed

    def __call__(self, x: NDArray[Any], step: int) -> NDArray[Any]:
        """Return the minibatch of a step, changed; valid until the next call."""
        rows = len(x)
        if not self._outputs or len(self._outputs[0]) < rows:
            self._outputs = [np.empty_like(x) for _ in self._augmentations]
        for i, (augmentation, blame) in enumerate(self._augmentations):
            with blame:
                x = augmentation(x, keyed_generator(self._seed, "augmentation", i, step), self._outputs[i][:rows])
        return x
