"""Predictions as rows of a file, CSV, JSON Lines or Parquet; and as plain data, as ``--json`` and a server answer."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mlpkit.errors import UsageError
from mlpkit.jobs.predict import Predictions
from mlpkit.jobs.trained_model import class_values
from mlpkit.runs.files import write_atomically

if TYPE_CHECKING:
    from mlpkit.jobs.explanations import Explanation
    from mlpkit.jobs.inputs import Column, Columns

_ROWS_TOGETHER: Final = 1000


def require_format(out: Path, source: Path) -> None:
    """Check that predictions can be written to a file of that name, which isn't the source, or raise ``UsageError``."""
    if out.suffix not in _WRITERS:
        raise UsageError(f"predictions can't be written to '{out}'; expected a name that ends in {_FORMATS}")
    if out.exists() and source.exists() and out.samefile(source):
        raise UsageError(f"the predictions would replace their inputs, '{source}'; choose another name")
    if out.suffix == ".parquet":
        _pyarrow()


def write_predictions(out: Path, predictions: Predictions, explanation: Explanation | None = None) -> None:
    """Write predictions below names of columns, after their inputs if these were kept, and before an explanation."""
    columns = dict(predictions.inputs or {})
    of_explanation = {} if explanation is None else explanation_columns(explanation)
    for name, values in (prediction_columns(predictions) | of_explanation).items():
        if name in columns:
            remedy = "rename it, or leave out --keep-inputs"
            raise UsageError(f"the inputs already have a column '{name}', which a prediction needs; {remedy}")
        columns[name] = values
    if len(set(map(len, columns.values()))) > 1:
        raise UsageError("the file changed while it was read; expected a row for each prediction")
    write_columns(out, columns)


def write_columns(out: Path, columns: Columns) -> None:
    """Write columns to a file in the format that its name ends in."""
    write_atomically(out, _WRITERS[out.suffix](columns))


def prediction_columns(predictions: Predictions) -> dict[str, Column]:
    """Return predictions as columns.

    Classes: ``predicted`` and ``probability``, then ``probability_NAME`` of each; labels: ``predicted_NAME`` and
    ``probability_NAME`` of each; values: ``predicted_NAME`` of each, or ``predicted`` of one without a name. Then come
    the ``region_columns``.
    """
    values = predictions.values.reshape(len(predictions.values), -1)
    targets = predictions.target_names or tuple(map(str, range(values.shape[1])))
    columns: dict[str, Column] = {} if predictions.row_names is None else {"name": predictions.row_names}
    if predictions.classes is not None:
        names = np.array(class_values(predictions.class_names, values.shape[1]))
        found = np.take(names, predictions.classes)
        if predictions.absent:
            found = found.astype(object)
            found[[*predictions.absent]] = None
        columns |= {"predicted": found, "probability": values.max(axis=1)}
        columns |= _each("probability", predictions.class_labels, values)
    elif predictions.are_labels:
        ones = (values >= 0.5).astype(np.int64)
        labels = ones if not predictions.absent else np.where(np.isnan(values), None, ones)  # type: ignore[call-overload]
        columns |= _each("predicted", targets, labels) | _each("probability", targets, values)
    else:
        alone = predictions.target_names is None and len(targets) == 1
        columns |= {"predicted": values[:, 0]} if alone else _each("predicted", targets, values)
    return columns | predictions.region_columns()


def explanation_columns(explanation: Explanation) -> dict[str, Column]:
    """Return an explanation as columns: ``mean``, and ``adds_COLUMN`` and ``error_COLUMN`` of each column.

    With several outputs, the output's name comes before the column's: ``mean_OUTPUT``, ``adds_OUTPUT_COLUMN``.
    """
    columns: dict[str, Column] = {}
    rows, outputs = len(explanation.values), explanation.outputs if explanation.values.ndim > 2 else ("",)
    for i, output in enumerate(outputs):
        names = [f"{output}_{name}" if output else name for name in explanation.columns]
        columns[f"mean_{output}" if output else "mean"] = explanation.base.reshape(rows, -1)[:, i]
        for what, values in (("adds", explanation.values), ("error", explanation.errors)):
            columns |= _each(what, names, values.reshape(rows, len(names), -1)[..., i])
    return columns


def _each(what: str, names: Iterable[str], values: Any) -> dict[str, Column]:
    return {f"{what}_{name}": column for name, column in zip(names, values.T, strict=True)}


def _rows(columns: Columns) -> Iterator[tuple[Any, ...]]:
    """Return the rows, their numbers with as many digits as identify them."""
    return zip(*map(_plain, columns.values()), strict=True)


def _plain(values: Column) -> Iterable[Any]:
    if isinstance(values, np.ndarray) and values.dtype.kind == "f":
        return (None if np.isnan(value) else float(str(value)) for value in values)
    return values.tolist() if isinstance(values, np.ndarray) else values


def _csv(columns: Columns) -> Iterator[bytes]:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for number, row in enumerate(_rows(columns), 1):
        writer.writerow(row)
        if number % _ROWS_TOGETHER == 0:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def _json_lines(columns: Columns) -> Iterator[bytes]:
    for row in _rows(columns):
        finite = (None if isinstance(value, float) and not math.isfinite(value) else value for value in row)
        document = dict(zip(columns, finite, strict=True))
        yield json.dumps(document, default=str, allow_nan=False).encode() + b"\n"


def _parquet(columns: Columns) -> Iterator[bytes]:
    pyarrow = _pyarrow()
    stream = io.BytesIO()
    pyarrow.parquet.write_table(
        pyarrow.table({name: pyarrow.array(values, from_pandas=True) for name, values in columns.items()}), stream
    )
    yield stream.getvalue()


def _pyarrow() -> Any:
    try:
        import pyarrow.parquet  # noqa: PLC0415 - an optional library, and slow to load
    except ImportError as error:
        raise UsageError('writing .parquet needs pyarrow; install it with: pip install "mlpkit[parquet]"') from error
    return pyarrow


_WRITERS: Final[dict[str, Callable[[Columns], Iterator[bytes]]]] = {
    ".csv": _csv,
    ".jsonl": _json_lines,
    ".parquet": _parquet,
}
_FORMATS: Final = ", ".join(list(_WRITERS)[:-1]) + " or .parquet"


def documents(predictions: Predictions) -> Iterator[dict[str, Any]]:
    """Go through the rows: class, probabilities or values of each, and then the ends of its interval or its set."""
    regions = {name: cells.tolist() for name, cells in predictions.region_columns().items()}
    for row, values in enumerate(predictions.values.tolist()):
        yield _document(predictions, row, values) | {name: cells[row] for name, cells in regions.items()}


def _document(predictions: Predictions, row: int, values: list[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"row": row}
    if predictions.row_names is not None:
        found["name"] = predictions.row_names[row]
    if predictions.classes is not None:
        found |= {"class": predictions.label(row) or None, "probability": max(values)}
        return found | {"classes": predictions.class_labels, "probabilities": values}
    if predictions.target_names is not None:
        return found | {"values": dict(zip(predictions.target_names, values, strict=True))}
    return found | {"values": values}


def explanations(explanation: Explanation, row: int) -> list[dict[str, Any]]:
    """Return the explanation of each output of a row."""
    return [
        {"of": output, "mean": base}
        | {
            what: dict(zip(explanation.columns, numbers.tolist(), strict=True))
            for what, numbers in (("adds", values), ("errors", errors))
        }
        for output, base, values, errors in explanation.of_row(row)
    ]
