"""A line that says what a file came from, in any kind of file."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpkit.graph.provenance import MARKER, find_provenance, provenance_json, provenance_line

TEXTS = st.text()
PLAIN = st.dictionaries(TEXTS, st.none() | TEXTS | st.lists(TEXTS | st.integers()), max_size=4)


@given(PLAIN, st.binary(max_size=40), st.binary(max_size=40))
def test_it_is_found_in_any_file(provenance, before, after):
    assert find_provenance(before + provenance_line(provenance).encode() + after) == provenance


@given(PLAIN)
def test_it_ends_no_comment_and_no_line(provenance):
    line = provenance_line(provenance)

    assert line.isascii()
    assert not any(part in line for part in ("*/", "/*", "//", "-->", "<", "\n", "\r", "??/"))
    assert json.loads(provenance_json(provenance)) == provenance


@pytest.mark.parametrize(
    "content",
    ["", "mlpkit-provenance", "mlpkit-provenance: none", "mlpkit-provenance: {", "a page on mlpkit-provenance: {...}"],
)
def test_a_file_that_says_nothing(content):
    assert find_provenance(content.encode()) is None


def test_a_marker_without_a_meaning_before_the_real_one():
    content = b"// mlpkit-provenance: {...}\n// " + provenance_line({"run": "a"}).encode()

    assert find_provenance(content) == {"run": "a"}


@pytest.mark.parametrize("before", [b"{", b"{{", b"{ {\x00{", b"{" * 7])
def test_braces_between_the_marker_and_the_line(before):
    assert find_provenance(MARKER.encode() + before + provenance_json({"run": "a"}).encode()) == {"run": "a"}


def test_only_the_next_eight_braces_are_tried():
    assert find_provenance(MARKER.encode() + b"{" * 8 + provenance_json({"run": "a"}).encode()) is None
    line = provenance_line({"run": "b"}).encode()
    assert find_provenance(MARKER.encode() + b"{" * 9 + line) == {"run": "b"}
