"""Data frames as arrays: numbers as they are, categories one-hot."""

from __future__ import annotations

import numbers
import reprlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit import ML_DOMAIN, DataError, InputColumn, ModelFileError, did_you_mean
from mlpkit_plugins.formats.untrained_values import UntrainedValues

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from mlpkit import Graph, Value
    from mlpkit_plugins.arrays.encoding_options import Form


def is_frame(values: object) -> bool:
    """Whether something has columns with names, as data frames of pandas and polars have."""
    return hasattr(values, "columns") and hasattr(values, "__getitem__")


@dataclass(frozen=True)
class Column:
    """A column of the frame that a data set was trained on.

    Args:
        name: its name.
        categories: its categories, in order; None if it holds numbers.
        form: how categories are written.
    """

    name: str
    categories: tuple[str, ...] | None = None
    form: Form = "one_hot"

    @property
    def features(self) -> tuple[str, ...]:
        """Names of what it becomes: itself, or one element for each category."""
        if self.categories is None or self.form != "one_hot":
            return (self.name,)
        return tuple(f"{self.name}={found}" for found in self.categories)

    @property
    def is_number(self) -> bool:
        """Whether it becomes a number, which may be encoded."""
        return self.categories is None or self.form == "ordinal"

    @property
    def described(self) -> InputColumn:
        """What it is in an example."""
        if self.is_number:
            return InputColumn(self.name, "numbers")
        if self.form == "index":
            return InputColumn(self.name, "categories", values=len(self.categories or ()) + 1)
        return InputColumn(self.name, "one_hot", len(self.features))

    @property
    def codebook(self) -> NDArray[np.float64]:
        """What is written for each category, and last for a missing one, shape (categories + 1, elements)."""
        count = len(self.categories or ())
        if self.form == "one_hot":
            return np.eye(count + 1, count)
        if self.form == "sign":
            return np.array([[1.0], [-1.0], [0.0]])
        if self.form == "index":
            return np.array([*range(1, count + 1), 0.0])[:, None]
        return np.array([*range(count), (count - 1) / 2])[:, None]

    def encoded(self, values: NDArray[Any], unknown: str, source: str) -> NDArray[np.float64]:
        """Return values of this column as rows of numbers.

        Args:
            values: the values.
            unknown: ``error`` or ``zeros``, for a category that was never trained on.
            source: what to call the frame in messages.

        Raises:
            DataError: a value is no number, or a category that was never trained on.
        """
        if self.categories is None:
            return _numbers(values, self.name, source)[:, None]
        texts = [None if is_missing(value) else str(value) for value in values]
        position = {category: i for i, category in enumerate(self.categories)}
        codes = np.full(len(texts), -1)
        strange = []
        for row, text in enumerate(texts):
            if text in position:
                codes[row] = position[text]
            elif text is not None and unknown == "error":
                advice = did_you_mean(text, self.categories) or "set unknown: zeros to encode it as zeros"
                message = f"{reprlib.repr(text)} is a category that was never trained on; {advice}"
                raise DataError(source, message, row=row, column=self.name)
            elif text is not None:
                strange.append(text)
        if strange:
            UntrainedValues(source, len(texts), self.name, len(strange), set(strange), self.categories).warn()
        encoded: NDArray[np.float64] = self.codebook[codes]
        return encoded

    def onnx(self, graph: Graph) -> Value:
        """Describe ``encoded``: the column is an input, and a category that was never trained on is zeros."""
        if self.categories is None:
            return graph.op("Unsqueeze", graph.feed(self.name, "float64"), np.array([1]))
        codes = graph.op(
            "LabelEncoder",
            graph.feed(self.name, "str", kind="category", meaning="empty if it is missing", choices=self.categories),
            domain=ML_DOMAIN,
            keys_strings=[*self.categories],
            values_int64s=[*range(len(self.categories))],
            default_int64=-1,
        )
        if self.form != "one_hot":
            codes = graph.op("Where", graph.op("Less", codes, 0), len(self.categories), codes)
            return graph.op("Gather", self.codebook, codes)
        codes = graph.op("Unsqueeze", codes, np.array([1]))
        return graph.cast(graph.op("Equal", codes, np.arange(len(self.categories))), np.float64)


