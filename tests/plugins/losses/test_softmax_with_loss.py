"""Softmax and cross-entropy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mlpkit import Classes, Labels, ShapeError, UsageError, Values
from mlpkit.testing import check_gradients, standalone
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss

INTEGERS = ["uint8", "int8", "int16", "int32", "int64", "uint64"]


def loss_of(classes, dtype="float64"):
    return standalone(SoftmaxWithLoss(), (classes,), target=Classes(classes), dtype=dtype)


@st.composite
def logits_and_labels(draw, largest):
    shape = draw(arrays.array_shapes(min_dims=2, max_dims=2, max_side=6))
    x = draw(arrays.arrays(np.float64, shape, elements=st.floats(-largest, largest)))
    return x, draw(arrays.arrays(np.int64, shape[0], elements=st.integers(0, shape[1] - 1)))


@settings(max_examples=60, deadline=None)
@given(logits_and_labels(20), st.booleans())
def test_gradients_are_those_of_central_differences(drawn, one_hot):
    x, t = drawn
    classes = x.shape[1]
    check_gradients(SoftmaxWithLoss(), (classes,), x=x, t=np.eye(classes)[t] if one_hot else t)


def test_is_the_formula():
    loss = loss_of(3)
    x, t = np.array([[1.0, 2, 3], [0, 0, 0]]), np.array([0, 2])
    p = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    assert loss.forward(x, t) == pytest.approx(-(np.log(p[0, 0]) + np.log(p[1, 2])) / 2, rel=1e-14)
    np.testing.assert_allclose(loss.backward(), (p - np.eye(3)[t]) / 2, rtol=1e-14, atol=1e-16)
    np.testing.assert_allclose(loss.predict(x), p, rtol=1e-14)


@settings(max_examples=60, deadline=None)
@given(logits_and_labels(1e3), st.sampled_from(["float32", "float64"]))
def test_class_numbers_and_one_hot_rows_agree(drawn, dtype):
    x, t = drawn[0].astype(dtype), drawn[1]
    classes = x.shape[1]
    by_number, by_row = loss_of(classes, dtype), loss_of(classes, dtype)
    expected = by_number.forward(x, t)
    gradient = by_number.backward().copy()
    for one_hot in (np.eye(classes, dtype=dtype)[t], np.eye(classes, dtype=bool)[t], np.eye(classes, dtype="int64")[t]):
        assert by_row.forward(x, one_hot) == pytest.approx(expected, rel=1e-6, abs=1e-6)
        np.testing.assert_array_equal(by_row.backward(), gradient)


@pytest.mark.parametrize("kind", INTEGERS)
@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_class_numbers_may_be_of_any_integer_type(kind, rows):
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(rows, 10)), rng.integers(0, 10, rows)
    loss, other = loss_of(10), loss_of(10)
    assert loss.forward(x, t.astype(kind)) == other.forward(x, t)
    np.testing.assert_array_equal(loss.backward(), other.backward())


@pytest.mark.parametrize("one_hot", [False, True])
def test_stays_finite_for_logits_of_any_size(one_hot):
    rng = np.random.default_rng(0)
    x = rng.choice(np.array([-1e38, -1e4, -100, 0, 1, 1e4, 1e38], np.float32), (200, 5))
    labels = rng.integers(0, 5, 200)
    loss = loss_of(5, "float32")
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        value = loss.forward(x, np.eye(5, dtype=np.float32)[labels] if one_hot else labels)
        gradient = loss.backward()
        prediction = loss.predict(x)
    assert np.isfinite(value)
    assert value > 1e37
    assert np.isfinite(gradient).all()
    assert np.abs(gradient).max() <= 1 / 200
    np.testing.assert_allclose(prediction.sum(axis=1), 1, rtol=1e-6)


@given(arrays.arrays(np.float64, (3, 5), elements=st.floats(-1e38, 1e38)).map(np.float32))
def test_predictions_are_probabilities(x):
    p = loss_of(5, "float32").predict(x)
    assert (p >= 0).all()
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(p[np.arange(3), x.argmax(axis=1)], p.max(axis=1))


def test_predicting_does_not_disturb_a_pass():
    loss = loss_of(3)
    x, t = np.array([[1.0, 2, 3]]), np.array([0])
    loss.forward(x, t)
    expected = loss.backward().copy()
    loss.predict(-x)
    loss.forward(x, t)
    np.testing.assert_array_equal(loss.backward(), expected)


TAKES = "expected class numbers, integers of shape (2,), or one-hot rows of shape (2, 3)"


@pytest.mark.parametrize(
    ("t", "error", "message"),
    [
        ([0, 3], UsageError, "SoftmaxWithLoss1 got the label 3; expected class numbers from 0 to 2"),
        ([-1, 0], UsageError, "SoftmaxWithLoss1 got the label -1; expected class numbers from 0 to 2"),
        ([0.0, 1.0], ShapeError, f"SoftmaxWithLoss1 can't take targets of float64 of shape (2,); {TAKES}"),
        ([True, False], ShapeError, f"SoftmaxWithLoss1 can't take targets of bool of shape (2,); {TAKES}"),
        ([[0], [1]], ShapeError, f"SoftmaxWithLoss1 can't take targets of int64 of shape (2, 1); {TAKES}"),
        ([0, 1, 2], ShapeError, f"SoftmaxWithLoss1 can't take targets of int64 of shape (3,); {TAKES}"),
        (np.eye(2), ShapeError, f"SoftmaxWithLoss1 can't take targets of float64 of shape (2, 2); {TAKES}"),
        (
            [[1, 1, 0], [0, 1, 0]],
            UsageError,
            "SoftmaxWithLoss1 got a target row whose sum is not 1; expected one-hot rows",
        ),
        (
            [[0, 0, 0], [0, 1, 0]],
            UsageError,
            "SoftmaxWithLoss1 got a target row whose sum is not 1; expected one-hot rows",
        ),
        (
            [[np.nan, 0, 0], [0, 1, 0]],
            UsageError,
            "SoftmaxWithLoss1 got a target row whose sum is not 1; expected one-hot rows",
        ),
    ],
)
def test_targets_that_are_none_are_refused(t, error, message):
    with pytest.raises(error) as caught:
        loss_of(3).forward(np.zeros((2, 3)), np.asarray(t))
    assert str(caught.value) == message


@pytest.mark.parametrize(("rest", "taken"), [(0.0989, False), (0.0991, True), (0.1009, True), (0.1011, False)])
def test_a_row_may_miss_the_sum_of_1_by_a_thousandth(rest, taken):
    loss, t = loss_of(3), np.array([[0.4, 0.5, rest]])
    if taken:
        assert loss.forward(np.zeros((1, 3)), t) == pytest.approx(np.log(3), rel=1e-3)
    else:
        with pytest.raises(UsageError, match="row whose sum is not 1"):
            loss.forward(np.zeros((1, 3)), t)


def test_rows_of_probabilities_may_stand_for_one_hot_ones():
    check_gradients(SoftmaxWithLoss(), (3,), x=np.array([[1.0, 2, 3]]), t=[[0.2, 0.3, 0.5]])


@pytest.mark.parametrize("target", [Labels(3), Values((3,)), Classes(4)])
def test_data_that_does_not_fit_is_refused(target):
    with pytest.raises(ShapeError):
        SoftmaxWithLoss().build((3,), target)


def test_data_that_fits_or_is_not_known_is_taken():
    SoftmaxWithLoss().build((3,), None)
    SoftmaxWithLoss().build((3,), Classes(3))
    SoftmaxWithLoss().build((3,), Classes(3, one_hot=True))
    with pytest.raises(ShapeError, match="put Flatten before it"):
        SoftmaxWithLoss().build((3, 4), None)
