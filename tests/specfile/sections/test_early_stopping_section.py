"""The section ``training.early_stopping``, and the key ``best_weights``."""

from __future__ import annotations

import pytest

from mlpkit.errors import SpecError
from mlpkit.jobs.explain import explain
from mlpkit.jobs.training_job import settings_of
from mlpkit.specfile.sections import EarlyStoppingSection
from mlpkit.specfile.spec import parse_spec

SPEC = """\
mlpkit: 1
name: x
data: mnist
layers: [Affine: {units: 10}, SoftmaxWithLoss]
training:
  optimizer: sgd
  iterations: 10
  metrics: [accuracy, mean_absolute_error]
"""


def training_with(text):
    return parse_spec(f"{SPEC}  {text}\n", name="s.yaml").training


def test_defaults_and_values():
    assert training_with("early_stopping: null").early_stopping is None
    assert training_with("early_stopping: {}").early_stopping == EarlyStoppingSection("loss", 5, 0.0)
    given = training_with("early_stopping: {metric: accuracy, patience: 2, minimum_change: 0.01}").early_stopping
    assert given == EarlyStoppingSection("accuracy", 2, 0.01)
    resolved = parse_spec(f"{SPEC}  early_stopping: {{}}\n  best_weights: loss\n", name="s.yaml").resolved()["training"]
    assert resolved["early_stopping"] == {"metric": "loss", "patience": 5, "minimum_change": 0.0}
    assert resolved["best_weights"] == "loss"
    assert {"early_stopping", "best_weights"}.isdisjoint(parse_spec(SPEC, name="s.yaml").resolved()["training"])


@pytest.mark.parametrize("key", ["early_stopping: {metric: %s}", "best_weights: %s"])
@pytest.mark.parametrize(("figure", "higher"), [("loss", False), ("accuracy", True), ("mean_absolute_error", False)])
def test_the_metric_itself_says_whether_higher_is_better(key, figure, higher):
    spec = parse_spec(f"{SPEC}  {key % figure}\n", name="s.yaml")
    (callback,) = settings_of(spec).callbacks
    assert (callback._tracker.monitor, callback._tracker.higher_is_better) == (figure, higher)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("early_stopping: {metric: acuracy}", "9:28: the run has no metric 'acuracy'"),
        ("early_stopping: {metric: acuracy}", "help: did you mean 'accuracy'?"),
        ("early_stopping: {metric: top_k}", "help: add it: training.metrics=[top_k]"),
        ("early_stopping: {patience: 0}", "expected: an integer, at least 1"),
        ("early_stopping: {minimum_change: -1}", "expected: a number, at least 0"),
        ("early_stopping: {patient: 3}", "help: did you mean 'patience'?"),
        ("early_stopping: true", "help: its keys: metric, patience, minimum_change"),
        ("best_weights: acuracy", "9:17: the run has no metric 'acuracy'"),
        ("best_weights: true", "expected: loss, or one of training.metrics"),
    ],
)
def test_mistakes(text, message):
    with pytest.raises(SpecError) as caught:
        training_with(text)
    assert len(caught.value.faults) == 1
    assert message in str(caught.value)


def test_its_keys_are_explained_though_it_is_left_out():
    assert explain(parse_spec(SPEC, name="s.yaml"), "training.early_stopping.patience").value == 5
