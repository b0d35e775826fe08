"""Two-dimensional convolution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from annotated_types import Ge

from mlpkit import InitializerLike, Layer
from mlpkit_plugins.functions.patches import AS_IMAGES, IN_MEMORY, Patches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


class Conv2d(Layer):
    """Convolution of images: every output pixel is a weighted sum of a square patch of all channels, and a bias.

        y  = W X + b
        dW = dy Xᵀ,  db = Σ dy  (over all patches)
        dX = Wᵀ dy

    Here X has a column for each patch of each image, its channels · size² pixels one below the other (im2col), so that
    the convolution is a product of matrices; dx is dX with each pixel's shares in all its patches added up. As usual in
    the field, the patches are not mirrored. X is not kept: it is as large as many images, and made again in no time.

    Args:
        filters: number of channels of the outputs.
        size: pixels along each side of a patch.
        stride: pixels from one patch to the next, down and across.
        padding: pixels of zeros that are put around the images.
        weights: first values of W, shape (filters, channels · size²).
        bias: whether there is a bias b, shape (filters,), first zero and never decayed.

    Shapes: x (rows, channels, height, width), y (rows, filters, down, across), where
        down = (height + 2 padding - size) // stride + 1, and across likewise.

    Raises:
        ShapeError: the images are smaller than a patch.

    Source: LeCun, Bottou, Bengio and Haffner, Gradient-Based Learning Applied to Document Recognition (1998);
        Chellapilla, Puri and Simard, High Performance Convolutional Neural Networks for Document Processing (2006), for
        im2col.
    """

    def __init__(
        self,
        filters: Annotated[int, Ge(1)],
        size: Annotated[int, Ge(1)],
        *,
        stride: Annotated[int, Ge(1)] = 1,
        padding: Annotated[int, Ge(0)] = 0,
        weights: InitializerLike = "he_normal",
        bias: bool = True,
    ) -> None:
        self.filters = filters
        self.size = size
        self.stride = stride
        self.padding = padding
        self.weights = weights
        self.bias = bias

    def build(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Declare W and b."""
        remedy = "put Reshape: {shape: [channels, height, width]} before it"
        self.channels, height, width = self.expect_rank(input_shape, 3, remedy=remedy)
        self.padded_shape = (self.channels, height + 2 * self.padding, width + 2 * self.padding)
        self.patches = Patches.of(self.path or self.type_name, *self.padded_shape[1:], self.size, self.stride)
        fans = self.channels * self.size**2, self.filters * self.size**2
        self.W = self.parameter("W", (self.filters, fans[0]), self.weights, fans=fans)
        if self.bias:
            self.b = self.parameter("b", (self.filters,), "zeros", decay=False)
        return (self.filters, self.patches.down, self.patches.across)

    def forward(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return y = W X + b."""
        self.images = self._padded(np.ascontiguousarray(x.transpose(IN_MEMORY)))
        y = self.buffer("y", (self.filters, self.patches.down, self.patches.across, len(x)))
        for band in self._bands():
            part = y[:, band].reshape(self.filters, -1)
            np.matmul(self.W.value, self._columns(band), out=part)
            if self.bias:
                part += self.b.value[:, np.newaxis]
        return y.transpose(AS_IMAGES)

    def backward(self, dy: NDArray[Any]) -> NDArray[Any] | None:
        """Set dW and db, and return dx."""
        dy = np.ascontiguousarray(dy.transpose(IN_MEMORY))
        if self.bias:
            np.sum(dy, axis=(1, 2, 3), out=self.b.grad)
        self.W.grad[...] = 0
        dimages = self.buffer("dimages", self.images.shape)
        dimages[...] = 0
        for band in self._bands():
            part, X = dy[:, band].reshape(self.filters, -1), self._columns(band)
            self.W.grad += (X @ part.T).T  # faster than part @ X.T
            if self.needs_input_gradient:
                dX = np.matmul(self.W.value.T, part, out=X)  # in place of X, which is done with
                self.patches.add_columns(dX, band, dimages)
        return self._inside(dimages).transpose(AS_IMAGES) if self.needs_input_gradient else None

    def flops(self, input_shape: tuple[int, ...]) -> int:
        """Return operations for one example: six for each weight and patch."""
        return 6 * self.filters * self.channels * self.size**2 * self.patches.down * self.patches.across

    def _padded(self, images: NDArray[Any]) -> NDArray[Any]:
        """Return images, their axes in memory's order, with the padding around them."""
        if not self.padding:
            return images
        padded = self.buffer("padded", (*self.padded_shape, images.shape[3]))
        padded[...] = 0
        self._inside(padded)[...] = images
        return padded

    def _inside(self, padded: NDArray[Any]) -> NDArray[Any]:
        """Return the part of padded images that the padding surrounds."""
        _, height, width = self.padded_shape
        p = self.padding
        return padded[:, p : height - p, p : width - p]

    def _bands(self) -> Iterator[slice]:
        """Go through the patches in bands for each of which X is small enough to stay in the cache."""
        return self.patches.bands(self.W.shape[1] * self.patches.across * self.images.shape[3])

    def _columns(self, band: slice) -> NDArray[Any]:
        """Return X for a band of patches of all images, shape (channels · size², patches)."""
        patches = (band.stop - band.start) * self.patches.across * self.images.shape[3]
        return self.patches.columns(self.images, band, self.buffer("X", (self.W.shape[1], patches)))

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the layer plain, and with steps, padding and no bias."""
        wide = {"filters": 3, "size": 2, "stride": 2, "padding": 1, "bias": False}
        return [({"filters": 2, "size": 3}, (2, 5, 4)), (wide, (1, 4, 5))]
