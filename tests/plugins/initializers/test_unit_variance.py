"""Weights that give every output unit variance over training data."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import Sequential
from mlpkit_plugins.initializers.unit_variance import UnitVariance
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.conv2d import Conv2d
from mlpkit_plugins.layers.flatten import Flatten
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("ntk", [False, True])
def test_the_rule_of_pytabkit(ntk):
    """Its ``weight_init_mode='std'``, with and without ``weight_param='ntk'``, for the same normal numbers."""
    x = RNG.normal(2, 3, (300, 7))
    first = Affine(5, weights="unit_variance", ntk=ntk)
    made = Sequential([first, Affine(2), SoftmaxWithLoss()], (7,), dtype="float64")
    gain, init_factor = (7**-0.5, 1.0) if ntk else (1.0, 7**-0.5)
    numbers = made.parameters["Affine1.W"] / init_factor
    assert numbers.std() == pytest.approx(1, rel=0.3)
    expected = init_factor * numbers / (x @ (gain * init_factor * numbers)).std(axis=0)
    made.adapt(x)
    np.testing.assert_allclose(made.parameters["Affine1.W"], expected)


def test_filters_have_unit_variance_over_all_pixels():
    x = RNG.normal(2, 3, (50, 2, 6, 5))
    made = Sequential(
        [Conv2d(4, 3, weights="unit_variance"), Flatten(), Affine(2), SoftmaxWithLoss()], (2, 6, 5), dtype="float64"
    )
    made.adapt(x)
    np.testing.assert_allclose(made.activations(x)["Conv2d1"].std(axis=(0, 2, 3)), 1)


def test_a_unit_whose_outputs_do_not_vary_keeps_its_weights():
    values = RNG.normal(size=(3, 2))
    adapted = UnitVariance().adapt(values, lambda V: np.full((4, 1), 7.0) @ V[:1] * [0, 1] + [1, 0], -1, RNG)
    np.testing.assert_array_equal(adapted, values)
