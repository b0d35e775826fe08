"""The section ``training.goal``."""

from __future__ import annotations

import pytest

from mlpkit.errors import SpecError
from mlpkit.specfile.sections import GoalSection
from mlpkit.specfile.spec import parse_spec

SPEC = """\
mlpkit: 1
data: mnist
layers: [Affine: {units: 10}, SoftmaxWithLoss]
training: {optimizer: sgd, epochs: 1, metrics: [accuracy], goal: GOAL}
"""


def spec_with(goal):
    return parse_spec(SPEC.replace("GOAL", goal), name="s.yaml")


def test_values():
    assert spec_with("{metric: accuracy, value: 1}").training.goal == GoalSection(1.0, "accuracy")


@pytest.mark.parametrize(
    ("goal", "message"), [("{}", "missing key 'value'"), ("{value: 1, metric: f1}", "the run has no figure 'f1'")]
)
def test_mistakes(goal, message):
    with pytest.raises(SpecError, match=message):
        spec_with(goal)
