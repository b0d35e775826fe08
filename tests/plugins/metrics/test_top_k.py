"""The share of predictions that are right within k guesses."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpkit import ParameterError
from mlpkit_plugins.metrics.top_k import TopK

PREDICTION = [[0.4, 0.3, 0.2, 0.1], [0.1, 0.2, 0.3, 0.4], [0.25, 0.25, 0.25, 0.25]]


def test_counts_rows_whose_target_is_among_the_k_largest(figure_of):
    assert figure_of(TopK, PREDICTION, [1, 1, 3], k=1) == pytest.approx(1 / 3)
    assert figure_of(TopK, PREDICTION, [1, 1, 3], k=2) == pytest.approx(2 / 3)
    assert figure_of(TopK, PREDICTION, [1, 1, 3], k=3) == figure_of(TopK, PREDICTION, [1, 1, 3]) == 1.0


def test_of_equals_the_last_come_first(figure_of):
    assert [figure_of(TopK, PREDICTION[2:], [c], k=2) for c in range(4)] == [0, 0, 1, 1]


@settings(deadline=None, max_examples=40)
@given(data=st.data(), k=st.integers(1, 7))
def test_is_scikit_learns(sklearn_metrics, figure_of, classified, data, k):
    p, t = data.draw(classified)
    classes = p.shape[1]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "'k' .* greater than or equal to 'n_classes'")
        expected = sklearn_metrics.top_k_accuracy_score(t, p, k=k, labels=range(classes))
    assert figure_of(TopK, p, t, k=k) == pytest.approx(expected, abs=1e-12)
    assert figure_of(TopK, p, np.eye(classes)[t], k=k) == pytest.approx(expected, abs=1e-12)


def test_a_prediction_that_is_no_number_is_not_right(figure_of):
    assert figure_of(TopK, [[np.nan, np.nan, np.nan]], [2], k=2) == 0.0


def test_nothing_seen_is_no_number():
    assert math.isnan(TopK().result())


def test_there_is_at_least_one_guess():
    with pytest.raises(ParameterError, match="k: 0 is out of range; expected an integer, at least 1"):
        TopK(k=0)
