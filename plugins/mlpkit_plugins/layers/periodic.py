"""Waves of numbers."""

from __future__ import annotations

from math import pi, sqrt
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from annotated_types import Ge, Gt

from mlpkit import Layer, ParameterError
from mlpkit_plugins.functions.uniform import Uniform
from mlpkit_plugins.kernels import cos, sin

if TYPE_CHECKING:
    from mlpkit import Array, Graph, Value


class Periodic(Layer):
    """Replaces each number by a vector: waves of trained frequencies, and a linear map of them.

        plr:   y = max(v W₂ + b₂, 0),  v = (cos(2π w x), sin(2π w x))
        pbld:  y = (x, v W₂ + b₂),     v = cos(2π w x + b)

    Each column of numbers has its own w, b, W₂ and b₂; in ``plr_lite`` all share W₂ and b₂. At first w ~ N(0, std²),
    b ~ U(-π, π), and W₂ and b₂ ~ U(-a, a) with a = 1 / √(length of v). In ``pbld`` the learning rate of all is
    multiplied by 0.1.

    Args:
        form: ``plr``, ``plr_lite`` or ``pbld``.
        size: the length of y for each number.
        frequencies: how many frequencies w each number has.
        std: standard deviation of the first frequencies, in waves per unit of x.

    Shapes: x (rows, columns), y (rows, columns * size), the elements of a column together.

    Raises:
        ShapeError: inputs aren't a row of numbers.
        ParameterError: a ``pbld`` of size 1 has no place for waves.

    Source: Gorishniy, Rubachev and Babenko, On Embeddings for Numerical Features in Tabular Deep Learning (2022),
        section 3.3; Gorishniy et al., TabR: Tabular Deep Learning Meets Nearest Neighbors (2024), section 3.1, for the
        lite form; Holzmüller, Grinsztajn and Steinwart, Better by Default (2024), section 3, for pbld.
    """

    def __init__(
        self,
        form: Literal["plr", "plr_lite", "pbld"] = "plr",
        *,
        size: Annotated[int, Ge(1)] = 24,
        frequencies: Annotated[int, Ge(1)] = 48,
        std: Annotated[float, Gt(0)] = 0.01,
    ) -> None:
        if form == "pbld" and size == 1:
            raise ParameterError("size", "pbld needs a place for the number, and one for waves", expected="2 or more")
        self.form = form
        self.size = size
        self.frequencies = frequencies
        self.std = std

    def build(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Declare w, b, W₂ and b₂."""
        (columns,) = self.expect_rank(input_shape, 1, remedy="put Flatten before it")
        self.columns, self.is_pbld, rate = columns, self.form == "pbld", 0.1 if self.form == "pbld" else 1.0
        self.waves = self.frequencies if self.is_pbld else 2 * self.frequencies
        self.mapped = self.size - 1 if self.is_pbld else self.size
        own = () if self.form == "plr_lite" else (columns,)
        bound, fans = Uniform(1 / sqrt(self.waves)), (self.waves, self.mapped)
        self.w = self.parameter("w", (columns, self.frequencies), {"normal": {"std": self.std}}, rate=rate)
        if self.is_pbld:
            self.b = self.parameter("b", (columns, self.frequencies), Uniform(pi), rate=rate)
        self.W2 = self.parameter("W2", (*own, self.waves, self.mapped), bound, fans=fans, rate=rate)
        self.b2 = self.parameter("b2", (*own, self.mapped), bound, fans=fans, rate=rate)
        return (columns * self.size,)

    def forward(self, x: Array) -> Array:
        """Return y, computed with the rows last, so that the waves of a number lie together."""
        phase, v = self._phase(x), self.buffer("v", (self.columns, self.waves, len(x)))
        if self.is_pbld:
            cos(phase, v)
        else:
            cos(phase, v[:, : self.frequencies])
            sin(phase, v[:, self.frequencies :])
        self.z = self._products(self.W2.value.swapaxes(-1, -2), v, "z")
        np.add(self.z, self.b2.value[..., None], out=self.z)
        y = self.buffer("y", (len(x), self.columns, self.size))
        rows_first = self.z.transpose(2, 0, 1)
        if self.is_pbld:
            y[:, :, 0] = x
            y[:, :, 1:] = rows_first
        else:
            np.maximum(rows_first, 0, out=y)
        return y.reshape(len(x), self.columns * self.size)

    def backward(self, dy: Array) -> Array | None:
        """Set the gradients of w, b, W₂ and b₂, and return dx."""
        rows = len(dy)
        dy = dy.reshape(rows, self.columns, self.size)
        phase, v = (self.buffer(name, (self.columns, n, rows)) for name, n in self._kept)
        dz = self.buffer("dz", (self.columns, self.mapped, rows))
        np.copyto(dz, (dy[:, :, 1:] if self.is_pbld else dy).transpose(1, 2, 0))
        if not self.is_pbld:
            np.multiply(dz, self.z > 0, out=dz)
        W2 = -self.W2.value if self.is_pbld else self.W2.value
        dv = np.matmul(W2, dz, out=self.buffer("dv", v.shape))
        dphase = self._through_waves(dv, phase, v)
        if self.needs_parameter_gradients:
            self._set_gradients(v, dz, dphase)
        if not self.needs_input_gradient:
            return None
        dx = self.buffer("dx", (rows, self.columns))
        np.copyto(dx, np.matmul((self.w.value * self._turn)[:, None, :], dphase)[:, 0].T)
        if self.is_pbld:
            np.add(dx, dy[:, :, 0], out=dx)
        return dx

    def onnx(self, graph: Graph) -> Value:
        """Describe y."""
        x = graph.op("Unsqueeze", graph.input, np.array([2]))
        phase = graph.op("Mul", x, graph.op("Mul", self.w, float(self._turn)))
        if self.is_pbld:
            v = graph.op("Cos", graph.op("Add", phase, self.b))
        else:
            v = graph.op("Concat", graph.op("Cos", phase), graph.op("Sin", phase), axis=2)
        products = graph.op("Mul", graph.op("Unsqueeze", v, np.array([3])), self.W2)
        z = graph.op("Add", graph.op("ReduceSum", products, np.array([2]), keepdims=0), self.b2)
        return graph.op("Flatten", graph.op("Concat", x, z, axis=2) if self.is_pbld else graph.op("Relu", z))

    @property
    def _turn(self) -> np.floating[Any]:
        """2π in the network's dtype."""
        turn: np.floating[Any] = self.dtype.type(2 * pi)
        return turn

    @property
    def _kept(self) -> tuple[tuple[str, int], tuple[str, int]]:
        return ("phase", self.frequencies), ("v", self.waves)

    def _phase(self, x: Array) -> Array:
        """Return (2π w, b) (x, 1), a product that takes less time than its two passes over memory."""
        factors = [self.w.value * self._turn, *([self.b.value] if self.is_pbld else [])]
        self.x = self.buffer("x", (self.columns, len(factors), len(x)))
        self.x[:, 0], self.x[:, 1:] = x.T, 1
        return self._products(np.stack(factors, axis=-1), self.x, "phase")

    def _products(self, factors: Array, v: Array, name: str) -> Array:
        """Return the products of all columns; outside training added up one after the other, so that a row has the same
        bits anywhere."""
        y = self.buffer(name, (self.columns, factors.shape[-2], v.shape[-1]))
        if self.training:
            return np.matmul(factors, v, out=y)
        y[...] = 0
        for k in range(v.shape[1]):
            np.add(y, factors[..., k, None] * v[:, None, k], out=y)
        return y

    def _through_waves(self, dv: Array, phase: Array, v: Array) -> Array:
        """Return the gradient by the phase, from that by v; from that by -v for pbld, as cos' = -sin."""
        if self.is_pbld:
            np.multiply(dv, sin(phase, self.buffer("sine", phase.shape)), out=dv)
            return dv
        cosine, sine = v[:, : self.frequencies], v[:, self.frequencies :]
        by_cosine, by_sine = dv[:, : self.frequencies], dv[:, self.frequencies :]
        np.multiply(by_sine, cosine, out=phase)
        np.subtract(phase, np.multiply(by_cosine, sine, out=by_cosine), out=phase)
        return phase

    def _set_gradients(self, v: Array, dz: Array, dphase: Array) -> None:
        shared = self.form == "plr_lite"
        of_columns = np.matmul(v, dz.swapaxes(-1, -2), out=None if shared else self.W2.grad)
        if shared:
            of_columns.sum(axis=0, out=self.W2.grad)
        dz.sum(axis=(0, 2) if shared else 2, out=self.b2.grad)
        of_factors = np.matmul(dphase, self.x.swapaxes(-1, -2))
        np.multiply(of_factors[:, :, 0], self._turn, out=self.w.grad)
        if self.is_pbld:
            self.b.grad[...] = of_factors[:, :, 1]

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show all forms."""
        few = {"size": 3, "frequencies": 2, "std": 0.2}
        return [(few, (4,)), ({"form": "plr_lite", **few}, (2,)), ({"form": "pbld", **few}, (3,))]
