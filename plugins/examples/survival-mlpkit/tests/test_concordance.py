"""The metric concordance."""

import numpy as np
import pytest
from survival_mlpkit.concordance import Concordance

from mlpkit import ShapeError, Values


def test_without_pairs_it_is_a_guess():
    metric = Concordance()
    metric.update(np.array([[2.0], [1.0]]), np.array([[3.0, 0], [3.0, 0]]))
    assert metric.result() == 0.5


def test_other_targets_are_refused():
    with pytest.raises(ShapeError, match="is for survival times"):
        Concordance().expect_target(Values((2,)))
