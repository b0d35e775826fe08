"""Initialization with ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit import Fans, Initializer

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Ones(Initializer):
    """One everywhere: right for factors, wrong for weights, since it never breaks their symmetry.

        W = 1

    Source: Goodfellow, Bengio and Courville, Deep Learning (2016), section 8.4.
    """

    def __call__(
        self, shape: tuple[int, ...], fans: Fans, rng: np.random.Generator, dtype: np.dtype[Any]
    ) -> NDArray[Any]:
        """Return ones."""
        return np.ones(shape, dtype)
