"""A network with each loss takes the same 100 steps of gradient descent as PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import Classes, Sequential
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.tanh import Tanh
from mlpkit_plugins.losses.huber import Huber
from mlpkit_plugins.losses.mean_absolute_error import MeanAbsoluteError
from mlpkit_plugins.losses.mean_squared_error import MeanSquaredError
from mlpkit_plugins.losses.ordinal import Ordinal
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


APART = {"EnsembleLoss", "Ordinal"}
"""Losses that are compared with the package tabm, with the networks that they end; or below, with their thresholds."""


def test_every_built_in_loss_is_compared(built_ins):
    assert {case.partition(",")[0] for case in CASES} | APART == built_ins("loss")


@pytest.mark.parametrize("case", CASES)
def test_losses(case, torch, pair):
    loss, their_loss, target = CASES[case]
    both = pair([Tanh()], loss, [torch.nn.Tanh()], outputs=1 if target == "two classes" else 3)
    both.train(their_loss(torch), target)
    both.expect_agreement()


def test_ordinal(torch):
    network = Sequential([Affine(6), Tanh(), Affine(1), Ordinal()], (5,), target=Classes(3), dtype="float64")
    network.set_training(True)
    theirs = {name: torch.from_numpy(value.copy()).requires_grad_() for name, value in network.parameters.items()}
    optimizer, rng = torch.optim.SGD(theirs.values(), lr=0.1), np.random.default_rng(0)
    for number in range(100):
        x, t = rng.normal(size=(8, 5)), rng.integers(0, 3, 8)
        hidden = torch.tanh(torch.from_numpy(x) @ theirs["Affine1.W"] + theirs["Affine1.b"])
        score = hidden @ theirs["Affine2.W"] + theirs["Affine2.b"]
        theta = theirs["Ordinal1.theta"]
        thresholds = torch.cumsum(torch.cat([theta[:1], theta[1:].exp()]), 0)
        up_to = torch.sigmoid(thresholds - score)
        ends = torch.zeros(len(x), 1, dtype=torch.float64), torch.ones(len(x), 1, dtype=torch.float64)
        p = torch.diff(torch.cat([ends[0], up_to, ends[1]], dim=1))
        their_loss = -torch.log(p[torch.arange(len(x)), torch.from_numpy(t)]).mean()
        optimizer.zero_grad()
        their_loss.backward()
        assert network.loss_and_gradient(x, t, number) == pytest.approx(their_loss.item(), rel=1e-6)
        network.values -= 0.1 * network.gradient_values
        optimizer.step()
    for name, parameter in theirs.items():
        np.testing.assert_allclose(network.parameters[name], parameter.detach().numpy(), rtol=1e-6, atol=1e-6)
