"""ONNX's activation functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from mlpkit.array import Array


def relu(x: Array) -> Array:
    """Return max(x, 0)."""
    return np.maximum(x, 0)


def leaky_relu(x: Array, *, alpha: float = 0.01) -> Array:
    """Return x where x >= 0, else alpha x."""
    return np.where(x >= 0, x, alpha * x)


def p_relu(x: Array, slope: Array) -> Array:
    """Return x where x >= 0, else slope x."""
    return np.where(x >= 0, x, slope * x)


def elu(x: Array, *, alpha: float = 1.0) -> Array:
    """Return x where x >= 0, else alpha (exp(x) - 1)."""
    return np.where(x >= 0, x, alpha * np.expm1(x))


def selu(x: Array, *, alpha: float = 1.6732632423543772, gamma: float = 1.0507009873554805) -> Array:
    """Return gamma x where x > 0, else gamma alpha (exp(x) - 1)."""
    y: Array = gamma * np.where(x > 0, x, alpha * np.expm1(x))
    return y


def sigmoid(x: Array) -> Array:
    """Return 1 / (1 + exp(-x)), as exp(min(x, 0)) / (1 + exp(-|x|)), which never overflows."""
    y: Array = np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))
    return y


def hard_sigmoid(x: Array, *, alpha: float = 0.2, beta: float = 0.5) -> Array:
    """Return alpha x + beta, but at least 0 and at most 1."""
    return np.clip(alpha * x + beta, 0, 1)


def hard_swish(x: Array) -> Array:
    """Return x times the hard sigmoid with alpha 1/6 and beta 1/2."""
    return x * hard_sigmoid(x, alpha=1 / 6, beta=0.5)


def softplus(x: Array) -> Array:
    """Return log(1 + exp(x)), as max(x, 0) + log(1 + exp(-|x|)), which never overflows."""
    y: Array = np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))
    return y


def softsign(x: Array) -> Array:
    """Return x / (1 + |x|)."""
    y: Array = x / (1 + np.abs(x))
    return y


def softmax(x: Array, *, axis: int = -1) -> Array:
    """Return exp(x - max x) / Σ exp(x - max x) along an axis."""
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    y: Array = e / e.sum(axis=axis, keepdims=True)
    return y


def log_softmax(x: Array, *, axis: int = -1) -> Array:
    """Return x - max x - log Σ exp(x - max x) along an axis."""
    shifted = x - x.max(axis=axis, keepdims=True)
    y: Array = shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
    return y


ACTIVATIONS: Final[dict[str, Callable[..., Array]]] = {
    "Elu": elu,
    "HardSigmoid": hard_sigmoid,
    "HardSwish": hard_swish,
    "LeakyRelu": leaky_relu,
    "LogSoftmax": log_softmax,
    "PRelu": p_relu,
    "Relu": relu,
    "Selu": selu,
    "Sigmoid": sigmoid,
    "Softmax": softmax,
    "Softplus": softplus,
    "Softsign": softsign,
    "Tanh": np.tanh,
}
"""These operators, by name."""
