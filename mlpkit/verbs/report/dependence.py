"""How predictions depend on a column: with the column of all rows set to one value after the other."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from mlpkit.jobs.explanations.columns import rows_at
from mlpkit.jobs.explanations.explain import names_of_outputs, outputs_of
from mlpkit.jobs.spec_data import evenly_spaced
from mlpkit.pages import charts
from mlpkit.pages.parts import beside

if TYPE_CHECKING:
    from mlpkit.array import Array
    from mlpkit.components.dataset import RawRows
    from mlpkit.jobs.load_model import TrainedModel

MOST_ROWS: Final = 200
MOST_POINTS: Final = 25
MOST_NAMES: Final = 8
FEW_NUMBERS: Final = 8
"""Distinct numbers up to which each is a name."""
QUANTILES: Final = {"q05": 0.05, "q25": 0.25, "q75": 0.75, "q95": 0.95}


def dependence_curves(
    model: TrainedModel, raw: RawRows, x: Array, column_of: NDArray[np.intp], columns: Sequence[tuple[int, str]]
) -> str:
    """Return a chart for each of some columns: the mean prediction over its values, and how predictions vary.

    Of several outputs, the chart has the one whose mean changes most.

    Source: Friedman, Greedy Function Approximation: A Gradient Boosting Machine (2001), section 8.2.
    """
    chosen = evenly_spaced(len(x), MOST_ROWS)
    raw, x = rows_at(raw, chosen), x[chosen]
    figures = []
    for number, name in columns:
        values = raw[name] if isinstance(raw, Mapping) else raw.reshape(len(raw), -1)[:, number]
        places = _places(np.array([_number(value) for value in values])) or _places_of_names(list(map(_text, values)))
        inputs = column_of == number
        found = np.stack([outputs_of(model, np.where(inputs, x[row], x)) for row in places.values()])
        means = found.mean(axis=1)
        ranges = np.round(means.max(axis=0) - means.min(axis=0), 6)
        output = int(np.flatnonzero(ranges == ranges.max())[-1])  # of two classes, the second
        points = [
            {"value": value, "mean": _short(mean)}
            | {key: _short(np.quantile(each, share)) for key, share in QUANTILES.items()}
            for value, mean, each in zip(places, means[:, output], found[..., output], strict=True)
        ]
        of, named = names_of_outputs(model)[output], isinstance(next(iter(places)), str)
        titles = (name, f"prediction of {of}")
        chart = charts.bands(points, "value", titles=titles, middle="mean", zero=False, named=named)
        figures.append(charts.figure(f"Prediction of {of} by {name}", chart))
    return beside(*figures)


def _number(value: Any) -> float:
    """Return a value as a number; NaN for a missing one, and infinity for one that is no number."""
    try:
        return math.nan if value is None or value == "" else float(value)
    except (TypeError, ValueError):
        return math.inf


def _text(value: Any) -> str:
    return "missing" if math.isnan(_number(value)) else str(value)


def _places(numbers: NDArray[np.float64]) -> dict[float, int]:
    """Return numbers, about as many rows between each two, with a row of each; none if they are few, or no numbers."""
    if np.isinf(numbers).any() or len(np.unique(numbers)) <= FEW_NUMBERS:
        return {}
    rows = np.argsort(numbers, kind="stable")[: np.isfinite(numbers).sum()]
    return {float(numbers[row]): int(row) for row in rows[evenly_spaced(len(rows), MOST_POINTS)]}


def _places_of_names(texts: Sequence[str]) -> dict[str, int]:
    """Return the most common of some texts in their order, with a row of each; some of them if none is more common."""
    counts, distinct = Counter(texts), sorted(set(texts), key=lambda text: (_number(text), text))
    if len(counts) == len(texts):
        chosen = [distinct[i] for i in evenly_spaced(len(distinct), MOST_NAMES)]
    else:
        common = {text for text, _ in counts.most_common(MOST_NAMES)}
        chosen = [text for text in distinct if text in common]
    return {text: texts.index(text) for text in chosen}


def _short(value: float) -> float:
    return float(f"{value:.5g}")
