"""The functions of row_functions.h: right, of the same bits however they are compiled, and those of the kernels."""

from __future__ import annotations

import math
import shutil
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from memory_layouts import bits
from requirements import require, requires

from mlpkit_plugins import exporters, kernels

require("compiler", shutil.which("cc") is not None, "there is no compiler")

HEADER = Path(exporters.__file__).parent / "row_functions.h"
PLAIN = "-O2"
OTHERS = ["-O0", "-O3 -mavx2 -mfma", "-O3 -march=native -ffp-contract=fast", "-m32 -O2", "-m32 -O0"]

PROGRAM = """
#include "row_functions.h"
#include <stdio.h>
#define EACH(name) if (strcmp(arguments[1], #name) == 0) for (i = 0; i < n; i++) y[i] = mlpkit_##name##f(x[i]);
static float x[1 << 20], y[1 << 20];
int main(int count, char **arguments)
{
    size_t i, n = fread(x, sizeof(float), 1 << 20, stdin);
    if (count != 2) return 1;
    EACH(exp) EACH(expm1) EACH(log1p) EACH(tanh) EACH(sigmoid) EACH(softplus) EACH(erf) EACH(gelu)
    EACH(sin) EACH(cos)
    if (strcmp(arguments[1], "sum") == 0) for (i = 0; i < n; i++) y[i] = mlpkit_sumf(x, i);
    return fwrite(y, sizeof(float), n, stdout) != n;
}
"""

EXACT = {
    "exp": np.exp,
    "expm1": np.expm1,
    "log1p": np.log1p,
    "tanh": np.tanh,
    "sigmoid": lambda x: np.where(x < 0, np.exp(x), 1) / (1 + np.exp(-np.abs(x))),
    "softplus": lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
    "erf": lambda x: np.array([math.erf(number) for number in x]),
    "gelu": lambda x: np.array([number * math.erfc(-number / math.sqrt(2)) / 2 for number in x]),
    "sin": np.sin,
    "cos": np.cos,
}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """Return a function that compiles the program, with any warning an error; None if these options don't work here."""
    folder = tmp_path_factory.mktemp("row_functions")
    source = folder / "program.c"
    source.write_text(PROGRAM, "utf-8")
    plain_program = folder / "plain.c"
    plain_program.write_text("#include <math.h>\n#include <stdio.h>\nint main(void) { return 0; }\n", "utf-8")

    @cache
    def compiled(options):
        program = folder / options.replace(" ", "")
        command = ["cc", "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", *options.split(), f"-I{HEADER.parent}"]
        link = ["-lm", "-o", program]
        if subprocess.run([*command, plain_program, *link], capture_output=True, check=False).returncode:
            return None
        done = subprocess.run([*command, source, *link], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return program

    return compiled


def computed(program, name, x):
    done = subprocess.run([program, name], input=x.tobytes(), stdout=subprocess.PIPE, check=True)
    return np.frombuffer(done.stdout, np.float32)


@pytest.fixture(scope="module")
def x():
    """All kinds of numbers: each exponent, both signs, many near zero, and what is special."""
    of_any_size = np.arange(0, 2**32, 65_543, dtype=np.uint32).view(np.float32)
    of_any_size = of_any_size[~np.isnan(of_any_size)]
    usual = np.random.default_rng(0).normal(0, 4, 40_000).astype(np.float32)
    special = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-40, 88.72283, 88.72284, -87.33654, -87.33655, -1, 4, 10, -20]
    return np.concatenate([of_any_size, usual, np.array(special, np.float32)])


@pytest.mark.parametrize("name", EXACT)
def test_a_function_is_right_to_a_few_units_in_the_last_place(compiled, name, x):
    y = computed(compiled(PLAIN), name, x).astype(float)
    with np.errstate(all="ignore"):
        exact = EXACT[name](x.astype(float))
        rounded = exact.astype(np.float32)
    np.testing.assert_array_equal(np.isnan(y), np.isnan(exact))
    np.testing.assert_array_equal(y[np.isinf(rounded)], rounded[np.isinf(rounded)])
    finite = np.isfinite(rounded)
    x, y, exact, rounded = x[finite], y[finite], exact[finite], rounded[finite]
    if name == "gelu":
        assert (np.abs(y - exact) <= 2.0**-23 * np.abs(x) + 2.0**-148).all()
        return
    small = np.abs(exact) < 2.0**-126
    assert ((y == 0) | (y == x))[small].all()
    assert (np.abs(y - exact)[~small] <= 2.5 * np.spacing(np.abs(rounded[~small]))).all()


@pytest.mark.parametrize("options", OTHERS)
def test_a_function_has_the_same_bits_however_it_is_compiled(compiled, options, x):
    program = compiled(options)
    if program is None:
        pytest.skip("the compiler can't do that here")
    for name in EXACT:
        np.testing.assert_array_equal(bits(computed(program, name, x)), bits(computed(compiled(PLAIN), name, x)))
    numbers = x[-3000:-20]
    sums = [computed(which, "sum", numbers) for which in (program, compiled(PLAIN))]
    np.testing.assert_array_equal(*map(bits, sums))


def summed(numbers):
    """Return the sum in the order that the header says."""
    s = np.zeros(16, np.float32)
    for begin in range(0, len(numbers), 16):
        part = numbers[begin : begin + 16]
        s[: len(part)] += part
    for half in (8, 4, 2, 1):
        s = s[:half] + s[half : 2 * half]
    return s[0]


def test_a_sum_is_added_up_as_it_is_said_to_be(compiled):
    numbers = np.random.default_rng(0).normal(size=200).astype(np.float32)
    expected = np.array([summed(numbers[:count]) for count in range(200)], np.float32)
    np.testing.assert_array_equal(bits(computed(compiled(PLAIN), "sum", numbers)), bits(expected))


@requires("kernels", kernels.PRODUCTS_BY != "NumPy", "NumPy computes")
def test_the_kernels_compute_the_same(compiled, x):
    with kernels.row_order(), np.errstate(all="ignore"):
        for name in ("exp", "tanh", "sigmoid", "softplus", "gelu", "sin", "cos"):
            for numbers in (x, x[np.abs(x) <= 2**20]):  # without large ones, all of sin and cos is vector code
                y = getattr(kernels, name)(numbers, np.empty_like(numbers))
                np.testing.assert_array_equal(bits(y), bits(computed(compiled(PLAIN), name, numbers)))


@requires("kernels", kernels.PRODUCTS_BY != "NumPy", "NumPy computes")
@pytest.mark.parametrize("features", [2, 40, 199])
def test_layer_normalization_adds_up_in_that_order(features):
    x, gamma, beta = np.random.default_rng(1).normal(size=(3, features)).astype(np.float32)
    n, epsilon = np.float32(features), np.float32(1e-5)
    deviation = x - summed(x) / n
    scale = 1 / np.sqrt(summed(deviation**2) / n + epsilon)
    outputs = [np.empty(shape, np.float32) for shape in ((1, features), (1, 1), (1, features))]
    kernels.normalize_rows(x[np.newaxis], gamma, beta, 1e-5, *outputs)
    for ours, expected in zip(outputs, [deviation * scale, scale, deviation * scale * gamma + beta], strict=True):
        np.testing.assert_array_equal(ours.ravel(), expected)
