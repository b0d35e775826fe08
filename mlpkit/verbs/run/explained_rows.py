"""Explanations of rows, as ``mlpkit predict --explain`` prints them."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any

from mlpkit.lazy_names import load
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
        described = explanation.described(row)
        for output, values, errors, base in explanation.each_output():
            if isnan(base[row]):
                lines.append(f"{name}: no prediction")
                continue
            of, total = _output(explanation, output, row), base[row] + values[row].sum()
            lines.append(f"{name}: {of} {figure(total)}, {figure(base[row])} on average")
            cells = [
                [column, f"{'+' if value >= 0 else '-'}{figure(abs(value))}", f"± {figure(error)}" if error else ""]
                for column, value, error in load("mlpkit.shapley:largest_parts")(described, values[row], errors[row])
            ]
            lines += [line.rstrip() for line in columns(cells, right=[1], indent="  ")]
    return lines


def explanations_of(explanation: Explanation, row: int) -> list[dict[str, Any]] | None:
    """Return the explanation of each output of a row as plain data; None for a row without a prediction."""
    found = []
    for output, values, errors, base in explanation.each_output():
        if isnan(base[row]):
            return None
        by_column = [dict(zip(explanation.columns, each[row].tolist(), strict=True)) for each in (values, errors)]
        of = {"of": _output(explanation, output, row), "mean": float(base[row])}
        found.append({**of, "values": by_column[0], "errors": by_column[1]})
    return found


def _output(explanation: Explanation, output: str, row: int) -> str:
    """Return the name of an output, or of the class that is predicted for a row."""
    return output or explanation.outputs[row if len(explanation.outputs) > 1 else 0]
