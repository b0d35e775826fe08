"""The background rows of a run: training rows that its predictions are compared with, kept in the run folder."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mlpkit.errors import MlpkitError, RunFolderError, StorageError, UsageError
from mlpkit.jobs.evaluate import data_of_run, warning_of_changed_data
from mlpkit.jobs.inputs import inputs_of
from mlpkit.jobs.spec_data import raw_rows
from mlpkit.network.sampling import evenly_spaced
from mlpkit.runs.layout import BACKGROUND
from mlpkit.runs.model_file import load_model_file, save_model

if TYPE_CHECKING:
    from pathlib import Path

    from mlpkit.components.dataset import RawRows, Split
    from mlpkit.jobs.load_model import TrainedModel

MOST_ROWS: Final = 100
_COLUMNS, _ROWS = "columns", "rows"
PASS_ROWS: Final = "in Python, pass some training rows: model.explain(rows, background=rows)"


def background_of(directory: Path | None, model: TrainedModel) -> RawRows:
    """Return the background rows of a run; the first call draws and writes them.

    Raises:
        UsageError: the run has not kept any, and they can't be drawn from its data.
        RunFolderError: the file is damaged.
    """
    if directory is None:
        raise UsageError(
            f"a model file alone has no training rows to compare with; load the run folder, or {PASS_ROWS}"
        )
    path = directory / BACKGROUND
    if path.exists():
        return _read(path, model)
    try:
        _, data = data_of_run(directory, model)
        rows = drawn_background(model, data["train"])
    except MlpkitError as error:
        found = f"{directory}: has no {BACKGROUND} yet, and the training rows for it can't be read: {error}"
        raise UsageError(f"{found}; restore the data, or {PASS_ROWS}") from error
    changed = warning_of_changed_data(directory, model)
    if changed:
        warnings.warn(f"{directory}: {changed}", stacklevel=2)
    try:
        arrays = {_ROWS: rows} if isinstance(rows, np.ndarray) else {}
        save_model(path, arrays, {} if arrays else {_COLUMNS: rows})
    except StorageError as error:
        warnings.warn(f"the background rows are drawn again next time: {error}", stacklevel=2)
    return rows


def drawn_background(model: TrainedModel, train: Split) -> RawRows:
    """Return raw training rows, evenly spaced, as plain data."""
    raw = raw_rows(model.dataset, "train", evenly_spaced(len(train), MOST_ROWS), train)
    if raw is None:
        raise UsageError(f"{model.spec.data.name} gives no raw rows")
    if not isinstance(raw, Mapping):
        return raw
    plain = {name: list(map(_plain, values)) for name, values in raw.items()}
    if not np.array_equal(inputs_of(model, raw).x, inputs_of(model, plain).x):
        raise UsageError(f"the values of {model.spec.data.name} can't be written as texts and numbers")
    return plain


def _plain(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)


def _read(path: Path, model: TrainedModel) -> RawRows:
    names = model.dataset.column_names()
    try:
        file = load_model_file(path)
        rows = file.arrays[_ROWS] if names is None else {name: file.metadata[_COLUMNS][name] for name in names}
        inputs_of(model, rows)  # checks lengths and values
    except (MlpkitError, KeyError, TypeError) as error:
        problem = error if isinstance(error, MlpkitError) else "it holds something else"
        remedy = "remove the file, and it is written again from the run's data"
        raise RunFolderError(f"{path}: is not the background of this run: {problem}; {remedy}") from error
    return rows
