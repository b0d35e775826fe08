"""The share of right predictions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpkit_plugins.metrics.accuracy import Accuracy

PREDICTION = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4], [0.5, 0.25, 0.25]])


def accuracy_of(prediction, t):
    metric = Accuracy()
    metric.update(np.asarray(prediction), np.asarray(t))
    return metric.result()


def test_counts_rows_whose_largest_entry_is_the_target():
    assert accuracy_of(PREDICTION, [0, 1, 2, 1]) == 0.75
    assert accuracy_of(PREDICTION, [0, 1, 2, 0]) == 1.0
    assert accuracy_of(PREDICTION, [1, 0, 0, 1]) == 0.0
    assert type(accuracy_of(PREDICTION, [0, 1, 2, 1])) is float


def test_one_hot_targets_count_as_class_numbers():
    for dtype in (float, int, bool):
        assert accuracy_of(PREDICTION, np.eye(3, dtype=dtype)[[0, 1, 2, 1]]) == 0.75


def test_of_equals_the_first_counts():
    assert accuracy_of([[0.5, 0.5], [0.5, 0.5]], [0, 1]) == 0.5


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_is_scikit_learns(sklearn_metrics, figure_of, classified, in_two_classes, data):
    p, t = data.draw(classified | in_two_classes)
    expected = sklearn_metrics.accuracy_score(t, p.argmax(axis=1))
    assert figure_of(Accuracy, p, t) == pytest.approx(expected, abs=1e-12)
    assert figure_of(Accuracy, p, np.eye(p.shape[1])[t]) == pytest.approx(expected, abs=1e-12)


def test_nothing_seen_is_no_number():
    assert math.isnan(Accuracy().result())
    assert math.isnan(accuracy_of(np.zeros((0, 3)), np.zeros(0, int)))
