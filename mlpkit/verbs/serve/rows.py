"""The rows of a request: a list of JSON objects, nested lists of numbers, or CSV."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple, NoReturn

import numpy as np

from mlpkit.array import Array
from mlpkit.components.schema.wording import did_you_mean, listed
from mlpkit.errors import DataError, Diagnostic
from mlpkit.jobs.inputs import Columns
from mlpkit.verbs.serve.columns import LARGEST, Column
from mlpkit.verbs.serve.refusals import BAD_REQUEST, WRONG, Refusal

BODY: Final = "the body"
MOST_NAMES_SHOWN: Final = 20


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
        if value is None or value in (True, False):
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
