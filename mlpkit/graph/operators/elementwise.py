"""Elementwise operators: arithmetic, comparisons, rounding, mathematical functions, types."""

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


def cast(x: Array, *, to: int) -> Array:
    """Convert x to another type; texts are parsed, and numbers become texts."""
    return x.astype(DTYPES[to])


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
    "Max": lambda *inputs: reduce(np.maximum, inputs),
    "Min": lambda *inputs: reduce(np.minimum, inputs),
    "Mul": np.multiply,
    "Neg": np.negative,
    "Not": np.logical_not,
    "Or": np.logical_or,
    "Pow": power,
    "Reciprocal": np.reciprocal,
    "Round": np.rint,
    "Sign": np.sign,
    "Sin": sine,
    "Sqrt": np.sqrt,
    "Sub": np.subtract,
    "Where": np.where,
}
"""These operators, by name."""
