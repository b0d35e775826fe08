"""Log loss and expected calibration error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpkit import Classes, Labels
from mlpkit_plugins.metrics.calibration_error import CalibrationError
from mlpkit_plugins.metrics.log_loss import LogLoss


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_log_loss_of_classes_is_scikit_learns(sklearn_metrics, figure_of, classified, data):
    p, t = data.draw(classified)
    count = p.shape[1]
    expected = sklearn_metrics.log_loss(t, p, labels=range(count))
    assert figure_of(LogLoss, p, t, Classes(count)) == pytest.approx(expected)
    assert figure_of(LogLoss, p, np.eye(count)[t], Classes(count, one_hot=True)) == pytest.approx(expected)


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_log_loss_of_labels_is_the_mean_over_rows_and_labels(figure_of, labelled, data):
    p, t = data.draw(labelled)
    p = 0.05 + 0.9 * p
    expected = -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean()
    assert figure_of(LogLoss, p, t, Labels(p.shape[1])) == pytest.approx(expected)


def test_a_probability_of_0_costs_much_and_not_all(figure_of):
    assert figure_of(LogLoss, [[1, 0]], [1], Classes(2)) == pytest.approx(-np.log(np.finfo(float).tiny))


@settings(deadline=None, max_examples=40)
@given(data=st.data(), bins=st.integers(1, 20))
def test_calibration_error_bin_by_bin(figure_of, classified, data, bins):
    p, t = data.draw(classified)
    top, right = p.max(axis=1), p.argmax(axis=1) == t
    places = [min(int(each * bins), bins - 1) for each in top]
    of_bins = [[i for i, place in enumerate(places) if place == number] for number in range(bins)]
    expected = sum(len(rows) * abs(top[rows].mean() - right[rows].mean()) for rows in of_bins if rows) / len(t)
    assert figure_of(CalibrationError, p, t, Classes(p.shape[1]), bins=bins) == pytest.approx(expected, abs=1e-9)


def test_calibration_error_of_labels_counts_each_label(figure_of):
    p, t = np.array([[0.8, 0.1], [0.8, 0.1]]), np.array([[1.0, 0.0], [0.0, 0.0]])
    assert figure_of(CalibrationError, p, t, Labels(2)) == pytest.approx((0.3 + 0.1) / 2)


@pytest.mark.parametrize("metric", [LogLoss, CalibrationError])
@pytest.mark.parametrize("target", [Classes(3), Labels(3)], ids=str)
def test_a_weight_counts_as_copies(metric, target):
    random, counts = np.random.default_rng(0), np.arange(20) % 4
    p = random.dirichlet(np.ones(3), 20)
    t = random.integers(0, 3, 20) if isinstance(target, Classes) else random.integers(0, 2, (20, 3)).astype(float)
    figures = []
    for rows, weights in ((np.arange(20), counts.astype(float)), (np.repeat(np.arange(20), counts), None)):
        made = metric()
        made.expect_target(target)
        made.update(p[rows], t[rows], weights)
        figures.append(made.result())
    assert figures[0] == pytest.approx(figures[1])
