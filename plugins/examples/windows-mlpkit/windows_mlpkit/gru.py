"""The layer Gru."""

from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge

from mlpkit import InitializerLike
from mlpkit_plugins.kernels import product, product_plus_row, sigmoid, tanh
from mlpkit_plugins.kernels.matrix_layer import MatrixLayer


class Gru(MatrixLayer):
    """Gated recurrent unit: a state that each step of a series changes a little or a lot, as its gates decide.

        r  = σ(x W_r + b_r + h U_r + c_r),  z = σ(x W_z + b_z + h U_z + c_z)
        m  = h U_n + c_n,  n = tanh(x W_n + b_n + r m)
        h' = (1 - z) n + z h,  from h = 0 before the first step

    Backward, from the last step to the first, with dh' the gradient by the state after the step:

        da_n = dh' (1 - z) (1 - n²),  da_z = dh' (h - n) z (1 - z),  da_r = da_n m r (1 - r)
        dg   = (da_r, da_z, r da_n),  dh = z dh' + dg Uᵀ,  dx = da Wᵀ
        dW   = Σ xᵀ da,  db = Σ da,  dU = Σ hᵀ dg,  dc = Σ dg  (over rows and steps)

    Args:
        units: numbers in the state.
        output: the state after the last step, or after each of them.
        weights: first values of W, shape (channels, 3 units): those of r, z and n.
        recurrent_weights: first values of U, shape (units, 3 units), in the same order.

    Shapes: x (rows, steps, channels), y (rows, units) or (rows, steps, units).

    Source: Cho et al., Learning Phrase Representations (2014), with the reset after the product, as in cuDNN.
    """

    units: Annotated[int, Ge(1)]
    output: Literal["last", "all"] = "last"
    weights: InitializerLike = "glorot_uniform"
    recurrent_weights: InitializerLike = "glorot_uniform"

    def build(self, input_shape):
        """Declare W, U, b and c."""
        self.steps, channels = self.expect_rank(input_shape, 2, remedy="put Reshape before it")
        gates = 3 * self.units
        self.W = self.parameter("W", (channels, gates), self.weights, fans=(channels, self.units))
        self.U = self.parameter("U", (self.units, gates), self.recurrent_weights, fans=(self.units, self.units))
        self.b = self.parameter("b", (gates,), "zeros", decay=False)
        self.c = self.parameter("c", (gates,), "zeros", decay=False)
        return (self.steps, self.units) if self.output == "all" else (self.units,)

    def forward(self, x):
        """Return the states."""
        rows, steps, channels = x.shape
        units, two = self.units, 2 * self.units
        self.x = self.buffer("x", (steps, rows, channels))  # the rows of a step follow one another
        self.x[...] = x.swapaxes(0, 1)
        self.gates = self.buffer("gates", (steps, rows, 3 * units))
        self.m, self.h = self.buffer("m", (steps, rows, units)), self.buffer("h", (steps + 1, rows, units))
        g = self.buffer("g", (rows, 3 * units))
        product_plus_row(_flat(self.x), self.W.value, self.b.value, _flat(self.gates))
        self.h[0] = 0
        for step in range(steps):
            h, m, gates, after = self.h[step], self.m[step], self.gates[step], self.h[step + 1]
            product_plus_row(h, self.U.value, self.c.value, g)
            m[...] = g[:, two:]
            rz, (r, z, n) = gates[:, :two], np.split(gates, 3, axis=1)
            rz += g[:, :two]
            sigmoid(rz, rz)
            n += r * m
            tanh(n, n)
            np.multiply(h - n, z, out=after)
            after += n
        return self.h[1:].swapaxes(0, 1) if self.output == "all" else self.h[-1]

    def backward(self, dy):
        """Set the gradients, and return dx."""
        units, two = self.units, 2 * self.units
        r, z, n = np.split(self.gates, 3, axis=-1)
        slopes = self.buffer("slopes", self.gates.shape)  # da / dh'
        of_r, of_z, of_n = np.split(slopes, 3, axis=-1)
        closed = 1 - z
        np.multiply(closed, 1 - n * n, out=of_n)
        np.multiply(self.h[:-1] - n, z * closed, out=of_z)
        np.multiply(of_n * self.m, r * (1 - r), out=of_r)
        da, dg = self.buffer("da", slopes.shape), self.buffer("dg", slopes.shape)
        dh = np.zeros_like(self.h[0]) if self.output == "all" else dy
        back = self.buffer("back", dh.shape)
        for step in reversed(range(self.steps)):
            if self.output == "all":
                dh += dy[:, step]
            np.multiply(slopes[step].reshape(len(dh), 3, units), dh[:, None], out=da[step].reshape(len(dh), 3, units))
            dg[step] = da[step]
            dg[step, :, two:] *= r[step]
            dh *= z[step]
            dh += product(dg[step], self.U.value.T, back)
        product(_flat(self.x).T, _flat(da), self.W.grad)
        product(_flat(self.h[:-1]).T, _flat(dg), self.U.grad)
        self.sum_rows(_flat(da), self.b.grad)
        self.sum_rows(_flat(dg), self.c.grad)
        if not self.needs_input_gradient:
            return None
        dx = self.buffer("dx", self.x.shape)
        product(_flat(da), self.W.value.T, _flat(dx))
        return dx.swapaxes(0, 1)

    def onnx(self, graph):
        """Describe y, step by step."""
        op, units = graph.op, self.units
        states = []
        for step in range(self.steps):
            x = op("Squeeze", op("Slice", graph.input, [step], [step + 1], [1]), [1])
            h = states[-1] if states else op("MatMul", x, np.zeros((len(self.W.value), units), self.dtype))
            a, g = op("Gemm", x, self.W, self.b), op("Gemm", h, self.U, self.c)
            cuts = [([i * units], [(i + 1) * units], [1]) for i in range(3)]
            (a_r, a_z, a_n), (g_r, g_z, m) = ([op("Slice", value, *cut) for cut in cuts] for value in (a, g))
            r, z = op("Sigmoid", op("Add", a_r, g_r)), op("Sigmoid", op("Add", a_z, g_z))
            n = op("Tanh", op("Add", a_n, op("Mul", r, m)))
            states.append(op("Add", op("Mul", op("Sub", h, n), z), n))
        if self.output == "last":
            return states[-1]
        return op("Concat", *(op("Unsqueeze", h, [1]) for h in states), axis=1)

    @classmethod
    def examples(cls):
        """Show the layer with either output."""
        return [({"units": 3}, (4, 2)), ({"units": 2, "output": "all"}, (3, 2))]


def _flat(values):
    return values.reshape(values.shape[0] * values.shape[1], values.shape[2])
