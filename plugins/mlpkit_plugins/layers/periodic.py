"""Waves of numbers.

Inside, arrays have the rows last, so that the waves of a column are contiguous: phases φ (columns, frequencies, rows),
waves v (columns, waves, rows), and z = v W₂ + b₂ (columns, length, rows).
"""

from __future__ import annotations

from math import pi, sqrt
from typing import Annotated, Any, Final, Literal

import numpy as np
from annotated_types import Ge, Gt

from mlpkit import Array, Graph, Layer, ParameterError, Value
from mlpkit_plugins.functions.random_words import Uniform
from mlpkit_plugins.kernels import cos, sin

TURN: Final = 2 * pi


class Plr:
    """The embedding of PLR: v = (cos φ, sin φ) and y = max(z, 0)."""

    waves_per_frequency = 2
    keeps_x = has_shifts = False
    rate = 1.0

    def waves(self, phase: Array, v: Array) -> Array:
        """Set v to (cos φ, sin φ), and return it."""
        cosine, sine = _halves(v)
        cos(phase, cosine)
        sin(phase, sine)
        return v

    def outputs(self, x: Array, z: Array, y: Array) -> None:
        """Set y to max(z, 0); z and y have the rows first."""
        np.maximum(z, 0, out=y)

    def map_gradient(self, dy: Array, z: Array, dz: Array) -> Array:
        """Set dz to dy where z > 0, else to 0, and return it."""
        np.copyto(dz, dy)
        return np.multiply(dz, z > 0, out=dz)

    def phase_gradient(self, W2: Array, dz: Array, phase: Array, v: Array, dv: Array, dphase: Array) -> Array:
        """Set dφ to dv₂ cos φ - dv₁ sin φ, with (dv₁, dv₂) = W₂ dz, and return it."""
        np.matmul(W2, dz, out=dv)
        (dv1, dv2), (cosine, sine) = _halves(dv), _halves(v)
        np.multiply(dv2, cosine, out=dphase)
        return np.subtract(dphase, np.multiply(dv1, sine, out=dv1), out=dphase)

    def onnx_waves(self, graph: Graph, phase: Value) -> Value:
        """Describe v = (cos φ, sin φ)."""
        return graph.op("Concat", graph.op("Cos", phase), graph.op("Sin", phase), axis=2)

    def onnx_outputs(self, graph: Graph, x: Value, z: Value) -> Value:
        """Describe y = max(z, 0)."""
        return graph.op("Relu", z)


class Pbld:
    """The embedding of PBLD: v = cos φ and y = (x, z), with a trained shift b of each phase."""

    waves_per_frequency = 1
    keeps_x = has_shifts = True
    rate = 0.1

    def waves(self, phase: Array, v: Array) -> Array:
        """Set v to cos φ, and return it."""
        return cos(phase, v)

    def outputs(self, x: Array, z: Array, y: Array) -> None:
        """Set y to (x, z); all have the rows first."""
        y[:, :, 0] = x
        y[:, :, 1:] = z

    def map_gradient(self, dy: Array, z: Array, dz: Array) -> Array:
        """Set dz to dy without its part for x, and return it."""
        np.copyto(dz, dy[:, 1:])
        return dz

    def phase_gradient(self, W2: Array, dz: Array, phase: Array, v: Array, dv: Array, dphase: Array) -> Array:
        """Set dφ to -dv sin φ, with dv = W₂ dz, and return it."""
        np.matmul(-W2, dz, out=dv)
        return np.multiply(dv, sin(phase, dphase), out=dphase)

    def onnx_waves(self, graph: Graph, phase: Value) -> Value:
        """Describe v = cos φ."""
        return graph.op("Cos", phase)

    def onnx_outputs(self, graph: Graph, x: Value, z: Value) -> Value:
        """Describe y = (x, z)."""
        return graph.op("Concat", x, z, axis=2)


