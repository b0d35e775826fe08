"""Convolutions of float32: right, and the same bits on any threads, with any vectors, in any batch."""

from __future__ import annotations

import platform
from dataclasses import dataclass

import numpy as np
import pytest
from guarded_memory import guarded
from hypothesis import given, settings
from hypothesis import strategies as st
from matrix_products import kernel_threads, printed_by, twelve_bits
from memory_layouts import laid_out
from requirements import require, require_module

from mlpkit_plugins.kernels import with_numpy

compiled = require_module("kernels", "mlpkit_plugins.kernels.compiled", "there was no compiler")
require("kernels", compiled.PRODUCTS_BY != "NumPy", "the processor has no tiles")

BLOCK = 256
DOT_BLOCK, DOT_SUMS = 1024, 16


@dataclass(frozen=True)
class Shape:
    """What a convolution is of; height and width include the padding."""

    width: int
    channels: int
    height: int
    rows: int
    filters: int
    size: int
    stride: int
    padding: int

    @property
    def across(self):
        return (self.width - self.size) // self.stride + 1

    @property
    def down(self):
        return (self.height - self.size) // self.stride + 1

    @property
    def x(self):
        return self.width, self.channels, self.height, self.rows

    @property
    def inside(self):
        return self.width - 2 * self.padding, self.channels, self.height - 2 * self.padding, self.rows

    @property
    def weights(self):
        return self.filters, self.channels, self.size, self.size

    @property
    def y(self):
        return self.across, self.filters, self.down, self.rows


@st.composite
def shapes(draw):
    """Draw a convolution; some have many channels or rows, so that sums have several blocks and tiles."""
    size, padding = draw(st.integers(1, 5)), draw(st.integers(0, 2))
    least = max(size, 2 * padding + 1)
    large = draw(st.sampled_from(["", "channels", "filters", "rows"]))
    return Shape(
        width=draw(st.integers(least, least + 4)),
        channels=draw(st.integers(1, 80 if large == "channels" else 5)),
        height=draw(st.integers(least, least + 6)),
        rows=draw(st.sampled_from([200, 517]) if large == "rows" else st.sampled_from([1, 2, 3, 16, 17, 33])),
        filters=draw(st.integers(1, 80 if large == "filters" else 9)),
        size=size,
        stride=draw(st.sampled_from([1, 1, 2, 3])),
        padding=padding,
    )


def in_order(products):
    """Return the sum of products, from the first to the last."""
    total = products[0]
    for product in products[1:]:
        total = total + product
    return total


