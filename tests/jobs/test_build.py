"""From a spec to a network: components of a plugin that don't fit the data are refused at their line.

What built-in components say is in ``tests/specfile/wrong_specs``.
"""

from __future__ import annotations

import pytest

import mlpkit

PLUGIN = """\
from mlpkit import Augmentation, Classes, Dataset, Description, Metric, ParameterError, component, hookimpl

class Fussy(Metric):
    def __init__(self, mood: str = "bad", *, blames: str = "mood"):
        self.mood, self.blames = mood, blames
    def expect_target(self, target):
        if self.mood == "worse":
            raise RuntimeError("out of luck")
        raise ParameterError(self.blames, f"is no mood for {target}", expected="a good one", remedy="wait")
    def update(self, prediction, t): pass
    def merge(self, other): pass
    def result(self): return 0.0

class Stumbling(Augmentation):
    def expect_inputs(self, input_shape):
        raise RuntimeError("fell")
    def __call__(self, x, rng, out): pass

class Worried(Dataset):
    def describe(self): return Description((2,), Classes(10), {"train": 500})
    def open(self, seed): return {}
    def warnings(self): yield "the weather"

@hookimpl
def mlpkit_components():
    return [
        component("metric", "fussy", Fussy),
        component("augmentation", "stumbling", Stumbling),
        component("dataset", "worried", Worried),
    ]
"""

SPEC = """\
mlpkit: 1
data: mnist
layers: [Affine: {units: 10}, SoftmaxWithLoss]
training:
  optimizer: sgd
  epochs: 1
"""


@pytest.fixture
def faults_of(tmp_path):
    """Return a function that builds a spec which uses the plugin, and returns what is wrong with it."""
    (tmp_path / "acme.py").write_text(PLUGIN, encoding="utf-8")

    def faults(lines):
        path = tmp_path / "spec.yaml"
        path.write_text(f"{SPEC}  {lines}\n", encoding="utf-8")
        with pytest.raises(mlpkit.SpecError) as caught:
            mlpkit.build(mlpkit.load_spec(path, plugins=[tmp_path / "acme.py"]))
        return caught.value.faults

    return faults


@pytest.mark.parametrize(
    ("written", "column"),
    [
        ("acme.fussy", 13),
        ("acme.fussy: {blames: mood}", 13),
        ("acme.fussy: {mood: bad}", 32),
        ("acme.fussy: {mood: bad, blames: weather}", 13),
    ],
)
def test_a_metric_that_refuses_the_target_is_pointed_at_or_its_parameter(faults_of, written, column):
    (fault,) = faults_of(f"metrics: [{written}]")
    assert (fault.line, fault.column) == (7, column)
    assert (fault.message, fault.expected, fault.remedy) == ("is no mood for 10 classes", "a good one", "wait")
    (note,) = fault.notes
    assert note.startswith("the target, 10 classes, comes from the data (mnist) at ")
    assert note.endswith("spec.yaml:2:1")


def test_one_that_fails_to_refuse_is_pointed_at(faults_of):
    (fault,) = faults_of("metrics: [accuracy, acme.fussy: {mood: worse}]")
    assert (fault.line, fault.column) == (7, 23)
    assert fault.message == "expect_target raised RuntimeError: out of luck"
    (fault,) = faults_of("augment: [acme.stumbling]")
    assert (fault.line, fault.column) == (7, 13)
    assert fault.message == "expect_inputs raised RuntimeError: fell"


def test_a_data_set_whose_warnings_are_none_is_named(tmp_path):
    (tmp_path / "acme.py").write_text(PLUGIN, encoding="utf-8")
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC.replace("mnist", "acme.worried"), encoding="utf-8")
    with pytest.raises(
        mlpkit.ComponentFailure, match=r"^dataset acme\.worried failed in warnings: AttributeError: 'str'"
    ):
        mlpkit.build(mlpkit.load_spec(path, plugins=[tmp_path / "acme.py"]))


@pytest.mark.parametrize("function", [mlpkit.run, mlpkit.build])
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("base.yaml", "not 'base.yaml'; read it first: mlpkit.load_spec('base.yaml')"),
        ({"mlpkit": 1}, "not a mapping; read it first: mlpkit.load_spec(file)"),
    ],
)
def test_what_is_no_spec_is_refused_with_how_to_read_one(function, given, expected):
    with pytest.raises(mlpkit.UsageError) as caught:
        function(given)
    assert str(caught.value) == f"{function.__name__} takes a spec, {expected}"
