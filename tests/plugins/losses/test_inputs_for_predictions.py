"""The inputs that a loss would predict certain results from: as far out as the dtype has normal numbers."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import Classes, Labels, Values
from mlpkit.testing import standalone
from mlpkit_plugins.losses.poisson import Poisson
from mlpkit_plugins.losses.sigmoid_with_loss import SigmoidWithLoss
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss

LEAST = {"float32": np.log(np.float32(2.0**-126)), "float64": np.log(2.0**-1022)}


@pytest.mark.parametrize("dtype", LEAST)
@pytest.mark.parametrize(
    ("loss", "target", "prediction", "inputs"),
    [
        (SoftmaxWithLoss, Classes(3), [0, 0.75, 0.25], lambda least: [least, np.log(0.75), np.log(0.25)]),
        (SigmoidWithLoss, Labels(3), [0, 1, 0.25], lambda least: [least, -least, -np.log(3)]),
        (SigmoidWithLoss, Classes(2), [1, 0], lambda least: [least]),
        (SigmoidWithLoss, Classes(2), [0, 1], lambda least: [-least]),
        (SigmoidWithLoss, Classes(2), [0.75, 0.25], lambda least: [-np.log(3)]),
        (Poisson, Values((2,)), [0, 5], lambda least: [least, np.log(5)]),
    ],
)
def test_a_prediction_of_nothing_has_finite_inputs(loss, target, prediction, inputs, dtype):
    expected = inputs(LEAST[dtype])
    made = standalone(loss(), (len(expected),), target=target, dtype=dtype)
    found = made.inputs_for(np.array([prediction], dtype))
    assert found.dtype == dtype
    np.testing.assert_allclose(found, [expected], rtol=1e-6)
    np.testing.assert_allclose(made.predict(found), [prediction], rtol=1e-5, atol=1e-37)
