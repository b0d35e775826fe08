"""Kernels and products of several threads: the bits of one thread, in every program that calls them."""

from __future__ import annotations

import os
import threading
import time
from contextlib import nullcontext
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matrix_products import kernel_threads, printed_by
from memory_layouts import arrays, twin
from requirements import require_module
from threadpoolctl import threadpool_info

from mlpkit.network.subnormals import flushed_subnormals
from mlpkit.system import available_cores
from mlpkit_plugins.kernels import with_numpy

compiled = require_module("kernels", "mlpkit_plugins.kernels.compiled", "there was no compiler")

OPENBLAS = any(library["internal_api"] == "openblas" for library in threadpool_info())
SHARED = not compiled.PRODUCTS_BY.endswith("BLAS")
THREADS = 3
linux = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="counts threads as Linux shows them")
shares = pytest.mark.skipif(not SHARED, reason="NumPy's BLAS keeps its own threads")


@st.composite
def calls(draw, name):
    """Draw the arguments of a kernel that has much to do."""
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    rows = draw(st.sampled_from([1, 2, 7, 300, 1000]))
    shape = rows, draw(st.integers(10_000, 400_000)) // rows

    def floats(layouts=("contiguous",)):
        return draw(arrays(shape, dtype, layouts=layouts))

    match name:
        case "rectify":
            return floats(["contiguous", "padded"]), floats(["contiguous", "padded"])
        case "philox_words":
            key, counter = (draw(st.integers(0, 2**64 - 1)) for _ in range(2))
            first = np.array([draw(st.sampled_from([0, counter, 2**64 - 2])), counter, 0, 0], np.uint64)
            return np.array([key, 1], np.uint64), first, np.empty(shape, np.uint16)
        case "scale_elements":
            return floats(["contiguous", "padded"]), 0.3, floats(["contiguous", "padded"])
        case "feature_sums":
            return floats(), np.empty(shape[1], dtype)
        case "feature_sums_of_products":
            return floats(), floats(), floats(), np.empty(shape[1], dtype)
        case "keep_where_positive":
            return tuple(floats(["contiguous", "padded"]) for _ in range(3))
        case "descend":
            return floats(), floats(), 0.01
        case "descend_adaptively":
            v = floats()
            return floats(), floats(), floats(), np.abs(v, out=v), 0.9, 0.99, 0.1, 0.01, 1e-8, 0.01, 0.99
        case "flush_subnormal":
            return (floats() * np.finfo(dtype).smallest_normal,)
        case "take_scaled":
            generator = np.random.default_rng(draw(st.integers(0, 2**32)))
            numbers = generator.integers(256, size=shape, dtype=np.uint8)
            return numbers, generator.integers(rows, size=rows), 1 / 255, floats()
        case "take_rows":
            numbers = floats()
            return numbers, np.random.default_rng(rows).integers(rows, size=rows), np.empty_like(numbers)
    raise AssertionError(name)


SCRATCH = {"descend": 1, "descend_adaptively": 1, "feature_sums_of_products": 2}
"""Arguments of undefined content after the call."""


@pytest.mark.parametrize(
    "name",
    [
        "rectify",
        "philox_words",
        "scale_elements",
        "feature_sums",
        "feature_sums_of_products",
        "keep_where_positive",
        "descend",
        "descend_adaptively",
        "flush_subnormal",
        "take_scaled",
        "take_rows",
    ],
)
@given(data=st.data())
@settings(deadline=None, max_examples=30)
def test_a_kernel_on_several_threads_gives_the_bits_of_numpy(name, data):
    ours = data.draw(calls(name))
    numpys = [twin(each) if isinstance(each, np.ndarray) else each for each in ours]
    with np.errstate(all="ignore"), data.draw(st.sampled_from([flushed_subnormals, nullcontext]))():
        getattr(with_numpy, name)(*numpys)
        with kernel_threads(THREADS):
            getattr(compiled, name)(*ours)
    scratch = SCRATCH.get(name)
    for i, (our, numpy_own) in enumerate(zip(ours, numpys, strict=True)):
        if isinstance(our, np.ndarray) and i != scratch:
            np.testing.assert_array_equal(our, numpy_own)


@shares
def test_members_of_the_team_treat_subnormal_numbers_as_their_caller_does():
    subnormal, ones = np.full((400, 1000), 1e-310), np.ones((400, 1000))
    for flush in (False, True, False):
        with flushed_subnormals() if flush else nullcontext(), kernel_threads(THREADS):
            kept = compiled.keep_where_positive(subnormal, ones, np.empty_like(ones))
            product = np.full((400, 400), 1e-200) @ np.full((400, 400), 1e-115)
        assert np.count_nonzero(kept) == (0 if flush else kept.size)
        assert np.count_nonzero(product) == (0 if flush else product.size)


