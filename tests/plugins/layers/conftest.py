"""Laws of every layer, checked on one built by itself."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit.testing import standalone

LAYOUTS = {
    "rows in order": np.ascontiguousarray,
    "columns in order": np.asfortranarray,
    "every other row": lambda x: np.repeat(x, 2, axis=0)[::2],
    "rows backwards": lambda x: np.ascontiguousarray(x[::-1])[::-1],
    "axes backwards": lambda x: np.ascontiguousarray(np.flip(x))[tuple(slice(None, None, -1) for _ in x.shape)],
    "part of a wider array": lambda x: np.pad(x, [(0, 0)] * (x.ndim - 1) + [(1, 2)])[..., 1:-2],
    "read-only": lambda x: x,
}


@pytest.fixture(params=LAYOUTS)
def laid_out(request):
    """Return a function that gives an array another layout in memory, its values the same, and read-only."""

    def lay_out(x):
        array = LAYOUTS[request.param](x.copy())
        np.testing.assert_array_equal(array, x)
        array.flags.writeable = False
        return array

    return lay_out


@pytest.fixture(params=["float32", "float64"])
def dtype(request):
    """Return the dtypes that a network computes in."""
    return np.dtype(request.param)


@pytest.fixture(scope="session")
def passes():
    """Return a function that runs a layer forward and backward, and returns copies of all that came out."""

    def run(layer, x, dy):
        y = layer.forward(x).copy()
        dx = layer.backward(dy)
        gradients = [parameter.grad.copy() for parameter in layer.declared_parameters()]
        return [y, dx.copy(), *gradients]

    return run


@pytest.fixture
def check_laws(laid_out, dtype, passes):
    """Return a function that checks what holds for every layer, in one layout and one dtype."""

    def check(make, input_shape, rows):
        layer = standalone(make(), input_shape, dtype=dtype)
        rng = np.random.default_rng(0)
        x = rng.normal(size=(rows, *input_shape)).astype(dtype)
        dy = rng.normal(size=layer.forward(x).shape).astype(dtype)
        expected = passes(layer, x, dy.copy())
        given = laid_out(x)
        before = given.tobytes()
        found = passes(layer, given, dy.copy(order="F"))
        assert given.tobytes() == before
        for one, other in zip(found, expected, strict=True):
            assert one.dtype == dtype
            assert one.shape == other.shape
            np.testing.assert_allclose(one, other, rtol=1e-5 if dtype == np.float32 else 1e-13, atol=1e-6)
        dx = layer.backward(dy)
        assert dx.flags.writeable
        again = layer.forward(laid_out(x[:1]))  # a smaller batch after a larger one
        np.testing.assert_allclose(again, expected[0][:1], rtol=1e-5, atol=1e-6)

    return check
