"""The columns that a model takes, and the rows of a request: JSON objects, nested lists of numbers, or CSV."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple, NoReturn

import numpy as np

from mlpkit.array import Array
from mlpkit.components.input_columns import columns_of
from mlpkit.components.schema.wording import did_you_mean, listed
from mlpkit.errors import DataError, Diagnostic, MlpkitError
from mlpkit.jobs.inputs import Columns
from mlpkit.jobs.load_model import TrainedModel
from mlpkit.verbs.serve.refusals import BAD_REQUEST, WRONG, Refusal

BODY: Final = "the body"
MOST_NAMES_SHOWN: Final = 20

LARGEST: Final = 1e15
"""Larger numbers are refused in JSON: the arithmetic of a network might overflow."""
ANY_TEXT: Final = "\ufffd"
"""A text that is no category of any column."""
NUMBER: Final = {"type": "number", "minimum": -LARGEST, "maximum": LARGEST}
"""The JSON Schema of a number."""
TRUTHS: Final = {"true": True, "false": False}


@dataclass(frozen=True)
class Column:
    """A column that a model takes.

    Args:
        name: its name.
        is_number: whether it holds numbers and truth values; otherwise texts.
        optional: whether a value may be missing.
        categories: the only values that it may have, as JSON has them: texts, and the numbers and truth values that
            they stand for; empty if it takes any.
    """

    name: str
    is_number: bool
    optional: bool
    categories: tuple[str | float | bool, ...]

    @cached_property
    def types(self) -> frozenset[type]:
        """The Python types of its values in JSON."""
        found: set[type] = {int, float, bool} if self.is_number else {str, int, float, *map(type, self.categories)}
        return frozenset(found | {type(None)} if self.optional else found)

    @property
    def expected(self) -> str:
        """What it takes, in words."""
        what = "a number, or true or false" if self.is_number else "a text"
        return f"{what}, or null for a missing value" if self.optional else what

    @property
    def schema(self) -> dict[str, Any]:
        """Its JSON Schema."""
        if self.is_number:
            kinds: list[dict[str, Any]] = [NUMBER, {"type": "boolean"}]
        elif self.categories:
            kinds = [{"enum": [*self.categories]}]
        else:
            kinds = [{"type": "string", "pattern": r"\S"}, NUMBER]
        return {"anyOf": [*kinds, {"type": "null"}]} if self.optional else {"anyOf": kinds}

    @property
    def schema_in_tensor(self) -> dict[str, Any]:
        """Its JSON Schema where only numbers, or only texts, can be written."""
        if self.is_number:
            return NUMBER
        texts = [category for category in self.categories if isinstance(category, str)]
        return {"enum": texts} if texts else {"type": "string", "pattern": r"\S"}

    @property
    def example(self) -> str | float | bool:
        """A value that it takes."""
        if self.is_number:
            return 1
        return self.categories[0] if self.categories else "text"

    def as_in_a_file(self, value: str | float | None) -> str | float | None:
        """Return a value as a table has it: a truth value as a number, or as the category that it stands for."""
        if value is None or isinstance(value, str):
            return value
        if self.is_number:
            return float(value)
        texts = (category for category in self.categories if isinstance(category, str))
        return next((text for text in texts if value in _as_json([text])), value)


def columns_taken(model: TrainedModel) -> tuple[Column, ...] | None:
    """Return the columns that a model takes, found by trying values; None if it takes arrays."""
    names = model.dataset.column_names()
    if names is None:
        return None
    holds = {column.name: column.holds for column in columns_of(model.network.input_shape)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        required = _required(model, names)
        return tuple(_column(model, names, name, holds.get(name, ""), name not in required) for name in names)


def _column(model: TrainedModel, names: tuple[str, ...], name: str, holds: str, optional: bool) -> Column:
    if _takes(model, names, name, ANY_TEXT):
        return Column(name, is_number=False, optional=optional, categories=())
    if holds == "numbers" and _takes(model, names, name, 1.0):
        return Column(name, is_number=True, optional=optional, categories=())
    features = model.dataset.feature_names() or () if holds == "one_hot" else ()
    texts = [feature.removeprefix(f"{name}=") for feature in features if feature.startswith(f"{name}=")]
    return Column(name, is_number=False, optional=optional, categories=(*texts, *_as_json(texts)))


def _as_json(texts: Iterable[str]) -> list[float | bool]:
    """Return the numbers and truth values that texts stand for, as JSON has them."""
    found: list[float | bool] = []
    for text in texts:
        if text.lower() in TRUTHS:
            found.append(TRUTHS[text.lower()])
        elif text.removeprefix("-").isdecimal() and str(int(text)) == text:
            found.append(int(text))
    return found


def _takes(model: TrainedModel, names: tuple[str, ...], name: str, value: object) -> bool:
    try:
        model.dataset.from_columns({each: [value if each == name else None] for each in names})
    except MlpkitError:
        return False
    return True


def _required(model: TrainedModel, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns that may have no missing value."""
    try:
        return (*model.dataset.lacking(model.dataset.from_columns({name: [None] for name in names})).get(0, ()),)
    except MlpkitError:
        return names


