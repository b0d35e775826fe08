"""The compiled kernels as a library: without warnings, without names that others might have, without undefined acts."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from kernel_builds import ROOT, TESTED, built_kernels
from requirements import require, require_module

compiled = require_module("kernels", "mlpkit_plugins.kernels.compiled", "there was no compiler")
require("compiler", shutil.which("cc") is not None, "there is no compiler")

HERE = Path(__file__).parent
SANITIZERS = "-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g"


@pytest.mark.long
def test_the_compiler_warns_of_nothing(tmp_path):
    library, said = built_kernels(tmp_path, "-Wall -Wextra -Werror")
    assert library is not None, said


def symbols(*options):
    """Return the names that the library defines."""
    command = ["nm", "--defined-only", "--format=posix", *options, compiled.__file__]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {line.split()[0] for line in listed.splitlines()}


by_nm = pytest.mark.skipif(sys.platform != "linux" or shutil.which("nm") is None, reason="nm tells it on Linux")


@by_nm
def test_the_module_exports_nothing_but_its_beginning():
    assert symbols("--dynamic") == {"PyInit_compiled"}


@by_nm
def test_every_function_that_is_marked_so_is_compiled_for_wide_vectors_too():
    found = {re.sub(r"(_float(32|64))?\.avx2$", "", name) for name in symbols() if name.endswith(".avx2")}
    if not found:
        pytest.skip("the compiler makes one form of a function, or symbols were stripped")
    marked = re.compile(r"VECTORIZED (?:static )?(?:void|int) (?:TYPED\()?(\w+?)(?:_float(?:32|64))?[()]")
    sources = (ROOT / "plugins/mlpkit_plugins/kernels").glob("*.[ch]")
    assert found == set().union(*(marked.findall(path.read_text("utf-8")) for path in sources))


def sanitized_build(folder, optimization):
    """Return the environment in which tests test a build that notices wrong addresses and undefined behaviour."""
    runtime = subprocess.run(["cc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    runtime = runtime.stdout.strip()
    if not Path(runtime).is_file():
        pytest.skip("the compiler has no runtime library of the address sanitizer")
    library, said = built_kernels(folder, f"{SANITIZERS} {optimization}")
    assert library is not None, said
    return {
        **os.environ,
        "LD_PRELOAD": runtime,
        "ASAN_OPTIONS": "detect_leaks=0",  # Python leaves memory to the end of the process
        TESTED: str(library),
    }


@pytest.fixture(scope="module")
def sanitized(tmp_path_factory):
    """Return the environment of a build that takes little time, and whose kernels take long."""
    return sanitized_build(tmp_path_factory.mktemp("sanitized"), "-O0")


def expect_green(environment, *arguments):
    """Run tests in a process with the sanitized kernels."""
    options = ["-q", "-p", "kernel_builds", "-p", "no:cacheprovider", "-m", "not long and not fuzz"]
    command = [sys.executable, "-m", "pytest", *options, *arguments]
    environment = {**environment, "PYTHONPATH": str(ROOT / "tests" / "support")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]


def test_sanitizers_find_nothing_in_the_commonest_kernels(sanitized):
    expect_green(sanitized, HERE / "test_kernels.py", "-k", "rectify or pick_labels or wrong or overlaps")


@pytest.mark.long
def test_sanitizers_find_nothing(tmp_path):
    sanitized = sanitized_build(tmp_path, "-O1")
    in_process = "not run and not process and not threads and not told and not fork and not computes"
    expect_green(sanitized, HERE, "-k", in_process, "--ignore", __file__)


def test_sanitizers_find_what_is_wrong(sanitized):
    program = """
import ctypes, os
import kernel_builds
import numpy as np
from mlpkit_plugins.kernels import compiled
assert compiled.__file__ == os.environ[kernel_builds.TESTED]
x = np.ones((50, 50), np.float32)
behind = np.lib.stride_tricks.as_strided(x, (5000, 50), writeable=False)
compiled.rectify(behind, np.empty((5000, 50), np.float32))
"""
    environment = {**sanitized, "PYTHONPATH": str(ROOT / "tests" / "support")}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "AddressSanitizer: heap-buffer-overflow" in done.stderr
