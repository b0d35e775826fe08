"""Examples and checks of what is fitted on rows: encodings, category encodings and calibrations."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterator
from functools import cached_property
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mlpkit.array import Array
from mlpkit.components.calibration import Calibration
from mlpkit.components.category_encoding import FittedCategoryEncoding, TrainingCategories
from mlpkit.components.encoding import FittedEncoding, TrainingColumns
from mlpkit.components.graph import Graph, Value
from mlpkit.components.target import Classes, Labels
from mlpkit.errors import ModelFileError, NotExportableError, ParameterError, TargetError
from mlpkit.network.shape_proof import Adjustments, Proof, adjusted
from mlpkit.testing.suite.check import (
    Arrays,
    CheckFailure,
    NotApplicable,
    check_close,
    check_same_bits,
    checks_examples,
    evaluated,
    require,
    unchanged,
    unchanged_object,
)
from mlpkit.testing.suite.plugin_under_test import Example

ENCODINGS: Final = ("encoding", "category_encoding")
FITTED: Final = (*ENCODINGS, "calibration")


class FittedExample(Example):
    """A component that is fitted on rows, and then changes rows one by one.

    Attributes:
        what: the changed rows, in words.
        method: the method of the component that changes rows.
        dtype: the dtype of the network for which ``onnx`` describes it.
    """

    what: ClassVar[str] = "the encoded rows"
    method: ClassVar[str] = "encode"
    dtype: ClassVar[DTypeLike] = np.float32

    def is_accepted(self) -> bool:
        """Return whether the component can be fitted on the variant's rows."""
        try:
            self.fit(self.make())
        except (ParameterError, TargetError):
            return False
        except Exception:  # reported by the checks
            return True
        return True

    @cached_property
    def fitted(self) -> Any:
        """The component, fitted."""
        return self.fit(self.make())

    @property
    @abstractmethod
    def rows(self) -> Array:
        """Rows to change, as new arrays at each call."""

    @abstractmethod
    def fit(self, component: Any, *, otherwise: bool = False) -> Any:
        """Fit a new component on always the same rows, but ``otherwise`` in another order or in other chunks."""

    @abstractmethod
    def changed(self, fitted: Any, rows: Array) -> Array:
        """Return changed rows."""

    @abstractmethod
    def onnx(self, graph: Graph, rows: Value) -> Value:
        """Describe ``changed``."""

    def result(self, fitted: Any) -> Arrays:
        """Return the changed rows, for comparison."""
        return {self.what: self.changed(fitted, self.rows)}

    def exercise(self) -> Arrays:
        """Fit a new object, and change rows."""
        return self.result(self.fit(self.make()))


class EncodingOfRows(FittedExample):
    """An encoding, or a category encoding."""

    @abstractmethod
    def width(self) -> int:
        """Return the number of elements that an encoded row should have."""

    @abstractmethod
    def loaded(self, state: Any) -> Any:
        """Return a fitted encoding with the state of another."""

    def may_be_missing(self, rows: Array) -> Array:
        """Return which rows may be encoded as NaN; by default none."""
        return np.zeros((len(rows), 1), np.bool_)


@checks_examples(*ENCODINGS)
def encoded_rows_have_the_declared_features(example: EncodingOfRows) -> None:
    """Does ``encode`` return a row per row, with a finite number for each name that ``features`` returns?

    The network's input shape follows from the names. Only the code -1, a missing category, may become NaN.
    """
    width = example.width()
    for rows in (example.rows, example.rows[:1], example.rows[:0]):
        found = example.fitted.encode(rows)
        fits = isinstance(found, np.ndarray) and found.dtype.kind in "biuf" and found.shape == (len(rows), width)
        expected = f"numbers of shape {(len(rows), width)}, as features says"
        require(fits, f"encode returned {np.shape(found)} for {len(rows)} rows", expected=expected)
        are_finite = (np.isfinite(found) | example.may_be_missing(rows)).all()
        require(are_finite, "an encoded number is infinite or not a number", expected="finite numbers")


