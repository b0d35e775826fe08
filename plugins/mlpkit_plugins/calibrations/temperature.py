"""Temperature scaling."""

from __future__ import annotations

from math import exp
from typing import Final

import numpy as np

from mlpkit import Array, Calibration, Classes, Graph, Target, Value
from mlpkit_plugins.kernels import row_order, sigmoid, softmax

FARTHEST: Final = 5.0
"""The largest distance of log T from 0."""
HALVINGS: Final = 40


class Temperature(Calibration):
    """Divides logits by one temperature, which makes all probabilities more or less sure and keeps their order.

        q = softmax(log p / T)  of classes;  σ((log p - log(1 - p)) / T)  of labels

    T minimizes the log loss of the held-out rows, Σ -t log q (and for labels -(1 - t) log(1 - q)), plus (log T)² / 2:
    a normal prior that weighs about as much as one row, so that T stays finite where every held-out row is right. A
    row with weight w counts w times. Probabilities nearer to 0 than the rounding of 1, or of labels to 1, count as that
    far away, so that a few rows of the utmost sureness don't decide T.

    Shapes: p and t (rows, classes) or (rows, labels).

    Raises:
        TargetError: the target is neither classes nor labels.

    Source: Guo, Pleiss, Sun and Weinberger, On Calibration of Modern Neural Networks (2017), section 4.2.
    """

    evaluation_context = row_order

    def build(self, target: Target) -> None:
        """Declare T."""
        self.expect_probabilities(target)
        self.of_classes = isinstance(target, Classes)
        self.T = self.state("T", (), 1.0)
        self.least = float(np.finfo(self.dtype).eps)
        self.greatest = 1 - self.least

    def fit(self, p: Array, t: Array, weights: Array) -> None:
        """Find log T by bisection: the derivative of the loss is negative below it and positive above."""
        logits, low, high = self._logits(p), -FARTHEST, FARTHEST
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            scaled = logits * exp(-middle)
            rises = middle > (weights @ ((self._probabilities(scaled) - t) * scaled)).sum()
            low, high = (low, middle) if rises else (middle, high)
        self.T.value[...] = exp((low + high) / 2)

    def predict(self, p: Array) -> Array:
        """Return q."""
        return self._probabilities(self._logits(p) / self.T.value)

    def _logits(self, p: Array) -> Array:
        logits: Array = np.log(np.maximum(p, self.least))
        return logits if self.of_classes else logits - np.log(1 - np.minimum(p, self.greatest))

    def _probabilities(self, logits: Array) -> Array:
        if self.of_classes:
            return softmax(logits, np.empty_like(logits))
        q = sigmoid(logits, np.empty_like(logits))
        return np.minimum(q, self.greatest, out=q)

    def onnx(self, graph: Graph) -> Value:
        """Describe q."""
        p = graph.input
        logits = graph.op("Log", graph.op("Max", p, self.least))
        if self.of_classes:
            return graph.op("Softmax", graph.op("Div", logits, self.T), axis=-1)
        others = graph.op("Sub", 1.0, graph.op("Min", p, self.greatest))
        scaled = graph.op("Div", graph.op("Sub", logits, graph.op("Log", others)), self.T)
        return graph.op("Min", graph.op("Sigmoid", scaled), self.greatest)
