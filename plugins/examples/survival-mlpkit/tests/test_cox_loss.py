"""The loss CoxLoss."""

import numpy as np
import pytest
from survival_mlpkit.cox_loss import CoxLoss
from survival_mlpkit.survival_times import SurvivalTimes

from mlpkit import Classes, ShapeError, TargetError
from mlpkit.testing import standalone

TIES = ("efron", "breslow")


def by_definition(x, t, ties):
    """Return the loss, event by event."""
    h, loss = np.exp(x[:, 0]), 0.0
    for time in set(t[:, 0]):
        dying = np.flatnonzero((t[:, 0] == time) & (t[:, 1] == 1))
        for number, row in enumerate(dying):
            share = number / len(dying) if ties == "efron" else 0
            loss += np.log(h[t[:, 0] >= time].sum() - share * h[dying].sum()) - x[row, 0]
    return loss / len(x)


@pytest.fixture
def examples():
    """Return inputs, and targets with ties between events and with those that are censored."""
    return SurvivalTimes().random_examples(40, np.random.default_rng(0))


@pytest.mark.parametrize("ties", TIES)
def test_is_the_formula(ties, examples):
    x, t = examples
    loss = standalone(CoxLoss(ties=ties), (1,), target=SurvivalTimes())
    assert loss.forward(x, t) == pytest.approx(by_definition(x, t, ties), rel=1e-12)


def test_large_inputs_stay_finite():
    loss = standalone(CoxLoss(), (1,), target=SurvivalTimes())
    assert loss.forward(np.array([[900.0], [800.0]]), np.array([[1.0, 1], [2.0, 1]])) == pytest.approx(0)
    assert np.isfinite(loss.backward()).all()


def test_other_targets_and_inputs_are_refused():
    with pytest.raises(TargetError, match="survival times"):
        CoxLoss().build((1,), Classes(3))
    with pytest.raises(ShapeError, match="log hazard"):
        CoxLoss().build((2,), SurvivalTimes())
