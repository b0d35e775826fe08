"""The common base of examples of encodings, category encodings and calibrations, and their common checks."""

from __future__ import annotations

import json
from abc import abstractmethod
from functools import cached_property
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import DTypeLike

from mlpkit.array import Array
from mlpkit.components.graph import Graph, Value
from mlpkit.errors import ModelFileError, NotExportableError, ParameterError, TargetError
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
)
from mlpkit.testing.suite.example import Example

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
    before = repr(vars(encoding))
    found = example.result(example.fit(encoding, otherwise=True))
    when, remedy = "with the same rows in another order or in other chunks", "treat all rows in the same way"
    check_close(found, example.result(example.fitted), when, remedy, tolerance=1e-9)
    changed = ", ".join(sorted(vars(encoding)))
    require(repr(vars(encoding)) == before, f"fit changed {changed}", expected="the learned values to be returned")


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
