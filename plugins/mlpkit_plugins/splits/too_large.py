"""Finite numbers that a dtype can't hold, such as 1e39 in float32."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def holds(dtype: np.dtype[Any], numbers: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which numbers are finite in a dtype; all of them for a dtype of integers."""
    if dtype.kind != "f":
        return np.ones(numbers.shape, np.bool_)
    with np.errstate(over="ignore"):
        finite: NDArray[np.bool_] = np.isfinite(numbers.astype(dtype))
        return finite


def too_large(dtype: np.dtype[Any], number: float, scaled: float, remedy: str) -> str:
    """Return the message for a number that a dtype can't hold.

    Args:
        dtype: the dtype.
        number: the number in the file.
        scaled: the scaled number.
        remedy: what to do about the number instead of the dtype.
    """
    what = f"{number:g}" if scaled == number else f"{number:g}, scaled to {scaled:g},"
    most = np.finfo(dtype).max
    return f"{what} is too large for {dtype}, whose largest number is {most:.3g}; set dtype: float64, or {remedy}"
