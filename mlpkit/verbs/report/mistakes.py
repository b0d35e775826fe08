"""The rows that a network is most wrong about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mlpkit.components.target import Classes, Values
from mlpkit.pages.images import image_shape, thumbnail
from mlpkit.pages.parts import paragraph, pictures, section, table
from mlpkit.terminal.figures import figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mlpkit.components.dataset import RawRows
    from mlpkit.verbs.report.predictions import ScoredPredictions

MOST_IMAGES: Final = 24
MOST_ROWS: Final = 15
MOST_COLUMNS: Final = 30
LONGEST_CELL: Final = 60


def worst_rows(scored: ScoredPredictions) -> NDArray[np.intp]:
    """Return the positions of the rows that are predicted most wrongly, the worst first: as many as are shown."""
    wrongness = _wrongness(scored)
    order = np.argsort(-wrongness, kind="stable")[:MOST_IMAGES]
    return order[wrongness[order] > 0]


def _wrongness(scored: ScoredPredictions) -> NDArray[np.float64]:
    """Return how wrong the prediction of each row is: 0 for one that is right."""
    if isinstance(scored.target, Classes):
        sure = scored.prediction.max(axis=1).astype(np.float64)
        return np.where(scored.predicted_classes == scored.classes, 0.0, sure)
    if isinstance(scored.target, Values):
        predicted_values, true = scored.values
        spread = true.std(axis=0)
        residuals: NDArray[np.float64] = (np.abs(predicted_values - true) / np.where(spread > 0, spread, 1.0)).max(
            axis=1
        )
        return residuals
    sureness: NDArray[np.float64] = _wrongness_of_labels(scored).max(axis=1)
    return sureness


def _wrongness_of_labels(scored: ScoredPredictions) -> NDArray[np.float64]:
    """Return how far the probability of each label of each row is on the wrong side of a half: 0 on the right one."""
    wrong = (scored.probabilities >= 0.5) != scored.labels
    distances: NDArray[np.float64] = np.abs(scored.probabilities - 0.5) * wrong
    return distances


def mistakes_section(
    scored: ScoredPredictions, rows: NDArray[np.intp], raw: RawRows | None, indices: NDArray[np.intp]
) -> str:
    """Return the worst predictions with their targets and inputs.

    Args:
        scored: predictions and targets.
        rows: which of them are the worst.
        raw: their inputs.
        indices: the position in its split of each row of ``scored``.
    """
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
    columns = _columns(raw)
    shown = [
        [f"{indices[row]:,}", *cells, *(_shortened(values[i]) for values in columns.values())]
        for i, (row, cells) in enumerate(zip(rows[:MOST_ROWS], cells_of_rows, strict=False))
    ]
    texts = [] if isinstance(scored.target, Values) else [1, 2]
    return section(
        title,
        paragraph(f"Among {scored.rows}. Rows of {scored.split} count from 0."),
        table(["row", *headings, *columns], shown, texts=texts, sortable=True),
    )


def _columns(raw: RawRows | None) -> Mapping[str, Sequence[Any]]:
    """Return the first columns of raw inputs; of an array without names, none."""
    return dict(list(raw.items())[:MOST_COLUMNS]) if isinstance(raw, Mapping) else {}


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
    label, has, probabilities = _wrongness_of_labels(scored).argmax(axis=1), scored.labels, scored.probabilities
    cells = [
        [
            scored.names[label[row]],
            "yes" if has[row, label[row]] else "no",
            f"{probabilities[row, label[row]]:.1%}",
        ]
        for row in rows
    ]
    return ["label", "true", "probability"], cells


def _value_cells(scored: ScoredPredictions, rows: NDArray[np.intp]) -> tuple[list[str], list[list[str]]]:
    predicted, true = scored.values
    one = len(scored.names) == 1
    headings = [f"{what}{'' if one else f' {name}'}" for name in scored.names for what in ("true", "predicted")]
    pairs = [zip(true[row], predicted[row], strict=True) for row in rows]
    return headings, [[figure(float(value)) for pair in row for value in pair] for row in pairs]
