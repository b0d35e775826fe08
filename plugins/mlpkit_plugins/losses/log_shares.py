"""Logarithms of shares that may be zero."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array

SMALLEST: Final = 1e-6
"""Stands for a share of zero, whose logarithm isn't finite."""


def log_shares(counts: Array) -> NDArray[np.float64]:
    """Return log(count / Σ counts), with 1e-6 in place of smaller shares.

    Args:
        counts: numbers from 0 up, not all 0.
    """
    counts = np.asarray(counts, np.float64)
    shares: NDArray[np.float64] = np.log(np.maximum(counts / (counts.sum() or 1.0), SMALLEST))
    return shares
