"""Numbers from texts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpkit_plugins.tables.text_numbers import NotANumberError, numbers_of

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
