"""The section ``training.moving_average``."""

from __future__ import annotations

import pytest

from mlpkit.errors import SpecError
from mlpkit.jobs.explain import explain
from mlpkit.specfile.sections import MovingAverageSection
from mlpkit.specfile.spec import parse_spec

SPEC = """\
mlpkit: 1
name: x
data: mnist
layers: [Affine: {units: 10}, SoftmaxWithLoss]
training:
  optimizer: sgd
  iterations: 10
"""


def spec_with(text):
    return parse_spec(f"{SPEC}  moving_average: {text}\n", name="s.yaml")


def test_defaults_and_values():
    assert spec_with("null").training.moving_average is None
    assert spec_with("{}").training.moving_average == MovingAverageSection(0.999)
    assert spec_with("{decay: 0.5}").resolved()["training"]["moving_average"] == {"decay": 0.5}
    assert "moving_average" not in parse_spec(SPEC, name="s.yaml").resolved()["training"]
    assert explain(parse_spec(SPEC, name="s.yaml"), "training.moving_average.decay").value == 0.999


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{decay: 1}", "8:27: 1 is out of range"),
        ("{decay: 0}", "expected: a number, greater than 0 and less than 1"),
        ("{decy: 0.9}", "help: did you mean 'decay'?"),
        ("0.999", "help: its keys: decay"),
    ],
)
def test_mistakes(text, message):
    with pytest.raises(SpecError) as caught:
        spec_with(text)
    assert len(caught.value.faults) == 1
    assert message in str(caught.value)
