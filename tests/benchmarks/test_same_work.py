"""Every contestant trains the same network: from the same weights, the same minibatches lead to the same parameters."""

from __future__ import annotations

import pytest
from contestants.roster import OURS, PEERS
from contestants.task import Task
from processes import contest, workspace

STEPS = 20
TASKS = {optimizer: Task((50, 50), 32, optimizer) for optimizer in ("sgd", "adam")}
EPSILON_BEFORE_CORRECTION = {"keras", "scikit_learn"}
"""Their Adam adds epsilon to the square root before the bias is corrected: where a gradient nearly vanishes, a step
differs by as much as its length."""


@pytest.fixture(scope="module")
def folder():
    with workspace() as made:
        yield made


@pytest.fixture(scope="module")
def ours(folder):
    reports = {}
    for optimizer, task in TASKS.items():
        reports[optimizer] = contest(
            OURS, "train", task, folder, exchange=str(folder / f"{optimizer}.npz"), steps=STEPS
        )
    return reports


@pytest.mark.parametrize("optimizer", TASKS)
@pytest.mark.parametrize(
    "name",
    [pytest.param(entry.name, marks=pytest.mark.skipif(bool(entry.missing), reason=entry.missing)) for entry in PEERS],
)
def test_the_same_minibatches_lead_to_the_same_parameters(name, optimizer, folder, ours):
    (entry,) = (entry for entry in PEERS if entry.name == name)
    exchange = str(folder / f"{optimizer}.npz")
    report = contest(entry, "train", TASKS[optimizer], folder, exchange=exchange, steps=STEPS)
    loose = optimizer == "adam" and name in EPSILON_BEFORE_CORRECTION
    assert report["parameters"] < (2e-3 if loose else 1e-4)
    assert report["prediction"] < (2e-3 if loose else 1e-4)
    assert report["moved"] == ours[optimizer]["moved"] > 0.01
