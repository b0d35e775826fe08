"""The loss CoxLoss."""

import numpy as np
import pytest
from survival_mlpkit.cox_loss import CoxLoss
from survival_mlpkit.survival_times import SurvivalTimes

from mlpkit import Classes, ShapeError, TargetError
from mlpkit.testing import standalone


def test_large_inputs_stay_finite():
    loss = standalone(CoxLoss(), (1,), target=SurvivalTimes())
    assert loss.forward(np.array([[900.0], [800.0]]), np.array([[1.0, 1], [2.0, 1]])) == pytest.approx(0)
    assert np.isfinite(loss.backward()).all()


def test_other_targets_and_inputs_are_refused():
    with pytest.raises(TargetError, match="survival times"):
        CoxLoss().build((1,), Classes(3))
    with pytest.raises(ShapeError, match="log hazard"):
        CoxLoss().build((2,), SurvivalTimes())
