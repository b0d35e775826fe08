"""What is written is read again as what it was."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpkit.specfile.document import parse_document
from mlpkit.specfile.source import REFUSED
from mlpkit.specfile.yaml_writer import to_inline_key, to_inline_yaml, to_yaml, value_or_not_set


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        (0.1, "0.1"),
        (None, "null"),
        (True, "true"),
        ("he_normal", "he_normal"),
        ("3", "'3'"),
        ("1e5", "'1e5'"),
        ("1e999", "'1e999'"),
        ("9" * 101, f"'{'9' * 101}'"),
        ("0o17", "'0o17'"),
        ("08", "'08'"),
        ("-.0", "'-.0'"),
        (".inf", "'.inf'"),
        ("no", "'no'"),
        ("1:30", "'1:30'"),
        ("$n", "$$n"),
        ("a\nb", '"a\\nb"'),
        ((), "[]"),
        (["accuracy"], "[accuracy]"),
        ({"normal": {"std": 0.01}}, "{normal: {std: 0.01}}"),
        ({"x": "a " * 100}, "{x: '" + "a " * 100 + "'}"),
        ({"k" * 200: 1}, "{" + "k" * 200 + ": 1}"),
        (np.int64(3), "3"),
        (np.float32(0.5), "0.5"),
        (pytest, str(pytest)),
    ],
)
def test_a_value_is_written_on_one_line_as_in_a_spec(value, text):
    assert to_inline_yaml(value) == text


def test_a_value_that_stands_in_two_places_is_written_out_twice():
    sizes = [3, 4]
    assert to_yaml({"a": sizes, "b": sizes}) == "a: [3, 4]\nb: [3, 4]\n"


def test_a_spec_is_written_in_its_order_with_long_texts_on_several_lines():
    spec = {"b": "é", "a": "ab " * 40, "c": [[1, 2], {"d": []}], "$k": "$v"}
    begin = f"b: é\na: '{'ab ' * 32}ab\n  {'ab ' * 7}'\nc:\n- [1, 2]\n- d: []\n"
    assert to_yaml(spec) == f"{begin}$k: $$v\n"
    assert to_yaml(spec, with_names=True) == f"{begin}$k: $v\n"


def test_a_key_keeps_its_dollars_and_what_is_not_set_is_said_in_words():
    assert [to_inline_key(key) for key in ("$n", "a$$", "1", "a: b")] == ["$n", "a$$", "'1'", "'a: b'"]
    assert [value_or_not_set(value) for value in (None, 0, "$n")] == ["not set", "0", "$$n"]


texts = (
    st.text().filter(lambda text: not REFUSED.search(text))
    | st.text("0123456789.eExo_+-:$ {}[],#'\"\n\t!&*?|>%@`~=<nulytrufasi")
    | st.from_regex(r"[-+]?(0[xob])?[0-9_]*\.?[0-9]*([eE][-+]?[0-9]+)?", fullmatch=True)
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(1 - 10**100, 10**100 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=20)
specs = st.dictionaries(texts.filter(lambda key: key not in ("vars", "extends")), values, min_size=1)


@settings(max_examples=30)
@given(specs)
def test_what_is_written_to_a_file_is_read_again(spec):
    read = parse_document(to_yaml(spec)).values
    assert json.dumps(read) == json.dumps(spec)


@given(values)
def test_what_is_written_on_one_line_can_be_set(value):
    written = to_inline_yaml(value)
    assert "\n" not in written
    read = parse_document("name: a", overrides=[f"data={written}"]).values["data"]
    assert json.dumps(read) == json.dumps(value)
