"""Arrays in every memory layout: the strategy for all comparisons of a kernel with its NumPy form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import strategies as st

LAYOUTS = ["contiguous", "padded", "reversed", "fortran", "every other", "byte-swapped"]
LOADED = Path("/proc/self/maps")
BLIS = LOADED.exists() and "/blis" in LOADED.read_text("utf-8")
WRITABLE = [layout for layout in LAYOUTS if not (BLIS and layout == "reversed")]
"""With BLIS 1.1, np.matmul(a, b, out=c[::-1]) writes beside c if b has one column."""
SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-40, -1e-310, -3.0]


def laid_out(array, layout):
    """Return a copy of an array in that memory layout."""
    *outer, last = array.shape
    room = {
        "contiguous": lambda: np.empty_like(array, order="C"),
        "padded": lambda: np.empty((*outer, last + 3), array.dtype)[..., :last],
        "reversed": lambda: np.empty_like(array, order="C")[::-1],
        "fortran": lambda: np.empty_like(array, order="F"),
        "every other": lambda: np.empty((*outer, 2 * last), array.dtype)[..., ::2],
        "byte-swapped": lambda: np.empty(array.shape, array.dtype.newbyteorder()),
    }[layout]()
    room[...] = array
    return room


def twin(array):
    """Return a copy of an array with the same layout and alignment: BLAS adds in an order that depends on them."""
    memory = array if array.base is None else array.base
    offset = array.ctypes.data - memory.ctypes.data
    return np.ndarray(array.shape, array.dtype, memory.copy(order="K"), offset, array.strides)


@st.composite
def arrays(draw, shape, dtype, *, layouts=LAYOUTS, special=SPECIAL):
    """Draw an array of normally distributed numbers, with a few special ones among them.

    Args:
        draw: given by Hypothesis.
        shape: its shape.
        dtype: its dtype.
        layouts: how it may lie in memory.
        special: what the special numbers may be.
    """
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    array = generator.standard_normal(shape).astype(dtype)
    chosen = draw(st.lists(st.sampled_from(special), max_size=4)) if len(special) and array.size else []
    with np.errstate(under="ignore"):
        array.flat[generator.integers(max(array.size, 1), size=len(chosen))] = chosen
    return laid_out(array, draw(st.sampled_from(layouts)))


def outputs(shape, dtype, *, layouts=WRITABLE):
    """Draw an array to be written to; what it holds doesn't matter.

    Args:
        shape: its shape.
        dtype: its dtype.
        layouts: how it may lie in memory.
    """
    return arrays(shape, dtype, layouts=layouts)


def bits(array):
    """Return float32 numbers as what can be compared bit by bit; all that are not a number are the same."""
    native = np.array(array, np.float32, order="C")
    return np.where(np.isnan(native), np.float32(np.nan), native).view(np.uint32)
