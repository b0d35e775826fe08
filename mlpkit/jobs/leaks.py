"""Columns of a table that tell the target on their own, which most likely aren't known when one predicts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.dataset import Dataset, Description, RawColumn, Split
from mlpkit.components.target import Classes
from mlpkit.jobs.spec_data import evenly_spaced
from mlpkit.training.minibatches import BatchReader

MOST_ROWS: Final = 2000
"""Training rows that show whether a column tells the target."""

MOST_COLUMNS: Final = 300
"""In a table with more columns, looking at each would take longer than a short training."""
FEWEST_ROWS: Final = 20
"""Rows from which a pattern in a column counts as one."""
ALMOST_ALL: Final = 0.995
ALMOST_EQUAL: Final = 0.999
MOST_CLASSES: Final = 20
"""Distinct numbers of a target up to which they are classes, and not a quantity."""


def leaks_in(split: Split, description: Description, dataset: Dataset) -> tuple[str, ...]:
    """Return a sentence for each column of a table's training split that tells a target on its own."""
    if not 0 < len(description.columns) <= MOST_COLUMNS:
        return ()
    rows = evenly_spaced(len(split), MOST_ROWS)
    x, t, _ = BatchReader(split, description, np.dtype(np.float32), len(rows)).take(rows)
    targets = [WholeColumn(each) for each in _targets(t, description, dataset.target_names())]
    inputs = [WholeColumn(each) for each in _inputs(x, description)]
    return tuple(f"{each.name} {remark}" for each in inputs for remark in leaks_of(each, targets))


def _inputs(x: Array, description: Description) -> Iterator[RawColumn]:
    """Yield the columns whose values the inputs show: single numbers, indices and categories."""
    begin = 0
    for column in description.columns:
        elements = x[:, begin : begin + column.width]
        begin += column.width
        are_numbers = column.holds in ("numbers", "dates")
        if column.width == 1:
            yield _column(column.name, "input", elements[:, 0], are_numbers=are_numbers)
        elif not are_numbers:
            yield _column(column.name, "input", elements.argmax(axis=1), are_numbers=False)


def _targets(t: Array, description: Description, names: Sequence[str] | None) -> Iterator[RawColumn]:
    if isinstance(description.target, Classes):
        yield _column("the target", "target", t.argmax(axis=1) if t.ndim > 1 else t, are_numbers=False)
        return
    columns = t.reshape(len(t), -1).T
    for name, column in zip(names or ["the target"] * len(columns), columns, strict=True):
        yield _column(name, "target", column, are_numbers=True)


def _column(name: str, role: str, values: Array, *, are_numbers: bool) -> RawColumn:
    numbers, codes = np.unique(values, return_inverse=True)
    return RawColumn(name, role, [""] * len(numbers), numbers if are_numbers else None, {"train": codes})


class WholeColumn:
    """A column, its splits together."""

    def __init__(self, column: RawColumn) -> None:
        self.name, self.role, self.texts = column.name, column.role, column.texts
        self.codes = np.concatenate(list(column.codes.values()))
        self.counts = np.bincount(self.codes[self.codes >= 0], minlength=len(column.texts))
        self.numbers = column.numbers if self.counts.any() else None
        self.values = None if self.numbers is None else np.append(self.numbers, np.nan)[self.codes]
        self.present = self.codes >= 0 if self.values is None else ~np.isnan(self.values)
        self.rows = int(self.present.sum())

    @property
    def distinct(self) -> int:
        """How many of its values differ."""
        return len(np.unique(self.codes[self.present] if self.values is None else self.values[self.present]))

    @property
    def common(self) -> list[tuple[str, int]]:
        """Its texts with their numbers of rows, the most common first."""
        pairs = sorted(zip(self.counts.tolist(), self.texts, strict=True), key=lambda pair: (-pair[0], pair[1]))
        return [(text, count) for count, text in pairs if count]

    @property
    def is_whole(self) -> bool:
        """Whether all its numbers are integers."""
        return self.values is not None and bool((self.values[self.present] % 1 == 0).all())

    @property
    def kind(self) -> str:
        """What it holds: ``text``, ``integer`` or ``number``."""
        return "text" if self.values is None else "integer" if self.is_whole else "number"


def leaks_of(column: WholeColumn, targets: Sequence[WholeColumn]) -> list[str]:
    """Return a remark for each target that a column tells on its own."""
    names = [target.name for target in targets if _tells(column, target)]
    return [f"predicts {name} by itself: is it known when you predict?" for name in names]


def _tells(column: WholeColumn, target: WholeColumn) -> bool:
    """Whether a column nearly determines a target: its texts or thresholds the classes, or its numbers the values."""
    both = column.present & target.present
    if both.sum() < FEWEST_ROWS:
        return False
    if target.values is not None and target.distinct > MOST_CLASSES:
        return column.values is not None and _is_almost_a_line(column.values[both], target.values[both])
    classes = np.unique(target.codes[both], return_inverse=True)[1]
    shares = np.bincount(classes) / len(classes)
    if shares.max() > ALMOST_ALL:
        return False
    if column.values is not None and column.distinct > 3 * len(shares):
        return _is_cut_by_thresholds(column.values[both], classes, len(shares))
    return column.distinct <= 3 * len(shares) and _purity(column.codes[both], classes) >= ALMOST_ALL


def _is_almost_a_line(x: NDArray[np.float64], y: NDArray[np.float64]) -> bool:
    if not (np.ptp(x) and np.ptp(y)):
        return False
    x, y = (x - x.mean()) / np.ptp(x), (y - y.mean()) / np.ptp(y)
    return abs(float((x * y).mean())) >= ALMOST_EQUAL * float(x.std() * y.std())


def _is_cut_by_thresholds(x: NDArray[np.float64], classes: Array, count: int) -> bool:
    """Whether the ranges of the classes' numbers don't overlap."""
    least, greatest = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(least, classes, x)
    np.maximum.at(greatest, classes, x)
    order = least.argsort()
    return bool((greatest[order][:-1] < least[order][1:]).all())


def _purity(codes: Array, classes: Array) -> float:
    """Return the share of rows that have the commonest class of their text."""
    texts = np.unique(codes, return_inverse=True)[1]
    width = int(classes.max()) + 1
    pairs, counts = np.unique(texts * width + classes, return_counts=True)
    commonest = np.zeros(texts.max() + 1, np.int64)
    np.maximum.at(commonest, pairs // width, counts)
    return float(commonest.sum() / len(classes))
