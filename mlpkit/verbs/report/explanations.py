"""Why rows are predicted as they are: what each column adds, as bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from mlpkit.explanations.columns import columns_in
from mlpkit.explanations.explain import MOST_COLUMNS, explain_raw
from mlpkit.pages import charts
from mlpkit.pages.parts import beside, paragraph, table
from mlpkit.shapley import largest_parts
from mlpkit.terminal.figures import figure

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mlpkit.components.dataset import RawRows
    from mlpkit.jobs.load_model import TrainedModel

MOST_EXPLAINED: Final = 4
ORDERS: Final = 200
MOST_FLOPS: Final = 10**10


def rows_to_explain(raw: RawRows, flops: int) -> int:
    """Return how many rows can be explained in about a second; 0 of images, or if even one takes longer.

    Args:
        raw: any raw rows.
        flops: floating-point operations of the network for an example.
    """
    columns = columns_in(raw)
    return min(MOST_EXPLAINED, MOST_FLOPS // max(1, 2 * ORDERS * columns * flops)) if columns <= MOST_COLUMNS else 0


def explained_rows(
    model: TrainedModel, raw: RawRows, background: RawRows, indices: NDArray[np.intp], outputs: Sequence[int]
) -> str:
    """Return a picture for each of some rows: what each column adds to the mean prediction.

    Args:
        model: the model.
        raw: the rows.
        background: the training rows that they are compared with.
        indices: the position in its split of each row.
        outputs: the number of the label or value to explain of each row; of classes, the predicted one is explained.
    """
    found, figures = explain_raw(model, raw, background, orders=ORDERS), []
    of_outputs = list(found.each_output())
    for row, (index, output) in enumerate(zip(indices.tolist(), outputs, strict=True)):
        name, values, errors, base = of_outputs[output if len(of_outputs) > 1 else 0]
        of = name or found.outputs[row if len(found.outputs) > 1 else 0]
        parts = largest_parts(found.described(row), values[row], errors[row])
        bars = [{"column": column, "adds": float(f"{value:.5g}")} for column, value, _ in parts]
        cells = [[column, figure(value), "" if error is None else figure(error)] for column, value, error in parts]
        caption = f"Row {index:,}: {of} {figure(base[row] + values[row].sum())}, {figure(base[row])} on average"
        chart = charts.bars(bars, "column", "adds", titles=("", f"added to the prediction of {of}"))
        figures.append(charts.figure(caption, chart, table(["column", "adds", "error"], cells, texts=[0])))
    text = "Why: what each column adds to the mean prediction for training rows (Shapley values)."
    return paragraph(text) + beside(*figures)
