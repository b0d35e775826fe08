"""Matrix products of float32 that AMX computes from numbers of bfloat16: at least as good as other products."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matrix_products import AMX_MULTIPLICATIONS, AMX_SIDE, kernel_threads, parameters_of_run, printed_by, with_gap
from requirements import require_module

from mlpkit_plugins.kernels import with_numpy

compiled = require_module("kernels", "mlpkit_plugins.kernels.compiled", "there was no compiler")
if not compiled.PRODUCTS_BY.endswith("AMX"):
    pytest.skip("the processor has no AMX", allow_module_level=True)

lengths = st.one_of(st.integers(AMX_SIDE, 340), st.sampled_from([AMX_SIDE, 255, 256, 257, 511, 512, 513, 784, 1000]))
shapes = st.tuples(lengths, lengths, lengths).filter(lambda shape: 1 <= np.prod(shape) / AMX_MULTIPLICATIONS <= 10)
square = (300, 300, 300)
layouts = st.tuples(st.booleans(), st.booleans())
gaps = st.tuples(*[st.sampled_from([0, 1, 16])] * 3)


def random_product(seed, shape, transposed=(False, False), gap=(0, 0)):
    generator = np.random.default_rng(seed)
    rows, inner, columns = shape
    a = generator.standard_normal((rows, inner)).astype(np.float32)
    b = generator.standard_normal((inner, columns)).astype(np.float32)
    return with_gap(a, transposed[0], gap[0]), with_gap(b, transposed[1], gap[1])


def multiplied(a, b, row=None, threads=2):
    out = np.full((len(a), b.shape[1]), np.nan, np.float32)
    with kernel_threads(threads):
        return compiled.product(a, b, out) if row is None else compiled.product_plus_row(a, b, row, out)


@given(shape=shapes, transposed=layouts, gap=gaps, threads=st.integers(1, 3), seed=st.integers(0, 2**32))
@settings(deadline=None, max_examples=60)
def test_a_product_of_whole_numbers_is_exact(shape, transposed, gap, threads, seed):
    rows, inner, columns = shape
    generator = np.random.default_rng(seed)
    large, small = ((rows, inner), 8000), ((inner, columns), 2)  # sums below 2^24 need no rounding, in whatever order
    if generator.integers(2):
        large, small = (large[0], small[1]), (small[0], large[1])
    a, b = (generator.integers(-most, most + 1, size) for size, most in (large, small))
    row = generator.integers(-1000, 1001, columns)
    exact = (a.astype(float) @ b).astype(np.float32)
    a, b = with_gap(a.astype(np.float32), transposed[0], gap[0]), with_gap(b.astype(np.float32), transposed[1], gap[1])
    for arguments, wanted in [((a, b), exact), ((a, b, row.astype(np.float32)), exact + row)]:
        room = np.full((rows, columns + gap[2]), np.nan, np.float32)
        kernel = compiled.product if len(arguments) == 2 else compiled.product_plus_row
        with kernel_threads(threads):
            kernel(*arguments, room[:, :columns])
        np.testing.assert_array_equal(room[:, :columns], wanted)
        assert np.isnan(room[:, columns:]).all()


@given(shape=shapes, transposed=layouts, seed=st.integers(0, 2**32))
@settings(deadline=None, max_examples=30)
def test_no_bit_of_a_number_is_lost(shape, transposed, seed):
    rows, inner, columns = shape
    generator = np.random.default_rng(seed)
    a, b = random_product(seed, shape, transposed)
    magnitudes = np.float32(2) ** generator.integers(-80, 40, size=a.shape).astype(np.float32)
    picks = np.zeros((inner, columns), np.float32)
    chosen = generator.integers(inner, size=columns)
    picks[chosen, np.arange(columns)] = 1
    np.testing.assert_array_equal(multiplied(a * magnitudes, picks), (a * magnitudes)[:, chosen])
    picks = np.zeros((rows, inner), np.float32)
    chosen = generator.integers(inner, size=rows)
    picks[np.arange(rows), chosen] = 1
    np.testing.assert_array_equal(multiplied(picks, b), b[chosen])


@pytest.mark.parametrize("shape", [(256, 256, 320), (1000, 784, 256), (784, 1000, 256), (512, 4096, 128)])
@pytest.mark.parametrize("spread", [0, 8])
def test_a_product_is_no_further_from_the_exact_one_than_numpys(shape, spread):
    generator = np.random.default_rng(0)
    a, b = random_product(1, shape)
    a *= np.exp2(generator.uniform(-spread, spread, a.shape)).astype(np.float32)
    b *= np.exp2(generator.uniform(-spread, spread, b.shape)).astype(np.float32)
    row = generator.standard_normal(shape[2]).astype(np.float32)
    exact = a.astype(float) @ b.astype(float)
    scale = np.abs(a.astype(float)) @ np.abs(b.astype(float))
    errors = [np.abs(product - exact) / scale for product in (multiplied(a, b), a @ b)]
    assert np.sqrt(np.mean(errors[0] ** 2)) <= 0.8 * np.sqrt(np.mean(errors[1] ** 2))
    assert errors[0].max() <= errors[1].max()
    with_row = np.abs(multiplied(a, b, row) - (exact + row)) / (scale + np.abs(row))
    assert with_row.max() <= errors[1].max()


@given(shape=shapes, seed=st.integers(0, 2**32))
@settings(deadline=None, max_examples=20)
def test_a_product_has_the_same_bits_on_any_number_of_threads_and_in_any_layout(shape, seed):
    a, b = random_product(seed, shape)
    row = b[0].copy()
    expected = [multiplied(a, b, threads=1), multiplied(a, b, row, threads=1)]
    for threads in (2, 3, 5):
        for transposed in ((False, False), (True, False), (False, True), (True, True)):
            x, y = with_gap(a, transposed[0], 3), with_gap(b, transposed[1], 16)
            np.testing.assert_array_equal(multiplied(x, y, threads=threads), expected[0])
            np.testing.assert_array_equal(multiplied(x, y, row, threads=threads), expected[1])


@given(
    special=st.lists(
        st.sampled_from([np.inf, -np.inf, np.nan, 0.0, -0.0, 1e-40, 1e-30, 2.0**49, 2.0**50, -1e30, 1e38]), max_size=5
    ),
    transposed=layouts,
    seed=st.integers(0, 2**32),
)
@settings(deadline=None, max_examples=60)
def test_what_is_infinite_huge_or_no_number_comes_out_as_numpy_has_it(special, transposed, seed):
    generator = np.random.default_rng(seed)
    a, b = (generator.integers(-3, 4, square[:2]).astype(np.float32) for _ in range(2))
    for array in (a, b):  # no two in a row or a column, since their sum might depend on the order
        array[generator.permutation(300)[: len(special)], generator.permutation(300)[: len(special)]] = special
    with np.errstate(all="ignore"):
        expected = with_numpy.product(a, b, np.empty((300, 300), np.float32))
        scale = np.abs(a.astype(float)) @ np.abs(b.astype(float))
    result = multiplied(with_gap(a, transposed[0], 0), with_gap(b, transposed[1], 0))
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(result[~finite], expected[~finite])
    assert (np.abs(result[finite] - expected[finite]) <= 1e-6 * scale[finite]).all()


DIGESTS = """
import hashlib, os, sys
import numpy as np
from matrix_products import kernel_threads
from mlpkit_plugins import kernels

