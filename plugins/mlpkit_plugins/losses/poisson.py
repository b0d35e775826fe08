"""The negative log-likelihood of counts."""

from __future__ import annotations

import numpy as np

from mlpkit import Array, Graph, UsageError, Value
from mlpkit_plugins.losses.mean_over_rows import mean_of, share_of_each
from mlpkit_plugins.losses.real_values import RealValuesLoss


class Poisson(RealValuesLoss):
    """Negative log-likelihood of counts whose logarithmic rate is the input, without its part that depends on t alone.

        λ    = exp(x)
        loss = mean of λ - t x over rows and elements
        dx   = dloss (λ - t) / count

    Predictions are the rates λ. Here count is the number of rows times the elements of each. If rows have weights w,
    the mean over them is Σ w loss / Σ w.

    Shapes: x of any shape, t of the same shape.

    Raises:
        ShapeError: the data's target is not real values of the shape of an input, or the targets are not numbers of the
            shape of x.
        UsageError: a target is negative.

    Source: Cameron and Trivedi, Regression Analysis of Count Data (2013), section 3.2.
    """

    compares_values = False
    takes_negative_values = False

    def forward(self, x: Array, t: Array, weights: Array | None = None) -> float:
        """Return the mean of λ - t x."""
        self.require_values(x, t)
        if t.size and t.min() < 0:
            raise UsageError(
                f"{self.path} got the target {t.min():g}; expected counts, numbers from 0 up; "
                "for values of either sign, use MeanSquaredError instead"
            )
        self.weights = weights
        rate = self.exp(x, self.buffer("rate", x.shape))
        product = np.multiply(x, t, out=self.buffer("product", x.shape))
        self.r = np.subtract(rate, t, out=self.buffer("residual", x.shape))
        return mean_of(np.subtract(rate, product, out=product), weights)

    def backward(self, dloss: float = 1.0) -> Array:
        """Return dx = dloss (λ - t) / count."""
        dx = self.buffer("dx", self.r.shape)
        np.multiply(self.r, share_of_each(dloss, dx, self.weights), out=dx)
        return dx

    def predict(self, x: Array) -> Array:
        """Return the rates λ = exp(x)."""
        return self.exp(x, self.buffer("predicted", x.shape))

    def inputs_for(self, prediction: Array) -> Array:
        """Return x = log λ, with λ at least the smallest normal number."""
        logarithms: Array = np.log(np.maximum(prediction, np.finfo(prediction.dtype).tiny))
        return logarithms

    def onnx(self, graph: Graph) -> Value:
        """Describe λ = exp(x)."""
        return graph.op("Exp", graph.input)

    def best_constant(self, t: Array, weights: Array | None = None) -> Array:
        """Return the logarithm of the mean count, or of 1e-30 if that is 0."""
        return np.log(np.maximum(np.average(t.astype(np.float64), axis=0, weights=weights), 1e-30))
