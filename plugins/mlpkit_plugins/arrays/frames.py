"""Data frames as arrays: numbers as they are, categories encoded."""

from __future__ import annotations

import numbers
import reprlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit import (
    ML_DOMAIN,
    DataError,
    FittedCategoryEncoding,
    InputColumn,
    ModelFileError,
    TrainingCategories,
    did_you_mean,
)
from mlpkit_plugins.formats.untrained_values import UntrainedValues

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from mlpkit import CategoryEncoding, Graph, Value


def is_frame(values: object) -> bool:
    """Whether something has columns with names, as data frames of pandas and polars have."""
    return hasattr(values, "columns") and hasattr(values, "__getitem__")


@dataclass(frozen=True)
class Column:
    """A column of the frame that a data set was trained on.

    Args:
        name: its name.
        encoding: the encoding of its categories; None if it holds numbers.
    """

    name: str
    encoding: FittedCategoryEncoding | None = None

    @property
    def features(self) -> tuple[str, ...]:
        """Names of what it becomes: itself, or what the encoding of its categories names."""
        return (self.name,) if self.encoding is None else self.encoding.features()

    @property
    def holds(self) -> str:
        """What it becomes, as an input has it."""
        return "numbers" if self.encoding is None else self.encoding.encoding.holds

    @property
    def inputs(self) -> list[InputColumn]:
        """What it is in an example."""
        return [InputColumn(self.name, "numbers")] if self.encoding is None else self.encoding.inputs()

    def encoded(self, values: NDArray[Any], unknown: str, source: str) -> NDArray[np.float64]:
        """Return values of this column as rows of numbers.

        Args:
            values: the values.
            unknown: ``error`` or ``zeros``, for a category that was never trained on.
            source: what to call the frame in messages.

        Raises:
            DataError: a value is no number, or a category that was never trained on.
        """
        if self.encoding is None:
            return _numbers(values, self.name, source)[:, None]
        categories = self.encoding.categories
        texts = [None if is_missing(value) else str(value) for value in values]
        position = {category: i for i, category in enumerate(categories)}
        codes = np.full(len(texts), -1)
        strange = []
        for row, text in enumerate(texts):
            if text in position:
                codes[row] = position[text]
            elif text is not None and unknown == "error":
                advice = did_you_mean(text, categories) or "set unknown: zeros to encode it as zeros"
                message = f"{reprlib.repr(text)} is a category that was never trained on; {advice}"
                raise DataError(source, message, row=row, column=self.name)
            elif text is not None:
                strange.append(text)
        if strange:
            UntrainedValues(source, len(texts), self.name, len(strange), set(strange), categories).warn()
        return _filled(self.encoding, codes)

    def onnx(self, graph: Graph) -> Value:
        """Describe ``encoded``: the column is an input, and a category that was never trained on is zeros."""
        if self.encoding is None:
            return graph.op("Unsqueeze", graph.feed(self.name, "float64"), np.array([1]))
        categories = self.encoding.categories
        codes = graph.op(
            "LabelEncoder",
            graph.feed(self.name, "str", kind="category", meaning="empty if it is missing", choices=categories),
            domain=ML_DOMAIN,
            keys_strings=[*categories],
            values_int64s=[*range(len(categories))],
            default_int64=-1,
        )
        encoded = graph.cast(self.encoding.onnx(graph, codes), np.float64)
        if self.holds != "numbers":
            return encoded
        return graph.op("Where", graph.op("IsNaN", encoded), _fills(self.encoding), encoded)


def columns_of(
    frame: Any,
    source: str,
    fitted_on: Callable[[TrainingCategories], FittedCategoryEncoding],
    training: NDArray[np.intp],
    targets: Callable[[], NDArray[Any]],
) -> tuple[Column, ...]:
    """Return the columns of a frame, with the encodings of those that hold texts.

    Args:
        frame: the frame.
        source: what to call it in messages.
        fitted_on: returns the encoding of a column of categories, fitted.
        training: positions of the training rows; categories are those of all rows.
        targets: returns what is to be predicted of the training rows.

    Raises:
        DataError: two columns have one name, or one holds neither numbers nor texts.
        ParameterError: an encoding is not for such a column of categories.
    """
    names = [str(name) for name in frame.columns]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(source, "two columns have this name; rename one", column=twice)
    columns = []
    for given in frame.columns:
        name, values = str(given), np.asarray(frame[given])
        categories = _categories(values, name, source)
        if categories is None:
            columns.append(Column(name))
            continue
        position: dict[object, int] = {category: i for i, category in enumerate(categories)}
        codes = np.array([position.get(str(value), -1) if not is_missing(value) else -1 for value in values], np.int64)
        columns.append(Column(name, fitted_on(TrainingCategories(name, categories, codes[training], targets))))
    return tuple(columns)


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
    return [[column.name, None] if column.encoding is None else _to_plain(column.encoding) for column in columns]


def _to_plain(encoding: FittedCategoryEncoding) -> list[Any]:
    learned = encoding.state()
    return [encoding.column, list(encoding.categories), *([learned] if learned else [])]


def columns_from_plain(plain: object, encoding_of: Callable[[str, int], CategoryEncoding]) -> tuple[Column, ...]:
    """Take back what ``columns_to_plain`` returned.

    Args:
        plain: plain data.
        encoding_of: returns the encoding of a column of so many categories.

    Raises:
        ModelFileError: ``columns_to_plain`` did not return it.
    """
    columns = []
    for item in plain if isinstance(plain, list) else [plain]:
        match item:
            case [str(name), None]:
                columns.append(Column(name))
            case [str(name), [*found], *learned] if len(learned) <= 1 and all(isinstance(c, str) for c in found):
                # older models name the encoding in place of what it learned, which was nothing
                state = learned[0] if learned and not isinstance(learned[0], str) else {}
                encoding = encoding_of(name, len(found))
                columns.append(
                    Column(name, FittedCategoryEncoding.from_state(encoding, name, [*map(str, found)], state))
                )
            case _:
                raise ModelFileError(f"the encoder of the arrays has the column {reprlib.repr(item)}")
    return tuple(columns)


def _filled(encoding: FittedCategoryEncoding, codes: NDArray[Any]) -> NDArray[np.float64]:
    """Return the encoded rows, with a number in place of each that is missing."""
    rows = encoding.encode(codes).astype(np.float64)
    return np.where(np.isnan(rows), _fills(encoding), rows) if encoding.encoding.holds == "numbers" else rows


def _fills(encoding: FittedCategoryEncoding) -> NDArray[np.float64]:
    """Return what replaces a missing number: the mean of what the categories become."""
    rows = encoding.encode(np.arange(len(encoding.categories)))
    fills: NDArray[np.float64] = np.nanmean(rows, axis=0) if len(rows) else np.zeros(rows.shape[1])
    return fills


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
