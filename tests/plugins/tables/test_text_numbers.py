"""Numbers from texts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpkit_plugins.tables.text_numbers import (
    NotANumberError,
    numbers_of,
    symbols_of,
    thousands_or_decimals,
    truth_words,
)

finite = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(finite))
def test_every_number_is_read_to_the_bit(values):
    np.testing.assert_array_equal(numbers_of([repr(value) for value in values], ()), np.array(values, float))


@given(st.lists(st.one_of(finite, st.none())))
def test_what_is_missing_is_not_a_number(values):
    texts = [" NA" if value is None else f" {value!r} " for value in values]
    np.testing.assert_array_equal(numbers_of(texts, {"NA"}), np.array(values, float))


@pytest.mark.parametrize("text", ["abc", "inf", "nan", "1_000"])
def test_what_is_no_number_is_found_beside_missing_values(text):
    with pytest.raises(NotANumberError) as caught:
        numbers_of(["1", "NA", text, "4"], {"NA"})
    assert caught.value.index == 2


@pytest.mark.parametrize("text", ["", "abc", "inf", "-Infinity", "nan", "1_000", "1,5", "1e999", "0x10"])
def test_what_is_no_finite_number_is_found(text):
    with pytest.raises(NotANumberError) as caught:
        numbers_of(["1", "2", text, "4"], ())
    assert caught.value.index == 2


@given(st.lists(st.sampled_from(["True", "False", "TRUE", "false", " true", "NA"])))
def test_truth_values_are_one_and_zero(texts):
    expected = [np.nan if text == "NA" else float(text.strip().lower() == "true") for text in texts]
    np.testing.assert_array_equal(numbers_of(texts, {"NA"}), expected)


@pytest.mark.parametrize("texts", [["1", "True"], ["0.5", "false"], ["1", "yes"]])
def test_a_truth_value_among_numbers_has_strayed(texts):
    with pytest.raises(NotANumberError) as caught:
        numbers_of(texts, ())
    assert caught.value.index == 1


def test_infinite_numbers_that_cancel_are_found():
    with pytest.raises(NotANumberError):
        numbers_of(["inf", "-inf"], ())


def test_large_numbers_whose_sum_is_infinite_are_read():
    assert numbers_of(["1e308", "1e308"], ()).tolist() == [1e308, 1e308]


@pytest.mark.parametrize(
    ("texts", "separator", "meaning"),
    [
        (["1,234", "5,678"], ",", "thousands"),
        (["1,234", "999"], ",", "thousands"),
        (["1,234", "-5678"], ",", "decimals"),
        (["1,234", "5.678"], ",", "thousands"),
        (["0,123", "1,234"], ",", "decimals"),
        (["+1,2", "3"], ",", "decimals"),
        (["-1,234.5"], ",", "thousands"),
        (["1,234,567"], ",", "thousands"),
        (["1,234,567", "1,5"], ",", ""),
        (["12,34,567"], ",", ""),
        (["1.234,5"], ",", "decimals"),
        (["1.234,5", "2.345.678,25"], ",", "decimals"),
        (["1.234"], ".", "thousands"),
        (["1.234", "1234"], ".", "decimals"),
    ],
)
def test_what_a_comma_or_a_point_means(texts, separator, meaning):
    assert thousands_or_decimals(texts, separator) == meaning


@pytest.mark.parametrize(
    ("text", "symbols"),
    [
        ("$5", ["$"]), ("-$1,234.50", ["$"]), ("5 kg", ["kg"]), ("USD 5", ["USD"]), ("NOK 5", ["NOK"]), ("NOK5", []),
        ("US$5", ["US$"]), ("5", []), ("5 kilogram", ["kilogram"]), ("5 kilograms", []),
        ("5 000 m", ["m"]), ("5 00 m", []), ("€ 5 %", ["€", "%"]), ("5 + 6", []), ("A5", []),
    ],
)  # fmt: skip
def test_symbols_before_and_after_a_number(text, symbols):
    assert symbols_of(text) == symbols


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["yes", "No", "maybe"], ("yes", "no")), (["F", "x", "t"], ("t", "f")), (["on", "x"], None), ([], None),
        (["1", "True", "0"], None), (["off", "ON"], ("on", "off")),
    ],
)  # fmt: skip
def test_words_for_truth_are_those_of_most_texts(texts, words):
    assert truth_words(texts) == words
