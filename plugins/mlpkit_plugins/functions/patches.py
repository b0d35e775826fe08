"""Square patches of images, for convolution and pooling."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mlpkit import ShapeError


@dataclass(frozen=True)
class Patches:
    """The square patches of an image: as many as fit, from the upper left corner.

    Args:
        size: pixels along each side of a patch.
        stride: pixels from one patch to the next.
        down: the number of patches from top to bottom.
        across: the number of patches from left to right.
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
            ShapeError: no patch fits.
        """
        if min(height, width) < size:
            raise ShapeError(
                f"{who} can't take images of {height} by {width} pixels", expected=f"at least {size} by {size}"
            )
        return cls(size, stride, (height - size) // stride + 1, (width - size) // stride + 1)

    def pixels(self) -> Iterator[tuple[slice, slice]]:
        """Yield an index, height and width, for each pixel of a patch; it selects that pixel of all patches."""
        for i in range(self.size):
            for j in range(self.size):
                rows = slice(i, i + self.stride * (self.down - 1) + 1, self.stride)
                columns = slice(j, j + self.stride * (self.across - 1) + 1, self.stride)
                yield rows, columns
