"""How good predicted classes or labels are: which are taken for which, and what their probabilities are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpkit.components.target import Classes
from mlpkit.pages import charts
from mlpkit.pages.parts import beside, paragraph, section, table
from mlpkit.reliability import calibration_bins, expected_calibration_error
from mlpkit.verbs.report.predictions import ScoredPredictions

MOST_CELLS_WIDE: Final = 20
"""Classes up to which the confusion matrix is drawn."""
NARROWEST_CELL: Final = 4
"""Width of a cell of the confusion matrix that is wide enough for any count, in rem."""
NARROWEST_PART: Final = 22
"""Width of the matrix, or of the scores by class, from which they are shown next to each other."""
LETTER: Final = 0.45
"""Width of a letter below or beside it."""
MOST_ROWS: Final = 200
MOST_CURVES: Final = 10
BINS: Final = 10
FEWEST: Final = 5
"""Rows of a bin from which it is a point of a calibration curve."""
PLACES: Final = np.linspace(0, 1, 41) ** 2
"""False positive rates at which ROC curves are drawn: closer together at the left."""
READING_ROC: Final = "ROC curves: the nearer to the upper left corner, the better the order of the probabilities."
READING_CALIBRATION: Final = (
    "Calibration: right where the curve follows the diagonal; where it is flatter, the network is too sure of itself."
)
READING_BEFORE: Final = (
    "The calibration curves are of the probabilities of what is predicted, before and after the network was "
    "calibrated, with their expected calibration error."
)
NO_CALIBRATION: Final = f"No calibration curve: no tenth of the probabilities has {FEWEST} rows."
MOST_APART: Final = 3
"""Classes up to which each has a calibration curve of its own: of more, some bins would hold too few rows."""


def confusion_section(scored: ScoredPredictions) -> str:
    """Return the confusion matrix, if classes are predicted, and precision and recall of each class or label."""
    if not isinstance(scored.target, Classes):
        labels, predicted_labels = scored.labels, scored.probabilities >= 0.5
        hits, found, there = (of.sum(axis=0) for of in (labels & predicted_labels, predicted_labels, labels))
        return section("Labels", paragraph(f"Of {scored.rows}."), _per_class("label", scored.names, hits, found, there))
    true, predicted = scored.classes, scored.predicted_classes
    right = true == predicted
    hits, found, there = (np.bincount(of, minlength=len(scored.names)) for of in (true[right], predicted, true))
    drawn = len(scored.names) <= MOST_CELLS_WIDE
    return section(
        "Classes",
        paragraph(f"Of {scored.rows}, {np.count_nonzero(right):,} are predicted correctly."),
        beside(
            _matrix(scored) if drawn else "",
            _per_class("class", scored.names, hits, found, there),
            least=max(NARROWEST_PART, _width_of_matrix(scored.names)) if drawn else NARROWEST_PART,
        ),
    )


def confusion_matrix(scored: ScoredPredictions) -> NDArray[np.int64]:
    """Return how many rows of each class, down, are predicted to be of each class, across."""
    counts = np.zeros((len(scored.names), len(scored.names)), np.int64)
    np.add.at(counts, (scored.classes, scored.predicted_classes), 1)
    return counts


def _matrix(scored: ScoredPredictions) -> str:
    counts, names = confusion_matrix(scored), scored.names
    cells = [
        {"true": true, "predicted": predicted, "rows": int(counts[i, j])}
        for i, true in enumerate(names)
        for j, predicted in enumerate(names)
    ]
    chart = charts.heatmap(cells, "predicted", "true", "rows", titles=("predicted", "true"))
    return charts.figure("Confusion matrix", chart, widest=_width_of_matrix(names))


def _width_of_matrix(names: Sequence[str]) -> float:
    return max(NARROWEST_CELL, LETTER * max(map(len, names)) + 1) * (len(names) + 1)


def _per_class(
    kind: str,
    names: Sequence[str],
    hits: NDArray[np.int64],
    predicted: NDArray[np.int64],
    there: NDArray[np.int64],
) -> str:
    values: list[list[Any]] = [
        [names[i], *_scores(int(hits[i]), int(predicted[i]), int(there[i])), int(there[i])]
        for i in range(min(MOST_ROWS, len(names)))
    ]
    rows = [[row[0], *map(_share, row[1:4]), f"{row[4]:,}"] for row in values]
    more = f", the first {MOST_ROWS}" if len(names) > MOST_ROWS else ""
    return table(
        [kind, "Precision", "Recall", "F1", "rows"],
        rows,
        caption=f"By {kind}{more}",
        texts=[0],
        sortable=True,
        values=values,
    )


def _scores(hits: int, predicted: int, there: int) -> list[float | None]:
    """Return precision, recall and F1; None for one that isn't defined."""
    precision, recall = hits / predicted if predicted else None, hits / there if there else None
    return [precision, recall, 2 * hits / (predicted + there) if predicted + there else None]


def _share(value: Any) -> str:
    return "" if value is None else f"{value:.3f}"


