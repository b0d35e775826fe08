"""What is known of a spec's structure before its schema."""

from __future__ import annotations

import pytest

from mlpkit.specfile.merging import SECTIONS, may_be_component
from mlpkit.specfile.nodes import plain
from mlpkit.specfile.source import DiagnosticList, SourceText
from mlpkit.specfile.strict_yaml import parse_yaml
from mlpkit.specfile.structure import component_of


@pytest.mark.parametrize(
    ("text", "name", "parameters"),
    [
        ("sgd", "sgd", None),
        ("acme.Conv2d", "acme.Conv2d", None),
        ("{sgd: }", "sgd", None),
        ("{sgd: {}}", "sgd", {}),
        ("{sgd: {learning_rate: 0.1}}", "sgd", {"learning_rate": 0.1}),
    ],
)
def test_components(text, name, parameters):
    found = component_of(parse_yaml(SourceText("s", text), DiagnosticList()))
    assert found is not None
    assert found[0] == name
    assert (None if found[1] is None else plain(found[1])) == parameters


@pytest.mark.parametrize("text", ["3", "", "[sgd]", "{a: 1}", "{a: {}, b: {}}", "{}", "two words", "./a.csv", "$sgd"])
def test_what_can_not_be_a_component(text):
    assert component_of(parse_yaml(SourceText("s", f"x: {text}"), DiagnosticList()).entries["x"].node) is None


def test_sections():
    paths = [(), ("training",), ("vars",), ("training", "clip"), ("data",), ("training", "optimizer")]
    assert [path in SECTIONS for path in paths] == [True, True, True, True, False, False]


def test_where_components_may_stand():
    paths = [("data",), ("name",), ("training", "optimizer"), ("layers", 0), ("requires", "acme")]
    assert [may_be_component(path) for path in paths] == [True, False, True, True, False]
