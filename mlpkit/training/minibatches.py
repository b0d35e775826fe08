"""Minibatches: which examples, read and augmented."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpkit.components.augmentation import Augmentation
from mlpkit.components.dataset import Description, Split
from mlpkit.components.randomness import keyed_generator
from mlpkit.errors import MlpkitError
from mlpkit.network.component_errors import component_errors, failure
from mlpkit.network.slices import slice_bounds

if TYPE_CHECKING:
    from mlpkit.network.sequential import Batch  # which a check doesn't load


class Examples(NamedTuple):
    """What minibatches are read from: a split, and the shapes of its data."""

    split: Split
    description: Description


NUMBERS_DRAWN_TOGETHER = 131_072
"""Positions drawn at once with replacement, a megabyte of them: a keyed generator costs as much as 10,000 positions."""


def steps_per_epoch(examples: int, batch_size: int, *, drop_last: bool = False) -> int:
    """Return the steps of a pass over the training data; ``drop_last`` leaves a last one with fewer examples out."""
    return examples // batch_size if drop_last else -(-examples // batch_size)


class Choice(ABC):
    """Chooses the examples of minibatches."""

    @abstractmethod
    def indices(self, number: int) -> NDArray[Any]:
        """Return the positions of the examples of a minibatch, counted from 0; not to be written into."""


class Sampler(Choice):
    """Chooses minibatches; the one of a step depends on seed and step alone, so that any step can be repeated."""

    def __init__(self, examples: int, batch_size: int, seed: int, *, drop_last: bool = False) -> None:
        self.steps_per_epoch = steps_per_epoch(examples, batch_size, drop_last=drop_last)
        self._examples = examples
        self._batch_size = batch_size
        self._seed = seed


class Shuffle(Sampler):
    """Every example once an epoch, in a new order each time; the last minibatch may be smaller, or left out."""

    _epoch = -1
    _order: NDArray[Any]

    def indices(self, number: int) -> NDArray[Any]:
        """Return the positions of the examples of a step."""
        epoch, position = divmod(number, self.steps_per_epoch)
        if epoch != self._epoch:
            self._order = keyed_generator(self._seed, "shuffle", epoch).permutation(self._examples)
            self._epoch = epoch
        begin = position * self._batch_size
        return self._order[begin : begin + self._batch_size]


class WithReplacement(Sampler):
    """Independent draws: an example may come twice in a minibatch, or not at all in an epoch."""

    _block = -1
    _draws: NDArray[Any]

    @cached_property
    def steps_drawn_together(self) -> int:
        """How many steps are drawn at once."""
        return max(1, NUMBERS_DRAWN_TOGETHER // self._batch_size)

    def indices(self, number: int) -> NDArray[Any]:
        """Return the positions of the examples of a step."""
        block, position = divmod(number, self.steps_drawn_together)
        if block != self._block:
            generator = keyed_generator(self._seed, "with_replacement", block)
            self._draws = generator.integers(self._examples, size=(self.steps_drawn_together, self._batch_size))
            self._block = block
        drawn: NDArray[Any] = self._draws[position]
        return drawn


SAMPLERS: dict[str, type[Sampler]] = {"shuffle": Shuffle, "with_replacement": WithReplacement}
"""Samplers by their names in the spec."""


class MicroBatches(Choice):
    """Cuts the minibatches of a sampler, and numbers the micro-batches: the first one of step s is s · count.

    Args:
        sampler: chooses the examples of a whole step.
        batch_size: examples of a micro-batch; the last one of a step may be smaller.
        count: micro-batches of a step; with too few examples for all, the last are empty.
    """

    def __init__(self, sampler: Sampler, batch_size: int, count: int) -> None:
        self._sampler = sampler
        self._batch_size = batch_size
        self.count = count

    def of_step(self, step: int) -> range:
        """Return the numbers of the micro-batches of a step that are not empty."""
        full = -(-len(self._sampler.indices(step)) // self._batch_size)
        return range(step * self.count, step * self.count + full)

    def indices(self, number: int) -> NDArray[Any]:
        """Return the positions of the examples of a micro-batch."""
        step, part = divmod(number, self.count)
        return self._sampler.indices(step)[part * self._batch_size : (part + 1) * self._batch_size]


class RankRows(Choice):
    """Chooses of each minibatch the rows of some slices, as one of several ranks reads them."""

    def __init__(self, whole: Choice, slices: int, own: range) -> None:
        self._whole = whole
        self._slices = slices
        self._own = own

    def all_rows(self, number: int) -> int:
        """Return how many rows a whole minibatch has."""
        return len(self._whole.indices(number))

    def most_rows(self, batch_size: int) -> int:
        """Return how many rows the slices have at most, of a minibatch of ``batch_size`` examples."""
        return -(-batch_size // self._slices) * len(self._own)

    def indices(self, number: int) -> NDArray[Any]:
        """Return the positions of the slices' examples; none if the minibatch is too small for these slices."""
        whole = self._whole.indices(number)
        bounds = slice_bounds(len(whole), self._slices)[self._own.start : self._own.stop]
        return whole[bounds[0][0] : bounds[-1][1]] if bounds else whole[:0]