def probabilities_section(scored: ScoredPredictions) -> str:
    """Return ROC and calibration curves, one class or label against the rest."""
    chosen = _chosen(scored)
    if not chosen:
        return ""
    apart = {scored.names[i]: scored.against_rest(i) for i in chosen}
    curves = {name: roc(truth, probability) for name, (truth, probability) in apart.items()}
    truths, probabilities = zip(*apart.values(), strict=True)
    together = {"all together": (np.concatenate(truths), np.concatenate(probabilities))}
    calibrated = _before_and_after(scored)
    calibration = _calibration_figure(calibrated or (apart if len(apart) <= MOST_APART else together))
    against = f"each of {len(chosen)} against the rest" if len(chosen) > 1 else scored.names[chosen[0]]
    return section(
        "Probabilities",
        paragraph(f"From {scored.rows}: {against}."),
        beside(_roc_figure(curves), calibration),
        paragraph(f"{READING_ROC} {READING_CALIBRATION if calibration else NO_CALIBRATION}"),
        paragraph(READING_BEFORE) if calibrated else "",
        _in_numbers(curves, apart),
    )


def _chosen(scored: ScoredPredictions) -> list[int]:
    """Return the classes or labels to draw: the ones that only some rows have; of two classes, the second."""
    count = len(scored.names)
    of_classes = isinstance(scored.target, Classes)
    there = np.bincount(scored.classes, minlength=count) if of_classes else scored.labels.sum(axis=0)
    drawn: list[int] = np.flatnonzero((there > 0) & (there < len(scored.prediction))).tolist()
    if of_classes and count == 2:
        return [i for i in drawn if i == 1]
    return drawn[:MOST_CURVES]


def _roc_figure(curves: Mapping[str, Roc]) -> str:
    points = [
        {"others": round(float(x), 4), "found": round(float(y), 4), "series": name}
        for name, curve in curves.items()
        for x, y in zip(PLACES, curve.hits_at(PLACES), strict=True)
    ]
    titles = ("false positive rate", "true positive rate")
    return charts.figure("ROC curves", charts.curves(points, "others", "found", titles=titles, diagonal=True))


def _calibration_figure(predicted: Mapping[str, tuple[NDArray[np.bool_], NDArray[np.float64]]]) -> str:
    """Return calibration curves; nothing if no range of probabilities has rows enough for a point."""
    points = [
        {"predicted": round(p, 4), "true": round(t, 4), "series": name}
        for name, (truth, probability) in predicted.items()
        for p, t, _ in calibration_of(truth, probability)
    ]
    if not points:
        return ""
    titles = ("predicted probability", "observed frequency")
    return charts.figure(
        "Calibration curves" if len(predicted) > 1 else "Calibration curve",
        charts.curves(points, "predicted", "true", titles=titles, diagonal=True),
    )


def _before_and_after(scored: ScoredPredictions) -> dict[str, tuple[NDArray[np.bool_], NDArray[np.float64]]]:
    """Return what is right, and its probability, before and after calibration, by a name with its error."""
    found = {}
    if scored.uncalibrated is not None:
        for when, prediction in (("before", scored.uncalibrated), ("after", scored.prediction)):
            p, right = scored.certainty(prediction)
            found[f"{when}, error {expected_calibration_error(calibration_bins(p, right)):.4f}"] = right, p
    return found


def _in_numbers(
    curves: Mapping[str, Roc], predicted: Mapping[str, tuple[NDArray[np.bool_], NDArray[np.float64]]]
) -> str:
    values: list[list[Any]] = []
    for name, (truth, probability) in predicted.items():
        error = expected_calibration_error(calibration_bins(probability, truth, bins=BINS))
        values.append([name, curves[name].area, float(truth.mean()), float(probability.mean()), error])
    rows = [[row[0], *(f"{value:.4f}" for value in row[1:])] for row in values]
    headings = ["name", "area under ROC curve", "share of rows", "mean probability", "calibration error"]
    return table(headings, rows, texts=[0], sortable=True, values=values)


class Roc(NamedTuple):
    """The shares of other classes' rows, and of the class's, accepted at each threshold, from (0, 0) to (1, 1)."""

    alarms: NDArray[np.float64]
    hits: NDArray[np.float64]

    @property
    def area(self) -> float:
        """The area below the curve."""
        return float(((self.hits[1:] + self.hits[:-1]) / 2 * np.diff(self.alarms)).sum())

    def hits_at(self, alarms: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the share of hits at some shares of false alarms, the larger one where it jumps."""
        last = np.append(np.diff(self.alarms) > 0, True)  # of the points one above the other
        return np.asarray(np.interp(alarms, self.alarms[last], self.hits[last]))


def roc(truth: NDArray[np.bool_], score: NDArray[np.float64]) -> Roc:
    """Return the ROC curve of a class that some rows are of, and some aren't, from its probability for each row."""
    order = np.argsort(-score, kind="stable")
    last = np.flatnonzero(np.append(np.diff(score[order]), 1))  # of the rows with the same score
    hits = np.concatenate([[0], np.cumsum(truth[order])[last]]) / truth.sum()
    alarms = np.concatenate([[0], np.cumsum(~truth[order])[last]]) / (~truth).sum()
    return Roc(alarms, hits)


def calibration_of(
    truth: NDArray[np.bool_], probability: NDArray[np.float64], fewest: int = FEWEST
) -> list[tuple[float, float, int]]:
    """Return mean probability, share of truths and rows of each of ten bins of equal width with enough rows."""
    rows, predicted, true = calibration_bins(probability, truth, bins=BINS)
    filled = np.flatnonzero(rows >= fewest)
    return [(float(predicted[i] / rows[i]), float(true[i] / rows[i]), int(rows[i])) for i in filled]
