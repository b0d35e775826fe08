"""Plain scalars by the core schema of YAML 1.2."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpkit.specfile.source import MOST_DIGITS
from mlpkit.specfile.yaml_parser import resolve_plain


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((word, None) for word in ("", "~", "null", "Null", "NULL")),
        *((word, True) for word in ("true", "True", "TRUE")),
        *((word, False) for word in ("false", "False", "FALSE")),
        ("0", 0), ("-0", 0), ("+12", 12), ("010", 10), ("0o17", 15), ("0xFf", 255),
        ("1e-3", 0.001), ("1E3", 1000.0), (".5", 0.5), ("1.", 1.0), ("+1.5", 1.5), ("-.5e+1", -5.0), ("0.", 0.0),
    ],
)  # fmt: skip
def test_what_is_not_a_string(text, value):
    assert resolve_plain(text) == value
    assert type(resolve_plain(text)) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "no", "yes", "on", "off", "y", "n", "No", "nULL", "tRUE", "none", "None", "nan", "inf", "Infinity",
        "1_000", "1:30", "2024-01-01", "0b101", "0o8", "0xg", "-0x1", "+0o7", "1e", "e3", "1e1.5", ".", "+", "-", "+.",
        "1.2.3", "--1", "٣", "1\n", " 1", "+.nan",
    ],
)  # fmt: skip
def test_what_is_a_string(text):
    assert resolve_plain(text) == text


@pytest.mark.parametrize("text", [".inf", "-.Inf", "+.INF", ".nan", ".NaN", ".NAN", "1e999", "-1e400", "9" * 400 + "."])
def test_numbers_that_are_not_finite_are_refused(text):
    with pytest.raises(ValueError, match="is not finite"):
        resolve_plain(text)


@pytest.mark.parametrize("text", ["1" * (MOST_DIGITS + 1), "-" + "1" * 5000, "0x" + "f" * 5000, "0o" + "7" * 5000])
def test_an_integer_too_long_is_refused(text):
    with pytest.raises(ValueError, match="too long"):
        resolve_plain(text)


@pytest.mark.parametrize(
    ("text", "digits"), [("9" * 101, 101), ("-" + "1" * 102, 102), (hex(10**100), 101), ("0x" + "f" * 90, 109)]
)
def test_an_integer_has_a_hundred_digits_at_most_however_it_is_written(text, digits):
    for longest in ("9" * 100, "-" + "9" * 100, hex(10**100 - 1), oct(10**100 - 1)):
        assert resolve_plain(longest) == int(longest, 0)
    with pytest.raises(ValueError, match=f"^an integer of {digits} digits is too long; the longest has 100$"):
        resolve_plain(text)


@given(st.integers(-(10**90), 10**90) | st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_as_python_writes_it_is_that_number(number):
    found = resolve_plain(repr(number))
    assert found == number
    assert type(found) is type(number)
    assert math.copysign(1, found) == math.copysign(1, number)
