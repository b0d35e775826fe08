"""Predictions as plain data, a document each: what ``--json`` prints, and what a server answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlpkit.jobs.explanations import Explanation
    from mlpkit.jobs.predict import Predictions


def documents(predictions: Predictions) -> Iterator[dict[str, Any]]:
    """Go through the rows: class, probabilities or values of each, and then the ends of its interval or its set."""
    regions = {name: cells.tolist() for name, cells in predictions.region_columns().items()}
    for row, values in enumerate(predictions.values.tolist()):
        yield _document(predictions, row, values) | {name: cells[row] for name, cells in regions.items()}


def _document(predictions: Predictions, row: int, values: list[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"row": row}
    if predictions.row_names is not None:
        found["name"] = predictions.row_names[row]
    if predictions.classes is not None:
        found |= {"class": predictions.label(row) or None, "probability": max(values)}
        return found | {"classes": predictions.class_labels, "probabilities": values}
    if predictions.target_names is not None:
        return found | {"values": dict(zip(predictions.target_names, values, strict=True))}
    return found | {"values": values}


def explanations(explanation: Explanation, row: int) -> list[dict[str, Any]]:
    """Return the explanation of each output of a row."""
    return [
        {"of": output, "mean": base}
        | {
            what: dict(zip(explanation.columns, numbers.tolist(), strict=True))
            for what, numbers in (("adds", values), ("errors", errors))
        }
        for output, base, values, errors in explanation.of_row(row)
    ]