class Rows(NamedTuple):
    """Rows to predict for.

    Args:
        content: columns by name, an array, or the text of a file.
        path: returns the JSON path of a row's value in a column, or of the row.
    """

    content: Columns | Array | bytes
    path: Callable[[int, str | None], str] | None = None

    @property
    def signature(self) -> object:
        """What is the same for rows that are encoded together without changing one another; None for several rows."""
        if isinstance(self.content, bytes):
            return None
        if isinstance(self.content, np.ndarray):
            return (self.content.dtype, self.content.shape) if len(self.content) == 1 else None
        values = [*self.content.values()]
        return tuple((name, type(value[0])) for name, value in self.content.items()) if len(values[0]) == 1 else None

    @contextmanager
    def source(self) -> Iterator[Columns | Array | Path]:
        """Return what ``inputs_of`` takes; the text of a file is in one until the end of the block."""
        if not isinstance(self.content, bytes):
            yield self.content
            return
        with TemporaryDirectory(prefix="mlpkit-") as folder:
            file = Path(folder) / "rows"
            file.write_bytes(self.content)
            try:
                yield file
            except DataError as error:
                raise error.renamed(file, BODY) from error

    def placed(self, problem: Diagnostic, error: DataError) -> Diagnostic:
        """Return a problem with its place in the request: a JSON path, or the row of a file."""
        if error.row is None:
            return problem
        if self.path is None:
            return problem._replace(file=BODY, line=error.row, path=error.column or "")
        return problem._replace(path=self.path(error.row, error.column))


def together(parts: Sequence[Rows]) -> Rows:
    """Return single rows of one signature as several rows."""
    if len(parts) == 1:
        return parts[0]
    first = parts[0].content
    if isinstance(first, np.ndarray):
        return Rows(np.concatenate([part.content for part in parts]))
    assert not isinstance(first, bytes)
    return Rows({name: [part.content[name][0] for part in parts] for name in first})  # type: ignore[call-overload]


def json_path(row: int, column: str | None = None, root: str = "$") -> str:
    """Return the JSON path of a row of a list, or of its value in a column."""
    if column is None:
        return f"{root}[{row}]"
    return f"{root}[{row}].{column}" if column.isidentifier() else f"{root}[{row}][{json.dumps(column)}]"


def json_of(body: bytes) -> Any:
    """Return the JSON that a body holds, or raise ``Refusal``."""
    try:
        return _DECODER.decode(body.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        _refuse_json(f"the body is not JSON: {error.msg}", error.lineno, error.colno)
    except RecursionError:
        _refuse_json("the body is not JSON that can be read: it is nested too deeply")
    except ValueError as error:
        _refuse_json(f"the body is not JSON: {error}")


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a JSON number; write null for a missing value")


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse_constant)


