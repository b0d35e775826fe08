"""Python values as overrides."""

from __future__ import annotations

from collections import OrderedDict
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from mlpkit.components.schema.context import Problem
from mlpkit.specfile.document import parse_document
from mlpkit.specfile.python_spec import node_of_value
from mlpkit.specfile.source import DEEPEST_NESTING, MOST_VALUES, DiagnosticList, SourceText, Span


@pytest.mark.parametrize(
    ("given", "value"),
    [
        (None, None), (True, True), (3, 3), (0.5, 0.5), ("no", "no"), ("3", "3"), ("", ""), ("a: b", "a: b"),
        ([1, [2]], [1, [2]]), ((1, 2), [1, 2]), ({"sgd": {"rate": 0.1}}, {"sgd": {"rate": 0.1}}),
        (OrderedDict(a=1), {"a": 1}), (MappingProxyType({"a": 1}), {"a": 1}), (Path("a/b.csv"), "a/b.csv"),
        (np.int64(3), 3), (np.float32(0.5), 0.5), (Fraction(1, 2), 0.5), ("$v", "$v"), (["$$", "5$"], ["$$", "5$"]),
    ],
)  # fmt: skip
def test_values_are_taken_as_they_are(given, value):
    found = parse_document("vars: {v: 1}", overrides={"x": given}).values["x"]
    assert found == value
    assert type(found) is type(value)


def test_values_may_be_as_large_and_as_deep_as_those_of_a_file():
    deep = 0
    for _ in range(DEEPEST_NESTING - 1):  # within the spec itself
        deep = [deep]
    many = [0] * (MOST_VALUES - 3)  # beside the two values of the spec, and the list
    for value, text in ((deep, str(deep)), (many, str(many))):
        assert parse_document("seed: 0", overrides={"x": value}).values["x"] == value
        assert parse_document(f"x: {text}").values["x"] == value
    place = Span(SourceText("", "x", 0), 0, 1)
    for value, fits in (([0] * (MOST_VALUES - 1), True), ([0] * MOST_VALUES, False), (deep, True), ([deep], False)):
        assert (node_of_value(value, place, DiagnosticList()) is not None) == fits


ENDLESS: list[object] = []
ENDLESS.append(ENDLESS)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (float("nan"), "overrides:1:3: nan is not finite"),
        ([float("-inf")], "overrides:1:3: -inf is not finite"),
        (10**100, "overrides:1:3: an integer of more than 100 digits is too long"),
        ({1: 2}, "overrides:1:3: the key 1 is not a string"),
        ({1, 2}, "overrides:1:3: a value of type set can't be part of a spec"),
        (object(), "overrides:1:3: a value of type object can't be part of a spec"),
        (b"x", "overrides:1:3: a value of type bytes can't be part of a spec"),
        (1j, "overrides:1:3: a value of type complex can't be part of a spec"),
        (np.zeros(2), "overrides:1:3: a value of type ndarray can't be part of a spec"),
        ("a\x07", "overrides:1:3: a string can't hold the character U+0007"),
        ({"\ud800": 1}, "overrides:1:3: a string can't hold the character U+D800"),
        (ENDLESS, "overrides:1:3: lists and mappings are nested more than 20 levels deep"),
        ([0] * 10_001, "overrides:1:3: a spec can't hold more than 10,000 values"),
    ],
)
def test_what_a_spec_can_not_hold(given, message, faults_of):
    def reader(text):
        return parse_document(text, overrides={"x": given})

    assert faults_of("seed: 0", reader=reader) == [message]


@pytest.mark.parametrize(
    ("given", "source"),
    [
        ("abc", "x=abc"),
        (True, "x=True"),
        ({"sgd": {"rate": 0.1}}, "x={'sgd': {'rate': 0.1}}"),
        ("two\nlines", "x=two lines"),
        (10**100 - 1, f"x={'9' * 100}"),
    ],
)
def test_the_source_of_a_fault_shows_the_value(given, source):
    document = parse_document("seed: 0", overrides={"x": given})
    fault = document.located(Problem(("x",), "wrong"))
    assert (fault.file, fault.line, fault.column, fault.source) == ("overrides", 1, 3, source)
    assert fault.width == len(source) - 2


def test_a_long_value_is_shortened():
    document = parse_document("seed: 0", overrides={"x": "a" * 1_000})
    assert len(document.located(Problem(("x",), "wrong")).source) < 300
    assert len(document.values["x"]) == 1_000


def test_a_part_of_a_value_points_to_the_whole():
    document = parse_document("seed: 0", overrides={"x": {"a": [1, 2]}})
    assert str(document.place(("x", "a", 1))) == "overrides:1:3"
