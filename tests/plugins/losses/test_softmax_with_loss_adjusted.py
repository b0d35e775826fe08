"""Softmax and cross-entropy with smoothed labels and weighted classes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mlpkit import Classes, ParameterError, Sequential, ShapeError, UsageError
from mlpkit.testing import check_gradients, standalone
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss

ADJUSTED = [
    {"label_smoothing": 0.1},
    {"class_weights": [1, 0, 2.5]},
    {"label_smoothing": 0.3, "class_weights": [1, 2, 3]},
]


def loss_of(classes, dtype="float64", **parameters):
    return standalone(SoftmaxWithLoss(**parameters), (classes,), target=Classes(classes), dtype=dtype)


@pytest.mark.parametrize("parameters", ADJUSTED)
@settings(max_examples=40, deadline=None)
@given(
    x=arrays.arrays(np.float64, (4, 3), elements=st.floats(-20, 20)),
    t=arrays.arrays(np.int64, 4, elements=st.integers(0, 2)),
    one_hot=st.booleans(),
)
def test_gradients_are_those_of_central_differences(parameters, x, t, one_hot):
    check_gradients(SoftmaxWithLoss(**parameters), (3,), x=x, t=np.eye(3)[t] if one_hot else t)


@pytest.mark.parametrize("weights", [None, np.array([1.0, 3.0])])
@pytest.mark.parametrize("parameters", [{}, *ADJUSTED])
def test_a_second_backward_is_that_of_another_dloss_alone(parameters, weights):
    loss = loss_of(3, **parameters)
    loss.forward(np.array([[1.0, 2, 3], [0, 0, 0]]), np.array([0, 2]), weights)
    first = loss.backward().copy()
    np.testing.assert_array_equal(loss.backward(2.0), 2 * first)


def test_is_the_formula():
    x, t = np.array([[1.0, 2, 3], [0, 0, 0]]), np.array([0, 2])
    weights = np.array([1, 2, 4])
    log_p = x - np.log(np.exp(x).sum(axis=1, keepdims=True))
    u = weights * (0.7 * np.eye(3)[t] + 0.1)
    loss = loss_of(3, label_smoothing=0.3, class_weights=[1, 2, 4])
    assert loss.forward(x, t) == pytest.approx(-(u * log_p).sum() / 5, rel=1e-14)
    expected = (u.sum(axis=1, keepdims=True) * np.exp(log_p) - u) / 5
    np.testing.assert_allclose(loss.backward(), expected, rtol=1e-13)
    np.testing.assert_allclose(loss.predict(x), np.exp(log_p), rtol=1e-14)


@settings(max_examples=40, deadline=None)
@given(arrays.arrays(np.float64, (4, 3), elements=st.floats(-100, 100)), st.floats(0.125, 8))
def test_equal_weights_change_nothing(x, weight):
    t = np.array([0, 1, 2, 1])
    plain, weighted = loss_of(3), loss_of(3, class_weights=[weight] * 3)
    assert weighted.forward(x, t) == pytest.approx(plain.forward(x, t), rel=1e-12, abs=1e-12)
    np.testing.assert_allclose(weighted.backward(), plain.backward(), rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("unit", [1e-46, 1e-40, 1e30, 1e39])
@pytest.mark.parametrize("weights", [None, np.array([1e10, 3e10], np.float32), np.array([1e-10, 3e-10], np.float32)])
def test_the_unit_of_weights_does_not_matter(unit, weights):
    x, t = np.array([[1, 2], [0, 1]], np.float32), np.array([0, 1])
    loss, in_unit = (loss_of(2, "float32", class_weights=[1 * scale, 2 * scale]) for scale in (1.0, unit))
    assert in_unit.forward(x, t, weights) == pytest.approx(loss.forward(x, t, weights), rel=1e-6)
    np.testing.assert_allclose(in_unit.backward(), loss.backward(), rtol=1e-6)


def test_large_logits_of_weighted_classes():
    x, t = np.array([[1e38, -1e37, 0], [0, 1e38, 1e37]], np.float32), np.array([1, 0])
    loss = loss_of(3, "float32", class_weights=[0.1, 5, 2], label_smoothing=0.1)
    exact = loss_of(3, "float64", class_weights=[0.1, 5, 2], label_smoothing=0.1)
    assert loss.forward(x, t) == pytest.approx(exact.forward(x.astype(float), t), rel=1e-6)


@pytest.mark.parametrize("parameters", ADJUSTED)
def test_class_numbers_and_one_hot_rows_agree(parameters):
    x, t = np.random.default_rng(0).normal(size=(7, 3)), np.arange(7) % 3
    by_number, by_row = loss_of(3, **parameters), loss_of(3, **parameters)
    assert by_row.forward(x, np.eye(3, dtype=bool)[t]) == by_number.forward(x, t.astype("uint8"))
    np.testing.assert_array_equal(by_row.backward(), by_number.backward())
    assert by_row.weight(np.eye(3)[t]) == by_number.weight(t)


@pytest.mark.parametrize("slices", [1, 2, 3])
def test_slices_and_pieces_of_a_split_count_by_the_weight_of_their_rows(slices):
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(9, 4)), rng.integers(0, 3, 9)
    weights = [1.0, 0.0, 5.0]
    networks = [
        Sequential([Affine(3), SoftmaxWithLoss(class_weights=weights)], (4,), dtype="float64", slices=n)
        for n in (1, slices)
    ]
    expected, found = (network.gradient(x, t) for network in networks)
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-12, atol=1e-15)
    pieces = [(x[i : i + 2], t[i : i + 2]) for i in range(0, 9, 2)]
    assert networks[0].evaluate_batches(pieces, {})["loss"] == pytest.approx(networks[0].loss(x, t), rel=1e-13)


def test_rows_of_classes_that_do_not_count_give_neither_loss_nor_gradient():
    loss = loss_of(3, class_weights=[1, 0, 1])
    assert loss.weight(np.array([1, 1])) == 0
    assert loss.forward(np.ones((2, 3)), np.array([1, 1])) == 0
    np.testing.assert_array_equal(loss.backward(), 0)


@pytest.mark.parametrize("parameters", ADJUSTED)
def test_stays_finite_for_logits_of_any_size(parameters):
    rng = np.random.default_rng(0)
    x = rng.choice(np.array([-1e37, -1e4, -100, 0, 1, 1e4, 1e37], np.float32), (200, 3))
    loss = loss_of(3, "float32", **parameters)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert np.isfinite(loss.forward(x, rng.integers(0, 3, 200)))
        assert np.isfinite(loss.backward()).all()


@pytest.mark.parametrize("parameters", ADJUSTED)
def test_labels_out_of_range_are_refused(parameters):
    loss = loss_of(3, **parameters)
    for label in (-1, 3):
        message = f"SoftmaxWithLoss1 got the label {label}; expected class numbers from 0 to 2"
        with pytest.raises(UsageError, match=message):
            loss.forward(np.zeros((2, 3)), np.array([0, label]))
    if "class_weights" in parameters:
        with pytest.raises(UsageError, match="got the label 3"):
            loss.weight(np.array([3]))


def test_what_the_parameters_may_be():
    with pytest.raises(ParameterError, match=r"label_smoothing: 1\.0 is out of range"):
        SoftmaxWithLoss(label_smoothing=1.0)
    with pytest.raises(
        ParameterError, match="class_weights: all weights are 0; expected a number greater than 0 among"
    ):
        SoftmaxWithLoss(class_weights=[0, 0])
    with pytest.raises(ParameterError, match="class_weights"):
        SoftmaxWithLoss(class_weights=[1, -1])
    with pytest.raises(ShapeError, match="has 2 class weights for 3 logits; expected 3 numbers in class_weights"):
        SoftmaxWithLoss(class_weights=[1, 2]).build((3,), None)
