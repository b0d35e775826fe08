"""Predicting for the rows of a file, and writing the predictions to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.groups.prediction_file import expect_format, write_predictions
from mlpkit.jobs.predict import predict
from mlpkit.verbs.run.standard_input import file_or_standard_input

if TYPE_CHECKING:
    from pathlib import Path

    from mlpkit.jobs.predict import Predictions
    from mlpkit.registry.registry import Registry


def predict_file(
    directory: Path, file: Path, out: Path | None, registry: Registry, *, keep_inputs: bool
) -> Predictions:
    """Predict with a trained network, and write the predictions if a file for them is given.

    Args:
        directory: the run folder.
        file: the rows; ``-`` is standard input.
        out: the file to write.
        registry: the plugins to take components from.
        keep_inputs: whether predictions have the columns of the file.

    Raises:
        MlpkitError: as ``predict`` and ``write_predictions`` do.
    """
    if out is not None:
        expect_format(out, file)
    with file_or_standard_input(file) as rows:
        predictions = predict(directory, rows, registry, keep_inputs=keep_inputs)
    if out is not None:
        write_predictions(out, predictions)
    return predictions
