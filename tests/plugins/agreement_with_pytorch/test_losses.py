"""A network with each loss takes the same 100 steps of gradient descent as PyTorch's."""

from __future__ import annotations

import pytest

from mlpkit_plugins.layers.tanh import Tanh
from mlpkit_plugins.losses.huber import Huber
from mlpkit_plugins.losses.mean_absolute_error import MeanAbsoluteError
from mlpkit_plugins.losses.mean_squared_error import MeanSquaredError
from mlpkit_plugins.losses.pinball import Pinball
from mlpkit_plugins.losses.poisson import Poisson
from mlpkit_plugins.losses.sigmoid_with_loss import SigmoidWithLoss
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss


def of_two_classes(torch):
    loss = torch.nn.BCEWithLogitsLoss()
    return lambda x, t: loss(x[:, 0], t.double())


CASES = {
    "SoftmaxWithLoss": (SoftmaxWithLoss(), lambda torch: torch.nn.CrossEntropyLoss(), "classes"),
    "SoftmaxWithLoss, smoothed": (
        SoftmaxWithLoss(label_smoothing=0.1),
        lambda torch: torch.nn.CrossEntropyLoss(label_smoothing=0.1),
        "classes",
    ),
    "SoftmaxWithLoss, weighted and smoothed": (
        SoftmaxWithLoss(label_smoothing=0.2, class_weights=[1, 0.5, 3]),
        lambda torch: torch.nn.CrossEntropyLoss(
            label_smoothing=0.2, weight=torch.tensor([1, 0.5, 3], dtype=torch.float64)
        ),
        "classes",
    ),
    "SigmoidWithLoss": (SigmoidWithLoss(), lambda torch: torch.nn.BCEWithLogitsLoss(), "labels"),
    "SigmoidWithLoss, two classes": (SigmoidWithLoss(), of_two_classes, "two classes"),
    "MeanSquaredError": (MeanSquaredError(), lambda torch: torch.nn.MSELoss(), "values"),
    "MeanAbsoluteError": (MeanAbsoluteError(), lambda torch: torch.nn.L1Loss(), "values"),
    "Pinball": (
        Pinball(0.8),
        lambda torch: lambda x, t: torch.maximum(0.2 * (x - t), 0.8 * (t - x)).mean(),
        "values",
    ),
    "Poisson": (Poisson(), lambda torch: torch.nn.PoissonNLLLoss(), "counts"),
    "Huber": (Huber(0.5), lambda torch: torch.nn.HuberLoss(delta=0.5), "values"),
}


APART = {"EnsembleLoss"}
"""Losses that are compared with the package tabm, with the networks that they end."""


def test_every_built_in_loss_is_compared(built_ins):
    assert {case.partition(",")[0] for case in CASES} | APART == built_ins("loss")


@pytest.mark.parametrize("case", CASES)
def test_losses(case, torch, pair):
    loss, their_loss, target = CASES[case]
    both = pair([Tanh()], loss, [torch.nn.Tanh()], outputs=1 if target == "two classes" else 3)
    both.train(their_loss(torch), target)
    both.expect_agreement()
