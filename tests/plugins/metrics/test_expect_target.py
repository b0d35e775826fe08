"""Which targets each metric is for; what it says of the others is in ``tests/specfile/wrong_specs``."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import Classes, Labels, ParameterError, ShapeError, Values
from mlpkit_plugins.metrics.accuracy import Accuracy
from mlpkit_plugins.metrics.calibration_error import CalibrationError
from mlpkit_plugins.metrics.confusion_matrix import ConfusionMatrix
from mlpkit_plugins.metrics.f1 import F1
from mlpkit_plugins.metrics.log_loss import LogLoss
from mlpkit_plugins.metrics.mean_absolute_error import MeanAbsoluteError
from mlpkit_plugins.metrics.mean_squared_error import MeanSquaredError
from mlpkit_plugins.metrics.precision import Precision
from mlpkit_plugins.metrics.r2 import R2
from mlpkit_plugins.metrics.recall import Recall
from mlpkit_plugins.metrics.roc_auc import RocAuc
from mlpkit_plugins.metrics.top_k import TopK

TARGETS = {
    "2": Classes(2),
    "5": Classes(5),
    "2 one-hot": Classes(2, one_hot=True),
    "5 one-hot": Classes(5, one_hot=True),
    "label": Labels(1),
    "labels": Labels(4),
    "value": Values(()),
    "values": Values((3,)),
}
CLASSES = {"2", "5", "2 one-hot", "5 one-hot"}
TWO = {"2", "2 one-hot"}
LABELS = {"label", "labels"}
NUMBERS = {"value", "values", "2 one-hot", "5 one-hot", *LABELS}

ALL = [
    (Accuracy, {}, CLASSES),
    (TopK, {}, CLASSES),
    (ConfusionMatrix, {}, CLASSES),
    (ConfusionMatrix, {"threshold": 0.5}, TWO),
    *((metric, {}, CLASSES | LABELS) for metric in (RocAuc, LogLoss, CalibrationError)),
    *((metric, {}, CLASSES | {"label"}) for metric in (Precision, Recall, F1)),
    *((metric, {"threshold": 0.5}, TWO | LABELS) for metric in (Precision, Recall, F1)),
    *((metric, {"average": "binary"}, TWO | {"label"}) for metric in (Precision, Recall, F1)),
    *((metric, {"average": "binary", "threshold": 0.5}, TWO | {"label"}) for metric in (Precision, Recall, F1)),
    *((metric, {}, NUMBERS) for metric in (MeanAbsoluteError, MeanSquaredError, R2)),
]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("metric", "parameters", "takes"), ALL)
def test_takes_what_it_is_for_and_refuses_the_rest(metric, parameters, takes, target):
    made = metric(**parameters)
    if target in takes:
        made.expect_target(TARGETS[target])
    else:
        with pytest.raises((ShapeError, ParameterError)):
            made.expect_target(TARGETS[target])


@pytest.mark.parametrize(
    ("metric", "wrong", "named"),
    [
        (Accuracy, Labels(4), "roc_auc, or f1 with a threshold,"),
        (RocAuc, Values(()), "mean_absolute_error, mean_squared_error or r2"),
        (R2, Classes(2), "accuracy, f1 or roc_auc"),
    ],
)
def test_a_metric_that_is_right_is_named(metric, wrong, named):
    with pytest.raises(ShapeError) as caught:
        metric().expect_target(wrong)
    assert caught.value.message.startswith(f"{metric.__name__} is for ")
    assert caught.value.message.endswith(f", but the data gives {wrong}")
    assert caught.value.remedy == f"use {named} instead"


def test_labels_are_real_values_too(figure_of):
    p, t = np.array([[0.5, 1.0], [0.0, 0.5]]), np.array([[1.0, 1.0], [0.0, 0.0]])
    assert figure_of(MeanSquaredError, p, t, Labels(2)) == (0.25 + 0.25) / 4
