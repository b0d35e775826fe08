"""A row's prediction has the same bits alone and in any batch, on any number of threads, with AVX-512 and with AVX2."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict

import numpy as np
import pytest
import row_bits
from requirements import require
from row_bits import EXAMPLES, SPECS, WIDE, hash_of, inputs_of, network_of, predicted

from mlpkit import Sequential, Values, ValuesScaling
from mlpkit_plugins import kernels
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.losses.mean_squared_error import MeanSquaredError

require("kernels", kernels.PRODUCTS_BY != "NumPy", "NumPy computes products, in orders of its own")


def hashes(rows, batches, names, ways):
    """Return the hashes of each network's predictions, over all batches and all ways to compute: kernels, threads."""
    found = defaultdict(set)
    for choice, threads in ways:
        environment = {**os.environ, "MLPKIT_KERNELS": choice, "OPENBLAS_NUM_THREADS": str(threads)}
        if choice == "avx2":  # NumPy as on another processor, too
            environment["NPY_DISABLE_CPU_FEATURES"] = " ".join(np.show_config(mode="dicts")["SIMD Extensions"]["found"])
        command = [sys.executable, row_bits.__file__, str(rows), ",".join(map(str, batches)), *names]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        for line in done.stdout.splitlines():
            for name, of_batches in json.loads(line).items():
                found[name] |= set(of_batches)
    assert sorted(found) == sorted(names)
    return found


def test_a_row_has_one_hash():
    names = [WIDE, "mnist_3layer", "mnist_lenet", "mnist_residual", "weather"]
    ways = [("", 1), ("", 2), ("avx2", 2)]
    found = hashes(700, (1, 7, 700), names, ways)  # 700 rows are a product for BLAS, and one for AMX
    assert {name: len(bits) for name, bits in found.items()} == dict.fromkeys(names, 1)


@pytest.mark.long
def test_a_row_of_any_shipped_spec_has_one_hash():
    names = [WIDE, *SPECS]
    ways = [(choice, threads) for choice in ("", "avx512", "avx2") for threads in (1, 2)]
    found = hashes(4096, (1, 2, 3, 10, 33, 128, 1000, 1024, 4096), names, ways)
    assert {name: len(bits) for name, bits in found.items()} == dict.fromkeys(names, 1)


def test_a_row_of_any_built_in_layer_has_one_hash():
    found = hashes(200, (1, 3, 64, 200), list(EXAMPLES), [("", 2), ("avx2", 1)])
    assert {name: len(bits) for name, bits in found.items()} == dict.fromkeys(EXAMPLES, 1)


def numbers_of(shape):
    """Return numbers from -4 to 4 without any rounding."""
    return ((np.arange(np.prod(shape)) * 7919 % 1009 - 504) / 128).astype(np.float32).reshape(shape)


ON_EVERY_MACHINE = {
    "Affine 0": "c6d6f0de796c9544",
    "Conv2d 1": "82d173d77ba3663b",
    "AveragePool2d 1": "5e11dd6888587a55",
    "BatchNorm 1": "97b70e6b6198418a",
    "LayerNorm 1": "46b72cbb754c509c",
    "Elu 1": "574ff5a0978341c6",
    "Gelu 0": "96f093f3e48b89c5",
    "Silu 0": "7bc2d157779ba617",
    "Softplus 0": "1f1e04a4f2652ad8",
    "Tanh 0": "8abe9df4e4ee6f72",
    "SoftmaxWithLoss 0": "88a57b2ea46e5692",
    "SigmoidWithLoss 0": "dcaaee9e7e28ae41",
}
"""Hashes of what layers and losses make of exact numbers: they change only with docs/numerics.md."""


@pytest.mark.parametrize("name", ON_EVERY_MACHINE)
def test_a_row_has_the_same_bits_on_every_machine(name):
    network = network_of(name)
    for array in (*network.parameters.values(), *network.states.values()):
        array[...] = np.abs(numbers_of(array.shape)) + 0.125
    assert hash_of(network, numbers_of((50, *network.input_shape)), 50) == ON_EVERY_MACHINE[name]


def test_values_trained_as_logarithms_have_one_answer_too():
    scaled = [ValuesScaling((1.0, 2.0), (0.3, 2.0), log) for log in (False, True)]
    logarithms, values = (
        Sequential([Affine(2), MeanSquaredError()], (3,), target=Values((2,), scaling)) for scaling in scaled
    )
    x = inputs_of(values, 500)
    with kernels.row_order():
        expected = kernels.exp(logarithms.predict(x), np.empty((500, 2), np.float32))
    np.testing.assert_array_equal(bits(values.predict(x)), bits(expected))
    np.testing.assert_array_equal(bits(predicted(values, x, 1)), bits(expected))
    assert (expected != np.exp(logarithms.predict(x))).any()


def bits(array):
    return np.ascontiguousarray(array).view(np.uint32)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_row_has_the_same_bits_at_every_place_of_a_batch(name):
    network = network_of(name)
    x = inputs_of(network, 40)
    alone = predicted(network, x, 1)
    for rows in (2, 5, 17, 40):
        for place in range(rows):
            order = np.roll(np.arange(rows), place)
            np.testing.assert_array_equal(bits(network.predict(x[order])), bits(alone[order]))


@pytest.mark.parametrize("name", [WIDE, "mnist_lenet", *EXAMPLES])
def test_a_row_has_the_same_bits_in_whatever_layout_it_comes(name):
    network = network_of(name)
    x = inputs_of(network, 20)
    expected = bits(network.predict(x))
    wide = np.zeros((20, 2, *network.input_shape), np.float32)
    wide[:, 1] = x
    repeated = np.broadcast_to(x[:1], (3, *network.input_shape))
    np.testing.assert_array_equal(bits(network.predict(x[::-1]))[::-1], expected)
    np.testing.assert_array_equal(bits(network.predict(np.asfortranarray(x))), expected)
    np.testing.assert_array_equal(bits(network.predict(wide[:, 1])), expected)
    np.testing.assert_array_equal(bits(network.predict(x[..., ::-1][..., ::-1])), expected)
    np.testing.assert_array_equal(bits(network.predict(x.astype(">f4"))), expected)
    np.testing.assert_array_equal(bits(network.predict(repeated)), expected[[0, 0, 0]])
