"""How good predicted classes or labels are: which are taken for which, and what their probabilities are worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mlpkit.components.target import Classes
from mlpkit.pages import charts
from mlpkit.pages.parts import paragraph, section, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mlpkit.reports.predictions import Judged

MOST_CELLS_WIDE: Final = 20
"""Classes up to which the confusion matrix is drawn; of more, the commonest mistakes are listed."""
MOST_MIXED_UP: Final = 20
MOST_ROWS: Final = 200
MOST_CURVES: Final = 10
BINS: Final = 10
FEWEST: Final = 5
"""Rows of a bin from which it is a point of a calibration curve."""
GRID: Final = np.linspace(0, 1, 51) ** 2
"""Shares of false alarms at which ROC curves are drawn, closer together where these are few."""


def confusion_section(judged: Judged) -> str:
    """Return the confusion matrix, if classes are predicted, and precision and recall of each class or label."""
    if not isinstance(judged.target, Classes):
        predicted = judged.probabilities >= 0.5
        hits, found, there = ((judged.truths & predicted).sum(0), predicted.sum(0), judged.truths.sum(0))
        return section("Labels", paragraph(f"Of {judged.rows}."), _per_class("label", judged.names, hits, found, there))
    counts = confusion_matrix(judged)
    shown = _matrix if len(counts) <= MOST_CELLS_WIDE else _commonest_mistakes
    return section(
        "Classes",
        paragraph(f"Of {judged.rows}, {int(counts.trace()):,} are predicted right."),
        shown(counts, judged.names),
        _per_class("class", judged.names, counts.diagonal(), counts.sum(0), counts.sum(1)),
    )


def confusion_matrix(judged: Judged) -> NDArray[np.int64]:
    """Return how many rows of each class, down, are predicted to be of each class, across."""
    counts = np.zeros((len(judged.names), len(judged.names)), np.int64)
    np.add.at(counts, (judged.classes, judged.prediction.argmax(axis=1)), 1)
    return counts


def _matrix(counts: NDArray[np.int64], names: Sequence[str]) -> str:
    cells = [
        {"true": true, "predicted": predicted, "rows": int(counts[i, j])}
        for i, true in enumerate(names)
        for j, predicted in enumerate(names)
    ]
    chart = charts.heatmap(cells, "predicted", "true", "rows", titles=("predicted", "true"))
    return charts.figure("Confusion matrix", chart)


def _commonest_mistakes(counts: NDArray[np.int64], names: Sequence[str]) -> str:
    wrong = counts - np.diag(counts.diagonal())
    order = np.argsort(-wrong, axis=None, kind="stable")[:MOST_MIXED_UP]
    pairs = [np.unravel_index(place, wrong.shape) for place in order if wrong.flat[place]]
    rows = [[names[int(i)], names[int(j)], f"{wrong[i, j]:,}"] for i, j in pairs]
    return table(["true", "predicted", "rows"], rows, caption="Commonest mistakes", texts=[0, 1])


def _per_class(
    kind: str,
    names: Sequence[str],
    hits: NDArray[np.int64],
    predicted: NDArray[np.int64],
    there: NDArray[np.int64],
) -> str:
    values: list[list[Any]] = [
        [name, *_scores(int(hit), int(found), int(count)), int(count)]
        for name, hit, found, count in zip(names, hits, predicted, there, strict=True)
    ][:MOST_ROWS]
    rows = [[row[0], *map(_share, row[1:4]), f"{row[4]:,}"] for row in values]
    more = f", the first {MOST_ROWS}" if len(names) > MOST_ROWS else ""
    return table(
        [kind, "precision", "recall", "F1", "rows"],
        rows,
        caption=f"Precision and recall by {kind}{more}",
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


def probabilities_section(judged: Judged) -> str:
    """Return ROC and calibration curves, one class or label against the rest."""
    chosen = _chosen(judged)
    if not chosen:
        return ""
    truths, probabilities = judged.truths, judged.probabilities
    curves, areas, calibration = [], [], []
    for i in chosen:
        name = judged.names[i]
        accepted, found, area = roc(truths[:, i], probabilities[:, i])
        rates = _on_grid(accepted, found)
        areas.append([name, area, float(truths[:, i].mean()), float(probabilities[:, i].mean())])
        curves += [
            {"others": round(float(x), 4), "found": round(float(y), 4), "series": name}
            for x, y in zip(GRID, rates, strict=True)
        ]
        calibration += [
            {"predicted": round(p, 4), "true": round(t, 4), "series": name}
            for p, t in calibration_of(truths[:, i], probabilities[:, i])
        ]
    roc_titles = ("share of the others that is taken for it", "share of it that is found")
    true_titles = ("probability predicted", "share that is true")
    return section(
        "Probabilities",
        '<div class="charts">',
        charts.figure("ROC curves", charts.curves(curves, "others", "found", titles=roc_titles, diagonal=True)),
        charts.figure(
            "Calibration curves", charts.curves(calibration, "predicted", "true", titles=true_titles, diagonal=True)
        ),
        "</div>",
        paragraph(_advice(judged, chosen)),
        _areas(areas),
    )


def _chosen(judged: Judged) -> list[int]:
    """Return the classes or labels to draw: those that some rows are and some aren't; of two classes, the second."""
    truths = judged.truths
    drawn = [i for i in range(truths.shape[1]) if 0 < truths[:, i].sum() < len(truths)]
    if isinstance(judged.target, Classes) and truths.shape[1] == 2:
        return [i for i in drawn if i == 1]
    return drawn[:MOST_CURVES]


