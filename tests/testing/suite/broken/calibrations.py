"""Calibrations that break what calibrations promise."""

from __future__ import annotations

import numpy as np
from kill_matrix import caught_by
from sound import Flatter

from mlpkit import Labels, ShapeError


@caught_by("calibrated_probabilities_are_probabilities")
class WithoutSum(Flatter):
    """returns probabilities of classes that don't add up to 1"""

    def predict(self, p):
        return p**self.power.value


@caught_by("can_be_used")
class RefusesLate(Flatter):
    """takes labels, and refuses their probabilities once it is fitted"""

    def build(self, target):
        self.power, self.of_labels = self.state("power", (), 1.0), isinstance(target, Labels)

    def predict(self, p):
        if self.of_labels:
            raise ShapeError("these are probabilities of labels")
        return super().predict(p)


@caught_by("can_be_used")
class CrashesOnLabels(Flatter):
    """refuses labels by accident, with an exception of Python's"""

    def build(self, target):
        self.power = self.state("power", (), 1.0 + target.one_hot)


@caught_by("a_row_needs_no_others")
class InPlace(Flatter):
    """changes the probabilities that it is given"""

    def predict(self, p):
        p[...] = super().predict(p)
        return p


@caught_by("a_row_needs_no_others")
class OfTheRowsAtHand(Flatter):
    """is the flatter, the more rows it is given"""

    def predict(self, p):
        q = p ** (self.power.value / len(p))
        return q / q.sum(axis=1, keepdims=True)


@caught_by("states_hold_what_a_calibration_learned")
class Forgetful(Flatter):
    """learns a number that isn't in its states"""

    def fit(self, p, t, weights):
        self.learned = 0.5

    def predict(self, p):
        q = p ** getattr(self, "learned", 1.0)
        return q / q.sum(axis=1, keepdims=True)


@caught_by("onnx_describes_what_rows_become")
class ForgetsTheSum(Flatter):
    """leaves a step out of its graph"""

    def onnx(self, graph):
        return graph.op("Pow", graph.input, self.power)


@caught_by("onnx_describes_what_rows_become")
class NotYetFitted(Flatter):
    """describes itself as it is before it is fitted"""

    def onnx(self, graph):
        return graph.op("Mul", graph.input, np.float64(1))


@caught_by("calibrated_probabilities_are_probabilities")
class BeyondOne(Flatter):
    """moves probabilities beyond 0 and 1, and keeps their sum"""

    def predict(self, p):
        return 3 * p - 2 / p.shape[1]


@caught_by("calibrated_probabilities_are_probabilities")
class InSingle(Flatter):
    """returns float32 always"""

    def predict(self, p):
        return super().predict(p).astype(np.float32)
