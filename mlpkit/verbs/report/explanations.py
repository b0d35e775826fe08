"""Why rows are predicted as they are: what each column adds, as bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from mlpkit.errors import UsageError
from mlpkit.jobs.explanations.columns import columns_in, rows_at
from mlpkit.jobs.explanations.explain import drawn_background, explain_raw
from mlpkit.pages import charts
from mlpkit.pages.parts import beside, paragraph, table
from mlpkit.terminal.figures import figure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit.components.dataset import RawRows, Split
    from mlpkit.jobs.load_model import TrainedModel

MOST_EXPLAINED: Final = 4
ORDERS: Final = 200
MOST_FLOPS: Final = 10**10


def explained_rows(
    model: TrainedModel, train: Split, raw: RawRows, indices: NDArray[np.intp], outputs: Sequence[int]
) -> str:
    """Return a picture for each of the first rows: what each column adds to the mean prediction.

    For classes, the predicted one is explained; ``outputs`` has the label or value to explain of each row.

    Raises:
        UsageError: even one row would take longer than a second or so.
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
        bars = [{"column": column, "adds": float(f"{value:.5g}")} for column, value, _ in parts]
        cells = [[column, figure(value), "" if error is None else figure(error)] for column, value, error in parts]
        caption = f"Row {index:,}: {of} {figure(base + values.sum())}, {figure(base)} on average"
        chart = charts.bars(bars, "column", "adds", titles=("", "added"))
        figures.append(charts.figure(caption, chart, table([f"row {index:,}", "adds", "error"], cells, texts=[0])))
    text = "Why: what each column adds to the mean prediction for training rows (Shapley values)."
    return paragraph(text) + beside(*figures)