PRODUCTS = """
import hashlib
import numpy as np
from matrix_products import kernel_threads

bits = hashlib.sha256()
with kernel_threads(3):
    for rows, inner, columns in [(500, 784, 50), (784, 1000, 50), (256, 256, 256), (129, 1031, 257)]:
        for dtype in (np.float32, np.float64):
            generator = np.random.default_rng(0)
            a, b = generator.standard_normal((rows, inner)).astype(dtype), generator.standard_normal((inner, columns))
            bits.update((a @ b.astype(dtype)).tobytes())
            bits.update((a @ a[0]).tobytes())
print(bits.hexdigest())
"""


def test_products_on_several_threads_have_the_bits_that_they_have_without_the_team():
    assert printed_by(PRODUCTS) == printed_by(PRODUCTS, MLPKIT_SHARE_BLAS="0") == printed_by(PRODUCTS, "numpy")


PROCESS = """
import ctypes, os, threading
from pathlib import Path
import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

path = next(library["filepath"] for library in threadpool_info() if library["internal_api"] == "openblas")
callback = ctypes.c_void_p.in_dll(ctypes.CDLL(path), "openblas_threads_callback_")

def threads():
    return len(os.listdir("/proc/self/task"))

a = np.ones((700, 700))
with threadpool_limits(limits=3, user_api="blas"):
    a @ a
before = threads()
"""
"""What a program says of its process: what OpenBLAS calls in place of its own threads, and how many threads it has."""


SHOWS_ITS_CALLBACK = """
import ctypes, numpy
from threadpoolctl import threadpool_info
libraries = [library["filepath"] for library in threadpool_info() if library["internal_api"] == "openblas"]
print(bool(libraries) and hasattr(ctypes.CDLL(libraries[0]), "openblas_threads_callback_"))
"""
"""Says whether NumPy's OpenBLAS exports the variable that says whose threads compute; not every build does.

It runs in a process of its own, since in this one SciPy may have brought another OpenBLAS."""

seen = pytest.mark.skipif(
    not (SHARED and Path("/proc/self/task").exists() and printed_by(SHOWS_ITS_CALLBACK).strip() == "True"),
    reason="looks into OpenBLAS on Linux",
)


@seen
def test_blas_has_its_own_threads_back_after_a_computation_and_an_import_takes_none():
    printed = printed_by(
        PROCESS
        + """
from mlpkit_plugins.kernels import PRODUCTS_BY, shared_threads
print(threads() - before, bool(callback.value))
with threadpool_limits(limits=3, user_api="blas"):
    for _ in range(2):
        with shared_threads():
            print(threads() - before, bool(callback.value))
            with shared_threads():
                assert (a @ a == 700).all()
            print(threads() - before, bool(callback.value))
        print(threads() - before, bool(callback.value))
    assert (a @ a == 700).all()
"""
    )
    inside, outside = ["2 True"] * 2, ["2 False"]
    assert printed.splitlines() == ["0 False", *inside, *outside, *inside, *outside]


@shares
@linux
def test_two_threads_of_blas_are_enough_for_a_team():
    printed = printed_by("""
import os
import numpy as np
from threadpoolctl import threadpool_limits
from mlpkit_plugins.kernels import shared_threads

with threadpool_limits(limits=2, user_api="blas"):
    np.ones((700, 700)) @ np.ones((700, 700))
    before = len(os.listdir("/proc/self/task"))
    with shared_threads():
        print(len(os.listdir("/proc/self/task")) - before)
""")
    assert printed == "1\n"


@seen
def test_a_network_that_computes_borrows_the_threads_of_blas_and_gives_them_back():
    printed = printed_by(
        PROCESS
        + """
import mlpkit
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.relu import Relu
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss

class Watching(Relu):
    def forward(self, x):
        print(bool(callback.value), x[0, 0] / 2 == 0)
        return super().forward(x)

network = mlpkit.Sequential([Affine(5), Watching(), Affine(3), SoftmaxWithLoss()], input_shape=(4,))
network.parameters["Affine1.W"][...] = 0
network.parameters["Affine1.b"][...] = np.finfo(np.float32).smallest_normal
x, t = np.ones((2, 4)), [0, 1]
with threadpool_limits(limits=3, user_api="blas"):
    for work in (lambda: network.predict(x), lambda: network.loss(x, t), lambda: network.gradient(x, t)):
        work()
        print(bool(callback.value), np.finfo(np.float64).smallest_normal / 2 == 0)
"""
    )
    evaluated, trained = ["True False", "False False"], ["True True", "False False"]
    assert printed.splitlines() == [*evaluated, *evaluated, *trained]


SCIPYS = """
import ctypes, importlib.util
from pathlib import Path

scipy = Path(importlib.util.find_spec("scipy").origin).parents[1]
for library in scipy.glob("scipy.libs/*"):
    if "openblas" in library.name:
        ctypes.CDLL(str(library))
"""
"""Loads the OpenBLAS of SciPy's wheel, if there is one, before NumPy loads its own."""


