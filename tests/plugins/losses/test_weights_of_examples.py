"""A minibatch of rows that have weights, cut into slices, is that of repeated rows."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import Classes, Labels, Sequential, Values
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.losses.huber import Huber
from mlpkit_plugins.losses.mean_absolute_error import MeanAbsoluteError
from mlpkit_plugins.losses.mean_squared_error import MeanSquaredError
from mlpkit_plugins.losses.ordinal import Ordinal
from mlpkit_plugins.losses.pinball import Pinball
from mlpkit_plugins.losses.poisson import Poisson
from mlpkit_plugins.losses.sigmoid_with_loss import SigmoidWithLoss
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss

CASES = [
    pytest.param(SoftmaxWithLoss, (4,), Classes(4), id="softmax"),
    pytest.param(SoftmaxWithLoss, (4,), Classes(4, one_hot=True), id="softmax, one-hot"),
    pytest.param(
        lambda: SoftmaxWithLoss(label_smoothing=0.1, class_weights=[1, 0.25, 2, 0.5]), (4,), Classes(4), id="adjusted"
    ),
    pytest.param(
        lambda: SoftmaxWithLoss(class_weights=[1, 0, 2, 0.5]), (4,), Classes(4, one_hot=True), id="class weights"
    ),
    pytest.param(SigmoidWithLoss, (1,), Classes(2), id="sigmoid"),
    pytest.param(lambda: SigmoidWithLoss(class_weights=[0.5, 2]), (1,), Classes(2), id="sigmoid, class weights"),
    pytest.param(SigmoidWithLoss, (3,), Labels(3), id="sigmoid, labels"),
    pytest.param(MeanSquaredError, (2, 3), Values((2, 3)), id="squared"),
    pytest.param(MeanAbsoluteError, (1,), Values((1,)), id="absolute"),
    pytest.param(lambda: Huber(0.5), (2,), Values((2,)), id="huber"),
    pytest.param(lambda: Pinball(0.8), (2,), Values((2,)), id="pinball"),
    pytest.param(lambda: Pinball(quantiles=(0.1, 0.5, 0.7)), (3,), Values((1,)), id="quantiles"),
    pytest.param(Poisson, (2,), Values((2,)), id="counts"),
    pytest.param(Ordinal, (1,), Classes(4), id="ordered classes"),
    pytest.param(Ordinal, (1,), Classes(4, one_hot=True), id="ordered classes, one-hot"),
]
of_each = pytest.mark.parametrize(("make", "shape", "target"), CASES)


def targets(target, rows, generator):
    if isinstance(target, Classes):
        t = generator.integers(target.count, size=rows)
        return np.eye(target.count)[t] if target.one_hot else t
    if isinstance(target, Labels):
        return generator.integers(2, size=(rows, target.count)).astype(float)
    return generator.normal(size=(rows, *target.shape))


@of_each
@pytest.mark.parametrize("slices", [1, 2, 3])
def test_slices_of_a_minibatch_are_weighted_by_their_rows(make, shape, target, slices):
    generator = np.random.default_rng(1)
    x, t, repeats = generator.normal(size=(7, 3)), targets(target, 7, generator), np.array([0, 0, 0, 1, 2, 3, 1])
    t = t if make().takes_negative_values else t**2
    rows, units = np.repeat(np.arange(7), repeats), int(np.prod(shape))

    def network(count):
        layers = [Affine(units)] if len(shape) == 1 else [Affine(units), Affine(units)]
        ends = [make()] if len(shape) == 1 else [_reshape(shape), make()]
        return Sequential([*layers, *ends], (3,), target=target, dtype="float64", slices=count)

    found, expected = network(slices), network(1)
    assert found.loss(x, t, repeats) == pytest.approx(expected.loss(x[rows], t[rows]), rel=1e-12)
    gradient = expected.gradient(x[rows], t[rows])
    for name, values in found.gradient(x, t, repeats).items():
        np.testing.assert_allclose(values, gradient[name], rtol=1e-9, atol=1e-13)


def _reshape(shape):
    from mlpkit_plugins.layers.reshape import Reshape

    return Reshape(shape)
