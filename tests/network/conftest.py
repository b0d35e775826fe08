"""What the tests of networks share: data, and a network written out in plain NumPy that shares no code with mlpkit."""

from __future__ import annotations

import numpy as np
import pytest


class PlainNetwork:
    """Affine layers with ReLU between them, softmax and cross-entropy; gradients derived by hand.

    Written row by row and in float64 throughout, for the eye and not for speed.
    """

    def __init__(self, weights, biases):
        self.weights = [np.array(weight, np.float64) for weight in weights]
        self.biases = [np.array(bias, np.float64) for bias in biases]

    def loss_and_gradients(self, x, labels):
        """Return the mean loss, and the gradients by each weight and each bias."""
        rows = x.shape[0]
        activations = [np.asarray(x, np.float64)]
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            z = np.dot(activations[-1], weight) + bias
            last = i == len(self.weights) - 1
            activations.append(z if last else np.where(z > 0, z, 0.0))
        logits = activations.pop()
        loss = 0.0
        delta = np.empty_like(logits)
        for row in range(rows):
            z = logits[row]
            log_sum = np.log(np.sum(np.exp(z - z.max()))) + z.max()
            loss += (log_sum - z[labels[row]]) / rows
            delta[row] = np.exp(z - log_sum) / rows
            delta[row, labels[row]] -= 1 / rows
        weight_gradients, bias_gradients = [], []
        for weight, activation in zip(reversed(self.weights), reversed(activations), strict=True):
            weight_gradients.insert(0, np.einsum("ri,ro->io", activation, delta))
            bias_gradients.insert(0, np.einsum("ro->o", delta))
            delta = np.einsum("ro,io->ri", delta, weight) * (activation > 0)
        return loss, weight_gradients, bias_gradients

    def step(self, x, labels, learning_rate):
        """Take one step of gradient descent, and return the loss before it."""
        loss, weight_gradients, bias_gradients = self.loss_and_gradients(x, labels)
        for i, (by_weight, by_bias) in enumerate(zip(weight_gradients, bias_gradients, strict=True)):
            self.weights[i] = self.weights[i] - learning_rate * by_weight
            self.biases[i] = self.biases[i] - learning_rate * by_bias
        return loss


@pytest.fixture
def plain_network():
    """Return the class of networks in plain NumPy."""
    return PlainNetwork


@pytest.fixture
def examples():
    """Return a function that draws inputs and labels."""

    def draw(rows, input_shape, classes, seed=0, dtype=np.float64):
        rng = np.random.default_rng(seed)
        shape = (rows, *(input_shape if isinstance(input_shape, tuple) else (input_shape,)))
        return rng.normal(size=shape).astype(dtype), rng.integers(0, classes, rows)

    return draw
