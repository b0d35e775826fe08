"""Every contestant trains the same network: from the same weights, the same minibatches lead to the same parameters."""

from __future__ import annotations

import numpy as np
import pytest
from contestants.roster import JAX, ONNXRUNTIME, OURS, PEERS, PYTORCH
from contestants.task import Task
from in_process import ACTIVATIONS, AFTER_RELU
from processes import contest, workspace

STEPS = 20
TASKS = {optimizer: Task((50, 50), 32, optimizer) for optimizer in ("sgd", "adam")}
LENET = Task((120, 84), 32, "sgd", filters=(6, 16))
EPSILON_BEFORE_CORRECTION = {"keras", "scikit_learn"}
"""Their Adam adds epsilon to the square root before the bias is corrected: where a gradient nearly vanishes, a step
differs by as much as its length."""


@pytest.fixture(scope="module")
def folder():
    with workspace() as made:
        yield made


@pytest.fixture(scope="module")
def ours(folder):
    reports = {}
    for optimizer, task in TASKS.items():
        reports[optimizer] = contest(
            OURS, "train", task, folder, exchange=str(folder / f"{optimizer}.npz"), steps=STEPS
        )
    return reports


@pytest.mark.parametrize("optimizer", TASKS)
@pytest.mark.parametrize(
    "name",
    [pytest.param(entry.name, marks=pytest.mark.skipif(bool(entry.missing), reason=entry.missing)) for entry in PEERS],
)
def test_the_same_minibatches_lead_to_the_same_parameters(name, optimizer, folder, ours):
    (entry,) = (entry for entry in PEERS if entry.name == name)
    exchange = str(folder / f"{optimizer}.npz")
    report = contest(entry, "train", TASKS[optimizer], folder, exchange=exchange, steps=STEPS)
    loose = optimizer == "adam" and name in EPSILON_BEFORE_CORRECTION
    assert report["parameters"] < (2e-3 if loose else 1e-4)
    assert report["prediction"] < (2e-3 if loose else 1e-4)
    assert report["moved"] == ours[optimizer]["moved"] > 0.01


@pytest.mark.skipif(bool(ONNXRUNTIME.missing), reason=ONNXRUNTIME.missing)
def test_onnxruntime_predicts_with_the_weights_that_it_gets():
    from contestants.onnxruntime_session import OnnxruntimeSession

    task = TASKS["sgd"]
    parameters = task.first_parameters()
    first, second, last = ((W, b + 0.1) for W, b in zip(parameters[::2], parameters[1::2], strict=True))
    x = np.random.default_rng(0).random((5, 784), np.float32)
    hidden = np.maximum(np.maximum(x @ first[0] + first[1], 0) @ second[0] + second[1], 0)
    exponentials = np.exp(hidden @ last[0] + last[1])
    session = OnnxruntimeSession(task, None, None, [array for layer in (first, second, last) for array in layer])
    np.testing.assert_allclose(
        session.predict(x), exponentials / exponentials.sum(axis=1, keepdims=True), rtol=1e-4, atol=1e-6
    )


@pytest.mark.skipif(bool(PYTORCH.missing), reason=PYTORCH.missing)
def test_the_same_minibatches_lead_to_the_same_lenet(folder):
    exchange = str(folder / "lenet.npz")
    ours = contest(OURS, "train", LENET, folder, exchange=exchange, steps=STEPS)
    report = contest(PYTORCH, "train", LENET, folder, exchange=exchange, steps=STEPS)
    assert report["parameters"] < 1e-4
    assert report["prediction"] < 1e-4
    assert report["moved"] == ours["moved"] > 0.01


@pytest.mark.parametrize(
    "entry",
    [pytest.param(each, marks=pytest.mark.skipif(bool(each.missing), reason=each.missing)) for each in (PYTORCH, JAX)],
)
@pytest.mark.parametrize("activation", ACTIVATIONS[1:])
def test_the_same_minibatches_lead_to_the_same_parameters_with_any_activation(activation, entry, folder):
    task, exchange = Task((20, 20), 32, "sgd", after=(activation,)), str(folder / f"{activation}.npz")
    contest(OURS, "train", task, folder, exchange=exchange, steps=STEPS)
    report = contest(entry, "train", task, folder, exchange=exchange, steps=STEPS)
    assert report["parameters"] < 1e-4 < report["moved"]
    assert report["prediction"] < 1e-4


@pytest.mark.skipif(bool(PYTORCH.missing), reason=PYTORCH.missing)
@pytest.mark.parametrize("after", [("Prelu",), *(("Relu", name) for name in AFTER_RELU)], ids=lambda after: after[-1])
def test_other_layers_are_timed_beside_pytorchs(after, folder):
    task = Task((20, 20), 32, "sgd", after=after)
    report = contest(PYTORCH, "steps", task, folder, warm_up=0.0, seconds=0.01, examples=1000)
    assert 0 < report["seconds"] < 1