def digests(special):
    a, b = np.random.default_rng(0).standard_normal((2, 300, 300)).astype(np.float32)
    row = b[0].copy()
    if special:
        a[150, 7] = float.fromhex(special)
    for threads in 1, 2, 3:
        with kernel_threads(threads), np.errstate(all="ignore"):
            yield hashlib.sha256(kernels.product(a, b, np.empty_like(a))).hexdigest()
            yield hashlib.sha256(kernels.product_plus_row(a, b, row, np.empty_like(a))).hexdigest()
"""
PRINTS_DIGESTS = (
    DIGESTS
    + """
print(*digests(""), kernels.PRODUCTS_BY)
for special in "inf", "-inf", "nan", "0x1p+50", "-0x1.fffffep+127", "0x1.fffffep+49":
    print(*digests(special))
"""
)


def test_amx_computes_what_it_can_to_bits_of_its_own_and_vectors_all_else():
    with_amx, without = (printed_by(PRINTS_DIGESTS, kernels).splitlines() for kernels in ("", "avx512"))
    for line in (*with_amx, *without):
        digests = line.split()[:6]
        assert digests == digests[:2] * 3  # on any number of threads
    assert with_amx[0].endswith("compiled kernels with AMX")
    assert without[0].endswith("compiled kernels")
    for usual in (0, -1):
        assert not set(with_amx[usual].split()[:2]) & set(without[usual].split()[:2])
    assert with_amx[1:-1] == without[1:-1]


def test_the_child_of_a_fork_computes_as_its_parent():
    program = (
        DIGESTS
        + """
before = list(digests(""))
child = os.fork()
if child == 0:
    os._exit(0 if list(digests("")) == before else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), list(digests("")) == before)
"""
    )
    assert printed_by(program, "") == "0 True\n"


@pytest.mark.parametrize("shape", [(127, 1000, 1000), (1000, 127, 1000), (1000, 1000, 127), (271, 271, 271)])
def test_small_and_narrow_products_are_those_of_vectors(shape):
    a, b = random_product(0, shape)
    alone = np.concatenate([compiled.product(part, b, np.empty((1, shape[2]), np.float32)) for part in a[:, None]])
    np.testing.assert_array_equal(multiplied(a, b), alone)


def test_factors_with_gaps_within_rows_are_not_for_amx():
    a, b = random_product(0, square)
    apart = np.full((600, 600), 7, np.float32)[::2, ::2]
    apart[...] = a
    np.testing.assert_allclose(multiplied(apart, b), multiplied(a, b), rtol=1e-4, atol=1e-4)


WIDE = ("training.batch_size=256", "layers.Affine1.units=256", "layers.Affine2.units=320")


def test_a_run_has_the_same_bits_on_any_number_of_threads_and_tells_what_computed_it(tmp_path):
    one = parameters_of_run(tmp_path / "one", "", "training.threads=1", *WIDE)
    assert parameters_of_run(tmp_path / "three", "", "training.threads=3", *WIDE) == one
    assert parameters_of_run(tmp_path / "without", "avx512", "training.threads=1", *WIDE) != one
    told = [json.loads((tmp_path / name / "lock.json").read_text())["environment"] for name in ("one", "without")]
    assert [each["computed_by"]["Affine"] for each in told] == ["compiled kernels with AMX", "compiled kernels"]


def test_products_in_several_threads_of_python_have_the_same_bits():
    a, b = random_product(0, (400, 400, 400))
    alone = multiplied(a, b)
    with ThreadPoolExecutor(4) as threads:
        for product in threads.map(lambda _: compiled.product(a, b, np.empty_like(alone)), range(40)):
            np.testing.assert_array_equal(product, alone)
