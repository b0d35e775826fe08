"""A network in Python: its parameters, their first values, predictions, losses and metrics."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pytest

from mlpkit import (
    Classes,
    ComponentFailure,
    Initializer,
    Layer,
    Metric,
    Sequential,
    ShapeError,
    UnknownComponentError,
)
from mlpkit.components.randomness import keyed_generator
from mlpkit.network.sequential import EVALUATION_ROWS
from mlpkit_plugins.initializers.normal import Normal
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.dropout import Dropout
from mlpkit_plugins.layers.relu import Relu
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss
from mlpkit_plugins.metrics.accuracy import Accuracy


def small(seed=0, **options):
    stack = [Affine(5), Relu(), Affine(3, bias=False), SoftmaxWithLoss()]
    return Sequential(stack, (4,), seed=seed, **{"dtype": "float64"} | options)


class Returning(Initializer):
    """Returns what it was given, or raises it."""

    def __init__(self, outcome: object):
        self.outcome = outcome

    def __call__(self, shape, fans, rng, dtype):
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


class Gain(Layer):
    """y = gain x, its gain drawn by a plain function."""

    def build(self, input_shape):
        self.gain = self.parameter("gain", (), lambda shape, fans, rng, dtype: 2.0)
        return input_shape

    def forward(self, x):
        return x * self.gain.value

    def backward(self, dy):
        return dy * self.gain.value


def test_activations_are_what_each_layer_returns():
    network, x = small(), np.random.default_rng(1).normal(size=(7, 4))
    w, v = network.parameters["Affine1.W"], network.parameters["Affine2.W"]
    z = x @ w + network.parameters["Affine1.b"]
    expected = {"Affine1": z, "Relu1": np.maximum(z, 0), "Affine2": np.maximum(z, 0) @ v}

    found = network.activations(x)

    assert list(found) == list(expected)
    for name, outputs in expected.items():
        np.testing.assert_allclose(found[name], outputs, rtol=1e-12)
    kept = {name: outputs.copy() for name, outputs in found.items()}
    network.activations(-x)
    for name, outputs in kept.items():
        np.testing.assert_array_equal(found[name], outputs)


def test_activations_are_those_of_evaluation():
    network = Sequential([Dropout(0.9), Affine(3), SoftmaxWithLoss()], (4,))
    x = np.ones((5, 4), np.float32)
    np.testing.assert_array_equal(network.activations(x)["Dropout1"], x)
    with pytest.raises(ShapeError, match=r"inputs of shape \(5, 3\)"):
        network.activations(x[:, :3])


def test_a_gradient_is_that_of_training_and_all_else_that_of_evaluation(examples):
    x, t = examples(50, 4, 3)
    network, plain = (Sequential([*some, Affine(3), SoftmaxWithLoss()], (4,)) for some in ([Dropout(0.5)], []))
    for name, value in network.parameters.items():
        plain.parameters[name][...] = value
    assert not np.allclose(network.gradient(x, t)["Affine1.W"], plain.gradient(x, t)["Affine1.W"])
    for call in ("evaluate", "loss", "accuracy"):
        network.gradient(x, t)
        assert getattr(network, call)(x, t) == getattr(plain, call)(x, t)
    network.gradient(x, t)
    np.testing.assert_array_equal(network.predict(x), plain.predict(x))
    network.gradient(x, t)
    np.testing.assert_array_equal(network.activations(x)["Affine1"], plain.activations(x)["Affine1"])


def test_parameters_are_named_after_their_layers():
    network = small()
    assert {name: value.shape for name, value in network.parameters.items()} == {
        "Affine1.W": (4, 5),
        "Affine1.b": (5,),
        "Affine2.W": (5, 3),
    }
    names = Sequential([Affine(5), SoftmaxWithLoss()], (4,), names=["first", "end"]).parameters
    assert list(names) == ["first.W", "first.b"]


def test_parameters_are_live_views_of_one_flat_array(examples):
    network = small()
    x, _ = examples(6, 4, 3)
    before = network.predict(x)
    for value in network.parameters.values():
        assert np.shares_memory(value, network.values)
        assert value.dtype == np.float64
    network.parameters["Affine2.W"][...] = 0
    np.testing.assert_allclose(network.predict(x), np.full((6, 3), 1 / 3), rtol=1e-15)
    network.values[...] = 1
    assert (network.parameters["Affine1.W"] == 1).all()
    assert not np.allclose(network.predict(x), before)


def test_weights_lie_before_biases():
    layout = small().layout
    assert max(layout.offsets["Affine1.W"], layout.offsets["Affine2.W"]) < layout.offsets["Affine1.b"]


def test_first_values_come_from_the_initializers_keyed_by_seed_and_name():
    network = Sequential([Affine(5, weights=Normal(std=2.0)), SoftmaxWithLoss()], (4,), seed=7)
    rng = keyed_generator(7, "initializer", "Affine1.W")
    np.testing.assert_array_equal(network.parameters["Affine1.W"], rng.normal(0, 2.0, (4, 5)).astype(np.float32))
    assert (network.parameters["Affine1.b"] == 0).all()
    assert network.dtype == np.float32


def test_first_values_do_not_depend_on_other_layers():
    alone = Sequential([Affine(3), SoftmaxWithLoss()], (4,), seed=5)
    stack = [Affine(4), Relu(), Affine(3), SoftmaxWithLoss()]
    among = Sequential(stack, (4,), seed=5, names=["other", "relu", "Affine1", "loss"])
    assert alone.parameters["Affine1.W"].tobytes() == among.parameters["Affine1.W"].tobytes()
    assert small(seed=1).values.tobytes() == small(seed=1).values.tobytes()
    assert small(seed=1).values.tobytes() != small(seed=2).values.tobytes()


def test_float64_begins_where_float32_does():
    np.testing.assert_allclose(small(dtype="float32").values, small().values, rtol=1e-6)


def test_an_initializer_may_be_a_plain_function():
    network = Sequential([Gain(), SoftmaxWithLoss()], (3,))
    assert network.parameters["Gain1.gain"] == 2.0
    assert network.parameters["Gain1.gain"].shape == ()


@pytest.mark.parametrize(
    ("outcome", "message"),
    [
        (np.zeros(5), "the initializer of Affine1.W returned an array of shape (5,); expected (4, 5)"),
        (0.0, "the initializer of Affine1.W returned an array of shape (); expected (4, 5)"),
        (RuntimeError("no luck"), "the initializer of Affine1.W failed: RuntimeError: no luck"),
        (UnknownComponentError("nothing there"), None),
    ],
)
def test_an_initializer_that_fails_is_named(outcome, message):
    error = ComponentFailure if message else UnknownComponentError
    with pytest.raises(error) as caught:
        Sequential([Affine(5, weights=Returning(outcome)), SoftmaxWithLoss()], (4,))
    assert str(caught.value) == (message or "nothing there")


def test_a_resolver_builds_what_is_given_by_name():
    asked = []

    def resolver(kind, reference):
        asked.append((kind, reference))
        return Normal(std=0)

    Sequential([Affine(5, weights={"anything": {}}), SoftmaxWithLoss()], (4,), resolver=resolver)
    assert asked == [("initializer", {"anything": {}}), ("initializer", "zeros")]


def test_a_name_that_is_not_installed_is_an_error():
    network = small()
    with pytest.raises(UnknownComponentError, match=r"^unknown metric 'accurac'; did you mean 'accuracy'\?$"):
        network.evaluate(np.ones((2, 4)), [0, 1], ["accurac"])


def test_predictions_are_probabilities_in_arrays_of_their_own(examples):
    network = small()
    x, _ = examples(6, 4, 3)
    first = network.predict(x)
    kept = first.copy()
    np.testing.assert_allclose(first.sum(axis=1), 1)
    network.predict(-x)
    np.testing.assert_array_equal(first, kept)
    first[...] = 0
    np.testing.assert_array_equal(network.predict(x), kept)
    assert network.predict(x[:1]).shape == (1, 3)


def test_inputs_are_left_as_they_are(examples):
    network = small()
    x, t = examples(6, 4, 3)
    before = x.copy(), t.copy()
    x.flags.writeable = t.flags.writeable = False
    network.predict(x)
    network.evaluate(x, t, ["accuracy"])
    network.gradient(x, t)
    np.testing.assert_array_equal((x.tobytes(), t.tobytes()), tuple(array.tobytes() for array in before))


def test_many_rows_are_taken_some_at_a_time(examples):
    network = small()
    x, t = examples(2 * EVALUATION_ROWS + 100, 4, 3)
    taken = []
    forward = network.layers[0].forward

    def counting(x):
        taken.append(len(x))
        return forward(x)

    network.layers[0].forward = counting
    probabilities = network.predict(x)
    assert taken == [EVALUATION_ROWS, EVALUATION_ROWS, 100]
    np.testing.assert_allclose(probabilities[[0, 1500, 2050]], network.predict(x[[0, 1500, 2050]]), rtol=1e-12)
    expected = -np.log(probabilities[np.arange(len(t)), t]).mean()
    assert network.loss(x, t) == pytest.approx(expected, rel=1e-12)
    assert network.accuracy(x, t) == (probabilities.argmax(axis=1) == t).mean()


def test_loss_accuracy_and_metrics_agree(examples):
    network = small()
    x, t = examples(50, 4, 3)
    right = (network.predict(x).argmax(axis=1) == t).mean()
    expected = {"loss": network.loss(x, t), "accuracy": right}
    assert network.accuracy(x, t) == right
    for metrics in (["accuracy"], ("accuracy",), "accuracy", {"accuracy": Accuracy()}, {"accuracy": "accuracy"}):
        assert network.evaluate(x, t, metrics) == expected
    assert network.evaluate(x, t, MappingProxyType({"mine": Accuracy()})) == {"loss": expected["loss"], "mine": right}
    assert network.evaluate(x, t) == {"loss": expected["loss"]}
    assert network.loss(x, np.eye(3)[t]) == pytest.approx(expected["loss"], rel=1e-12)


def test_nothing_to_evaluate_gives_nan():
    assert np.isnan(small().evaluate_batches([], {})["loss"])


def test_minibatches_count_by_their_weight(examples):
    network = small()
    x, t = examples(30, 4, 3)
    parts = [(x[:1], t[:1]), (x[1:20], t[1:20]), (x[20:], t[20:])]
    assert network.evaluate_batches(parts, {})["loss"] == pytest.approx(network.loss(x, t), rel=1e-13)


class Broken(Metric):
    """Fails in the method that a test names."""

    def __init__(self, where: str = "update"):
        self.where = where

    def update(self, prediction, t):
        if self.where == "update":
            raise ValueError("too many")

    def merge(self, other):
        raise NotImplementedError

    def result(self):
        return {"result": 1 / 0 if self.where == "result" else 0, "text": "many"}[self.where]


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("update", "the metric mine failed: ValueError: too many"),
        ("result", "the metric mine failed: ZeroDivisionError: division by zero"),
        ("text", "the metric mine failed: ValueError: could not convert string to float: 'many'"),
    ],
)
def test_a_metric_that_fails_is_named(where, message, examples):
    with pytest.raises(ComponentFailure) as caught:
        small().evaluate(*examples(5, 4, 3), {"mine": Broken(where)})
    assert str(caught.value) == message


class Told(Metric):
    """Remembers its calls and their arguments, in order."""

    def __init__(self, *, refuses: bool = False):
        self.refuses = refuses
        self.seen = []

    def expect_target(self, target):
        if self.refuses:
            raise ShapeError(f"not {target}")
        self.seen.append(target)

    def update(self, prediction, t):
        self.seen.append(len(t))

    def merge(self, other):
        raise NotImplementedError

    def result(self):
        return len(self.seen)


def test_a_metric_gets_the_target_before_the_first_minibatch(examples):
    x, t = examples(EVALUATION_ROWS + 1, 4, 3)
    metric = Told()
    small(target=Classes(3)).evaluate(x, t, {"mine": metric})
    assert metric.seen == [Classes(3), EVALUATION_ROWS, 1]
    metric = Told()
    small().evaluate(x, t, {"mine": metric})
    assert metric.seen == [EVALUATION_ROWS, 1]


def test_a_metric_that_is_not_for_the_target_says_so(examples):
    x, t = examples(5, 4, 3)
    with pytest.raises(ShapeError, match=r"^not 3 classes$"):
        small(target=Classes(3)).evaluate(x, t, {"mine": Told(refuses=True)})
    with pytest.raises(ShapeError, match=r"^r2 is for real values, but the data gives 3 classes; .*; use accuracy"):
        small(target=Classes(3)).evaluate(x, t, ["r2"])


def test_a_network_of_a_loss_alone_has_nothing_to_train(examples):
    network = Sequential([SoftmaxWithLoss()], (3,), dtype="float64")
    x, t = examples(5, 3, 3)
    assert network.parameters == {}
    assert network.gradient(x, t) == {}
    assert network.loss(x, t) > 0


def test_a_network_knows_what_it_was_built_for():
    network = small(seed=4, target=Classes(3))
    assert (network.input_shape, network.target, network.seed, network.dtype) == ((4,), Classes(3), 4, np.float64)
    assert network.flops == 6 * (25 + 15)
