"""A table in memory."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from numbers import Real
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array, DataError
from mlpkit_plugins.formats.texts import shown_text
from mlpkit_plugins.tables.columns import ColumnReader, Columns
from mlpkit_plugins.tables.source import TableSource, Texts
from mlpkit_plugins.tables.text_numbers import PLAIN, NotANumberError, NumberFormat, numbers_of, without

ROWS_TOGETHER: Final = 1 << 14
IN_MEMORY: Final = "the rows (counted from 0)"


class Block(NamedTuple):
    """Some consecutive rows: their numbers, counted from 0, and the values of each requested column."""

    rows: NDArray[np.int64]
    columns: Sequence[Sequence[Any] | Array]


class MemorySource(TableSource):
    """Columns in memory, as numbers and as codes of texts.

    None, NaN, NaT and pandas' NA are missing. A text in a column of numbers is parsed as a number; a number, a date or
    a truth value in a column of categories becomes the text of a known category if one fits, otherwise ``str(value)``.
    """

    kind = "table"
    no_characters = "contains half of a character, a surrogate; correct the text"

    def __init__(
        self,
        columns: Mapping[str, Sequence[Any] | Array],
        missing: Collection[str],
        written: NumberFormat = PLAIN,
        known: Mapping[str, Collection[str]] | None = None,
        name: str = IN_MEMORY,
    ) -> None:
        super().__init__(name, tuple(columns), len(next(iter(columns.values()))) if columns else 0, missing)
        self._columns = columns
        self._written = written
        self._known = {name: frozenset(texts) for name, texts in (known or {}).items()}

    @property
    def checksum(self) -> str:
        """A SHA-256 of all columns."""
        digest = hashlib.sha256()
        for name, values in self._columns.items():
            array = np.ascontiguousarray(values)
            digest.update(f"{name} {array.dtype} {array.shape}".encode())
            digest.update(repr(array.tolist()).encode() if array.dtype.hasobject else array.tobytes())
        return digest.hexdigest()

    def rows(self, names: Sequence[str], numbers: NDArray[np.int64] | None = None) -> dict[str, list[Any]]:
        """Return rows, column by column."""
        some = slice(None) if numbers is None else numbers
        return {name: [*_to_python(np.asarray(self._columns[name])[some])] for name in names}

    def values(self) -> Mapping[str, Sequence[Any] | Array]:
        """Return all columns."""
        return self._columns

    def blocks(self, columns: Columns) -> Iterator[Block]:
        """Yield the rows, block by block."""
        for begin in range(0, self.most_rows, ROWS_TOGETHER):
            part = slice(begin, min(begin + ROWS_TOGETHER, self.most_rows))
            yield Block(np.arange(begin, part.stop), [self._columns[name][part] for name in columns.names_in_file])

    def texts_of(self, block: Block, index: int, name: str, reader: ColumnReader | None = None) -> Texts:
        """Return the texts of a column that aren't missing."""
        values: Sequence[Any] | Array = block.columns[index]
        if reader is not None:
            values = [reader.written(value) if _is_date(value) else value for value in _to_python(values)]
        texts = self._texts(values, name)
        present = np.array([text is not None for text in texts], bool)
        positions = np.where(present, present.cumsum() - 1, present.sum())
        return Texts([text for text in texts if text is not None], positions)

    def plain_numbers(self, block: Block, index: int, name: str, columns: Columns) -> NDArray[np.float64]:
        """Return a column of numbers, some of which may be texts."""
        rows, values = block.rows, block.columns[index]
        if isinstance(values, np.ndarray) and values.dtype.kind in "biuf":
            numbers = values.astype(np.float64)
        elif {*map(type, values)} <= {int, float}:
            numbers = np.fromiter(map(float, values), np.float64, len(values))
        else:
            numbers = self._numbers_one_by_one(values, rows, name)
        infinite = np.flatnonzero(np.isinf(numbers))
        if len(infinite):
            message = f"{numbers[infinite[0]]} is not a finite number; make it None if it is missing"
            raise DataError(self.name, message, row=int(rows[infinite[0]]), column=name)
        return without(numbers, self.missing)

    def _numbers_one_by_one(
        self, values: Sequence[Any] | Array, rows: NDArray[np.int64], name: str
    ) -> NDArray[np.float64]:
        numbers = np.full(len(values), np.nan)
        spelt = []
        for index, value in enumerate(values):
            if isinstance(value, Real | np.bool_):
                numbers[index] = float(value)
            elif not is_missing(value):
                spelt.append(index)
        texts = [str(values[index]) for index in spelt]
        try:
            numbers[spelt] = numbers_of(texts, self.missing, self._written)
        except NotANumberError as error:
            wanted = "one of them" if error.truths else "a number"
            message = f"{shown_text(texts[error.index])} {error.reason}; put {wanted} there, or leave out the row"
            raise DataError(self.name, message, row=int(rows[spelt[error.index]]), column=name) from error
        return numbers

    def _texts(self, values: Sequence[Any] | Array, name: str) -> list[str | None]:
        """Return the text of each value; None for missing values."""
        cache = _Texts(self._known.get(name, ()))
        return [value if type(value) is str else cache.text(value) for value in _to_python(values)]


