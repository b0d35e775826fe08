"""Times a layer of a plugin, written in several ways: what an author can do for speed.

    python benchmarks/guest_layer.py [--rounds 50] [--json]

Softsign, forward and backward: with plain formulas, as an ``Elementwise`` that writes into ``out``, and compiled by
Numba, Cython and a C compiler, against two copies of the array; and an affine layer with NumPy's products and with
``product``. All take turns on one thread, and times are the least. A way whose compiler is missing is left out.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from report import parser_of, print_report
from rounds import interleaved, seconds_of

from mlpkit import Elementwise, Layer
from mlpkit.testing import standalone
from mlpkit.training.workers import blas_threads
from mlpkit_plugins.kernels import product, product_plus_row
from mlpkit_plugins.kernels.matrix_layer import MatrixLayer

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlpkit import Array

C = """
#include <math.h>
void forward(const float *x, float *y, long n) { for (long i = 0; i < n; i++) y[i] = x[i] / (1 + fabsf(x[i])); }
void backward(const float *dy, const float *x, float *dx, long n) {
    for (long i = 0; i < n; i++) { float s = 1 + fabsf(x[i]); dx[i] = dy[i] / (s * s); }
}
"""

CYTHON = """
# cython: boundscheck=False, wraparound=False, cdivision=True, language_level=3
from libc.math cimport fabsf

def forward(const float[::1] x, float[::1] y):
    cdef Py_ssize_t i
    for i in range(x.shape[0]):
        y[i] = x[i] / (1 + fabsf(x[i]))

def backward(const float[::1] dy, const float[::1] x, float[::1] dx):
    cdef Py_ssize_t i
    cdef float s
    for i in range(x.shape[0]):
        s = 1 + fabsf(x[i])
        dx[i] = dy[i] / (s * s)
"""


class Formulas(Layer):
    """y = x / (1 + |x|), with a new array for each operation."""

    def forward(self, x: Array) -> Array:
        """Return y."""
        self.x = x
        return x / (1 + np.abs(x))

    def backward(self, dy: Array) -> Array:
        """Return dx."""
        return dy / (1 + np.abs(self.x)) ** 2


class WithOut(Elementwise):
    """The same without new arrays."""

    def function(self, x: Array, out: Array) -> Array:
        """Return y."""
        self.s = self.buffer("s", like=x)
        np.add(np.abs(x, out=self.s), 1, out=self.s)
        return np.divide(x, self.s, out=out)

    def derivative(self, x: Array, y: Array, out: Array) -> Array:
        """Return 1 / s²."""
        return np.reciprocal(np.square(self.s, out=out), out=out)


class Compiled(Layer):
    """The same by two loops, given flat arrays."""

    loops: ClassVar[tuple[Callable[..., object], Callable[..., object]]]

    def forward(self, x: Array) -> Array:
        """Return y."""
        self.x, y = x, self.buffer("y", x.shape)
        self.loops[0](x.reshape(-1), y.reshape(-1))
        return y

    def backward(self, dy: Array) -> Array:
        """Return dx."""
        dx = self.buffer("dx", dy.shape)  # a loop that writes into what it reads isn't vectorized
        self.loops[1](dy.reshape(-1), self.x.reshape(-1), dx.reshape(-1))
        return dx


class AffineOfNumpy(Layer):
    """y = x W + b, by NumPy."""

    units: int

    def build(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Declare W and b."""
        self.W = self.parameter("W", (input_shape[0], self.units), "he_normal")
        self.b = self.parameter("b", (self.units,), "zeros")
        return (self.units,)

    def forward(self, x: Array) -> Array:
        """Return y."""
        self.x = x
        return x @ self.W.value + self.b.value

    def backward(self, dy: Array) -> Array:
        """Set the gradients, and return dx."""
        self.W.grad[...] = self.x.T @ dy
        self.b.grad[...] = dy.sum(axis=0)
        return dy @ self.W.value.T


class AffineOfKernels(AffineOfNumpy, MatrixLayer):
    """The same by ``product``."""

    def forward(self, x: Array) -> Array:
        """Return y."""
        self.x = x
        return product_plus_row(x, self.W.value, self.b.value, self.buffer("y", (len(x), self.units)))

    def backward(self, dy: Array) -> Array:
        """Set the gradients, and return dx."""
        product(self.x.T, dy, self.W.grad)
        self.sum_rows(dy, self.b.grad)
        return product(dy, self.W.value.T, self.buffer("dx", self.x.shape))


