"""Initializers that see a batch of inputs."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import ComponentFailure, Initializer, Sequential, ShapeError
from mlpkit_plugins.initializers.convex_combination import ConvexCombination
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.batch_norm import BatchNorm
from mlpkit_plugins.layers.dropout import Dropout
from mlpkit_plugins.layers.relu import Relu
from mlpkit_plugins.layers.repeat import Repeat
from mlpkit_plugins.layers.residual import Residual
from mlpkit_plugins.layers.sequence import Sequence
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss


class Negative(Initializer):
    """Minus the mean of the outputs without this parameter: outputs of mean 0, if it is a bias."""

    def __call__(self, shape, fans, rng, dtype):
        return rng.normal(size=shape).astype(dtype)

    def adapt(self, values, outputs, unit_axis, rng):
        return -outputs(np.zeros_like(values)).mean(axis=0)


class Wrong(Negative):
    def adapt(self, values, outputs, unit_axis, rng):
        return values[:1]


class Broken(Negative):
    def adapt(self, values, outputs, unit_axis, rng):
        raise ZeroDivisionError


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(3, 5, (400, 6))


def seeing(units=5, biases="convex_combination"):
    return Affine(units, weights="unit_variance", biases=biases)


def network(*layers, seed=0, **options):
    return Sequential([*layers, Affine(3), SoftmaxWithLoss()], (6,), seed=seed, dtype="float64", **options)


def test_each_layer_is_adapted_to_what_the_layers_before_it_return(x):
    made = network(seeing(), Relu(), seeing(biases=Negative()))
    made.adapt(x)
    outputs = made.activations(x)
    np.testing.assert_allclose(outputs["Affine1"].std(axis=0), 1)
    np.testing.assert_allclose(outputs["Affine2"].std(axis=0), 1)
    np.testing.assert_allclose(outputs["Affine2"].mean(axis=0), 0, atol=1e-12)


def test_layers_inside_others_are_adapted(x):
    inside = [Affine(6, weights="unit_variance"), Repeat(2, lambda: Affine(6, weights="unit_variance"))]
    made = network(Residual([Sequence(inside)]))
    made.adapt(x)
    W = made.parameters
    y = x @ W["Residual1.Sequence1.Affine1.W"]
    np.testing.assert_allclose(y.std(axis=0), 1)
    for copy in ("Affine1", "Affine2"):
        y = y @ W[f"Residual1.Sequence1.Repeat1.{copy}.W"]
        np.testing.assert_allclose(y.std(axis=0), 1)


def test_other_parameters_stay_as_they_are(x):
    made = network(seeing(), Relu())
    before = {name: value.copy() for name, value in made.parameters.items()}
    made.adapt(x, ["Affine1.b"])
    changed = [name for name, value in made.parameters.items() if (value != before[name]).any()]
    assert changed == ["Affine1.b"]
    made.adapt(x)
    changed = [name for name, value in made.parameters.items() if (value != before[name]).any()]
    assert changed == ["Affine1.W", "Affine1.b"]


def test_without_data_the_values_are_those_of_the_call():
    made = network(seeing(50), seed=3)
    assert made.parameters["Affine1.W"].std() == pytest.approx(6**-0.5, rel=0.15)
    assert (made.parameters["Affine1.b"] == 0).all()


def test_a_batch_is_normalized_nothing_is_dropped_and_state_is_kept(x):
    made = network(BatchNorm(), Affine(4, weights="unit_variance"))
    made.adapt(x)
    normalized = (x - x.mean(axis=0)) / x.std(axis=0)
    np.testing.assert_allclose((normalized @ made.parameters["Affine1.W"]).std(axis=0), 1, rtol=1e-5)
    assert (made.states["BatchNorm1.running_mean"] == 0).all()
    dropping = network(Dropout(0.9), Affine(4, weights="unit_variance"))
    dropping.adapt(x)
    np.testing.assert_allclose((x @ dropping.parameters["Affine1.W"]).std(axis=0), 1, rtol=1e-5)


def test_a_frozen_batch_normalization_keeps_its_statistics(x):
    made = network(BatchNorm(), Affine(4, weights="unit_variance"))
    made.freeze(["BatchNorm1"])
    made.adapt(x)
    np.testing.assert_allclose((x @ made.parameters["Affine1.W"]).std(axis=0), 1, rtol=1e-4)


def test_the_seed_decides_and_slices_do_not(x):
    made = [network(seeing(), Dropout(0.2), seeing(), seed=seed, slices=n) for seed, n in ((1, 1), (1, 3), (2, 1))]
    for each in made:
        each.adapt(x)
    bits = [each.values.tobytes() for each in made]
    assert bits[0] == bits[1] != bits[2]


def test_a_bias_and_weights_have_random_numbers_of_their_own(x):
    made = network(seeing(biases=ConvexCombination(rows=1)), seeing(biases=ConvexCombination(rows=1)))
    made.adapt(x)
    assert not np.isclose(made.parameters["Affine1.b"], made.parameters["Affine2.b"]).any()


def test_what_goes_wrong_names_the_parameter(x):
    with pytest.raises(ComponentFailure, match=r"initializer of Affine1.b returned an array of shape \(1,\); expected"):
        network(seeing(biases=Wrong())).adapt(x)
    with pytest.raises(ComponentFailure, match=r"initializer of Affine1.b failed in adapt: ZeroDivisionError"):
        network(seeing(biases=Broken())).adapt(x)
    with pytest.raises(ShapeError, match=r"\(400, 5\)"):
        network(seeing()).adapt(x[:, :5])