def _refuse_json(message: str, line: int = 0, column: int = 0) -> NoReturn:
    remedy = "a list of objects, such as [{...}], with Content-Type application/json; or CSV, with text/csv"
    raise Refusal(BAD_REQUEST, message, code="unreadable-file", line=line, column=column, expected=remedy)


def rows_of_json(document: Any, columns: Sequence[Column] | None) -> Rows:
    """Return the rows that a JSON document holds, or raise ``Refusal``, with the place of the first that is wrong."""
    if not isinstance(document, list) or not document:
        remedy = "give one row as a list that holds it: [{...}]" if isinstance(document, dict) else ""
        raise Refusal(WRONG, "the body is not a list of rows", code="wrong-type", path="$", remedy=remedy)
    if columns is None:
        return Rows(numbers_of(document, "$"), json_path)
    for number, row in enumerate(document):
        if type(row) is not dict:
            expected = f"an object with {listed([column.name for column in columns], MOST_NAMES_SHOWN)}"
            raise Refusal(WRONG, "a row is not an object", code="wrong-type", path=f"$[{number}]", expected=expected)
    return Rows({column.name: _values(document, column) for column in columns}, json_path)


def _values(rows: Sequence[dict[str, Any]], column: Column) -> list[Any]:
    """Return the values of a column, if all are of its type and in its range."""
    name = column.name
    try:
        values = [row[name] for row in rows]
    except KeyError:
        number = next(number for number, row in enumerate(rows) if name not in row)
        remedy = did_you_mean(name, rows[number])
        remedy = remedy or ("write null for a missing value" if column.optional else "")
        message = f"row {number}, counted from 0, has no column '{name}'"
        raise Refusal(WRONG, message, code="missing-key", path=json_path(number), remedy=remedy) from None
    types = column.types
    for number, value in enumerate(values):
        if type(value) not in types:
            _refuse(column, number, value, "wrong-type", expected=column.expected)
        if value is None:
            continue
        if type(value) is str:
            if column.categories and value not in column.categories:
                _refuse_category(column, number, value)
            if not value.strip():
                _refuse(column, number, value, "wrong-value", expected=column.expected)
        elif not -LARGEST <= value <= LARGEST:
            _refuse(column, number, value, "out-of-range", expected=f"a number from -{LARGEST:g} to {LARGEST:g}")
        elif column.categories and value not in column.categories:
            _refuse_category(column, number, value)
    return values


def _refuse_category(column: Column, number: int, value: Any) -> NoReturn:
    texts = [category for category in column.categories if isinstance(category, str)]
    remedy = did_you_mean(value, texts) if isinstance(value, str) else ""
    expected = "" if remedy else f"one of {listed(texts, MOST_NAMES_SHOWN)}"
    _refuse(column, number, value, "wrong-value", expected=expected, remedy=remedy)


def _refuse(column: Column, number: int, value: Any, code: Any, *, expected: str, remedy: str = "") -> NoReturn:
    shown = json.dumps(value)[:100]
    message = f"row {number}, counted from 0, has {shown} in the column '{column.name}'"
    path = json_path(number, column.name)
    raise Refusal(WRONG, message, code=code, path=path, expected=expected, remedy=remedy)


def numbers_of(values: Any, path: str) -> Array:
    """Return nested lists of numbers as an array, or raise ``Refusal``."""
    try:
        found = np.asarray(values)
    except (ValueError, OverflowError):  # lists of several lengths
        found = np.empty(0, object)
    if found.dtype.kind not in "iuf" or not found.size:
        raise Refusal(WRONG, "the rows are not an array of numbers", code="wrong-type", path=path)
    require_in_range(found, path)
    return found


def require_in_range(numbers: Array, path: str) -> None:
    """Check that no number is too large, or raise ``Refusal``; NaN is a missing value."""
    wide = numbers.astype(np.float64, copy=False)  # a float16 holds no limit, and -(2**63) has no int64 as its opposite
    if (np.abs(wide) > LARGEST).any():
        expected = f"numbers from -{LARGEST:g} to {LARGEST:g}"
        raise Refusal(WRONG, "a number is too large", code="out-of-range", path=path, expected=expected)
