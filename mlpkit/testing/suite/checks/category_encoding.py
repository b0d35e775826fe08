"""Examples and checks of category encodings: what they learn, and how they encode a column of categories."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.category_encoding import CategoryEncoding, FittedCategoryEncoding, TrainingCategories
from mlpkit.components.graph import Graph
from mlpkit.errors import ModelFileError, NotExportableError, ParameterError
from mlpkit.registry.registry import RegisteredComponent, Registry
from mlpkit.testing.suite.check import CheckFailure, NotApplicable, checks_examples
from mlpkit.testing.suite.comparison import Arrays, check_close, check_same_bits, evaluated
from mlpkit.testing.suite.example import Example

ENCODED: Final = "the encoded rows"
COLUMNS: Final = {"a column of few": ("no", "yes"), "a column of several": ("blue", "green", "other", "red", "Straße")}
ROWS: Final = 100


class CategoryEncodingExample(Example):
    """A category encoding, fitted on a column of categories with missing values."""

    sample = "[{'buckets': 8}]"

    def __init__(
        self, entry: RegisteredComponent, registry: Registry, index: int | None, column: str = "a column of few"
    ) -> None:
        super().__init__(entry, registry, index)
        self.column = column

    @classmethod
    def variants(cls, entry: RegisteredComponent, registry: Registry, index: int | None) -> list[Self]:
        """Return a variant for each column that ``fit`` accepts."""
        candidates = [cls(entry, registry, index, column) for column in COLUMNS]
        return [candidate for candidate in candidates if candidate.is_accepted()] or candidates[:1]

    def is_accepted(self) -> bool:
        """Return whether ``fit`` accepts such a column."""
        try:
            self.fit(self.make())
        except ParameterError:
            return False
        except Exception:  # reported by the checks
            return True
        return True

    def title(self) -> str:
        """Return a title that identifies the example."""
        return f"{super().title()} on {self.column}"

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories of the column."""
        return COLUMNS[self.column]

    @property
    def codes(self) -> NDArray[np.int32]:
        """Codes to encode: all codes, in reverse order, twice."""
        return np.tile(np.arange(-1, len(self.categories), dtype=np.int32)[::-1], 2)

    @cached_property
    def fitted(self) -> FittedCategoryEncoding:
        """The encoding, fitted."""
        return self.fit(self.make())

    def fit(self, encoding: CategoryEncoding, *, backward: bool = False) -> FittedCategoryEncoding:
        """Fit an encoding on the training rows, in their order or reversed."""
        random = self.random("training rows")
        codes = random.integers(-1, len(self.categories), ROWS).astype(np.int32)
        targets = random.normal(codes, 1.0)[:, None]
        order = slice(None, None, -1 if backward else 1)
        column = TrainingCategories("colour", self.categories, codes[order].copy(), targets[order].copy)
        return FittedCategoryEncoding.fit(encoding, column)

    def exercise(self) -> Arrays:
        """Fit a new object, and encode rows."""
        return {ENCODED: encoded(self.fit(self.make()), self.codes)}


def encoded(fitted: FittedCategoryEncoding, codes: Array) -> NDArray[np.float64]:
    """Return encoded rows, with NaN replaced by a number so that they can be compared."""
    return _comparable(fitted.encode(codes))


def _comparable(rows: Any) -> NDArray[np.float64]:
    return np.nan_to_num(np.array(rows, np.float64), nan=-99.0)


@checks_examples("category_encoding")
def encoded_categories_have_the_declared_features(example: CategoryEncodingExample) -> None:
    """Does ``encode`` return a row per code, with a finite number for each name that ``features`` returns?

    The network's input shape follows from the names. Only the code -1, a missing value, may become NaN.
    """
    fitted, holds = example.fitted, example.component.holds
    if holds not in ("one_hot", "numbers", "categories"):
        raise CheckFailure(f"holds is {holds!r}", expected="one_hot, numbers or categories")
    width = len(fitted.features())
    for codes in (example.codes, example.codes[:1], example.codes[:0]):
        found = fitted.encode(codes)
        if not isinstance(found, np.ndarray) or found.dtype.kind not in "biuf" or found.shape != (len(codes), width):
            raise CheckFailure(
                f"encode returned {np.shape(found)} for {len(codes)} codes",
                expected=f"numbers of shape {(len(codes), width)}, as features says",
            )
        missing = np.isnan(found) & (codes == -1)[:, None] & (holds == "numbers")
        if not (np.isfinite(found) | missing).all():
            raise CheckFailure("an encoded number is infinite or not a number", expected="finite numbers")


