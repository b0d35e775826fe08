"""Columns of a table that tell the target on their own, which most likely aren't known when one predicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mlpkit.components.dataset import RawColumn
from mlpkit.components.target import Classes
from mlpkit.jobs.raw_data import remarks_on_leaks
from mlpkit.training.minibatches import BatchReader

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from mlpkit.components.dataset import Dataset, Description, Split

MOST_ROWS: Final = 2000
"""Training rows that show whether a column tells the target."""

MOST_COLUMNS: Final = 300
"""In a table with more columns, looking at each would take longer than a short training."""


def leaks_in(split: Split, description: Description, dataset: Dataset) -> tuple[str, ...]:
    """Return a sentence for each column that tells a target on its own; none if the examples aren't rows of a table.

    Args:
        split: the training examples.
        description: shapes of the data.
        dataset: the data set that they are from.
    """
    if not 0 < len(description.columns) <= MOST_COLUMNS:
        return ()
    rows = np.unique(np.linspace(0, len(split) - 1, MOST_ROWS).astype(np.intp))
    x, t, _ = BatchReader(split, description, np.dtype(np.float32), len(rows)).take(rows)
    return remarks_on_leaks([*_inputs(x, description), *_targets(t, description, dataset.target_names())])


def _inputs(x: NDArray[Any], description: Description) -> Iterator[RawColumn]:
    """Yield the columns of which the inputs show what stands in each row: single numbers, indices and categories."""
    begin = 0
    for column in description.columns:
        elements = x[:, begin : begin + column.width]
        begin += column.width
        are_numbers = column.holds in ("numbers", "dates")
        if column.width == 1:
            yield _column(column.name, "input", elements[:, 0], are_numbers=are_numbers)
        elif not are_numbers:
            yield _column(column.name, "input", elements.argmax(axis=1), are_numbers=False)


def _targets(t: NDArray[Any], description: Description, names: Sequence[str] | None) -> Iterator[RawColumn]:
    if isinstance(description.target, Classes):
        yield _column("the target", "target", t.argmax(axis=1) if t.ndim > 1 else t, are_numbers=False)
        return
    columns = t.reshape(len(t), -1).T
    for name, column in zip(names or ["the target"] * len(columns), columns, strict=True):
        yield _column(name, "target", column, are_numbers=True)


def _column(name: str, role: str, values: NDArray[Any], *, are_numbers: bool) -> RawColumn:
    numbers, codes = np.unique(values, return_inverse=True)
    return RawColumn(name, role, [""] * len(numbers), numbers if are_numbers else None, {"train": codes})
