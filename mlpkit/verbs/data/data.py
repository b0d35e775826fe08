"""What a spec's data is like: shapes, classes, examples, and statistics of the columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.dataset import Dataset, Description, RawArray, RawColumn, Split
from mlpkit.components.target import Classes, Labels, target_to_plain
from mlpkit.errors import Diagnostic
from mlpkit.jobs.leaks import FEWEST_ROWS, WholeColumn, leaks_of
from mlpkit.jobs.spec_data import (
    count_classes,
    data_warnings,
    describe_data,
    keys_of_examples,
    names_of_target,
    open_data,
)
from mlpkit.network.component_errors import component_errors
from mlpkit.specfile.spec import Spec
from mlpkit.training.minibatches import BatchReader

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
    return tuple(remarks)


def _looks_like_an_id(column: WholeColumn) -> bool:
    if column.distinct < len(column.codes):
        return False
    if column.values is None:
        return True
    values = column.values[column.present]
    return column.is_whole and float(values.max() - values.min()) == column.rows - 1


class ColumnStatistics(NamedTuple):
    """The least and the greatest value of a column, their mean, and their standard deviation."""

    least: float
    greatest: float
    mean: float
    std: float


class StatisticsOfColumns:
    """Gathers the statistics of some columns.

    Source: T. F. Chan, G. H. Golub, R. J. LeVeque, "Algorithms for computing the sample variance", 1983.
    """

    def __init__(self, columns: int) -> None:
        self._count = 0
        self._means = np.zeros(columns)
        self._squares = np.zeros(columns)
        self._least = np.full(columns, np.inf)
        self._greatest = np.full(columns, -np.inf)

    def update(self, rows: Array) -> None:
        """Take account of rows, shape (rows, columns)."""
        values = rows.astype(np.float64)
        means, count = values.mean(axis=0), len(values)
        difference, together = means - self._means, self._count + count
        self._squares += ((values - means) ** 2).sum(axis=0) + difference**2 * (self._count * count / together)
        self._means += difference * (count / together)
        self._count = together
        np.minimum(self._least, values.min(axis=0), out=self._least)
        np.maximum(self._greatest, values.max(axis=0), out=self._greatest)

    def result(self) -> tuple[ColumnStatistics, ...]:
        """Return the statistics of each column."""
        stds = np.sqrt(self._squares / self._count)
        found = zip(self._least, self._greatest, self._means, stds, strict=True)
        return tuple(ColumnStatistics(*map(float, column)) for column in found)


MOST_COLUMNS: Final = 100
"""Elements of a row, or of a target, up to which each has statistics of its own; an image has them as a whole."""
MOST_NAMELESS_COLUMNS: Final = 20
"""The same if they have no names."""

_VALUES_READ_TOGETHER: Final = 1 << 20


class ShownExample(NamedTuple):
    """One example, as a network gets it; a class as the target is an array with its number alone."""

    inputs: Array
    target: Array


@dataclass(frozen=True)
class DataReport:
    """What a spec's data is like.

    Args:
        spec: the spec.
        description: shapes and sizes.
        input_names: what each row of ``inputs`` is about; ``all`` if there is but one for all elements.
        inputs: statistics of the training inputs.
        target_names: the classes, the labels, or what each row of ``values`` is about.
        counts: how many examples of each split have each class or label; empty where values are predicted.
        values: statistics of the training targets where values are predicted.
        examples: some training examples, the first ones.
        data_warnings: the data set's warnings.
        columns: the columns of the table that examples come from, before encoding; empty without one.
        repeated: how many rows of a table's split are in the training split too.
        arrays: the arrays that examples come from, unchanged; empty without any.
    """

    spec: Spec
    description: Description
    input_names: tuple[str, ...]
    inputs: tuple[ColumnStatistics, ...]
    target_names: tuple[str, ...]
    counts: Mapping[str, tuple[int, ...]]
    values: tuple[ColumnStatistics, ...]
    examples: tuple[ShownExample, ...]
    data_warnings: tuple[Diagnostic, ...] = ()
    columns: tuple[ColumnSummary, ...] = ()
    repeated: Mapping[str, int] = field(default_factory=dict)
    arrays: tuple[RawArray, ...] = ()

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain data."""
        description, shown = self.description, self.examples
        splits: dict[str, Any] = {}
        for name, size in description.sizes.items():
            splits[name] = {"examples": size}
            if self.counts:
                splits[name]["counts"] = dict(zip(self.target_names, self.counts[name], strict=True))
        return {
            "data": self.spec.data.name,
            "input_shape": description.input_shape,
            "dtype": self.spec.dtype,
            "target": target_to_plain(description.target),
            "splits": splits,
            "inputs": _plain_statistics(self.input_names, self.inputs),
            "values": _plain_statistics(self.target_names, self.values) if self.values else None,
            "arrays": [array._asdict() for array in self.arrays],
            "columns": [column._asdict() for column in self.columns],
            "repeated_rows": dict(self.repeated),
            "examples": [{"inputs": each.inputs.tolist(), "target": each.target.tolist()} for each in shown],
        }


