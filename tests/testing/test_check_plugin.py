"""What every check of the suite has."""

from __future__ import annotations

import pytest

from mlpkit import Layer
from mlpkit.components.kinds import KINDS
from mlpkit.testing.check_plugin import (
    PREREQUISITES,
    ExamplesReport,
    all_checks,
    check_plugin,
    checks_for,
    export_report,
    gradient_report,
)
from mlpkit.testing.suite.plugin_under_test import subjects_of


@pytest.mark.parametrize("check", all_checks(), ids=lambda check: check.name)
def test_a_check_says_what_it_asks_and_why(check):
    assert check.asks.endswith("?")
    assert check.function.__doc__.partition("\n\n")[2].strip().endswith(".")
    assert set(check.kinds) <= set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_checks_of_its_own(kind):
    names = [check.name for check in checks_for(kind)]
    assert len(names) == len(set(names))
    assert set(PREREQUISITES) <= set(names)
    common = [check for check in all_checks() if len(check.kinds) == len(KINDS)]
    assert len(names) >= len(common) + 3


PLUGIN = """
import numpy as np
from mlpkit import Dataset, Layer, Metric, NotExportableError, component, hookimpl


class Same(Layer):
    def forward(self, x):
        print("forward")
        return x

    def backward(self, dy):
        return dy

    def onnx(self, graph):
        return graph.op("Identity", graph.input)


class Wrong(Same):
    def backward(self, dy):
        return 2 * dy

    def onnx(self, graph):
        return graph.op("Neg", graph.input)


class Tuned(Same):
    def __init__(self, times: int):
        self.times = times


class Repeated(Tuned):
    def onnx(self, graph):
        if self.times > 1:
            raise NotExportableError(f"{self.times} times is too often")
        return super().onnx(graph)

    @classmethod
    def examples(cls):
        return [({"times": times}, (4,)) for times in (1, 2, 3)]


class Always(Metric):
    def update(self, prediction, t):
        pass

    def merge(self, other):
        pass

    def result(self):
        return 1.0


class Raw(Dataset):
    def describe(self):
        raise NotImplementedError

    def open(self, seed):
        raise NotImplementedError


class Scaled(Raw):
    def encode(self, raw):
        return raw / 2


class Told(Scaled):
    def onnx(self, graph):
        return graph.op("Div", graph.feed("x", "float64"), 2.0)


@hookimpl
def mlpkit_components():
    layers = [component("layer", each.__name__, each) for each in (Same, Wrong, Tuned, Repeated)]
    datasets = [component("dataset", each.__name__.lower(), each) for each in (Raw, Scaled, Told)]
    return [*layers, component("metric", "always", Always), *datasets]
"""
REPORTS = {
    "Same": (ExamplesReport("checked", 1), ExamplesReport("checked", 1)),
    "Wrong": (
        "failed: acme.Wrong (default parameters on shape (6,)): layer Wrong1 (Wrong): the gradient by x is not that of",
        "failed: acme.Wrong (default parameters on shape (6,)): the result changed by up to",
    ),
    "Tuned": ("unchecked: acme.Tuned: acme.Tuned has no examples, but requires times; expected",) * 2,
    "Repeated": (ExamplesReport("checked", 3), ExamplesReport("refused", detail="2 times is too often")),
    "always": (None, None),
    "raw": (None, ExamplesReport("described", detail="it has no encoder, so inputs are used unchanged.")),
    "scaled": (None, ExamplesReport("refused", detail="It has an encode, but no method onnx.")),
    "told": (None, ExamplesReport("described")),
}


@pytest.fixture
def subjects(tmp_path):
    """Return the components of a plugin's file, by name."""
    (tmp_path / "acme.py").write_text(PLUGIN, encoding="utf-8")
    return {subject.entry.declaration.name: subject for subject in subjects_of(tmp_path / "acme.py")}


def test_reports_say_what_the_examples_of_a_component_show(subjects, capsys):
    for name, expected in REPORTS.items():
        subject = subjects[name]
        for report, wanted in zip((gradient_report, export_report), expected, strict=True):
            found = report(subject.entry, subject.registry)
            if isinstance(wanted, str):
                assert f"{found.status}: {found.detail}".startswith(wanted)
                assert (found.examples, found.detail.count("\n")) == (0, 0)
            else:
                assert found == wanted
    assert capsys.readouterr().out == ""


class Gain(Layer):
    def build(self, input_shape):
        self.a = self.parameter("a", input_shape, 1.0)
        return input_shape

    def forward(self, x):
        self.x = x
        return self.a.value * x

    def backward(self, dy):
        self.a.grad += (dy * self.x).sum(axis=0)
        return self.a.value * dy


def test_what_may_follow_from_another_fault_is_listed_last():
    (checked,) = check_plugin(Gain)  # a class, which no other process has to import
    assert (checked.name.rpartition(".")[2], checked.kind, checked.passed) == ("Gain", "layer", False)
    root, docstring, *others = checked.failed
    assert (root.check, docstring.check) == ("gradients_are_overwritten", "says_what_it_is")
    assert not root.may_follow
    assert not docstring.may_follow
    assert len(others) > 3
    assert all(each.may_follow for each in others)
    order = [check.name for check in checks_for("layer")]
    assert others == sorted(others, key=lambda each: order.index(each.check))
    assert checked.checks > len(checked.failed)
    assert checked.left_out == 0
