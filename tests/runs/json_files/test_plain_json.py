"""JSON without surprises."""

from __future__ import annotations

import math
import re
import types
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpkit.runs.json_files import MOST_PARTS, decode, encode_compact, encode_pretty

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(PLAIN)
def test_what_is_encoded_is_decoded_again_with_the_same_bits(data: Any) -> None:
    for text in (encode_compact(data), encode_compact(data, sort=True), encode_pretty(data)):
        assert text.isascii()
        assert repr(decode(text.encode())) in (repr(data), repr(decode(encode_compact(data, sort=True).encode())))
        assert decode(text.encode()) == data


def test_compact_is_one_line_in_the_order_given() -> None:
    assert encode_compact({"b": [1, 0.1, None], "a": {"x": True}}) == '{"b":[1,0.1,null],"a":{"x":true}}'
    assert encode_compact({"b": 1, "a": 2}, sort=True) == '{"a":2,"b":1}'
    assert encode_compact({"text": "a\nb\u2028"}) == '{"text":"a\\nb\\u2028"}'


def test_pretty_is_sorted_and_ends_in_a_newline() -> None:
    assert encode_pretty({"b": 1, "a": [2]}) == '{\n  "a": [\n    2\n  ],\n  "b": 1\n}\n'


def test_tuples_other_mappings_and_numpy_float64_are_plain() -> None:
    data = types.MappingProxyType({"a": (1, np.float64(0.1))})
    assert encode_compact(data) == '{"a":[1,0.1]}'


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (math.nan, "the value is nan, and JSON has only finite numbers"),
        ({"a": [0.0, {"b": -math.inf}]}, "a[1].b is -inf, and JSON has only finite numbers"),
        ({"a": {1: 2}}, "a has the key 1; expected only strings as keys"),
        ({"a": np.float32(1)}, "a is of type float32; expected plain data"),
        ({1: 2}, "the value has the key 1; expected only strings as keys"),
        (b"x", "the value is of type bytes; expected plain data"),
        ([b"x"], "[0] is of type bytes; expected plain data"),
    ],
)
def test_what_json_cannot_say_is_refused(data: Any, message: str) -> None:
    for encode in (encode_compact, encode_pretty):
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            encode(data)


def test_endless_nesting_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(100):
        deep = [deep]
    assert encode_compact(deep) == "[" * 101 + "]" * 101
    with pytest.raises(ValueError, match="nested too deeply"):
        encode_compact([deep])
    data: list[Any] = []
    data.append(data)
    with pytest.raises(ValueError, match="nested too deeply; expected up to 100 levels"):
        encode_compact(data)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"{", "Expecting property name"),
        (b"", "Expecting value"),
        (b"\xff", "invalid start byte"),
        (b"\x00[\x00]", "Expecting value"),
        (b"NaN", "NaN is not a finite number"),
        (b"[-Infinity]", "-Infinity is not a finite number"),
        (b"1e999", "1e999 is not a finite number"),
        (b'{"a": 1, "b": 2, "a": 1}', "the key 'a' appears twice"),
        (b"1" * 5000, "Exceeds the limit"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_json_is_refused(text: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        decode(text)


def test_messages_stay_short() -> None:
    name = b"n" * 1_000_000
    with pytest.raises(ValueError, match="appears twice") as raised:
        decode(b'{"%s":1,"%s":1}' % (name, name))
    assert len(str(raised.value)) < 200


def test_a_text_has_so_many_parts() -> None:
    most = b"[" + b"1," * (MOST_PARTS - 2)
    assert len(decode(most + b"{}]")) == MOST_PARTS - 1
    with pytest.raises(ValueError, match=r"^it has 200,001 commas and brackets; expected up to 200,000$"):
        decode(most + b"1,[]]")
