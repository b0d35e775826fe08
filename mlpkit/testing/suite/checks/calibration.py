"""Examples of calibrations, fitted on held-out rows, and checks of their probabilities and states."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from mlpkit.array import Array
from mlpkit.components.calibration import Calibration
from mlpkit.components.graph import Graph, Value
from mlpkit.components.target import Classes, Labels
from mlpkit.network.shape_proof import Adjustments, Proof, adjusted
from mlpkit.testing.suite.check import check_same_bits, checks_examples, require
from mlpkit.testing.suite.checks.fitted import FittedExample

ROWS = 200


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
        random, shape = self.random("held-out rows"), (ROWS, self.variant.count)
        logits = random.normal(size=shape)
        t = np.eye(shape[1])[(logits + random.gumbel(size=shape)).argmax(axis=1)]
        p = np.exp(4 * logits)
        p = p / p.sum(axis=1, keepdims=True) if isinstance(self.variant, Classes) else p / (1 + p)
        return p, t, random.integers(1, 4, ROWS).astype(np.float64)

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
