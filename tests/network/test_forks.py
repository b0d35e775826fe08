"""A process that begins while another thread computes with a network, which that thread holds, has the use of it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import multiprocessing, sys, threading
import numpy as np
import mlpkit
from mlpkit.layers import Affine, SoftmaxWithLoss
from mlpkit_plugins.layers.relu import Relu

X, T = np.ones((3, 4), np.float32), np.array([0, 1, 0])
HELD, NEVER = threading.Event(), threading.Event()
CALLS = {
    "predict": lambda network: network.predict(X),
    "activations": lambda network: network.activations(X)["Affine1"],
    "evaluate": lambda network: np.array(network.evaluate(X, T, ["accuracy"])["loss"]),
    "gradient": lambda network: network.gradient(X, T)["Affine1.W"],
}

class Waits(Relu):
    def forward(self, x):
        if threading.current_thread().name == "holder":
            HELD.set()
            NEVER.wait()
        return super().forward(x)

def keep(network):
    global kept
    kept = network

def ask(call):
    return CALLS[call](kept)

if __name__ == "__main__":
    network = mlpkit.Sequential([Affine(5), Waits(), Affine(2), SoftmaxWithLoss()], input_shape=(4,))
    expected = {name: call(network) for name, call in CALLS.items()}
    holder = threading.Thread(target=network.predict, args=(X,), name="holder", daemon=True)
    holder.start()
    HELD.wait()
    with multiprocessing.get_context(sys.argv[1]).Pool(1, keep, (network,)) as pool:
        for name, right in expected.items():
            print(name, np.array_equal(pool.apply_async(ask, (name,)).get(10), right))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system can't fork")
@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_a_pool_computes_what_its_parent_computes_while_a_thread_of_the_parent_predicts(method, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    command = [sys.executable, "-W", "ignore", str(program), method]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    said = done.stdout.split()
    assert said == ["predict", "True", "activations", "True", "evaluate", "True", "gradient", "True"], done.stderr
