"""Explanations of rows, as ``mlpkit predict --explain`` prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpkit.terminal.figures import figure
from mlpkit.terminal.formatting import columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlpkit.shapley import Explanation


def lines_of(explanation: Explanation, row_names: Sequence[str] | None) -> list[str]:
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


def explanations_of(explanation: Explanation, row: int) -> list[dict[str, Any]]:
    """Return the explanation of each output of a row as plain data."""
    return [
        {"of": output, "mean": base}
        | {
            what: dict(zip(explanation.columns, numbers.tolist(), strict=True))
            for what, numbers in (("adds", values), ("errors", errors))
        }
        for output, base, values, errors in explanation.of_row(row)
    ]
