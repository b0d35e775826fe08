"""What a probe finds in a network, against figures computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

import mlpkit
from mlpkit.components.dataset import Description
from mlpkit.components.target import Classes, Labels, Values
from mlpkit.verbs.doctor.probe import Probe
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.batch_norm import BatchNorm
from mlpkit_plugins.layers.dropout import Dropout
from mlpkit_plugins.layers.elu import Elu
from mlpkit_plugins.layers.flatten import Flatten
from mlpkit_plugins.layers.gelu import Gelu
from mlpkit_plugins.layers.leaky_relu import LeakyRelu
from mlpkit_plugins.layers.mish import Mish
from mlpkit_plugins.layers.relu import Relu
from mlpkit_plugins.layers.residual import Residual
from mlpkit_plugins.layers.selu import Selu
from mlpkit_plugins.layers.sigmoid import Sigmoid
from mlpkit_plugins.layers.silu import Silu
from mlpkit_plugins.layers.softplus import Softplus
from mlpkit_plugins.layers.tanh import Tanh
from mlpkit_plugins.losses.mean_squared_error import MeanSquaredError
from mlpkit_plugins.losses.pinball import Pinball
from mlpkit_plugins.losses.poisson import Poisson
from mlpkit_plugins.losses.sigmoid_with_loss import SigmoidWithLoss
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss

ROWS, CLASSES = 60, 3


class Arrays:
    def __init__(self, x, t):
        self.arrays = x, t

    def __len__(self):
        return len(self.arrays[0])

    def take(self, indices, out):
        for array, written in zip(self.arrays, out, strict=True):
            written[...] = array[indices]


@pytest.fixture(scope="module")
def examples():
    rng = np.random.default_rng(7)
    return rng.normal(size=(ROWS, 5)), rng.integers(CLASSES, size=ROWS)


def looked_at(layers, examples, loss=None, target=None):
    (x, t), target = examples, target or Classes(CLASSES)
    network = mlpkit.Sequential([*layers, loss or SoftmaxWithLoss()], x.shape[1:], target=target, dtype="float64")
    probe = Probe(network, Arrays(x, t), Description(x.shape[1:], target, {"train": len(x)}))
    return network, probe, probe(0, 0.0, 0.1)


def by_name(health):
    return {layer["layer"]: layer for layer in health["layers"]}


def test_distributions_are_those_of_the_activations(examples):
    network, _, health = looked_at([Affine(4), Relu(), Affine(CLASSES)], examples)
    W, b = network.parameters["Affine1.W"], network.parameters["Affine1.b"]
    outputs = examples[0] @ W + b
    found = by_name(health)["Affine1"]["outputs"]
    assert found["mean"] == pytest.approx(outputs.mean(), rel=1e-5)
    assert found["std"] == pytest.approx(outputs.std(), rel=1e-5)
    assert [found["min"], found["max"]] == pytest.approx([outputs.min(), outputs.max()], rel=1e-5)
    nearest = [np.quantile(outputs, share, method="nearest") for share in (0.05, 0.25, 0.5, 0.75, 0.95)]
    assert found["quantiles"] == pytest.approx(nearest, rel=1e-5)


def test_gradients_are_those_of_training(examples):
    network, _, health = looked_at([Affine(4), Relu(), Affine(CLASSES)], examples)
    gradient = network.gradient(*examples)
    for layer in ("Affine1", "Affine2"):
        own = [values.ravel() for path, values in gradient.items() if path.startswith(layer)]
        assert by_name(health)[layer]["gradient_norm"] == pytest.approx(np.linalg.norm(np.concatenate(own)), rel=1e-5)
    assert health["loss"] == pytest.approx(network.loss(*examples), rel=1e-5)
    p = network.predict(examples[0])
    by_logits = p - np.eye(CLASSES)[examples[1]]  # of each row's own loss
    assert by_name(health)["Affine2"]["gradients"]["std"] == pytest.approx(by_logits.std(), rel=1e-5)


def test_factors_are_rounded_where_those_of_steps_are():
    rng = np.random.default_rng(7)
    x, t = rng.normal(size=(ROWS, 5)).astype(np.float32), rng.integers(CLASSES, size=ROWS)
    network = mlpkit.Sequential([Affine(4), Relu(), Affine(CLASSES), SoftmaxWithLoss()], (5,), target=Classes(CLASSES))
    probe = Probe(network, Arrays(x, t), Description((5,), Classes(CLASSES), {"train": ROWS}))
    found = []
    for step, precision in enumerate(("float32", "bfloat16", "float32")):
        network.set_precision(precision)
        gradient = network.gradient(x, t)
        found.append(by_name(probe(step, 0.0, 0.1))["Affine1"]["gradient_norm"])
        norm = np.linalg.norm(np.concatenate([gradient[path].ravel() for path in ("Affine1.W", "Affine1.b")]))
        assert found[-1] == pytest.approx(norm, rel=2e-6)
    assert found[0] == found[2]
    assert found[0] != pytest.approx(found[1], rel=1e-5)


def test_layers_inside_others_are_looked_at_too(examples):
    _, _, health = looked_at([Affine(4), Residual([Affine(4), Relu()]), Affine(CLASSES)], examples)
    names = ["Affine1", "Residual1", "Residual1.Affine1", "Residual1.Relu1", "Affine2"]
    assert list(by_name(health)) == names
    assert all(layer["outputs"] and layer["gradients"] for layer in health["layers"])


def test_dead_and_saturated_units_are_counted(examples):
    network, probe, _ = looked_at([Affine(4), Relu(), Affine(4), Sigmoid(), Affine(CLASSES)], examples)
    network.parameters["Affine1.b"][:3] = -1000
    network.parameters["Affine2.b"][:1] = 1000
    found = by_name(probe(1, 1.0, 0.1))
    assert (found["Relu1"]["dead"], found["Relu1"]["saturated"]) == (0.75, None)
    assert (found["Sigmoid1"]["dead"], found["Sigmoid1"]["saturated"]) == (None, 0.25)
    assert found["Relu1"]["unvarying"] == 0.75


@pytest.mark.parametrize("activation", [Elu, Gelu, LeakyRelu, Mish, Selu, Sigmoid, Silu, Softplus, Tanh])
def test_units_far_out_are_saturated_whatever_the_function(activation, examples):
    network, probe, health = looked_at([Affine(4), activation(), Affine(CLASSES)], examples)
    assert health["layers"][1]["saturated"] == 0
    network.parameters["Affine1.b"][:2] = -50
    assert probe(1, 1.0, 0.1)["layers"][1]["saturated"] == 0.5


def test_units_that_do_the_same_are_noticed(examples):
    alike = {"weights": {"full": {"value": 0.1}}}
    _, _, health = looked_at([Affine(4, **alike), Sigmoid(), Affine(CLASSES, **alike)], examples)
    assert [layer["identical"] for layer in health["layers"]] == [True, True, False]


@pytest.mark.parametrize("moved", [True, False])
def test_the_update_is_compared_with_the_parameters(moved, examples):
    network, probe, _ = looked_at([Affine(4), Relu(), Affine(CLASSES)], examples)
    if moved:
        probe.remember(4)
    network.values *= 1.25
    ratio = by_name(probe(5, 1.0, 0.1))["Affine1"]["update_ratio"]
    assert ratio == (pytest.approx(0.2) if moved else None)


def test_the_update_counts_every_element_of_a_small_parameter(examples):
    network, probe, _ = looked_at([Affine(4), Relu(), Affine(CLASSES)], examples)
    probe.remember(4)
    moved = {path: np.random.default_rng(0).normal(size=value.shape) for path, value in network.parameters.items()}
    for path, change in moved.items():
        network.parameters[path] += change
    squares = [sum(np.sum(of["Affine1." + name] ** 2) for name in "Wb") for of in (moved, network.parameters)]
    ratio = by_name(probe(5, 1.0, 0.1))["Affine1"]["update_ratio"]
    assert ratio == pytest.approx(np.sqrt(squares[0] / squares[1]), rel=1e-5)


def test_chance_is_the_loss_of_the_shares_of_the_classes(examples):
    _, _, health = looked_at([Affine(CLASSES)], examples)
    shares = np.bincount(examples[1]) / ROWS
    assert health["chance"] == pytest.approx(-(shares * np.log(shares)).sum(), rel=1e-5)


def test_of_values_chance_is_their_variance_and_the_spread_a_share_of_theirs(examples):
    x = examples[0]
    t = x @ np.ones((5, 1)) + 3
    zeros = Affine(1, weights="zeros")
    _, _, health = looked_at([zeros], (x, t), MeanSquaredError(), Values((1,)))
    assert health["chance"] == pytest.approx(t.var(), rel=1e-5)
    assert (health["spread"], health["missed"]) == (0, None)


def test_classes_that_are_never_predicted_are_named(examples):
    network, probe, _ = looked_at([Affine(CLASSES)], examples)
    network.parameters["Affine1.b"][:] = 0, -1000, 0
    assert probe(1, 1.0, 0.1)["missed"] == [1]


def test_the_network_keeps_its_parameters_and_states(examples):
    network, probe, _ = looked_at([Affine(4), BatchNorm(), Dropout(), Affine(CLASSES)], examples)
    values, state, position = network.values.copy(), network.replicas[0].state.copy(), network.replicas[0].position
    before = (position.step, position.forwards)
    probe(1, 1.0, 0.1)
    assert np.array_equal(network.values, values)
    assert np.array_equal(network.replicas[0].state, state)
    assert (position.step, position.forwards) == before


def test_the_same_look_finds_the_same(examples):
    _, probe, health = looked_at([Affine(4), BatchNorm(), Dropout(), Affine(CLASSES)], examples)
    assert probe(0, 0.0, 0.1) == health


def test_a_frozen_layer_has_no_gradient(examples):
    x, t = examples
    network = mlpkit.Sequential([Affine(4), Relu(), Affine(CLASSES), SoftmaxWithLoss()], (5,), target=Classes(CLASSES))
    network.freeze(["Affine1"])
    probe = Probe(network, Arrays(x, t), Description((5,), Classes(CLASSES), {"train": ROWS}))
    frozen, _, trained = probe(0, 0.0, 0.1)["layers"]
    assert (frozen["gradients"], frozen["norm"]) == (None, None)
    assert trained["norm"] > 0


def test_a_layer_that_keeps_what_it_computed_can_be_looked_at(examples):
    _, _, health = looked_at([Affine(4), Gelu(), Affine(CLASSES)], examples)
    assert by_name(health)["Gelu1"]["gradients"] is not None


@pytest.mark.parametrize("smoothing", [0.1, 0.95])
@pytest.mark.parametrize(("layer", "most", "least"), [(Sigmoid, 1, 0), (Tanh, 1, -1), (Relu, None, None)])
def test_the_least_losses_are_those_of_the_right_outputs(smoothing, layer, most, least, examples):
    _, _, health = looked_at([Affine(CLASSES), layer()], examples, SoftmaxWithLoss(label_smoothing=smoothing))
    aimed_at = np.array([1 - smoothing, 0, 0]) + smoothing / CLASSES
    assert health["level_loss"] == pytest.approx(np.log(CLASSES), rel=1e-5)
    assert health["least_loss"] == pytest.approx(-(aimed_at * np.log(aimed_at)).sum(), rel=2e-2)
    if most is None:
        assert health["bounded_loss"] is None
    else:
        logits = np.array([most, least, least])
        expected = np.log(np.exp(logits).sum()) - (aimed_at * logits).sum()
        assert health["bounded_loss"] == pytest.approx(expected, rel=1e-5)


def test_the_least_losses_of_labels(examples):
    x, target = examples[0], Labels(2)
    _, _, health = looked_at([Affine(2), Sigmoid()], (x, (x[:, :2] > 0).astype(float)), SigmoidWithLoss(), target)
    assert health["level_loss"] == pytest.approx(np.log(2), rel=1e-5)
    assert health["least_loss"] == pytest.approx(0, abs=1e-6)
    share = (x[:, :2] > 0).mean()
    assert health["bounded_loss"] == pytest.approx(share * np.log(1 + np.exp(-1)) + (1 - share) * np.log(2), rel=1e-5)


@pytest.mark.parametrize(("layers", "bounded"), [([Affine(1)], None), ([Affine(1), Sigmoid()], "within 0 and 1")])
def test_the_least_losses_of_values(layers, bounded, examples):
    x, _ = examples
    _, _, health = looked_at(layers, (x, x[:, :1]), MeanSquaredError(), Values((1,)))
    expected = bounded and pytest.approx(((x[:, 0] - x[:, 0].clip(0, 1)) ** 2).mean(), rel=1e-5)
    assert (health["level_loss"], health["least_loss"], health["bounded_loss"]) == (None, 0.0, expected)


def test_the_least_loss_of_counts_is_that_of_their_own_rates(examples):
    x, _ = examples
    counts = np.arange(len(x), dtype=float)[:, None] + 1
    _, _, health = looked_at([Affine(1)], (x, counts), Poisson(), Values((1,)))
    assert health["least_loss"] == pytest.approx((counts - counts * np.log(counts)).mean(), rel=1e-5)


def test_how_far_the_negative_gradient_lengthens_parameters(examples):
    network, _, health = looked_at([Affine(4), Relu(), Affine(CLASSES)], examples)
    gradient = network.gradient(*examples)
    w, g = (np.concatenate([each[path].ravel() for path in gradient]) for each in (network.parameters, gradient))
    assert health["outwards"] == pytest.approx(-(w @ g) / np.linalg.norm(w) / np.linalg.norm(g), rel=1e-4)


class Weighted(Arrays):
    def __init__(self, *arrays):
        self.arrays = arrays


def test_of_weighted_rows_chance_is_that_of_their_weights_and_validation_has_its_own(examples):
    x, t = examples
    weights = np.random.default_rng(1).uniform(0.1, 3, ROWS)
    target = Classes(CLASSES)
    network = mlpkit.Sequential([Affine(CLASSES), SoftmaxWithLoss()], (5,), target=target, dtype="float64")
    sizes = {"train": ROWS, "validation": 20}
    validation = Weighted(x[:20], t[:20], weights[:20])
    description = Description((5,), target, sizes, weighted=True)
    health = Probe(network, Weighted(x, t, weights), description, validation)(0, 0.0, 0.1)
    logs = np.log(np.bincount(t, weights) / weights.sum())
    assert health["chance"] == pytest.approx(-np.average(logs[t], weights=weights), rel=1e-5)
    assert health["validation_chance"] == pytest.approx(-np.average(logs[t[:20]], weights=weights[:20]), rel=1e-5)
    losses = -np.log(network.predict(x)[np.arange(ROWS), t])
    assert health["loss"] == pytest.approx(np.average(losses, weights=weights), rel=1e-5)


def test_inputs_and_predictions_have_figures_of_their_own(examples):
    x = examples[0] * [1, 2, 5, 3, 1]
    network, _, health = looked_at([Affine(CLASSES)], (x, examples[1]))
    assert health["inputs"]["largest"] == pytest.approx(np.sqrt((x[:, 2] ** 2).mean()), rel=1e-5)
    assert health["inputs"]["std"] == pytest.approx(x.std(), rel=1e-5)
    assert health["spread"] == pytest.approx(network.predict(x).std(axis=0).max(), rel=1e-5)
    assert [health["inputs"]["all_equal"], health["rows"], health["validation_chance"]] == [False, ROWS, None]
    same = np.tile(x[:1], (ROWS, 1))
    assert looked_at([Affine(CLASSES)], (same, examples[1]))[2]["inputs"]["all_equal"] is True
    same[-1, -1] += 1
    assert looked_at([Affine(CLASSES)], (same, examples[1]))[2]["inputs"]["all_equal"] is False


@pytest.mark.parametrize(("rows", "missed"), [(4, []), (5, [2])])
def test_a_class_of_five_rows_can_be_missed(rows, missed, examples):
    t = np.repeat([0, 1, 2], [30, ROWS - 30 - rows, rows])
    network, probe, _ = looked_at([Affine(CLASSES)], (examples[0], t))
    network.parameters["Affine1.b"][:] = 0, 0, -1000
    assert probe(1, 1.0, 0.1)["missed"] == missed


def test_of_many_rows_192_are_followed_and_of_many_elements_1024(examples):
    rng = np.random.default_rng(5)
    x, t = rng.normal(3, 2, (500, 40)), rng.integers(CLASSES, size=500)
    _, probe, health = looked_at([Affine(CLASSES)], (x, t))
    assert health["rows"] == 192
    seen = probe._x
    assert {tuple(row) for row in seen} <= {tuple(row) for row in x}
    found = health["inputs"]
    assert [found["mean"], found["std"]] == pytest.approx([3, 2], rel=0.1)
    assert found["quantiles"] == pytest.approx(3 + 2 * np.array([-1.645, -0.674, 0, 0.674, 1.645]), abs=0.3)
    assert (found["min"] > seen.min(), found["max"] < seen.max()) == (True, True)


def test_the_update_of_a_large_parameter_is_that_of_about_1024_elements(examples):
    network, probe, _ = looked_at([Affine(1000), Relu(), Affine(CLASSES)], examples)
    probe.remember(4)
    values = network.parameters["Affine1.W"].reshape(-1)  # 5,000, of which each fifth is remembered
    before = np.concatenate([values[::5], network.parameters["Affine1.b"]])
    values[1::5] += 100
    assert by_name(probe(5, 1.0, 0.1))["Affine1"]["update_ratio"] == 0
    values[::5] *= 1.5
    after = np.concatenate([values[::5], network.parameters["Affine1.b"]])
    expected = np.linalg.norm(after - before) / np.linalg.norm(after)
    assert by_name(probe(5, 1.0, 0.1))["Affine1"]["update_ratio"] == pytest.approx(expected, rel=1e-5)


def test_the_units_of_images_are_their_channels(examples):
    x = np.abs(np.random.default_rng(6).normal(size=(ROWS, 4, 3, 3)))
    x[:, 1] *= -1
    x[:, 2] = 7
    x[:, 3, 1:] *= -1  # on in some places
    _, _, health = looked_at([Relu(), Flatten(), Affine(CLASSES)], (x, examples[1]))
    relu, flatten, _ = health["layers"]
    assert [relu["units"], relu["dead"], relu["unvarying"], relu["identical"]] == [4, 0.25, 0.5, False]
    assert flatten["units"] == 36


def test_figures_have_six_digits_and_what_is_not_finite_is_null(examples):
    network, probe, _ = looked_at([Affine(CLASSES)], examples)
    assert probe(7, 1 / 3, 2 / 3)["epoch"] == 0.333333
    assert probe(7, 1 / 3, 2 / 3)["learning_rate"] == 0.666667
    network.parameters["Affine1.b"][0] = np.inf
    with np.errstate(all="ignore"):
        found = probe(8, 1.0, 0.1)
    assert (found["loss"], found["layers"][0]["outputs"]["max"]) == (None, None)


def test_a_unit_is_saturated_below_a_twentieth_of_the_steepest_slope(examples):
    """Of a sigmoid, the slope at 0 is 1/4; s (1 - s) is 0.0125 where s = 0.98734."""
    border = np.log(0.98734 / 0.01266)
    layers = [Affine(4, weights="zeros"), Sigmoid(), Affine(CLASSES)]
    network, probe, _ = looked_at(layers, examples)
    network.parameters["Affine1.b"][:] = border - 0.01, 0.01 - border, border + 0.01, 0
    assert by_name(probe(1, 1.0, 0.1))["Sigmoid1"]["saturated"] == 0.25


def test_classes_in_columns_are_looked_at_as_their_numbers_are(examples):
    x, t = examples
    numbered = looked_at([Affine(CLASSES), Sigmoid()], (x, t))
    in_columns = looked_at([Affine(CLASSES), Sigmoid()], (x, np.eye(CLASSES)[t]), target=Classes(CLASSES, one_hot=True))
    for network, _, _ in (numbered, in_columns):
        network.parameters["Affine1.b"][:] = 9, -9, -9
    first, second = (probe(1, 1.0, 0.1) for _, probe, _ in (numbered, in_columns))
    assert first["missed"] == [1, 2]
    assert second == first


def test_the_loss_in_prediction_is_computed_if_the_loss_in_training_is_at_chance(examples):
    x = examples[0]
    network, probe, _ = looked_at([BatchNorm(), Dropout(), Affine(CLASSES)], (x, x[:, :CLASSES].argmax(axis=1)))
    network.parameters["Affine1.W"][:] = -np.eye(5, CLASSES)
    network.replicas[0].state[:] = np.linspace(0.5, 1.5, network.replicas[0].state.size)
    worse = [probe(step, 1.0, 0.1) for step in (7, 7, 8)]
    assert worse[0] == worse[1]
    assert worse[0]["loss"] != worse[2]["loss"]
    assert worse[0]["prediction_loss"] == worse[2]["prediction_loss"]
    losses = -np.log(network.predict(x)[np.arange(ROWS), x[:, :CLASSES].argmax(axis=1)])
    assert worse[0]["prediction_loss"] == pytest.approx(losses.mean(), rel=1e-5)
    assert worse[0]["loss"] != pytest.approx(losses.mean(), rel=0.03)
    assert worse[0]["loss"] > worse[0]["chance"]
    network.parameters["Affine1.W"][:] *= -1
    better = probe(8, 1.0, 0.1)
    assert (better["loss"] < better["chance"], better["prediction_loss"]) == (True, None)


def test_parameters_that_are_zero_have_no_update_ratio(examples):
    network, probe, _ = looked_at([Affine(CLASSES)], examples)
    probe.remember(4)
    network.values[:] = 0
    found = probe(5, 1.0, 0.1)
    assert (found["layers"][0]["update_ratio"], found["layers"][0]["norm"], found["outwards"]) == (None, 0, None)


@pytest.mark.parametrize(("columns", "whole"), [(16, True), (17, False)])
def test_of_1024_elements_all_count_and_of_more_a_sample(columns, whole):
    rng = np.random.default_rng(5)
    x, t = rng.normal(3, 2, (64, columns)), rng.integers(CLASSES, size=64)
    found = looked_at([Affine(CLASSES)], (x, t))[2]["inputs"]
    assert ([found["mean"], found["std"]] == pytest.approx([x.mean(), x.std()], rel=1e-5)) == whole


def test_of_several_outputs_for_a_value_the_spread_is_that_of_the_widest(examples):
    x, t = examples[0], examples[0][:, :1] * 4
    network, _, health = looked_at([Affine(2)], (x, t), Pinball(quantiles=[0.25, 0.75]), Values((1,)))
    assert health["spread"] == pytest.approx(network.predict(x).std(axis=0).max() / t.std(), rel=1e-5)


def test_equal_values_have_no_spread_and_a_single_unit_is_not_identical(examples):
    x, t = examples[0], np.full((ROWS, 1), 3.0)
    health = looked_at([Affine(1)], (x, t), MeanSquaredError(), Values((1,)))[2]
    assert (health["spread"], health["layers"][0]["identical"]) == (0, False)