def with_numba() -> tuple[Callable[..., object], Callable[..., object]]:
    """Return loops that Numba compiles."""
    import numba  # noqa: PLC0415 - may be missing

    @numba.njit(nogil=True, error_model="numpy")
    def forward(x: Array, y: Array) -> None:
        for i in range(x.size):
            y[i] = x[i] / (np.float32(1) + abs(x[i]))

    @numba.njit(nogil=True, error_model="numpy")
    def backward(dy: Array, x: Array, dx: Array) -> None:
        for i in range(x.size):
            s = np.float32(1) + abs(x[i])
            dx[i] = dy[i] / (s * s)

    return forward, backward


def with_cython() -> tuple[Callable[..., object], Callable[..., object]]:
    """Return loops that Cython compiles."""
    folder = Path(tempfile.mkdtemp())
    (folder / "softsign.pyx").write_text(CYTHON, encoding="utf-8")
    command = [sys.executable, "-m", "Cython.Build.Cythonize", "-i", "-3", "softsign.pyx"]
    flags = {**os.environ, "CFLAGS": "-O3 -march=native"}
    subprocess.run(command, cwd=folder, env=flags, check=True, capture_output=True)
    (file,) = folder.glob("softsign*.so")
    found = importlib.util.spec_from_file_location("softsign", file)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module.forward, module.backward


def with_c() -> tuple[Callable[..., object], Callable[..., object]]:
    """Return loops that a C compiler compiles, called by ctypes."""
    folder = Path(tempfile.mkdtemp())
    (folder / "softsign.c").write_text(C, encoding="utf-8")
    command = ["cc", "-O3", "-march=native", "-shared", "-fPIC", "softsign.c", "-o", "softsign.so"]
    subprocess.run(command, cwd=folder, check=True)
    library = ctypes.CDLL(str(folder / "softsign.so"))

    def call(function: Any, *arrays: Array) -> None:
        function(*(ctypes.c_void_p(array.ctypes.data) for array in arrays), ctypes.c_long(arrays[0].size))

    return partial(call, library.forward), partial(call, library.backward)


COMPILERS = {"Numba": with_numba, "Cython": with_cython, "C, by ctypes": with_c}
SHAPES = ((32, 64), (256, 256))


def softsigns() -> dict[str, Callable[[], Layer]]:
    """Return what makes a layer in each way that this machine has."""
    ways: dict[str, Callable[[], Layer]] = {"formulas": Formulas, "Elementwise, into out": WithOut}
    for name, compiled in COMPILERS.items():
        try:
            loops = compiled()
        except (ImportError, OSError, subprocess.CalledProcessError) as error:
            print(f"without {name}: {error}", file=sys.stderr)
        else:
            ways[name] = type(name, (Compiled,), {"loops": loops})
    return ways


def pass_of(layer: Layer, rows: int, columns: int) -> Callable[[], object]:
    """Return what sends a minibatch forward and backward."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, columns)).astype(np.float32)
    given = rng.normal(size=layer.forward(x).shape).astype(np.float32)
    dy = np.empty_like(given)

    def go() -> None:
        layer.forward(x)
        np.copyto(dy, given)
        layer.backward(dy)

    return go


def least(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the least microseconds of each way."""
    for call in ways.values():
        call()
    times = interleaved({name: partial(seconds_of, call) for name, call in ways.items()}, rounds)
    return {name: 1e6 * min(seconds) for name, seconds in times.items()}


def time_shape(rows: int, columns: int, makers: dict[str, Callable[[], Layer]], rounds: int) -> dict[str, float]:
    """Return the microseconds of each layer for inputs of a shape, with those of two copies of the inputs."""
    layers = {name: standalone(make(), (columns,), dtype=np.float32) for name, make in makers.items()}
    x = np.ones((rows, columns), np.float32)
    y = np.empty_like(x)
    copies = {"two copies": lambda: (np.copyto(y, x), np.copyto(y, x))}
    return least(copies | {name: pass_of(layer, rows, columns) for name, layer in layers.items()}, rounds)


def main() -> None:
    """Time every way and shape, and print the results."""
    options = parser_of(__doc__, rounds=50).parse_args()
    found: dict[str, dict[str, dict[str, float]]] = {"softsign": {}, "affine": {}}
    ways = softsigns()
    with blas_threads(1):
        for rows, columns in SHAPES:
            shape = f"{rows} x {columns}"
            found["softsign"][shape] = time_shape(rows, columns, ways, options.rounds)
            affine = {"x @ W": partial(AffineOfNumpy, columns), "product": partial(AffineOfKernels, columns)}
            found["affine"][shape] = time_shape(rows, columns, affine, options.rounds)
    lines = []
    for layer, shapes in found.items():
        lines += ["", f"{layer:24}" + "".join(f"{shape:>14}" for shape in shapes)]
        for name in next(iter(shapes.values())):
            lines.append(f"{name:24}" + "".join(f"{times[name]:>11.0f} us" for times in shapes.values()))
    print_report(options, found, lines)


if __name__ == "__main__":
    main()
