"""A network trained by each optimizer comes to the same parameters in 100 steps as PyTorch's."""

from __future__ import annotations

import pytest

from mlpkit.training.update import Updater
from mlpkit_plugins.layers.tanh import Tanh
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss
from mlpkit_plugins.optimizers.adagrad import Adagrad
from mlpkit_plugins.optimizers.adam import Adam
from mlpkit_plugins.optimizers.adamw import Adamw
from mlpkit_plugins.optimizers.lion import Lion
from mlpkit_plugins.optimizers.nadamw import Nadamw
from mlpkit_plugins.optimizers.rmsprop import Rmsprop
from mlpkit_plugins.optimizers.sgd import Sgd

RATE, DECAY = 0.02, 0.1


def grouped(parameters, decay=DECAY):
    """Return parameters in PyTorch's groups: weights decay, biases don't."""
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": decay},
        {"params": [p for p in parameters if p.ndim == 1], "weight_decay": 0.0},
    ]


def lion(torch, parameters):
    """Return algorithm 2 of Chen and others (2023), which PyTorch lacks, on its tensors and its gradients."""

    class LionOfThePaper(torch.optim.Optimizer):
        def step(self):
            with torch.no_grad():
                for group in self.param_groups:
                    for p in group["params"]:
                        m = self.state[p].setdefault("m", torch.zeros_like(p))
                        c = m.lerp(p.grad, 1 - 0.9)
                        p.sub_(RATE / 10 * (c.sign() + group["weight_decay"] * p))
                        m.lerp_(p.grad, 1 - 0.99)

    return LionOfThePaper(grouped(parameters), {})


CASES = {
    "sgd": (Sgd(RATE, weight_decay=DECAY), lambda torch, p: torch.optim.SGD(grouped(p), lr=RATE)),
    "sgd, momentum": (
        Sgd(RATE, momentum=0.9, weight_decay=DECAY),
        lambda torch, p: torch.optim.SGD(grouped(p), lr=RATE, momentum=0.9),
    ),
    "sgd, nesterov": (
        Sgd(RATE, momentum=0.9, nesterov=True),
        lambda torch, p: torch.optim.SGD(p, lr=RATE, momentum=0.9, nesterov=True),
    ),
    "rmsprop": (
        Rmsprop(RATE / 4, rho=0.9, momentum=0.5, weight_decay=DECAY),
        lambda torch, p: torch.optim.RMSprop(grouped(p), lr=RATE / 4, alpha=0.9, momentum=0.5, eps=1e-8),
    ),
    "adagrad": (
        Adagrad(RATE, weight_decay=DECAY, epsilon=1e-10),
        lambda torch, p: torch.optim.Adagrad(grouped(p), lr=RATE, eps=1e-10),
    ),
    "adam": (Adam(RATE), lambda torch, p: torch.optim.Adam(p, lr=RATE)),
    "adamw": (Adamw(RATE, weight_decay=DECAY), lambda torch, p: torch.optim.AdamW(grouped(p), lr=RATE)),
    "nadamw": (
        Nadamw(RATE, weight_decay=DECAY),
        lambda torch, p: torch.optim.NAdam(grouped(p), lr=RATE, decoupled_weight_decay=True),
    ),
    "lion": (Lion(RATE / 10, weight_decay=DECAY), lion),
}
APART = {"muon", "schedule_free_adamw", "soap"}
"""Optimizers with a test of their own."""


def test_every_built_in_optimizer_is_compared(built_ins):
    assert {case.partition(",")[0] for case in CASES} | APART == built_ins("optimizer")


@pytest.mark.parametrize("case", CASES)
def test_optimizers(case, torch, pair):
    ours, theirs = CASES[case]
    both = pair([Tanh()], SoftmaxWithLoss(), [torch.nn.Tanh()])
    update = Updater(ours, both.network)
    both.train(
        torch.nn.CrossEntropyLoss(),
        optimizer=lambda parameters: theirs(torch, parameters),
        step=lambda number: update(ours.learning_rate, number),
    )
    both.expect_agreement()