class Periodic(Layer):
    """Replaces each number by a vector: waves of trained frequencies, and a linear map of them.

        plr:   y = max(v W₂ + b₂, 0),  v = (cos(2π w x), sin(2π w x))
        pbld:  y = (x, v W₂ + b₂),     v = cos(2π w x + b)

    Each column of numbers has its own w, b, W₂ and b₂; in ``plr_lite`` all columns share W₂ and b₂. At first,
    w ~ N(0, std²), b ~ U(-π, π), and W₂ and b₂ ~ U(-a, a) with a = 1 / √(length of v). ``pbld`` multiplies the learning
    rate of all of them by 0.1.

    Args:
        form: ``plr``, ``plr_lite`` or ``pbld``.
        size: length of y for each number.
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
        self.embedding = Pbld() if form == "pbld" else Plr()

    def build(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Declare w, b, W₂ and b₂."""
        (self.columns,) = self.expect_rank(input_shape, 1, remedy="put Flatten before it")
        rate, phases = self.embedding.rate, (self.columns, self.frequencies)
        own = () if self.form == "plr_lite" else (self.columns,)
        fans = self.frequencies * self.embedding.waves_per_frequency, self.size - self.embedding.keeps_x
        bound = Uniform(1 / sqrt(fans[0]))
        self.w = self.parameter("w", phases, {"normal": {"std": self.std}}, rate=rate)
        self.b = self.parameter("b", phases, Uniform(pi), rate=rate) if self.embedding.has_shifts else None
        self.W2 = self.parameter("W2", (*own, *fans), bound, fans=fans, rate=rate)
        self.b2 = self.parameter("b2", (*own, fans[1]), bound, fans=fans, rate=rate)
        return (self.columns * self.size,)

    def forward(self, x: Array) -> Array:
        """Return y."""
        waves = self.W2.shape[-2]
        self.phase = self._phase(x)
        self.v = self.embedding.waves(self.phase, self.buffer("v", (self.columns, waves, len(x))))
        self.z = self._products(self.W2.value.swapaxes(-1, -2), self.v, "z")
        np.add(self.z, self.b2.value[..., None], out=self.z)
        y = self.buffer("y", (len(x), self.columns, self.size))
        self.embedding.outputs(x, self.z.transpose(2, 0, 1), y)
        return y.reshape(len(x), self.columns * self.size)

    def backward(self, dy: Array) -> Array | None:
        """Set the gradients of w, b, W₂ and b₂, and return dx."""
        dy = dy.reshape(len(dy), self.columns, self.size).transpose(1, 2, 0)
        dz = self.embedding.map_gradient(dy, self.z, self.buffer("dz", self.z.shape))
        dv, dphase = self.buffer("dv", self.v.shape), self.buffer("dphase", self.phase.shape)
        self.embedding.phase_gradient(self.W2.value, dz, self.phase, self.v, dv, dphase)
        if self.needs_parameter_gradients:
            self._set_gradients(dz, dphase)
        if not self.needs_input_gradient:
            return None
        dx = self.buffer("dx", (self.x.shape[-1], self.columns))
        np.copyto(dx, np.matmul((self.w.value * TURN)[:, None, :], dphase)[:, 0].T)
        if self.embedding.keeps_x:
            np.add(dx, dy[:, 0].T, out=dx)
        return dx

    def onnx(self, graph: Graph) -> Value:
        """Describe y."""
        x = graph.op("Unsqueeze", graph.input, np.array([2]))
        phase = graph.op("Mul", x, graph.op("Mul", self.w, TURN))
        v = self.embedding.onnx_waves(graph, phase if self.b is None else graph.op("Add", phase, self.b))
        products = graph.op("Mul", graph.op("Unsqueeze", v, np.array([3])), self.W2)
        z = graph.op("Add", graph.op("ReduceSum", products, np.array([2]), keepdims=0), self.b2)
        return graph.op("Flatten", self.embedding.onnx_outputs(graph, x, z))

    def _phase(self, x: Array) -> Array:
        """Return φ = (2π w, b) (x, 1): as one product, which is faster than two passes over memory."""
        factors = [self.w.value * TURN, *([] if self.b is None else [self.b.value])]
        self.x = self.buffer("x", (self.columns, len(factors), len(x)))
        self.x[:, 0], self.x[:, 1:] = x.T, 1
        return self._products(np.stack(factors, axis=-1), self.x, "phase")

    def _products(self, factors: Array, v: Array, name: str) -> Array:
        """Return the products of all columns; outside training added up one after the other, so that a row has the same
        bits in any batch."""
        y = self.buffer(name, (self.columns, factors.shape[-2], v.shape[-1]))
        if self.training:
            return np.matmul(factors, v, out=y)
        y[...] = 0
        for k in range(v.shape[1]):
            np.add(y, factors[..., k, None] * v[:, None, k], out=y)
        return y

    def _set_gradients(self, dz: Array, dphase: Array) -> None:
        """Set the gradients of W₂ and b₂ from dz, and of w and b from dφ."""
        shared = self.form == "plr_lite"
        of_columns = np.matmul(self.v, dz.swapaxes(-1, -2), out=None if shared else self.W2.grad)
        if shared:
            of_columns.sum(axis=0, out=self.W2.grad)
        dz.sum(axis=(0, 2) if shared else 2, out=self.b2.grad)
        of_factors = np.matmul(dphase, self.x.swapaxes(-1, -2))
        np.multiply(of_factors[:, :, 0], TURN, out=self.w.grad)
        if self.b is not None:
            self.b.grad[...] = of_factors[:, :, 1]

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show all forms."""
        few = {"size": 3, "frequencies": 2, "std": 0.2}
        return [(few, (4,)), ({"form": "plr_lite", **few}, (2,)), ({"form": "pbld", **few}, (3,))]


def _halves(v: Array) -> tuple[Array, Array]:
    """Return both halves of the second axis."""
    half = v.shape[1] // 2
    return v[:, :half], v[:, half:]