def _advice(judged: Judged, chosen: Sequence[int]) -> str:
    against = f"each of {len(chosen)} against the rest" if len(chosen) > 1 else judged.names[chosen[0]]
    return (
        f"From {judged.rows}: {against}. A ROC curve that leaves the diagonal for the upper left corner tells more; "
        "calibration is right where the curve follows the diagonal, and too sure of itself where it is flatter."
    )


def _areas(found: Sequence[Sequence[Any]]) -> str:
    rows = [[row[0], f"{row[1]:.4f}", f"{row[2]:.3f}", f"{row[3]:.3f}"] for row in found]
    headings = ["", "area under ROC curve", "share of rows", "mean probability"]
    return table(headings, rows, caption="ROC and calibration in numbers", texts=[0], sortable=True, values=found)


def roc(truth: NDArray[np.bool_], score: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[Any], float]:
    """Return shares of false alarms and of hits at all thresholds, from (0, 0) to (1, 1), and the area below.

    Args:
        truth: whether each row is of the class; some are, and some aren't.
        score: its probability for each row.
    """
    order = np.argsort(-score, kind="stable")
    last = np.flatnonzero(np.append(np.diff(score[order]), 1))  # of the rows with the same score
    hits = np.concatenate([[0], np.cumsum(truth[order])[last]]) / truth.sum()
    alarms = np.concatenate([[0], np.cumsum(~truth[order])[last]]) / (~truth).sum()
    return alarms, hits, float(((hits[1:] + hits[:-1]) / 2 * np.diff(alarms)).sum())


def _on_grid(alarms: NDArray[Any], hits: NDArray[Any]) -> NDArray[Any]:
    """Return the share of hits at each share of false alarms of the grid, the larger one where it jumps."""
    before = np.searchsorted(alarms, GRID, side="right") - 1
    after = np.minimum(before + 1, len(alarms) - 1)
    width = alarms[after] - alarms[before]
    part = np.divide(GRID - alarms[before], width, out=np.zeros_like(GRID), where=width > 0)
    result: NDArray[Any] = hits[before] + part * (hits[after] - hits[before])
    return result


def calibration_of(truth: NDArray[np.bool_], probability: NDArray[np.float64]) -> list[tuple[float, float]]:
    """Return mean probability and share of truths in each of ten bins of equal width that has some rows."""
    bins = np.minimum((probability * BINS).astype(int), BINS - 1)
    filled = [bins == number for number in range(BINS) if (bins == number).sum() >= FEWEST]
    return [(float(probability[rows].mean()), float(truth[rows].mean())) for rows in filled]