@checks_examples(*FITTED)
def a_row_needs_no_others(example: FittedExample) -> None:
    """Does a row give the same bits alone and among others, and are the rows unchanged?

    A prediction must not depend on the other rows.
    """
    rows = example.rows
    with unchanged(example.method, {"the rows": rows}):
        together = example.changed(example.fitted, rows)
        alone = np.concatenate([example.changed(example.fitted, rows[i : i + 1]) for i in range(len(rows))])
    check_same_bits({example.what: alone}, {example.what: together}, "for single rows", "learn only in fit")


@checks_examples(*ENCODINGS)
def fit_depends_on_the_rows_alone(example: EncodingOfRows) -> None:
    """Does ``fit`` learn the same, up to rounding, in another order or from other chunks, and keep nothing in self?

    One object may encode several columns.
    """
    encoding = example.make()
    with unchanged_object("fit", encoding, expected="the learned values to be returned"):
        found = example.result(example.fit(encoding, otherwise=True))
    when, remedy = "with the same rows in another order or in other chunks", "treat all rows in the same way"
    check_close(found, example.result(example.fitted), when, remedy, tolerance=1e-9)


@checks_examples(*ENCODINGS)
def what_was_learned_can_be_saved(example: EncodingOfRows) -> None:
    """Does ``fit`` return arrays of finite numbers that give the same bits after saving and loading?

    A model file contains them.
    """
    fitted = example.fitted
    for name, values in fitted.learned.items():
        is_array = isinstance(name, str) and isinstance(values, np.ndarray) and np.isfinite(values).all()
        require(is_array, f"fit returned {values!r} as {name!r}", expected="arrays of finite numbers by name")
    try:
        loaded = example.loaded(json.loads(json.dumps(fitted.state())))
    except ModelFileError as error:
        raise CheckFailure(str(error), expected="encode to work with what fit returned, as float64") from error
    check_same_bits(example.result(loaded), example.result(fitted), "after loading", "return float64 from fit")


@checks_examples(*FITTED)
def onnx_describes_what_rows_become(example: FittedExample) -> None:
    """If it has ``onnx``, does the graph compute what ``encode`` or ``predict`` returns?

    Exporters read only the graph.
    """
    rows = example.rows
    rows = rows.astype(np.int64) if rows.dtype.kind == "i" else rows
    graph = Graph(np.dtype(example.dtype), rows.shape[1:])
    graph.input = graph.feed("rows", rows.dtype.name, rows.shape[1:])
    try:
        graph.outputs["changed"] = example.onnx(graph, graph.input)
    except NotExportableError as error:
        raise NotApplicable(str(error)) from error
    found = {example.what: evaluated(graph, {"rows": rows}, "changed")}
    remedy = "use operators for the same steps, in the same order, in float64"
    check_close(found, example.result(example.fitted), "in the graph", remedy, tolerance=1e-9)


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
        happened = f"features returned names for {len(names)} columns"
        require(len(names) == len(COLUMNS), happened, expected=f"one list for each of {len(COLUMNS)}")
        return sum(map(len, names))


CATEGORIES: Final = {
    "a column of few": ("no", "yes"),
    "a column of several": ("blue", "green", "other", "red", "Straße"),
}
ROWS_OF_CATEGORIES: Final = 100


