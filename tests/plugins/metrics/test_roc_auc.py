"""The area under the receiver operating characteristic."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpkit import Classes, Labels
from mlpkit_plugins.metrics.roc_auc import RocAuc

averages = st.sampled_from(["macro", "micro", "weighted"])


def area_of(sklearn_metrics, p, member, average):
    """Return scikit-learn's figure, with the classes left out for which it gives none."""
    if average == "micro":
        p, member = p.reshape(-1, 1), member.reshape(-1, 1)
    counted = [c for c in range(p.shape[1]) if 0 < member[:, c].sum() < len(member)]
    if not counted:
        return 0.5
    if len(counted) == 1:
        return sklearn_metrics.roc_auc_score(member[:, counted[0]], p[:, counted[0]])
    return sklearn_metrics.roc_auc_score(member[:, counted], p[:, counted], average=average)


def test_is_the_probability_that_a_member_scores_above_another(figure_of):
    prediction, t = np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1])
    assert figure_of(RocAuc, prediction, t) == 0.75
    assert figure_of(RocAuc, np.column_stack([1 - prediction, prediction]), t) == 0.75
    assert figure_of(RocAuc, -prediction, t) == 0.25
    assert figure_of(RocAuc, [0.3, 0.3, 0.3], [0, 1, 0]) == 0.5


@settings(deadline=None, max_examples=40)
@given(data=st.data(), average=averages)
def test_of_classes_it_is_scikit_learns(sklearn_metrics, figure_of, classified, data, average):
    p, t = data.draw(classified)
    classes = p.shape[1]
    member = t[:, None] == np.arange(classes)
    expected = area_of(sklearn_metrics, p, member, average)
    assert figure_of(RocAuc, p, t, average=average) == pytest.approx(expected, abs=1e-12)
    assert figure_of(RocAuc, p, member.astype(float), average=average) == pytest.approx(expected, abs=1e-12)
    if member.any(axis=0).all():
        of_all = sklearn_metrics.roc_auc_score(t, p, multi_class="ovr", average=average)
        assert of_all == pytest.approx(expected, abs=1e-12)


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_of_two_classes_it_is_scikit_learns(sklearn_metrics, figure_of, in_two_classes, data):
    p, t = data.draw(in_two_classes)
    expected = area_of(sklearn_metrics, p[:, 1:], t[:, None], "macro")
    for prediction, targets in ((p, t), (p[:, 1:], t), (p[:, 1], t), (p[:, 1:], t[:, None].astype(float))):
        assert figure_of(RocAuc, prediction, targets) == pytest.approx(expected, abs=1e-12)
        assert figure_of(RocAuc, prediction, targets, Classes(2)) == pytest.approx(expected, abs=1e-12)


@settings(deadline=None, max_examples=40)
@given(data=st.data(), average=averages)
def test_two_classes_one_hot_are_not_two_labels(sklearn_metrics, figure_of, in_two_classes, data, average):
    p, t = data.draw(in_two_classes)
    one_hot = Classes(2, one_hot=True)
    expected = area_of(sklearn_metrics, p[:, 1:], t[:, None], "macro")
    assert figure_of(RocAuc, p, np.eye(2)[t], one_hot, average=average) == pytest.approx(expected, abs=1e-12)


def test_micro_compares_predictions_for_different_labels(figure_of):
    p, t = np.array([[0.1, 0.6], [0.2, 0.7]]), np.array([[0, 0], [1, 1]])
    assert figure_of(RocAuc, p, t, Labels(2)) == 1.0
    assert figure_of(RocAuc, p, t, Labels(2), average="micro") == 0.75


@settings(deadline=None, max_examples=40)
@given(data=st.data(), average=averages)
def test_of_labels_it_is_scikit_learns(sklearn_metrics, figure_of, labelled, data, average):
    p, t = data.draw(labelled)
    expected = area_of(sklearn_metrics, p, t, average)
    assert figure_of(RocAuc, p, t, average=average) == pytest.approx(expected, abs=1e-12)


def test_many_examples_and_close_scores(sklearn_metrics, figure_of):
    rng = np.random.default_rng(0)
    prediction, t = 0.5 + 1e-15 * rng.integers(-20, 20, 5000), rng.integers(0, 2, 5000)
    assert figure_of(RocAuc, prediction, t) == pytest.approx(sklearn_metrics.roc_auc_score(t, prediction), abs=1e-12)


def test_merging_leaves_the_other_as_it_was():
    first, second = RocAuc(), RocAuc()
    second.update(np.array([0.2, 0.1]), np.array([0, 1]))
    first.merge(second)
    first.update(np.array([0.9, 0.1]), np.array([1, 0]))
    assert second.result() == 0.0
    assert first.result() == 0.625


def test_nothing_seen_is_no_number():
    assert math.isnan(RocAuc().result())
