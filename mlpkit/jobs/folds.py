"""Cutting the rows of a data set into folds: each network of an ensemble is validated on another of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.dataset import Description, Split
from mlpkit.components.randomness import keyed_generator
from mlpkit.components.target import Classes
from mlpkit.training.minibatches import BatchReader

FOLDED: Final = ("train", "validation")
"""The splits whose rows are cut into folds, in this order."""

ROWS_READ: Final = 1000
"""Rows whose classes are read at a time."""


class Rows:
    """Some rows of one or several splits, as a split; positions count through the splits, in their order."""

    def __init__(self, splits: Mapping[str, Split], indices: NDArray[np.intp]) -> None:
        self.indices = indices
        self._splits = splits
        self._begins = [0, *accumulate(map(len, splits.values()))]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.indices)

    def take(self, indices: Array, out: tuple[Array, ...]) -> None:
        """Write the examples at ``indices`` into ``out``."""
        for split, places, inside in self._parts(indices):
            if len(places) == len(indices):
                self._splits[split].take(inside, out)  # type: ignore[arg-type]  # with weights there are three
                return
            taken = tuple(np.empty((len(places), *array.shape[1:]), array.dtype) for array in out)
            self._splits[split].take(inside, taken)  # type: ignore[arg-type]
            for array, part in zip(out, taken, strict=True):
                array[places] = part

    def gathered(self, get: Callable[[str, Array], Any], indices: Array) -> Any:
        """Return what ``get`` has about the rows at ``indices``: an array, a list, or a mapping of these by column.

        ``get`` returns it for positions in a split of the data set; None if it isn't known.
        """
        parts = [(places, get(split, inside)) for split, places, inside in self._parts(indices)]
        order = np.argsort(np.concatenate([places for places, _ in parts]))
        found = [part for _, part in parts]
        if any(part is None for part in found):
            return None
        if isinstance(found[0], Mapping):
            return {name: _in_order([part[name] for part in found], order) for name in found[0]}
        return _in_order(found, order)

    def _parts(self, indices: Array) -> Iterator[tuple[str, NDArray[np.intp], NDArray[np.intp]]]:
        """Yield each split that has some of the rows, their places in ``indices``, and their positions in the split."""
        positions = self.indices[indices]
        of_split = np.searchsorted(self._begins, positions, side="right") - 1
        for number, split in enumerate(self._splits):
            places = np.flatnonzero(of_split == number)
            if len(places):
                yield split, places, positions[places] - self._begins[number]


def _in_order(parts: Sequence[Any], order: NDArray[np.intp]) -> Any:
    """Join parts, and return their values in an order."""
    if isinstance(parts[0], np.ndarray):
        return np.concatenate(parts)[order]
    values = [value for part in parts for value in part]
    return [values[i] for i in order]


def of_rows(get: Callable[[str, Array], Any], split: str, indices: Array, examples: Split | None = None) -> Any:
    """Return what a method of a data set returns for positions in a split, which may be a fold."""
    return examples.gathered(get, indices) if isinstance(examples, Rows) else get(split, indices)


def rows_to_fold(sizes: Mapping[str, int]) -> int:
    """Return how many rows are cut into folds."""
    return sum(sizes.get(split, 0) for split in FOLDED)


def fold_sizes(sizes: Mapping[str, int], folds: int, member: int | None) -> dict[str, int]:
    """Return the sizes of the splits of one network of an ensemble, or of the ensemble; see ``Folds.splits``."""
    others = {split: size for split, size in sizes.items() if split not in FOLDED}
    if member is None:
        return {"train": sizes["train"], **others}
    rows = rows_to_fold(sizes)
    held_out = len(range(member, rows, folds))
    return {"train": rows - held_out, "validation": held_out, **others}


class Folds:
    """The rows of a data set, cut into folds: they are shuffled, and dealt out in turn, class by class.

    The sizes of two folds differ by one row at most, and so do their numbers of rows of a class. Rows of a split with
    equal ``keys`` are copies, which stay in one fold. ``rows`` are those for training, and then those for validation,
    and ``numbers`` has the fold of each.
    """

    def __init__(
        self,
        splits: Mapping[str, Split],
        description: Description,
        dtype: np.dtype[Any],
        folds: int,
        seed: int,
        keys: Mapping[str, NDArray[np.uint64]] | None = None,
    ) -> None:
        self._pooled = {split: splits[split] for split in FOLDED if split in splits}
        self._others = {split: examples for split, examples in splits.items() if split not in FOLDED}
        self.rows = Rows(self._pooled, np.arange(sum(map(len, self._pooled.values()))))
        order = keyed_generator(seed, "folds").permutation(len(self.rows))
        classes = np.zeros(len(order), np.intp)
        if isinstance(description.target, Classes):
            classes = _classes(self.rows, description, dtype)
            order = order[np.argsort(classes[order], kind="stable")]
        self.numbers = np.empty(len(order), np.intp)
        self.numbers[order] = np.arange(len(order)) % folds
        if keys is not None:
            _keep_together(self.numbers, np.concatenate([keys[split] for split in self._pooled]), classes)

    def splits(self, member: int | None) -> dict[str, Split]:
        """Return the splits of one network of an ensemble: its fold for validation, and the rest for training.

        None stands for the ensemble, which has seen the rows of all folds: the training rows stay as they are, and no
        row is left for validation.
        """
        if member is None:
            return {"train": self._pooled["train"], **self._others}
        train, validation = (Rows(self._pooled, np.flatnonzero(of)) for of in (self.numbers != member, self.of(member)))
        return {"train": train, "validation": validation, **self._others}

    def of(self, member: int) -> NDArray[np.bool_]:
        """Return which rows are in a fold."""
        return np.asarray(self.numbers == member)


def _keep_together(numbers: NDArray[np.intp], keys: NDArray[np.uint64], classes: Array) -> None:
    """Move copies of a row, which have the same key, to its fold, each in exchange for a row of the same class.

    So folds keep their sizes, and their shares of each class. Rows with copies aren't exchanged: where no other row is
    left, copies stay in two folds.
    """
    _, firsts, of_row, counts = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
    alone = counts[of_row] == 1
    free: dict[tuple[int, int], list[int]] = {}
    wanted = numbers[firsts][of_row]
    for row in np.flatnonzero(numbers != wanted).tolist():
        place = int(classes[row]), int(wanted[row])
        if place not in free:
            free[place] = np.flatnonzero(alone & (classes == place[0]) & (numbers == place[1])).tolist()
        if free[place]:
            other = free[place].pop()
            numbers[row], numbers[other] = numbers[other], numbers[row]


def _classes(rows: Split, description: Description, dtype: np.dtype[Any]) -> Array:
    """Return the number of each row's class."""
    reader = BatchReader(rows, description, dtype, min(ROWS_READ, len(rows)))
    targets = np.concatenate([t.copy() for _, t, _ in reader.in_order()])
    return targets if targets.ndim == 1 else targets.argmax(axis=1)
