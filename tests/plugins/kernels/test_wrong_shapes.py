"""With a dimension off by one, in each argument, a kernel gives NumPy's error or numbers, and writes nowhere else."""

from __future__ import annotations

import re
from contextlib import nullcontext, suppress
from functools import partial
from inspect import signature
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from kernel_builds import ROOT
from memory_layouts import laid_out
from requirements import require_module

from mlpkit_plugins.kernels import COMPILED, row_order, with_numpy

compiled = require_module("kernels", "mlpkit_plugins.kernels.compiled", "there was no compiler")

X, T, ROW, LABELS, BYTES = (5, 4), (4, 5), (4,), ("int64", (5,)), ("uint8", (6, 3, 4))
IMAGES, PADDED, W, Y = (5, 3, 6, 7), (7, 3, 6, 5), (4, 3, 3, 3), (5, 4, 4, 5)
VALUES = ["rectify", "exp", "cos", "sin", "tanh", "sigmoid", "softplus", "gelu", "silu", "mish", "selu", "softmax"]
GRADIENTS = [f"{name}_gradient" for name in ("sigmoid", "tanh", "softplus", "gelu", "silu", "mish", "selu")]
CALLS = {
    **dict.fromkeys(VALUES, (X, X)),
    **dict.fromkeys([*GRADIENTS, "keep_where_positive"], (X, X, X)),
    **dict.fromkeys(["elu", "leaky_relu", "scale_elements"], (X, 0.5, X)),
    **dict.fromkeys(["elu_gradient", "leaky_relu_gradient"], (X, X, 0.5, X)),
    "product": ((5, 3), (3, 4), X),
    "product_plus_row": ((5, 3), (3, 4), ROW, X),
    "convolution": (PADDED, W, ROW, 1, Y),
    "convolution_inputs_gradient": (Y, W, 1, 1, (5, 3, 4, 5)),
    "convolution_weights_gradient": (PADDED, Y, 1, W, ROW),
    "pad_images": (IMAGES, 1, (9, 3, 8, 5)),
    "flatten_images": (IMAGES, (5, 126)),
    "average_pool": (IMAGES, 3, 2, (5, 3, 2, 3)),
    "max_pool": (PADDED, 3, 2, (3, 3, 2, 5)),
    "max_pool_gradient": (PADDED, (3, 3, 3, 5), (3, 3, 3, 5), 2, 2, PADDED),
    "drop": (X, ("uint16", X), 0.3, X),
    "philox_words": (("uint64", (2,)), ("uint64", (4,)), ("uint16", (3, 8))),
    "prelu": (X, ROW, X),
    "prelu_gradient": (X, X, ROW, X, X),
    "lerp": (X, X, ROW, X),
    "lerp_gradient": (X, X, X, X, ROW, X, X),
    "scale_features": (X, ROW, X),
    "scale_and_shift_features": (X, ROW, ROW, X),
    "feature_sums": (X, ROW),
    "feature_sums_of_products": (X, X, X, ROW),
    "feature_sums_of_squares": (X, ROW, X, ROW),
    "normalize": (X, ROW, ROW, ROW, ROW, X, X),
    "normalize_gradient": (X, X, ROW, ROW, ROW, X),
    "normalize_rows": (X, ROW, ROW, 1e-5, X, (5, 1), X),
    "normalize_rows_gradient": (X, X, (5, 1), ROW, X, X),
    "shift_transposed": (X, T),
    "pick_labels": (T, LABELS, (5,)),
    "normalize_columns": (T, (5,)),
    "cross_entropy_gradient": (T, LABELS, 0.5, X),
    "descend": (X, X, 0.1),
    "descend_adaptively": (X, X, X, X, 0.9, 0.999, 0.1, 0.001, 1e-8, 0.01, 1.0),
    "flush_subnormal": (X,),
    "take_scaled": (BYTES, LABELS, 1 / 255, (5, 3, 4)),
    "take_rows": ((6, 3, 4), LABELS, (5, 3, 4)),
}
"""Arguments of each kernel: shapes of arrays, with a dtype if it isn't that of the network, and numbers."""
WITHOUT_SHAPES = {"read_rows", "read_csv_records", "distinct_fields"}
"""They read texts and files, and have tests of their own."""
SCRATCH = {"feature_sums_of_products": 2, "feature_sums_of_squares": 2}
"""Arguments of the shape of x that NumPy alone needs."""
ROOM = 64
"""Numbers before and after an array that no kernel may touch."""


def test_no_kernel_is_left_out():
    kernels = {name for name in dir(compiled) if callable(getattr(compiled, name)) and not name.startswith("_")}
    assert CALLS.keys() | WITHOUT_SHAPES == {name for name in kernels if not name.startswith(("begin_", "end_"))}


def arguments_of(function):
    return function.nargs if isinstance(function, np.ufunc) else len(signature(function).parameters)


