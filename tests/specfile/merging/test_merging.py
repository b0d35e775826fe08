"""A spec over the one it extends."""

from __future__ import annotations

from functools import reduce
from operator import getitem

import pytest

from mlpkit.specfile.merging import merge
from mlpkit.specfile.nodes import plain
from mlpkit.specfile.source import DiagnosticList, SourceText
from mlpkit.specfile.strict_yaml import parse_yaml


def merged(base: str, child: str):
    specs = (parse_yaml(SourceText("s", text), DiagnosticList()) for text in (base, child))
    return plain(merge(*specs, DiagnosticList()))


def at(path: tuple[str, ...], text: str) -> str:
    """Return a spec with ``text`` at a path."""
    return "".join(f"{{{key}: " for key in path) + text + "}" * len(path)


@pytest.mark.parametrize(
    ("base", "child", "expected"),
    [
        ("{seed: 0, name: a}", "{seed: 1}", {"seed": 1, "name": "a"}),
        ("{layers: [Relu, Tanh]}", "{layers: [Relu]}", {"layers": ["Relu"]}),
        ("{training: {clip: 1}}", "{training: {epochs: 3}}", {"training": {"clip": 1, "epochs": 3}}),
        ("{vars: {a: 1}}", "{vars: {b: 2}}", {"vars": {"a": 1, "b": 2}}),
        ("{requires: {a: '1'}}", "{requires: {b: '2'}}", {"requires": {"a": "1", "b": "2"}}),
        ("{sweep: {a: [1]}}", "{sweep: {b: [2]}}", {"sweep": {"a": [1], "b": [2]}}),
        ("{seed: 0}", "{seed: null}", {"seed": None}),
        ("{training: {clip: 1}}", "{training: 3}", {"training": 3}),
        ("{training: }", "{training: {clip: 1}}", {"training": {"clip": 1}}),
    ],
)
def test_sections_merge_and_the_rest_replaces(base, child, expected):
    assert merged(base, child) == expected


@pytest.mark.parametrize(
    ("base", "child", "expected"),
    [
        ("{sgd: {learning_rate: 0.1}}", "{sgd: {momentum: 0.9}}", {"sgd": {"learning_rate": 0.1, "momentum": 0.9}}),
        ("{sgd: {learning_rate: 0.1}}", "{sgd: {learning_rate: 0.2}}", {"sgd": {"learning_rate": 0.2}}),
        ("{sgd: {learning_rate: 0.1}}", "{adam: {beta: 0.9}}", {"adam": {"beta": 0.9}}),
        ("{sgd: {learning_rate: 0.1}}", "adam", "adam"),
        ("{sgd: {learning_rate: 0.1}}", "sgd", {"sgd": {"learning_rate": 0.1}}),
        ("{sgd: {learning_rate: 0.1}}", "{sgd: }", {"sgd": {"learning_rate": 0.1}}),
        ("{sgd: {learning_rate: 0.1}}", "{sgd: {}}", {"sgd": {"learning_rate": 0.1}}),
        ("sgd", "{sgd: {momentum: 0.9}}", {"sgd": {"momentum": 0.9}}),
        ("sgd", "sgd", "sgd"),
        ("{sgd: }", "{adam: }", {"adam": None}),
        (
            "{sgd: {learning_rate: {step: {gamma: 0.1}}}}",
            "{sgd: {learning_rate: {cosine: {floor: 0}}}}",
            {"sgd": {"learning_rate": {"cosine": {"floor": 0}}}},
        ),
        (
            "{sgd: {learning_rate: {step: {gamma: 0.1}}}}",
            "{sgd: {learning_rate: {step: {every: 5}}}}",
            {"sgd": {"learning_rate": {"step": {"gamma": 0.1, "every": 5}}}},
        ),
        ("{a: 1, b: 2}", "{b: 3, c: 4}", {"a": 1, "b": 3, "c": 4}),
        ("{norm: 5}", "{value: 1}", {"value": 1}),
        ("{norm: 5}", "{norm: null}", {"norm": None}),
        ("3", "{step: {gamma: 0.1}}", {"step": {"gamma": 0.1}}),
        ("[1, 2]", "{step: {gamma: 0.1}}", {"step": {"gamma": 0.1}}),
    ],
)
@pytest.mark.parametrize("path", [("data",), ("training", "optimizer"), ("vars", "v")])
def test_a_component_merges_with_its_own_name_and_replaces_another(path, base, child, expected):
    found = merged(at(path, base), at(path, child))
    assert reduce(getitem, path, found) == expected


def test_merging_changes_neither_spec():
    texts = "{training: {optimizer: {sgd: {a: 1}}}}", "{training: {optimizer: {sgd: {b: 1}}}}"
    base, child = (parse_yaml(SourceText("s", text), DiagnosticList()) for text in texts)
    before = plain(base), plain(child)
    merge(base, child, DiagnosticList())
    assert (plain(base), plain(child)) == before


def test_a_key_written_again_points_to_where_it_was_written_last():
    base = parse_yaml(SourceText("base", "training: {a: 1}"), DiagnosticList())
    child = parse_yaml(SourceText("child", "training: {b: 1}"), DiagnosticList())
    training = merge(base, child, DiagnosticList()).entries["training"]
    assert training.key.place.file == "child"
    assert [entry.node.origin.place.file for entry in training.node.entries.values()] == ["base", "child"]
