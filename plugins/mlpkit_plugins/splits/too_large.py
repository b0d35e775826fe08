"""Finite numbers that a dtype can't hold: float32 makes 1e39 infinite."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def holds(dtype: np.dtype[Any], numbers: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which numbers are finite as a dtype; all of them if it is one of integers."""
    if dtype.kind != "f":
        return np.ones(numbers.shape, np.bool_)
    with np.errstate(over="ignore"):
        finite: NDArray[np.bool_] = np.isfinite(numbers.astype(dtype))
        return finite


def too_large(dtype: np.dtype[Any], number: float, scaled: float, remedy: str) -> str:
    """Return what to say of a number that a dtype can't hold.

    Args:
        dtype: the dtype.
        number: the number as it stands in the file.
        scaled: what is made of it.
        remedy: what to do about the number, if not about the dtype.
    """
    what = f"{number:g}" if scaled == number else f"{number:g}, scaled to {scaled:g},"
    most = np.finfo(dtype).max
    return f"{what} is too large for {dtype}, which ends at {most:.3g}; set dtype: float64, or {remedy}"
