"""Metrics of real values: mean absolute and squared error, and the coefficient of determination."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpkit import ShapeError
from mlpkit_plugins.metrics.mean_absolute_error import MeanAbsoluteError
from mlpkit_plugins.metrics.mean_squared_error import MeanSquaredError
from mlpkit_plugins.metrics.r2 import R2

ALL = [
    pytest.param(MeanAbsoluteError, "mean_absolute_error", id="mean_absolute_error"),
    pytest.param(MeanSquaredError, "mean_squared_error", id="mean_squared_error"),
    pytest.param(R2, "r2_score", id="r2"),
]
of_each = pytest.mark.parametrize(("metric", "name"), ALL)


def test_by_hand(figure_of):
    prediction, t = [1.0, 2.0, 5.0, 4.0], [1.0, 3.0, 3.0, 5.0]
    assert figure_of(MeanAbsoluteError, prediction, t) == 1.0
    assert figure_of(MeanSquaredError, prediction, t) == 1.5
    assert figure_of(R2, prediction, t) == 1 - 6 / 8


@of_each
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_is_scikit_learns(metric, name, sklearn_metrics, figure_of, measured, data):
    prediction, t = data.draw(measured)
    if metric is R2 and len(t) == 1:  # scikit-learn gives none
        return
    expected = getattr(sklearn_metrics, name)(t, prediction)
    assert figure_of(metric, prediction, t) == pytest.approx(expected, rel=1e-12, abs=1e-12)


@of_each
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_values_of_any_shape_count_each_for_itself(metric, name, figure_of, measured, data):
    prediction, t = data.draw(measured)
    if t.ndim == 1:
        expected = figure_of(metric, prediction, t)
        assert figure_of(metric, prediction[:, None], t) == expected
        assert figure_of(metric, prediction, t[:, None]) == expected
    else:
        twice = np.stack([prediction, prediction], axis=1), np.stack([t, t], axis=1)
        assert figure_of(metric, *twice) == pytest.approx(figure_of(metric, prediction, t), rel=1e-12)


@of_each
@pytest.mark.parametrize(("predicted", "targets"), [((5, 3), (5,)), ((5, 3), (5, 2)), ((1, 3), (1,)), ((6,), (3, 2))])
def test_a_prediction_for_each_value_is_needed(metric, name, predicted, targets):
    with pytest.raises(ShapeError) as caught:
        metric().update(np.zeros(predicted), np.zeros(targets))
    assert str(caught.value) == (
        f"predictions have the shape {predicted}, and targets {targets}; expected a prediction for each value; "
        "give the last layer one unit per value"
    )


@of_each
def test_single_precision_is_added_up_in_double(metric, name, sklearn_metrics):
    rng = np.random.default_rng(0)
    t = rng.normal(1000, 1, 100_000).astype("float32")
    prediction = t + rng.normal(size=t.shape).astype("float32")
    found = metric()
    found.update(prediction, t)
    expected = getattr(sklearn_metrics, name)(t.astype("float64"), prediction.astype("float64"))
    assert found.result() == pytest.approx(expected, rel=1e-10)


def test_errors_are_better_when_lower():
    assert [metric.higher_is_better for metric in (MeanAbsoluteError, MeanSquaredError, R2)] == [False, False, True]


@of_each
def test_nothing_seen_is_no_number(metric, name):
    assert math.isnan(metric().result())


def test_r2_of_values_that_are_all_the_same(figure_of):
    for value in (0.0, 0.1, 1e9 / 3):
        t = np.full(50, value)
        assert figure_of(R2, t, t) == 1.0
        assert figure_of(R2, t + 1, t) == 0.0
    assert figure_of(R2, [2.0], [2.0]) == 1.0
    assert figure_of(R2, [2.0], [3.0]) == 0.0


def test_r2_far_from_zero_keeps_its_digits(sklearn_metrics, figure_of):
    rng = np.random.default_rng(0)
    t = 1e8 + rng.integers(0, 64, 1000)
    prediction = t + rng.integers(-8, 8, 1000)
    assert figure_of(R2, prediction, t) == pytest.approx(sklearn_metrics.r2_score(t, prediction), rel=1e-12)
