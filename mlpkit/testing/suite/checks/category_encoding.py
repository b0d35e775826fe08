"""Examples of category encodings, fitted on a column of categories, and a check of indices."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.category_encoding import FittedCategoryEncoding, TrainingCategories
from mlpkit.components.graph import Graph, Value
from mlpkit.testing.suite.check import checks_examples, require
from mlpkit.testing.suite.checks.fitted import EncodingOfRows

COLUMNS: Final = {"a column of few": ("no", "yes"), "a column of several": ("blue", "green", "other", "red", "Straße")}
ROWS: Final = 100


class CategoryEncodingExample(EncodingOfRows):
    """A category encoding, fitted on a column of categories with missing values, for each column that it accepts."""

    sample = "[{'buckets': 8}]"
    possible: ClassVar = tuple(COLUMNS)

    def title(self) -> str:
        """Return a title that identifies the example."""
        return f"{super().title()} on {self.variant}"

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories of the column."""
        return COLUMNS[self.variant]

    @property
    def rows(self) -> NDArray[np.int32]:
        """Codes to encode: all codes, in reverse order, twice."""
        return np.tile(np.arange(-1, len(self.categories), dtype=np.int32)[::-1], 2)

    def fit(self, component: Any, *, otherwise: bool = False) -> FittedCategoryEncoding:
        """Fit an encoding on the training rows, in their order or reversed."""
        random = self.random("training rows")
        codes = random.integers(-1, len(self.categories), ROWS).astype(np.int32)
        targets = random.normal(codes, 1.0)[:, None]
        order = slice(None, None, -1 if otherwise else 1)
        column = TrainingCategories("colour", self.categories, codes[order].copy(), targets[order].copy)
        return FittedCategoryEncoding.fit(component, column)

    def loaded(self, state: Any) -> FittedCategoryEncoding:
        """Return a fitted encoding with the state of another."""
        return FittedCategoryEncoding.from_state(self.make(), self.fitted.column, self.categories, state)

    def changed(self, fitted: FittedCategoryEncoding, rows: Array) -> NDArray[np.float64]:
        """Return encoded rows."""
        return np.array(fitted.encode(rows), np.float64)

    def onnx(self, graph: Graph, rows: Value) -> Value:
        """Describe the encoding."""
        return graph.cast(self.fitted.onnx(graph, rows), np.float64)

    def width(self) -> int:
        """Return the number of features of the column."""
        holds = self.component.holds
        is_known = holds in ("one_hot", "numbers", "categories")
        require(is_known, f"holds is {holds!r}", expected="one_hot, numbers or categories")
        return len(self.fitted.features())

    def may_be_missing(self, rows: Array) -> Array:
        """Return which rows have the code -1, if they become numbers."""
        missing: Array = (rows == -1)[:, None] & (self.component.holds == "numbers")
        return missing


@checks_examples("category_encoding")
def indices_count_from_0(example: CategoryEncodingExample) -> None:
    """If a column becomes indices, are these integers from 0 up, with 0 for a missing or unknown category?

    An embedding has a vector for each index.
    """
    if example.component.holds != "categories":
        return
    codes = example.rows
    indices = example.changed(example.fitted, codes)
    are_counts = (indices == np.rint(indices)).all() and (indices >= 0).all()
    require(are_counts, "an index is negative, or not an integer", expected="integers from 0 up")
    is_zero = not indices[codes == -1].any()
    require(is_zero, "a missing category doesn't get the index 0", expected="0 for the code -1")
