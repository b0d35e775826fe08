"""Names and numbers of an encoder's state, which may come from anybody."""

from __future__ import annotations

import math

import pytest

from mlpkit_plugins.formats.encoder_state import are_names, are_numbers


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], True),
        (["a", ""], True),
        (["x" * 131_072], True),
        (["x" * 131_073], False),
        (["a", "b", "a"], False),
        (["a", 1], False),
        (("a", "b"), False),
        ("ab", False),
        ({"a": 1}, False),
        (None, False),
    ],
)
def test_names_are_a_list_of_distinct_texts_that_are_not_too_long(values, expected):
    assert are_names(values) is expected


@pytest.mark.parametrize(
    ("values", "any_sign", "positive"),
    [
        ([3, 0.5], True, True),
        ([3, 0], True, False),
        ([0.5, -2], True, False),
        ([1.7e308, 5e-324], True, True),
        ([1.75e308, 1], False, False),
        ([1, -1.75e308], False, False),
        ([1, math.nan], False, False),
        ([math.inf, 1], False, False),
        ([10**400, 1], False, False),
        ([1, True], False, False),
        ([1, "2"], False, False),
        ([1], False, False),
        ([1, 2, 3], False, False),
        ((1, 2), False, False),
        (None, False, False),
    ],
)
def test_numbers_are_a_list_of_as_many_finite_ones_and_no_truth_values(values, any_sign, positive):
    assert are_numbers(values, 2) is any_sign
    assert are_numbers(values, 2, positive=True) is positive
