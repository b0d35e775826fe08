"""The inputs that are the best of all that are the same for each row: the gradients there add up to zero."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import Classes, Labels, Values
from mlpkit.testing import standalone
from mlpkit_plugins.losses.ensemble_loss import EnsembleLoss
from mlpkit_plugins.losses.mean_squared_error import MeanSquaredError
from mlpkit_plugins.losses.sigmoid_with_loss import SigmoidWithLoss
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss

ROWS = 30
RNG = np.random.default_rng(3)
CLASSES = np.concatenate([np.zeros(15, int), np.ones(10, int), np.full(5, 2)])
LABELS = (RNG.random((ROWS, 2)) < [0.2, 0.7]).astype(float)
NUMBERS = RNG.gumbel(2, 3, (ROWS, 2))
ADJUSTED = {"label_smoothing": 0.3, "class_weights": [1.0, 0.5, 4.0]}
ADJUSTED_BINARY = {"label_smoothing": 0.3, "class_weights": [0.5, 4.0]}
LOSSES = {
    "softmax": (SoftmaxWithLoss, (3,), CLASSES, Classes(3)),
    "softmax of one-hot rows": (lambda: SoftmaxWithLoss(label_smoothing=0.3), (3,), np.eye(3)[CLASSES], Classes(3)),
    "softmax, adjusted": (lambda: SoftmaxWithLoss(**ADJUSTED), (3,), CLASSES, Classes(3)),
    "sigmoid of labels": (lambda: SigmoidWithLoss(label_smoothing=0.3), (2,), LABELS, Labels(2)),
    "sigmoid of two classes": (lambda: SigmoidWithLoss(**ADJUSTED_BINARY), (1,), (CLASSES > 0).astype(int), Classes(2)),
    "squares": (MeanSquaredError, (2,), NUMBERS, Values((2,))),
    "members": (lambda: EnsembleLoss(SoftmaxWithLoss(**ADJUSTED)), (2, 3), CLASSES, Classes(3)),
}


@pytest.mark.parametrize("weights", [None, RNG.uniform(0.2, 3, ROWS)], ids=["equal", "weighted"])
@pytest.mark.parametrize("name", LOSSES)
def test_the_gradients_of_the_best_constant_add_up_to_zero(name, weights):
    loss, shape, t, target = LOSSES[name]
    loss = standalone(loss(), shape, target=target)
    best = loss.best_constant(t, weights)
    assert np.shape(best) == shape
    loss.forward(np.tile(best, (ROWS, *(1 for _ in shape))), t, weights)
    gradients = loss.backward()
    assert np.abs(gradients).max() > 1e-3
    np.testing.assert_allclose(gradients.sum(axis=0), 0, atol=1e-12)


def test_a_class_without_rows_gets_a_share_of_a_millionth():
    loss = standalone(SoftmaxWithLoss(), (3,), target=Classes(3))
    np.testing.assert_allclose(loss.best_constant(np.array([0, 1])), np.log([0.5, 0.5, 1e-6]))
    np.testing.assert_allclose(loss.best_constant(np.array([0]), np.array([0.0])), np.log([1e-6] * 3))
