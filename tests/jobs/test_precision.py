"""``precision: bfloat16``: steps round the factors of matrix products, and nothing else does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from stop_at import StopAt

import mlpkit
from mlpkit.jobs.evaluate import evaluate
from mlpkit.verbs.repro.repro import repro
from mlpkit_plugins.optimizers import arithmetic, muon

ROUNDED = {"training.precision": "bfloat16"}
KEYWORD = {"training__precision": "bfloat16"}


def parameters(run):
    return np.concatenate([array.ravel() for array in run.network.parameters.values()])


def test_it_changes_the_training_a_little_and_float32_is_the_default(train):
    usual, told, rounded = train(None), train(None, training__precision="float32"), train(None, **KEYWORD)
    np.testing.assert_array_equal(parameters(usual), parameters(told))
    difference = np.abs(parameters(usual) - parameters(rounded))
    assert 0 < difference.max() < 0.02
    assert parameters(rounded).dtype == np.float32
    assert rounded.history[-1]["train_accuracy"] > 0.9


def test_evaluations_and_predictions_are_those_of_float32(train, work):
    run = train("run", **KEYWORD)
    x = np.random.default_rng(0).random((7, 784), np.float32)
    parts = {name: array.copy() for name, array in run.network.parameters.items()}
    y = np.maximum(x.astype(float) @ parts["Affine1.W"] + parts["Affine1.b"], 0) @ parts["Affine2.W"]
    y += parts["Affine2.b"]
    expected = np.exp(y) / np.exp(y).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(run.network.predict(x), expected, rtol=1e-5)
    assert evaluate(Path("run")).metrics["test"] == pytest.approx(run.metrics["test"], rel=1e-12)
    assert run.history[-1]["validation_loss"] == pytest.approx(run.metrics["validation"]["loss"], rel=1e-12)


def test_slices_are_rounded_on_any_number_of_workers(train, monkeypatch):
    usual, *rounded = (
        parameters(train_with_workers(train, monkeypatch, count, precision))
        for count, precision in [(1, "float32"), (1, "bfloat16"), (3, "bfloat16")]
    )
    np.testing.assert_array_equal(*rounded)
    assert (rounded[0] != usual).any()


def train_with_workers(train, monkeypatch, count, precision):
    monkeypatch.setattr("mlpkit.training.workers.available_cores", lambda: count)
    return train(None, training__slices=3, training__threads=1, training__precision=precision)


def test_what_is_accumulated_is_rounded_too(train):
    usual, rounded = (train(None, training__accumulate=2, **more) for more in ({}, KEYWORD))
    assert (parameters(usual) != parameters(rounded)).any()


def test_a_run_is_resumed_and_repeated_to_the_bit(work):
    overrides = {**ROUNDED, "training.evaluate_every": 10}
    whole = mlpkit.run(mlpkit.load_spec("tiny.yaml", overrides=overrides), "whole")
    watch = StopAt(20)
    mlpkit.run(mlpkit.load_spec("tiny.yaml", overrides=overrides), "run", observer=watch, stop=watch.stop)
    resumed = mlpkit.resume("run")
    assert (resumed.history, resumed.metrics) == (whole.history, whole.metrics)
    assert Path("run/model.safetensors").read_bytes() == Path("whole/model.safetensors").read_bytes()
    assert "precision: bfloat16" in Path("run/resolved.yaml").read_text()
    assert repro(Path("run")).same


def test_a_network_is_trained_so_in_python_and_computes_as_before_afterwards(work):
    generator = np.random.default_rng(0)
    x, t = generator.random((200, 784), np.float32), generator.integers(0, 10, 200)
    networks = [mlpkit.build(mlpkit.load_spec("tiny.yaml")) for _ in range(2)]
    before = networks[0].gradient(x, t)["Affine1.W"]
    for network, precision in zip(networks, ("float32", "bfloat16"), strict=True):
        network.fit(x, t, epochs=1, precision=precision, optimizer={"sgd": {"learning_rate": 0.05}})
    assert (networks[0].values != networks[1].values).any()
    networks[1].values[...] = mlpkit.build(mlpkit.load_spec("tiny.yaml")).values
    np.testing.assert_array_equal(networks[1].gradient(x, t)["Affine1.W"], before)


def test_a_layer_of_a_plugin_needs_to_know_nothing_of_it(work):
    (work / "acme.py").write_text(
        "import numpy as np\n"
        "from mlpkit import Layer, component, hookimpl\n"
        "class Linear(Layer):\n"
        "    def build(self, shape):\n"
        "        self.W = self.parameter('W', (*shape, 16), 'he_normal')\n"
        "        return (16,)\n"
        "    def forward(self, x):\n"
        "        self.x = x\n"
        "        return x @ self.W.value\n"
        "    def backward(self, dy):\n"
        "        self.W.grad[...] = self.x.T @ dy\n"
        "        return dy @ self.W.value.T\n"
        "@hookimpl\n"
        "def mlpkit_components(): return [component('layer', 'Linear', Linear)]\n"
    )
    spec = mlpkit.load_spec("tiny.yaml", plugins=["acme.py"], overrides={**ROUNDED, "layers.Affine1": "acme.Linear"})
    assert mlpkit.run(spec, None).history[-1]["train_accuracy"] > 0.9


def test_optimizers_multiply_matrices_of_float32(train, monkeypatch):
    errors = []

    def multiplied(a, b):
        y = arithmetic.multiplied(a, b)
        scale = np.abs(a).astype(float) @ np.abs(b).astype(float)
        errors.append(np.max(np.abs(y - a.astype(float) @ b.astype(float)) / (scale + 1e-30)))
        return y

    monkeypatch.setattr(muon, "multiplied", multiplied)
    train(None, training__optimizer={"muon": {"learning_rate": 0.01}}, training__epochs=1, **KEYWORD)
    assert 0 < max(errors) < 1e-4  # one that is rounded is off by 1e-3
