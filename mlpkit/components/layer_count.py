"""How many layers lie inside the layers of a network: a few words of a spec may ask for any number of them."""

from __future__ import annotations

from typing import Final

from mlpkit.errors import ShapeError

MOST_LAYERS_INSIDE: Final = 5_000
"""Layers inside the layers of one network; it takes a second, and tens of megabytes, to find room for so many."""


class LayerCount:
    """Counts layers inside layers, across the whole network."""

    def __init__(self) -> None:
        self._count = 0

    def add(self, holder: str) -> None:
        """Count one more.

        Args:
            holder: path of the layer that holds it.

        Raises:
            ShapeError: that makes too many.
        """
        self._count += 1
        if self._count > MOST_LAYERS_INSIDE:
            raise ShapeError(
                f"{holder} brings the layers inside layers to more than {MOST_LAYERS_INSIDE:,}",
                expected="a network of fewer layers",
                remedy="repeat fewer of them",
            )
