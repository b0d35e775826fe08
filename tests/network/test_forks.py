"""A process that begins while other threads compute with networks, which they hold, has the use of them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import copy, multiprocessing, sys, threading
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

def keep(networks):
    global kept
    kept = networks

def ask(call):
    return [CALLS[call](network) for network in kept]

if __name__ == "__main__":
    network = mlpkit.Sequential([Affine(5), Waits(), Affine(2), SoftmaxWithLoss()], input_shape=(4,))
    expected = {name: call(network) for name, call in CALLS.items()}
    networks = [network, copy.deepcopy(network)]
    for each in networks:
        threading.Thread(target=each.predict, args=(X,), name="holder", daemon=True).start()
        HELD.wait()
        HELD.clear()
    with multiprocessing.get_context(sys.argv[1]).Pool(1, keep, (networks,)) as pool:
        for name, right in expected.items():
            print(name, *(np.array_equal(found, right) for found in pool.apply_async(ask, (name,)).get(10)))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system can't fork")
@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_a_pool_computes_what_its_parent_computes_while_a_thread_of_the_parent_predicts(method, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    command = [sys.executable, "-W", "ignore", str(program), method]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    said = done.stdout.splitlines()
    calls = ["predict", "activations", "evaluate", "gradient"]
    assert said == [f"{call} True True" for call in calls], done.stderr
