"""The columns of a table before encoding, and likely mistakes in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.dataset import RawColumn
from mlpkit.jobs.leaks import FEWEST_ROWS, WholeColumn, leaks_of

BINS: Final = 8
MOST_COMMON: Final = 5


class ColumnSummary(NamedTuple):
    """The values of a column, in all splits together.

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
    whole = [WholeColumn(column) for column in columns]
    targets = [column for column in whole if column.role == "target"]
    return tuple(_summary(column, _remarks(column, targets)) for column in whole)


def repeated_rows(keys: Mapping[str, NDArray[np.uint64]]) -> dict[str, int]:
    """Return how many rows of each split but ``train`` are copies of some in ``train``, by keys that copies share."""
    counts = {split: int(np.isin(key, keys["train"]).sum()) for split, key in keys.items() if split != "train"}
    return {split: count for split, count in counts.items() if count}


class RepeatedExamples:
    """Counts the examples of each other split that are also in ``train``, with the same inputs and target.

    Examples are compared by a 64-bit hash, so a wrong count is practically impossible.
    """

    def __init__(self) -> None:
        self._keys: dict[str, list[NDArray[np.uint64]]] = {}
        self._factors = np.zeros(0, np.uint64)

    def update(self, split: str, x: Array, t: Array) -> None:
        """Take account of examples of a split."""
        words = np.concatenate([_words(x), _words(t)], axis=1)
        if len(self._factors) != words.shape[1]:
            self._factors = np.random.default_rng(0).integers(1, 2**63, words.shape[1], np.uint64)
        self._keys.setdefault(split, []).append(words @ self._factors)

    def result(self) -> dict[str, int]:
        """Return the counts that aren't 0."""
        return repeated_rows({split: np.concatenate(parts) for split, parts in self._keys.items()})


def _words(rows: Array) -> NDArray[np.uint64]:
    """Return rows as unsigned integers that are equal if the rows are."""
    flat = np.ascontiguousarray(rows.reshape(len(rows), -1)) + rows.dtype.type(0)  # of -0.0, that is 0.0
    words: NDArray[np.uint64] = flat.view(f"u{flat.dtype.itemsize}").astype(np.uint64)
    return words


def _summary(column: WholeColumn, remarks: tuple[str, ...]) -> ColumnSummary:
    least = greatest = None
    histogram = [count for _, count in column.common[:BINS]]
    if column.values is not None and column.rows:
        values = column.values[column.present]
        least, greatest = float(values.min()), float(values.max())
        histogram = np.histogram(values, BINS)[0].tolist() if least < greatest else [column.rows]
    kind = column.kind if column.rows else "empty"
    texts = tuple(column.common[:MOST_COMMON]) if kind == "text" else ()
    missing = len(column.codes) - column.rows
    return ColumnSummary(
        column.name, column.role, kind, missing, column.distinct, least, greatest, texts, tuple(histogram), remarks
    )


def _remarks(column: WholeColumn, targets: Sequence[WholeColumn]) -> tuple[str, ...]:
    if column.role == "left out":
        return ()
    if not column.rows:
        return ("has no value",)
    if column.distinct == 1:
        return ("has only one value",)
    remarks = []
    if column.role == "input" and column.rows >= FEWEST_ROWS:
        if _looks_like_an_id(column):
            remarks.append("differs in every row, like an id")
        remarks += leaks_of(column, targets)
    return (*remarks, *column.remarks)


def _looks_like_an_id(column: WholeColumn) -> bool:
    if column.distinct < len(column.codes):
        return False
    if column.values is None:
        return True
    values = column.values[column.present]
    return column.is_whole and float(values.max() - values.min()) == column.rows - 1