@seen
@pytest.mark.skipif(find_spec("scipy") is None, reason="needs SciPy: pip install scipy")
def test_an_openblas_of_scipy_is_not_taken_for_numpys():
    printed = printed_by(
        SCIPYS
        + PROCESS.replace("if library", 'if "scipy.libs" not in library["filepath"] and library')
        + """
from mlpkit_plugins.kernels import shared_threads
with threadpool_limits(limits=3, user_api="blas"), shared_threads():
    print(bool(callback.value))
"""
    )
    assert printed == "True\n"


@seen
def test_threads_that_compute_at_the_same_time_share_and_the_last_one_gives_back():
    printed = printed_by(
        PROCESS
        + """
from mlpkit_plugins.kernels import shared_threads
wrong = []

def compute():
    for _ in range(20):
        with shared_threads():
            if not callback.value or (a[:90] @ a[:, :90] != 700).any():
                wrong.append(1)

with threadpool_limits(limits=2, user_api="blas"):
    callers = [threading.Thread(target=compute) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
print(wrong, bool(callback.value))
"""
    )
    assert printed == "[] False\n"


@linux
@pytest.mark.skipif(available_cores() == 1, reason="OpenBLAS began with one thread, and takes more memory for others")
def test_everything_computes_where_no_thread_can_be_had():
    printed = printed_by("""
import resource, threading
from pathlib import Path
import numpy as np
from threadpoolctl import threadpool_limits
from mlpkit_plugins import kernels

def take_threads_away():
    used = int(next(line for line in Path("/proc/self/status").read_text().splitlines() if "VmSize" in line).split()[1])
    resource.setrlimit(resource.RLIMIT_AS, (used * 1024 + 6 * 2**20,) * 2)  # a thread's stack takes 8 MB
    try:
        threading.Thread(target=print, args=("a thread could be had",)).start()
    except RuntimeError:
        pass

a, y = np.ones((700, 700), np.float32), np.empty((700, 700), np.float32)
with threadpool_limits(limits=3, user_api="blas"):
    a @ a  # BLAS starts its threads, and each allocates its memory
    take_threads_away()
    with kernels.shared_threads():
        print((np.matmul(a, a, out=y) == 700).all(), (kernels.product(a, a, y) == 700).all())
        print((kernels.rectify(a, y) == 1).all())
    print((np.matmul(a, a, out=y) == 700).all())
""")
    if "a thread could be had" in printed:
        pytest.skip("an emulator doesn't limit memory")
    assert printed.split() == ["True"] * 4


@linux
def test_looking_for_blas_does_not_wait_for_a_thread_that_loads_a_library():
    printed = printed_by("""
import _ctypes, ctypes, threading
from pathlib import Path
from mlpkit_plugins.kernels import compiled

libraries = [str(path) for path in Path(_ctypes.__file__).parent.glob("_test*.so")]
system = ctypes.CDLL(None)
system.dlopen.restype, system.dlclose.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
look = ctypes.PyDLL(compiled.__file__).PyInit_compiled
look.restype = ctypes.py_object
looked = threading.Event()

def load():
    while not looked.is_set():
        for library in libraries:
            handle = system.dlopen(library.encode(), 1)
            if handle:
                system.dlclose(handle)

loader = threading.Thread(target=load)
loader.start()
for _ in range(3000):
    look()
looked.set()
loader.join()
print(len(libraries) > 0)
""")
    assert printed == "True\n"


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

    with kernel_threads(THREADS):
        expected.append(a @ b)
        callers = [threading.Thread(target=call) for _ in range(4)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join(60)
            assert not caller.is_alive()
    assert wrong == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system can't fork")
@pytest.mark.parametrize("shared", ["kernels.shared_threads()", "nullcontext()"])
def test_the_child_of_a_fork_computes_with_a_team_of_its_own(shared):
    printed = printed_by(f"""
import ctypes
import os
from contextlib import nullcontext, suppress
import numpy as np
from threadpoolctl import threadpool_limits
from mlpkit_plugins import kernels

a = np.ones((300, 400))
x = -np.ones((400, 400))

def compute():
    y = kernels.rectify(x, np.empty_like(x))
    return kernels.product(a, x, np.empty((300, 400)))[0, 0] == -400 and y.max() == 0

with threadpool_limits(limits=3, user_api="blas"):
    with {shared}:
        print(compute())
        child = os.fork()
        if child == 0:
            fine = compute()
            with kernels.shared_threads():
                fine = fine and compute()
            os._exit(0 if fine and compute() else 1)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), compute())
    print(compute())
""")
    assert printed.split() == ["True", "0", "True", "True"]


@linux
def test_a_team_without_work_sleeps():
    x = np.ones((1000, 784), np.float32)
    with kernel_threads(THREADS):
        x @ x.T
        compiled.rectify(x, np.empty_like(x))
    time.sleep(0.1)
    before = time.process_time()
    time.sleep(0.5)
    assert time.process_time() - before < 0.1
