"""Subnormal numbers count as zero where a network is trained, and nowhere else."""

from __future__ import annotations

import platform
import subprocess
import sys
import threading

import numpy as np
import pytest
from requirements import require

from mlpkit import Sequential
from mlpkit.network import subnormals
from mlpkit.network.subnormals import flushed_subnormals, kept_subnormals, subnormals_are_flushed
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.relu import Relu
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss

require("flush", subnormals._float_mode() is not None, "subnormal numbers can't be flushed on this system")

LEAST = np.finfo(np.float64).smallest_normal


def flushes():
    """Say whether subnormal operands, and subnormal results, count as zero in this thread."""
    subnormal = np.full(9, np.nextafter(0, 1))
    return bool((subnormal * 2.0**60 == 0).all()), bool((np.full(9, LEAST) / 2 == 0).all())


def test_subnormal_numbers_are_zero_inside_the_block_only():
    assert flushes() == (False, False)
    with flushed_subnormals():
        assert flushes() == (True, True)
        with flushed_subnormals():
            assert flushes() == (True, True)
        assert flushes() == (True, True)
    assert flushes() == (False, False)


FLOAT_MODE = subnormals._float_mode()


@pytest.mark.parametrize("bit", [1 << i for i in range(32) if FLOAT_MODE.bits >> i & 1])
def test_subnormal_numbers_are_kept_whether_operands_or_results_were_flushed(bit):
    mode = subnormals._Words()
    FLOAT_MODE.get(mode)
    before = mode[FLOAT_MODE.word]
    mode[FLOAT_MODE.word] = before | bit
    FLOAT_MODE.set(mode)
    try:
        flushed, asked = flushes(), subnormals_are_flushed()
        with kept_subnormals():
            kept = flushes()
        restored = flushes()
    finally:
        mode[FLOAT_MODE.word] = before
        FLOAT_MODE.set(mode)
    assert kept == (False, False) != flushed == restored
    assert asked
    assert not subnormals_are_flushed()


def test_what_numpy_finds_out_about_a_dtype_is_the_same_inside_the_block():
    program = """
import numpy as np
from mlpkit.network.subnormals import flushed_subnormals
with flushed_subnormals():
    found = np.finfo(np.float32), np.finfo(np.float64)
print(*(limits.smallest_subnormal == np.nextafter(limits.dtype.type(0), limits.dtype.type(1)) for limits in found))
"""
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "True True\n"


def test_an_exception_ends_the_block_as_well():
    with pytest.raises(KeyError), flushed_subnormals():
        raise KeyError
    assert flushes() == (False, False)


def test_other_threads_compute_as_before():
    entered, seen = threading.Event(), []

    def look():
        entered.wait(20)
        seen.append(flushes())

    other = threading.Thread(target=look)
    other.start()
    with flushed_subnormals():
        entered.set()
        other.join()
    assert seen == [(False, False)]


def test_on_an_unknown_processor_nothing_changes(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "abacus")
    subnormals._float_mode.cache_clear()
    with flushed_subnormals():
        assert flushes() == (False, False)
    subnormals._float_mode.cache_clear()


class Noting(Relu):
    """Notes in which mode it computes."""

    def forward(self, x):
        self.seen = flushes()
        return super().forward(x)


def noting_network():
    noting = Noting()
    return noting, Sequential([Affine(4), noting, Affine(3), SoftmaxWithLoss()], input_shape=(2,))


def test_a_network_is_trained_without_subnormal_numbers():
    noting, network = noting_network()
    network.gradient(np.ones((5, 2)), [0, 1, 2, 0, 1])
    assert noting.seen == (True, True)
    assert flushes() == (False, False)


@pytest.mark.parametrize("method", ["predict", "loss", "accuracy", "evaluate"])
def test_a_network_evaluates_with_subnormal_numbers_also_during_training(method):
    noting, network = noting_network()
    arguments = (np.ones((5, 2)), [0, 1, 2, 0, 1])[: 1 if method == "predict" else 2]
    getattr(network, method)(*arguments)
    assert noting.seen == (False, False)
    with network.computing():
        noting.seen = None
        getattr(network, method)(*arguments)
        assert noting.seen == (False, False)
        assert flushes() == (True, True)