@checks_examples("category_encoding")
def encoding_a_category_needs_no_others(example: CategoryEncodingExample) -> None:
    """Does a row get the same bits alone and among others, and are the codes unchanged?

    A prediction must not depend on the other rows.
    """
    codes = example.codes
    together = encoded(example.fitted, codes)
    alone = np.concatenate([encoded(example.fitted, code) for code in example.codes[:, None]])
    check_same_bits({ENCODED: alone}, {ENCODED: together}, "for single rows", "learn only in fit")
    if not np.array_equal(codes, example.codes):
        raise CheckFailure("encode changed the codes", expected="unchanged codes")


@checks_examples("category_encoding")
def fit_depends_on_no_order_of_the_rows(example: CategoryEncodingExample) -> None:
    """Does ``fit`` learn the same, up to rounding, from the rows in reverse order, and keep nothing in self?

    One object may encode several columns.
    """
    encoding = example.make()
    before = repr(vars(encoding))
    found = encoded(example.fit(encoding, backward=True), example.codes)
    expected = encoded(example.fitted, example.codes)
    remedy = "treat all rows in the same way"
    check_close({ENCODED: found}, {ENCODED: expected}, "with the rows reversed", remedy, tolerance=1e-9)
    if repr(vars(encoding)) != before:
        changed = ", ".join(sorted(vars(encoding)))
        raise CheckFailure(f"fit changed {changed}", expected="the learned values to be returned")


@checks_examples("category_encoding")
def what_was_learned_of_categories_can_be_saved(example: CategoryEncodingExample) -> None:
    """Does ``fit`` return arrays of finite numbers that give the same bits after saving and loading?

    A model file contains them.
    """
    fitted = example.fitted
    for name, values in fitted.learned.items():
        if not isinstance(name, str) or not isinstance(values, np.ndarray) or not np.isfinite(values).all():
            raise CheckFailure(f"fit returned {values!r} as {name!r}", expected="arrays of finite numbers by name")
    state = json.loads(json.dumps(fitted.state()))
    try:
        loaded = FittedCategoryEncoding.from_state(example.make(), fitted.column, fitted.categories, state)
    except ModelFileError as error:
        raise CheckFailure(str(error), expected="encode to work with what fit returned, as float64") from error
    expected = {ENCODED: encoded(fitted, example.codes)}
    check_same_bits({ENCODED: encoded(loaded, example.codes)}, expected, "after loading", "return float64 from fit")


@checks_examples("category_encoding")
def indices_count_from_0(example: CategoryEncodingExample) -> None:
    """If a column becomes indices, are these integers from 0 up, with 0 for a missing or unknown category?

    An embedding has a vector for each index.
    """
    if example.component.holds != "categories":
        return
    indices = encoded(example.fitted, example.codes)
    if (indices != np.rint(indices)).any() or (indices < 0).any():
        raise CheckFailure("an index is negative, or not an integer", expected="integers from 0 up")
    if indices[example.codes == -1].any():
        raise CheckFailure("a missing category doesn't get the index 0", expected="0 for the code -1")


@checks_examples("category_encoding")
def onnx_describes_what_categories_become(example: CategoryEncodingExample) -> None:
    """Does the graph of ``onnx`` compute what ``encode`` returns?

    Exporters read only the graph.
    """
    fitted, codes = example.fitted, example.codes
    graph = Graph(np.dtype(np.float32), (len(fitted.features()),))
    try:
        graph.outputs["encoded"] = graph.cast(fitted.onnx(graph, graph.feed("codes", "int64")), np.float64)
    except NotExportableError as error:
        raise NotApplicable(str(error)) from error
    found = evaluated(graph, {"codes": codes.astype(np.int64)}, "encoded")
    remedy = "use operators for the steps of encode, in the same order, in float64"
    expected = encoded(fitted, codes)
    check_close({ENCODED: _comparable(found)}, {ENCODED: expected}, "in the graph", remedy, tolerance=1e-9)