class BatchReader:
    """Reads examples of a split into its own arrays, which have as many rows as the largest batch."""

    def __init__(self, split: Split, description: Description, dtype: np.dtype[Any], rows: int) -> None:
        target_shape, target_dtype = description.target.array(dtype)
        self._split = split
        self._rows = rows
        targets = np.empty((rows, *target_shape), target_dtype)
        weights = [np.empty(rows)] if description.weighted else []
        self._arrays = [np.empty((rows, *description.input_shape), dtype), targets, *weights]
        self._whole = self._first(rows)

    def take(self, indices: NDArray[Any]) -> Batch:
        """Return inputs, targets and weights of the examples; valid until the next call."""
        rows = len(indices)
        out, batch = self._whole if rows == self._rows else self._first(rows)
        if not rows:
            return batch
        try:
            self._split.take(indices, out)
        except MlpkitError:
            raise
        except Exception as error:
            raise failure("the data set failed in take", error) from error
        return batch

    def _first(self, rows: int) -> tuple[Any, Batch]:
        """Return the arrays' first rows, as a split writes into them, and as they are read."""
        x, t, *weights = out = tuple(array[:rows] for array in self._arrays)
        return out, (x, t, weights[0] if weights else None)

    @property
    def batches(self) -> int:
        """How many batches the split has."""
        return -(-len(self._split) // self._rows)

    def in_order(self, numbers: Iterable[int] | None = None) -> Iterator[Batch]:
        """Go through the split once, batch by batch, or through the batches of these numbers, counted from 0."""
        for number in range(self.batches) if numbers is None else numbers:
            begin = number * self._rows
            yield self.take(np.arange(begin, min(begin + self._rows, len(self._split))))


class Augmenter:
    """Applies augmentations to minibatches, one after the other, in separate arrays."""

    def __init__(self, augmentations: Sequence[Augmentation], seed: int) -> None:
        self._augmentations = augmentations
        self._outputs: list[NDArray[Any]] = []
        self._seed = seed

    def __call__(self, x: NDArray[Any], step: int) -> NDArray[Any]:
        """Return the minibatch of a step, changed; valid until the next call."""
        rows = len(x)
        if not self._outputs or len(self._outputs[0]) < rows:
            self._outputs = [np.empty_like(x) for _ in self._augmentations]
        for i, augmentation in enumerate(self._augmentations):
            with component_errors(f"augmentation {augmentation.registered_name} failed"):
                x = augmentation(x, keyed_generator(self._seed, "augmentation", i, step), self._outputs[i][:rows])
        return x


ROWS_READ_TOGETHER = 128
"""Rows below which several minibatches are read at once: a call of ``take`` costs as much as a few dozen rows."""


class MinibatchReader:
    """Reads the minibatches that a sampler chooses, small ones several at a time, but none after the last step."""

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
        self._minibatches: list[Batch] = []

    def __call__(self, step: int) -> Batch:
        """Return inputs, targets and weights of a step, counted from 0; valid until the next call."""
        position = step - self._first
        if not 0 <= position < len(self._minibatches):
            self._read_from(step)
            position = 0
        return self._minibatches[position]

    def _read_from(self, step: int) -> None:
        indices = [self._sampler.indices(i) for i in range(step, min(step + self._together, self._steps))]
        x, t, weights = self._rows.take(np.concatenate(indices) if len(indices) > 1 else indices[0])
        edges = accumulate((len(part) for part in indices), initial=0)
        self._minibatches = [
            (x[begin:end], t[begin:end], None if weights is None else weights[begin:end])
            for begin, end in pairwise(edges)
        ]
        self._first = step
