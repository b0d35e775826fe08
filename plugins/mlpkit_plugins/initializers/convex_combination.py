"""Biases drawn from training data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge

from mlpkit import Array, Fans, Initializer


class ConvexCombination(Initializer):
    """Biases that place each unit's kink among the training inputs: minus a random convex combination of its outputs.

        b_j = -Σ λ_jk y_j(x_jk),  λ_jk = e_jk / Σ e_jk,  e_jk ~ Exponential(1)

    where y_j is the output of unit j without bias, and the x_jk are a few rows for each unit, drawn with replacement
    from a batch of training inputs. Without data, b = 0.

    Args:
        rows: number of rows in each combination.

    Source: Holzmüller, Grinsztajn and Steinwart, Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular
        Data (2024), appendix A.2, as he+5; Steinwart, A Sober Look at Neural Network Initializations (2019), section 4.
    """

    rows: Annotated[int, Ge(1)] = 5

    def __call__(self, shape: tuple[int, ...], fans: Fans, rng: np.random.Generator, dtype: np.dtype[Any]) -> Array:
        """Return zeros."""
        return np.zeros(shape, dtype)

    def adapt(
        self, values: Array, outputs: Callable[[Array], Array], unit_axis: int, rng: np.random.Generator
    ) -> Array:
        """Return minus a convex combination of each unit's outputs."""
        y = np.moveaxis(outputs(np.zeros_like(values)), 1, -1)
        y = y.reshape(-1, y.shape[-1])
        chosen = rng.integers(len(y), size=(self.rows, y.shape[-1]))
        shares = rng.exponential(size=chosen.shape)
        shares /= shares.sum(axis=0)
        b: Array = -(shares * np.take_along_axis(y, chosen, axis=0)).sum(axis=0)
        return b.astype(values.dtype)

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show it on a bias."""
        return [({}, (5,)), ({"rows": 1}, (3,))]
