"""Kernels and products of several threads: the bits of one thread, in every program that calls them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_info, threadpool_limits

from mlpkit_plugins.kernels import with_numpy

compiled = pytest.importorskip("mlpkit_plugins.kernels.compiled", reason="there was no compiler", exc_type=ImportError)

OPENBLAS = any(library["internal_api"] == "openblas" for library in threadpool_info())
THREADS = 3
linux = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="counts threads as Linux shows them")


def arguments_of(name, rows, columns, dtype, generator):
    """Return arrays for a kernel that has much to do."""
    x = generator.standard_normal((rows, columns)).astype(dtype)
    y = generator.standard_normal((rows, columns)).astype(dtype)
    match name:
        case "rectify":
            return x, y
        case "keep_where_positive":
            return x, y, np.empty_like(x)
        case "descend":
            return x, y, 0.01
        case "descend_adaptively":
            return x, y, np.zeros_like(x), np.ones_like(x), 0.9, 0.99, 0.1, 0.01, 1e-8, 0.01
        case "flush_subnormal":
            return (x * np.finfo(dtype).smallest_normal,)
        case _:
            numbers = generator.integers(256, size=(rows, columns), dtype=np.uint8)
            return numbers, generator.integers(rows, size=rows), 1 / 255, x


@pytest.mark.parametrize(
    "name", ["rectify", "keep_where_positive", "descend", "descend_adaptively", "flush_subnormal", "take_scaled"]
)
@given(
    rows=st.sampled_from([1, 2, 7, 300, 1000]),
    elements=st.integers(10_000, 400_000),
    dtype=st.sampled_from([np.float32, np.float64]),
    gap=st.sampled_from([0, 16]),
    seed=st.integers(0, 2**32),
)
@settings(deadline=None, max_examples=30)
def test_a_kernel_on_several_threads_gives_the_bits_of_numpy(name, rows, elements, dtype, gap, seed):
    generator = np.random.default_rng(seed)
    given_ = arguments_of(name, rows, elements // rows, dtype, generator)
    if gap and name in ("rectify", "keep_where_positive"):
        given_ = tuple(
            np.pad(each, ((0, 0), (0, gap)))[:, :-gap] if isinstance(each, np.ndarray) and each.ndim == 2 else each
            for each in given_
        )
    expected = [np.array(each) if isinstance(each, np.ndarray) else each for each in given_]
    getattr(with_numpy, name)(*expected)
    with threadpool_limits(limits=THREADS, user_api="blas"):
        getattr(compiled, name)(*given_)
    read_only_scratch = 1 if name.startswith("descend") else None  # the gradient, which the two leave differently
    for i, (ours, numpys) in enumerate(zip(given_, expected, strict=True)):
        if isinstance(ours, np.ndarray) and i != read_only_scratch:
            np.testing.assert_array_equal(ours, numpys)


def in_new_process(code, **environment):
    """Run a program and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "OPENBLAS_NUM_THREADS": str(THREADS), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


PRODUCTS = """
import hashlib
import numpy as np
import mlpkit_plugins.kernels

bits = hashlib.sha256()
for rows, inner, columns in [(500, 784, 50), (784, 1000, 50), (256, 256, 256), (129, 1031, 257)]:
    for dtype in (np.float32, np.float64):
        generator = np.random.default_rng(0)
        a, b = generator.standard_normal((rows, inner)).astype(dtype), generator.standard_normal((inner, columns))
        bits.update((a @ b.astype(dtype)).tobytes())
        bits.update((a @ a[0]).tobytes())
print(bits.hexdigest())
"""


def test_products_on_several_threads_have_the_bits_that_they_have_without_the_team():
    assert in_new_process(PRODUCTS) == in_new_process(PRODUCTS, MLPKIT_KERNELS="numpy")


@linux
@pytest.mark.skipif(not OPENBLAS, reason="NumPy's BLAS is no OpenBLAS")
def test_blas_and_kernels_have_the_same_threads_and_no_more_than_blas_is_to_have():
    printed = in_new_process("""
import os
import numpy as np
from threadpoolctl import threadpool_limits

def threads():
    return len(os.listdir("/proc/self/task"))

before = threads()
from mlpkit_plugins import kernels
x = np.ones((1000, 784), np.float32)
for limit in (1, 2, 2):
    with threadpool_limits(limits=limit, user_api="blas"):
        x @ x.T
        kernels.rectify(x, np.empty_like(x))
        print(threads() - before)
""")
    assert printed.split() == ["0", "1", "1"]


def test_several_callers_at_once_all_get_their_results():
    generator = np.random.default_rng(0)
    a, b = generator.standard_normal((300, 400)), generator.standard_normal((400, 200))
    x = generator.standard_normal((400, 400))
    expected = []
    wrong = []

    def call():
        for _ in range(30):
            y = compiled.rectify(x, np.empty_like(x))
            if not np.array_equal(compiled.product(a, b, np.empty((300, 200))), expected[0]) or y.min() < 0:
                wrong.append(threading.current_thread().name)

    with threadpool_limits(limits=THREADS, user_api="blas"):
        expected.append(a @ b)
        callers = [threading.Thread(target=call) for _ in range(4)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join(60)
            assert not caller.is_alive()
    assert wrong == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system can't fork")
def test_the_child_of_a_fork_computes_with_a_team_of_its_own():
    printed = in_new_process("""
import os
import numpy as np
from mlpkit_plugins import kernels

a = np.ones((300, 400))
x = -np.ones((400, 400))

def compute():
    y = kernels.rectify(x, np.empty_like(x))
    return kernels.product(a, x, np.empty((300, 400)))[0, 0] == -400 and y.max() == 0

print(compute())
child = os.fork()
if child == 0:
    os._exit(0 if compute() else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), compute())
""")
    assert printed.split() == ["True", "0", "True"]


@linux
def test_a_team_without_work_sleeps():
    x = np.ones((1000, 784), np.float32)
    with threadpool_limits(limits=THREADS, user_api="blas"):
        x @ x.T
        compiled.rectify(x, np.empty_like(x))
    time.sleep(0.1)
    before = time.process_time()
    time.sleep(0.5)
    assert time.process_time() - before < 0.1