def by_blocks(products):
    """Return the sum of products in the order of a product of matrices."""
    blocks = np.array_split(np.arange(len(products)), -(-len(products) // BLOCK))
    return in_order([in_order([products[k] for k in block]) for block in blocks])


def expected_outputs(of, x, W, b):
    y = np.empty(of.y, np.float32)
    for j, i in np.ndindex(of.across, of.down):
        patch = x[j * of.stride : j * of.stride + of.size, :, i * of.stride : i * of.stride + of.size]
        products = [W[:, c, p, q, np.newaxis] * patch[q, c, p] for q, c, p in np.ndindex(of.size, of.channels, of.size)]
        y[j, :, i] = by_blocks(products) + b[:, np.newaxis]
    return y


def expected_inputs_gradient(of, dy, W):
    dx = np.empty(of.inside, np.float32)
    for j, i in np.ndindex(dx.shape[0], dx.shape[2]):
        met = []  # elements of a filter, and the pixels of y that they contribute to
        for p, q in np.ndindex(of.size, of.size):
            (down, below), (across, right) = (divmod(at + of.padding - by, of.stride) for at, by in ((i, p), (j, q)))
            if not below and not right and 0 <= down < of.down and 0 <= across < of.across:
                met.append((p, q, across, down))
        products = [
            W[f, :, p, q, np.newaxis] * dy[across, f, down] for f in range(of.filters) for p, q, across, down in met
        ]
        dx[j, :, i] = by_blocks(products) if products else 0
    return dx


def dot(a, b):
    """Return the dot product of rows of a with rows of b in the order of a block, a row of sums for each."""
    room = [(0, 0)] * (a.ndim - 1) + [(0, -a.shape[-1] % DOT_SUMS)]
    a, b = (np.pad(array, room).reshape(*array.shape[:-1], -1, DOT_SUMS) for array in (a, b))
    return in_order([a[..., m, :][:, np.newaxis] * b[..., m, :] for m in range(a.shape[-2])])


def expected_weights_gradient(of, x, dy):
    """Return dW and db, the latter as the weight of an input that is always 1."""
    sums = []
    for j in range(of.across):
        patches = x[j * of.stride : j * of.stride + of.size]
        elements = [
            patches[q, c, p : p + of.stride * (of.down - 1) + 1 : of.stride] for c, p, q in np.ndindex(of.weights[1:])
        ]
        a = np.stack([*elements, np.ones_like(elements[0])])
        runs = [(a.reshape(len(a), -1), dy[j].reshape(of.filters, -1))]
        if of.stride > 1:
            runs = [(a[:, i], dy[j, :, i]) for i in range(of.down)]
        for run, theirs in runs:
            vectors = -(-run.shape[1] // DOT_SUMS)
            for block in np.array_split(np.arange(vectors), -(-vectors // (DOT_BLOCK // DOT_SUMS))):
                numbers = slice(block[0] * DOT_SUMS, (block[-1] + 1) * DOT_SUMS)
                sums.append(dot(run[:, numbers], theirs[:, numbers]))
    totals = in_order(sums)
    for half in (8, 4, 2, 1):
        totals = totals[..., :half] + totals[..., half:]
    return totals[:-1, :, 0].T.reshape(of.weights), totals[-1, :, 0]


def check_order_of_addition(of, *, threads=1, gap=0, seed=0):
    generator = np.random.default_rng(seed)
    x, dy, b = (guarded(twelve_bits(generator, *shape)) for shape in (of.x, of.y, (of.filters,)))
    rows = twelve_bits(generator, of.filters, of.channels * of.size**2)
    W, dW = (guarded(array, gap).reshape(of.weights) for array in (rows, np.full_like(rows, np.nan)))
    y, dx, db = (guarded(np.full(shape, np.nan, np.float32)) for shape in (of.y, of.inside, (of.filters,)))
    with kernel_threads(threads):
        assert compiled.convolution(x, W, b, of.stride, y) is y
        assert compiled.convolution_inputs_gradient(dy, W, of.stride, of.padding, dx) is dx
        assert compiled.convolution_weights_gradient(x, dy, of.stride, dW, db) is dW
    np.testing.assert_array_equal(y, expected_outputs(of, x, W, b))
    np.testing.assert_array_equal(dx, expected_inputs_gradient(of, dy, W))
    for found, expected in zip((dW, db), expected_weights_gradient(of, x, dy), strict=True):
        np.testing.assert_array_equal(found, expected)


@settings(deadline=None, max_examples=30)
@given(of=shapes(), threads=st.integers(1, 3), gap=st.sampled_from([0, 5]), seed=st.integers(0, 2**32))
def test_convolutions_are_added_up_as_they_are_said_to_be(of, threads, gap, seed):
    check_order_of_addition(of, threads=threads, gap=gap, seed=seed)


@pytest.mark.parametrize(
    "of",
    [
        Shape(8, channels=2, height=8, rows=3, filters=5, size=6, stride=1, padding=1),  # all rows of a tile of dW
        Shape(9, channels=2, height=9, rows=3, filters=5, size=7, stride=2, padding=1),  # more than a tile has
        Shape(4, channels=64, height=3, rows=2, filters=64, size=2, stride=1, padding=0),  # a whole block of products
        Shape(3, channels=70, height=4, rows=2, filters=70, size=2, stride=1, padding=0),  # more than a block
        Shape(3, channels=70, height=12, rows=2, filters=7, size=2, stride=1, padding=0),  # in vectors that overlap
        Shape(2, channels=1, height=2, rows=DOT_BLOCK // 2, filters=1, size=1, stride=1, padding=0),  # the same of dW
    ],
)
def test_sums_that_fill_a_tile_or_a_block_or_exceed_it(of):
    check_order_of_addition(of)


def test_more_columns_than_parts_are_shared_out():
    of = Shape(19, channels=8, height=4, rows=64, filters=16, size=1, stride=1, padding=0)
    check_order_of_addition(of, threads=2)


@settings(deadline=None, max_examples=40)
@given(of=shapes(), special=st.sampled_from([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-40]), seed=st.integers(0, 2**32))
def test_convolutions_of_any_numbers_are_numpys_to_rounding(of, special, seed):
    generator = np.random.default_rng(seed)
    x, dy, W = (generator.standard_normal(shape).astype(np.float32) for shape in (of.x, of.y, of.weights))
    for array in (x, dy, W):
        array.flat[generator.integers(array.size)] = special
    calls = [
        ("convolution", (x, W, None, of.stride), of.y),
        ("convolution_inputs_gradient", (dy, W, of.stride, of.padding), of.inside),
        ("convolution_weights_gradient", (x, dy, of.stride), of.weights),
    ]
    for name, arguments, shape in calls:
        none = [None] if name == "convolution_weights_gradient" else []
        found = getattr(compiled, name)(*arguments, np.full(shape, np.nan, np.float32), *none)
        wide = [a.astype(float) if isinstance(a, np.ndarray) else a for a in arguments]
        with np.errstate(invalid="ignore"):
            expected = getattr(with_numpy, name)(*wide, np.empty(shape), *none)
        np.testing.assert_array_equal(np.isfinite(found), np.isfinite(expected))
        finite = np.isfinite(expected)
        np.testing.assert_allclose(found[finite], expected[finite], rtol=1e-4, atol=1e-3)


def test_a_sum_that_is_rounded_to_minus_zero_becomes_zero():
    x, y = np.full((4, 3, 5, 20), -1e-30, np.float32), np.full((3, 2, 4, 20), -1e-30, np.float32)
    W = np.full((2, 3, 2, 2), 1e-30, np.float32)
    assert not compiled.convolution_inputs_gradient(y, W, 1, 0, np.empty_like(x)).view(np.int32).any()
    assert not compiled.convolution(x, W, None, 1, y).view(np.int32).any()


@pytest.mark.parametrize("stride", [1, 2])
def test_an_image_has_the_same_bits_alone_and_among_others(stride):
    generator = np.random.default_rng(0)
    x = generator.standard_normal((14, 6, 14, 37)).astype(np.float32)
    W, b = generator.standard_normal((16, 6, 5, 5)).astype(np.float32), np.ones(16, np.float32)
    side = (14 - 5) // stride + 1
    whole = compiled.convolution(x, W, b, stride, np.empty((side, 16, side, 37), np.float32))
    for row in (0, 16, 36):
        alone = np.empty((side, 16, side, 1), np.float32)
        compiled.convolution(np.ascontiguousarray(x[..., row : row + 1]), W, b, stride, alone)
        np.testing.assert_array_equal(alone[..., 0], whole[..., row])


@pytest.mark.parametrize("layout", ["padded", "reversed", "fortran", "every other", "byte-swapped"])
@pytest.mark.parametrize("place", range(5))
def test_arrays_that_lie_otherwise_are_left_to_numpy(layout, place):
    generator = np.random.default_rng(0)
    x, dy, W = (generator.standard_normal(s).astype(np.float32) for s in ((4, 2, 5, 3), (3, 3, 4, 3), (3, 2, 2, 2)))
    calls = {
        "convolution": [x, W, np.ones(3, np.float32), 1, np.empty_like(dy)],
        "convolution_inputs_gradient": [dy, W, 1, 0, np.empty_like(x)],
        "convolution_weights_gradient": [x, dy, 1, np.empty_like(W), np.empty(3, np.float32)],
    }
    for name, arguments in calls.items():
        expected = getattr(with_numpy, name)(*arguments).copy()
        if isinstance(arguments[place], np.ndarray):
            arguments[place] = laid_out(arguments[place], layout)
        np.testing.assert_allclose(getattr(compiled, name)(*arguments), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("library", [compiled, with_numpy], ids=["compiled", "with_numpy"])
def test_arrays_that_do_not_match_are_an_error_and_no_crash(library):
    x, W, y = (np.ones(shape, np.float32) for shape in ((4, 2, 5, 3), (3, 2, 2, 2), (3, 3, 4, 3)))
    for wrong in (x[:, :1], x[..., :2], x[:2]):
        with pytest.raises(ValueError, match=r"mismatch|broadcast|reshape|dimension"):
            library.convolution(np.ascontiguousarray(wrong), W, None, 1, y)
    for name in ("convolution", "convolution_inputs_gradient", "convolution_weights_gradient"):
        with pytest.raises(TypeError):
            getattr(library, name)(x)
        with pytest.raises((TypeError, AttributeError, ValueError)):
            getattr(library, name)(*[None] * 5)


BITS = """
import hashlib
import numpy as np
from matrix_products import kernel_threads
from mlpkit_plugins import kernels

bits = hashlib.sha256()
generator = np.random.default_rng(0)
shapes = [(1, 6, 5, 1, 32), (6, 16, 5, 1, 37), (40, 30, 3, 1, 20), (3, 7, 4, 2, 50)]
for channels, filters, size, stride, rows in shapes:
    x = generator.standard_normal((14, channels, 13, rows)).astype(np.float32)
    W = generator.standard_normal((filters, channels, size, size)).astype(np.float32)
    b = generator.standard_normal(filters).astype(np.float32)
    y = np.empty(((14 - size) // stride + 1, filters, (13 - size) // stride + 1, rows), np.float32)
    for threads in (1, 2, 3):
        with kernel_threads(threads):
            bits.update(kernels.convolution(x, W, b, stride, y).tobytes())
            bits.update(kernels.convolution_inputs_gradient(y, W, stride, 0, np.empty_like(x)).tobytes())
            bits.update(kernels.convolution_weights_gradient(x, y, stride, np.empty_like(W), b).tobytes())
            bits.update(b.tobytes())
print(bits.hexdigest())
"""


def test_an_output_that_overlaps_what_it_is_made_of_gets_what_numpy_gives():
    results = []
    for library in (compiled, with_numpy):
        memory = np.random.default_rng(0).standard_normal(1000, np.float32)
        x, W = memory[500:800].reshape(5, 3, 5, 4), memory[40:67].reshape(1, 3, 3, 3)
        results.append(library.convolution(x, W, None, 1, memory[:36].reshape(3, 1, 3, 4)).copy())
        results.append(library.convolution(x, W, None, 1, memory[20:56].reshape(3, 1, 3, 4)).copy())
        dW = memory[501:528].reshape(1, 3, 3, 3)
        dy = memory[900:936].reshape(3, 1, 3, 4)
        results.append(library.convolution_weights_gradient(x, dy, 1, dW, None).copy())
    for ours, theirs in zip(results[:3], results[3:], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="other processors have one set of instructions")
def test_a_processor_without_avx512_computes_the_same_bits():
    assert printed_by(BITS, "avx2") == printed_by(BITS, "avx512")
