"""Predictions of a trained network for a file of the user's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlpkit.components.target import Classes
from mlpkit.errors import DataError
from mlpkit.jobs.blas_threads import blas_threads
from mlpkit.jobs.load_model import load_run
from mlpkit.jobs.numpy_file import NUMPY_SUFFIXES, read_numpy_file
from mlpkit.network.blame import Blame
from mlpkit.training.divergence import without_warnings

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from mlpkit.registry.registry import Registry


@dataclass(frozen=True)
class Predictions:
    """What a network says of each row of a file.

    Args:
        values: predictions, shape (rows, ...): probabilities where classes are predicted.
        classes: number of the most probable class of each row; None where no classes are predicted.
        class_names: names of the classes; None if they are just numbers.
    """

    values: NDArray[Any]
    classes: NDArray[Any] | None
    class_names: tuple[str, ...] | None

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
        RunFolderError: the folder is not a run folder, or holds no model yet.
        ModelFileError: the model file is damaged.
        DataError: the file can't be read, or does not fit the network.
        ComponentFailure: the data set raised an exception of its own.
    """
    model = load_run(directory, registry)
    with Blame(f"dataset {model.spec.data.name} failed to read {file}"):
        raw = read_numpy_file(file) if file.suffix in NUMPY_SUFFIXES else model.dataset.read(file)
        inputs = model.dataset.encode(raw)
    expected = model.network.input_shape
    if inputs.shape == expected:
        inputs = inputs[None]
    if inputs.shape[1:] != expected or not len(inputs):
        raise DataError(file, f"holds an array of shape {raw.shape}; expected (rows, *{expected})")
    with blas_threads(model.threads), without_warnings():
        values = model.network.predict(inputs)
    classes = values.argmax(axis=1) if isinstance(model.target, Classes) else None
    return Predictions(values, classes, model.dataset.class_names())
