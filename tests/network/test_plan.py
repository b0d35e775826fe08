"""A few rows that are predicted again and again go through a plan, which computes what the methods compute."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from same_row import assert_same_row

from mlpkit import ComponentFailure, Layer, Sequential
from mlpkit.network.replica import PLANNED_ROWS
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.average_pool2d import AveragePool2d
from mlpkit_plugins.layers.conv2d import Conv2d
from mlpkit_plugins.layers.flatten import Flatten
from mlpkit_plugins.layers.max_pool2d import MaxPool2d
from mlpkit_plugins.layers.relu import Relu
from mlpkit_plugins.layers.reshape import Reshape
from mlpkit_plugins.losses.mean_squared_error import MeanSquaredError
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss

calls = []


class Double(Layer):
    """2 x, with a plan; notes which of its methods computes."""

    def forward(self, x):
        calls.append("forward")
        return np.multiply(x, 2, out=self.buffer("y", like=x))

    def prediction_plan(self, x):
        y = self.buffer("y", like=x)

        def again():
            calls.append("plan")
            return np.multiply(x, 2, out=y)

        return again

    def backward(self, dy):
        return 2 * dy


class Triple(Double):
    """3 x, without a plan of its own."""

    def forward(self, x):
        calls.append("forward")
        return 3 * x


class Unsteady(Double):
    """A plan that returns another array each time."""

    def forward(self, x):
        calls.append("forward")
        return 2 * x

    def prediction_plan(self, x):
        return lambda: 2 * x


class Fragile(Double):
    """Both ways fail if an input is negative."""

    def forward(self, x):
        if (x < 0).any():
            raise RuntimeError("negative")
        return super().forward(x)

    def prediction_plan(self, x):
        again = super().prediction_plan(x)

        def checked():
            if (x < 0).any():
                raise RuntimeError("negative in the plan")
            return again()

        return checked


class NotesTraining(Double):
    """A plan that notes whether it is part of training."""

    def prediction_plan(self, x):
        again = super().prediction_plan(x)

        def noted():
            calls.append(self.training)
            return again()

        return noted


def network_of(layer, loss=SoftmaxWithLoss):
    return Sequential([Affine(30), Relu(), layer, Affine(4), loss()], (20,))


def rows_of(count, seed=0):
    return np.random.default_rng(seed).standard_normal((count, 20), np.float32)


def computed_by(network, rows, times):
    """Return which method of ``Double`` computed each of several predictions."""
    calls.clear()
    for seed in range(times):
        network.predict(rows_of(rows, seed))
    return list(calls)


def predicted_thrice(network, x):
    """Predict until there is a plan."""
    first, *others = (network.predict(x) for _ in range(3))
    assert all(np.array_equal(other, first) for other in others)
    return first


def test_few_rows_are_predicted_by_the_plan_from_the_third_time_on():
    assert computed_by(network_of(Double()), PLANNED_ROWS, 4) == ["forward", "forward", "plan", "plan", "plan"]


def test_many_rows_and_changing_numbers_of_rows_are_not():
    assert computed_by(network_of(Double()), PLANNED_ROWS + 1, 4) == ["forward"] * 4
    network = network_of(Double())
    calls.clear()
    for rows in (1, 2) * 4:
        network.predict(rows_of(rows))
    assert calls == ["forward"] * 8


def test_a_class_that_overrides_forward_alone_has_no_plan():
    network = network_of(Triple())
    assert computed_by(network, 1, 4) == ["forward"] * 4
    x = rows_of(1)
    assert_same_row(network.predict(x), network.predict(np.vstack([x, x]))[:1])


def test_a_method_that_was_replaced_later_is_called():
    network = network_of(Double())
    network.layers[2].forward = lambda x: 5 * x
    assert computed_by(network, 1, 4) == []


def returned_by_layers(network, x):
    replica = network.replicas[0]
    with network.evaluating():
        return replica.predict(replica.forward(x)).copy()


@pytest.mark.parametrize("loss", [SoftmaxWithLoss, MeanSquaredError])
@pytest.mark.parametrize("layer", [Double, Triple, Unsteady, Relu])
@pytest.mark.parametrize("rows", [1, 7, PLANNED_ROWS])
def test_predictions_are_what_the_layers_return(layer, loss, rows):
    network = network_of(layer(), loss)
    twin = copy.deepcopy(network)
    for seed in range(5):
        x = rows_of(rows, seed)
        given = (x, np.asfortranarray(x), x.astype(np.float64), np.repeat(x, 2, axis=1)[:, ::2])[seed % 4]
        assert_same_row(network.predict(given), returned_by_layers(twin, x))


IMAGES = {
    "convolution first": lambda: [Conv2d(6, 3, padding=1), Relu(), MaxPool2d(), Conv2d(5, 2), AveragePool2d()],
    "maxima first": lambda: [MaxPool2d(3, stride=1), Conv2d(4, 3, bias=False)],
    "means first": lambda: [AveragePool2d(), Conv2d(4, 3)],
}


@pytest.mark.parametrize("layers", IMAGES.values(), ids=IMAGES)
@pytest.mark.parametrize("rows", [1, 7, PLANNED_ROWS])
def test_images_are_predicted_by_the_plan(layers, rows):
    network = Sequential([Reshape([2, 9, 10]), *layers(), Flatten(), Double(), Affine(4), SoftmaxWithLoss()], (180,))
    x = np.random.default_rng(0).standard_normal((6, rows, 180), np.float32)
    twin = copy.deepcopy(network)
    expected = [returned_by_layers(twin, batch) for batch in x]
    calls.clear()
    found = [network.predict(batch) for batch in x]
    assert calls == ["forward", "forward", *["plan"] * 5]
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_images_that_a_reshape_would_copy_are_predicted_without_a_plan():
    network = Sequential(
        [Conv2d(4, 3), Reshape([42, 8]), Flatten(), Double(), Affine(4), SoftmaxWithLoss()], (2, 9, 14)
    )
    x = np.random.default_rng(0).standard_normal((4, 1, 2, 9, 14), np.float32)
    twin = copy.deepcopy(network)
    expected = [returned_by_layers(twin, image) for image in x]
    calls.clear()
    np.testing.assert_array_equal([network.predict(image) for image in x], expected)
    assert calls == ["forward"] * 4


def test_a_prediction_stays_as_it_is_when_the_next_one_is_computed():
    network = network_of(Double())
    kept = [network.predict(rows_of(1, seed)) for seed in range(6)]
    for seed, prediction in enumerate(kept):
        np.testing.assert_array_equal(network.predict(rows_of(1, seed)), prediction)


def test_parameters_that_change_are_seen():
    network, x = network_of(Double()), rows_of(3)
    for _ in range(3):
        network.predict(x)
    network.values *= 1.5
    twin = copy.deepcopy(network)
    np.testing.assert_array_equal(network.predict(x), twin.predict(x))
    assert calls[-3:] == ["plan", "forward", "plan"]  # the copy makes a plan of its own


def test_other_passes_between_predictions_disturb_nothing():
    network, x = network_of(Double()), rows_of(2)
    expected = predicted_thrice(network, x)
    network.evaluate(rows_of(500), np.zeros(500, np.int64))
    np.testing.assert_array_equal(network.predict(x), expected)
    network.gradient(rows_of(90), np.zeros(90, np.int64))
    np.testing.assert_array_equal(network.predict(x), expected)
    assert calls[-1] == "plan"


def test_a_plan_computes_outside_training_whatever_the_flags_were_set_to():
    network = network_of(noting := NotesTraining())
    expected = predicted_thrice(network, rows_of(1))
    for change in (network.set_training, partial(setattr, noting, "training")):
        change(True)
        calls.clear()
        np.testing.assert_array_equal(network.predict(rows_of(1)), expected)
        assert calls == [False, "plan"]


def test_what_fails_in_a_plan_is_said_as_of_the_method():
    network, x = Sequential([Fragile(), Affine(4), SoftmaxWithLoss()], (20,)), abs(rows_of(1))
    expected = predicted_thrice(network, x)
    with pytest.raises(
        ComponentFailure, match=r"layer Fragile1 \(Fragile\) failed in forward: RuntimeError: negative\n"
    ):
        network.predict(-x)
    np.testing.assert_array_equal(network.predict(x), expected)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda network: pickle.loads(pickle.dumps(network))])
def test_a_copy_has_plans_of_its_own(copied):
    network, x = network_of(Relu()), rows_of(1)
    expected = predicted_thrice(network, x)
    other = copied(network)
    other.parameters["Affine1.W"][...] = 0
    assert (other.predict(x) != expected).any()
    np.testing.assert_array_equal(network.predict(x), expected)


def test_threads_that_predict_a_row_each_get_their_own():
    network = network_of(Relu())
    expected = {seed: network.predict(rows_of(1, seed)) for seed in range(8)}

    def wrong(seed):
        x = rows_of(1, seed)
        return sum(not np.array_equal(network.predict(x), expected[seed]) for _ in range(200))

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(wrong, range(8))) == 0
