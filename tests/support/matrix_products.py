"""What tests of matrix products have in common."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from safetensors.numpy import load_file
from threadpoolctl import threadpool_limits

try:
    from mlpkit_plugins.kernels import compiled as kernels_under_test
except ImportError:
    from mlpkit_plugins.kernels import with_numpy as kernels_under_test

AMX_MULTIPLICATIONS, AMX_SIDE = 20_000_000, 128  # from which on AMX computes a product, if the processor has it
BLOCK = 256  # numbers of the inner dimension that are added up before they meet the rest
SPEC = Path(__file__).parents[2] / "specs" / "mnist_3layer.yaml"
LENGTHS = st.one_of(st.integers(1, 40), st.sampled_from([48, 49, 63, 64, 100, 255, 256, 257, 513, 784]))
SHAPES = st.tuples(LENGTHS, LENGTHS, LENGTHS)
FACTORS = {
    "transposed": st.tuples(st.booleans(), st.booleans()),
    "gaps": st.tuples(*[st.sampled_from([0, 1, 16])] * 3),
    "threads": st.integers(1, 3),
    "seed": st.integers(0, 2**32),
}
"""How factors lie in memory and what they hold, and how many threads multiply them."""


def twelve_bits(generator, *shape):
    """Return numbers whose products are exact, so that a fused multiply-add rounds the sum alone."""
    return generator.integers(-4095, 4096, shape).astype(np.float32) * np.float32(2.0**-11)


def summed_by_blocks(a, b):
    """Return a b, added up in the order that multiply.h names; exact but for the roundings of float32."""
    blocks = -(-len(b) // BLOCK)
    total = np.zeros((len(a), b.shape[1]), np.float32)
    for number, numbers in enumerate(np.array_split(np.arange(len(b)), blocks)):
        of_block = a[:, numbers[:1]] * b[numbers[:1]]
        for k in numbers[1:]:
            # Factors have at most twelve bits: their product is exact, and a fused multiply-add rounds the sum alone.
            of_block = of_block + a[:, k : k + 1] * b[k : k + 1]
        total = total + of_block if number else of_block
    return total


def with_gap(array, transposed, gap):
    """Return a copy of a matrix, by rows or by columns, with room after each of them."""
    if transposed:
        return with_gap(array.T, transposed=False, gap=gap).T
    room = np.full((len(array), array.shape[1] + gap), np.nan, array.dtype)
    room[:, : array.shape[1]] = array
    return room[:, : array.shape[1]]


@contextmanager
def kernel_threads(count):
    """Have compiled kernels and BLAS compute on that many threads inside the block, as they do in a run."""
    with threadpool_limits(limits=count, user_api="blas"):
        kernels_under_test.begin_sharing_threads()
        try:
            yield
        finally:
            kernels_under_test.end_sharing_threads()


def printed_by(program, kernels="", **environment):
    """Return what a program prints in a new process, with that choice of kernels."""
    environment = {**os.environ, "MLPKIT_KERNELS": kernels, "PYTHONPATH": str(Path(__file__).parent), **environment}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def parameters_of_run(folder, kernels, *changes):
    """Return the parameters that twenty steps of the main job come to in a new process."""
    command = [sys.executable, "-m", "mlpkit", "run", str(SPEC), "--out", str(folder), "--quiet"]
    for change in ("training.iterations=20", "training.evaluate_every=10", *changes):
        command += ["--set", change]
    subprocess.run(command, env={**os.environ, "MLPKIT_KERNELS": kernels}, check=True, cwd=folder.parent)
    return {name: array.tobytes() for name, array in load_file(folder / "model.safetensors").items()}
