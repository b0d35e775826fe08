"""Which class was taken for which."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpkit import ParameterError
from mlpkit_plugins.metrics.confusion_matrix import ConfusionMatrix


def matrix_of(prediction, t, **parameters):
    whole, merged = ConfusionMatrix(**parameters), ConfusionMatrix(**parameters)
    whole.update(prediction, t)
    for part in np.array_split(np.arange(len(t)), 3):  # some of them empty, if there are few
        other = ConfusionMatrix(**parameters)
        if len(part):
            other.update(prediction[part], t[part])
        merged.merge(other)
    found = whole.result()
    assert merged.result() == found
    assert {type(count) for row in found for count in row} == {int}
    return found


@given(st.data())
def test_equals_that_of_scikit_learn(sklearn_metrics, classified, data):
    prediction, t = data.draw(classified)
    classes = range(prediction.shape[1])
    expected = sklearn_metrics.confusion_matrix(t, prediction.argmax(axis=1), labels=classes).tolist()
    assert matrix_of(prediction, t) == expected
    assert matrix_of(prediction, np.eye(len(classes))[t]) == expected


@given(st.data())
def test_a_threshold_is_for_class_1(sklearn_metrics, in_two_classes, data):
    prediction, t = data.draw(in_two_classes)
    threshold = data.draw(st.sampled_from([0.25, 0.5, 0.75]))
    column = prediction[:, 1:]
    expected = sklearn_metrics.confusion_matrix(t, column[:, 0] >= threshold, labels=[0, 1]).tolist()
    assert matrix_of(column, t[:, None].astype(float), threshold=threshold) == expected
    assert matrix_of(column[:, 0], t, threshold=threshold) == expected
    assert matrix_of(prediction, t, threshold=threshold) == expected
    assert matrix_of(prediction, np.eye(2)[t], threshold=threshold) == expected
    expected = sklearn_metrics.confusion_matrix(t, column[:, 0] >= 0.5, labels=[0, 1]).tolist()
    assert matrix_of(column, t) == expected


def test_a_threshold_is_for_no_more_than_two_classes():
    with pytest.raises(
        ParameterError, match=r"^threshold: a threshold has no effect with 3 classes, .*; leave it out$"
    ):
        ConfusionMatrix(threshold=0.4).update(np.eye(3), np.arange(3))


def test_a_row_is_a_class_and_a_column_a_prediction():
    prediction = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.4, 0.4, 0.2], [0.1, 0.8, 0.1]])
    assert matrix_of(prediction, np.array([0, 1, 1, 0])) == [[1, 1, 0], [1, 1, 0], [0, 0, 0]]


def test_nothing_was_seen():
    assert ConfusionMatrix().result() == [[0]]
