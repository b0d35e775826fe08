"""What stands in the columns of a table, before anything is encoded; and what of it is most likely a mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mlpkit.components.dataset import RawColumn

BINS: Final = 8
MOST_COMMON: Final = 5
FEWEST_ROWS: Final = 20
"""Rows from which a pattern in a column counts as one."""
ALMOST_ALL: Final = 0.995
ALMOST_EQUAL: Final = 0.999
MOST_CLASSES: Final = 20
"""Distinct numbers of a target up to which they are classes, and not a quantity."""


class ColumnSummary(NamedTuple):
    """What stands in a column, in all splits together.

    Args:
        name: its name.
        role: what it is for: ``input``, ``target``, ``weight``, ``split`` or ``left out``.
        type: ``integer``, ``number``, ``text`` or ``empty``.
        missing: how many rows have no value.
        distinct: how many values differ.
        least: the least number; None for texts.
        greatest: the greatest number; None for texts.
        common: the most common texts, each with its number of rows; empty for numbers.
        histogram: how many rows have a number in each of a few ranges of equal width; or the most common texts.
        remarks: what is unusual about it.
    """

    name: str
    role: str
    type: str
    missing: int
    distinct: int
    least: float | None
    greatest: float | None
    common: tuple[tuple[str, int], ...]
    histogram: tuple[int, ...]
    remarks: tuple[str, ...]


def summaries(columns: Sequence[RawColumn]) -> tuple[ColumnSummary, ...]:
    """Summarize the columns of a table."""
    whole = [_Whole(column) for column in columns]
    targets = [column for column in whole if column.role == "target"]
    return tuple(column.summary(_remarks(column, targets)) for column in whole)


def remarks_on_leaks(columns: Sequence[RawColumn]) -> tuple[str, ...]:
    """Return a sentence for each input that tells a target on its own."""
    whole = [_Whole(column) for column in columns]
    targets = [column for column in whole if column.role == "target"]
    return tuple(f"{each.name} {remark}" for each in whole if each.role == "input" for remark in _leaks(each, targets))


def repeated_rows(keys: Mapping[str, NDArray[np.uint64]]) -> dict[str, int]:
    """Return how many rows of each split but ``train`` are copies of some in ``train``, by keys that copies share."""
    counts = {split: int(np.isin(key, keys["train"]).sum()) for split, key in keys.items() if split != "train"}
    return {split: count for split, count in counts.items() if count}


class RepeatedExamples:
    """Counts the examples of each split but ``train`` that stand in ``train`` too, with the same inputs and target.

    Each is known by 64 bits, so that a wrong count is as good as impossible.
    """

    def __init__(self) -> None:
        self._keys: dict[str, list[NDArray[np.uint64]]] = {}
        self._factors = np.zeros(0, np.uint64)

    def update(self, split: str, x: NDArray[Any], t: NDArray[Any]) -> None:
        """Take account of examples of a split."""
        words = np.concatenate([_words(x), _words(t)], axis=1)
        if len(self._factors) != words.shape[1]:
            self._factors = np.random.default_rng(0).integers(1, 2**63, words.shape[1], np.uint64)
        self._keys.setdefault(split, []).append(words @ self._factors)

    def result(self) -> dict[str, int]:
        """Return the counts that aren't 0."""
        return repeated_rows({split: np.concatenate(parts) for split, parts in self._keys.items()})


def _words(rows: NDArray[Any]) -> NDArray[np.uint64]:
    """Return rows as unsigned integers that are equal if the rows are."""
    flat = np.ascontiguousarray(rows.reshape(len(rows), -1)) + rows.dtype.type(0)  # of -0.0, that is 0.0
    words: NDArray[np.uint64] = flat.view(f"u{flat.dtype.itemsize}").astype(np.uint64)
    return words


class _Whole:
    """A column, its splits together.

    Args:
        column: the column.
    """

    def __init__(self, column: RawColumn) -> None:
        self.name, self.role, self.texts, self.remarks = column.name, column.role, column.texts, column.remarks
        self.codes = np.concatenate(list(column.codes.values()))
        self.counts = np.bincount(self.codes[self.codes >= 0], minlength=len(column.texts))
        self.numbers = column.numbers if self.counts.any() else None
        self.values = None if self.numbers is None else np.append(self.numbers, np.nan)[self.codes]
        self.present = self.codes >= 0 if self.values is None else ~np.isnan(self.values)
        self.rows = int(self.present.sum())

    @property
    def distinct(self) -> int:
        return len(np.unique(self.codes[self.present] if self.values is None else self.values[self.present]))

    @property
    def is_whole(self) -> bool:
        """Whether all its numbers are integers."""
        return self.values is not None and bool((self.values[self.present] % 1 == 0).all())

    def summary(self, remarks: tuple[str, ...]) -> ColumnSummary:
        common = sorted(zip(self.counts.tolist(), self.texts, strict=True), key=lambda pair: (-pair[0], pair[1]))
        least = greatest = None
        histogram = [count for count, _ in common[:BINS] if count]
        if self.values is not None and self.rows:
            values = self.values[self.present]
            least, greatest = float(values.min()), float(values.max())
            histogram = np.histogram(values, BINS)[0].tolist() if least < greatest else [self.rows]
        kind = "empty" if not self.rows else "text" if self.values is None else "integer" if self.is_whole else "number"
        texts = tuple((text, count) for count, text in common[:MOST_COMMON] if count) if kind == "text" else ()
        missing = len(self.codes) - self.rows
        return ColumnSummary(
            self.name, self.role, kind, missing, self.distinct, least, greatest, texts, tuple(histogram), remarks
        )


def _remarks(column: _Whole, targets: Sequence[_Whole]) -> tuple[str, ...]:
    if column.role == "left out":
        return ()
    if not column.rows:
        return ("has no value",)
    if column.distinct == 1:
        return ("has one value only",)
    remarks = []
    if column.role == "input" and column.rows >= FEWEST_ROWS:
        if _looks_like_an_id(column):
            remarks.append("differs in every row, as an id does")
        remarks += _leaks(column, targets)
    return (*remarks, *column.remarks)


def _leaks(column: _Whole, targets: Sequence[_Whole]) -> list[str]:
    told = [target.name for target in targets if _tells(column, target)]
    return [f"tells {name} on its own: is it known when you predict?" for name in told]


def _looks_like_an_id(column: _Whole) -> bool:
    if column.distinct < len(column.codes):
        return False
    if column.values is None:
        return True
    values = column.values[column.present]
    return column.is_whole and float(values.max() - values.min()) == column.rows - 1


def _tells(column: _Whole, target: _Whole) -> bool:
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


def _is_cut_by_thresholds(x: NDArray[np.float64], classes: NDArray[Any], count: int) -> bool:
    """Whether each class has a range of numbers of its own."""
    least, greatest = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(least, classes, x)
    np.maximum.at(greatest, classes, x)
    order = least.argsort()
    return bool((greatest[order][:-1] < least[order][1:]).all())


def _purity(codes: NDArray[Any], classes: NDArray[Any]) -> float:
    """Return the share of rows that have the commonest class of their text."""
    texts = np.unique(codes, return_inverse=True)[1]
    width = int(classes.max()) + 1
    pairs, counts = np.unique(texts * width + classes, return_counts=True)
    commonest = np.zeros(texts.max() + 1, np.int64)
    np.maximum.at(commonest, pairs // width, counts)
    return float(commonest.sum() / len(classes))
