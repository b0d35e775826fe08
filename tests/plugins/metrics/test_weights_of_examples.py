"""Metrics of rows that have weights: scikit-learn's ``sample_weight``, and a weight of n counts as n such rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mlpkit import Labels
from mlpkit_plugins.metrics.accuracy import Accuracy
from mlpkit_plugins.metrics.confusion_matrix import ConfusionMatrix
from mlpkit_plugins.metrics.f1 import F1
from mlpkit_plugins.metrics.mean_absolute_error import MeanAbsoluteError
from mlpkit_plugins.metrics.mean_squared_error import MeanSquaredError
from mlpkit_plugins.metrics.precision import Precision
from mlpkit_plugins.metrics.r2 import R2
from mlpkit_plugins.metrics.recall import Recall
from mlpkit_plugins.metrics.roc_auc import RocAuc
from mlpkit_plugins.metrics.top_k import TopK

OF_CLASSES = [
    pytest.param(Precision, "precision_score", id="precision"),
    pytest.param(Recall, "recall_score", id="recall"),
    pytest.param(F1, "f1_score", id="f1"),
]
AVERAGES = st.sampled_from(["macro", "micro", "weighted"])
checked = settings(deadline=None, max_examples=30)


def weights_for(data, rows, least=1):
    """Draw weights that are eighths, so that sums are exact."""
    return data.draw(arrays.arrays(np.int64, rows, elements=st.integers(least, 24))) / 8


@pytest.fixture(scope="session")
def weighted():
    """Return a function that finds a metric's figure for rows that have weights, in two parts that are merged."""

    def figure(made, prediction, t, weights, target=None):
        first, second = made(), made()
        for metric, rows in ((first, slice(0, len(t) // 2)), (second, slice(len(t) // 2, None))):
            if target is not None:
                metric.expect_target(target)
            metric.update(prediction[rows], t[rows], weights[rows])
        first.merge(second)
        return first.result()

    return figure


@checked
@given(data=st.data())
def test_accuracy_and_top_k_are_scikit_learns(sklearn_metrics, weighted, classified, data):
    p, t = data.draw(classified)
    w = weights_for(data, len(t))
    expected = sklearn_metrics.accuracy_score(t, p.argmax(axis=1), sample_weight=w)
    assert weighted(Accuracy, p, t, w) == pytest.approx(expected, abs=1e-12)
    labels = range(p.shape[1])
    expected = sklearn_metrics.top_k_accuracy_score(t, p, k=2, labels=labels, sample_weight=w)
    assert weighted(lambda: TopK(k=2), p, t, w) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("metric", "name"), OF_CLASSES)
@checked
@given(data=st.data(), average=AVERAGES)
def test_ratios_of_classes_and_labels_are_scikit_learns(
    metric, name, sklearn_metrics, weighted, classified, labelled, data, average
):
    score = getattr(sklearn_metrics, name)
    p, t = data.draw(classified)
    w = weights_for(data, len(t))
    expected = score(t, p.argmax(axis=1), average=average, zero_division=0, sample_weight=w)
    assert weighted(lambda: metric(average), p, t, w) == pytest.approx(expected, abs=1e-12)
    p, t = data.draw(labelled)
    w = weights_for(data, len(t))
    expected = score(t, p >= 0.5, average=average, zero_division=0, sample_weight=w)
    found = weighted(lambda: metric(average, threshold=0.5), p, t, w, Labels(t.shape[1]))
    assert found == pytest.approx(expected, abs=1e-12)


@checked
@given(data=st.data(), average=AVERAGES)
def test_the_area_is_scikit_learns(sklearn_metrics, weighted, in_two_classes, labelled, data, average):
    p, t = data.draw(in_two_classes)
    w = weights_for(data, len(t))
    if 0 < t.sum() < len(t):
        expected = sklearn_metrics.roc_auc_score(t, p[:, 1], sample_weight=w)
        assert weighted(RocAuc, p, t, w) == pytest.approx(expected, abs=1e-12)
    p, t = data.draw(labelled)
    w = weights_for(data, len(t))
    if (t.any(axis=0) & ~t.all(axis=0)).all():
        expected = sklearn_metrics.roc_auc_score(t, p, average=average, sample_weight=w)
        found = weighted(lambda: RocAuc(average), p, t, w, Labels(t.shape[1]))
        assert found == pytest.approx(expected, abs=1e-12)


@checked
@given(data=st.data())
def test_errors_of_values_are_scikit_learns(sklearn_metrics, weighted, measured, data):
    p, t = data.draw(measured)
    w = weights_for(data, len(t))
    for metric, name in ((MeanAbsoluteError, "mean_absolute_error"), (MeanSquaredError, "mean_squared_error")):
        expected = getattr(sklearn_metrics, name)(t, p, sample_weight=w)
        assert weighted(metric, p, t, w) == pytest.approx(expected, rel=1e-12)
    if len(t) > 1:
        assert weighted(R2, p, t, w) == pytest.approx(sklearn_metrics.r2_score(t, p, sample_weight=w), rel=1e-9)


@pytest.mark.parametrize(
    ("made", "rows", "rel"),
    [
        *((made, "classified", 0) for made in (Accuracy, lambda: TopK(k=2), F1, lambda: F1("weighted"), RocAuc)),
        *((made, "measured", 1e-9) for made in (MeanAbsoluteError, MeanSquaredError, R2)),
    ],
)
@checked
@given(data=st.data())
def test_a_weight_of_0_leaves_a_row_out(made, rows, rel, weighted, classified, measured, data):
    p, t = data.draw({"classified": classified, "measured": measured}[rows])
    w = weights_for(data, len(t), least=0)
    w[0] = data.draw(st.sampled_from([0.5, 1]))
    counts = w > 0
    found, expected = weighted(made, p, t, w), weighted(made, p[counts], t[counts], w[counts])
    assert found == pytest.approx(expected, rel=rel, abs=1e-12)


def test_a_value_that_rows_without_weight_alone_change_is_the_same_for_all(weighted):
    p, t, w = np.array([1.0, 5.0, 5.0]), np.array([1.0, 5.0, 5.0]), np.array([0.0, 0.3, 0.7])
    assert weighted(R2, p, t, w) == 1.0
    assert weighted(R2, p + 1, t, w) == 0.0


def test_a_table_of_counts_takes_no_weights():
    assert not ConfusionMatrix.takes_weights