class CategoryEncodingExample(EncodingOfRows):
    """A category encoding, fitted on a column of categories with missing values, for each column that it accepts."""

    sample = "[{'buckets': 8}]"
    possible: ClassVar = tuple(CATEGORIES)

    def title(self) -> str:
        """Return a title that identifies the example."""
        return f"{super().title()} on {self.variant}"

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories of the column."""
        return CATEGORIES[self.variant]

    @property
    def rows(self) -> NDArray[np.int32]:
        """Codes to encode: all codes, in reverse order, twice."""
        return np.tile(np.arange(-1, len(self.categories), dtype=np.int32)[::-1], 2)

    def fit(self, component: Any, *, otherwise: bool = False) -> FittedCategoryEncoding:
        """Fit an encoding on the training rows, in their order or reversed."""
        random = self.random("training rows")
        codes = random.integers(-1, len(self.categories), ROWS_OF_CATEGORIES).astype(np.int32)
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


HELD_OUT = 200


class CalibrationExample(FittedExample):
    """A calibration, fitted on probabilities that are too sure of themselves, for each target that it accepts."""

    sample = "[{'knots': 8}]"
    what, method = "the calibrated probabilities", "predict"
    dtype = np.float64
    possible: ClassVar = (Classes(3), Labels(2))

    def title(self) -> str:
        """Return a title that identifies the example."""
        return f"{super().title()} with {self.variant}"

    def ready(self, made: Calibration | None = None) -> Calibration:
        """Build a calibration, by default a new one, with arrays for its states."""
        made = made or self.make()
        dtype = np.dtype(np.float64)
        adjusted(Proof([], None, [], self.variant, 0), Adjustments(made), dtype)  # type: ignore[arg-type]
        for state in made.declared_states():
            state.value = np.full(state.shape, state.initial)
        return made

    def held_out(self) -> tuple[Array, Array, Array]:
        """Return probabilities, targets and weights of held-out rows."""
        random, shape = self.random("held-out rows"), (HELD_OUT, self.variant.count)
        logits = random.normal(size=shape)
        t = np.eye(shape[1])[(logits + random.gumbel(size=shape)).argmax(axis=1)]
        p = np.exp(4 * logits)
        p = p / p.sum(axis=1, keepdims=True) if isinstance(self.variant, Classes) else p / (1 + p)
        return p, t, random.integers(1, 4, HELD_OUT).astype(np.float64)

    @property
    def rows(self) -> Array:
        """Return probabilities to calibrate."""
        return self.held_out()[0][:20]

    def fit(self, component: Any, *, otherwise: bool = False) -> Calibration:
        """Build a calibration, and fit it."""
        made = self.ready(component)
        made.fit(*self.held_out())
        return made

    def changed(self, fitted: Calibration, rows: Array) -> Array:
        """Return calibrated probabilities."""
        return np.array(fitted.predict(rows))

    def onnx(self, graph: Graph, rows: Value) -> Value:
        """Describe the calibration."""
        value: Value = self.fitted.onnx(graph)
        return value


@checks_examples("calibration")
def calibrated_probabilities_are_probabilities(example: CalibrationExample) -> None:
    """Does ``predict`` return numbers from 0 to 1, in the shape and dtype of p?

    Of classes, those of a row add up to 1.
    """
    p = example.rows
    found = example.fitted.predict(p)
    fits = isinstance(found, np.ndarray) and found.shape == p.shape and found.dtype == p.dtype
    expected = f"an array of {p.dtype}, of the same shape"
    require(fits, f"predict returned {np.shape(found)} for {p.shape}", expected=expected)
    is_share = ((found >= 0) & (found <= 1)).all()
    require(is_share, "a calibrated probability is not in [0, 1]", expected="numbers from 0 to 1")
    if isinstance(example.variant, Classes):
        adds_up = np.allclose(found.sum(axis=1), 1)
        require(adds_up, "calibrated probabilities of classes don't add up to 1", expected="rows whose sum is 1")


@checks_examples("calibration")
def states_hold_what_a_calibration_learned(example: CalibrationExample) -> None:
    """Does another object with the same states return the same bits?

    Only states are saved with a model.
    """
    other = example.ready()
    for state, learned in zip(other.declared_states(), example.fitted.declared_states(), strict=True):
        state.value[...] = learned.value
    expected = example.result(example.fitted)
    check_same_bits(example.result(other), expected, "with the same states", "keep what fit learns in self.state")
