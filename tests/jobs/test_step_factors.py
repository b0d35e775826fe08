"""``training.rates`` and ``training.decays``: factors of the learning rate and weight decay of single parameters."""

from __future__ import annotations

import numpy as np
import pytest

import mlpkit
from mlpkit.errors import SpecError
from mlpkit.network.shape_proof import StackError
from mlpkit.training.events import Observer, StopRequest

STEPS = 3
RATE, WEIGHT_DECAY = 0.01, 0.02


SLOW = """
from mlpkit import component, hookimpl
from mlpkit_plugins.layers.affine import Affine

class Slow(Affine):
    def build(self, input_shape):
        (features,) = input_shape
        self.W = self.parameter("W", (features, self.units), self.weights)
        self.b = self.parameter("b", (self.units,), "zeros", decay=False, rate=0.1)
        return (self.units,)

@hookimpl
def mlpkit_components():
    return [component("layer", "Slow", Slow)]
"""
"""A plugin with an Affine whose bias is trained at a tenth of the rate."""


def trained(first="Affine", optimizer="adamw", weight_decay=WEIGHT_DECAY, **options):
    """Return the parameters after a few steps."""
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(40, 5)), rng.integers(0, 3, 40)
    chosen = {optimizer: {"learning_rate": RATE, "weight_decay": weight_decay}}
    layers = [{first: {"units": 4, "name": "First"}}, "Tanh", {"Affine": {"units": 3, "name": "Second"}}]
    run = mlpkit.fit(
        x,
        t,
        layers=[*layers, "SoftmaxWithLoss"],
        optimizer=chosen,
        dtype="float64",
        batch_size=40,
        standardize=False,
        **({"iterations": STEPS} | options),
    )
    return run.network.parameters


def test_a_rate_of_zero_leaves_parameters_as_they_are():
    still = trained(rates={"*.b": 0})
    assert not still["First.b"].any()
    assert trained()["First.b"].all()


def test_the_last_pattern_that_matches_wins():
    given = trained(rates={"*": 0, "Second.*": 2, "Second.b": 1}, iterations=1)
    plain, doubled = trained(iterations=1), trained(rates={"*": 2}, iterations=1)
    zero = trained(rates={"*": 0}, iterations=1)
    for path, expected in {"First.W": zero, "First.b": zero, "Second.W": doubled, "Second.b": plain}.items():
        np.testing.assert_array_equal(given[path], expected[path])
    assert trained(rates={"Second.b": 1, "*": 0}, iterations=1)["Second.b"].tobytes() == zero["Second.b"].tobytes()


def test_a_pattern_wins_over_what_a_layer_declares(tmp_path):
    (tmp_path / "own.py").write_text(SLOW)
    slow = {"first": "own.Slow", "plugins": [tmp_path / "own.py"], "iterations": 1}
    declared, said = trained(**slow)["First.b"], trained(rates={"First.b": 0.1}, iterations=1)["First.b"]
    np.testing.assert_array_equal(declared, said)
    np.testing.assert_array_equal(trained(**slow, rates={"*.b": 1})["First.b"], trained(iterations=1)["First.b"])
    assert (declared != trained(iterations=1)["First.b"]).all()


def test_patterns_change_no_bit_where_the_factors_are_those_declared():
    plain = trained()
    for options in ({"rates": {"*": 1}}, {"decays": {"*.W": 1, "*.b": 0}}):
        for path, array in trained(**options).items():
            np.testing.assert_array_equal(array, plain[path])


def test_what_pytabkit_does_can_be_said():
    """It multiplies by the square of both factors: p *= 1 - lr wd (rate decay)²."""
    rate, decay = 6.0, 0.5
    ours = trained(rates={"First.W": rate}, decays={"First.W": rate * decay**2}, iterations=1)["First.W"]
    plain = trained(rates={"First.W": rate}, decays={"*": 0}, iterations=1)["First.W"]
    before = trained(rates={"First.W": 0}, iterations=1)["First.W"]
    np.testing.assert_allclose(ours - plain, -RATE * WEIGHT_DECAY * (rate * decay) ** 2 * before, rtol=1e-10)


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adagrad", "adamw", "lion"])
def test_a_decay_is_a_factor_for_every_optimizer(optimizer):
    """Twice the factor is as good as twice the weight decay."""
    twice = trained(optimizer=optimizer, decays={"*": 2})
    for path, array in trained(optimizer=optimizer, decays={"*": 1}, weight_decay=2 * WEIGHT_DECAY).items():
        np.testing.assert_array_equal(twice[path], array)


def test_a_resumed_run_keeps_them(work, train):
    said = {"training__rates": {"*.b": 0.5}, "training__decays": {"*.b": 2}}
    optimizer = {"adamw": {"weight_decay": 0.1}}
    whole = train("whole", **said, training__optimizer=optimizer)
    stop = StopRequest()

    class Stopping(Observer):
        def evaluated(self, record, seconds):
            if record["iteration"] == 16:
                stop.reason = "enough"

    overrides = {key.replace("__", "."): value for key, value in said.items()} | {"training.optimizer": optimizer}
    mlpkit.run(mlpkit.load_spec("tiny.yaml", overrides=overrides), "part", observer=Stopping(), stop=stop)
    again = mlpkit.resume("part")
    for path, array in whole.network.parameters.items():
        np.testing.assert_array_equal(again.network.parameters[path], array)
    plain = train("plain", training__optimizer=optimizer)
    assert (plain.network.parameters["Affine1.b"] != whole.network.parameters["Affine1.b"]).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rates": {"First.w": 1}}, "training.rates.First.w: no parameter is called 'First.w'"),
        ({"decays": {"Third.b": 1}}, "training.decays.Third.b: no parameter is called 'Third.b'"),
        ({"rates": {"*.b": -1}}, "training.rates.*.b: -1 is out of range\n  expected: a number, at least 0"),
    ],
)
def test_keywords_of_fit_are_checked(options, message):
    with pytest.raises(SpecError) as caught:
        trained(**options)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(("key", "factor"), [("decay", -1.0), ("rate", float("nan"))])
def test_a_layer_declares_no_other_factor(key, factor):
    class Wrong(mlpkit.Layer):
        def build(self, input_shape):
            self.w = self.parameter("w", input_shape, "zeros", **{key: factor})
            return input_shape

        def forward(self, x):
            return x

        def backward(self, dy):
            return dy

    with pytest.raises(StackError, match=f"'w' is declared with {key}={factor}; expected a finite number, at least"):
        mlpkit.Sequential([Wrong(), "SoftmaxWithLoss"], (3,))
