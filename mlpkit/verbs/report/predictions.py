"""Predictions of a split with their targets: values beside true ones, the worst, and why rows are predicted so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.target import Classes, Labels, Target, Values
from mlpkit.errors import UsageError
from mlpkit.jobs.explanations import columns_in, drawn_background, explain_raw, rows_at
from mlpkit.jobs.spec_data import evenly_spaced
from mlpkit.pages import charts
from mlpkit.pages.images import image_shape, thumbnail
from mlpkit.pages.parts import beside, paragraph, pictures, section, table
from mlpkit.terminal.figures import figure

if TYPE_CHECKING:
    from mlpkit.components.dataset import RawRows, Split
    from mlpkit.jobs.load_model import TrainedModel
    from mlpkit.network.coverage import RegionsFound


@dataclass(frozen=True)
class ScoredPredictions:
    """Predictions for some of the ``of`` rows of a split, whose targets are known.

    Args:
        prediction: what the loss's ``predict`` returns, or its point prediction, shape (rows, ...).
        t: the targets, as ``Split.take`` writes them.
        names: a name for each class, label or value.
        uncalibrated: what would be predicted without the calibration.
        regions: what the regions around the predictions hold.
    """

    split: str
    of: int
    target: Target
    prediction: Array
    t: Array
    names: Sequence[str]
    uncalibrated: Array | None = None
    regions: RegionsFound | None = None

    @property
    def rows(self) -> str:
        """Which rows these are, in words."""
        count = len(self.prediction)
        return (
            f"{count:,} of {self.of:,} rows of {self.split}" if count < self.of else f"{count:,} rows of {self.split}"
        )

    @property
    def classes(self) -> NDArray[np.intp]:
        """The number of the class of each row, if classes are predicted."""
        one_hot = isinstance(self.target, Classes) and self.target.one_hot
        return np.asarray(self.t.argmax(axis=1) if one_hot else self.t, np.intp)

    @property
    def predicted_classes(self) -> NDArray[np.intp]:
        """The number of the most probable class of each row, if classes are predicted."""
        return np.asarray(self.prediction.argmax(axis=1))

    @property
    def labels(self) -> NDArray[np.bool_]:
        """Whether each row has each label, if labels are predicted, shape (rows, labels)."""
        return self.t.reshape(len(self.t), -1) >= 0.5

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """The probability of each class or label, shape (rows, classes or labels)."""
        return self.prediction.reshape(len(self.prediction), -1).astype(np.float64)

    def against_rest(self, number: int) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """Return whether each row is of a class, or has a label, and how probable that is."""
        truth: NDArray[np.bool_] = self.labels[:, number] if isinstance(self.target, Labels) else self.classes == number
        return truth, self.probabilities[:, number]

    def certainty(self, prediction: Array) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return the probability of each row's most probable class, or of each label, and whether it is right."""
        if isinstance(self.target, Classes):
            return prediction.max(axis=1).astype(np.float64), prediction.argmax(axis=1) == self.classes
        return prediction.reshape(-1).astype(np.float64), self.labels.reshape(-1)

    @property
    def values(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The values predicted and true, each of shape (rows, values)."""
        predicted, true = (each.reshape(len(each), -1).astype(np.float64) for each in (self.prediction, self.t))
        return predicted, true


MOST_IMAGES: Final = 24
MOST_ROWS: Final = 15
MOST_COLUMNS: Final = 30
LONGEST_CELL: Final = 60


def worst_rows(scored: ScoredPredictions) -> NDArray[np.intp]:
    """Return the positions of the rows that are predicted most wrongly, the worst first: as many as are shown."""
    wrongness: NDArray[np.float64] = _wrongness_by_output(scored).max(axis=1)
    order = np.argsort(-wrongness, kind="stable")[:MOST_IMAGES]
    return order[wrongness[order] > 0]  # 0 is right


def worst_outputs(scored: ScoredPredictions, rows: NDArray[np.intp]) -> list[int]:
    """Return the number of the label or value that is predicted most wrongly in each of some rows; 0 for classes."""
    outputs: list[int] = _wrongness_by_output(scored)[rows].argmax(axis=1).tolist()
    return outputs


def _wrongness_by_output(scored: ScoredPredictions) -> NDArray[np.float64]:
    """Return how wrong the prediction of each label or value is, shape (rows, outputs); of classes, one output."""
    if isinstance(scored.target, Classes):
        sure = scored.prediction.max(axis=1).astype(np.float64)
        return np.where(scored.predicted_classes == scored.classes, 0.0, sure)[:, None]
    if isinstance(scored.target, Values):
        predicted_values, true = scored.values
        spread = true.std(axis=0)
        return np.asarray(np.abs(predicted_values - true) / np.where(spread > 0, spread, 1.0))
    wrong = (scored.probabilities >= 0.5) != scored.labels
    return np.asarray(np.abs(scored.probabilities - 0.5) * wrong)


def mistakes_section(
    scored: ScoredPredictions, rows: NDArray[np.intp], raw: RawRows | None, indices: NDArray[np.intp], why: str = ""
) -> str:
    """Return the worst predictions with their targets and inputs."""
    title = "Largest residuals" if isinstance(scored.target, Values) else "Most confident mistakes"
    if not len(rows):
        return section(title, paragraph(f"No mistake among {scored.rows}."))
    headings, cells_of_rows = _cells(scored, rows)
    if isinstance(raw, np.ndarray) and image_shape(raw) is not None:
        captions = [
            ", ".join(f"{name} {cell}" for name, cell in zip(headings, cells, strict=True) if cell)
            for cells in cells_of_rows
        ]
        return section(title, paragraph(f"Among {scored.rows}."), pictures([thumbnail(each) for each in raw], captions))
    columns = dict([*raw.items()][:MOST_COLUMNS]) if isinstance(raw, Mapping) else {}
    shown = [
        [f"{indices[row]:,}", *cells, *(_shortened(values[i]) for values in columns.values())]
        for i, (row, cells) in enumerate(zip(rows[:MOST_ROWS], cells_of_rows, strict=False))
    ]
    texts = [] if isinstance(scored.target, Values) else [1, 2]
    return section(
        title,
        paragraph(f"Among {scored.rows}. Rows of {scored.split} count from 0."),
        table(["row", *headings, *columns], shown, texts=texts, sortable=True),
        why,
    )


def _shortened(value: Any) -> str:
    text = "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= LONGEST_CELL else f"{text[: LONGEST_CELL - 1]}…"


def _cells(scored: ScoredPredictions, rows: NDArray[np.intp]) -> tuple[list[str], list[list[str]]]:
    """Return headings, and what is predicted and true of each row."""
    if isinstance(scored.target, Values):
        return _value_cells(scored, rows)
    if isinstance(scored.target, Classes):
        true, predicted = scored.classes, scored.predicted_classes
        cells = [
            [scored.names[true[row]], scored.names[predicted[row]], f"{scored.prediction[row, predicted[row]]:.1%}"]
            for row in rows
        ]
        return ["true", "predicted", "at"], cells
    label, has, probabilities = _wrongness_by_output(scored).argmax(axis=1), scored.labels, scored.probabilities
    places = [(row, label[row]) for row in rows]
    cells = [[scored.names[at[1]], "yes" if has[at] else "no", f"{probabilities[at]:.1%}"] for at in places]
    return ["label", "true", "probability"], cells


def _value_cells(scored: ScoredPredictions, rows: NDArray[np.intp]) -> tuple[list[str], list[list[str]]]:
    predicted, true = scored.values
    one = len(scored.names) == 1
    headings = [f"{what}{'' if one else f' {name}'}" for name in scored.names for what in ("true", "predicted")]
    pairs = [zip(true[row], predicted[row], strict=True) for row in rows]
    return headings, [[figure(float(value)) for pair in row for value in pair] for row in pairs]


MOST_EXPLAINED: Final = 4
ORDERS: Final = 200
MOST_FLOPS: Final = 10**10


def explained_rows(
    model: TrainedModel, train: Split, raw: RawRows, indices: NDArray[np.intp], outputs: Sequence[int]
) -> str:
    """Return a picture for each of the first rows: what each column adds to the mean, or raise ``UsageError``.

    For classes, the predicted one is explained; ``outputs`` has the label or value to explain of each row.
    """
    count = min(
        MOST_EXPLAINED, len(outputs), MOST_FLOPS // (2 * ORDERS * columns_in(raw) * max(1, model.network.flops))
    )
    if not count:
        raise UsageError("it would take longer than the rest of the page; mlpkit.load(run).explain(rows) does it")
    background, figures = drawn_background(model, train), []
    found = explain_raw(model, rows_at(raw, np.arange(count)), background, orders=ORDERS)
    for row, (index, output) in enumerate(zip(indices[:count].tolist(), outputs, strict=False)):
        of, base, values, errors = found.of_row(row)[output]
        parts = found.parts_of(row, values, errors)
        bars = [{"column": column, "adds": short(value)} for column, value, _ in parts]
        cells = [[column, figure(value), "" if error is None else figure(error)] for column, value, error in parts]
        caption = f"Row {index:,}: {of} {figure(base + values.sum())}, {figure(base)} on average"
        chart = charts.bars(bars, "column", "adds", titles=("", "added"))
        figures.append(charts.figure(caption, chart, table([f"row {index:,}", "adds", "error"], cells, texts=[0])))
    text = "Why: what each column adds to the mean prediction for training rows (Shapley values)."
    return paragraph(text) + beside(*figures)


MOST_POINTS: Final = 400
MOST_VALUES: Final = 4
BINS: Final = 24


def values_section(scored: ScoredPredictions) -> str:
    """Return the values predicted against the true ones, their residuals, and both in numbers."""
    predicted, true = scored.values
    shown = range(min(MOST_VALUES, len(scored.names)))
    figures = [part for i in shown for part in _figures(scored.names[i], predicted[:, i], true[:, i], len(shown))]
    rows = [_numbers(scored.names[i], predicted[:, i], true[:, i]) for i in shown]
    headings = ["", "mean residual", "standard deviation", "mean absolute", "largest"]
    return section(
        "Predicted and true",
        paragraph(f"From {scored.rows}. A residual is the predicted value minus the true one."),
        beside(*figures),
        table(headings, rows, caption="Residuals", texts=[0]),
    )


def _figures(name: str, predicted: NDArray[np.float64], true: NDArray[np.float64], values: int) -> list[str]:
    chosen = evenly_spaced(len(true), MOST_POINTS // values)
    points = [{"true": short(true[i]), "predicted": short(predicted[i])} for i in chosen]
    against = charts.points(points, "true", "predicted", titles=(f"true {name}", f"predicted {name}"), diagonal=True)
    counts, edges = np.histogram(predicted - true, BINS)
    residuals = charts.histogram(
        counts.tolist(), [short(edge) for edge in edges], titles=(f"residual of {name}", "rows")
    )
    return [charts.figure(f"{name}: predicted and true", against), charts.figure(f"{name}: residuals", residuals)]


def short(value: float) -> float:
    """Return a number for a chart, which needs no more than five digits."""
    return float(f"{value:.5g}")


def _numbers(name: str, predicted: NDArray[np.float64], true: NDArray[np.float64]) -> list[str]:
    residual = predicted - true
    largest = residual[np.abs(residual).argmax()]
    return [
        name,
        *(figure(float(each)) for each in (residual.mean(), residual.std(), np.abs(residual).mean(), largest)),
    ]