def test_the_list_of_kernels_agrees_with_numpy():
    """With another number of arguments, NumPy would compute each call, and no other test would fail."""
    listed = (ROOT / "plugins/mlpkit_plugins/kernels/kernel_list.h").read_text("utf-8")
    counts = {name: int(count) for name, count in re.findall(r"^KERNEL\((\w+), (\d+)\)$", listed, re.M)}
    for name, parameters in re.findall(r"^ACTIVATION\((\w+), (\d)\)$", listed, re.M):
        counts |= {name: 2 + int(parameters), f"{name}_gradient": 3 + int(parameters)}
    assert counts.keys() == CALLS.keys() | WITHOUT_SHAPES
    assert counts == {name: arguments_of(getattr(with_numpy, name)) for name in counts}


def memory_of(shape, dtype, rng):
    """Return an array in the middle of a larger one, which is its base."""
    size = int(np.prod(shape))
    length, most = size + 2 * ROOM, 3 if dtype == "int64" else 2 ** (8 * np.dtype(dtype).itemsize - 1)
    numbers = rng.standard_normal(length) if np.dtype(dtype).kind == "f" else rng.integers(most, size=length)
    return numbers.astype(dtype)[ROOM : ROOM + size].reshape(shape)


def parts_of(shapes, dtype):
    """Go through the arguments of a call: dtype and shape of an array, or None twice, and what stands for it."""
    for each in shapes:
        typed = isinstance(each, tuple) and isinstance(each[0], str)
        own, shape = each if typed else (dtype, each)
        yield (own, shape, each) if isinstance(shape, tuple) else (None, None, each)


def called(library, name, shapes, dtype):
    """Return the exception that a kernel raises, and its arrays; prove that it leaves alone what lies beside them."""
    rng = np.random.default_rng(0)
    arguments = [memory_of(shape, own, rng) if shape else each for own, shape, each in parts_of(shapes, dtype)]
    arrays = [each for each in arguments if isinstance(each, np.ndarray)]
    memories = [each.base if each.base.ndim == 1 else each.base.base for each in arrays]
    before = [memory.copy() for memory in memories]
    raised = None
    with np.errstate(all="ignore"):
        try:
            getattr(library, name)(*arguments)
        except (ValueError, IndexError, TypeError, AttributeError) as error:
            raised = type(error)
    for memory, copy in zip(memories, before, strict=True):
        for beside in (slice(ROOM), slice(len(memory) - ROOM, None)):
            np.testing.assert_array_equal(memory[beside], copy[beside])
    return raised, arrays


def off_by_one(shapes):
    """Go through the arguments of a call with one dimension of one array longer or shorter by one."""
    for place, (own, shape, _) in enumerate(parts_of(shapes, None)):
        for axis in range(len(shape or ())):
            for change in (-1, 1):
                wrong = (*shape[:axis], shape[axis] + change, *shape[axis + 1 :])
                yield [*shapes[:place], (own, wrong) if own else wrong, *shapes[place + 1 :]]


@pytest.mark.parametrize("block", [nullcontext, row_order])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CALLS)
def test_a_dimension_is_off_by_one(name, dtype, block):
    assert called(compiled, name, CALLS[name], dtype)[0] is None
    for shapes in off_by_one(CALLS[name]):
        with block():
            raised, arrays = called(compiled, name, shapes, dtype)
            if name in SCRATCH:
                shapes[SCRATCH[name]] = shapes[0]
            expected, others = called(with_numpy, name, shapes, dtype)
        assert raised is expected, shapes
        if raised is None:
            for i, (ours, theirs) in enumerate(zip(arrays, others, strict=True)):
                if i != SCRATCH.get(name):
                    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5, err_msg=str(shapes))


@pytest.mark.parametrize("axis", range(4))
@pytest.mark.parametrize("name", [name for name, shapes in CALLS.items() if IMAGES in shapes or PADDED in shapes])
def test_images_without_pixels_are_left_to_numpy(name, axis):
    for place, (_, shape, _) in enumerate(parts_of(CALLS[name], None)):
        if shape and len(shape) == 4:
            shapes = [*CALLS[name][:place], (*shape[:axis], 0, *shape[axis + 1 :]), *CALLS[name][place + 1 :]]
            raised, arrays = called(compiled, name, shapes, "float32")
            expected, others = called(with_numpy, name, shapes, "float32")
            assert raised is expected, shapes
            for ours, theirs in zip(arrays, others, strict=True):
                np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("block", [nullcontext, row_order])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CALLS)
