"""Each schedule gives the learning rates of PyTorch's over 100 steps."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import Progress
from mlpkit_plugins.schedules.constant import Constant
from mlpkit_plugins.schedules.cosine import Cosine
from mlpkit_plugins.schedules.exponential import Exponential
from mlpkit_plugins.schedules.one_cycle import OneCycle
from mlpkit_plugins.schedules.step import Step
from mlpkit_plugins.schedules.warmup import Warmup

FIRST, STEPS, STEPS_PER_EPOCH = 0.2, 100, 5


def one_cycle(schedulers, optimizer):
    """Ours begins above nothing and ends there one step after the last; theirs has its ends at the first and last."""
    up = schedulers.LinearLR(optimizer, start_factor=1 / 25, end_factor=1.0, total_iters=24)
    down = schedulers.LinearLR(optimizer, start_factor=1.0, end_factor=1e-300, total_iters=75)
    return schedulers.SequentialLR(optimizer, [up, down], milestones=[25])


CASES = {
    "constant": (Constant(FIRST), lambda s, o: s.ConstantLR(o, factor=1.0)),
    "step": (Step(FIRST, 30, factor=0.3, unit="steps"), lambda s, o: s.StepLR(o, 30, gamma=0.3)),
    "step, epochs": (Step(FIRST, 4, factor=0.3), lambda s, o: s.StepLR(o, 4 * STEPS_PER_EPOCH, gamma=0.3)),
    "exponential": (Exponential(FIRST, 0.97, unit="steps"), lambda s, o: s.ExponentialLR(o, 0.97)),
    "exponential, epochs": (
        Exponential(FIRST, 0.9),
        lambda s, o: s.LambdaLR(o, lambda step: 0.9 ** (step / STEPS_PER_EPOCH)),
    ),
    "cosine": (Cosine(FIRST, last=0.01), lambda s, o: s.CosineAnnealingLR(o, STEPS, eta_min=0.01)),
    "one_cycle": (OneCycle(FIRST, warmup=0.25), one_cycle),
    "warmup": (
        Warmup(Exponential(FIRST, 0.97, unit="steps"), 20),
        lambda s, o: s.ChainedScheduler([s.LinearLR(o, 1 / 20, 1.0, total_iters=19), s.ExponentialLR(o, 0.97)]),
    ),
}
APART = {"coslog", "flat_cosine"}
"""Schedules that PyTorch lacks."""


def test_every_built_in_schedule_is_compared(built_ins):
    assert {case.partition(",")[0] for case in CASES} | APART == built_ins("schedule")


@pytest.mark.parametrize("case", CASES)
def test_schedules(case, torch):
    ours, theirs = CASES[case]
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=FIRST)
    scheduler, expected = theirs(torch.optim.lr_scheduler, optimizer), []
    for _ in range(STEPS):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    found = [ours(Progress(step, step / STEPS_PER_EPOCH, STEPS)) for step in range(STEPS)]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)
