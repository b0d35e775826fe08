"""Predictions of a trained network for a file of the user's."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit.components.schema.wording import did_you_mean
from mlpkit.components.target import Classes, Labels
from mlpkit.errors import DataError, PluginError, ShapeError, UsageError
from mlpkit.jobs.load_model import load_run
from mlpkit.jobs.numpy_file import NUMPY_SUFFIXES, read_numpy_file
from mlpkit.network.component_errors import component_errors
from mlpkit.training.divergence import without_warnings
from mlpkit.training.workers import blas_threads

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from mlpkit.jobs.load_model import TrainedModel
    from mlpkit.registry.registry import Registry


@dataclass(frozen=True)
class Predictions:
    """What a network says of each row of a file.

    Args:
        values: predictions, shape (rows, ...): probabilities where classes are predicted.
        classes: number of the most probable class of each row; None where no classes are predicted.
        class_names: names of the classes; None if they are just numbers.
        target_names: a name for each label or value; None if they have none.
        row_names: what each row comes from, such as a file of a folder; None if rows have no names.
    """

    values: NDArray[Any]
    classes: NDArray[Any] | None
    class_names: tuple[str, ...] | None
    target_names: tuple[str, ...] | None = None
    row_names: tuple[str, ...] | None = None

    @property
    def class_labels(self) -> tuple[str, ...]:
        """The name or number of each class, in the order of their probabilities."""
        return self.class_names or tuple(map(str, range(self.values.shape[1])))

    def label(self, row: int) -> str:
        """Return the name or number of a row's most probable class."""
        number = int(self.classes[row]) if self.classes is not None else 0
        return self.class_names[number] if self.class_names else str(number)


def predict(directory: Path, file: Path, registry: Registry | None = None) -> Predictions:
    """Return a run's predictions for each row of a file.

    Args:
        directory: the run folder.
        file: raw inputs: an .npy or .npz file, or one of the data set's own formats.
        registry: the plugins to take components from; by default what is installed.

    Raises:
        UsageError: there is no such file.
        RunFolderError: the folder is not a run folder, or holds no model yet.
        ModelFileError: the model file is damaged.
        DataError: the file can't be read, does not fit the network, or holds what is not a finite number.
        PluginError: the data set names more or fewer rows than it reads.
        ComponentFailure: the data set raised an exception of its own.
    """
    model = load_run(directory, registry)
    _expect_there(file)
    with component_errors(f"dataset {model.spec.data.name} failed to read {file}"), without_warnings():
        raw, row_names = _read(model, file)
        inputs = _encoded(model, file, raw)
    expected = model.network.input_shape
    if inputs.shape == expected:
        inputs = inputs[None]
    if inputs.shape[1:] != expected or not len(inputs):
        raise DataError(file, f"holds an array of shape {raw.shape}; expected (rows, *{expected})")
    if row_names is not None and len(row_names) != len(inputs):
        names = f"{len(row_names)} names for the {len(inputs)} rows"
        raise PluginError(f"dataset {model.spec.data.name} gives {names} of {file}; expected one for each")
    _expect_finite(file, inputs, "gives the network {value}; expected finite numbers")
    with blas_threads(model.threads), without_warnings():
        values = model.network.predict(inputs)
    _expect_finite(file, values, "is so far from what the network was trained on that it predicts {value}")
    classes = values.argmax(axis=1) if isinstance(model.target, Classes) else None
    return Predictions(values, classes, model.dataset.class_names(), _target_names(model), row_names)


def _expect_there(file: Path) -> None:
    """Make sure that there is a file, or a folder, of that name; whatever else is wrong with it shows when it is read.

    Raises:
        UsageError: there is no such file; the message has the name that was probably meant.
    """
    try:
        file.stat()
    except FileNotFoundError as error:
        with suppress(OSError):
            remedy = did_you_mean(file.name, [path.name for path in file.parent.iterdir()])
            raise UsageError("; ".join(filter(None, (f"there is no file '{file}'", remedy)))) from error
        raise UsageError(f"there is no folder '{file.parent}'") from error
    except (OSError, ValueError):
        return


def _read(model: TrainedModel, file: Path) -> tuple[NDArray[Any], tuple[str, ...] | None]:
    """Return raw inputs, and the names of the rows."""
    if file.suffix in NUMPY_SUFFIXES:
        return read_numpy_file(file), None
    return model.dataset.read(file), model.dataset.row_names(file)


def _encoded(model: TrainedModel, file: Path, raw: NDArray[Any]) -> NDArray[Any]:
    try:
        return model.dataset.encode(raw)
    except ShapeError as error:  # the data set does not know which file it is about
        raise DataError(file, str(error)) from error


def _expect_finite(file: Path, rows: NDArray[Any], message: str) -> None:
    """Make sure that rows are finite numbers.

    Args:
        file: where they come from.
        rows: the rows.
        message: what to say of one that is not, with a place for its ``value``.

    Raises:
        DataError: one is not.
    """
    finite = np.isfinite(rows)
    if not finite.all():
        place = np.unravel_index(int((~finite).argmax()), rows.shape)
        raise DataError(file, f"row {place[0]}, counted from 0, {message.format(value=rows[place])}")


def _target_names(model: TrainedModel) -> tuple[str, ...] | None:
    """Return the names of labels or values; labels without names go by their numbers."""
    if isinstance(model.target, Labels):
        return model.dataset.target_names() or tuple(map(str, range(model.target.count)))
    return model.dataset.target_names()
