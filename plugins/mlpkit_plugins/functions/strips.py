"""Strips of images, the matrices that convolution multiplies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mlpkit_plugins.functions.patches import Patches

CACHED = 1_048_576
"""Numbers that stay in the caches between two steps of a computation; in float32, four megabytes."""

IN_MEMORY = (3, 1, 2, 0)
"""From the axes of images, (rows, channels, height, width), to the order in memory that strips are cut from, (width,
channels, height, rows): columns of pixels one after the other, the same pixel of all images side by side. And back."""


@dataclass(frozen=True)
class Strips:
    """Strips of images, one pixel wide and as high as a patch: a patch is a few strips side by side.

    X is the matrix of all strips of a column of pixels, one below the other, and below them those of the next column. A
    strip takes channels · size rows of X, and a patch as many rows that follow one another: neighbours share theirs.
    So X is smaller by a factor of size than the matrix of all patches (im2col), and quickly made.

    Args:
        patches: where the patches lie.
        channels: channels of the images.
        width: pixels from the left of an image to the right.
    """

    patches: Patches
    channels: int
    width: int

    @property
    def height(self) -> int:
        """Rows of X that a strip takes."""
        return self.channels * self.patches.size

    def bands(self, rows: int) -> Iterator[slice]:
        """Go through the patches from top to bottom in bands, X of each small enough to stay in the cache.

        Args:
            rows: how many images there are.
        """
        down = self.patches.down
        at_once = max(1, CACHED // max(1, self.width * self.height * rows))
        bands = -(-down // at_once)
        for i in range(bands):  # all equally high, within a row of patches
            yield slice(i * down // bands, (i + 1) * down // bands)

    def of_patch(self, column: int) -> slice:
        """Return which rows of X the patches of a column of patches take."""
        first = column * self.patches.stride
        return slice(first * self.height, (first + self.patches.size) * self.height)

    def of_pixels(self, column: int) -> slice:
        """Return which rows of X the strips of a column of pixels take."""
        return slice(column * self.height, (column + 1) * self.height)

    def patches_around(self, column: int) -> tuple[slice, slice]:
        """Return the columns of patches around a column of pixels, and which of their strips it is from the right."""
        size, stride = self.patches.size, self.patches.stride
        first = max(0, -((size - 1 - column) // stride))
        end = min(self.patches.across, column // stride + 1)
        from_right = size - 1 - column + stride * first
        count = max(0, end - first)
        return slice(first, first + count), slice(from_right, from_right + stride * count, stride)

    def cut(self, images: NDArray[Any], band: slice, out: NDArray[Any]) -> NDArray[Any]:
        """Set out to X of a band of patches, and return it.

        Args:
            images: shape (width, channels, height, rows).
            band: which rows of patches.
            out: shape (width · channels · size, patches of a column of the band · rows).
        """
        by_pixel = self._by_pixel(out, band, images)
        for i, pixels in self._pixels(band):
            by_pixel[:, :, i] = images[:, :, pixels]
        return out

    def add(self, strips: NDArray[Any], band: slice, images: NDArray[Any]) -> None:
        """Add each number of a band's strips to its pixel.

        Args:
            strips: of the shape of X.
            band: which rows of patches.
            images: shape (width, channels, height, rows).
        """
        by_pixel = self._by_pixel(strips, band, images)
        for i, pixels in self._pixels(band):
            images[:, :, pixels] += by_pixel[:, :, i]

    def _pixels(self, band: slice) -> Iterator[tuple[int, slice]]:
        """Go through the pixels of a strip: row within it, and the rows of the images where all strips have it."""
        stride = self.patches.stride
        for i in range(self.patches.size):
            yield i, slice(i + stride * band.start, i + stride * (band.stop - 1) + 1, stride)

    def _by_pixel(self, strips: NDArray[Any], band: slice, images: NDArray[Any]) -> NDArray[Any]:
        """Return strips with an axis for all that counts their pixels and their patches."""
        return strips.reshape(self.width, self.channels, self.patches.size, band.stop - band.start, images.shape[3])
