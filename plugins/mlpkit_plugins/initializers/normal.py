"""Normal initialization."""

from __future__ import annotations

from dataclasses import KW_ONLY
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge

from mlpkit import Array, Fans, Initializer


class Normal(Initializer):
    """Independent normal numbers with a given standard deviation.

        N(mean, std²)

    Args:
        std: standard deviation, in the unit of the parameter.
        mean: mean, in the unit of the parameter.

    Source: Goodfellow, Bengio and Courville, Deep Learning (2016), section 8.4.
    """

    std: Annotated[float, Ge(0)] = 0.01
    _: KW_ONLY
    mean: float = 0.0

    def __call__(self, shape: tuple[int, ...], fans: Fans, rng: np.random.Generator, dtype: np.dtype[Any]) -> Array:
        """Draw from N(mean, std²)."""
        return rng.normal(self.mean, self.std, shape).astype(dtype)
