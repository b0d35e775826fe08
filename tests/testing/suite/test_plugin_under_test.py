"""What is checked: the classes, names and files that a plugin's author may give, and the examples of a component."""

from __future__ import annotations

import pytest

from mlpkit import UsageError
from mlpkit.components.target import Classes
from mlpkit.testing.suite.checks.fitted import FittedExample
from mlpkit.testing.suite.checks.metric import MetricExample
from mlpkit.testing.suite.plugin_under_test import ExampleWithShape, subjects_of
from mlpkit_plugins.layers.relu import Relu
from mlpkit_plugins.metrics.accuracy import Accuracy

PLUGIN = """
from mlpkit import component, hookimpl
from mlpkit.layers import Relu


class Same(Relu):
    pass


@hookimpl
def mlpkit_components():
    return [component("layer", name, Same) for name in ("Same", "Again")]
"""


@pytest.mark.parametrize(
    ("module", "base", "name", "expected"),
    [
        ("acme.layers.more", Relu, "TwoInARow", "acme.TwoInARow"),
        ("acme", Accuracy, "TopTwoOf3More", "acme.top_two_of3_more"),
        ("test-acme.layers", Accuracy, "Rate", "test_acme.rate"),
        ("mlpkit_acme", Relu, "Relu", "mlpkit_acme.Relu"),
        ("doubles", Relu, "Same", "doubles.Same"),  # like the plugin that every short training uses
    ],
)
def test_a_class_is_registered_by_its_module_and_its_name_beside_what_is_built_in(module, base, name, expected):
    cls = type(name, (base,), {"__module__": module})
    (subject,) = subjects_of(cls)
    found = (subject.name, subject.kind, subject.component, subject.in_new_process)
    assert found == (expected, base.kind, cls, None)
    registry = subject.registry
    assert registry.find((base.kind,), expected).component is cls
    namespaces = [plugin.namespace for plugin in registry.plugins]
    assert (namespaces[0], namespaces.count(namespaces[0])) == (expected.partition(".")[0], 1)
    assert type(registry.create("layer", "Relu")).__name__ == "Relu"
    assert "doubles" in namespaces


def test_a_class_of_something_else_is_refused():
    with pytest.raises(UsageError) as caught:
        subjects_of(Classes)
    expected = "the class Classes is not a component; expected a subclass of mlpkit.Layer, or the like"
    assert str(caught.value) == expected


def test_a_file_a_namespace_and_a_name_are_found_in_a_new_process_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "acme.py").write_text(PLUGIN, "utf-8")
    where = (str(tmp_path / "acme.py"),)
    for plugin, files, names in (
        ("acme.py", (), ["Same", "Again"]),
        (tmp_path / "acme.py", (), ["Same", "Again"]),
        ("acme", ("acme.py",), ["Same", "Again"]),
        ("acme.Again", ("./acme.py",), ["Again"]),
    ):
        found = subjects_of(plugin, files)
        assert [(each.name, each.in_new_process) for each in found] == [(f"acme.{name}", where) for name in names]
        assert "doubles" in [each.namespace for each in found[0].registry.plugins]
    (relu,) = subjects_of("Relu", ("acme.py",))
    assert (relu.name, relu.in_new_process) == ("Relu", ())


@pytest.mark.parametrize(
    ("kind", "item", "fits"),
    [
        (ExampleWithShape, ({"units": 3}, (4,)), True),
        (ExampleWithShape, ({}, ()), True),
        (ExampleWithShape, ({}, (2, 1)), True),
        (ExampleWithShape, ({}, (2, 0)), False),
        (ExampleWithShape, ({}, (2.5,)), False),
        (ExampleWithShape, ({}, [4]), False),
        (ExampleWithShape, {"units": 3}, False),
        (ExampleWithShape, ({}, (4,), 1), False),
        (MetricExample, ({"k": 2}, Classes(5)), True),
        (MetricExample, ({"k": 2}, Classes), False),
        (MetricExample, ({"k": 2}, (5,)), False),
        (MetricExample, {"k": 2}, False),
        (FittedExample, {"bins": 2}, True),
        (FittedExample, ({"bins": 2}, (4,)), False),
    ],
)
def test_what_may_be_an_example(kind, item, fits):
    assert kind.is_item(item) is fits
