"""The layer Conv1d."""

from math import prod
from typing import Annotated

import numpy as np
from annotated_types import Ge
from numpy.lib.stride_tricks import sliding_window_view

from mlpkit import InitializerLike, ShapeError
from mlpkit_plugins.kernels import product, product_plus_row
from mlpkit_plugins.kernels.matrix_layer import MatrixLayer

Count = Annotated[int, Ge(1)]


class Conv1d(MatrixLayer):
    """Convolution over time: every output is a weighted sum of a patch of steps, all channels of each, and a bias.

        y[i, k]     = b[k] + Σ W[k, c, p] x[i stride + p dilation, c]  (over c, and p from 0 to size - 1)
        dW[k, c, p] = Σ dy[i, k] x[i stride + p dilation, c]  (over all rows and i)
        db[k]       = Σ dy[i, k]  (over all rows and i)
        dx[m, c]    = Σ W[k, c, p] dy[i, k]  (over k, p and i with i stride + p dilation = m)

    where x has 'padding' steps of zeros before its first step and after its last.

    Args:
        filters: number of channels of the outputs.
        size: steps of a patch.
        stride: steps from one patch to the next.
        dilation: steps from one step of a patch to the next.
        padding: steps of zeros at either end.
        weights: first values of W, shape (filters, channels · size).

    Shapes: x (rows, steps, channels), y (rows, patches, filters), where patches =
        (steps + 2 padding - dilation (size - 1) - 1) // stride + 1.

    Source: van den Oord et al., WaveNet (2016), section 2.
    """

    filters: Count
    size: Count
    stride: Count = 1
    dilation: Count = 1
    padding: Annotated[int, Ge(0)] = 0
    weights: InitializerLike = "he_normal"

    def build(self, input_shape):
        """Declare W and b."""
        self.steps, channels = self.expect_rank(input_shape, 2, remedy="put Reshape before it")
        self.reach = self.dilation * (self.size - 1) + 1
        room = self.steps + 2 * self.padding - self.reach
        if room < 0:
            raise ShapeError(
                f"a patch of {self.path} reaches over {self.reach} steps, and its inputs have {self.steps}",
                expected="patches no longer than the inputs, padding included",
                remedy="set a smaller size or dilation, or more padding",
            )
        patch = channels * self.size
        self.W = self.parameter("W", (self.filters, patch), self.weights, fans=(patch, self.filters), unit_axis=0)
        self.b = self.parameter("b", (self.filters,), "zeros", decay=False)
        self.count = room // self.stride + 1
        return (self.count, self.filters)

    def forward(self, x):
        """Return y, a product of the matrix of patches."""
        rows, steps, channels = x.shape
        padded = self.buffer("padded", (rows, steps + 2 * self.padding, channels))
        padded[:, : self.padding] = padded[:, self.padding + steps :] = 0
        padded[:, self.padding : self.padding + steps] = x
        self.patches = self.buffer("patches", (rows, self.count, channels, self.size))
        self.patches[...] = sliding_window_view(padded, self.reach, axis=1)[:, :: self.stride, :, :: self.dilation]
        y = self.buffer("y", (rows, self.count, self.filters))
        product_plus_row(_matrix(self.patches), self.W.value.T, self.b.value, _matrix(y))
        return y

    def backward(self, dy):
        """Set dW and db, and return dx: what each step was part of, added up."""
        dy = np.ascontiguousarray(dy)
        product(_matrix(dy).T, _matrix(self.patches), self.W.grad)
        self.sum_rows(_matrix(dy), self.b.grad)
        if not self.needs_input_gradient:
            return None
        rows, _, channels, _ = self.patches.shape
        d_patches = self.buffer("d_patches", self.patches.shape)
        product(_matrix(dy), self.W.value, _matrix(d_patches))
        d_padded = self.buffer("d_padded", (rows, self.steps + 2 * self.padding, channels))
        d_padded[...] = 0
        span = (self.count - 1) * self.stride + 1
        for p in range(self.size):
            first = p * self.dilation
            d_padded[:, first : first + span : self.stride] += d_patches[:, :, :, p]
        return d_padded[:, self.padding : self.padding + self.steps]

    def onnx(self, graph):
        """Describe y, as the convolution of an image a pixel wide."""
        image = graph.op("Transpose", graph.op("Unsqueeze", graph.input, [2]), perm=[0, 3, 1, 2])
        y = graph.op(
            "Conv",
            image,
            graph.constant(self.W.path, self.W.value.reshape(self.filters, -1, self.size, 1)),
            self.b,
            strides=[self.stride, 1],
            dilations=[self.dilation, 1],
            pads=[self.padding, 0, self.padding, 0],
        )
        return graph.op("Squeeze", graph.op("Transpose", y, perm=[0, 2, 3, 1]), [2])

    @classmethod
    def examples(cls):
        """Show the layer with patches that touch, and with gaps in patches and padding."""
        return [
            ({"filters": 3, "size": 3}, (6, 2)),
            ({"filters": 2, "size": 2, "stride": 2, "dilation": 2, "padding": 1}, (6, 2)),
        ]


def _matrix(values):
    """Return the rows and steps as rows, and the rest as columns."""
    rows, steps, *rest = values.shape
    return values.reshape(rows * steps, prod(rest))
