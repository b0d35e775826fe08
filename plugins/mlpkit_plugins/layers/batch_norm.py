"""Batch normalization."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Lt

from mlpkit import Array, Graph, Layer, Value
from mlpkit_plugins.functions.feature_axis import FeatureAxis
from mlpkit_plugins.kernels import (
    feature_sums,
    feature_sums_of_products,
    feature_sums_of_squares,
    normalize,
    normalize_gradient,
)


class BatchNorm(Layer):
    """Batch normalization: each feature gets mean 0 and variance 1 over the minibatch, then a scale and a shift.

        mean     = Σ x / n,  variance = Σ (x - mean)² / n  (over the n elements of the feature in the minibatch)
        x̂        = (x - mean) / √(variance + epsilon)
        y        = gamma x̂ + beta
        dx       = gamma (dy - mean(dy) - x̂ mean(dy x̂)) / √(variance + epsilon)
        dgamma   = Σ dy x̂,  dbeta = Σ dy

    The first axis of an example counts its features, such as the channels of an image; means and sums run over all
    further axes too. In training, the layer keeps running statistics:

        running ← momentum running + (1 - momentum) statistic

    where the statistics are the minibatch's mean, and its variance with n - 1 in place of n. Evaluation uses the
    running statistics, so that examples don't affect each other.

    A minibatch with one element per feature, such as a single row at the end of an epoch, has no variance: the running
    variance stays unchanged. Since x̂ is zero, the layer then returns beta, and no gradient reaches the layers before
    it. With batch_size 1, training and evaluation differ completely: use larger minibatches, or LayerNorm.

    Args:
        momentum: share of the running statistics that is kept from step to step.
        epsilon: keeps the quotient finite if a feature is constant; in the squared unit of x.

    Shapes: x and y (rows, features, ...); gamma, initially one, and beta, initially zero, (features,), never decayed.

    Raises:
        ShapeError: an input is a single number, without an axis of features.

    Source: Ioffe and Szegedy, Batch Normalization (2015), algorithms 1 and 2.
    """

    couples_examples: ClassVar[bool] = True

    momentum: Annotated[float, Ge(0), Lt(1)] = 0.9
    epsilon: Annotated[float, Gt(0)] = 1e-5

    def build(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Declare gamma and beta, and the running mean and variance."""
        self.axis = FeatureAxis(self, input_shape)
        features = self.axis.features
        self.gamma = self.parameter("gamma", (features,), 1.0, decay=False)
        self.beta = self.parameter("beta", (features,), "zeros", decay=False)
        self.running_mean = self.state("running_mean", (features,), 0.0)
        self.running_variance = self.state("running_variance", (features,), 1.0)
        return input_shape

    def forward(self, x: Array) -> Array:
        """Return y = gamma x̂ + beta."""
        self.normalized = self.buffer("normalized", like=x)
        self.coupled = self.training and len(x) > 0
        if self.coupled:
            sums = self.buffer("sums", self.gamma.value.shape)
            count = x.size // len(sums)
            mean = feature_sums(x, sums) / count
            variance = feature_sums_of_squares(x, mean, self.normalized, sums) / count
            self._keep(mean, variance, count)
        else:
            mean, variance = self.running_mean.value, self.running_variance.value
        self.scale = 1 / np.sqrt(variance + self.epsilon)
        figures = mean, self.scale, self.gamma.value, self.beta.value
        mean, scale, gamma, beta = map(self.axis.spread, figures)
        return normalize(x, mean, scale, gamma, beta, self.normalized, self.buffer("y", like=x))

    def backward(self, dy: Array) -> Array:
        """Set dgamma and dbeta, and return dx."""
        feature_sums_of_products(dy, self.normalized, self.buffer("products", like=dy), self.gamma.grad)
        feature_sums(dy, self.beta.grad)
        factor = self.axis.spread(self.scale * self.gamma.value)
        if not self.coupled:
            dy *= factor
            return dy
        count = dy.size // len(self.scale)
        mean, along = (self.axis.spread(each.grad / count) for each in (self.beta, self.gamma))
        return normalize_gradient(dy, self.normalized, mean, along, factor, dy)

    def _keep(self, mean: Array, variance: Array, count: int) -> None:
        """Update the running statistics from a minibatch with count elements per feature."""
        figures = [(self.running_mean, mean)]
        if count > 1:  # one element has no variance
            figures.append((self.running_variance, variance * (count / (count - 1))))
        for running, figure in figures:
            running.value *= self.momentum
            running.value += (1 - self.momentum) * figure

    def onnx(self, graph: Graph) -> Value:
        """Describe y, with the running statistics."""
        statistics = self.running_mean, self.running_variance
        return graph.op("BatchNormalization", graph.input, self.gamma, self.beta, *statistics, epsilon=self.epsilon)

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the layer on features and on an image of two channels."""
        return [({}, (4,)), ({"momentum": 0.5}, (2, 2, 3))]
