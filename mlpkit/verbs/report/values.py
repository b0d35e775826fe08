"""How good predicted values are: predicted against true, and residuals."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mlpkit.jobs.spec_data import evenly_spaced
from mlpkit.pages import charts
from mlpkit.pages.parts import beside, paragraph, section, table
from mlpkit.terminal.figures import figure
from mlpkit.verbs.report.predictions import ScoredPredictions

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
    points = [{"true": _short(true[i]), "predicted": _short(predicted[i])} for i in chosen]
    against = charts.points(points, "true", "predicted", titles=(f"true {name}", f"predicted {name}"), diagonal=True)
    counts, edges = np.histogram(predicted - true, BINS)
    residuals = charts.histogram(
        counts.tolist(), [_short(edge) for edge in edges], titles=(f"residual of {name}", "rows")
    )
    return [charts.figure(f"{name}: predicted and true", against), charts.figure(f"{name}: residuals", residuals)]


def _short(value: float) -> float:
    return float(f"{value:.5g}")


def _numbers(name: str, predicted: NDArray[np.float64], true: NDArray[np.float64]) -> list[str]:
    residual = predicted - true
    largest = residual[np.abs(residual).argmax()]
    return [
        name,
        *(figure(float(each)) for each in (residual.mean(), residual.std(), np.abs(residual).mean(), largest)),
    ]
