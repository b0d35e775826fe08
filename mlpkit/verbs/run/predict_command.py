"""``mlpkit predict``: predict with a trained network."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from mlpkit.cli import options
from mlpkit.cli.standard_input import file_or_standard_input
from mlpkit.components.schema.wording import counted
from mlpkit.errors import UsageError
from mlpkit.lazy_names import load
from mlpkit.terminal.figures import figure
from mlpkit.terminal.formatting import columns
from mlpkit.terminal.output import document, result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mlpkit.jobs.explanations import Explanation
    from mlpkit.jobs.predict import Predictions
    from mlpkit.registry.registry import Registry


@options.verb("predict")
@options.run_argument
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@options.path_option("--out", metavar="FILE", help="Write a .csv, .jsonl or .parquet file.")
@click.option("--keep-inputs", is_flag=True, help="With --out, put all columns of FILE before the predictions.")
@click.option("--explain", is_flag=True, help="Show how much each column adds to the mean prediction.")
@click.option("--all-classes", is_flag=True, help="With --explain, explain the probability of every class.")
@options.registry_option
@options.json_option
def command(
    directory: Path,
    file: Path,
    out: Path | None,
    keep_inputs: bool,
    explain: bool,
    all_classes: bool,
    registry: Registry,
    as_json: bool,
) -> None:
    """Predict with a trained network.

    RUN is a run folder. FILE holds raw inputs: .npy, .npz, or a format of the data set; - is standard input. Prints one
    line per row of FILE: the most probable class and its probability, the probability of each label, or the values.
    With --json, prints the probabilities of all classes.

    Rows are counted from 0, as in an array; in a table with a header, row 0 is the first one below it. For files of a
    folder, each line also has the file's name. A row with a missing value has no prediction if no training row had one;
    a warning names it.

    --explain compares each row with about 100 training rows, and shows Shapley values with their standard errors: with
    the mean prediction for those rows, they add up to the prediction. It explains the probability of the predicted
    class, the probability of each label, or each value.
    """
    from mlpkit.groups import prediction_file  # noqa: PLC0415 - loads NumPy, which --help doesn't need
    from mlpkit.jobs.predict import predict  # noqa: PLC0415 - for the same reason

    if keep_inputs and out is None:
        raise UsageError("--keep-inputs goes with --out: it puts the inputs before the predictions in a file")
    if all_classes and not explain:
        raise UsageError("--all-classes goes with --explain: it explains the probability of every class")
    if out is not None:
        prediction_file.require_format(out, file)
    explanation: Explanation | None = None
    with file_or_standard_input(file) as rows:
        predictions = predict(directory, rows, registry, keep_inputs=keep_inputs)
        if explain:
            model = load("mlpkit.jobs.load_model:load_run")(directory, registry)
            explain_rows = load("mlpkit.jobs.explanations:explain")
            explanation = explain_rows(model, directory, rows, all_classes=all_classes)
    if out is not None:
        prediction_file.write_predictions(out, predictions, explanation)
        count = len(predictions.values)
        document({"rows": count, "out": out}) if as_json else result(f"{counted(count, 'prediction')} in {out}")
    elif as_json:
        for row, found in enumerate(prediction_file.documents(predictions)):
            more = {} if explanation is None else {"explanations": prediction_file.explanations(explanation, row)}
            document(found | more)
    elif explanation is not None:
        result("\n".join(_explained_lines(explanation, predictions.row_names)))
    else:
        result("\n".join(_lines(predictions)))


class _Column(NamedTuple):
    """A column of the table: its heading, a cell for each row, and whether they are numbers."""

    heading: str
    cells: Sequence[str]
    numbers: bool = True


def _lines(predictions: Predictions) -> list[str]:
    table = [_Column("row", [str(row) for row in range(len(predictions.values))])]
    if predictions.row_names is not None:
        table.append(_Column("name", predictions.row_names, numbers=False))
    table += _predicted(predictions)
    for name, cells in predictions.region_columns().items():
        are_sets = cells.dtype.kind == "O"
        table.append(_Column(name, cells.tolist() if are_sets else _digits(cells), numbers=not are_sets))
    rows = list(zip(*([column.heading, *column.cells] for column in table), strict=True))
    return columns(rows, right=[position for position, column in enumerate(table) if column.numbers])


def _predicted(predictions: Predictions) -> list[_Column]:
    values = predictions.values.reshape(len(predictions.values), -1)
    if predictions.classes is not None:
        classes = [predictions.label(row) for row in range(len(values))]
        largest = ["" if isnan(value) else figure(value) for value in values.max(axis=1).tolist()]
        return [_Column("class", classes, numbers=False), _Column("probability", largest)]
    if predictions.target_names is not None:
        return [_Column(name, _digits(one)) for name, one in zip(predictions.target_names, values.T, strict=True)]
    return [_Column("values", [" ".join(_digits(row)) for row in values], numbers=False)]


def _digits(values: NDArray[Any]) -> list[str]:
    """Write values to six digits, about as many as float32 has."""
    return ["" if isnan(value) else f"{value:.6g}" for value in values.tolist()]


def _explained_lines(explanation: Explanation, row_names: Sequence[str] | None) -> list[str]:
    """Return a block of lines for each row and output: prediction and mean, and the columns that add or take most."""
    lines: list[str] = []
    for row in range(len(explanation.values)):
        name = f"row {row}" if row_names is None else f"row {row}, {row_names[row]}"
        for output, base, values, errors in explanation.of_row(row):
            lines.append(f"{name}: {output} {figure(base + values.sum())}, {figure(base)} on average")
            cells = [
                [part, f"{'+' if adds >= 0 else '-'}{figure(abs(adds))}", f"± {figure(error)}" if error else ""]
                for part, adds, error in explanation.parts_of(row, values, errors)
            ]
            lines += [line.rstrip() for line in columns(cells, right=[1], indent="  ")]
    return lines
