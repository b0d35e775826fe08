"""Elementwise operators: arithmetic, comparisons, rounding, mathematical functions, activations, types."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import reduce
from typing import Final

import numpy as np

from mlpkit.array import Array

DTYPES: Final = {
    1: np.float32,
    2: np.uint8,
    3: np.int8,
    4: np.uint16,
    5: np.int16,
    6: np.int32,
    7: np.int64,
    8: np.str_,
    9: np.bool_,
    10: np.float16,
    11: np.float64,
    12: np.uint32,
    13: np.uint64,
}
"""NumPy's types, by their numbers in ONNX."""


def divide(a: Array, b: Array) -> Array:
    """Return a / b; the quotient of integers is truncated towards 0."""
    if a.dtype.kind == "f":
        return a / b
    quotient: Array = np.sign(a) * np.sign(b) * (np.abs(a) // np.abs(b))
    return quotient.astype(a.dtype)


def power(x: Array, exponent: Array) -> Array:
    """Return x to the power of the exponent, with x's type."""
    y: Array = np.power(x, exponent).astype(x.dtype)
    return y


def maximum(*inputs: Array) -> Array:
    """Return the largest of the inputs."""
    return reduce(np.maximum, inputs)


def minimum(*inputs: Array) -> Array:
    """Return the smallest of the inputs."""
    return reduce(np.minimum, inputs)


def clip(x: Array, least: Array | None = None, greatest: Array | None = None) -> Array:
    """Return min(max(x, least), greatest), where either limit may be left out."""
    y = x if least is None else np.maximum(x, least)
    return y if greatest is None else np.minimum(y, greatest)


def cosine(x: Array) -> Array:
    """Return cos x, computed in double precision and rounded."""
    return np.cos(x, dtype=np.float64).astype(x.dtype)


def sine(x: Array) -> Array:
    """Return sin x, computed in double precision and rounded."""
    return np.sin(x, dtype=np.float64).astype(x.dtype)


def erf(x: Array) -> Array:
    """Return 2 / √π times the integral of exp(-t²) from 0 to x."""
    y: Array = np.vectorize(math.erf, otypes=[x.dtype])(x)
    return y


def reciprocal(x: Array) -> Array:
    """Return 1 / x."""
    y: Array = x.dtype.type(1) / x
    return y


def cast(x: Array, *, to: int) -> Array:
    """Convert x to another type; texts are parsed, and numbers become texts."""
    return x.astype(DTYPES[to])


def where(condition: Array, a: Array, b: Array) -> Array:
    """Return a where the condition holds, else b."""
    return np.where(condition, a, b)


ELEMENTWISE: Final[dict[str, Callable[..., Array]]] = {
    "Abs": np.abs,
    "Add": np.add,
    "And": np.logical_and,
    "Cast": cast,
    "Ceil": np.ceil,
    "Clip": clip,
    "Cos": cosine,
    "Div": divide,
    "Equal": np.equal,
    "Erf": erf,
    "Exp": np.exp,
    "Floor": np.floor,
    "Greater": np.greater,
    "GreaterOrEqual": np.greater_equal,
    "Identity": np.asarray,
    "IsNaN": np.isnan,
    "Less": np.less,
    "LessOrEqual": np.less_equal,
    "Log": np.log,
    "Max": maximum,
    "Min": minimum,
    "Mul": np.multiply,
    "Neg": np.negative,
    "Not": np.logical_not,
    "Or": np.logical_or,
    "Pow": power,
    "Reciprocal": reciprocal,
    "Round": np.rint,
    "Sign": np.sign,
    "Sin": sine,
    "Sqrt": np.sqrt,
    "Sub": np.subtract,
    "Where": where,
}
"""These operators, by name."""


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