def test_rows_that_lie_apart(name, dtype, block):
    """Most layouts are left to NumPy; kernels go from row to row themselves."""

    def apart(array):
        wider = np.full((*array.shape[:-1], array.shape[-1] + 3), 99, array.dtype)
        wider[..., : array.shape[-1]] = array
        return wider[..., : array.shape[-1]]

    rng = np.random.default_rng(0)
    templates = parts_of(CALLS[name], dtype)
    ours = [apart(memory_of(shape, own, rng)) if shape else each for own, shape, each in templates]
    theirs = [each.copy() if isinstance(each, np.ndarray) else each for each in ours]
    with np.errstate(all="ignore"), block():
        getattr(compiled, name)(*ours)
        getattr(with_numpy, name)(*theirs)
    for i, (one, other) in enumerate(zip(ours, theirs, strict=True)):
        if isinstance(one, np.ndarray):
            assert (one.base[..., one.shape[-1] :] == np.array(99, one.dtype)).all()
            if i != SCRATCH.get(name):
                np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def layouts_without_numpy(name, dtype, block):
    """Return the layouts of its arrays for which a kernel computes everything itself."""
    found = []
    for layout in ("contiguous", "padded", "fortran"):
        rng = np.random.default_rng(0)
        templates = parts_of(CALLS[name], dtype)
        arguments = [laid_out(memory_of(shape, own, rng), layout) if shape else each for own, shape, each in templates]
        with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"), suppress(AttributeError), block():
            patch.delattr(with_numpy, name)
            getattr(compiled, name)(*arguments)
            found.append(layout)
    return ", ".join(found) or "none"


@pytest.mark.skipif(not (COMPILED and compiled.INSTRUCTIONS), reason="kernels are left out, or have no vectors here")
def test_what_is_computed_without_numpy(golden):
    lines = []
    for name, dtype in product(CALLS, ("float32", "float64")):
        usual, in_row_order = (layouts_without_numpy(name, dtype, block) for block in (nullcontext, row_order))
        more = f"; in row order: {in_row_order}" if in_row_order != usual else ""
        lines.append(f"{name}, {dtype}: {usual}{more}\n")
    golden(Path(__file__).with_name("without_numpy.golden.txt"), "".join(lines))


@pytest.mark.parametrize("name", CALLS)
def test_a_read_only_array_never_changes_and_a_read_only_output_is_an_error(name):
    rng, errors = np.random.default_rng(0), []
    templates = list(parts_of(CALLS[name], "float32"))
    for place in [place for place, (_, shape, _) in enumerate(templates) if shape]:
        arguments = [memory_of(shape, own, rng) if shape else each for own, shape, each in templates]
        fixed, before = arguments[place], arguments[place].copy()
        fixed.flags.writeable = False
        try:
            with np.errstate(all="ignore"):
                getattr(compiled, name)(*arguments)
        except ValueError as error:
            errors.append(str(error))
        np.testing.assert_array_equal(fixed, before)
    assert errors
    assert all("read-only" in error for error in errors)


def unaligned(array):
    copy = np.empty(array.nbytes + 1, np.uint8)[1:].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def expect_what_numpy_gives(name, change, axes, besides=None):
    """Change each array with that many axes in turn, ``besides`` one, just after a call with the right ones."""
    templates = list(parts_of(CALLS[name], "float32"))
    places = [place for place, (_, shape, _) in enumerate(templates) if shape and len(shape) in axes]
    for place in [place for place in places if place != besides]:
        found = []
        for library in (compiled, with_numpy):
            right, changed = (
                [memory_of(shape, own, rng) if shape else each for own, shape, each in templates]
                for rng in map(np.random.default_rng, (1, 0))
            )
            changed[place] = change(changed[place])
            try:
                with np.errstate(all="ignore"):
                    getattr(library, name)(*right)
                    getattr(library, name)(*changed)
                found.append([each for i, each in enumerate(changed) if i != SCRATCH.get(name)])
            except (ValueError, IndexError, TypeError, AttributeError) as error:
                found.append(type(error))
        ours, theirs = found
        if isinstance(theirs, type):
            assert ours is theirs, place
            continue
        for one, two in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-5)


OTHERS = {
    "of another dtype": lambda array: array.astype("i4" if array.dtype.kind != "f" else f"f{12 - array.itemsize}"),
    "byte-swapped": lambda array: array.astype(array.dtype.newbyteorder()),
    "unaligned": unaligned,
    **{layout: partial(laid_out, layout=layout) for layout in ("every other", "reversed", "fortran")},
}


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("name", CALLS)
def test_another_array_gets_what_numpy_gives(name, other):
    expect_what_numpy_gives(name, OTHERS[other], range(1, 5))


@pytest.mark.parametrize("name", CALLS)
def test_a_list_gets_what_numpy_gives(name):
    expect_what_numpy_gives(name, np.ndarray.tolist, range(1, 5), besides=SCRATCH.get(name))


@pytest.mark.parametrize("name", [name for name in CALLS if {IMAGES, PADDED, Y} & set(CALLS[name])])
def test_images_with_an_axis_more_or_less_get_what_numpy_gives(name):
    expect_what_numpy_gives(name, lambda array: array[0], [4])
    expect_what_numpy_gives(name, lambda array: array[np.newaxis], [4])
