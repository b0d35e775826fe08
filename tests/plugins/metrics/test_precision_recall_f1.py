"""Precision, recall and F1, in every average."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpkit import Classes, Labels, ParameterError
from mlpkit_plugins.metrics.f1 import F1
from mlpkit_plugins.metrics.precision import Precision
from mlpkit_plugins.metrics.recall import Recall

ALL = [
    pytest.param(Precision, "precision_score", id="precision"),
    pytest.param(Recall, "recall_score", id="recall"),
    pytest.param(F1, "f1_score", id="f1"),
]
of_each = pytest.mark.parametrize(("metric", "name"), ALL)
averages = st.sampled_from(["macro", "micro", "weighted"])


def one_hot(labels, classes=3):
    return np.eye(classes)[labels]


def test_by_hand(figure_of):
    prediction, t = one_hot([0, 0, 0, 1, 1, 2]), [0, 0, 1, 1, 2, 0]
    precisions, recalls = np.array([2 / 3, 1 / 2, 0]), np.array([2 / 3, 1 / 2, 0])
    assert figure_of(Precision, prediction, t) == pytest.approx(precisions.mean())
    assert figure_of(Recall, prediction, t) == pytest.approx(recalls.mean())
    assert figure_of(F1, prediction, t, average="micro") == pytest.approx(3 / 6)
    assert figure_of(Recall, prediction, t, average="weighted") == pytest.approx((3 * 2 / 3 + 2 / 2 + 0) / 6)


@of_each
@settings(deadline=None, max_examples=40)
@given(data=st.data(), average=averages)
def test_of_classes_it_is_scikit_learns(metric, name, sklearn_metrics, figure_of, classified, data, average):
    p, t = data.draw(classified)
    expected = getattr(sklearn_metrics, name)(t, p.argmax(axis=1), average=average, zero_division=0)
    assert figure_of(metric, p, t, average=average) == pytest.approx(expected, abs=1e-12)
    assert figure_of(metric, p, one_hot(t, p.shape[1]), average=average) == pytest.approx(expected, abs=1e-12)


@of_each
@settings(deadline=None, max_examples=40)
@given(data=st.data(), average=averages | st.just("binary"), threshold=st.sampled_from([None, 0.25, 0.75]))
def test_of_two_classes_it_is_scikit_learns(
    metric, name, sklearn_metrics, figure_of, in_two_classes, data, average, threshold
):
    p, t = data.draw(in_two_classes)
    score = getattr(sklearn_metrics, name)
    expected = score(t, p.argmax(axis=1), average=average, zero_division=0)
    assert figure_of(metric, p, t, average=average) == pytest.approx(expected, abs=1e-12)
    expected = score(t, p[:, 1] >= (threshold or 0.5), average=average, zero_division=0)
    for column, targets in ((p[:, 1:], t), (p[:, 1], t), (p[:, 1:], t[:, None].astype(float))):
        found = figure_of(metric, column, targets, average=average, threshold=threshold)
        assert found == pytest.approx(expected, abs=1e-12)


@of_each
@settings(deadline=None, max_examples=40)
@given(data=st.data(), average=averages | st.just("binary"), threshold=st.sampled_from([0.2, 0.25, 0.5, 0.75]))
def test_of_two_columns_a_threshold_is_for_the_second(
    metric, name, sklearn_metrics, figure_of, in_two_classes, data, average, threshold
):
    p, t = data.draw(in_two_classes)
    parameters = {"average": average, "threshold": threshold}
    expected = getattr(sklearn_metrics, name)(t, p[:, 1] >= threshold, average=average, zero_division=0)
    for targets, target in ((t, None), (t, Classes(2)), (one_hot(t, 2), Classes(2, one_hot=True))):
        assert figure_of(metric, p, targets, target, **parameters) == pytest.approx(expected, abs=1e-12)


def test_whether_rows_are_labels_or_one_hot_the_target_says(figure_of):
    p, t = np.array([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7]]), one_hot([0, 1, 0], 2)
    parameters = {"average": "micro", "threshold": 0.4}
    assert figure_of(Recall, p, t, Classes(2, one_hot=True), **parameters) == pytest.approx(2 / 3)
    assert figure_of(Recall, p, t, Labels(2), **parameters) == pytest.approx(2 / 3)
    assert figure_of(Precision, p, t, Classes(2, one_hot=True), **parameters) == pytest.approx(2 / 3)
    assert figure_of(Precision, p, t, Labels(2), **parameters) == pytest.approx(2 / 4)
    assert figure_of(Precision, p, t, **parameters) == pytest.approx(2 / 4)


@of_each
@settings(deadline=None, max_examples=40)
@given(data=st.data(), average=averages, threshold=st.sampled_from([0.25, 0.5, 0.75]))
def test_of_labels_it_is_scikit_learns(metric, name, sklearn_metrics, figure_of, labelled, data, average, threshold):
    p, t = data.draw(labelled)
    expected = getattr(sklearn_metrics, name)(t, p >= threshold, average=average, zero_division=0)
    for target in (None, Labels(t.shape[1])):
        found = figure_of(metric, p, t, target, average=average, threshold=threshold)
        assert found == pytest.approx(expected, abs=1e-12)


@of_each
def test_nothing_seen_is_no_number(metric, name):
    assert math.isnan(metric().result())


@of_each
@pytest.mark.parametrize(
    ("parameters", "classes", "message"),
    [
        ({}, 3, "average: binary is for two classes, but there are 3 classes; expected macro, micro or weighted"),
        (
            {"threshold": 0.5},
            2,
            "average: binary is for two classes, but there are 2 labels; expected macro, micro or weighted",
        ),
    ],
)
def test_binary_is_for_two_classes(metric, name, parameters, classes, message):
    with pytest.raises(ParameterError) as caught:
        metric(average="binary", **parameters).update(one_hot([0, 1], classes), one_hot([0, 1], classes))
    assert str(caught.value) == message


@of_each
def test_a_threshold_is_for_no_more_than_two_classes(metric, name):
    with pytest.raises(ParameterError) as caught:
        metric(threshold=0.5).update(one_hot([0, 1]), np.array([0, 1]))
    assert str(caught.value) == (
        "threshold: a threshold has no effect with 3 classes, as the most probable one is predicted; "
        "expected two classes; leave it out"
    )


@of_each
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"average": "samples"}, "average: 'samples' is not one of the choices"),
        ({"threshold": 1}, "threshold: 1 is out of range"),
    ],
)
def test_wrong_parameters_are_refused(metric, name, parameters, message):
    with pytest.raises(ParameterError) as caught:
        metric(**parameters)
    assert str(caught.value).startswith(message)
