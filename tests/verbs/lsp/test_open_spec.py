"""Places in a text, as editors count them, and what is at the cursor."""

from __future__ import annotations

import pytest
from requirements import require_package

types = require_package("lsprotocol.types")
open_spec = require_package("mlpkit.verbs.lsp.open_spec")
PositionCodec = require_package("pygls.workspace").PositionCodec
SourceText = require_package("mlpkit.specfile.source").SourceText

TEXT = "ab\n\U0001f600cd\n"
"""The face counts two in UTF-16."""


@pytest.mark.parametrize(
    ("line", "character", "offset"),
    [(0, 0, 0), (0, 2, 2), (0, 9, 2), (1, 0, 3), (1, 1, 4), (1, 2, 4), (1, 3, 5), (1, 9, 6), (2, 0, 7), (7, 1, 7)],
)
def test_each_position_is_the_place_of_a_character(line, character, offset):
    text, codec = SourceText("a.yaml", TEXT), PositionCodec()
    assert open_spec.offset_of(text, types.Position(line, character), codec) == offset


def test_each_character_has_a_position():
    text, codec = SourceText("a.yaml", TEXT), PositionCodec()
    places = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (1, 3), (1, 4), (2, 0)]
    assert [open_spec.position(text, at, codec) for at in range(8)] == [types.Position(*place) for place in places]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("a", 1, "b"), 3),
        (("a", 2), None),
        (("c",), None),
        (("a", "b"), None),
        (("a", 0, "b"), None),
        ((), {"a": [None, {"b": 3}]}),
    ],
)
def test_what_is_at_a_path(path, value):
    assert open_spec.value_at({"a": [None, {"b": 3}]}, path) == value


@pytest.mark.parametrize(
    ("text", "path", "at_key", "before", "fresh", "quoted", "followed"),
    [
        ("a: {b: c|d}", ("a", "b"), False, "c", False, False, False),
        ("a:\n  - b|c: 1", ("a", 0, "bc"), True, "b", True, False, True),
        ("a:\n  - |", ("a", 0), False, "", True, False, False),
        ("a: [x, 'y|z']", ("a", 1), False, "y", False, True, False),
        ('a: {"b|": 1}', ("a", "b"), True, "b", False, True, False),
        ('"b|": 1', ("b",), True, "b", False, True, False),
        ("a: ]\nb:\n- c:\n    # d: 1\n    |", ("b", 0, "c"), False, "", True, False, False),
    ],
)
def test_what_is_at_the_cursor(text, path, at_key, before, fresh, quoted, followed):
    plain, offset = text.replace("|", ""), text.index("|")
    found = open_spec.cursor_at(plain, offset)
    assert (found.path, found.at_key, found.before) == (path, at_key, before)
    assert (found.fresh, found.quoted, found.followed) == (fresh, quoted, followed)
