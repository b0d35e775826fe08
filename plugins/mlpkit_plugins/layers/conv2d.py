"""Two-dimensional convolution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from annotated_types import Ge

from mlpkit import InitializerLike, Layer
from mlpkit_plugins.functions.patches import Patches

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Conv2d(Layer):
    """Convolution of images: every output pixel is a weighted sum of a square patch of all channels, and a bias.

        y  = W X + b
        dW = Σ dy Xᵀ,  db = Σ dy  (over the rows of the minibatch; db over the patches too)
        dX = Wᵀ dy

    Here X has a column for each patch of an image, its channels · size² pixels one below the other (im2col), so that
    the convolution is a product of matrices; dx is dX with each pixel's shares in all its patches added up. As usual in
    the field, the patches are not mirrored.

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
        padded = self._pad(x)
        self.X, by_pixel = self._columns(len(x))
        for i, j, pixel in self.patches.pixels():
            by_pixel[:, :, i, j] = padded[pixel]
        y = np.matmul(self.W.value, self.X, out=self.buffer("y", (len(x), self.filters, self.X.shape[2])))
        if self.bias:
            y += self.b.value[:, np.newaxis]
        return y.reshape(len(x), self.filters, self.patches.down, self.patches.across)

    def backward(self, dy: NDArray[Any]) -> NDArray[Any] | None:
        """Set dW and db, and return dx."""
        rows = len(dy)
        dy = dy.reshape(rows, self.filters, self.patches.down * self.patches.across)
        products = self.buffer("products", (rows, *self.W.shape))
        np.sum(np.matmul(dy, self.X.transpose(0, 2, 1), out=products), axis=0, out=self.W.grad)
        if self.bias:
            np.sum(dy, axis=(0, 2), out=self.b.grad)
        if not self.needs_input_gradient:
            return None
        dX, by_pixel = self._columns(rows)  # in place of X, which is done with
        np.matmul(self.W.value.T, dy, out=dX)
        dpadded = self.buffer("padded", (rows, *self.padded_shape))
        dpadded[...] = 0
        for i, j, pixel in self.patches.pixels():
            dpadded[pixel] += by_pixel[:, :, i, j]
        return self._inside(dpadded)

    def flops(self, input_shape: tuple[int, ...]) -> int:
        """Return operations for one example: six for each weight and patch."""
        return 6 * self.filters * self.channels * self.size**2 * self.patches.down * self.patches.across

    def _pad(self, x: NDArray[Any]) -> NDArray[Any]:
        if not self.padding:
            return x
        padded = self.buffer("padded", (len(x), *self.padded_shape))
        padded[...] = 0
        self._inside(padded)[...] = x
        return padded

    def _inside(self, padded: NDArray[Any]) -> NDArray[Any]:
        """Return the part of padded images that the padding surrounds."""
        _, height, width = self.padded_shape
        p = self.padding
        return padded[:, :, p : height - p, p : width - p]

    def _columns(self, rows: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return scratch for X, shape (rows, pixels, patches), and the same memory with an axis for all that counts."""
        down, across = self.patches.down, self.patches.across
        X = self.buffer("X", (rows, self.W.shape[1], down * across))
        return X, X.reshape(rows, self.channels, self.size, self.size, down, across)

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the layer plain, and with steps, padding and no bias."""
        wide = {"filters": 3, "size": 2, "stride": 2, "padding": 1, "bias": False}
        return [({"filters": 2, "size": 3}, (2, 5, 4)), (wide, (1, 4, 5))]
