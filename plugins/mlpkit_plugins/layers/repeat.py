"""Copies of a layer in a row."""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import Ge

from mlpkit import Layer, Recipe
from mlpkit_plugins.layers.sequence import Sequence


class Repeat(Sequence):
    """A layer several times in a row, each time with its own parameters.

        y  = fₙ(... f₂(f₁(x)))
        dx = dy ∂fₙ/∂fₙ₋₁ ... ∂f₂/∂f₁ ∂f₁/∂x

    Args:
        times: number of copies, n.
        layer: the layer that is copied.

    Shapes: x as the layer takes it, y as the last copy returns it.

    Raises:
        ShapeError: a copy can't take the output of the one before it.

    Source: Goodfellow, Bengio and Courville, Deep Learning (2016), section 6.5.2, the chain rule.
    """

    def __init__(self, times: Annotated[int, Ge(1)], layer: Recipe[Layer]) -> None:
        self.layers = [layer() for _ in range(times)]

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the layer with a single layer, and with several."""
        affine = {"Affine": {"units": 3}}
        block = {"Sequence": {"layers": [affine, "Sigmoid"]}}
        return [({"times": 2, "layer": affine}, (4,)), ({"times": 3, "layer": block}, (3,))]
