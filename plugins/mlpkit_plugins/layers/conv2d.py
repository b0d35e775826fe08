"""Two-dimensional convolution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from annotated_types import Ge

from mlpkit import InitializerLike
from mlpkit_plugins.functions.patches import Patches
from mlpkit_plugins.functions.strips import IN_MEMORY, Strips
from mlpkit_plugins.kernels import product
from mlpkit_plugins.kernels.matrix_layer import MatrixLayer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit import Graph, Value


class Conv2d(MatrixLayer):
    """Convolution of images: every output pixel is a weighted sum of a square patch of all channels, and a bias.

        y[k, i, j] = b[k] + Σ W[k, c, p, q] x[c, i stride + p, j stride + q]  (over c, and p and q from 0 to size - 1)

    where x has ``padding`` zeros around it. As a product of matrices that is

        y  = W X + b
        dW = dy Xᵀ,  db = Σ dy  (over all patches)
        dX = Wᵀ dy

    Here W has a row for each filter, its channels · size² elements in the order c, p, q, and X has a column for
    each patch of each image, its pixels in the same order; dx is dX with the gradients of a pixel in all its patches
    added up. As usual for networks, W is not mirrored: strictly, this is a cross-correlation. X is never built whole:
    neighbouring patches share most of their pixels, so their strips are stored one below the other, and the X of each
    column of patches is a part of these. The strips are not kept, as they are larger than the images and quickly made
    again.

    Args:
        filters: number of channels of the outputs.
        size: pixels along each side of a patch.
        stride: pixels from one patch to the next, down and across.
        padding: pixels of zeros on each of the four sides of an image.
        weights: first values of W, shape (filters, channels · size²).
        bias: whether there is a bias b, shape (filters,), never decayed.
        biases: first values of b.

    Shapes: x (rows, channels, height, width), y (rows, filters, down, across), where
        down = (height + 2 padding - size) // stride + 1, and the same for across.

    Pixels at the right and lower edge that fill no patch are left out.

    Raises:
        ShapeError: an input is not an image with three axes, or it is smaller than a patch, padding included.

    Source: LeCun, Bottou, Bengio and Haffner, Gradient-Based Learning Applied to Document Recognition (1998), section
        II.A; the product of matrices: Chellapilla, Puri and Simard, High Performance Convolutional Neural Networks for
        Document Processing (2006).
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
        biases: InitializerLike = "zeros",
    ) -> None:
        self.filters = filters
        self.size = size
        self.stride = stride
        self.padding = padding
        self.weights = weights
        self.bias = bias
        self.biases = biases

    def build(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Declare W and b."""
        remedy = "put Reshape: {shape: [channels, height, width]} before it"
        self.channels, height, width = self.expect_rank(input_shape, 3, remedy=remedy)
        self.padded_shape = (self.channels, height + 2 * self.padding, width + 2 * self.padding)
        self.patches = Patches.of(self.path or self.type_name, *self.padded_shape[1:], self.size, self.stride)
        self.strips = Strips(self.patches, self.channels, self.padded_shape[2])
        fans = self.channels * self.size**2, self.filters * self.size**2
        self.W = self.parameter("W", (self.filters, fans[0]), self.weights, fans=fans, unit_axis=0)
        if self.bias:
            self.b = self.parameter("b", (self.filters,), self.biases, fans=fans, decay=False)
        return (self.filters, self.patches.down, self.patches.across)

    def forward(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return y = W X + b."""
        self.images = self._padded(x.transpose(IN_MEMORY))
        y = self.buffer("y", (self.patches.across, self.filters, self.patches.down, len(x)))
        W = self._by_strip(self.W.value).reshape(self.filters, -1)
        for band in self.strips.bands(len(x)):
            X = self._strips(band)
            for column in range(self.patches.across):
                part = y[column, :, band].reshape(self.filters, -1)
                product(W, X[self.strips.of_patch(column)], part)
                if self.bias:
                    part += self.b.value[:, np.newaxis]
        return y.transpose(IN_MEMORY)

    def backward(self, dy: NDArray[Any]) -> NDArray[Any] | None:
        """Set dW and db, and return dx."""
        dy = np.ascontiguousarray(dy.transpose(IN_MEMORY))
        if self.bias:
            np.sum(dy, axis=(0, 2, 3), out=self.b.grad)
        dW = np.zeros((self.size * self.strips.height, self.filters), self.dtype)
        of_column = self.buffer("of_column", dW.shape)
        dimages = self.buffer("dimages", self.images.shape)
        dimages[...] = 0
        for band in self.strips.bands(dy.shape[3]):
            X = self._strips(band)
            for column in range(self.patches.across):
                part = dy[column, :, band].reshape(self.filters, -1)
                if self.needs_parameter_gradients:
                    dW += product(X[self.strips.of_patch(column)], part.T, of_column)
            if self.needs_input_gradient:
                self.strips.add(self._strips_gradient(dy[:, :, band], X), band, dimages)
        self._by_strip(self.W.grad)[...] = dW.T.reshape(self.filters, self.size, self.channels, self.size)
        return self._inside(dimages).transpose(IN_MEMORY) if self.needs_input_gradient else None

    def flops(self, input_shape: tuple[int, ...]) -> int:
        """Return operations for one example: six for each weight and patch."""
        return 6 * self.filters * self.channels * self.size**2 * self.patches.down * self.patches.across

    def _padded(self, images: NDArray[Any]) -> NDArray[Any]:
        """Return images, their axes in memory's order, with the padding around them."""
        if not self.padding:
            return np.ascontiguousarray(images)
        channels, height, width = self.padded_shape
        padded = self.buffer("padded", (width, channels, height, images.shape[3]))
        padded[...] = 0
        self._inside(padded)[...] = images
        return padded

    def _inside(self, padded: NDArray[Any]) -> NDArray[Any]:
        """Return the part of padded images that the padding surrounds."""
        _, height, width = self.padded_shape
        p = self.padding
        return padded[p : width - p, :, p : height - p]

    def _by_strip(self, W: NDArray[Any]) -> NDArray[Any]:
        """Return a view of W or dW, shape (filters, size, channels, size): its numbers in the order of X's."""
        return W.reshape(self.filters, self.channels, self.size, self.size).transpose(0, 3, 1, 2)

    def _strips(self, band: slice) -> NDArray[Any]:
        """Return the strips of a band of patches of all images, which X lies in."""
        shape = (self.strips.width * self.strips.height, (band.stop - band.start) * self.images.shape[3])
        return self.strips.cut(self.images, band, self.buffer("X", shape, contiguous=False))

    def _strips_gradient(self, dy: NDArray[Any], out: NDArray[Any]) -> NDArray[Any]:
        """Set out to Wᵀ dy, added up for each strip over the patches that it lies in, and return it.

        Args:
            dy: that of a band, shape (columns of patches, filters, rows of patches, rows).
            out: of the shape of the strips.
        """
        _, _, down, rows = dy.shape
        from_right = np.ascontiguousarray(self._by_strip(self.W.value)[:, ::-1].transpose(1, 0, 2, 3))
        for column in range(self.strips.width):
            patches, theirs = self.strips.patches_around(column)
            W = from_right[theirs].reshape(-1, self.strips.height)
            part = dy[patches].reshape(len(dy[patches]) * self.filters, down * rows)
            product(W.T, part, out[self.strips.of_pixels(column)])
        return out

    def onnx(self, graph: Graph) -> Value:
        """Describe y = W X + b, with the numbers of W as they lie on a patch."""
        shape = self.filters, self.channels, self.size, self.size
        W = graph.constant(self.W.path, self.W.value.reshape(shape))
        b = [self.b] if self.bias else []
        return graph.op("Conv", graph.input, W, *b, strides=[self.stride] * 2, pads=[self.padding] * 4)

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the layer plain, and with steps, padding and no bias."""
        wide = {"filters": 3, "size": 2, "stride": 2, "padding": 1, "bias": False}
        return [({"filters": 2, "size": 3}, (2, 5, 4)), (wide, (1, 4, 5))]
