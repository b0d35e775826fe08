"""Ctrl-C during a training that Python code began: what was trained isn't lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

import mlpkit
from mlpkit.layers import Affine, SoftmaxWithLoss
from mlpkit.training.events import Observer, StopRequest

X = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
T = (X[:, 0] > 0).astype(int)
OPTIONS = {"layers": [Affine(2), SoftmaxWithLoss()], "epochs": 40, "batch_size": 20, "evaluate_every": 3}


class Interrupting(Observer):
    """Sends the process a SIGINT in the evaluation after some step, as a terminal and a notebook do."""

    def __init__(self, step=6):
        self.step = step

    def evaluated(self, record, seconds):
        if record["iteration"] == self.step:
            os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture(autouse=True)
def _the_handler_is_put_back():
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_run_without_a_folder_is_in_the_exception():
    with pytest.raises(KeyboardInterrupt) as caught:
        mlpkit.fit(X, T, observer=Interrupting(), **OPTIONS)
    run = caught.value.run
    assert str(caught.value) == (
        "stopped after step 6; the exception holds the run: in a notebook, run = sys.last_value.run"
    )
    assert (run.steps, run.stopped, run.metrics) == (6, "SIGINT", {})
    six_steps = mlpkit.fit(X, T, **OPTIONS | {"epochs": None, "iterations": 6})
    assert np.array_equal(run.network.predict(X), six_steps.network.predict(X))
    assert [record["iteration"] for record in run.history] == [3, 6]
    assert run.model.predict(X[:2]).shape == (2,)


def test_a_network_keeps_what_it_learned_and_can_be_saved(tmp_path):
    network = mlpkit.fit(X, T, **OPTIONS).network
    before = network.predict(X)
    with pytest.raises(KeyboardInterrupt):
        network.fit(X, T, epochs=20, batch_size=20, observer=Interrupting())
    after = network.predict(X)
    assert not np.array_equal(before, after)
    network.save(tmp_path / "model.safetensors")
    assert np.array_equal(mlpkit.load_model(tmp_path / "model.safetensors").predict(X), after)
    assert network.fit(X, T, epochs=1, batch_size=20).steps == 3


def test_a_folder_goes_on_to_the_same_bits_as_the_message_says(tmp_path):
    folder = tmp_path / "run"
    whole = mlpkit.fit(X, T, **OPTIONS)
    with pytest.raises(KeyboardInterrupt) as caught:
        mlpkit.fit(X, T, directory=folder, observer=Interrupting(), **OPTIONS)
    _, _, told = str(caught.value).partition("; ")
    assert told == f'resume it with: mlpkit.resume("{folder}", examples=(x, t))'
    with pytest.raises(KeyboardInterrupt):
        mlpkit.resume(folder, examples=(X, T), observer=Interrupting(30))
    resumed = eval(told.removeprefix("resume it with: "), {"mlpkit": mlpkit, "x": X, "t": T})
    assert (resumed.steps, resumed.stopped) == (120, "")
    assert np.array_equal(resumed.network.predict(X), whole.network.predict(X))


def test_a_spec_needs_no_examples_to_go_on(train, work):
    spec = mlpkit.load_spec("tiny.yaml")
    with pytest.raises(KeyboardInterrupt, match=r'step 4; resume it with: mlpkit\.resume\("run"\)$'):
        mlpkit.run(spec, "run", observer=Interrupting(4))
    assert mlpkit.resume("run").history == mlpkit.run(spec, "whole").history


def test_a_second_one_ends_the_training_at_once():
    class Twice(Interrupting):
        def evaluated(self, record, seconds):
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt) as caught:
        mlpkit.fit(X, T, observer=Twice(), **OPTIONS)
    assert not hasattr(caught.value, "run")


def test_a_handler_of_someone_else_stays():
    received = []
    earlier = signal.signal(signal.SIGINT, lambda *_: received.append(True))
    try:
        run = mlpkit.fit(X, T, observer=Interrupting(), **OPTIONS)
    finally:
        signal.signal(signal.SIGINT, earlier)
    assert (received, run.steps) == ([True], 120)


def test_outside_the_main_thread_training_is_as_ever():
    runs = []
    thread = threading.Thread(target=lambda: runs.append(mlpkit.fit(X, T, **OPTIONS)))
    thread.start()
    thread.join()
    assert runs[0].steps == 120


def test_a_request_to_stop_is_no_interrupt():
    stop = StopRequest()
    stop.stop("enough")
    assert mlpkit.fit(X, T, stop=stop, **OPTIONS).stopped == "enough"


def test_a_script_ends_and_says_how_to_go_on(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import os, signal, mlpkit, numpy as np\n"
        "from mlpkit.training.events import Observer\n"
        "class Interrupting(Observer):\n"
        "    def evaluated(self, record, seconds):\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "x = np.arange(40.).reshape(20, 2)\n"
        "layers = [{'Affine': {'units': 2}}, 'SoftmaxWithLoss']\n"
        "mlpkit.fit(x, np.arange(20) % 2, layers=layers, epochs=9, directory='run', observer=Interrupting())\n"
        "print('not reached')\n"
    )
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (-signal.SIGINT, "")
    assert done.stderr.splitlines()[-1] == (
        'KeyboardInterrupt: stopped after step 1; resume it with: mlpkit.resume("run", examples=(x, t))'
    )
