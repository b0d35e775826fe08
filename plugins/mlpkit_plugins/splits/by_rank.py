"""A split by rank: the first examples in some order are for testing, the next for validation, the rest for training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit_plugins.splits.by_key import scattered

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit_plugins.splits.shares import Shares


def split_by_class(
    keys: NDArray[np.uint64], classes: NDArray[np.integer[Any]], shares: Shares, seed: int
) -> dict[str, NDArray[np.intp]]:
    """Return the positions of each split; each has about the same share of every class.

    Examples with the same key are in the same split. Of an added example, few others change their split.

    Args:
        keys: a number for each example, which its class is part of.
        classes: the class of each example.
        shares: which part makes which split.
        seed: seed of the split.

    Raises:
        ParameterError: a split that should have examples gets none.
    """
    numbers = _scattered(keys, seed)
    order = np.lexsort((numbers, classes))
    ranks = np.empty(len(keys))
    counts = np.bincount(classes)
    begins = np.repeat(np.cumsum(counts) - counts, counts)
    ranks[order] = (np.arange(len(keys)) - begins + 0.5) / np.repeat(counts, counts)  # from 0 to 1 in each class
    return _split_in_order(
        np.lexsort((numbers, _first_of_equals(ranks, numbers))), numbers, shares, "set split: shuffle"
    )


def split_by_group(keys: NDArray[np.uint64], shares: Shares, seed: int) -> dict[str, NDArray[np.intp]]:
    """Return the positions of each split; examples with the same key, which are a group, are in the same split.

    Args:
        keys: a number for each example's group.
        shares: which part makes which split, as nearly as whole groups allow.
        seed: seed of the split.

    Raises:
        ParameterError: a split that should have examples gets none.
    """
    numbers = _scattered(keys, seed)
    return _split_in_order(np.argsort(numbers, kind="stable"), numbers, shares, "name a column with more groups")


def split_by_time(times: NDArray[np.float64], shares: Shares) -> dict[str, NDArray[np.intp]]:
    """Return the positions of each split: the latest examples for testing, those before them for validation.

    Examples of the same time are in the same split.

    Args:
        times: the time of each example.
        shares: which part makes which split, as nearly as that allows.

    Raises:
        ParameterError: a split that should have examples gets none.
    """
    return _split_in_order(np.argsort(-times, kind="stable"), times, shares, "name a column with more times")


def _scattered(keys: NDArray[np.uint64], seed: int) -> NDArray[np.uint64]:
    with np.errstate(over="ignore"):
        return scattered(keys + scattered(np.array([seed], np.uint64)))


def _first_of_equals(ranks: NDArray[np.float64], numbers: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Return for each example the lowest rank of those with the same number."""
    _, places = np.unique(numbers, return_inverse=True)
    lowest = np.full(len(numbers), np.inf)
    np.minimum.at(lowest, places, ranks)
    return lowest[places]


def _split_in_order(
    order: NDArray[np.intp], keys: NDArray[Any], shares: Shares, remedy: str
) -> dict[str, NDArray[np.intp]]:
    """Return the positions of each split, in ascending order, cut where the key changes nearest to the share.

    Args:
        order: the positions of all examples, those for testing first; equal keys follow each other.
        keys: what keeps examples together.
        shares: which part makes which split.
        remedy: what to do if too many examples stay together.
    """
    sorted_keys = keys[order]
    borders = np.flatnonzero(sorted_keys[1:] != sorted_keys[:-1]) + 1
    test = _border(borders, 0, shares.test * len(order))
    kept = _border(borders, test, (shares.test + shares.validation) * len(order)) if shares.validation else test
    parts = {"train": order[kept:], "validation": order[test:kept], "test": order[:test]}
    shares.expect_examples({name: len(part) for name, part in parts.items()}, remedy)
    return {name: np.sort(part) for name, part in parts.items() if len(part)}


def _border(borders: NDArray[np.intp], begin: int, wanted: float) -> int:
    """Return where to cut after a position: the border nearest to what is wanted, halves rounded down."""
    later = borders[borders > begin]
    if round(wanted) <= begin or not len(later):
        return begin
    return int(later[np.abs(later - wanted).argmin()])
