"""``mlpkit predict``: predict with a trained network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlpkit.cli import options
from mlpkit.cli.columns import columns
from mlpkit.cli.figures import figure
from mlpkit.cli.output import document, result

if TYPE_CHECKING:
    from mlpkit.jobs.predict import Predictions


@click.command("predict")
@click.argument("directory", metavar="RUN", type=click.Path(path_type=Path))
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@options.takes_plugins
@options.takes_json
def command(directory: Path, file: Path, plugins: tuple[str, ...], blocked: tuple[str, ...], as_json: bool) -> None:
    """Predict with a trained network.

    RUN is a run folder, FILE holds raw inputs: .npy, .npz, or a format of the data set. Prints a line a row of
    FILE, counted from 0: the most probable class and its probability, or the values. With --json, all probabilities.
    """
    from mlpkit.jobs.predict import predict  # noqa: PLC0415 - loads NumPy, which --help does without
    from mlpkit.registry.registry import Registry  # noqa: PLC0415 - likewise

    predictions = predict(directory, file, Registry.discover(plugins=plugins, blocked=blocked))
    if as_json:
        for row in range(len(predictions.values)):
            document(_document(predictions, row))
    else:
        result("\n".join(_lines(predictions)))


def _lines(predictions: Predictions) -> list[str]:
    rows = range(len(predictions.values))
    if predictions.classes is None:
        table = [("row", "values"), *((str(row), " ".join(_flat(predictions, row))) for row in rows)]
        return columns(table, right=(0,))
    classes = [(str(row), predictions.label(row), figure(_probability(predictions, row))) for row in rows]
    return columns([("row", "class", "probability"), *classes], right=(0, 2))


def _flat(predictions: Predictions, row: int) -> list[str]:
    return [figure(float(value)) for value in predictions.values[row].ravel()]


def _probability(predictions: Predictions, row: int) -> float:
    return float(predictions.values[row].max())


def _document(predictions: Predictions, row: int) -> dict[str, Any]:
    values = predictions.values[row].tolist()
    if predictions.classes is None:
        return {"row": row, "values": values}
    return {
        "row": row,
        "class": predictions.label(row),
        "probability": _probability(predictions, row),
        "probabilities": values,
    }
