"""Examples of encodings, fitted on columns of numbers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.encoding import FittedEncoding, TrainingColumns
from mlpkit.components.graph import Graph, Value
from mlpkit.testing.suite.check import CheckFailure
from mlpkit.testing.suite.checks.fitted import EncodingOfRows

COLUMNS: Final = ("even", "skewed", "few numbers", "all equal", "often missing")


class EncodingExample(EncodingOfRows):
    """An encoding, fitted on columns of several kinds, with missing numbers."""

    sample = "[{'limit': 3.0}]"

    @cached_property
    def numbers(self) -> NDArray[np.float64]:
        """The training rows."""
        random, rows = self.random("training rows"), 100
        columns = [random.normal(size=rows), random.lognormal(size=rows) * 1e3, random.integers(0, 3, rows)]
        numbers = np.stack([*columns, np.full(rows, 2.0), random.normal(5, 0.1, rows)], axis=1)
        numbers[random.random(rows) < 0.5, -1] = np.nan
        return numbers

    @cached_property
    def targets(self) -> NDArray[np.float64]:
        """The targets of the training rows."""
        return np.where(self.numbers[:, :1] > 0, 1.0, self.numbers[:, 1:2] / 1e3)

    @property
    def rows(self) -> NDArray[np.float64]:
        """Rows to encode, some outside the range of the training rows, without missing numbers."""
        rows = np.where(np.isnan(self.numbers), 5.0, self.numbers)
        return np.concatenate([rows[:20], rows[:3] * 4 - 7])

    def fit(self, component: Any, *, otherwise: bool = False) -> FittedEncoding:
        """Fit an encoding on the training rows, in chunks."""
        numbers, together = self.numbers.copy(), 7 if otherwise else 64

        def parts() -> Iterator[Array]:
            for begin in range(0, len(numbers), together):
                yield numbers[begin : begin + together]

        columns = TrainingColumns(len(numbers), len(COLUMNS), parts, self.targets.copy)
        return FittedEncoding.fit(component, COLUMNS, columns)

    def loaded(self, state: Any) -> FittedEncoding:
        """Return a fitted encoding with the state of another."""
        return FittedEncoding.from_state(self.make(), state)

    def changed(self, fitted: FittedEncoding, rows: Array) -> Array:
        """Return encoded rows."""
        return np.array(fitted.encode(rows))

    def onnx(self, graph: Graph, rows: Value) -> Value:
        """Describe the encoding."""
        value: Value = self.fitted.onnx(graph, rows)
        return value

    def width(self) -> int:
        """Return the number of features of all columns."""
        names = self.fitted.features()
        if len(names) != len(COLUMNS):
            raise CheckFailure(
                f"features returned names for {len(names)} columns", expected=f"one list for each of {len(COLUMNS)}"
            )
        return sum(map(len, names))
