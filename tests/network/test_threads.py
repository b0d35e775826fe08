"""A network that several threads use at once computes what it computes for one."""

from __future__ import annotations

import copy
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

from mlpkit import Sequential
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.relu import Relu
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss

THREADS, CALLS = 8, 5
METHODS = {
    "predict": lambda network, x, t: network.predict(x),
    "loss": lambda network, x, t: network.loss(x, t),
    "accuracy": lambda network, x, t: network.accuracy(x, t),
    "evaluate": lambda network, x, t: network.evaluate(x, t, ["accuracy", "top_k"])["loss"],
    "gradient": lambda network, x, t: np.concatenate([g.ravel() for g in network.gradient(x, t).values()]),
}


def small(slices=1):
    stack = [Affine(256), Relu(), Affine(256), Relu(), Affine(5), SoftmaxWithLoss()]
    return Sequential(stack, (40,), slices=slices)


@pytest.fixture
def hurried():
    """Let threads change places as often as Python can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("slices", [1, 2])
@pytest.mark.parametrize("method", METHODS)
def test_eight_threads_get_what_one_gets(method, slices, examples):
    network, call = small(slices), METHODS[method]
    batches = [examples(1500 + 100 * i, 40, 5, seed=i, dtype=np.float32) for i in range(THREADS)]
    expected = [call(network, *batch) for batch in batches]
    barrier = Barrier(THREADS)

    def work(batch):
        barrier.wait()
        return [call(network, *batch) for _ in range(CALLS)]

    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(work, batches))
    wrong = [not np.array_equal(one, right) for each, right in zip(found, expected, strict=True) for one in each]
    assert sum(wrong) == 0, f"{sum(wrong)} of {len(wrong)} results are wrong"


@pytest.mark.usefixtures("hurried")
def test_gradients_in_one_thread_leave_predictions_in_another_as_they_are(examples):
    network = small()
    x, t = examples(3000, 40, 5, dtype=np.float32)
    prediction, gradient = network.predict(x), network.gradient(x, t)["Affine1.W"]
    with ThreadPoolExecutor(2) as pool:
        predictions = pool.submit(lambda: [network.predict(x) for _ in range(20)])
        gradients = pool.submit(lambda: [network.gradient(x, t)["Affine1.W"] for _ in range(20)])
    assert all(np.array_equal(each, prediction) for each in predictions.result())
    assert all(np.array_equal(each, gradient) for each in gradients.result())


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda network: pickle.loads(pickle.dumps(network))])
def test_a_copy_of_a_network_predicts_the_same(copied, examples):
    network = small()
    x, t = examples(20, 40, 5, dtype=np.float32)
    other = copied(network)
    np.testing.assert_array_equal(other.predict(x), network.predict(x))
    assert other.loss(x, t) == network.loss(x, t)


def test_a_metric_that_predicts_while_it_judges_is_not_locked_out(examples):
    network = small()
    x, t = examples(20, 40, 5, dtype=np.float32)

    class Curious(type(network._resolve("metric", "accuracy"))):
        def update(self, prediction, t):
            super().update(network.predict(x), t)

    assert network.evaluate(x, t, {"curious": Curious()})["curious"] == network.accuracy(x, t)
