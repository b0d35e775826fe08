"""Two-dimensional convolution."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY
from typing import Annotated, Any

from annotated_types import Ge

from mlpkit import Array, Graph, InitializerLike, Value
from mlpkit_plugins.functions.patches import IN_MEMORY, Patches, in_memory, put_in_memory
from mlpkit_plugins.kernels import convolution, convolution_inputs_gradient, convolution_weights_gradient
from mlpkit_plugins.kernels.matrix_layer import MatrixLayer


class Conv2d(MatrixLayer):
    """Convolution of images: every output pixel is a weighted sum of a square patch of all channels, and a bias.

        y[k, i, j] = b[k] + Σ W[k, c, p, q] x[c, i stride + p, j stride + q]  (over c, and p and q from 0 to size - 1)

    where x has ``padding`` zeros around it. The gradients are

        dW[k, c, p, q] = Σ dy[k, i, j] x[c, i stride + p, j stride + q]  (over all rows, i and j)
        db[k]          = Σ dy[k, i, j]  (over all rows, i and j)
        dx[c, m, n]    = Σ W[k, c, p, q] dy[k, i, j]  (over k, p, q, i and j with i stride + p = m, j stride + q = n)

    As usual for networks, W is not mirrored: strictly, this is a cross-correlation. Each of these sums is a product of
    two matrices, and one matrix holds the pixels of all patches. It is never built: in memory, columns of pixels follow
    one another, and the same pixel of all images is contiguous, so the images already contain its rows.

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

    Pixels at the right and lower edges that fill no patch are ignored.

    Raises:
        ShapeError: an input is not an image with three axes, or it is smaller than a patch, padding included.

    Source: LeCun, Bottou, Bengio and Haffner, Gradient-Based Learning Applied to Document Recognition (1998), section
        II.A; products without the matrix of patches: Dukhan, The Indirect Convolution Algorithm (2019).
    """

    bfloat16_context = None  # the kernels' convolutions don't round to bfloat16

    filters: Annotated[int, Ge(1)]
    size: Annotated[int, Ge(1)]
    _: KW_ONLY
    stride: Annotated[int, Ge(1)] = 1
    padding: Annotated[int, Ge(0)] = 0
    weights: InitializerLike = "he_normal"
    bias: bool = True
    biases: InitializerLike = "zeros"

    def build(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Declare W and b."""
        remedy = "put Reshape: {shape: [channels, height, width]} before it"
        self.channels, height, width = self.expect_rank(input_shape, 3, remedy=remedy)
        self.image_shape = (self.channels, height, width)
        padded = height + 2 * self.padding, width + 2 * self.padding
        self.patches = Patches.of(self.path or self.type_name, *padded, self.size, self.stride)
        fans = self.channels * self.size**2, self.filters * self.size**2
        self.W = self.parameter("W", (self.filters, fans[0]), self.weights, fans=fans, unit_axis=0)
        if self.bias:
            self.b = self.parameter("b", (self.filters,), self.biases, fans=fans, decay=False)
        return (self.filters, self.patches.down, self.patches.across)

    def forward(self, x: Array) -> Array:
        """Return y = W * x + b."""
        return self.prediction_plan(x)()

    def prediction_plan(self, x: Array) -> Callable[[], Array]:
        """Return a function that computes y again."""
        padded = put_in_memory(self, "x", x, self.padding)
        y = self.buffer("y", (self.patches.across, self.filters, self.patches.down, len(x)))
        turned = y.transpose(IN_MEMORY)

        def again() -> Array:
            self.x = padded()
            b = self.b.value if self.bias else None
            convolution(self.x, self._by_pixel(self.W.value), b, self.stride, y)
            return turned

        return again

    def backward(self, dy: Array) -> Array | None:
        """Set dW and db, and return dx."""
        dy = in_memory(self, "dy", dy)
        if self.needs_parameter_gradients:
            db = self.b.grad if self.bias else None
            convolution_weights_gradient(self.x, dy, self.stride, self._by_pixel(self.W.grad), db)
        if not self.needs_input_gradient:
            return None
        channels, height, width = self.image_shape
        dx = self.buffer("dx", (width, channels, height, dy.shape[3]))
        W = self._by_pixel(self.W.value)
        return convolution_inputs_gradient(dy, W, self.stride, self.padding, dx).transpose(IN_MEMORY)

    def flops(self, input_shape: tuple[int, ...]) -> int:
        """Return operations for one example: six for each weight and patch."""
        return 6 * self.filters * self.channels * self.size**2 * self.patches.down * self.patches.across

    def _by_pixel(self, W: Array) -> Array:
        """Return a view of W or dW with an axis for each of f, c, p and q."""
        return W.reshape(self.filters, self.channels, self.size, self.size)

    def onnx(self, graph: Graph) -> Value:
        """Describe y, with the axes of W in ONNX's order."""
        W = graph.constant(self.W.path, self._by_pixel(self.W.value))
        b = [self.b] if self.bias else []
        return graph.op("Conv", graph.input, W, *b, strides=[self.stride] * 2, pads=[self.padding] * 4)

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the defaults, and a stride, padding and no bias."""
        wide = {"filters": 3, "size": 2, "stride": 2, "padding": 1, "bias": False}
        return [({"filters": 2, "size": 3}, (2, 5, 4)), (wide, (1, 4, 5))]
