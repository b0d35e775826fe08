"""Initialization with random signs."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlpkit import Array, Fans, Initializer


class RandomSigns(Initializer):
    """1 or -1, each with probability one half: factors that make the members of an ensemble differ.

        P(W = 1) = P(W = -1) = 1/2

    Source: Wen, Tran and Ba, BatchEnsemble: An Alternative Approach to Efficient Ensemble and Lifelong Learning (2020),
        appendix B.
    """

    def __call__(self, shape: tuple[int, ...], fans: Fans, rng: np.random.Generator, dtype: np.dtype[Any]) -> Array:
        """Draw signs."""
        return rng.choice([-1, 1], shape).astype(dtype)
