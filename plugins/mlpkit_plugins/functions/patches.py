"""Square patches of images, which convolution and pooling look through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlpkit import ShapeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

CACHED = 524_288
"""Numbers that stay in the cache from one step of a computation to the next: in float32, two megabytes."""

IN_MEMORY = (1, 2, 3, 0)
"""The axes of images in the order that is fastest to have them in memory: the same pixel of all images side by side."""

AS_IMAGES = (3, 0, 1, 2)
"""The way back, from (channels, height, width, rows) to (rows, channels, height, width)."""


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
        """Return the patches of an image, (height - size) // stride + 1 from top to bottom, and likewise across.

        Args:
            who: the layer, for the error.
            height: the image's height in pixels.
            width: its width.
            size: pixels along each side of a patch.
            stride: pixels from one patch to the next.

        Raises:
            ShapeError: not even one fits.
        """
        if min(height, width) < size:
            raise ShapeError(
                f"{who} can't take images of {height} by {width} pixels", expected=f"at least {size} by {size}"
            )
        return cls(size, stride, (height - size) // stride + 1, (width - size) // stride + 1)

    def pixels(self, band: slice = slice(None)) -> Iterator[tuple[int, int, tuple[slice, slice]]]:
        """Go through the pixels of a patch: row and column within it, and the index of that pixel of all patches.

        Args:
            band: which rows of patches; by default all of them.

        Returns:
            Indices of height and width.
        """
        first, end, _ = band.indices(self.down)
        for i in range(self.size):
            for j in range(self.size):
                rows = slice(i + self.stride * first, i + self.stride * (end - 1) + 1, self.stride)
                columns = slice(j, j + self.stride * (self.across - 1) + 1, self.stride)
                yield i, j, (rows, columns)

    def bands(self, numbers: int) -> Iterator[slice]:
        """Go through the rows of patches in bands, of as many rows each as stay in the processor's cache.

        Args:
            numbers: how many numbers belong to each row of patches.
        """
        rows = max(1, CACHED // max(1, numbers))
        for first in range(0, self.down, rows):
            yield slice(first, min(first + rows, self.down))

    def columns(self, images: NDArray[Any], band: slice, out: NDArray[Any]) -> NDArray[Any]:
        """Set out to the patches of a band, each a column (im2col), and return it.

        Args:
            images: shape (channels, height, width, rows).
            band: which rows of patches.
            out: shape (channels · size², patches of the band · rows).
        """
        by_pixel = self._by_pixel(out, band, images)
        for i, j, pixel in self.pixels(band):
            by_pixel[:, i, j] = images[:, *pixel]
        return out

    def add_columns(self, columns: NDArray[Any], band: slice, images: NDArray[Any]) -> None:
        """Add the columns of a band's patches to the pixels that they were made of (col2im).

        Args:
            columns: shape (channels · size², patches of the band · rows).
            band: which rows of patches.
            images: shape (channels, height, width, rows).
        """
        by_pixel = self._by_pixel(columns, band, images)
        for i, j, pixel in self.pixels(band):
            images[:, *pixel] += by_pixel[:, i, j]

    def _by_pixel(self, columns: NDArray[Any], band: slice, images: NDArray[Any]) -> NDArray[Any]:
        """Return columns with an axis for all that counts their pixels and their patches."""
        channels, _, _, rows = images.shape
        return columns.reshape(channels, self.size, self.size, band.stop - band.start, self.across, rows)
