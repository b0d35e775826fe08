"""The metric concordance."""

import numpy as np
import pytest
from survival_mlpkit.concordance import Concordance
from survival_mlpkit.survival_times import SurvivalTimes

from mlpkit import ShapeError, Values


def pair_by_pair(risk, t):
    """Return the index from its definition."""
    score = pairs = 0
    for i, (time, event) in enumerate(t):
        later = (t[:, 0] > time) | ((t[:, 0] == time) & (t[:, 1] == 0))
        if event:
            pairs += later.sum()
            score += (risk[later] < risk[i]).sum() + (risk[later] == risk[i]).sum() / 2
    return score / pairs


def test_counts_pairs():
    risk, t = SurvivalTimes().random_examples(200, np.random.default_rng(1))
    metric = Concordance()
    metric.update(risk.round(1), t)
    assert metric.result() == pytest.approx(pair_by_pair(risk.round(1)[:, 0], t), rel=1e-12)


def test_without_pairs_it_is_a_guess():
    metric = Concordance()
    metric.update(np.array([[2.0], [1.0]]), np.array([[3.0, 0], [3.0, 0]]))
    assert metric.result() == 0.5


def test_other_targets_are_refused():
    with pytest.raises(ShapeError, match="is for survival times"):
        Concordance().expect_target(Values((2,)))
