"""Losses on real values: what they share, and each one's formula."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mlpkit import Classes, Labels, ParameterError, ShapeError, Values
from mlpkit.testing import check_gradients, standalone
from mlpkit_plugins.losses.huber import Huber
from mlpkit_plugins.losses.mean_absolute_error import MeanAbsoluteError
from mlpkit_plugins.losses.mean_squared_error import MeanSquaredError

LOSSES = [MeanSquaredError, MeanAbsoluteError, Huber]
away_from_the_kinks = st.one_of(st.floats(-20, -1.01), st.floats(-0.99, -0.01), st.floats(0.01, 0.99))


def loss_of(make, shape, dtype="float64"):
    return standalone(make(), shape, target=Values(shape), dtype=dtype)


@pytest.mark.parametrize("make", LOSSES)
@settings(max_examples=60, deadline=None)
@given(
    r=arrays.arrays(np.float64, arrays.array_shapes(min_dims=1, max_dims=3, max_side=4), elements=away_from_the_kinks),
    seed=st.integers(0, 99),
)
def test_gradients_are_those_of_central_differences(make, r, seed):
    t = np.random.default_rng(seed).uniform(-1, 1, r.shape)
    check_gradients(make(), r.shape[1:], x=t + r, t=t, target=Values(r.shape[1:]))


@pytest.mark.parametrize(
    ("make", "value", "dx"),
    [
        (MeanSquaredError, (0.25 + 9 + 0 + 1) / 4, [[-1, 6], [0, 2]]),
        (MeanAbsoluteError, (0.5 + 3 + 0 + 1) / 4, [[-1, 1], [0, 1]]),
        (Huber, (0.125 + 2.5 + 0 + 0.5) / 4, [[-0.5, 1], [0, 1]]),
        (lambda: Huber(2.0), (0.125 + 2 * (3 - 1) + 0 + 0.5) / 4, [[-0.5, 2], [0, 1]]),
    ],
)
def test_is_the_formula(make, value, dx):
    loss = loss_of(make, (2,))
    x, t = np.array([[1.0, 2], [3, 4]]), np.array([[1.5, -1], [3, 3]])
    assert loss.forward(x, t) == value
    np.testing.assert_array_equal(loss.backward(2.0), 2 * np.array(dx) / 4)
    np.testing.assert_array_equal(loss.predict(x), x)


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(np.float64, (3, 2), elements=st.floats(-1e3, 1e3)), st.floats(0.1, 1e4))
def test_huber_lies_below_the_square_and_the_absolute_value(x, delta):
    t = np.zeros_like(x)
    found = loss_of(lambda: Huber(delta), (2,)).forward(x, t)
    rounding = 1e-300  # squares near the smallest float have few digits
    assert found <= loss_of(MeanSquaredError, (2,)).forward(x, t) / 2 * (1 + 1e-12) + rounding
    assert found <= loss_of(MeanAbsoluteError, (2,)).forward(x, t) * delta * (1 + 1e-12) + rounding


@pytest.mark.parametrize("make", LOSSES)
def test_stays_finite_for_large_differences(make):
    loss = loss_of(make, (2,), "float32")
    with np.errstate(over="raise", invalid="raise"):
        value = loss.forward(np.array([[1e38, -1e38]], np.float32), np.array([[-1e38, 1e38]], np.float32))
        gradient = loss.backward()
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("make", LOSSES)
@pytest.mark.parametrize("kind", ["int64", "uint8", "float32", "float64"])
def test_targets_may_be_of_any_type_of_number(make, kind):
    loss = loss_of(make, (2,), "float32")
    x, t = np.array([[1.5, 2]], np.float32), np.array([[1, 5]])
    expected = loss.forward(x, t.astype(np.float32))
    assert loss.forward(x, t.astype(kind)) == expected
    assert loss.backward().dtype == np.float32


@pytest.mark.parametrize("make", LOSSES)
@pytest.mark.parametrize(
    ("t", "what"), [(np.zeros(2), r"float64 of shape \(2,\)"), (np.zeros((2, 3), bool), r"bool of shape \(2, 3\)")]
)
def test_targets_that_are_none_are_refused(make, t, what):
    with pytest.raises(
        ShapeError, match=rf"1 can't take targets of {what}; expected numbers of shape \(2, 3\), as the"
    ):
        loss_of(make, (3,)).forward(np.zeros((2, 3)), t)


@pytest.mark.parametrize("make", LOSSES)
@pytest.mark.parametrize(
    ("target", "message"),
    [
        (Classes(3), "compares real values, but the data gives 3 classes; expected data whose target is real values"),
        (Labels(3), "compares real values, but the data gives 3 labels; expected data whose target is real values"),
        (
            Values((2,)),
            r"gets inputs of shape \(3,\) for real values of shape \(2,\); expected inputs of shape \(2,\), "
            "one per value; give the last layer before it 2 units",
        ),
        (Values(()), r"expected inputs of shape \(\), one per value; put Reshape: \{shape: \[\]\} before it"),
        (
            Values((1, 3)),
            r"expected inputs of shape \(1, 3\), one per value; put Reshape: \{shape: \[1, 3\]\} before it",
        ),
    ],
)
def test_data_that_does_not_fit_is_refused(make, target, message):
    with pytest.raises(ShapeError, match=message):
        make().build((3,), target)


def test_delta_has_a_range():
    with pytest.raises(ParameterError, match=r"delta: 0\.0 is out of range"):
        Huber(0.0)
