"""Examples and checks of calibrations: what they learn from held-out rows, and the probabilities that they return."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final, Self

import numpy as np

from mlpkit.array import Array
from mlpkit.components.calibration import Calibration
from mlpkit.components.graph import Graph
from mlpkit.components.target import Classes, Labels, Target
from mlpkit.errors import NotExportableError, TargetError
from mlpkit.network.shape_proof import Adjustments, Proof, adjusted
from mlpkit.registry.registry import RegisteredComponent, Registry
from mlpkit.testing.suite.check import CheckFailure, NotApplicable, checks_examples
from mlpkit.testing.suite.comparison import Arrays, check_close, check_same_bits, evaluated
from mlpkit.testing.suite.example import Example

CALIBRATED: Final = "the calibrated probabilities"
ROWS: Final = 200
TARGETS: Final = (Classes(3), Labels(2))


class CalibrationExample(Example):
    """A calibration, fitted on probabilities that are too sure of themselves."""

    sample = "[{'knots': 8}]"

    def __init__(
        self, entry: RegisteredComponent, registry: Registry, index: int | None, target: Target = TARGETS[0]
    ) -> None:
        super().__init__(entry, registry, index)
        self.target: Any = target

    @classmethod
    def variants(cls, entry: RegisteredComponent, registry: Registry, index: int | None) -> list[Self]:
        """Return a variant for each target that ``build`` accepts."""
        variants = [cls(entry, registry, index, target) for target in TARGETS]
        return [each for each in variants if each.is_accepted()] or variants[:1]

    def is_accepted(self) -> bool:
        """Return whether ``build`` accepts the target."""
        try:
            self.ready()
        except TargetError:
            return False
        except Exception:  # reported by the checks
            return True
        return True

    def title(self) -> str:
        """Return a title that identifies the example."""
        return f"{super().title()} with {self.target}"

    def ready(self) -> Calibration:
        """Build the calibration, with arrays for its states."""
        made: Calibration = self.make()
        dtype = np.dtype(np.float64)
        adjusted(Proof([], None, [], self.target, 0), Adjustments(made), dtype)  # type: ignore[arg-type]
        for state in made.declared_states():
            state.value = np.full(state.shape, state.initial)
        return made

    def held_out(self) -> tuple[Array, Array, Array]:
        """Return probabilities, targets and weights of held-out rows."""
        random, shape = self.random("held-out rows"), (ROWS, self.target.count)
        logits = random.normal(size=shape)
        t = np.eye(shape[1])[(logits + random.gumbel(size=shape)).argmax(axis=1)]
        p = np.exp(4 * logits)
        p = p / p.sum(axis=1, keepdims=True) if isinstance(self.target, Classes) else p / (1 + p)
        return p, t, random.integers(1, 4, ROWS).astype(np.float64)

    @property
    def rows(self) -> Array:
        """Return probabilities to calibrate."""
        return self.held_out()[0][:20]

    @cached_property
    def fitted(self) -> Calibration:
        """The calibration, fitted."""
        made = self.ready()
        made.fit(*self.held_out())
        return made

    def exercise(self) -> Arrays:
        """Fit a new object, and calibrate rows."""
        made = self.ready()
        made.fit(*self.held_out())
        return {CALIBRATED: np.array(made.predict(self.rows))}


@checks_examples("calibration")
def calibrated_probabilities_are_probabilities(example: CalibrationExample) -> None:
    """Does ``predict`` return numbers from 0 to 1, in the shape and dtype of p, and leave p as it is?

    Of classes, those of a row add up to 1.
    """
    p = example.rows
    found = example.fitted.predict(p)
    if not isinstance(found, np.ndarray) or found.shape != p.shape or found.dtype != p.dtype:
        raise CheckFailure(
            f"predict returned {np.shape(found)} for {p.shape}", expected=f"an array of {p.dtype}, of the same shape"
        )
    if not ((found >= 0) & (found <= 1)).all():
        raise CheckFailure("a calibrated probability is not in [0, 1]", expected="numbers from 0 to 1")
    if isinstance(example.target, Classes) and not np.allclose(found.sum(axis=1), 1):
        raise CheckFailure("calibrated probabilities of classes don't add up to 1", expected="rows whose sum is 1")
    if not np.array_equal(p, example.rows):
        raise CheckFailure("predict changed p", expected="unchanged probabilities")


@checks_examples("calibration")
def calibrating_a_row_needs_no_others(example: CalibrationExample) -> None:
    """Does a row get the same bits alone and among others?

    A prediction must not depend on the other rows.
    """
    together = np.array(example.fitted.predict(example.rows))
    alone = np.concatenate([np.array(example.fitted.predict(row[np.newaxis])) for row in example.rows])
    check_same_bits({CALIBRATED: alone}, {CALIBRATED: together}, "for single rows", "learn only in fit")


@checks_examples("calibration")
def states_hold_what_a_calibration_learned(example: CalibrationExample) -> None:
    """Does another object with the same states return the same bits?

    Only states are saved with a model.
    """
    other = example.ready()
    for state, learned in zip(other.declared_states(), example.fitted.declared_states(), strict=True):
        state.value[...] = learned.value
    expected = {CALIBRATED: np.array(example.fitted.predict(example.rows))}
    found = {CALIBRATED: np.array(other.predict(example.rows))}
    check_same_bits(found, expected, "with the same states", "keep what fit learns in self.state")


@checks_examples("calibration")
def onnx_describes_a_calibration(example: CalibrationExample) -> None:
    """If it has ``onnx``, does the graph compute what ``predict`` returns?

    Exporters read only the graph.
    """
    p = example.rows
    graph = Graph(p.dtype, p.shape[1:])
    graph.input = graph.feed("p", p.dtype.name, p.shape[1:])
    try:
        graph.outputs["calibrated"] = example.fitted.onnx(graph)
    except NotExportableError as error:
        raise NotApplicable(str(error)) from error
    found = evaluated(graph, {"p": p}, "calibrated")
    remedy = "use operators for the steps of predict, in the same order"
    check_close({CALIBRATED: found}, {CALIBRATED: example.fitted.predict(p)}, "in the graph", remedy, tolerance=1e-9)
