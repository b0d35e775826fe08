"""The tree of plain values."""

from __future__ import annotations

import pytest

from mlpkit.specfile.nodes import height, is_null, plain
from mlpkit.specfile.source import DiagnosticList, SourceText
from mlpkit.specfile.strict_yaml import parse_yaml


@pytest.mark.parametrize(
    ("text", "data", "depth"),
    [("1", 1, 0), ("[]", [], 1), ("{a: [1, {b: null}], c: x}", {"a": [1, {"b": None}], "c": "x"}, 3)],
)
def test_plain_data_and_height(text, data, depth):
    node = parse_yaml(SourceText("s", text), DiagnosticList())
    assert plain(node) == data
    assert height(node) == depth


def test_null_is_not_zero_or_empty():
    values = [parse_yaml(SourceText("s", text), DiagnosticList()) for text in ("null", "0", "''", "[]")]
    assert [is_null(value) for value in values] == [True, False, False, False]
