"""Square patches of images, which convolution and pooling look through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlpkit import ShapeError

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Patches:
    """Where square patches lie in an image: from the upper left corner on, as many as fit.

    Args:
        size: pixels along each side of a patch.
        stride: pixels from one patch to the next.
        down: how many patches there are from top to bottom.
        across: how many patches there are from left to right.
    """

    size: int
    stride: int
    down: int
    across: int

    @classmethod
    def of(cls, who: str, height: int, width: int, size: int, stride: int) -> Patches:
        """Return the patches of an image, (height - size) // stride + 1 from top to bottom, and the same across.

        Args:
            who: the layer, for the error.
            height: the image's height in pixels.
            width: its width.
            size: pixels along each side of a patch.
            stride: pixels from one patch to the next.

        Raises:
            ShapeError: not even one patch fits.
        """
        if min(height, width) < size:
            raise ShapeError(
                f"{who} can't take images of {height} by {width} pixels", expected=f"at least {size} by {size}"
            )
        return cls(size, stride, (height - size) // stride + 1, (width - size) // stride + 1)

    def pixels(self) -> Iterator[tuple[slice, slice]]:
        """Go through the pixels of a patch: the index of each, height and width, in all patches at once."""
        for i in range(self.size):
            for j in range(self.size):
                rows = slice(i, i + self.stride * (self.down - 1) + 1, self.stride)
                columns = slice(j, j + self.stride * (self.across - 1) + 1, self.stride)
                yield rows, columns
