"""The thresholds of a decision tree on a single column."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array


class _Split(NamedTuple):
    """The best split of some sorted rows; splits with more gain come first."""

    negative_gain: float
    begin: int
    middle: int
    end: int


def tree_thresholds(
    numbers: Array, targets: Array, *, leaves: int, fewest_rows: int, least_gain: float
) -> NDArray[np.float64]:
    """Return the thresholds of a regression or classification tree, in ascending order.

    The tree grows by the split that reduces the squared error most. The gain of a split is the sum of (Σ t)² / rows
    over its two parts, minus the same for the whole. For classes, t is one-hot, and this is the Gini impurity.

    Args:
        numbers: the column, finite, shape (rows,).
        targets: class numbers as integers, shape (rows,); or values, shape (rows, count).
        leaves: the largest number of leaves.
        fewest_rows: the smallest number of rows in a leaf.
        least_gain: share of the squared error of the whole column by which a split must reduce it.

    Source: Breiman, Friedman, Olshen and Stone, Classification and Regression Trees (1984), chapters 2 and 8.
    """
    order = np.argsort(numbers, kind="stable")
    x, t = numbers[order], targets[order]
    least = least_gain * _squared_error(t)
    thresholds: list[float] = []
    waiting = [split for split in [_best_split(x, t, 0, len(x), fewest_rows)] if split]
    heapify(waiting)
    while waiting and len(thresholds) + 1 < leaves:
        gain, begin, middle, end = heappop(waiting)
        if -gain < least:
            break  # the remaining splits gain less
        thresholds.append((x[middle - 1] + x[middle]) / 2)
        for part in ((begin, middle), (middle, end)):
            split = _best_split(x, t, *part, fewest_rows)
            if split:
                heappush(waiting, split)
    return np.sort(np.array(thresholds, np.float64))


def _best_split(x: Array, t: Array, begin: int, end: int, fewest_rows: int) -> _Split | None:
    """Return the split of some rows with the largest gain; None if no split has any."""
    first, last = begin + fewest_rows, end - fewest_rows
    middles = np.arange(first, last + 1)
    middles = middles[x[middles - 1] < x[middles]] if first <= last else middles[:0]
    if not len(middles):
        return None
    gains = np.zeros(len(middles))
    for each in _columns(t[begin:end]):
        totals = np.cumsum(each)
        left, whole = totals[middles - begin - 1], totals[-1]
        gains += left**2 / (middles - begin) + (whole - left) ** 2 / (end - middles) - whole**2 / (end - begin)
    best = int(gains.argmax())
    return _Split(-float(gains[best]), begin, int(middles[best]), end) if gains[best] > 0 else None


def _squared_error(t: Array) -> float:
    return float(sum(len(each) * each.var() for each in _columns(t)))


def _columns(t: Array) -> Iterator[NDArray[np.float64]]:
    """Yield the centred columns of the targets; for classes, their one-hot columns."""
    if t.ndim == 1:
        yield from ((t == number).astype(np.float64) for number in np.unique(t))
    else:
        yield from (each - each.mean() for each in t.T.astype(np.float64))