def _to_python(values: Sequence[Any] | Array) -> Sequence[Any]:
    if not isinstance(values, np.ndarray):
        return values
    # In microseconds, ``tolist`` makes dates Python's, and NaT None.
    listed: list[Any] = (values.astype("datetime64[us]") if values.dtype.kind == "M" else values).tolist()
    return listed


def _is_date(value: Any) -> bool:
    return isinstance(value, datetime.date) and not is_missing(value)


class _Texts(dict[tuple[type, Any], str | None]):
    """Maps a value and its type, since 1 equals 1.0 and True, to its text: None if it is missing."""

    def __init__(self, known: Collection[str]) -> None:
        super().__init__()
        self._known = known

    def text(self, value: Any) -> str | None:
        """Return the text of a value."""
        try:
            return self[type(value), value]
        except TypeError:  # unhashable, such as a list
            return str(value)

    def __missing__(self, key: tuple[type, Any]) -> str | None:
        value = key[1]
        ways = [] if is_missing(value) else list(_ways_to_write(value))
        self[key] = next((text for text in ways if text in self._known), ways[0] if ways else None)
        return self[key]


def _ways_to_write(value: Any) -> Iterator[str]:
    """Return the texts that a file may have for a value, the most usual first."""
    value = value.item() if isinstance(value, np.generic) else value
    yield str(value)
    if isinstance(value, bool):
        yield from (str(value).lower(), str(value).upper(), str(int(value)))
    elif isinstance(value, int):
        yield f"{value}.0"
    elif isinstance(value, float) and value.is_integer():
        yield str(int(value))
    elif isinstance(value, datetime.date):
        yield from (value.isoformat(), value.isoformat().removesuffix("T00:00:00"))


def is_missing(value: Any) -> bool:
    """Whether a value is None or, like NaN, NaT and pandas' NA, not equal to itself."""
    if value is None:
        return True
    try:
        return bool(value != value)  # noqa: PLR0124 - that is what NaN is
    except (TypeError, ValueError):  # NA is neither equal nor different
        return type(value).__name__ == "NAType"


Held: TypeAlias = Literal["numbers", "categories", "dates"]


def is_frame(values: object) -> bool:
    """Whether an object has named columns: a dict of columns, or a data frame of pandas, Polars or Arrow."""
    return isinstance(values, Mapping) or (hasattr(values, "columns") and hasattr(values, "__getitem__"))


def names_in(frame: Any) -> list[Any]:
    """Return the names of a frame's columns."""
    names = getattr(frame, "column_names", None)  # Arrow's; its ``columns`` are the values
    return list(frame if isinstance(frame, Mapping) else frame.columns if names is None else names)


def columns_in(frame: Any, source: str) -> dict[str, Array]:
    """Return the columns of a frame, which must differ in their names and have one dimension."""
    columns: dict[str, Array] = {}
    for name in names_in(frame):
        if str(name) in columns or names_in(frame).count(name) > 1:
            raise DataError(source, "two columns have this name; rename one", column=str(name))
        columns[str(name)] = _array(frame[name])
    lengths = {name: values.shape for name, values in columns.items()}
    for name, shape in lengths.items():
        if len(shape) != 1 or shape != next(iter(lengths.values())):
            raise DataError(source, f"the column has the shape {shape}; expected a value for each row", column=name)
    return columns


def held_in(values: Array, name: str, source: str) -> Held:
    """Return what a column holds: numbers, which include truth values; texts, which are categories; or dates."""
    if values.dtype.kind in "biuf":
        return "numbers"
    if values.dtype.kind == "M":
        return "dates"
    if values.dtype.kind not in "OUT":
        raise DataError(source, f"the column holds {values.dtype}; turn it into numbers or texts", column=name)
    present = [value for value in values.tolist() if not is_missing(value)]
    if present and all(isinstance(value, Real | np.bool_) for value in present):
        return "numbers"
    return "dates" if present and all(isinstance(value, datetime.date) for value in present) else "categories"


def ordered_categories(frame: Any) -> dict[str, list[str]]:
    """Return the ordered categorical columns of a pandas frame, each with its categories, lowest first."""
    if not hasattr(frame, "dtypes"):
        return {}
    dtypes: dict[str, Any] = {str(name): getattr(frame[name], "dtype", None) for name in names_in(frame)}
    return {
        name: list(map(str, dtype.categories))
        for name, dtype in dtypes.items()
        if getattr(dtype, "ordered", None) is True and len(dtype.categories)
    }


def row_labels(frame: Any) -> Sequence[Any] | None:
    """Return the index of a pandas frame; None without an index, or if it counts the rows from 0."""
    index: Any = getattr(frame, "index", None)
    labels = index.tolist() if hasattr(index, "tolist") else None
    return None if labels is None or labels == list(range(len(labels))) else labels


def _array(column: Any) -> Array:
    try:
        return np.asarray(column)
    except ValueError:  # lists of several lengths
        return np.array([*column], object)
