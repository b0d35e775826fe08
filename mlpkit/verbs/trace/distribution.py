"""How the numbers of an array are distributed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from mlpkit.array import Array
from mlpkit.terminal.figures import figure
from mlpkit.terminal.formatting import shape

BINS: Final = 24
HEADINGS: Final = ("shape", "mean", "std", "min", "max", "norm", "zero", "not finite")


@dataclass(frozen=True)
class Distribution:
    """Statistics of the finite numbers of an array, in float64; NaN without any.

    ``zeros`` is the share of all numbers that are 0, ``nonfinite`` how many are NaN or infinite. The histogram has
    counts in ranges of equal width, from ``min`` to ``max``.
    """

    shape: tuple[int, ...]
    mean: float
    std: float
    min: float
    max: float
    norm: float
    zeros: float
    nonfinite: int
    histogram: tuple[int, ...]

    @property
    def cells(self) -> list[str]:
        """The statistics as a table shows them, below ``HEADINGS``."""
        numbers = map(figure, (self.mean, self.std, self.min, self.max, self.norm))
        return [shape(self.shape), *numbers, f"{self.zeros:.1%}", str(self.nonfinite)]

    def edges(self) -> tuple[float, ...]:
        """Return the edges of the histogram's ranges, one more than there are ranges."""
        width = self.max / len(self.histogram) - self.min / len(self.histogram)
        return (*(self.min + i * width for i in range(len(self.histogram))), self.max)


def distribution_of(array: Array) -> Distribution:
    """Return the statistics of an array."""
    finite = np.isfinite(array)
    values = array[finite].astype(np.float64)
    nonfinite = array.size - values.size
    zeros = float((array == 0).mean()) if array.size else math.nan
    if not values.size:
        nan = math.nan
        return Distribution(array.shape, nan, nan, nan, nan, 0.0, zeros, nonfinite, ())
    least, greatest = float(values.min()), float(values.max())
    scale = 2.0 ** (math.frexp(max(-least, greatest))[1] - 1)  # so that no square and no range overflows
    values /= scale
    low, high = float(values.min()), float(values.max())
    counts = [values.size]
    if low < high:
        counts = np.histogram((values - low) / (high - low), BINS, (0.0, 1.0))[0].tolist()
    return Distribution(
        array.shape,
        mean=float(values.mean()) * scale,
        std=float(values.std()) * scale,
        min=least,
        max=greatest,
        norm=float(np.sqrt(np.square(values).sum())) * scale,
        zeros=zeros,
        nonfinite=nonfinite,
        histogram=tuple(counts),
    )


def norm_of(arrays: Mapping[str, Array]) -> float:
    """Return the length of arrays as one vector."""
    return float(np.sqrt(sum(float(np.square(array, dtype=np.float64).sum()) for array in arrays.values())))