def columns_of(frame: Any, source: str, form_of: Callable[[str, int], Form]) -> tuple[Column, ...]:
    """Return the columns of a frame, with the categories of those that hold texts.

    Args:
        frame: the frame.
        source: what to call it in messages.
        form_of: returns how a column of so many categories is written.

    Raises:
        DataError: two columns have one name, or one holds neither numbers nor texts.
    """
    names = [str(name) for name in frame.columns]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(source, "two columns have this name; rename one", column=twice)
    found = {str(name): _categories(np.asarray(frame[name]), str(name), source) for name in frame.columns}
    return tuple(
        Column(name) if categories is None else Column(name, categories, form_of(name, len(categories)))
        for name, categories in found.items()
    )


def encoded_frame(frame: Any, columns: Sequence[Column], unknown: str, source: str) -> NDArray[np.float64]:
    """Return a frame as an array of numbers, as ``encoded_columns`` does with its columns."""
    if not columns:
        return np.zeros((len(frame), 0))
    return encoded_columns({str(name): frame[name] for name in frame.columns}, columns, unknown, source)


def encoded_columns(
    given: Mapping[str, Any], columns: Sequence[Column], unknown: str, source: str
) -> NDArray[np.float64]:
    """Return columns as an array of numbers; they may stand in any order, and others are left out.

    Args:
        given: values by the name of their column.
        columns: those that the data set was trained on.
        unknown: as for ``Column.encoded``.
        source: what to call the frame in messages.

    Raises:
        DataError: a column is missing, or a value is not what it was trained on.
    """
    for column in columns:
        if column.name not in given:
            raise DataError(
                source, f"the column is missing; {did_you_mean(column.name, given) or 'add it'}", column=column.name
            )
    parts = [column.encoded(np.asarray(given[column.name]), unknown, source) for column in columns]
    return np.concatenate(parts, axis=1)


def columns_to_plain(columns: Sequence[Column]) -> list[list[Any]]:
    """Return columns as plain data."""
    return [
        [column.name, None if column.categories is None else list(column.categories)]
        + ([] if column.form == "one_hot" else [column.form])
        for column in columns
    ]


def columns_from_plain(plain: object) -> tuple[Column, ...]:
    """Take back what ``columns_to_plain`` returned.

    Raises:
        ModelFileError: it did not return that.
    """
    columns = []
    for item in plain if isinstance(plain, list) else [plain]:
        match item:
            case [str(name), None]:
                columns.append(Column(name))
            case [str(name), [*found]] if all(isinstance(category, str) for category in found):
                columns.append(Column(name, tuple(map(str, found))))
            case [str(name), [*found], ("sign" | "index" | "ordinal") as form] if all(
                isinstance(category, str) for category in found
            ) and (form != "sign" or len(found) == 2):
                columns.append(Column(name, tuple(map(str, found)), form))
            case _:
                raise ModelFileError(f"the encoder of the arrays has the column {reprlib.repr(item)}")
    return tuple(columns)


def is_missing(value: object) -> bool:
    """Whether a value of a column of objects stands for none: None, NaN, or what pandas and polars have for it."""
    return value is None or value != value or type(value).__name__ in ("NAType", "NaTType")  # noqa: PLR0124 - NaN


def _categories(values: NDArray[Any], name: str, source: str) -> tuple[str, ...] | None:
    if values.dtype.kind in "biuf":
        return None
    if values.dtype.kind not in "OUT":
        raise DataError(source, f"the column holds {values.dtype}; turn it into numbers or texts", column=name)
    present = [value for value in values if not is_missing(value)]
    if present and all(isinstance(value, numbers.Real | np.bool_) for value in present):
        return None
    return tuple(sorted({str(value) for value in present}))


def _numbers(values: NDArray[Any], name: str, source: str) -> NDArray[np.float64]:
    if values.dtype.kind == "O":
        values = np.array([np.nan if is_missing(value) else value for value in values], object)
    try:
        return values.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(source, f"the column held numbers in training: {error}", column=name) from error