def _plain_statistics(names: Sequence[str], found: Sequence[ColumnStatistics]) -> dict[str, Any]:
    return {name: values._asdict() for name, values in zip(names, found, strict=True)}


def data(spec: Spec, *, rows: int = 5) -> DataReport:
    """Open a spec's data, read all of it once, and describe it."""
    dataset = spec.new_dataset()
    description = describe_data(spec, dataset)
    warnings = data_warnings(spec, dataset)
    splits = open_data(spec, dataset)
    target, width = description.target, prod(description.input_shape)
    names = dataset.feature_names()
    most = MOST_COLUMNS if names is not None else MOST_NAMELESS_COLUMNS
    are_columns = len(description.input_shape) == 1 and width <= most
    target_width = prod(target.array(np.dtype(spec.dtype))[0])
    columns_of = width if are_columns else 1, target_width if target_width <= MOST_COLUMNS else 1
    read = _read_examples(splits, description, np.dtype(spec.dtype), rows, columns_of)
    are_counted = isinstance(target, Classes | Labels)
    keys = keys_of_examples(dataset, splits)
    with component_errors(f"dataset {spec.data.name} failed in raw_columns"):
        columns = dataset.raw_columns() or ()
    return DataReport(
        spec,
        description,
        _names(names, width) if are_columns else ("all",),
        read.inputs.result(),
        names_of_target(dataset, target) if are_counted else _names(dataset.target_names(), target_width),
        read.counts if are_counted else {},
        () if are_counted else read.targets.result(),
        tuple(read.first),
        warnings,
        summaries(columns),
        {} if keys is None else repeated_rows(keys),
        _arrays(spec, dataset),
    )


class _Examples(NamedTuple):
    """Statistics of training, counts by split, and the first examples of training."""

    inputs: StatisticsOfColumns
    targets: StatisticsOfColumns
    counts: dict[str, tuple[int, ...]]
    first: list[ShownExample]


def _read_examples(
    splits: Mapping[str, Split], description: Description, dtype: np.dtype[Any], shown: int, columns_of: tuple[int, int]
) -> _Examples:
    """Read all examples once; ``columns_of`` is how many columns an input and a target have, 1 to take all together."""
    target, width = description.target, prod(description.input_shape)
    inputs, targets = map(StatisticsOfColumns, columns_of)
    found = _Examples(inputs, targets, {}, [])
    for name, split in splits.items():
        together = max(1, min(len(split), _VALUES_READ_TOGETHER // max(width, 1)))
        count = np.zeros(target.count if isinstance(target, Classes | Labels) else 0, np.int64)
        for x, t, _ in BatchReader(split, description, dtype, together).in_order():
            count += count_classes(target, t)
            if name == "train":
                inputs.update(x.reshape(-1, columns_of[0]))
                targets.update(t.reshape(-1, columns_of[1]))
                missing = max(0, shown - len(found.first))
                found.first.extend(map(ShownExample, x[:missing].copy(), t[:missing].copy()))
        found.counts[name] = tuple(count.tolist())
    return found


def _arrays(spec: Spec, dataset: Dataset) -> tuple[RawArray, ...]:
    with component_errors(f"dataset {spec.data.name} failed in raw_arrays"):
        return tuple(dataset.raw_arrays() or ())


def _names(given: tuple[str, ...] | None, count: int) -> tuple[str, ...]:
    if count > MOST_COLUMNS:
        return ("all",)
    return given if given is not None else tuple(map(str, range(count)))
