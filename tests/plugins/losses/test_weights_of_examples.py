"""Losses of rows that have weights: a weight of n counts as n such rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpkit import Classes, Labels, Sequential, Values
from mlpkit.testing import standalone
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.losses.huber import Huber
from mlpkit_plugins.losses.mean_absolute_error import MeanAbsoluteError
from mlpkit_plugins.losses.mean_squared_error import MeanSquaredError
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
]
of_each = pytest.mark.parametrize(("make", "shape", "target"), CASES)
REPEATS = st.lists(st.integers(0, 3), min_size=2, max_size=12).filter(any)


def targets(target, rows, generator):
    if isinstance(target, Classes):
        t = generator.integers(target.count, size=rows)
        return np.eye(target.count)[t] if target.one_hot else t
    if isinstance(target, Labels):
        return generator.integers(2, size=(rows, target.count)).astype(float)
    return generator.normal(size=(rows, *target.shape))


@of_each
@settings(deadline=None, max_examples=25)
@given(repeats=REPEATS, seed=st.integers(0, 1000))
def test_a_weight_counts_as_that_many_rows(make, shape, target, repeats, seed):
    generator = np.random.default_rng(seed)
    x, t = generator.normal(size=(len(repeats), *shape)), targets(target, len(repeats), generator)
    loss, rows, weights = standalone(make(), shape, target=target), np.repeat(range(len(x)), repeats), np.array(repeats)
    expected, of_rows = loss.forward(x[rows], t[rows]), np.zeros(x.shape)
    np.add.at(of_rows, rows, loss.backward(0.75))
    assert loss.forward(x, t, weights * 1.0) == pytest.approx(expected, rel=1e-12, abs=1e-15)
    np.testing.assert_allclose(loss.backward(0.75), of_rows, rtol=1e-10, atol=1e-14)
    assert loss.weight(t, weights * 1.0) == pytest.approx(loss.weight(t[rows]))
    scaled = loss.forward(x, t, weights * 1e6)
    assert scaled == pytest.approx(expected, rel=1e-12, abs=1e-15)


@of_each
def test_in_float32_dx_has_the_dtype_of_the_network(make, shape, target):
    generator = np.random.default_rng(0)
    x, t = generator.normal(size=(5, *shape)).astype(np.float32), targets(target, 5, generator)
    loss = standalone(make(), shape, target=target, dtype="float32")
    plain = loss.forward(x, t), loss.backward().copy()
    ones = loss.forward(x, t, np.ones(5)), loss.backward()
    assert ones[1].dtype == np.float32
    assert ones[0] == pytest.approx(plain[0], rel=1e-6)
    np.testing.assert_allclose(ones[1], plain[1], rtol=1e-5, atol=1e-8)
    assert (loss.forward(x, t), *loss.backward().ravel()) == (plain[0], *plain[1].ravel())  # the weights are forgotten


@of_each
@pytest.mark.parametrize("slices", [1, 2, 3])
def test_slices_of_a_minibatch_are_weighted_by_their_rows(make, shape, target, slices):
    generator = np.random.default_rng(1)
    x, t, repeats = generator.normal(size=(7, 3)), targets(target, 7, generator), np.array([0, 0, 0, 1, 2, 3, 1])
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
